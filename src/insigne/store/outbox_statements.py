"""Every SQL text of the outbox; see `statements` for the rules they follow."""

from typing import Final

COLUMNS: Final = (
    "id, destination, kind, state, event, subject, keys, cause, notice, background, control_id, attempts, due, code,"
    " reason, created, sent, ended, replaces"
)
LAST: Final = "SELECT max(id) FROM outbox"
INSERT: Final = (
    f"INSERT INTO outbox ({COLUMNS})"  # noqa: S608  # no value
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
#: What became of a row; nothing when a person settled it, or wrote it anew, meanwhile.
ENCODED: Final = (
    "UPDATE outbox SET state = 'encoded', control_id = ? WHERE id = ? AND ended IS NULL AND control_id = ''"
)
WRITTEN_ANEW: Final = (
    "UPDATE outbox SET control_id = ? WHERE id = ? AND ended IS NULL AND control_id = ? AND attempts = 0"
)
ADVANCE: Final = (
    "UPDATE outbox SET state = ?, attempts = ?, due = ?, code = ?, reason = ?, sent = ?, ended = ?"
    " WHERE id = ? AND ended IS NULL AND control_id = ?"
)
#: What was accepted is over, even if a person wrote other bytes meanwhile: those must not be sent too.
DELIVERED: Final = (
    "UPDATE outbox SET reason = CASE WHEN control_id = ? THEN ? ELSE 'accepted as it was, before it was edited' END,"
    " kind = ?, state = ?, control_id = ?, attempts = ?, due = ?, code = ?, sent = ?, ended = ?"
    " WHERE id = ? AND ended IS NULL AND (control_id = ? OR kind = 'edited')"
)
#: An attempt of bytes that a person replaced meanwhile counts, so that the next one has its own number.
TRIED: Final = "UPDATE outbox SET attempts = ? WHERE id = ? AND ended IS NULL AND attempts < ? AND control_id <> ?"
#: A person's act on a row, whatever it was at.
SETTLE: Final = "UPDATE outbox SET state = ?, reason = ?, ended = ? WHERE id = ?"
REQUEUE: Final = "UPDATE outbox SET state = 'queued', control_id = '', reason = '', code = '', due = '' WHERE id = ?"
REWRITE: Final = (
    "UPDATE outbox SET state = 'encoded', kind = 'edited', control_id = ?, due = '', reason = '' WHERE id = ?"
)
PUT_BYTES: Final = (
    "INSERT INTO outbox_bytes (control_id, event, time, raw, left_out) VALUES (?, ?, ?, ?, ?)"
    " ON CONFLICT (control_id) DO NOTHING"
)
#: Written again when whether it was committed is not known.
PUT_ATTEMPT: Final = (
    "INSERT INTO outbox_attempt (outbox, number, time, control_id, outcome, code, text, ack, milliseconds)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (outbox, number) DO NOTHING"
)

_ROWS: Final = f"SELECT {COLUMNS} FROM outbox"  # noqa: S608  # no value
ROW: Final = f"{_ROWS} WHERE id = ?"
WAITING: Final = f"{_ROWS} WHERE destination = ? AND ended IS NULL AND id > ? ORDER BY id LIMIT ?"
BY_CAUSE: Final = f"{_ROWS} WHERE cause = ? ORDER BY id"
#: What was said, where it was said: a replay counts only in the place of the row that it settled.
RANGE: Final = (
    f"{_ROWS} WHERE id >= ? AND id <= ? AND destination = ?"  # noqa: S608  # no value
    " AND (kind <> 'replay' OR (id <= ? AND EXISTS (SELECT 1 FROM outbox AS settled"
    " WHERE settled.id = outbox.replaces AND settled.state = 'skipped')))"
    " ORDER BY id LIMIT ?"
)
LATER_DELIVERED: Final = (
    "SELECT keys FROM outbox WHERE id > ? AND destination = ? AND state = 'delivered' ORDER BY id LIMIT ?"
)
#: A row by its moment: rows are in the order of time, give or take what a clock was set back.
CREATED_FROM: Final = "SELECT id, created FROM outbox WHERE id >= ? ORDER BY id LIMIT 1"
LIST: Final = f"{_ROWS} WHERE 1 = 1"
#: Conditions that a filter adds to LIST, by name of the filter.
FILTERS: Final = {
    "destination": " AND destination = ?",
    "state": " AND state = ?",
    "event": " AND event = ?",
    "subject": " AND subject = ?",
    "control_id": " AND control_id = ?",
    "cause": " AND cause = ?",
    "first": " AND id >= ?",
    "last": " AND id < ?",
}
#: Those that nobody has settled: their index is small, whatever the outbox holds.
UNSETTLED: Final = " AND state IN ('held', 'dead')"
LIST_BEFORE: Final = " AND id < ?"
LIST_ORDER: Final = " ORDER BY id DESC LIMIT ?"
BYTES: Final = "SELECT control_id, event, time, raw, coalesce(left_out, '') FROM outbox_bytes WHERE control_id = ?"
ATTEMPTS: Final = (
    "SELECT outbox, number, time, control_id, outcome, code, text, ack, milliseconds FROM outbox_attempt"
    " WHERE outbox = ? ORDER BY number"
)
QUEUES: Final = "SELECT destination, count(*), min(id) FROM outbox WHERE ended IS NULL GROUP BY destination"
FAILED: Final = (
    "SELECT destination, state, count(*) FROM outbox WHERE state IN ('held', 'dead') GROUP BY destination, state"
)
#: What was told and is over, with content left; and the texts that empty it, each by the id of the row.
OLD: Final = (
    "SELECT id FROM outbox WHERE created < ? AND id > ? AND ended IS NOT NULL AND notice IS NOT NULL"
    " ORDER BY id LIMIT ?"
)
ERASE: Final = (
    "UPDATE outbox SET notice = NULL WHERE id = ?",
    "UPDATE outbox_bytes SET raw = NULL WHERE control_id = (SELECT control_id FROM outbox WHERE id = ?)",
    "UPDATE outbox_bytes SET raw = NULL WHERE control_id IN (SELECT control_id FROM outbox_attempt WHERE outbox = ?)",
    "UPDATE outbox_attempt SET ack = NULL WHERE outbox = ?",
)
CREATED: Final = "SELECT created FROM outbox WHERE id = ?"
INIT_WAITING: Final = "SELECT count(*) FROM outbox WHERE destination = ? AND ended IS NULL AND kind = 'init'"

DESTINATION_COLUMNS: Final = (
    "name, state, reason, author, since, revision, init_state, init_cursor, init_until, init_rate,"
    " init_total, init_done"
)
DESTINATIONS: Final = f"SELECT {DESTINATION_COLUMNS} FROM destination ORDER BY name"  # noqa: S608  # no value
DESTINATION: Final = f"SELECT {DESTINATION_COLUMNS} FROM destination WHERE name = ?"  # noqa: S608  # no value
PUT_DESTINATION: Final = (
    f"INSERT INTO destination ({DESTINATION_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608  # no value
    " ON CONFLICT (name) DO UPDATE SET state = excluded.state, reason = excluded.reason, author = excluded.author,"
    " since = excluded.since, revision = excluded.revision, init_state = excluded.init_state,"
    " init_cursor = excluded.init_cursor, init_until = excluded.init_until, init_rate = excluded.init_rate,"
    " init_total = excluded.init_total, init_done = excluded.init_done"
)
#: The living identities to be told to a new receiver.
IDENTITIES_AFTER: Final = "SELECT state FROM identity WHERE id > ? AND id <= ? AND merged_into = '' ORDER BY id LIMIT ?"
LAST_IDENTITY: Final = "SELECT max(id), count(*) FROM identity WHERE merged_into = ''"
