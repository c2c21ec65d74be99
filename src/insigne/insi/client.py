"""Calls of INSi over mutual TLS, each with its trace: what was asked, when, for whom, and the bytes both ways.

One call, one connection of a pool, bounded in time and size. Nothing is repeated here but a call that met a connection
the server had already closed; retry, rate and outages are the caller's (`net.backoff`, `net.rate`, `net.breaker`).
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import parsedate_to_datetime
from functools import partial
from pathlib import Path
from typing import Final
from uuid import uuid4

from insigne import __version__
from insigne.insi.certificate import OwnCertificate, read_own_certificate
from insigne.insi.settings import InsiSettings
from insigne.insi.strategy import Search
from insigne.insi.wire.model import (
    MALFORMED,
    TIMEOUT,
    TLS,
    UNREACHABLE,
    CallContext,
    InsiAnswer,
    InsiFault,
    InsiResult,
    Operation,
    SearchTraits,
    VitaleData,
    WireError,
)
from insigne.insi.wire.names import content_type
from insigne.insi.wire.request import build_search, build_vitale
from insigne.insi.wire.response import read_answer
from insigne.insi.wire.xml import parse
from insigne.net.breaker import Evidence
from insigne.net.http import HttpClient, HttpError, HttpFailure, HttpLimits, HttpResponse
from insigne.net.tls import Renewed, RenewedContext


class InsiUnusable(Exception):  # noqa: N818  # named for what happened
    """INSi cannot be called with these settings. The text names the key and the remedy."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who causes a call and why: the trace the service requires of the software (the certificate names no person)."""

    author: str
    reason: str


@dataclass(frozen=True, slots=True)
class Traced:
    """A call as it was made. `request` and `response` are the bytes themselves: personal data, to be kept as such.

    `started` is aware, `seconds` how long it took, `http_status` 0 when nothing came. `clock_skew`: seconds by which
    the clock of the service is ahead of ours, when it told its time.
    """

    operation: Operation
    criteria: SearchTraits | VitaleData = field(repr=False)
    caller: Caller
    message_id: str
    started: datetime
    seconds: float
    endpoint: str
    certificate: str
    request: bytes = field(repr=False)
    response: bytes = field(repr=False)
    http_status: int
    result: InsiResult = field(repr=False)
    clock_skew: float | None = None

    @property
    def code(self) -> str:
        """The business code, or "fault"."""
        return self.result.code if isinstance(self.result, InsiAnswer) else "fault"


class InsiClient:
    """Calls with one certificate: `automatic` for those no user started (INSI-AUTO). Threads may share it.

    `instance` is the UUID of this installation, `clock` returns an aware time.
    Raises InsiUnusable, and TlsError for files that cannot be used.
    """

    def __init__(
        self,
        settings: InsiSettings,
        *,
        instance: str,
        clock: Callable[[], datetime],
        new_id: Callable[[], str] = lambda: str(uuid4()),
        automatic: bool = False,
    ) -> None:
        if not settings.endpoint:
            raise InsiUnusable("insi.endpoint is not set: give the address of the téléservice")
        tls = (settings.auto_tls if automatic else None) or settings.tls
        self._certificate = Renewed(partial(read_own_certificate, tls), (tls.cert_file, tls.key_password_file))
        limits = HttpLimits(settings.connect_seconds, settings.total_seconds, settings.max_answer_bytes)
        context = RenewedContext(tls) if settings.endpoint.startswith("https:") else None
        try:
            self._http = HttpClient(settings.endpoint, context, limits=limits, server_name=tls.server_name)
        except ValueError as error:
            raise InsiUnusable(f"insi.endpoint: {error}") from error
        self._settings = settings
        self._instance = settings.instance or instance
        self._clock, self._new_id = clock, new_id

    @property
    def certificate(self) -> OwnCertificate | None:
        """Our certificate as it is now: one that was renewed counts at once."""
        return self._certificate()

    def doubts(self) -> tuple[str, ...]:
        """Return what the service may refuse whoever the patient is, a sentence each, for the administrator."""
        certificate = self.certificate
        if certificate is None:
            return ("insi.tls.cert_file is not set: the service asks for an organisation certificate",)
        return tuple(f"certificate of insi: {doubt}" for doubt in certificate.doubts(self._clock()))

    def search(self, traits: SearchTraits, caller: Caller) -> Traced:
        """Ask by traits (WS_INS2). Whatever happens on the way is a fault in the result.

        Raises WireError for traits that no call may carry (`entry` refuses them first), InsiUnusable for an assertion
        that cannot be read.
        """
        return self._call("search", traits, lambda context: build_search(traits, context), caller)

    def vitale(self, data: VitaleData, caller: Caller) -> Traced:
        """Ask by what a carte Vitale holds (WS_INS1). Raises as `search`."""
        return self._call("vitale", data, lambda context: build_vitale(data, context), caller)

    def close(self) -> None:
        """Close the connections kept."""
        self._http.close()

    def _call(
        self,
        operation: Operation,
        criteria: SearchTraits | VitaleData,
        build: Callable[[CallContext], bytes],
        caller: Caller,
    ) -> Traced:
        started, clocked = self._clock(), time.perf_counter()
        context = self._context(started)
        request = build(context)
        response, skew = None, None
        certificate = self.certificate
        dates = certificate.out_of_dates(started) if certificate else ()
        if dates:
            result: InsiResult = InsiFault(TLS, text=_TEXTS["tls"], detail=f"certificate of insi: {dates[0]}")
        else:
            try:
                headers = {"Content-Type": content_type(operation), "Accept": "application/soap+xml"}
                response = self._http.post(request, headers, repeatable=True)
                result = read_answer(response.status, response.body, self._settings.max_answer_bytes)
                skew = _skew(response, self._clock())
            except HttpError as error:
                result = InsiFault(_CODES[error.kind], text=_TEXTS[error.kind], detail=str(error))
        return Traced(
            operation,
            criteria,
            caller,
            context.message_id,
            started,
            time.perf_counter() - clocked,
            self._http.url,
            certificate.name if certificate else "",
            request,
            response.body if response else b"",
            response.status if response else 0,
            result,
            skew,
        )

    def _context(self, now: datetime) -> CallContext:
        settings, certificate = self._settings, self.certificate
        return CallContext(
            message_id=self._new_id(),
            bam_id=self._new_id(),
            lps_id=self._new_id(),
            time=now.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            emitter=settings.emitter or (certificate.emitter if certificate else ""),
            idam=settings.idam,
            idam_r=settings.idam_r,
            lps_name=settings.lps_name or f"urn:lps:insigne:{__version__}",
            lps_version=__version__,
            instance=self._instance,
            security=settings.security,
            assertions=_assertions(settings) if settings.security == "assertion_ps" else (),
        )


