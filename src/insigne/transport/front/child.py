"""The front: serves the connections it is handed until it is told to stop, or the first process is gone."""

import asyncio
import ctypes
import gc
import signal
import socket
import sys
from collections.abc import Callable
from functools import partial
from typing import Final

import structlog

from insigne import __version__
from insigne.exchange.elsewhere import reader_of
from insigne.net.tls import TlsError
from insigne.pam.editions import EDITIONS, NEWEST
from insigne.pam.validate import warm
from insigne.transport.front.forward import Forwarder
from insigne.transport.front.wire import HANDED
from insigne.transport.mllp_server import MllpServer

_log = structlog.get_logger("insigne.tls")
#: prctl(2), Linux.
_PR_SET_PDEATHSIG: Final = 1


async def run(connection: socket.socket, *, clock: Callable[[], str], configure: Callable[[int], None]) -> None:
    """Serve. `connection` leads to the first process; `configure` sets logs from a level of `logging` on.

    `clock`: the present, RFC 3339 UTC.
    """
    loop = asyncio.get_running_loop()
    _, forwarder = await loop.create_connection(Forwarder, sock=connection)
    setup = await forwarder.setup
    if setup is None:
        return
    configure(setup.log_level)
    try:
        server = MllpServer(setup.settings, forwarder, clock=clock)
    except TlsError as error:  # files that were replaced since the first process has read them
        _log.warning("tls.files-not-read-again", reason=str(error))
        return
    with socket.socket(fileno=setup.hand) as hand:
        hand.setblocking(False)
        take = partial(_take, hand, server, forwarder)
        server.begin()
        loop.add_reader(hand, take)
        _settle()
        forwarder.begin(reader_of(setup.site), server.counters, __version__)
        stopping = asyncio.ensure_future(_stopped(forwarder, server, take))
        await asyncio.wait({stopping, forwarder.lost}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        loop.remove_reader(hand)


def _take(hand: socket.socket, server: MllpServer, forwarder: Forwarder) -> None:
    """Take every connection that was handed over."""
    while True:
        try:
            number, descriptors, _, _ = socket.recv_fds(hand, HANDED, 1)
        except BlockingIOError:
            return
        if not number:
            return  # the first process is gone
        closed = partial(forwarder.say_closed, int.from_bytes(number, "big"))
        for descriptor in descriptors:
            server.adopt(socket.socket(fileno=descriptor), closed)
        if not descriptors:  # this process can have no more of them: the system has closed it
            _log.error("mllp.cannot-accept", error="too many open files")
            closed()


def _settle() -> None:
    """Make now what the first message would wait for, and leave alone what was made: it is there to stay."""
    warm(EDITIONS[NEWEST])
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 10, 10)


async def _stopped(forwarder: Forwarder, server: MllpServer, take: Callable[[], None]) -> None:
    await forwarder.stop
    take()
    await server.stop()
    forwarder.close()
    await asyncio.shield(forwarder.lost)


def outlive_nobody() -> None:
    """End with the first process, even while busy; be stopped by it alone, not with it.

    A service manager, like a terminal, signals every process of a service: the messages in hand would go unanswered.
    """
    for ignored in (signal.SIGTERM, signal.SIGINT):
        signal.signal(ignored, signal.SIG_IGN)
    if sys.platform == "linux":  # elsewhere, the end of the link tells, as soon as the loop turns
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
