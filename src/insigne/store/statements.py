"""Every SQL text of the hot path and of the queries, in one place, for both databases (SQLite 3.40, PostgreSQL 13).

Parameters are ``?``; the PostgreSQL adapter writes them its own way. No text holds a literal question or percent mark.
"""

from functools import cache
from typing import Final

#: Key of the advisory lock of PostgreSQL that a writer holds: "insigne" in ASCII.
WRITE_LOCK: Final = 0x696E7369676E65

SCHEMA_REVISION: Final = "SELECT version_num FROM alembic_version"

# --- the write path

INSERT_MESSAGE_PART: Final = "INSERT INTO message_part (message, part, raw) VALUES (?, ?, ?)"
MESSAGE_PARTS: Final = "SELECT raw FROM message_part WHERE message = ? ORDER BY part"
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
    " updated, state, verified) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id)"
    " DO UPDATE SET birth_date = excluded.birth_date, birth_name = excluded.birth_name,"
    " used_name = excluded.used_name, given_names = excluded.given_names,"
    " sex = excluded.sex, status = excluded.status, domain = excluded.domain, merged_into = excluded.merged_into,"
    " updated = excluded.updated, state = excluded.state, verified = excluded.verified"
)
# Of an identity found as before: an index is written again whenever one of its columns is named, changed or not.
CHANGE_IDENTITY: Final = (
    "UPDATE identity SET status = ?, domain = ?, merged_into = ?, updated = ?, state = ? WHERE id = ?"
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
CHANGE_ENCOUNTER: Final = "UPDATE encounter SET state = ? WHERE id = ?"
PUT_ENCOUNTER_KEY: Final = (
    "INSERT INTO encounter_key (value, authority, type, encounter) VALUES (?, ?, ?, ?)"
    " ON CONFLICT (value, authority, type, encounter) DO NOTHING"
)
DELETE_ENCOUNTER_KEY: Final = (
    "DELETE FROM encounter_key WHERE value = ? AND authority = ? AND type = ? AND encounter = ?"
)
PUT_WORK_ITEM: Final = (
    "INSERT INTO work_item (id, kind, key, open, opened, state, assignee) VALUES (?, ?, ?, ?, ?, ?, ?)"
    " ON CONFLICT (id) DO UPDATE SET kind = excluded.kind, key = excluded.key, open = excluded.open,"
    " opened = excluded.opened, state = excluded.state, assignee = excluded.assignee"
)
# An item keeps the subjects it was raised with.
PUT_WORK_ITEM_SUBJECT: Final = (
    "INSERT INTO work_item_subject (identity, item) VALUES (?, ?) ON CONFLICT (identity, item) DO NOTHING"
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
# Keys are joined: SQLite looks a list of them up in an index, but not a list of rows after IN.
PREVIOUS_MESSAGES: Final = (
    f"WITH wanted (w1, w2) AS (VALUES {{rows}}) SELECT {_MESSAGE_COLUMNS} FROM wanted JOIN message"  # noqa: S608  # no value
    " ON sender = w1 AND control_id = w2 AND time >= ? AND direction = 'in' AND disposition = 'accepted'"
)
HOLDERS_EACH: Final = (
    "WITH wanted (w1, w2, w3) AS (VALUES {rows}) SELECT type, authority, value, identity FROM wanted JOIN identifier"
    " ON value = w1 AND authority = w2 AND type = w3 ORDER BY since, identity"
)
ENCOUNTERS_EACH: Final = (
    "WITH wanted (w1, w2, w3) AS (VALUES {rows}) SELECT type, authority, value, encounter FROM wanted"
    " JOIN encounter_key ON value = w1 AND authority = w2 AND type = w3 ORDER BY encounter"
)
IDENTITIES_EACH: Final = "SELECT id, state FROM identity WHERE id IN (VALUES {rows})"
# With its open work item whose key begins so: every message about an identity looks one up.
IDENTITIES_AND_WORK_EACH: Final = (
    "WITH wanted (w1) AS (VALUES {rows}) SELECT identity.id, identity.state, work_item.id FROM wanted JOIN identity"
    " ON identity.id = w1 LEFT JOIN work_item ON work_item.key = ? || w1 AND work_item.open"
)
STAYS_EACH: Final = "SELECT id, state FROM encounter WHERE id IN (VALUES {rows})"


@cache
def with_rows(sql: str, count: int, width: int) -> str:
    """A text whose `{rows}` becomes `count` rows of `width` parameters."""
    row = f"({', '.join('?' * width)})"
    return sql.format(rows=", ".join([row] * count))


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
FIND_VALUE: Final = "SELECT type, identity FROM identifier WHERE value = ? ORDER BY current DESC, since, identity"
AUTHORITIES: Final = "SELECT DISTINCT authority, namespace FROM identifier"
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
WORK_ITEMS: Final = "SELECT state FROM work_item WHERE id > ?"
#: Conditions that a filter adds to WORK_ITEMS, by name of the filter.
WORK_ITEM_FILTERS: Final = {
    "kind": " AND kind = ?",
    "assignee": " AND assignee = ?",
    "subject": " AND id IN (SELECT item FROM work_item_subject WHERE identity = ?)",
}
WORK_ITEM_STATES: Final = {"open": " AND open", "closed": " AND NOT open", "": ""}
WORK_ITEMS_ORDER: Final = " ORDER BY id LIMIT ?"
_ENTRY_COLUMNS: Final = (
    "seq, stream, stream_id, version, type, time, author, cause_kind, cause_id, payload, salt, digest, seal"
)
HISTORY: Final = f"SELECT {_ENTRY_COLUMNS} FROM journal WHERE stream = ? AND stream_id = ? ORDER BY version"  # noqa: S608  # no value
EVENTS_BETWEEN: Final = (
    f"SELECT {_ENTRY_COLUMNS} FROM journal WHERE time >= ? AND time < ? AND stream <> 'work-item'"  # noqa: S608  # no value
    " AND stream <> 'audit' ORDER BY seq"
)
ALL_STATES: Final = "SELECT state FROM identity ORDER BY id"
EVENTS_AFTER: Final = f"SELECT {_ENTRY_COLUMNS} FROM journal WHERE seq > ? AND stream <> 'audit' ORDER BY seq LIMIT ?"  # noqa: S608  # no value
_CHANGE_COLUMNS: Final = "seq, stream_id, type, time, cause_kind, cause_id"
_CHANGES: Final = f"SELECT {_CHANGE_COLUMNS} FROM journal WHERE stream = 'identity' AND"  # noqa: S608  # no value
CHANGES_AFTER: Final = f"{_CHANGES} seq > ? ORDER BY seq LIMIT ?"
CHANGES_UNTIL: Final = f"{_CHANGES} seq <= ? ORDER BY seq DESC LIMIT ?"
CHANGES_OF: Final = f"{_CHANGES} stream_id = ? AND version <= ? ORDER BY version DESC LIMIT ?"
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
PROJECTIONS: Final = ("identity", "identifier", "encounter", "encounter_key", "work_item", "work_item_subject")
EMPTY_PROJECTIONS: Final = tuple(f"DELETE FROM {table}" for table in PROJECTIONS)  # noqa: S608  # no value
"""One text a projection, in the order of PROJECTIONS."""
COUNT_PROJECTIONS: Final = tuple(f"SELECT count(*) FROM {table}" for table in PROJECTIONS)  # noqa: S608  # no value
IDENTITY_ROW: Final = (
    "SELECT id, birth_date, birth_name, used_name, given_names, sex, status, domain, merged_into, updated, state,"
    " verified FROM identity WHERE id = ?"
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
WORK_ITEM_ROW: Final = "SELECT id, kind, key, open, opened, state, assignee FROM work_item WHERE id = ?"
WORK_ITEM_SUBJECT_ROW: Final = "SELECT identity, item FROM work_item_subject WHERE identity = ? AND item = ?"
SAME_OPEN_ITEMS: Final = "SELECT key FROM work_item WHERE open GROUP BY key HAVING count(*) > 1"

# --- purge

OLD_MESSAGES: Final = "SELECT id FROM message WHERE time < ? AND id > ? AND raw IS NOT NULL ORDER BY id LIMIT ?"
ERASE_MESSAGE_PARTS: Final = "DELETE FROM message_part WHERE message = ?"
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

# --- the conversation with INSi

_JOB_COLUMNS: Final = (
    "id, kind, identity, origin, author, created, due, state, attempts, lease, outcome, error, ticket, deposited,"
    " verified"
)
PUT_JOB: Final = (
    f"INSERT INTO insi_job ({_JOB_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608  # no value
    " ON CONFLICT (id) DO UPDATE SET origin = excluded.origin, author = excluded.author, due = excluded.due,"
    " state = excluded.state, attempts = excluded.attempts, lease = excluded.lease, outcome = excluded.outcome,"
    " error = excluded.error, ticket = excluded.ticket, deposited = excluded.deposited,"
    " verified = excluded.verified"
)
_JOBS: Final = f"SELECT {_JOB_COLUMNS} FROM insi_job"  # noqa: S608  # no value
JOB: Final = f"{_JOBS} WHERE id = ?"
OPEN_JOBS: Final = f"{_JOBS} WHERE identity = ? AND kind = ? AND state IN ('waiting', 'calling') ORDER BY id"
DUE_JOBS: Final = f"{_JOBS} WHERE state = 'waiting' AND due <= ? ORDER BY due, id LIMIT ?"
LOST_JOBS: Final = f"{_JOBS} WHERE state = 'calling' AND lease <= ? ORDER BY due, id LIMIT ?"
# Of a campaign, what is to be deposited together; and what waits in one batch.
DUE_TO_DEPOSIT: Final = (
    f"{_JOBS} WHERE state = 'waiting' AND due <= ? AND origin = ? AND kind = 'verify' AND ticket = ''"
    " ORDER BY due, id LIMIT ?"
)
DUE_TO_COLLECT: Final = (
    f"{_JOBS} WHERE ticket = ? AND ticket <> '' AND due <= ? AND origin = ? AND state = 'waiting'"
    " ORDER BY due, id LIMIT ?"
)
JOBS: Final = f"{_JOBS} WHERE 1 = 1"
#: Conditions that a filter adds to JOBS, by name of the filter.
JOB_FILTERS: Final = {
    "state": " AND state = ?",
    "kind": " AND kind = ?",
    "identity": " AND identity = ?",
    "origin": " AND origin = ?",
}
JOBS_BEFORE: Final = " AND id < ?"
JOBS_ORDER: Final = " ORDER BY id DESC LIMIT ?"
JOB_STATES: Final = "SELECT state, count(*) FROM insi_job GROUP BY state"
JOB_ENDS: Final = "SELECT state, outcome, count(*) FROM insi_job WHERE origin = ? GROUP BY state, outcome"
WAITING_JOBS: Final = "SELECT id FROM insi_job WHERE origin = ? AND state = 'waiting'"
COUNT_TO_VERIFY: Final = "SELECT count(*) FROM identity WHERE verified IS NOT NULL AND verified < ?"
TO_VERIFY: Final = "SELECT id FROM identity WHERE verified IS NOT NULL AND verified < ? AND id > ? ORDER BY id LIMIT ?"
_CALL_COLUMNS: Final = "id, time, job, identity, author, why, operation, mode, criteria, code, subcode, text"
INSERT_CALL: Final = (
    f"INSERT INTO insi_call ({_CALL_COLUMNS}, raw, milliseconds)"  # noqa: S608  # no value
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING"
)
CALL: Final = f"SELECT {_CALL_COLUMNS}, raw, milliseconds FROM insi_call WHERE id = ?"  # noqa: S608  # no value
CALLS: Final = f"SELECT {_CALL_COLUMNS}, NULL, milliseconds FROM insi_call WHERE 1 = 1"  # noqa: S608  # no value
#: Conditions that a filter adds to CALLS, by name of the filter.
CALL_FILTERS: Final = {
    "identity": " AND identity = ?",
    "job": " AND job = ?",
    "author": " AND author = ?",
    "code": " AND code = ?",
    "since": " AND time >= ?",
    "until": " AND time < ?",
}
CALLS_BEFORE: Final = " AND (time, id) < (SELECT time, id FROM insi_call WHERE id = ?)"
CALLS_ORDER: Final = " ORDER BY time DESC, id DESC LIMIT ?"
_CAMPAIGN_COLUMNS: Final = (
    "id, name, author, created, older_than, per_minute, from_hour, to_hour, state, cursor, total, queued"
)
PUT_CAMPAIGN: Final = (
    f"INSERT INTO insi_campaign ({_CAMPAIGN_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608  # no value
    " ON CONFLICT (id) DO UPDATE SET name = excluded.name, older_than = excluded.older_than,"
    " per_minute = excluded.per_minute, from_hour = excluded.from_hour, to_hour = excluded.to_hour,"
    " state = excluded.state, cursor = excluded.cursor, total = excluded.total, queued = excluded.queued"
)
_CAMPAIGNS: Final = f"SELECT {_CAMPAIGN_COLUMNS} FROM insi_campaign"  # noqa: S608  # no value
CAMPAIGN: Final = f"{_CAMPAIGNS} WHERE id = ?"
CAMPAIGNS: Final = f"{_CAMPAIGNS} ORDER BY created DESC, id DESC"
LAST_CAMPAIGN: Final = f"{_CAMPAIGNS} WHERE author = ? ORDER BY created DESC, id DESC LIMIT 1"
RUNNING_CAMPAIGNS: Final = f"{_CAMPAIGNS} WHERE state = 'running' ORDER BY created, id"
OLD_CALLS: Final = "SELECT id FROM insi_call WHERE time < ? AND id > ? AND raw IS NOT NULL ORDER BY id LIMIT ?"
ERASE_CALL: Final = "UPDATE insi_call SET criteria = NULL, raw = NULL WHERE id = ?"
#: Tables whose column `identity` names an identity, or is empty.
NAMING_IDENTITIES: Final = (
    "insi_job",
    "insi_call",
    "invitation",
    "document_copy",
    "legacy_identifier",
    "document",
    "document_sending",
)
COUNT_NAMING: Final = tuple(f"SELECT count(*) FROM {table}" for table in NAMING_IDENTITIES)  # noqa: S608  # no value
#: Their rows that name one that does not exist.
NAMING_NOBODY: Final = tuple(
    f"SELECT id, identity FROM {table} AS one WHERE identity <> '' AND NOT EXISTS"  # noqa: S608  # no value
    " (SELECT 1 FROM identity WHERE identity.id = one.identity)"
    for table in NAMING_IDENTITIES
)
SAME_OPEN_JOBS: Final = (
    "SELECT identity, kind FROM insi_job WHERE state IN ('waiting', 'calling') GROUP BY identity, kind"
    " HAVING count(*) > 1"
)

# --- counters

COUNT_ON: Final = (
    "INSERT INTO counter (name, value) VALUES (?, 1) ON CONFLICT (name) DO UPDATE SET value = counter.value + 1"
)
COUNTER: Final = "SELECT value FROM counter WHERE name = ?"

# --- users and invitations

_USER_COLUMNS: Final = "id, name, roles, hash, created, disabled"
PUT_USER: Final = (
    f"INSERT INTO user_account ({_USER_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?)"  # noqa: S608  # no value
    " ON CONFLICT (id) DO UPDATE SET roles = excluded.roles, hash = excluded.hash, disabled = excluded.disabled"
)
USER: Final = f"SELECT {_USER_COLUMNS} FROM user_account WHERE name = ?"  # noqa: S608  # no value
USERS: Final = f"SELECT {_USER_COLUMNS} FROM user_account ORDER BY created, id"  # noqa: S608  # no value
_INVITATION_COLUMNS: Final = "id, hash, created, expires, author, label, attempts, used, identity"
PUT_INVITATION: Final = (
    f"INSERT INTO invitation ({_INVITATION_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608  # no value
    " ON CONFLICT (id) DO UPDATE SET expires = excluded.expires, label = excluded.label,"
    " attempts = excluded.attempts, used = excluded.used, identity = excluded.identity"
)
INVITATION: Final = f"SELECT {_INVITATION_COLUMNS} FROM invitation WHERE hash = ?"  # noqa: S608  # no value
INVITATIONS: Final = f"SELECT {_INVITATION_COLUMNS} FROM invitation"  # noqa: S608  # no value
INVITATIONS_BEFORE: Final = " WHERE id < ?"
INVITATIONS_ORDER: Final = " ORDER BY id DESC LIMIT ?"
