"""The only way a command becomes journal and state: rules on a working set, then one transaction."""

from collections.abc import Callable

from insigne.exchange.ports import Storage
from insigne.registry.commands import Command
from insigne.registry.decide import Decision, decide
from insigne.registry.settings import Policy
from insigne.registry.source import Source
from insigne.registry.workingset import WorkingSet


class Registrar:
    """Applies commands that do not come in a message: a person's act, a job, an import.

    Messages are applied by the same rules in `intake`, many to a transaction.
    """

    def __init__(self, storage: Storage, policy: Policy, new_id: Callable[[], str]) -> None:
        self._storage = storage
        self._policy = policy
        self._new_id = new_id

    def apply(self, command: Command, source: Source) -> Decision:
        """Apply one command; durable when it returns.

        Raises `registry.decision.Refused` when the rules refuse it and `StoreError` when it cannot be kept; nothing is
        changed then.
        """
        transaction = self._storage.begin()
        try:
            working = WorkingSet(transaction)
            decision = decide(command, working, source, self._policy, self._new_id)
            transaction.write(working, ())
            transaction.commit()
        finally:
            transaction.rollback()
        return decision
