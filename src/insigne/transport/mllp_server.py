"""The MLLP listener: who may connect, how many, for how long; and an end that answers what was begun.

IHE ITI TF-2 C.2.1 (MLLP) and ITI-19 (mutual TLS). Sockets are accepted here rather than by the loop's own server, so
that a connection counts from its first byte, before its handshake, and a handshake that fails is seen.
"""

import asyncio
import socket
import ssl
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from functools import partial

import structlog

from insigne.exchange.model import Peer
from insigne.exchange.ports import Sink
from insigne.net.tls import PeerCertificate, TlsError, normalise_fingerprint, peer_certificate, server_context
from insigne.transport.elsewhere import Elsewhere, Nowhere
from insigne.transport.mllp_connection import MllpConnection, MllpCounters
from insigne.transport.settings import MllpSettings

_log = structlog.get_logger("insigne.transport.mllp")

_ABORT_SECONDS = 5.0
"""How long a stop waits for connections it has cut."""

_BACKLOG = 128
"""Connections the system keeps until they are accepted; one too many must be refused here, not wait out there."""

_ACCEPT_PAUSE = 1.0
"""How long nothing is accepted after the system refused to give a socket: it has no more file descriptors."""

_TLS_CLOSE_SECONDS = 3.0
"""How long a closing TLS connection waits for its peer to take the last bytes and say that it closes too."""


