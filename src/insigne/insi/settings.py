"""Settings of the téléservice INSi. What no public source confirms stands here with the value recalled."""

from typing import Annotated, Final, Literal

from msgspec import Meta, Struct

from insigne.insi.security import Security
from insigne.net.backoff import Backoff
from insigne.net.breaker import BreakerRule
from insigne.net.settings import ClientTlsSettings, Seconds

Count = Annotated[int, Meta(ge=1)]
Hour = Annotated[int, Meta(ge=0, le=23)]
Share = Annotated[float, Meta(gt=0)]

SIMULATOR_IDAM: Final = "INSIGNESIMU1"
"""Authorisation number of Insigne's own simulator; the real service refuses it (desir_550)."""


class RetrySettings(Struct, frozen=True, forbid_unknown_fields=True):
    """How a call that met a technical fault is tried again, each time later, with jitter."""

    attempts: Count = 8
    """Calls in all before somebody has to look."""
    first_seconds: Seconds = 60
    limit_seconds: Seconds = 7200

    def backoff(self) -> Backoff:
        """Return the delays."""
        return Backoff(first=self.first_seconds, limit=self.limit_seconds)


class BreakerSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """What is an outage for everybody; the technical faults of some patients are none."""

    down_calls: Count = 5
    """Calls in a row without any answer of the service (no connection, time out, HTTP 5xx without SOAP) or refused
    whoever the patient is (certificate, authorisation number)."""
    ailing_share: Share = 0.8
    """Share of the patients recently asked about whose last answer was a technical fault; above 1: never. The vendors'
    qualification environment says `siram_40` for every person not found."""
    ailing_patients: Count = 10
    """Different patients to have been asked about before that share means anything."""
    window_seconds: Seconds = 300
    probe_seconds: Seconds = 15
    """Delay before the first try during an outage; then it doubles."""
    probe_limit_seconds: Seconds = 300

    def rule(self) -> BreakerRule:
        """Return the rule of the circuit breaker."""
        return BreakerRule(
            down=self.down_calls,
            ailing_share=self.ailing_share,
            subjects=self.ailing_patients,
            window=self.window_seconds,
            probe=Backoff(first=self.probe_seconds, limit=self.probe_limit_seconds, jitter=0.0),
        )


class PeriodicSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """The verification that the server starts by itself, of every INS not verified for `period_years`."""

    enabled: bool = True
    nights: Count = 20
    """Nights over which it is spread."""
    from_hour: Hour = 22
    to_hour: Hour = 6
    """Local hours of its nights; the same hour twice means the whole day."""
    days: Count = 30
    """Days from the start of one to the start of the next at least: each takes what has become old meanwhile."""


class VerificationSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Verification (WS_INS3 to WS_INS5). Its official contract is not public: only the simulator's is spoken."""

    adapter: Literal["none", "simulation"] = "none"
    endpoint: str = ""
    """Address of the simulator's verification, under which `/unit` and `/batch` are."""
    batch_lines: Count = 1000
    """Largest batch deposited (the real limit is not public)."""
    poll_seconds: Seconds = 60
    """Delay between two collections of a batch (the real delay is not public)."""
    pending_hours: Annotated[float, Meta(gt=0)] = 24
    """How long a batch may stay pending before it is deposited again (how long a real one takes is not public)."""
    period_years: Count = 3
    """Age of a recovery or a verification from which an INS is verified again (référentiel INS: 3 to 5 years)."""
    periodic: PeriodicSettings = PeriodicSettings()


class InsiSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """How INSi is called. Without `endpoint` it is not."""

    endpoint: str = ""
    tls: ClientTlsSettings = ClientTlsSettings()
    """Our organisation certificate, whose common name is INSI-MANU (or INSI-AUTO), and the authorities believed."""
    auto_tls: ClientTlsSettings | None = None
    """The certificate INSI-AUTO, of calls no user started; by default the same as `tls`."""
    emitter: str = ""
    """`Emetteur` of the contexts; by default the subject OU of the certificate."""
    idam: str = SIMULATOR_IDAM
    """CNDA authorisation number of this software; by default that of the simulator."""
    idam_r: str = "4"
    lps_name: str = ""
    """`LPS/Nom`; by default `urn:lps:insigne:VERSION`."""
    instance: str = ""
    """UUID of this installation; by default made once and kept in the data folder."""
    security: Security = "none"
    """`assertion_ps`: the assertions of `assertion_files` go in `wsse:Security` (they are not signed here)."""
    assertion_files: tuple[str, ...] = ()
    """SAML assertions, one a file, as they were signed: PS, then Vitale. Read at each call: they live for minutes."""
    connect_seconds: Seconds = 20
    total_seconds: Seconds = 30
    max_answer_bytes: Count = 1_048_576
    clock_skew_seconds: Seconds = 60
    """Difference between the clock of the service and ours from which it is reported."""
    rate: Annotated[float, Meta(gt=0)] = 10.0
    """Calls a second at most (no official quota is public)."""
    burst: Count = 10
    retry: RetrySettings = RetrySettings()
    breaker: BreakerSettings = BreakerSettings()
    verification: VerificationSettings = VerificationSettings()
    automatic: bool = False
    """Whether identities newly entered are asked about without anybody's request; the answer waits for a person."""
    reco_pp_03: Literal["warn", "block"] = "warn"
    """What to do of a call for a provisional identity whose document nobody holds (RNIV RECO PP 03)."""
