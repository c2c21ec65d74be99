"""The simulator assembled: certificates, national base, HTTPS server, script. One object, started and stopped."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from insigne.net.settings import TlsSettings
from insigne.net.tls import server_context
from insigne.simulate import control
from insigne.simulate.certificates import Names, prepare, reachable
from insigne.simulate.https import HttpReply, HttpRequest, HttpServer
from insigne.simulate.insi.control import Control
from insigne.simulate.insi.engine import NAMESPACES, Behaviour, Engine
from insigne.simulate.insi.national import NationalBase
from insigne.simulate.insi.people import TestPeople, national_base, test_people
from insigne.simulate.insi.script import Effects
from insigne.simulate.insi.verification import Verification
from insigne.simulate.scripted import ScriptedService
from insigne.simulate.spoil import spoil, unavailable

SERVICE_PATH: Final = "/lps"
VERIFICATION_PATH: Final = "/verification"

CERTIFICATES: Final = Names("Insigne INSi simulator CA", "serveur-insi", ("INSI-AUTO", "INSI-MANU", "AUTRE-CN"))
"""The last client is there to be refused (desir_560)."""


@dataclass(frozen=True, slots=True)
class SimulatorSettings:
    """Where to listen, where certificates are kept, who is in the base and how the téléservice behaves at first.

    `truth_file`: people of a generated hospital, on top of the test people. `batch_seconds`: how long a batch of
    verifications takes.
    """

    folder: Path
    host: str = "127.0.0.1"
    port: int = 0
    truth_file: Path | None = None
    behaviour: Behaviour = field(default_factory=Behaviour)
    batch_seconds: float = 2.0


class InsiSimulator:
    """The téléservice on a port. `clock` gives seconds that only go forward.

    Raises OSError, `people.PeopleError`, ValueError for a fixture that does not exist.
    """

    def __init__(self, settings: SimulatorSettings, clock: Callable[[], float] = time.monotonic) -> None:
        self._settings = settings
        people: TestPeople = test_people()
        people.check_fixtures(settings.behaviour.fixtures)
        base: NationalBase = national_base(settings.truth_file)
        self.certificates = prepare(settings.folder, settings.host, CERTIFICATES, datetime.now(UTC))
        server = self.certificates.server
        tls = TlsSettings(str(server.cert_file), str(server.key_file), client_ca_file=str(self.certificates.ca_file))
        self._service: ScriptedService[Effects] = ScriptedService(
            HttpServer(server_context(tls), self.answer),
            settings.host,
            settings.port,
            settings.behaviour.script.steps,
            clock,
        )
        self.engine = Engine(base, people, settings.behaviour, self._service.now)
        self._verification = Verification(base, self._service.now, settings.batch_seconds)
        self.control = Control(self.engine, people, self._verification, self._service.set_clock)

    async def start(self) -> None:
        """Listen. The script's time begins now."""
        await self._service.start()

    async def stop(self) -> None:
        """Answer what has been asked, and close."""
        await self._service.stop()

    def set_clock(self, seconds: float) -> None:
        """Make it so many seconds since the start."""
        self._service.set_clock(seconds)

    def ready(self) -> dict[str, Any]:
        """Return what a client needs, as the ready file shows it; paths are absolute."""
        address = f"https://{reachable(self._settings.host)}:{self._service.server.address[1]}"
        return {
            "url": address + SERVICE_PATH,
            "ca": str(self.certificates.ca_file.resolve()),
            "clients": self.certificates.listed(),
            "idam": min(self.engine.behaviour.idams),
            "mode": self.engine.behaviour.mode,
            "people": len(self.engine.base),
            "control": address + control.PATH,
            "verification": address + VERIFICATION_PATH,
        }

    def answer(self, http: HttpRequest) -> HttpReply:
        """Answer any request."""
        path = http.path
        if path == SERVICE_PATH:
            return self.engine.answer(http)
        if path == control.PATH or path.startswith(control.PATH + "/"):
            return self.control.answer(http)
        if path.startswith(VERIFICATION_PATH + "/"):
            effects = self.engine.effects()
            if effects.outage or effects.http:
                return unavailable(effects)
            return spoil(self._verification.answer(http, path.removeprefix(VERIFICATION_PATH)), effects, NAMESPACES)
        return HttpReply(404, b"POST /lps", "text/plain")
