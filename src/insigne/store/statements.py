"""Every SQL text of the hot path and of the queries, in one place, for both databases (SQLite 3.40, PostgreSQL 13).

Parameters are ``?``; the PostgreSQL adapter writes them its own way. No text holds a literal question or percent mark.
"""

from typing import Final

#: Key of the advisory lock of PostgreSQL that a writer holds: "insigne" in ASCII.
WRITE_LOCK: Final = 0x696E7369676E65

SCHEMA_REVISION: Final = "SELECT version_num FROM alembic_version"

# --- the write path

INSERT_MESSAGE: Final = (
    "INSERT INTO message (id, time, direction, peer, sender, control_id, event, version, charset, disposition, code,"
    " digest, raw, ack, findings, subject, replay_of) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
INSERT_ENTRY: Final = (
    "INSERT INTO journal (seq, stream, stream_id, version, type, time, author, cause_kind, cause_id, payload, salt,"
    " digest, seal) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
INSERT_SEAL: Final = (
    "INSERT INTO seal (number, first_seq, last_seq, count, previous, digest, time) VALUES (?, ?, ?, ?, ?, ?, ?)"
)
PUT_IDENTITY: Final = (
    "INSERT INTO identity (id, birth_date, birth_name, used_name, given_names, sex, status, domain, merged_into,"
    " updated, state) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id)"
    " DO UPDATE SET birth_date = excluded.birth_date, birth_name = excluded.birth_name,"
    " used_name = excluded.used_name, given_names = excluded.given_names,"
    " sex = excluded.sex, status = excluded.status, domain = excluded.domain, merged_into = excluded.merged_into,"
    " updated = excluded.updated, state = excluded.state"
)
PUT_IDENTIFIER: Final = (
    "INSERT INTO identifier (value, authority, type, identity, namespace, current, since) VALUES (?, ?, ?, ?, ?, ?, ?)"
    " ON CONFLICT (value, authority, type, identity) DO UPDATE SET namespace = excluded.namespace,"
    " current = excluded.current, since = excluded.since"
)
DELETE_IDENTIFIER: Final = "DELETE FROM identifier WHERE value = ? AND authority = ? AND type = ? AND identity = ?"
PUT_ENCOUNTER: Final = (
    "INSERT INTO encounter (id, identity, state) VALUES (?, ?, ?)"
    " ON CONFLICT (id) DO UPDATE SET identity = excluded.identity, state = excluded.state"
)
PUT_ENCOUNTER_KEY: Final = (
    "INSERT INTO encounter_key (value, authority, type, encounter) VALUES (?, ?, ?, ?)"
    " ON CONFLICT (value, authority, type, encounter) DO NOTHING"
)
DELETE_ENCOUNTER_KEY: Final = (
    "DELETE FROM encounter_key WHERE value = ? AND authority = ? AND type = ? AND encounter = ?"
)
PUT_WORK_ITEM: Final = (
    "INSERT INTO work_item (id, kind, key, open, opened, state) VALUES (?, ?, ?, ?, ?, ?)"
    " ON CONFLICT (id) DO UPDATE SET kind = excluded.kind, key = excluded.key, open = excluded.open,"
    " opened = excluded.opened, state = excluded.state"
)

# --- reading states and lookups

LAST_SEAL: Final = "SELECT number, last_seq, digest FROM seal ORDER BY number DESC LIMIT 1"
IDENTITY: Final = "SELECT state FROM identity WHERE id = ?"
HOLDERS: Final = (
    "SELECT identity FROM identifier WHERE value = ? AND authority = ? AND type = ? ORDER BY since, identity"
)
ENCOUNTER: Final = "SELECT state FROM encounter WHERE id = ?"
ENCOUNTERS: Final = (
    "SELECT encounter FROM encounter_key WHERE value = ? AND authority = ? AND type = ? ORDER BY encounter"
)
WORK_ITEM: Final = "SELECT state FROM work_item WHERE id = ?"
OPEN_WORK_ITEM: Final = "SELECT id FROM work_item WHERE key = ? AND open"
_MESSAGE_COLUMNS: Final = (
    "id, time, direction, peer, sender, control_id, event, version, charset, disposition, code, digest,"
    " raw, ack, findings, subject, replay_of"
)
PREVIOUS_MESSAGE: Final = (
    f"SELECT {_MESSAGE_COLUMNS} FROM message WHERE sender = ? AND control_id = ? AND time >= ?"  # noqa: S608  # no value
    " AND direction = 'in' AND disposition = 'accepted' ORDER BY time DESC, id DESC LIMIT 1"
)

# --- queries of reading views

INSTALLATION: Final = "SELECT id, created FROM installation"
SEAL_HEAD: Final = (
    "SELECT number, first_seq, last_seq, count, previous, digest, time FROM seal ORDER BY number DESC LIMIT 1"
)
# An authority is asked by its key (OID, FINESS) or by its namespace; the namespace of an INS row is its OID.
FIND_IDENTITY: Final = (
    "SELECT type, identity FROM identifier WHERE value = ? AND (authority = ? OR namespace = ?)"
    " ORDER BY current DESC, since, identity"
)
SEARCH: Final = "SELECT given_names, state FROM identity WHERE birth_date = ? AND merged_into = ''"
SEARCH_NAME: Final = " AND (substr(birth_name, 1, ?) = ? OR substr(used_name, 1, ?) = ?)"
SEARCH_SEX: Final = " AND sex = ?"
SEARCH_INS: Final = " AND id IN (SELECT identity FROM identifier WHERE value = ? AND authority = '' AND type = 'INS')"
SEARCH_ORDER: Final = " ORDER BY birth_name, id"
ENCOUNTERS_OF: Final = "SELECT state FROM encounter WHERE identity = ? ORDER BY id"
MESSAGE: Final = f"SELECT {_MESSAGE_COLUMNS} FROM message WHERE id = ?"  # noqa: S608  # no value
MESSAGES: Final = f"SELECT {_MESSAGE_COLUMNS} FROM message WHERE 1 = 1"  # noqa: S608  # no value
MESSAGES_ORDER: Final = " ORDER BY time DESC, id DESC LIMIT ?"
#: Conditions that a filter adds to MESSAGES, by name of the filter.
MESSAGE_FILTERS: Final = {
    "since": " AND time >= ?",
    "until": " AND time < ?",
    "direction": " AND direction = ?",
    "peer": " AND peer = ?",
    "sender": " AND sender = ?",
    "control_id": " AND control_id = ?",
    "event": " AND event = ?",
    "disposition": " AND disposition = ?",
    "subject": " AND subject = ?",
}
MESSAGES_BEFORE: Final = " AND (time, id) < (SELECT time, id FROM message WHERE id = ?)"
OPEN_WORK_ITEMS: Final = "SELECT state FROM work_item WHERE open AND id > ? ORDER BY id LIMIT ?"
WORK_ITEMS: Final = "SELECT state FROM work_item WHERE id > ? ORDER BY id LIMIT ?"
_ENTRY_COLUMNS: Final = (
    "seq, stream, stream_id, version, type, time, author, cause_kind, cause_id, payload, salt, digest, seal"
)
HISTORY: Final = f"SELECT {_ENTRY_COLUMNS} FROM journal WHERE stream = ? AND stream_id = ? ORDER BY version"  # noqa: S608  # no value
EVENTS_AFTER: Final = f"SELECT {_ENTRY_COLUMNS} FROM journal WHERE seq > ? AND stream <> 'audit' ORDER BY seq LIMIT ?"  # noqa: S608  # no value
ACTS_AFTER: Final = (
    f"SELECT {_ENTRY_COLUMNS} FROM journal WHERE stream = 'audit' AND version > ? ORDER BY version LIMIT ?"  # noqa: S608  # no value
)
STATUS_COUNTS: Final = "SELECT status, count(*) FROM identity WHERE merged_into = '' GROUP BY status"
COUNTS: Final = {
    "identities": "SELECT count(*) FROM identity",
    "encounters": "SELECT count(*) FROM encounter",
    "open_work_items": "SELECT count(*) FROM work_item WHERE open",
    "messages": "SELECT count(*) FROM message",
}

# --- operations on the whole base

ALL_ENTRIES: Final = f"SELECT {_ENTRY_COLUMNS} FROM journal ORDER BY seq"  # noqa: S608  # no value
# The events of one object together, in their order: `seq` grows with `version` inside an object.
ALL_HISTORIES: Final = (
    f"SELECT {_ENTRY_COLUMNS} FROM journal WHERE stream <> 'audit'"  # noqa: S608  # no value
    " ORDER BY stream, stream_id, version"
)
ALL_SEALS: Final = "SELECT number, first_seq, last_seq, count, previous, digest, time FROM seal ORDER BY number"
#: The projections: what `rebuild` empties and makes again.
PROJECTIONS: Final = ("identity", "identifier", "encounter", "encounter_key", "work_item")
EMPTY_PROJECTIONS: Final = tuple(f"DELETE FROM {table}" for table in PROJECTIONS)  # noqa: S608  # no value
"""One text a projection, in the order of PROJECTIONS."""
COUNT_PROJECTIONS: Final = tuple(f"SELECT count(*) FROM {table}" for table in PROJECTIONS)  # noqa: S608  # no value
IDENTITY_ROW: Final = (
    "SELECT id, birth_date, birth_name, used_name, given_names, sex, status, domain, merged_into, updated, state"
    " FROM identity WHERE id = ?"
)
IDENTIFIER_ROW: Final = (
    "SELECT value, authority, type, identity, namespace, current, since FROM identifier"
    " WHERE value = ? AND authority = ? AND type = ? AND identity = ?"
)
ENCOUNTER_ROW: Final = "SELECT id, identity, state FROM encounter WHERE id = ?"
ENCOUNTER_KEY_ROW: Final = (
    "SELECT value, authority, type, encounter FROM encounter_key"
    " WHERE value = ? AND authority = ? AND type = ? AND encounter = ?"
)
WORK_ITEM_ROW: Final = "SELECT id, kind, key, open, opened, state FROM work_item WHERE id = ?"
SAME_OPEN_ITEMS: Final = "SELECT key FROM work_item WHERE open GROUP BY key HAVING count(*) > 1"

# --- purge

OLD_MESSAGES: Final = "SELECT id FROM message WHERE time < ? AND id > ? AND raw IS NOT NULL ORDER BY id LIMIT ?"
ERASE_MESSAGE: Final = "UPDATE message SET raw = NULL, ack = NULL, findings = NULL WHERE id = ?"
# An object with one payload left, its creation or a snapshot, needs nothing more: that is its state today.
OLD_OBJECTS: Final = (
    "SELECT DISTINCT stream, stream_id FROM journal AS old WHERE stream <> 'audit' AND time < ? AND payload IS NOT NULL"
    " AND EXISTS (SELECT 1 FROM journal AS other WHERE other.stream = old.stream AND other.stream_id = old.stream_id"
    " AND other.seq <> old.seq AND other.payload IS NOT NULL)"
    " AND (stream, stream_id) > (?, ?) ORDER BY stream, stream_id LIMIT ?"
)
OLD_ENTRIES: Final = (
    "SELECT seq FROM journal WHERE stream = ? AND stream_id = ? AND version < ? AND payload IS NOT NULL"
)
ERASE_ENTRY: Final = "UPDATE journal SET payload = NULL, salt = NULL WHERE seq = ?"

# --- tokens

_TOKEN_COLUMNS: Final = "id, name, scopes, hash, created, expires, revoked"  # noqa: S105  # no secret
TOKEN: Final = f"SELECT {_TOKEN_COLUMNS} FROM token WHERE id = ?"  # noqa: S608  # no value
TOKENS: Final = f"SELECT {_TOKEN_COLUMNS} FROM token ORDER BY created, id"  # noqa: S608  # no value
INSERT_TOKEN: Final = f"INSERT INTO token ({_TOKEN_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)"  # noqa: S608  # no value
REVOKE_TOKEN: Final = "UPDATE token SET revoked = ? WHERE id = ? AND revoked IS NULL"  # noqa: S105  # no secret
