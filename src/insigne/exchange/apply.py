"""The only way a command or an act becomes journal and state: rules on a working set, then one transaction."""

from collections.abc import Callable, Sequence

from insigne.exchange.load.loader import Loader
from insigne.exchange.load.rows import RowReader
from insigne.exchange.ports import Follower, Storage, Transaction
from insigne.registry.acts import Act
from insigne.registry.commands import Command
from insigne.registry.decide import Decision, decide, decide_act
from insigne.registry.settings import Policy
from insigne.registry.source import Source
from insigne.registry.workingset import WorkingSet


class Registrar:
    """Applies what does not come in a message: a person's act, a job, an import.

    Messages are applied by the same rules in `intake`, many to a transaction.
    """

    def __init__(
        self, storage: Storage, policy: Policy, new_id: Callable[[], str], followers: Sequence[Follower] = ()
    ) -> None:
        self._storage = storage
        self._policy = policy
        self._new_id = new_id
        self._followers = tuple(followers)

    def apply(self, command: Command, source: Source) -> Decision:
        """Apply one command; durable when it returns.

        Raises `registry.decision.Refused` when the rules refuse it and `StoreError` when it cannot be kept; nothing is
        changed then.
        """
        return self._applied(lambda working: decide(command, working, source, self._policy, self._new_id))

    def act(self, act: Act, source: Source) -> Decision:
        """Apply one act of a person. Raises as `apply` does."""
        return self._applied(lambda working: decide_act(act, working, source, self._policy, self._new_id))

    def loader(self, reader: RowReader, *, source: str, cause: str, update: bool, time: Callable[[], str]) -> Loader:
        """What loads a table by the rules and with the followers of this registrar; see `load.loader.Loader`."""
        return Loader(
            self._storage,
            self._policy,
            reader,
            source=source,
            cause=cause,
            update=update,
            time=time,
            new_id=self._new_id,
            followers=self._followers,
        )

    def act_within(self, transaction: Transaction, acts: Sequence[tuple[Act, Source]]) -> list[Decision]:
        """Apply acts in a transaction that also writes other things; the caller commits. Raises `Refused`."""
        working = WorkingSet(transaction)
        decisions = [decide_act(act, working, source, self._policy, self._new_id) for act, source in acts]
        self._written(transaction, working)
        return decisions

    def _applied(self, decided: Callable[[WorkingSet], Decision]) -> Decision:
        transaction = self._storage.begin()
        try:
            working = WorkingSet(transaction)
            decision = decided(working)
            self._written(transaction, working)
            transaction.commit()
        finally:
            transaction.rollback()
        return decision

    def _written(self, transaction: Transaction, working: WorkingSet) -> None:
        for follower in self._followers:
            follower.follow(working, transaction)
        transaction.write(working, ())
