"""What was measured of a running base, as values. Pure: `store` and the command line fill them."""

from msgspec import Struct


class Told(Struct, frozen=True):
    """A destination: of the last messages it accepted about a patient, how many held an INS."""

    name: str
    messages: int
    with_ins: int


class Template(Struct, frozen=True):
    """Documents of one sender ("MSH-3|MSH-4") and type: how many were looked at, and how many bore the Data Matrix."""

    sending: str
    type_code: str
    documents: int
    with_symbol: int


class Blocked(Struct, frozen=True):
    """Documents meant for the DMP that are not there now: their state, the reason (`states.REASONS`), how many."""

    state: str
    reason: str
    text_fr: str
    documents: int


class Measures(Struct, frozen=True):
    """A base at one moment (`taken`, RFC 3339 UTC). `patients_waiting` have documents that wait for their identity.

    `fed` counts the documents fed in the last 30 days by identity (`indicators.Kind`). `templates` are of a sample.
    """

    taken: str
    active: int = 0
    qualified: int = 0
    told: tuple[Told, ...] = ()
    templates: tuple[Template, ...] = ()
    blocked: tuple[Blocked, ...] = ()
    fed: dict[str, int] = {}
    patients_waiting: int = 0

    @property
    def share(self) -> float | None:
        """The share of active patients qualified; None without any."""
        return self.qualified / self.active if self.active else None
