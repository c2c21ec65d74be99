"""Starts the second process when it is of use, hands it connections, does without it when it fails."""

import asyncio
import math
import os
import socket
import subprocess
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Final

import structlog

from insigne import __version__
from insigne.exchange.elsewhere import Site
from insigne.exchange.ports import ReadReceiver
from insigne.transport.front.link import Link, Patience
from insigne.transport.front.wire import HANDED, Setup
from insigne.transport.mllp_connection import MllpCounters
from insigne.transport.settings import MllpSettings

_log = structlog.get_logger("insigne.transport.mllp")
#: How long a front that has answered everything, or cut what it could not, may take to end.
_LAST_WORDS_SECONDS: Final = 8.0
#: The longest time that fronts are done without, in seconds, when none of them starts.
_LONGEST_PAUSE: Final = 3600.0
_PATIENT: Final = Patience()
_QUOTA: Final = Path("/sys/fs/cgroup/cpu.max")


def worthwhile() -> bool:
    """Whether there is a processor for a second process, and a way to hand it connections."""
    if not hasattr(socket, "send_fds"):
        return False
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(usable, _quota(_QUOTA)) > 1


def _quota(file: Path) -> float:
    """How many processors a container may use at a time (cgroup v2)."""
    try:
        granted, period = file.read_text().split()
        return int(granted) / int(period)
    except (OSError, ValueError):  # no such file, or "max"
        return math.inf


class Front:
    """The `mllp_server.Elsewhere` of the listener. Lives in one event loop.

    Its connections end with it: their senders connect again, to whoever serves them then, and send again what was not
    acknowledged, which is answered from the log if it was kept.
    """

    def __init__(
        self,
        settings: MllpSettings,
        receiver: ReadReceiver,
        site: Site,
        *,
        command: Sequence[str],
        patience: Patience = _PATIENT,
    ) -> None:
        """`command` starts the program that calls `child.run`, its link as standard input."""
        self._settings = settings
        self._receiver = receiver
        self._site = site
        self._command = command
        self._patience = patience
        self._loop = asyncio.get_running_loop()
        self._process: asyncio.subprocess.Process | None = None
        self._hand: socket.socket | None = None
        self._link: Link | None = None
        self._starting: asyncio.Task[None] | None = None
        self._not_before = 0.0
        self._pause = patience.again
        self._past = MllpCounters()  # what fronts that are gone had counted
        self._stopping = False

    @property
    def pid(self) -> int | None:
        """The number of the process; None when none runs."""
        return self._process.pid if self._process is not None and self._link is not None else None

    @property
    def ready(self) -> bool:
        """See `Elsewhere.ready`."""
        return self._link is not None and not self._stopping

    @property
    def counters(self) -> MllpCounters:
        """What it saw, up to a fraction of a second ago; connections are counted by who hands them over."""
        link = self._link  # read once: those who ask are in other threads
        return self._past + replace(link.counters, open=0) if link is not None else self._past

    def started(self) -> asyncio.Future[None] | None:
        """See `Elsewhere.started`."""
        wanted = self._link is None and not self._stopping and self._loop.time() >= self._not_before
        if wanted and self._starting is None:
            self._starting = self._loop.create_task(self._start())
        return self._starting

    def take(self, descriptor: int, freed: Callable[[], None]) -> bool:
        """See `Elsewhere.take`."""
        if not self.ready or self._link is None or self._hand is None:
            return False
        number = self._link.hold(freed)
        try:
            socket.send_fds(self._hand, [number.to_bytes(HANDED, "big")], [descriptor])
        except OSError:  # it takes none for the moment, or is about to be lost
            self._link.release(number)
            return False
        return True

    async def stop(self) -> None:
        """Have it answer what is in hand within `drain_seconds`, then end it."""
        self._stopping = True
        if self._starting is not None:
            self._kill()
            await self._starting
        if self._link is not None:
            self._link.stop()
            await asyncio.wait({self._link.lost}, timeout=self._settings.drain_seconds + _LAST_WORDS_SECONDS)
        self._kill()
        if self._process is not None:
            await self._process.wait()

    async def _start(self) -> None:
        try:
            link = await self._connected()
        except Exception as error:  # whatever it is: the listener waits for the end of this, and goes on without
            self._fail()
            _log.warning("mllp.front-not-started", error=type(error).__name__)
        else:
            if await link.ready and not link.lost.done():
                self._link, self._pause = link, self._patience.again
                _log.info("mllp.front-ready")
        finally:
            self._starting = None

    async def _connected(self) -> Link:
        """Start the process, and its end here. Raises OSError, RuntimeError (uvloop's, of a process), ValueError."""
        ours, theirs = socket.socketpair()
        hand, taken = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        hand.setblocking(False)
        try:
            with theirs, taken:
                # A session of its own: a Ctrl-C at the terminal is for the first process, which stops this one.
                self._process = await asyncio.create_subprocess_exec(
                    *self._command,
                    stdin=theirs.fileno(),
                    stdout=subprocess.DEVNULL,
                    start_new_session=True,
                    pass_fds=(taken.fileno(),),
                )
                if self._stopping:
                    self._kill()
                level = structlog.get_logger().bind().get_effective_level()
                setup = Setup(__version__, self._settings, self._site, taken.fileno(), level)
            link = Link(setup, self._receiver, self._patience, undelivered=self._count_undelivered, lost=self._lose)
            self._hand = hand  # before the link is there: it may be lost as soon as that, and closes this too
            await self._loop.create_connection(lambda: link, sock=ours)
            if link.lost.done():
                ours.detach()  # uvloop has closed its file and not told it: the number may be another file's by now
        except BaseException:
            ours.close()
            hand.close()
            raise
        return link

    def _count_undelivered(self) -> None:
        self._past.undelivered += 1

    def _lose(self, link: Link) -> None:
        """Do without it, for a while."""
        if not self._stopping:
            _log.warning("mllp.front-lost" if link.ready.done() and link.ready.result() else "mllp.front-not-started")
        self._past += replace(link.counters, open=0)
        self._fail()

    def _fail(self) -> None:
        self._link = None
        self._not_before = self._loop.time() + self._pause
        self._pause = min(2 * self._pause, _LONGEST_PAUSE)  # connections wait while one starts: not for nothing, often
        if self._hand is not None:
            self._hand.close()
            self._hand = None
        self._kill()

    def _kill(self) -> None:
        if self._process is not None:
            with suppress(ProcessLookupError):
                self._process.kill()
