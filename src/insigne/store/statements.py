"""Every SQL text of the hot path and of the queries, in one place, for both databases (SQLite 3.40, PostgreSQL 13).

Parameters are ``?``; the PostgreSQL adapter writes them its own way. No text holds a literal question or percent mark.
"""

from typing import Final

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
    " DO UPDATE SET birth_date = excluded.birth_date, birth_name = excluded.birth_name, used_name = excluded.used_name, given_names = excluded.given_names,"
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
    " AND direction = 'in' AND disposition <> 'duplicate' ORDER BY time DESC, id DESC LIMIT 1"
)
