"""The MLLP listener: who may connect, how many, for how long; and an end that answers what was begun.

IHE ITI TF-2 C.2.1 (MLLP) and ITI-19 (mutual TLS). Over TLS the handshake is ours to run (`start_tls`), so that
connections count from their first byte, and a failed handshake is seen.
"""

import asyncio
import ssl
from collections.abc import Callable
from typing import cast

import structlog

from insigne.exchange.model import Peer
from insigne.exchange.ports import Receiver
from insigne.net.tls import PeerCertificate, TlsError, normalise_fingerprint, peer_certificate, server_context
from insigne.transport.mllp_connection import MllpConnection, MllpCounters, describe_address
from insigne.transport.settings import MllpSettings

_log = structlog.get_logger("insigne.transport.mllp")

_ABORT_SECONDS = 5.0
"""How long a stop waits for connections it has cut."""

_TLS_CLOSE_SECONDS = 3.0
"""How long a closing TLS connection waits for its peer to take the last bytes and say that it closes too."""


class MllpServer:
    """Receive messages over MLLP and hand them to a receiver; each answer goes back once the receiver gives it.

    clock: the present time, RFC 3339 UTC.
    """

    def __init__(self, settings: MllpSettings, receiver: Receiver, *, clock: Callable[[], str]) -> None:
        self.settings = settings
        self.receiver = receiver
        self.clock = clock
        self.counters = MllpCounters()
        self._connections: set[MllpConnection] = set()
        self._gates: set[_TlsGate] = set()
        self._listener: asyncio.Server | None = None
        self._sweep: asyncio.TimerHandle | None = None
        self._empty = asyncio.Event()
        self._refusing = 0
        self._senders = _Senders(settings)
        self._tls: ssl.SSLContext | None = None
        self.reload_tls()

    @property
    def address(self) -> tuple[str, int]:
        """Host and port listened on. Raises RuntimeError before the start."""
        if self._listener is None or not self._listener.sockets:
            raise RuntimeError("the MLLP server does not listen: start it first")
        host, port = self._listener.sockets[0].getsockname()[:2]
        return host, port

    def reload_tls(self) -> None:
        """Read certificates and revocation list again, for the connections to come.

        Raises TlsError; those read before then stay in use.
        """
        if self.settings.tls is not None:
            self._tls = server_context(self.settings.tls)

    async def start(self) -> None:
        """Listen. Raises OSError when the address cannot be had."""
        loop = asyncio.get_running_loop()
        settings = self.settings
        self._listener = await loop.create_server(
            self._protocol, settings.host, settings.port, backlog=settings.max_connections
        )
        self._schedule_sweep(loop)

    async def stop(self) -> None:
        """Accept nothing more, answer what is in hand within `drain_seconds`, close everything."""
        if self._listener is None:
            return
        self._listener.close()
        for gate in tuple(self._gates):
            gate.abort()
        for connection in tuple(self._connections):
            connection.drain()
        if not await self._all_closed(self.settings.drain_seconds):
            _log.warning("mllp.drain-cut", connections=len(self._connections))
            for connection in tuple(self._connections):
                connection.abort()
            await self._all_closed(_ABORT_SECONDS)
        if self._sweep is not None:
            self._sweep.cancel()
        await self._listener.wait_closed()

    def admit(self, connection: MllpConnection, transport: asyncio.Transport) -> Peer | None:
        """Register a connection and tell who it is; None when it must be closed at once."""
        if self._listener is None or not self._listener.is_serving() or self._is_full():
            self._count_refusal()
            return None
        address = describe_address(transport)
        certificate = peer_certificate(transport.get_extra_info("ssl_object"))
        peer = self._senders.recognise(address, certificate)
        if peer is None:
            self.counters.refused += 1
            shown = certificate or PeerCertificate("", "")
            _log.warning("mllp.unknown-certificate", address=address, fingerprint=shown.fingerprint, name=shown.name)
            return None
        self._connections.add(connection)
        self._count()
        return peer

    def forget(self, connection: MllpConnection) -> None:
        """Unregister a connection that is closed."""
        self._connections.discard(connection)
        self._count()

    def _protocol(self) -> asyncio.Protocol:
        self.counters.connections += 1
        connection = MllpConnection(self, asyncio.get_running_loop().time)
        return connection if self._tls is None else _TlsGate(self, self._tls, connection)

    def open_gate(self, gate: "_TlsGate") -> bool:
        """Give a place to a handshake; False when there is none."""
        if self._is_full():
            self._count_refusal()
            return False
        self._gates.add(gate)
        self._count()
        return True

    def close_gate(self, gate: "_TlsGate") -> None:
        """Give back the place of a handshake that is over."""
        self._gates.discard(gate)
        self._count()

    def _is_full(self) -> bool:
        return self.counters.open >= self.settings.max_connections

    def _count(self) -> None:
        self.counters.open = len(self._connections) + len(self._gates)
        if not self.counters.open:
            self._empty.set()
        else:
            self._empty.clear()
        if self._refusing and not self._is_full():
            _log.info("mllp.accepting-again", refused=self._refusing)
            self._refusing = 0

    def _count_refusal(self) -> None:
        """Say once that connections are refused, and how many were when it is over: a storm must not fill the log."""
        self.counters.refused += 1
        if not self._refusing:
            _log.warning("mllp.too-many-connections", limit=self.settings.max_connections)
        self._refusing += 1

    async def _all_closed(self, seconds: float) -> bool:
        if not self.counters.open:
            return True
        try:
            await asyncio.wait_for(self._empty.wait(), seconds)
        except TimeoutError:
            return False
        return True

    def _schedule_sweep(self, loop: asyncio.AbstractEventLoop) -> None:
        """Look at all connections from time to time, rather than keep a timer for each: reading stays cheap."""
        settings = self.settings
        shortest = min(settings.idle_seconds, settings.frame_seconds, settings.answer_seconds)
        self._sweep = loop.call_later(min(1.0, shortest / 4), self._check_times, loop)

    def _check_times(self, loop: asyncio.AbstractEventLoop) -> None:
        now = loop.time()
        for connection in tuple(self._connections):
            connection.check_time(now)
        self._schedule_sweep(loop)


