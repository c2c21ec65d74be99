"""The simulated DMP assembled: certificates, national base, store, HTTPS server, script. Started and stopped as one."""

import hmac
import secrets
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs
from uuid import uuid4

from cryptography import x509

from insigne.net.settings import TlsSettings
from insigne.net.tls import server_context
from insigne.simulate import control
from insigne.simulate.calls import Call
from insigne.simulate.certificates import Names, prepare, reachable
from insigne.simulate.dmp import patients
from insigne.simulate.dmp.base import People, dmp_base
from insigne.simulate.dmp.control import Control
from insigne.simulate.dmp.engine import CALLER, SIGNER, Behaviour, Engine, Surroundings
from insigne.simulate.dmp.patients import Listing
from insigne.simulate.dmp.script import Effects, Patients
from insigne.simulate.dmp.store import DmpStore
from insigne.simulate.https import HttpReply, HttpRequest, HttpServer, error_reply
from insigne.simulate.insi.national import Mode
from insigne.simulate.scripted import ScriptedService

SERVICES: Final = "/si-dmp-server/v2/services"
"""Where the services are, as on the real servers."""
CERTIFICATES: Final = Names("Insigne DMP simulator CA", "serveur-dmp", (CALLER,), (SIGNER,), rsa_server=True)

_MAX_BODY: Final = 256 << 20
_IN_MEMORY: Final = 1 << 20


def _tell_nobody(_call: Call) -> None:
    """Say nothing of a call."""


@dataclass(frozen=True, slots=True)
class SimulatorSettings:
    """Where to listen, where certificates and documents are kept, who is in the base, how the DMP behaves at first.

    `truth_file`: people of a generated hospital, on top of the test people. `on_call` is told of each call.
    """

    folder: Path
    host: str = "127.0.0.1"
    port: int = 0
    mode: Mode = "production"
    truth_file: Path | None = None
    patients: Patients = field(default_factory=Patients)
    behaviour: Behaviour = field(default_factory=Behaviour)
    on_call: Callable[[Call], None] = _tell_nobody


class DmpSimulator:
    """The DMP on a port. `clock` gives seconds that only go forward, `wall` the hour (aware).

    Raises OSError, `people.PeopleError`.
    """

    def __init__(
        self,
        settings: SimulatorSettings,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._settings = settings
        self.token = secrets.token_urlsafe(24)
        self.certificates = prepare(settings.folder / "certificates", settings.host, CERTIFICATES, wall())
        self._service: ScriptedService[Effects] = ScriptedService(
            HttpServer(self._context(), self.answer, max_body=_MAX_BODY, in_memory=_IN_MEMORY),
            settings.host,
            settings.port,
            settings.behaviour.script.steps,
            clock,
        )
        people = People(dmp_base(settings.truth_file), settings.mode, settings.patients)
        authority = x509.load_pem_x509_certificate(self.certificates.ca_file.read_bytes())
        around = Surroundings(self._service.now, wall, uuid4, settings.on_call)
        self._store = DmpStore(settings.folder)
        self.engine = Engine(people, self._store, settings.behaviour, authority, around)
        self.control = Control(self.engine, self._service.now, self._service.set_clock)
        self._listing = Listing(people, self._store)

    async def start(self) -> None:
        """Listen. The script's time begins now. Raises OSError."""
        await self._service.start()

    async def stop(self) -> None:
        """Answer what has been asked, and close."""
        await self._service.stop()
        self._store.close()

    def set_clock(self, seconds: float) -> None:
        """Make it so many seconds since the start."""
        self._service.set_clock(seconds)

    def ready(self) -> dict[str, Any]:
        """Return what a client needs, as the ready file shows it; paths are absolute."""
        address = f"https://{reachable(self._settings.host)}:{self._service.server.address[1]}"
        return {
            "url": address + SERVICES,
            "ca": str(self.certificates.ca_file.resolve()),
            "clients": self.certificates.listed(),
            "mode": self.engine.people.mode,
            "people": len(self.engine.people.base),
            "patients": address + patients.PATH,
            "control": address + control.PATH,
            "token": self.token,
        }

    def answer(self, http: HttpRequest) -> HttpReply:
        """Answer any request."""
        path = http.path
        if http.method == "POST":
            return self.engine.answer(http)
        if not http.client and not self._has_token(http):
            return error_reply(401, "show a certificate of the simulator's authority, or its token (ready file)")
        for prefix, answer in ((control.PATH, self.control.answer), (patients.PATH, self._listing.answer)):
            if path == prefix or path.startswith(f"{prefix}/"):
                return answer(http)
        return error_reply(404, f"POST {SERVICES}/…, GET {patients.PATH}, GET {control.PATH}")

    def _has_token(self, http: HttpRequest) -> bool:
        """Tell whether a request has the token, as a bearer's or in its query for a browser."""
        scheme, _, given = http.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            given = next(iter(parse_qs(http.target.partition("?")[2]).get("token", [])), "")
        return hmac.compare_digest(given.strip().encode(), self.token.encode())

    def _context(self) -> ssl.SSLContext:
        """TLS that asks for a certificate, and lets a browser with the token come without one."""
        server, authority = self.certificates.server, self.certificates.ca_file
        tls = TlsSettings(str(server.cert_file), str(server.key_file), client_ca_file=str(authority))
        context = server_context(tls)
        context.verify_mode = ssl.CERT_OPTIONAL
        return context