class MllpServer:
    """Receive messages over MLLP and hand them to a receiver; each answer goes back once the receiver gives it.

    clock: the present time, RFC 3339 UTC. Raises TlsError when certificates or the list of senders cannot be used.
    """

    def __init__(
        self, settings: MllpSettings, receiver: Sink, *, clock: Callable[[], str], elsewhere: Elsewhere | None = None
    ) -> None:
        """`elsewhere` serves connections as soon as there are several, if it can.

        Alone, a message gets its answer sooner here; what several senders say is read there while this process decides.
        """
        self.settings = settings
        self.receiver = receiver
        self.clock = clock
        self.counters = MllpCounters()
        self._elsewhere = elsewhere or Nowhere()
        self._there = 0  # connections served elsewhere
        self._adopted: dict[MllpConnection, Callable[[], None]] = {}
        self._senders = _Senders(settings)
        self._tls: ssl.SSLContext | None = None
        self._sockets: list[socket.socket] = []
        self._greetings: dict[asyncio.Task[None], MllpConnection] = {}
        self._connections: dict[MllpConnection, str] = {}  # from their acceptance on, with the address of the peer
        self._peers: Counter[str] = Counter()  # connections by address
        self._empty = asyncio.Event()
        self._empty.set()
        self._sweep: asyncio.TimerHandle | None = None
        self._refusing: Counter[str] = Counter()
        """Refusals since the last time that all connections found a place, by address; "" for want of any place."""
        self._refusing_before: Counter[str] = Counter()
        self.reload_tls()

    @property
    def address(self) -> tuple[str, int]:
        """Host and port listened on. Raises RuntimeError when there are none."""
        if not self._sockets:
            raise RuntimeError("the MLLP server does not listen: start it first")
        host, port = self._sockets[0].getsockname()[:2]
        return host, port

    @property
    def seen(self) -> MllpCounters:
        """What was seen here and elsewhere."""
        return self.counters + self._elsewhere.counters

    def reload_tls(self) -> None:
        """Read certificates and revocation list again, for the connections to come.

        Raises TlsError; those read before then stay in use.
        """
        if self.settings.tls is not None:
            self._tls = server_context(self.settings.tls)

    async def start(self) -> None:
        """Listen. Raises OSError when the address cannot be had."""
        loop = asyncio.get_running_loop()
        self._sockets = await _listen(self.settings.host, self.settings.port)
        for listening in self._sockets:
            loop.add_reader(listening, self._accept, listening)
        self.begin()

    def begin(self) -> None:
        """Look after connections: `start` does it; without, only those that are adopted are served."""
        self._schedule_sweep(asyncio.get_running_loop())

    def adopt(self, accepted: socket.socket, closed: Callable[[], None]) -> None:
        """Serve a connection that another process has accepted, and found a place for; `closed` says that it ended."""
        try:
            peer = str(accepted.getpeername()[0])
        except OSError:  # it has gone already
            accepted.close()
            closed()
            return
        self._adopted[self._serve(accepted, peer)] = closed

    async def stop(self) -> None:
        """Accept nothing more, answer what is in hand within `drain_seconds`, close everything."""
        loop = asyncio.get_running_loop()
        for listening in self._sockets:
            loop.remove_reader(listening)
            listening.close()
        self._sockets.clear()
        await self._end_greetings()
        for connection in tuple(self._connections):
            connection.drain()
        elsewhere = asyncio.ensure_future(self._elsewhere.stop())
        if not await self._all_closed(self.settings.drain_seconds):
            _log.warning("mllp.drain-cut", connections=len(self._connections))
            for connection in tuple(self._connections):
                connection.abort()
            await self._all_closed(_ABORT_SECONDS)
        await elsewhere
        if self._sweep is not None:
            self._sweep.cancel()

    def admit(self, transport: asyncio.Transport) -> Peer | None:
        """Tell who has connected; None when it must be closed at once."""
        peername = transport.get_extra_info("peername")
        address = str(peername[0]) if peername else ""
        certificate = peer_certificate(transport.get_extra_info("ssl_object"))
        peer = self._senders.recognise(address, certificate)
        if peer is None:
            self.counters.refused += 1
            shown = certificate or PeerCertificate("", "")
            _log.warning("mllp.unknown-certificate", address=address, fingerprint=shown.fingerprint, name=shown.name)
        return peer

    def frame_limit(self, peer: Peer) -> int:
        """The largest message accepted from a peer."""
        return self._senders.limit(peer) or self.settings.max_frame_bytes

    @property
    def moving(self) -> bool:
        """Whether connections are to leave for another process, between two messages (`move`)."""
        return self._elsewhere.ready

    def move(self, connection: MllpConnection, transport: asyncio.Transport) -> bool:
        """Whether another process serves it from now on: not over TLS, of which each end has a state of its own."""
        if transport.get_extra_info("ssl_object") is not None:
            return False
        if not self._hand_over(transport.get_extra_info("socket"), self._connections[connection]):
            return False
        self.forget(connection)  # it has a place there: the one it had here is for another
        return True

    def forget(self, connection: MllpConnection) -> None:
        """Take back the place of a connection that is closed."""
        address = self._connections.pop(connection, None)
        if address is not None:
            self._free(address)
        if not self._connections:
            self._empty.set()
        if (closed := self._adopted.pop(connection, None)) is not None:
            closed()

    def _occupy(self, address: str) -> None:
        self._peers[address] += 1
        self.counters.open = len(self._connections) + self._there

    def _free(self, address: str) -> None:
        self._peers[address] -= 1
        if not self._peers[address]:
            del self._peers[address]
        self.counters.open = len(self._connections) + self._there

    def _free_there(self, address: str) -> None:
        self._there -= 1
        self._free(address)

    def _accept(self, listening: socket.socket) -> None:
        """Take the connection that waits, if there is a place for it."""
        loop = asyncio.get_running_loop()
        if self._connections and (starting := self._elsewhere.started()) is not None:
            loop.remove_reader(listening)  # whoever connects waits a moment, rather than be served here for good
            starting.add_done_callback(lambda _: self._accept_again(listening))
            return
        try:
            accepted, address = listening.accept()
        except (BlockingIOError, InterruptedError, ConnectionAbortedError):
            return  # it has gone already
        except OSError as error:
            _log.error("mllp.cannot-accept", error=error.strerror)
            loop.remove_reader(listening)
            loop.call_later(_ACCEPT_PAUSE, self._accept_again, listening)
            return
        self.counters.connections += 1
        peer = str(address[0])
        if self.counters.open >= self.settings.max_connections:
            self._refuse(accepted)
            return
        if self._peers[peer] >= self.settings.connections_per_peer:
            self._refuse(accepted, peer)
            return
        if self._hand_over(accepted, peer):
            accepted.close()  # the other process has it
        else:
            self._serve(accepted, peer)

    def _hand_over(self, connected: socket.socket, peer: str) -> bool:
        """Whether another process serves a connection from now on; it takes a place as here."""
        if not self._elsewhere.take(connected.fileno(), partial(self._free_there, peer)):
            return False
        self._there += 1
        self._occupy(peer)
        return True

    def _serve(self, accepted: socket.socket, peer: str) -> MllpConnection:
        loop = asyncio.get_running_loop()
        connection = MllpConnection(self, loop.time)
        self._connections[connection] = peer
        self._occupy(peer)
        self._empty.clear()
        greeting = loop.create_task(self._greet(accepted, peer, connection))
        self._greetings[greeting] = connection
        greeting.add_done_callback(self._greetings.pop)
        return connection

    def _accept_again(self, listening: socket.socket) -> None:
        if listening in self._sockets:
            asyncio.get_running_loop().add_reader(listening, self._accept, listening)

    def _refuse(self, accepted: socket.socket, peer: str = "") -> None:
        """Say once that connections are refused, and how many when it is over: a storm must not fill the log.

        `peer`: the address that has all it may have; none, when there is no place for anybody.
        """
        accepted.close()
        self.counters.refused += 1
        if peer not in self._refusing and peer:
            limit = self.settings.connections_per_peer
            _log.warning("mllp.too-many-connections-of-peer", address=peer, limit=limit)
        elif peer not in self._refusing:
            _log.warning("mllp.too-many-connections", limit=self.settings.max_connections)
        self._refusing[peer] += 1

    async def _greet(self, accepted: socket.socket, address: str, connection: MllpConnection) -> None:
        """Run the handshake if there is one, and attach the connection to its socket."""
        limits = {}
        if self._tls is not None:
            handshake = self.settings.handshake_seconds
            limits = {"ssl_handshake_timeout": handshake, "ssl_shutdown_timeout": _TLS_CLOSE_SECONDS}
        loop = asyncio.get_running_loop()
        try:
            accepted.setblocking(False)
            with suppress(OSError):  # answers are small: they must not wait for one another
                accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            await loop.connect_accepted_socket(lambda: connection, accepted, ssl=self._tls, **limits)
        except OSError as error:
            self.counters.handshakes_failed += 1
            reason = getattr(error, "reason", None) or type(error).__name__
            _log.warning("mllp.handshake-failed", address=address, reason=reason)
        except asyncio.CancelledError:
            self.forget(connection)  # uvloop may have told it of its transport, and closes that without another word
            raise
        finally:
            if not connection.made:
                self.forget(connection)

    async def _end_greetings(self) -> None:
        """Give up the handshakes that are under way.

        A task cancelled before its first step would never close its socket, hence the turn of the loop. Once it has its
        transport a connection is drained as the others: to cancel its greeting would lose it.
        """
        await asyncio.sleep(0)
        unfinished = [greeting for greeting, connection in self._greetings.items() if not connection.made]
        for greeting in unfinished:
            greeting.cancel()
        await asyncio.gather(*unfinished, return_exceptions=True)

    async def _all_closed(self, seconds: float) -> bool:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._empty.wait(), seconds)
        return not self._connections

    def _schedule_sweep(self, loop: asyncio.AbstractEventLoop) -> None:
        """Look at all connections from time to time, rather than keep a timer for each: reading stays cheap."""
        settings = self.settings
        shortest = min(settings.idle_seconds, settings.frame_seconds, settings.answer_seconds)
        self._sweep = loop.call_later(min(1.0, shortest / 4), self._check_times, loop)

    def _check_times(self, loop: asyncio.AbstractEventLoop) -> None:
        now = loop.time()
        for connection in tuple(self._connections):
            connection.check_time(now)
        if len(self._connections) > 1:  # the other process was lost, they all came back here and stay connected
            self._elsewhere.started()
        for peer, refused in tuple(self._refusing.items()):
            if refused == self._refusing_before[peer]:
                _log.info("mllp.accepting-again", refused=refused, **{"address": peer} if peer else {})
                del self._refusing[peer]
        self._refusing_before = self._refusing.copy()
        self._schedule_sweep(loop)


