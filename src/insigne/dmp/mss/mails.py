"""What is kept of mails read: where each box was read up to, what each mail was and what is still to be done of it."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Final, Literal, Protocol

from msgspec import Struct

from insigne.dmp.ports import DocumentTransaction
from insigne.exchange.delivery.model import Attempt, Outgoing

WORK: Final = "document-mail"
"""The work item of a mail that a person must look at."""
Kind = Literal["report", "documents", "other", "unreadable"]
State = Literal["done", "sent-on", "to-answer", "for-people"]
"""`sent-on`: its documents are on their way to the DPI, whose answer is awaited. `to-answer`: its sender is to be told
what became of them. `for-people`: nothing here can be done of it; it is in the box, flagged.
"""


class Place(Struct, frozen=True):
    """How far a folder was read: the last number read, which means something as long as `validity` is the same."""

    validity: int
    uid: int


class Mail(Struct, frozen=True):
    """A mail read. Neither its subject nor its body is kept: they are in the box.

    `key` tells the same mail received twice. `code` and `text` are what its sender is told of a failure, "" when all
    was taken. `address` is the box its sender is answered at, `way` is how ("mdn", "mail", ""). Times
    are RFC 3339 UTC.
    """

    id: str
    box: str
    validity: int
    uid: int
    key: str
    message_id: str
    received: str
    kind: Kind
    state: State
    code: str = ""
    text: str = ""
    address: str = ""
    way: str = ""


class MailTransaction(DocumentTransaction, Protocol):
    """A write transaction of the base that also keeps what was read of boxes."""

    def mail_place(self, box: str) -> Place | None:
        """How far a box was read; None before its first mail."""
        ...

    def put_mail_place(self, box: str, place: Place) -> None:
        """Note how far a box is read."""
        ...

    def has_mail(self, key: str) -> bool:
        """Whether that mail was read before, wherever it was."""
        ...

    def put_mail(self, mail: Mail) -> None:
        """Write a mail, new or changed."""
        ...


class MailView(Protocol):
    """What is committed, of one moment."""

    def mails_in(self, box: str, state: State, limit: int) -> list[Mail]:
        """The mails of a box in that state, oldest first."""
        ...

    def outbox_of(self, cause: str) -> list[Outgoing]:
        """The rows of the outbox that a mail caused, in order."""
        ...

    def attempts(self, row_id: int) -> list[Attempt]:
        """The attempts of a row, in order."""
        ...


class MailStorage(Protocol):
    """Where that is kept."""

    def begin(self, wait: float | None = None) -> MailTransaction:
        """See `exchange.ports.Storage.begin`."""
        ...

    def read(self) -> AbstractContextManager[MailView]:
        """A view of one moment."""
        ...


def last_ack(attempts: Sequence[Attempt]) -> bytes:
    """Return the last acknowledgement received of a row, b"" for none."""
    return next((one.ack for one in reversed(attempts) if one.ack), b"")
