"""The second process: started when it is of use, ended with the first, done without when it fails."""

import asyncio
import os
import socket
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

import structlog

from insigne.exchange.reader.link import Link, Patience, Told
from insigne.exchange.reader.wire import Site

_log = structlog.get_logger("insigne.exchange.reader")
_COMMAND: Final = (sys.executable, "-P", "-m", "insigne.exchange.reader.child")
_PATIENT: Final = Patience()


def worthwhile() -> bool:
    """Whether there is a processor for a second process."""
    if hasattr(os, "sched_getaffinity"):  # not everywhere
        return len(os.sched_getaffinity(0)) > 1
    return (os.cpu_count() or 1) > 1


class SecondReader:
    """Lives in one event loop. `messages` counts those it was given to read."""

    def __init__(self, site: Site, *, command: Sequence[str] = _COMMAND, patience: Patience = _PATIENT) -> None:
        self.messages = 0
        self._site = site
        self._command = command
        self._patience = patience
        self._loop = asyncio.get_running_loop()
        self._process: asyncio.subprocess.Process | None = None
        self._link: Link | None = None
        self._starting: asyncio.Task[None] | None = None
        self._not_before = 0.0
        self._closed = False

    @property
    def pid(self) -> int | None:
        """The number of the process; None when none runs."""
        return self._process.pid if self._process is not None and self._link is not None else None

    @property
    def starting(self) -> bool:
        """Whether it was started and is not ready yet."""
        return self._starting is not None

    def offer(self, raw: bytes, told: Told) -> bool:
        """Have a message read; whether it is taken: otherwise `told` is never called. Starts the process if need be.

        `told` is called once, from the event loop, in the order of the offers, never before this returns.
        """
        if self._link is None:
            if self._starting is None and not self._closed and self._loop.time() >= self._not_before:
                self._starting = self._loop.create_task(self._start())
            return False
        taken = self._link.offer(raw, told)
        self.messages += taken
        return taken

    async def start(self) -> bool:
        """Start it before there is need; whether it is ready."""
        if self._link is None and self._starting is None:
            self._starting = self._loop.create_task(self._start())
        if self._starting is not None:
            await self._starting
        return self._link is not None

    async def _start(self) -> None:
        try:
            link = await self._connected()
        except (OSError, RuntimeError) as error:  # RuntimeError: what uvloop says of a process it cannot start now
            self._fail()
            _log.warning("second reader not started", error=type(error).__name__)
        else:
            if await link.ready and link.alive:
                self._link = link
        finally:
            self._starting = None

    async def _connected(self) -> Link:
        """Start the process, and its end here. Raises OSError, RuntimeError."""
        ours, theirs = socket.socketpair()
        try:
            with theirs:
                # A session of its own: a Ctrl-C at the terminal is for the first process, which ends this one.
                self._process = await asyncio.create_subprocess_exec(
                    *self._command, stdin=theirs.fileno(), stdout=subprocess.DEVNULL, start_new_session=True
                )
            if self._closed:
                self._kill()
            link = Link(self._site, self._patience, self._lost)
            await self._loop.create_connection(lambda: link, sock=ours)
        except BaseException:
            ours.close()
            raise
        return link

    def _lost(self) -> None:
        if not self._closed:
            _log.warning("second reader lost")
        self._fail()

    def _fail(self) -> None:
        """Do without it, for a while."""
        self._link = None
        self._not_before = self._loop.time() + self._patience.again
        self._kill()

    def _kill(self) -> None:
        if self._process is not None:
            with suppress(ProcessLookupError):
                self._process.kill()

    async def close(self) -> None:
        """End it, for good; what it had in hand is told unread."""
        self._closed = True
        if self._starting is not None:
            self._kill()
            await self._starting
        if self._link is not None:
            self._link.close()
        if self._process is not None:
            await self._process.wait()
