"""What the PFI needs from outside: the base (`store`), and what carries documents to the DMP and to MSSanté."""

from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import BinaryIO, Literal, Protocol, TypeAlias

from insigne.dmp.model import Action, Channel, Document, Sending
from insigne.exchange.delivery.model import Bytes, Draft
from insigne.exchange.ports import Transaction
from insigne.registry.ports import View
from insigne.registry.state import Identity
from insigne.registry.values import Ins

PART_BYTES = 1 << 20
"""Bytes of a part of a content; the last one may be shorter."""


class DocumentView(View, Protocol):
    """Documents and sendings at one moment."""

    def document(self, document_id: str) -> Document | None:
        """The document of that id."""
        ...

    def documents_of(self, document_ids: Collection[str]) -> dict[str, Document]:
        """The documents of these ids."""
        ...

    def documents_named(self, unique_id: str) -> list[Document]:
        """The documents received under that unique id, oldest first: the version, then deletions of it."""
        ...

    def documents_after(self, parent: str) -> list[Document]:
        """The documents that replace or delete that unique id, oldest first."""
        ...

    def content_part(self, digest: str, part: int) -> bytes:
        """A part of a content, from 0; b"" past its end, or when it was erased."""
        ...

    def has_content(self, digest: str) -> bool:
        """Whether that content is held."""
        ...

    def sending(self, sending_id: str) -> Sending | None:
        """The sending of that id."""
        ...

    def sendings_of(self, document_id: str) -> list[Sending]:
        """The sendings of a document, oldest first."""
        ...

    def sending_known_as(self, entry: str) -> Sending | None:
        """The sending that the other end knows by that identifier (`Sending.entry`)."""
        ...

    def to_confirm(self, identity: str) -> str:
        """Why a deletion of that identity's documents waits for a person; "" when none does."""
        ...


class DocumentTransaction(DocumentView, Transaction, Protocol):
    """A write transaction of the base that also keeps documents."""

    def put_document(self, document: Document) -> None:
        """Write a new document."""
        ...

    def put_content(self, digest: str, parts: Iterable[bytes]) -> None:
        """Write a content in parts of `PART_BYTES`; one that is held already stays."""
        ...

    def put_sending(self, sending: Sending) -> None:
        """Write a sending, new or changed."""
        ...

    def due_sendings(self, channel: Channel, now: str, limit: int) -> list[Sending]:
        """Those of the channel ready whose time has come; those whose lease ran out while called go first."""
        ...

    def holds_documents(self) -> bool:
        """Whether documents of anybody are kept; asked with every batch of messages, so the answer is remembered."""
        ...

    def with_documents(self, identities: Collection[str]) -> list[str]:
        """Those of the identities that have a sending something may still happen to."""
        ...

    def naming_stays(self, stays: Collection[tuple[str, str]]) -> list[str]:
        """The identities with whom live sendings are kept whose documents name one of these stays.

        A stay is its kind ("VN", "AN") and its number: those of other authorities are found as well.
        """
        ...

    def live_sendings(self, identity: str, after: str, limit: int) -> list[Sending]:
        """The sendings of an identity that something may still happen to, in order of id, after that one."""
        ...

    def ask_review(self, identities: Iterable[str], now: str) -> None:
        """Have the documents of these identities looked at again, from the first."""
        ...

    def ask_review_of_held(self, now: str) -> None:
        """Have every document that waits looked at again: the settings changed."""
        ...

    def ask_review_of_unsettled(self, now: str) -> None:
        """Have the documents that wait to be told whose they are looked at again."""
        ...

    def reviews(self, limit: int) -> list[tuple[str, str]]:
        """Identities to look at again, oldest asked first, each with the last sending looked at."""
        ...

    def move_review(self, identity: str, cursor: str) -> None:
        """Note how far the documents of an identity were looked at again; "" ends it."""
        ...

    def queue(self, drafts: Sequence[Draft]) -> list[int]:
        """See `exchange.delivery.ports.OutboxTransaction.queue`."""
        ...

    def put_bytes(self, written: Iterable[Bytes]) -> None:
        """See `exchange.delivery.ports.OutboxTransaction.put_bytes`."""
        ...

    def after_commit(self, call: Callable[[], None]) -> None:
        """See `exchange.delivery.ports.OutboxTransaction.after_commit`."""
        ...


class DocumentStorage(Protocol):
    """Where documents are kept."""

    def begin(self, wait: float | None = None) -> DocumentTransaction:
        """See `exchange.ports.Storage.begin`."""
        ...

    def read(self) -> AbstractContextManager[DocumentView]:
        """A view of one moment."""
        ...


@dataclass(frozen=True, slots=True)
class Errand:
    """One thing to carry now.

    `ins` is the INS it goes under: the one qualified now; for a prepared deletion, the one that was lost. `identity` is
    the patient as of now, None only for a prepared deletion. `action` is what is really to be done. `target` and
    `target_document` are what is replaced or deleted, None when this base never had it (`document.parent` names it).
    `repeated`: an earlier call of it may have gone through. `content` opens the bytes as received, of the target
    for a deletion that brought none; None without any.
    """

    document: Document
    sending: Sending
    action: Action
    ins: Ins
    identity: Identity | None
    target: Sending | None
    target_document: Document | None
    repeated: bool
    content: Callable[[], BinaryIO] | None


@dataclass(frozen=True, slots=True)
class Arrived:
    """It is done. `entry` is what the other end knows the document by; `nothing_there`: there was nothing to delete."""

    entry: str = ""
    code: str = ""
    text: str = ""
    nothing_there: bool = False


@dataclass(frozen=True, slots=True)
class Declined:
    """It will never be done as it is: a code and a text for people; `reason` is one of `REASONS`.

    `certain`: nothing of it reached the other end in this call, whose answer it is.
    """

    code: str
    text: str
    reason: str = "refused"
    certain: bool = True


@dataclass(frozen=True, slots=True)
class Failed:
    """A technical fault: it is tried again. `sent`: the other end may have done it all the same.

    `evidence` is what it tells of the other end: down for everybody, ailing for this one, or alive.
    """

    code: str
    text: str
    sent: bool = True
    evidence: Literal["down", "ailing", "alive"] = "down"


Outcome: TypeAlias = Arrived | Declined | Failed


class Carrier(Protocol):
    """Carries documents on some channels. Threads call it at the same time."""

    def carry(self, errand: Errand) -> Outcome:
        """Do it. Doing it twice must be as doing it once. Never raises for what the other end does."""
        ...

    def close(self) -> None:
        """Give up connections."""
        ...


class ZamWriter(Protocol):
    """Writes a business acknowledgement (`dmp.zam.zam`)."""

    def __call__(
        self,
        kind: str,
        original: Document,
        *,
        accepted: bool,
        code: str,
        text: str,
        control_id: str,
        time: str,
        recipient: str = "",
    ) -> bytes:
        """The bytes of a ZAM of that kind ("Z01", "Z02", "Z03"). `time` is RFC 3339."""
        ...
