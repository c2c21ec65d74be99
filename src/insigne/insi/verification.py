"""Verification of an INS already held: a port, and the one implementation there is, which speaks to our simulator.

The official operations (WS_INS3 unit, WS_INS4 deposit and WS_INS5 collection of a batch) have no public description;
an adapter for them implements `Verifier` and nothing else changes.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from insigne.ins import StrictTraits
from insigne.insi.certificate import read_own_certificate
from insigne.insi.client import InsiUnusable
from insigne.insi.settings import InsiSettings
from insigne.insi.wire.model import WireError
from insigne.insi.wire.verification import (
    BATCH_PATH,
    UNIT_PATH,
    BatchDeposit,
    BatchState,
    BatchTicket,
    Document,
    UnitVerdict,
    Verdict,
    VerificationLine,
    decode,
    encode,
)
from insigne.net.http import HttpClient, HttpError, HttpLimits, HttpResponse
from insigne.net.tls import RenewedContext

_JSON: Final = {"Content-Type": "application/json"}
_BYTES_A_LINE: Final = 1024
_TICKET: Final = re.compile(r"[A-Za-z0-9-]{1,64}")
_ODD_TICKET: Final = "the ticket of the batch is not made of 1 to 64 letters, digits and hyphens"


@dataclass(frozen=True, slots=True)
class Verifiable:
    """An INS with the traits held for it; `reference` is ours (an opaque id) and comes back with the verdict."""

    reference: str
    matricule: str = field(repr=False)
    oid: str
    traits: StrictTraits = field(repr=False)


class VerificationFailed(Exception):  # noqa: N818  # named for what happened
    """There is no verdict.

    `gone`: the batch is not known any more, and must be deposited again. `outage`: nothing was heard of the service.
    `raw`: what was answered, as received.
    """

    def __init__(self, text: str, *, gone: bool = False, outage: bool = False, raw: bytes = b"") -> None:
        self.gone = gone
        self.outage = outage
        self.raw = raw
        super().__init__(text)


@dataclass(frozen=True, slots=True)
class Verified:
    """The verdict of one item, OK or KO, and the answer as received. KO says neither which trait differs nor why."""

    verdict: Verdict
    raw: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class Deposited:
    """A batch that was taken: the ticket to collect its verdicts with, and the answer as received."""

    ticket: str
    raw: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class Collected:
    """The verdicts of a batch by reference, and the answer as received.

    A line it does not name has no verdict, nor has one it names twice with two of them.
    """

    verdicts: Mapping[str, Verdict]
    raw: bytes = field(default=b"", repr=False)


class Verifier(Protocol):
    """What verifies. Every method raises VerificationFailed for a technical failure, to be tried again later."""

    @property
    def certificate(self) -> str:
        """The name of the certificate it shows, "" when it shows none."""

    def verify_one(self, item: Verifiable) -> Verified:
        """Return the verdict of one item."""

    def submit_batch(self, items: Sequence[Verifiable]) -> Deposited:
        """Deposit a batch. Raises ValueError for an empty or too large one."""

    def collect(self, ticket: str) -> Collected | None:
        """Return the verdicts of a batch, None as long as it is pending."""

    def close(self) -> None:
        """Close the connections kept."""


class SimulatedVerifier:
    """Verification by Insigne's simulator, over JSON of its own: NOT the official contract."""

    def __init__(self, settings: InsiSettings, *, automatic: bool = False) -> None:
        tls = (settings.auto_tls if automatic else None) or settings.tls
        limits = HttpLimits(
            settings.connect_seconds,
            settings.total_seconds,
            settings.max_answer_bytes + settings.verification.batch_lines * _BYTES_A_LINE,
        )
        self._batch_lines = settings.verification.batch_lines
        self._max_bytes = limits.max_bytes
        endpoint = settings.verification.endpoint
        context = RenewedContext(tls) if endpoint.startswith("https:") else None
        shown = read_own_certificate(tls) if context is not None else None
        self.certificate = shown.name if shown is not None else ""
        try:
            self._http = HttpClient(endpoint, context, limits=limits, server_name=tls.server_name)
        except ValueError as error:
            raise InsiUnusable(f"insi.verification.endpoint: {error}") from error

    def verify_one(self, item: Verifiable) -> Verified:
        """Return the verdict of one item."""
        response = self._send("POST", UNIT_PATH, encode(_line(item)))
        verdict = self._read(response, UnitVerdict)
        if verdict.reference != item.reference:
            text = "the verdict is about another reference than the one asked about"
            raise VerificationFailed(text, raw=response.body)
        return Verified(verdict.verdict, response.body)

    def submit_batch(self, items: Sequence[Verifiable]) -> Deposited:
        """Deposit a batch."""
        if not 0 < len(items) <= self._batch_lines:
            raise ValueError(f"a batch has from 1 to {self._batch_lines} lines (insi.verification.batch_lines)")
        deposit = BatchDeposit(tuple(_line(item) for item in items))
        response = self._send("POST", BATCH_PATH, encode(deposit))
        ticket = self._read(response, BatchTicket).ticket
        if not _TICKET.fullmatch(ticket):
            raise VerificationFailed(_ODD_TICKET, raw=response.body)
        return Deposited(ticket, response.body)

    def collect(self, ticket: str) -> Collected | None:
        """Return the verdicts, None as long as they are pending."""
        if not _TICKET.fullmatch(ticket):
            raise VerificationFailed(_ODD_TICKET, gone=True)
        response = self._send("GET", f"{BATCH_PATH}/{ticket}")
        state = self._read(response, BatchState)
        if state.state == "pending":
            return None
        return Collected(_agreed(state.verdicts), response.body)

    def close(self) -> None:
        """Close the connections kept."""
        self._http.close()

    def _send(self, method: str, path: str, body: bytes = b"") -> HttpResponse:
        try:
            return self._http.request(method, path, body, _JSON, repeatable=path != BATCH_PATH)
        except HttpError as error:
            raise VerificationFailed(str(error), outage=True) from error

    def _read(self, response: HttpResponse, kind: type[Document]) -> Document:
        if response.status not in (200, 202):
            gone, outage = response.status == 404, response.status >= 500
            text = f"HTTP status {response.status}" + (": unknown ticket" if gone else "")
            raise VerificationFailed(text, gone=gone, outage=outage, raw=response.body)
        try:
            return decode(response.body, kind, self._max_bytes)
        except WireError as error:
            raise VerificationFailed(str(error), raw=response.body) from error


def make_verifier(settings: InsiSettings, *, automatic: bool = False) -> Verifier | None:
    """Return the verifier configured, None when there is none.

    `automatic` takes the certificate of calls no user starts. Raises InsiUnusable, TlsError.
    """
    return SimulatedVerifier(settings, automatic=automatic) if settings.verification.adapter == "simulation" else None


def _line(item: Verifiable) -> VerificationLine:
    traits = item.traits
    return VerificationLine(
        item.reference,
        item.matricule,
        item.oid,
        traits.birth_name,
        traits.given_names or traits.first_given_name,
        traits.sex,
        traits.birth_date,
        traits.birth_place,
    )


def _agreed(verdicts: Iterable[UnitVerdict]) -> dict[str, Verdict]:
    """The verdicts by reference, without those that another line contradicts."""
    said: dict[str, set[Verdict]] = {}
    for one in verdicts:
        said.setdefault(one.reference, set()).add(one.verdict)
    return {reference: verdict for reference, (verdict, *others) in said.items() if not others}
