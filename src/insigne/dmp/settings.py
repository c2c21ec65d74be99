"""Settings of the PFI. What no public source confirms stands here with the value recalled.

Every part of the room declares its own table in `settings_PART.py` and adds its line to `DmpSettings`.
"""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from insigne.dmp.settings_intake import IntakeSettings
from insigne.dmp.settings_mss import MssSettings
from insigne.dmp.settings_report import IndicatorSettings, MigrationSettings
from insigne.dmp.settings_wire import ServiceSettings
from insigne.insi.settings import BreakerSettings, RetrySettings
from insigne.net.settings import Seconds

Count = Annotated[int, Meta(ge=1)]


class QueueSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How sendings are worked through."""

    batch: Count = 32
    """Sendings claimed together."""
    parallel: Count = 4
    """Calls made at the same time."""
    lease_seconds: Seconds = 900
    """Time after which a sending whose worker died is taken up again; longer than the longest call."""
    reviews: Count = 10
    """Held documents evaluated again in one transaction, so that reception keeps its place between two."""
    existence_minutes: Annotated[int, Meta(ge=0)] = 60
    """Age up to which an answer of the existence test (TD0.2) is used again for the same INS; 0: never."""
    retry: RetrySettings = RetrySettings()
    breaker: BreakerSettings = BreakerSettings()


class DmpSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What the PFI sends, holds and answers."""

    without_consent: Literal["hold", "feed"] = "hold"
    """What to do when nobody said whether the patient's DMP may be fed (ZFA-9 absent or NA)."""
    wrong_matricule: Literal["hold", "feed"] = "hold"
    """What to do when the key of the matricule held is wrong."""
    stay_of_another: Literal["hold", "feed"] = "hold"
    """What to do of a document whose stay the registry knows as another's (opened for them, or moved by an A44)."""
    without_ins: Literal["complete", "refuse"] = "complete"
    """What to do of a CDA that bears no INS: write the registry's in it when it leaves, or refuse it (903)."""
    answers: dict[str, str] = {}
    """Where business acknowledgements (ZAM) go: "MSH-3|MSH-4" of who sent the document → name of a destination."""
    queue: QueueSettings = QueueSettings()
    intake: IntakeSettings = IntakeSettings()
    indicators: IndicatorSettings = IndicatorSettings()
    migration: MigrationSettings = MigrationSettings()
    mss: MssSettings = MssSettings()
    service: ServiceSettings = ServiceSettings()
