"""Calls of the DMP over mutual TLS: one call, one result, its trace without the bytes of the document."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from insigne.dmp.settings_wire import ServiceSettings
from insigne.dmp.wire.model import Deletion, Existence, Feeding, Ins, Reference, RegistryAnswer, VihfContext

Transaction = Literal["TD0.2", "TD2.1", "TD3.1", "TD3.3c"]


@dataclass(frozen=True, slots=True)
class Traced:
    """A call as it was made. `request` and `response` are personal data, to be kept as such; the document itself is not
    in `request`. `outcome` is "ok", the first error's code, or "KIND" / "KIND:CODE" of a fault; `http_status` 0 when
    nothing came.
    """

    transaction: Transaction
    message_id: str
    endpoint: str
    started: datetime
    seconds: float
    http_status: int
    outcome: str
    request: bytes = field(repr=False)
    response: bytes = field(repr=False)


def _forget(_call: Traced) -> None:
    """Keep no trace."""


class DmpClient:
    """Calls with one certificate. Threads may share it. Every call raises DmpFault when it brought no answer."""

    def __init__(
        self,
        settings: ServiceSettings,
        clock: Callable[[], datetime],
        new_uuid: Callable[[], str],
        on_call: Callable[[Traced], None] = _forget,
    ) -> None:
        self._settings, self._clock, self._new_uuid, self._on_call = settings, clock, new_uuid, on_call

    def existence(self, ins: Ins, vihf: VihfContext) -> Existence:
        """Ask whether the patient has a DMP, and for our authorisation (TD0.2)."""
        raise NotImplementedError

    def feed(self, feeding: Feeding) -> RegistryAnswer:
        """Feed a document, or replace one (TD2.1, ITI-41)."""
        raise NotImplementedError

    def delete(self, deletion: Deletion) -> RegistryAnswer:
        """Delete a document logically (TD3.3c, ITI-57)."""
        raise NotImplementedError

    def find(self, unique_id: str, ins: Ins, vihf: VihfContext) -> list[Reference]:
        """Return the references of a document (TD3.1 limited to them, GetDocuments), none when it is not known."""
        raise NotImplementedError

    def close(self) -> None:
        """Close the connections kept."""
