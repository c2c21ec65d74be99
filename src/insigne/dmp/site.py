"""What the rules of the PFI work with at one site."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from insigne.dmp.ports import ZamWriter
from insigne.dmp.settings import DmpSettings
from insigne.dmp.states import Environment
from insigne.exchange.ports import Transaction
from insigne.registry.acts import Act
from insigne.registry.decide import Decision
from insigne.registry.settings import Policy
from insigne.registry.source import Source


class Registrar(Protocol):
    """What tells the registry; `exchange.apply.Registrar` is one."""

    def act_within(self, transaction: Transaction, acts: Sequence[tuple[Act, Source]]) -> list[Decision]:
        """Apply acts in a transaction that also writes other things. Raises `registry.decision.Refused`."""
        ...


def _nobody() -> None:
    """Nothing is sent by this process."""


@dataclass(frozen=True, slots=True)
class Site:
    """Settings, rules, and what is passed in: time (RFC 3339 UTC, milliseconds), ids, how a ZAM is written."""

    settings: DmpSettings
    policy: Policy
    registrar: Registrar
    zam: ZamWriter
    now: Callable[[], str]
    new_id: Callable[[], str]
    ring: Callable[[], None] = _nobody
    """Called after the commit of something queued in the outbox."""

    @property
    def environment(self) -> Environment:
        """Whose INS are admitted: "production" or "test"."""
        return self.policy.environment