class _Senders:
    """Who may send, by certificate."""

    def __init__(self, settings: MllpSettings) -> None:
        self._by_fingerprint: dict[str, str] = {}
        self._by_name: dict[str, str] = {}
        self._open = not settings.senders
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

    def recognise(self, address: str, certificate: PeerCertificate | None) -> Peer | None:
        """Return the peer, None when it may not send."""
        if certificate is None:
            return Peer(address, "mllp") if self._open else None
        name = self._by_fingerprint.get(certificate.fingerprint) or self._by_name.get(certificate.name)
        if name is None and not self._open:
            return None
        return Peer(name or certificate.name or address, "mllp", certificate.fingerprint, certificate.name)


class _TlsGate(asyncio.Protocol):
    """Stands for a connection until its handshake is over, then hands it its transport and what came early."""

    def __init__(self, server: MllpServer, context: ssl.SSLContext, connection: MllpConnection) -> None:
        self._server = server
        self._context = context
        self._connection = connection
        self._early = bytearray()  # what the peer sent right behind its last handshake message: one read at most
        self._task: asyncio.Task[None] | None = None
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin the handshake; nothing is read in clear."""
        self._transport = cast("asyncio.Transport", transport)
        if not self._server.open_gate(self):
            self._transport.abort()
            return
        self._transport.pause_reading()
        self._task = asyncio.get_running_loop().create_task(self._shake_hands(self._transport))

    def data_received(self, data: bytes) -> None:
        """Keep what comes before the connection stands."""
        self._early += data

    def abort(self) -> None:
        """Give up the handshake."""
        if self._task is not None:
            self._task.cancel()

    async def _shake_hands(self, transport: asyncio.Transport) -> None:
        tls: asyncio.Transport | None = None
        try:
            tls = await asyncio.get_running_loop().start_tls(
                transport,
                self,
                self._context,
                server_side=True,
                ssl_handshake_timeout=self._server.settings.handshake_seconds,
                ssl_shutdown_timeout=_TLS_CLOSE_SECONDS,
            )
        except OSError as error:
            self._server.counters.handshakes_failed += 1
            reason = getattr(error, "reason", None) or type(error).__name__
            _log.warning("mllp.handshake-failed", address=describe_address(transport), reason=reason)
        finally:
            if tls is None:
                transport.abort()
            self._server.close_gate(self)
        if tls is not None and not tls.is_closing():
            tls.set_protocol(self._connection)
            self._connection.connection_made(tls)
            if self._early:
                self._connection.data_received(bytes(self._early))
