"""What the page needs from the base. Implemented by `store`."""

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from typing import Protocol

from insigne.access.invitations import Invitation, InvitationTransaction
from insigne.exchange.ports import Transaction
from insigne.registry.state import Identity


class EnrolmentTransaction(Transaction, InvitationTransaction, Protocol):
    """A write transaction that also keeps invitations and gives local numbers."""

    def next_number(self, counter: str) -> int:
        """The next number of that counter, from 1."""
        ...


class EnrolmentStorage(Protocol):
    """Where identities and invitations are kept."""

    def begin(self, wait: float | None = None) -> EnrolmentTransaction:
        """See `exchange.ports.Storage.begin`; `wait` is in seconds."""
        ...


class EnrolmentView(Protocol):
    """The base at one moment."""

    def invitation(self, token_hash: str) -> Invitation | None:
        """The invitation of the token with this hash."""
        ...

    def search(
        self, birth_date: str, *, name: str = "", given: str = "", limit: int | None = None
    ) -> Iterable[Identity]:
        """The identities born on that date whose birth or used name, or any given name, begins so."""
        ...


Reader = Callable[[], AbstractContextManager[EnrolmentView]]