def retrieve(
    client: InsiClient, search: Search, caller: Caller, pause: Callable[[], None] = lambda: None
) -> tuple[Traced, ...]:
    """Make the calls of a search until it has its outcome; `pause` is called before each (rate limit)."""
    calls = []
    while (traits := search.next()) is not None:
        pause()
        calls.append(client.search(traits, caller))
        search.feed(calls[-1].result)
    return tuple(calls)


def evidence(result: InsiResult) -> Evidence:
    """Return what a result tells the circuit breaker about the service.

    A fault of configuration is met by every patient alike: calling on would be of no use. A technical fault told by
    the service (siram_40) may be that of some patients only, whose scheme does not answer.
    """
    if isinstance(result, InsiAnswer) or result.kind == "input":
        return Evidence.ALIVE
    return Evidence.DOWN if result.outage or result.kind == "configuration" else Evidence.AILING


def _assertions(settings: InsiSettings) -> tuple[bytes, ...]:
    """Read the assertions, unchanged but for what may stand before an XML document. Raises InsiUnusable."""
    found = []
    for name in settings.assertion_files:
        try:
            data = Path(name).read_bytes().removeprefix(b"\xef\xbb\xbf").strip()
            parse(data)
        except (OSError, WireError) as error:
            raise InsiUnusable(f"insi.assertion_files: {name}: {error}") from error
        found.append(data.partition(b"?>")[2] if data.startswith(b"<?xml") else data)
    if not found:
        raise InsiUnusable("insi.security is assertion_ps: name the signed assertion in insi.assertion_files")
    return tuple(found)


def _skew(response: HttpResponse, now: datetime) -> float | None:
    try:
        told = parsedate_to_datetime(response.headers.get("date", ""))
        return (told - now).total_seconds()
    except (ValueError, TypeError):  # no date, one that cannot be read, or one without zone
        return None


_CODES: Final[dict[HttpFailure, str]] = {
    "unreachable": UNREACHABLE,
    "cut": UNREACHABLE,
    "timeout": TIMEOUT,
    "tls": TLS,
    "malformed": MALFORMED,
    "large": MALFORMED,
}
_TEXTS: Final[dict[HttpFailure, str]] = {
    "unreachable": "Le téléservice INSi est injoignable",
    "cut": "La connexion avec le téléservice INSi a été rompue",
    "timeout": "Le téléservice INSi n’a pas répondu à temps",
    "tls": "Le téléservice INSi et Insigne n’acceptent pas leurs certificats",
    "malformed": "La réponse du téléservice est illisible",
    "large": "La réponse du téléservice est trop longue",
}
