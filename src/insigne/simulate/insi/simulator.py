"""The simulator assembled: certificates, national base, HTTPS server, script. One object, started and stopped."""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from insigne.net.settings import TlsSettings
from insigne.net.tls import server_context
from insigne.simulate.insi import certificates, control
from insigne.simulate.insi.control import Control
from insigne.simulate.insi.engine import Behaviour, Engine
from insigne.simulate.insi.national import NationalBase
from insigne.simulate.insi.people import TestPeople, national_base, test_people
from insigne.simulate.insi.server import HttpReply, HttpRequest, HttpServer
from insigne.simulate.insi.spoil import spoil, unavailable
from insigne.simulate.insi.verification import Verification

SERVICE_PATH: Final = "/lps"
VERIFICATION_PATH: Final = "/verification"


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
        self._clock = clock
        self._origin = clock()
        people: TestPeople = test_people()
        people.check_fixtures(settings.behaviour.fixtures)
        base: NationalBase = national_base(settings.truth_file)
        self.engine = Engine(base, people, settings.behaviour, self.now)
        self._verification = Verification(base, self.now, settings.batch_seconds)
        self.control = Control(self.engine, people, self._verification, self.set_clock)
        self.certificates = certificates.prepare(settings.folder, settings.host, datetime.now(UTC))
        server = self.certificates.server
        tls = TlsSettings(str(server.cert_file), str(server.key_file), client_ca_file=str(self.certificates.ca_file))
        self._server = HttpServer(server_context(tls), self.answer)
        self._clock_set = asyncio.Event()
        self._watching: asyncio.Task[None] | None = None

    def now(self) -> float:
        """Return the seconds since the start, as scripts count them."""
        return self._clock() - self._origin

    def set_clock(self, seconds: float) -> None:
        """Make it so many seconds since the start."""
        self._origin = self._clock() - seconds
        self._clock_set.set()

    async def start(self) -> None:
        """Listen. The script's time begins now."""
        self._origin = self._clock()
        await self._server.start(self._settings.host, self._settings.port)
        self._watching = asyncio.create_task(self._follow_script())

    async def stop(self) -> None:
        """Answer what has been asked, and close."""
        if self._watching is not None:
            self._watching.cancel()
            with suppress(asyncio.CancelledError):
                await self._watching
        await self._server.stop()

    def ready(self) -> dict[str, Any]:
        """Return what a client needs, as the ready file shows it; paths are absolute."""
        host, port = certificates.reachable(self._settings.host), self._server.address[1]
        address = f"https://{host}:{port}"
        clients = {
            name: {"cert": str(issued.cert_file.resolve()), "key": str(issued.key_file.resolve())}
            for name, issued in self.certificates.clients.items()
        }
        return {
            "url": address + SERVICE_PATH,
            "ca": str(self.certificates.ca_file.resolve()),
            "clients": clients,
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
            return spoil(self._verification.answer(http, path.removeprefix(VERIFICATION_PATH)), effects)
        return HttpReply(404, b"POST /lps", "text/plain")

    async def _follow_script(self) -> None:
        """Close and open the port as the script says."""
        script = self.engine.behaviour.script
        while True:
            if script.refused(self.now()):
                await self._server.refuse()
            else:
                await self._server.start(self._settings.host, self._server.address[1])
            moment = script.next_change(self.now())
            wait = None if moment is None else max(0.0, moment - self.now())
            with suppress(TimeoutError):
                await asyncio.wait_for(self._clock_set.wait(), wait)
            self._clock_set.clear()
