"""Documents and what becomes of them (`dmp.ports`): as rows, and their contents in parts."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any, Final

import msgspec

from insigne.dmp.model import Content, Document, Flags, Intent, Sender, Sending, StayRef, stay_number
from insigne.store import dmp_statements as sql
from insigne.store.reading import Reader
from insigne.store.session import Row
from insigne.store.writing import Writer


class SendingFilter(msgspec.Struct, frozen=True):
    """Which sendings to list: fields are those of `Sending`, "" means any."""

    id: str = ""
    state: str = ""
    channel: str = ""
    document: str = ""
    identity: str = ""
    reason: str = ""


_ANY: Final = SendingFilter()


class _Personal(msgspec.Struct, frozen=True):
    """What a purge erases of a document: the fields of `Document` that speak of people."""

    patient: bytes = b""
    title: str = ""
    description: bytes = b""
    flags: Flags = Flags()
    sender: Sender = Sender()
    recipients: tuple[str, ...] = ()
    reply_to: str = ""
    mail_professionals: str = ""
    mail_patient: str = ""
    stay: StayRef = StayRef()


_personal: Final = msgspec.json.Decoder(_Personal)
_ERASED: Final = _Personal()
_PERSONAL_FIELDS: Final = _Personal.__struct_fields__
_COLUMNS: Final = sql.DOCUMENT_COLUMNS.split(", ")


class DocumentReader(Reader):
    """Documents and sendings, as both transactions and views read them."""

    def document(self, document_id: str) -> Document | None:
        """See `DocumentView.document`."""
        found = self.select(sql.DOCUMENT, (document_id,))
        return _document(found[0]) if found else None

    def documents_of(self, document_ids: Collection[str]) -> dict[str, Document]:
        """See `DocumentView.documents_of`."""
        found = self.select_each(sql.DOCUMENTS_EACH, [(one,) for one in document_ids])
        return {row[0]: _document(row) for row in found}

    def documents_named(self, unique_id: str) -> list[Document]:
        """See `DocumentView.documents_named`."""
        return [_document(row) for row in self.select(sql.DOCUMENTS_NAMED, (unique_id,))]

    def documents_after(self, parent: str) -> list[Document]:
        """See `DocumentView.documents_after`."""
        return [_document(row) for row in self.select(sql.DOCUMENTS_AFTER, (parent,))]

    def documents_of_message(self, message_id: str) -> list[Document]:
        """The documents that a message brought."""
        return [_document(row) for row in self.select(sql.DOCUMENTS_OF_MESSAGE, (message_id,))]

    def content_part(self, digest: str, part: int) -> bytes:
        """See `DocumentView.content_part`."""
        found = self.select(sql.PART, (digest, part))
        return bytes(found[0][0]) if found else b""

    def has_content(self, digest: str) -> bool:
        """See `DocumentView.has_content`."""
        return bool(self.select(sql.HAS_CONTENT, (digest,)))

    def sending(self, sending_id: str) -> Sending | None:
        """See `DocumentView.sending`."""
        found = self.select(sql.SENDING, (sending_id,))
        return Sending(*found[0]) if found else None

    def sendings_of(self, document_id: str) -> list[Sending]:
        """See `DocumentView.sendings_of`."""
        return [Sending(*row) for row in self.select(sql.SENDINGS_OF, (document_id,))]

    def sending_known_as(self, entry: str) -> Sending | None:
        """See `DocumentView.sending_known_as`."""
        found = self.select(sql.SENDING_KNOWN_AS, (entry,))
        return Sending(*found[0]) if found else None

    def to_confirm(self, identity: str) -> str:
        """See `DocumentView.to_confirm`."""
        found = self.select(sql.TO_CONFIRM, (identity,))
        return str(found[0][0]) if found else ""


class DocumentWriter(DocumentReader, Writer):
    """What a write transaction adds."""

    def put_document(self, document: Document) -> None:
        """See `DocumentTransaction.put_document`."""
        self.gather(sql.INSERT_DOCUMENT, [_document_row(document)])

    def put_content(self, digest: str, parts: Iterable[bytes]) -> None:
        """See `DocumentTransaction.put_content`. Each part is written at once: none waits in memory."""
        if not self.has_content(digest):
            for number, part in enumerate(parts):
                self.execute(sql.PUT_PART, (digest, number, part))

    def put_sending(self, sending: Sending) -> None:
        """See `DocumentTransaction.put_sending`."""
        self.gather(sql.PUT_SENDING, [msgspec.structs.astuple(sending)])

    def due_sendings(self, channel: str, now: str, limit: int) -> list[Sending]:
        """See `DocumentTransaction.due_sendings`."""
        found = self.select(sql.LOST, (channel, now, limit)) + self.select(sql.DUE, (channel, now, limit))
        return [Sending(*row) for row in found[:limit]]

    def holds_documents(self) -> bool:
        """See `DocumentTransaction.holds_documents`."""
        return bool(self.select(sql.ANY_SENDING))

    def with_documents(self, identities: Collection[str]) -> list[str]:
        """See `DocumentTransaction.with_documents`."""
        return [row[0] for row in self.select_each(sql.HELD_IDENTITIES, [(one,) for one in identities])]

    def naming_stays(self, stays: Collection[tuple[str, str]]) -> list[str]:
        """See `DocumentTransaction.naming_stays`."""
        return [row[0] for row in self.select_each(sql.NAMING_STAYS, stays)]

    def live_sendings(self, identity: str, after: str, limit: int) -> list[Sending]:
        """See `DocumentTransaction.live_sendings`."""
        return [Sending(*row) for row in self.select(sql.LIVE_OF, (identity, after, limit))]

    def ask_review(self, identities: Iterable[str], now: str) -> None:
        """See `DocumentTransaction.ask_review`."""
        self.gather(sql.PUT_REVIEW, [(one, now) for one in identities])

    def ask_review_of_held(self, now: str) -> None:
        """See `DocumentTransaction.ask_review_of_held`."""
        self.execute(sql.REVIEW_HELD, (now,))

    def ask_review_of_unsettled(self, now: str) -> None:
        """See `DocumentTransaction.ask_review_of_unsettled`."""
        self.execute(sql.REVIEW_UNSETTLED, (now,))

    def reviews(self, limit: int) -> list[tuple[str, str]]:
        """See `DocumentTransaction.reviews`."""
        return [(identity, cursor) for identity, cursor in self.select(sql.REVIEWS, (limit,))]

    def move_review(self, identity: str, cursor: str) -> None:
        """See `DocumentTransaction.move_review`."""
        if cursor:
            self.gather(sql.MOVE_REVIEW, [(cursor, identity)])
        else:
            self.gather(sql.END_REVIEW, [(identity,)])


class DocumentQueries(DocumentReader):
    """What people and interfaces ask."""

    def sendings(self, wanted: SendingFilter = _ANY, *, limit: int = 100, before: str = "") -> list[Sending]:
        """Sendings, newest first, at most `limit`; `before` is the id of the last one of the page before."""
        text, parameters = sql.LIST, list[Any]()
        for name, condition in sql.FILTERS.items():
            if value := getattr(wanted, name):
                text += condition
                parameters.append(value)
        if before:
            text += sql.LIST_BEFORE
            parameters.append(before)
        return [Sending(*row) for row in self.select(text + sql.LIST_ORDER, (*parameters, limit))]

    def sending_states(self) -> dict[str, tuple[int, str]]:
        """How many sendings there are in each state that has any, and since when the oldest one is in it."""
        return {state: (count, since) for state, count, since in self.select(sql.STATES)}

    def reviews_waiting(self) -> tuple[int, str]:
        """How many identities are to be looked at again, and since when the oldest is ("" for none)."""
        count, since = self.select(sql.COUNT_REVIEWS)[0]
        return count, since or ""


def _document_row(document: Document) -> Row:
    """The row of `dmp_statements.INSERT_DOCUMENT`."""
    one, content = document, document.content
    personal = _Personal(*(getattr(document, name) for name in _PERSONAL_FIELDS))
    return (
        one.id, one.received, one.source, one.message, one.control_id, one.sending, str(one.intent), one.unique_id,
        one.set_id, one.version, one.parent, one.type_code, one.confidentiality, one.created, one.identity,
        content.digest if content is not None else "", content.size if content is not None else 0,
        content.media if content is not None else "", one.facility, msgspec.json.encode(personal),
        stay_number(one.stay.visit), stay_number(one.stay.account),
    )  # fmt: skip


def _document(row: Sequence[Any]) -> Document:
    """The document of a row; what a purge erased reads as empty."""
    named = dict(zip(_COLUMNS, row, strict=True))
    digest, size, media, personal = (named.pop(name) for name in ("digest", "size", "media", "personal"))
    private = _personal.decode(personal) if personal is not None else _ERASED
    named |= {name: getattr(private, name) for name in _PERSONAL_FIELDS}
    named["intent"] = Intent(named["intent"])
    return Document(**named, content=Content(digest, size, media) if digest else None, erased=personal is None)
