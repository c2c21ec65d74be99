"""What the page needs from the base. Implemented by `store`."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Protocol

from insigne.access.invitations import Invitation, InvitationTransaction
from insigne.exchange.creation import Numbering, Searching
from insigne.exchange.ports import Transaction


class EnrolmentTransaction(Transaction, InvitationTransaction, Numbering, Protocol):
    """A write transaction that also keeps invitations and gives local numbers; given up at the end of its `with`."""

    def __enter__(self) -> "EnrolmentTransaction": ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class EnrolmentStorage(Protocol):
    """Where identities and invitations are kept."""

    def begin(self, wait: float | None = None) -> EnrolmentTransaction:
        """See `exchange.ports.Storage.begin`; `wait` is in seconds."""
        ...


class EnrolmentView(Searching, Protocol):
    """The base at one moment."""

    def invitation(self, token_hash: str) -> Invitation | None:
        """The invitation of the token with this hash."""
        ...


Reader = Callable[[], AbstractContextManager[EnrolmentView]]
