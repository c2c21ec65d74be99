"""Every SQL text of the PFI; see `statements` for the rules they follow."""

from typing import Final

#: Of a sending that something may still happen to; written as it is in a partial index and in each query it serves.
LIVE: Final = "state NOT IN ('replaced', 'deleted', 'cancelled')"

DOCUMENT_COLUMNS: Final = (
    "id, received, source, message, control_id, sending, intent, unique_id, set_id, version, parent, type_code,"
    " confidentiality, created, identity, digest, size, media, facility, personal"
)
INSERT_DOCUMENT: Final = (
    f"INSERT INTO document ({DOCUMENT_COLUMNS}, visit, account)"  # noqa: S608  # no value
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_DOCUMENTS: Final = f"SELECT {DOCUMENT_COLUMNS} FROM document"  # noqa: S608  # no value
DOCUMENT: Final = f"{_DOCUMENTS} WHERE id = ?"
DOCUMENTS_NAMED: Final = f"{_DOCUMENTS} WHERE unique_id = ? ORDER BY id"
DOCUMENTS_AFTER: Final = f"{_DOCUMENTS} WHERE parent = ? ORDER BY id"
DOCUMENTS_OF_MESSAGE: Final = f"{_DOCUMENTS} WHERE message = ? ORDER BY id"
DOCUMENTS_EACH: Final = f"{_DOCUMENTS} WHERE id IN (VALUES {{rows}})"
COUNT_DOCUMENTS: Final = "SELECT count(*) FROM document"

HAS_CONTENT: Final = "SELECT 1 FROM document_content WHERE digest = ? AND part = 0"
PUT_PART: Final = (
    "INSERT INTO document_content (digest, part, content) VALUES (?, ?, ?) ON CONFLICT (digest, part) DO NOTHING"
)
PART: Final = "SELECT content FROM document_content WHERE digest = ? AND part = ?"

SENDING_COLUMNS: Final = (
    "id, document, channel, action, identity, state, reason, since, due, attempts, lease, ins, code, text, entry,"
    " sent, ended, recipient, author"
)
_CHANGING: Final = (
    "identity", "state", "reason", "since", "due", "attempts", "lease", "ins", "code", "text", "entry", "sent",
    "ended", "recipient", "author",
)  # fmt: skip
PUT_SENDING: Final = (
    f"INSERT INTO document_sending ({SENDING_COLUMNS})"  # noqa: S608  # no value
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET "
    + ", ".join(f"{name} = excluded.{name}" for name in _CHANGING)
)
_SENDINGS: Final = f"SELECT {SENDING_COLUMNS} FROM document_sending"  # noqa: S608  # no value
SENDING: Final = f"{_SENDINGS} WHERE id = ?"
SENDINGS_OF: Final = f"{_SENDINGS} WHERE document = ? ORDER BY id"
SENDING_KNOWN_AS: Final = f"{_SENDINGS} WHERE entry = ? AND entry <> '' ORDER BY id LIMIT 1"
DUE: Final = f"{_SENDINGS} WHERE channel = ? AND state = 'ready' AND due <= ? ORDER BY due, id LIMIT ?"
LOST: Final = f"{_SENDINGS} WHERE channel = ? AND state = 'calling' AND lease <= ? ORDER BY lease, id LIMIT ?"
LIVE_OF: Final = f"{_SENDINGS} WHERE identity = ? AND id > ? AND {LIVE} ORDER BY id LIMIT ?"
ANY_SENDING: Final = "SELECT 1 FROM document_sending LIMIT 1"
HELD_IDENTITIES: Final = (
    f"WITH wanted (w1) AS (VALUES {{rows}}) SELECT w1 FROM wanted WHERE EXISTS"  # noqa: S608  # no value
    f" (SELECT 1 FROM document_sending WHERE identity = w1 AND {LIVE})"
)
#: With whom documents are kept that name a stay of that kind ("VN", "AN") and number, whatever its authority.
NAMING_STAYS: Final = (
    "WITH wanted (w1, w2) AS (VALUES {rows}) SELECT DISTINCT identity FROM document_sending WHERE document IN"  # noqa: S608  # no value
    " (SELECT id FROM wanted CROSS JOIN document WHERE w1 = 'VN' AND visit = w2 AND visit <> ''"
    " UNION ALL SELECT id FROM wanted CROSS JOIN document WHERE w1 = 'AN' AND account = w2 AND account <> '')"
    f" AND {LIVE}"
)
TO_CONFIRM: Final = (
    f"SELECT reason FROM document_sending WHERE identity = ? AND {LIVE} AND state = 'to-confirm' LIMIT 1"  # noqa: S608  # no value
)
LIST: Final = f"{_SENDINGS} WHERE 1 = 1"
FILTERS: Final = {
    "id": " AND id = ?",
    "state": " AND state = ?",
    "channel": " AND channel = ?",
    "document": " AND document = ?",
    "identity": " AND identity = ?",
    "reason": " AND reason = ?",
}
LIST_BEFORE: Final = " AND id < ?"
LIST_ORDER: Final = " ORDER BY id DESC LIMIT ?"
STATES: Final = "SELECT state, count(*), min(since) FROM document_sending GROUP BY state"

PUT_REVIEW: Final = (
    "INSERT INTO document_review (identity, since, cursor) VALUES (?, ?, '')"
    " ON CONFLICT (identity) DO UPDATE SET cursor = ''"
)
REVIEW_HELD: Final = (
    f"INSERT INTO document_review (identity, since, cursor)"  # noqa: S608  # no value
    f" SELECT DISTINCT identity, ?, '' FROM document_sending WHERE {LIVE} AND state <> 'fed' AND state <> 'refused'"
    " ON CONFLICT (identity) DO UPDATE SET cursor = ''"
)
#: Those of whom nobody could say whose they are: what settles it may have happened to people they are not kept with.
REVIEW_UNSETTLED: Final = (
    "INSERT INTO document_review (identity, since, cursor) SELECT DISTINCT identity, ?, '' FROM document_sending"
    " WHERE state = 'waiting-identity' AND reason IN ('identifiers-of-several', 'stay-of-another', 'identity-unknown')"
    " ON CONFLICT (identity) DO UPDATE SET cursor = ''"
)
REVIEWS: Final = "SELECT identity, cursor FROM document_review ORDER BY since, identity LIMIT ?"
MOVE_REVIEW: Final = "UPDATE document_review SET cursor = ? WHERE identity = ?"
END_REVIEW: Final = "DELETE FROM document_review WHERE identity = ?"
COUNT_REVIEWS: Final = "SELECT count(*), min(since) FROM document_review"

#: Documents nothing will happen to any more, all of whose sendings ended before that moment; and what empties one. What
#: was refused waits for a person, unless it was by the patient; what is to be looked at again needs all it says.
OLD: Final = (
    "WITH bound (moment) AS (VALUES (CAST(? AS TEXT))) SELECT id FROM document, bound WHERE received < moment"
    " AND id > ? AND personal IS NOT NULL AND NOT EXISTS (SELECT 1 FROM document_sending AS one"
    " WHERE one.document = document.id AND (one.ended = '' OR one.ended >= moment"
    " OR (one.state = 'refused' AND one.reason <> 'opposition')"
    " OR EXISTS (SELECT 1 FROM document_review AS asked WHERE asked.identity = one.identity))) ORDER BY id LIMIT ?"
)
#: Without the identifiers received, a document is of whom it was received for; of whom it is kept with, when a merge
#: undone gave it to somebody else than the one that remained.
_ERASE_PERSONAL: Final = (
    "UPDATE document SET personal = NULL, visit = '', account = '', identity = coalesce((SELECT one.identity"
    " FROM document_sending AS one JOIN identity AS received ON received.id = document.identity"
    " WHERE one.document = document.id AND received.merged_into = '' ORDER BY one.id DESC LIMIT 1), identity)"
    " WHERE id = ?"
)
_ERASE_CONTENT: Final = (
    "DELETE FROM document_content WHERE digest = (SELECT digest FROM document WHERE id = ?) AND NOT EXISTS"
    " (SELECT 1 FROM document AS other WHERE other.digest = document_content.digest AND other.personal IS NOT NULL)"
)
ERASE: Final = (
    _ERASE_PERSONAL,
    _ERASE_CONTENT,
    "UPDATE document_sending SET text = '', recipient = '' WHERE document = ?",
)
#: Contents that do not hold what their documents say: (document, digest).
WITHOUT_CONTENT: Final = (
    "SELECT id, digest FROM document WHERE digest <> '' AND personal IS NOT NULL AND size <>"
    " (SELECT coalesce(sum(length(content)), 0) FROM document_content WHERE document_content.digest = document.digest)"
)
WITHOUT_DOCUMENT: Final = (
    "SELECT id, document FROM document_sending AS one WHERE NOT EXISTS"
    " (SELECT 1 FROM document WHERE document.id = one.document)"
)