async def _listen(host: str, port: int) -> list[socket.socket]:
    """Listen on every address of `host`, on one port. Raises OSError when none can be had."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    sockets: list[socket.socket] = []
    failure: OSError | None = None
    for family, address in dict.fromkeys((family, address) for family, _, _, _, address in found):
        if sockets:
            port = sockets[0].getsockname()[1]  # a free port was asked for: the same for all addresses
        try:
            listening = socket.create_server((address[0], port, *address[2:]), family=family, backlog=_BACKLOG)
        except OSError as error:
            failure = error  # as when a host name has an IPv6 address, and the machine no IPv6
            continue
        listening.setblocking(False)
        sockets.append(listening)
    if not sockets:
        raise failure or OSError(f"{host} has no address to listen on")
    return sockets


class _Senders:
    """Who may send, by certificate."""

    def __init__(self, settings: MllpSettings) -> None:
        self._by_fingerprint: dict[str, str] = {}
        self._by_name: dict[str, str] = {}
        self._open = not settings.senders
        self._limits = {sender.name: sender.max_frame_bytes for sender in settings.senders}
        if settings.senders and (settings.tls is None or not settings.tls.client_ca_file):
            raise TlsError("mllp.senders needs mllp.tls.client_ca_file: only a verified certificate tells who sends")
        for sender in settings.senders:
            if bool(sender.fingerprint) == bool(sender.certificate_name):
                raise TlsError(f"mllp.senders {sender.name!r}: give either fingerprint or certificate_name")
            if sender.certificate_name:
                self._by_name[sender.certificate_name] = sender.name
                continue
            try:
                self._by_fingerprint[normalise_fingerprint(sender.fingerprint)] = sender.name
            except ValueError as error:
                raise TlsError(f"mllp.senders {sender.name!r}: {error}") from error

    def limit(self, peer: Peer) -> int:
        """The largest message that a sender known by its certificate was granted; 0 without such a grant."""
        return self._limits.get(peer.name, 0) if peer.fingerprint else 0

    def recognise(self, address: str, certificate: PeerCertificate | None) -> Peer | None:
        """Return the peer, None when it may not send."""
        if certificate is None:
            return Peer(address, "mllp") if self._open else None
        name = self._by_fingerprint.get(certificate.fingerprint) or self._by_name.get(certificate.name)
        if name is None and not self._open:
            return None
        return Peer(name or certificate.name or address, "mllp", certificate.fingerprint, certificate.name)
