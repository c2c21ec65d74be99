"""A small HTTPS server that may misbehave: late answers, half answers, closed and refused connections.

It knows the common name of each client's certificate, which the usual ASGI servers do not hand over. Bodies over what a
server keeps in memory go to a temporary file as they come.
"""

import asyncio
import socket
import ssl
import tempfile
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import BinaryIO, Final, Literal, cast

import httptools
import msgspec

from insigne.net.tls import peer_certificate

Cut = Literal["", "closed", "half"]
"""How an answer fails to arrive: not at all, or half of its body, the connection closing in both cases."""

MAX_BODY: Final = 8 << 20
"""Bytes of a request's body, unless a server is told otherwise. A call to INSi has two or three thousand,
a batch of verifications more.
"""

_MAX_HEAD: Final = 32_768
_MAX_WAITING: Final = 64
_IDLE_SECONDS: Final = 75.0
_CLOSE_SECONDS: Final = 0.5
_HANDSHAKE_SECONDS: Final = 20.0
_BACKLOG: Final = 512


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """A whole request. `headers` have lower-case names; `client` is the common name of the caller's certificate.

    `file`: a body too large for memory, at its beginning, closed once the request is answered; `body` is then empty.
    """

    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    client: str
    file: BinaryIO | None = None

    @property
    def path(self) -> str:
        """The target without its query."""
        return self.target.partition("?")[0]


@dataclass(frozen=True, slots=True)
class HttpReply:
    """What goes back. `delay` is in seconds; `cut` spoils the sending."""

    status: int
    body: bytes = b""
    content_type: str = "application/json"
    delay: float = 0.0
    cut: Cut = ""


def json_reply(document: object, status: int = 200) -> HttpReply:
    """Return a document as JSON."""
    return HttpReply(status, msgspec.json.encode(document))


def error_reply(status: int, text: str) -> HttpReply:
    """Return what is wrong as JSON: `{"error": …}`."""
    return json_reply({"error": text}, status)


Handler = Callable[[HttpRequest], HttpReply]


class HttpServer:
    """One listener. `refuse` closes it and every connection, so that the port refuses; `start` opens it again.

    `max_body` bounds a body; one over `in_memory` bytes goes to a file. Raises OSError when the address cannot be had.
    """

    def __init__(
        self,
        context: ssl.SSLContext,
        handler: Handler,
        *,
        max_connections: int = 1000,
        max_body: int = MAX_BODY,
        in_memory: int = MAX_BODY,
    ) -> None:
        self.max_body = max_body
        self.in_memory = in_memory
        self._context = context
        self._handler = handler
        self._max_connections = max_connections
        self._listening: socket.socket | None = None
        self._greetings: set[asyncio.Task[None]] = set()
        self._connections: set[_Connection] = set()
        self._empty = asyncio.Event()
        self._empty.set()
        self.address = ("", 0)
        """Host and port; the port stays the same once one has been given."""

    async def start(self, host: str, port: int) -> None:
        """Listen, unless it is done already."""
        if self._listening is not None:
            return
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._listening = socket.create_server((host, port), family=family, backlog=_BACKLOG)
        self._listening.setblocking(False)
        self.address = self._listening.getsockname()[:2]
        asyncio.get_running_loop().add_reader(self._listening, self._accept, self._listening)

    async def refuse(self) -> None:
        """Close the listener and abort every connection."""
        await self._deafen()
        for connection in tuple(self._connections):
            connection.abort()

    async def stop(self) -> None:
        """Take nothing more, flush what has been written, close everything."""
        await self._deafen()
        for connection in tuple(self._connections):
            connection.close()
        await self._all_gone()
        for connection in tuple(self._connections):
            connection.abort()
        await self._all_gone()

    def _accept(self, listening: socket.socket) -> None:
        """Take the connection that waits. The loop's own server loses those that arrive as it closes."""
        try:
            accepted, _ = listening.accept()
        except OSError:  # it has gone already, or no file descriptor is left and it waits on
            return
        greeting = asyncio.get_running_loop().create_task(self._greet(accepted))
        self._greetings.add(greeting)
        greeting.add_done_callback(self._greetings.discard)

    async def _greet(self, accepted: socket.socket) -> None:
        """Make the handshake; one that fails is the client's affair."""
        accepted.setblocking(False)
        accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with suppress(OSError):
            await asyncio.get_running_loop().connect_accepted_socket(
                lambda: _Connection(self), accepted, ssl=self._context, ssl_handshake_timeout=_HANDSHAKE_SECONDS
            )

    async def _deafen(self) -> None:
        """Close the listener and drop the handshakes under way."""
        listening, self._listening = self._listening, None
        if listening is None:
            return
        asyncio.get_running_loop().remove_reader(listening)
        listening.close()
        # Greetings born in this turn of the loop get as far as their transport, which their cancellation closes.
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        for greeting in self._greetings:
            greeting.cancel()
        await asyncio.gather(*self._greetings, return_exceptions=True)

    async def _all_gone(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(_CLOSE_SECONDS):
                await self._empty.wait()

    def answer(self, request: HttpRequest) -> HttpReply:
        """Ask the handler."""
        try:
            return self._handler(request)
        finally:
            if request.file is not None:
                request.file.close()

    def admit(self, connection: "_Connection") -> bool:
        """Give a place to a new connection, if there is one."""
        if self._listening is None or len(self._connections) >= self._max_connections:
            return False
        self._connections.add(connection)
        self._empty.clear()
        return True

    def forget(self, connection: "_Connection") -> None:
        """Take the place back."""
        self._connections.discard(connection)
        if not self._connections:
            self._empty.set()


@dataclass(slots=True)
class _Draft:
    """A request being read."""

    target: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    head_size: int = 0
    body: bytearray = field(default_factory=bytearray)
    size: int = 0
    file: BinaryIO | None = None

    def add(self, piece: bytes, in_memory: int) -> None:
        """Add a piece of the body, in the file once there is too much."""
        self.size += len(piece)
        if self.file is None and self.size > in_memory:
            self.file = cast("BinaryIO", tempfile.TemporaryFile())  # noqa: SIM115  # closed with its request
            self.file.write(self.body)
            self.body.clear()
        if self.file is None:
            self.body += piece
        else:
            self.file.write(piece)

    def close(self) -> None:
        """Give up."""
        if self.file is not None:
            self.file.close()


class _Connection(asyncio.Protocol):
    """One client: requests are answered one at a time, in order."""

    def __init__(self, server: HttpServer) -> None:
        self._server = server
        self._loop = asyncio.get_running_loop()
        self._parser = httptools.HttpRequestParser(self)
        self._draft = _Draft()
        self._waiting: deque[tuple[HttpRequest, bool]] = deque()
        self._late: asyncio.TimerHandle | None = None
        self._client = ""
        self._refused = False
        self._transport: asyncio.Transport
        self._idle: asyncio.TimerHandle

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See `asyncio.Protocol`."""
        self._transport = cast("asyncio.Transport", transport)
        self._idle = self._loop.call_later(_IDLE_SECONDS, self._expire)
        if not self._server.admit(self):
            self._transport.abort()
            return
        certificate = peer_certificate(transport.get_extra_info("ssl_object"))
        self._client = certificate.name if certificate else ""

    def connection_lost(self, exc: Exception | None) -> None:
        """See `asyncio.Protocol`."""
        self._idle.cancel()
        if self._late is not None:
            self._late.cancel()
        self._draft.close()
        for request, _ in self._waiting:
            if request.file is not None:
                request.file.close()
        self._server.forget(self)

    def data_received(self, data: bytes) -> None:
        """See `asyncio.Protocol`."""
        self._idle.cancel()
        self._idle = self._loop.call_later(_IDLE_SECONDS, self._expire)
        if self._refused:
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self._refuse(400, b'{"error":"this is not a request of HTTP/1.1"}')
        else:
            self._advance()

    def on_url(self, url: bytes) -> None:
        """Collect the target (httptools calls this, and the methods below)."""
        self._draft.target += url
        self._count(len(url))

    def on_header(self, name: bytes, value: bytes) -> None:
        """Collect a header."""
        self._count(len(name) + len(value))
        self._draft.headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        """Let a client that asks first send its body."""
        if self._draft.headers.get("expect", "").lower() == "100-continue":
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, body: bytes) -> None:
        """Collect a part of the body."""
        if self._refused:
            return
        if self._draft.size + len(body) <= self._server.max_body:
            self._draft.add(body, self._server.in_memory)
        else:
            self._draft.close()
            self._refuse(413, b'{"error":"the body is larger than any call"}')

    def on_message_complete(self) -> None:
        """Queue the request."""
        draft, self._draft = self._draft, _Draft()
        if self._refused:
            return
        method, target = self._parser.get_method().decode("latin-1"), draft.target.decode("latin-1")
        if draft.file is not None:
            draft.file.seek(0)
        request = HttpRequest(method, target, draft.headers, bytes(draft.body), self._client, draft.file)
        self._waiting.append((request, self._parser.should_keep_alive()))
        if len(self._waiting) > _MAX_WAITING:
            self._transport.abort()

    def abort(self) -> None:
        """Cut at once."""
        self._transport.abort()

    def close(self) -> None:
        """Flush, then close."""
        self._transport.close()

    def _count(self, size: int) -> None:
        self._draft.head_size += size
        if self._draft.head_size > _MAX_HEAD:
            self._refuse(400, b'{"error":"the head of the request is too long"}')

    def _advance(self) -> None:
        """Answer what waits, up to an answer that must be late."""
        while self._waiting and self._late is None and not self._transport.is_closing():
            request, keep_alive = self._waiting.popleft()
            reply = self._server.answer(request)
            if reply.delay > 0:
                self._late = self._loop.call_later(reply.delay, self._send_late, reply, keep_alive)
            else:
                self._send(reply, keep_alive=keep_alive)

    def _send_late(self, reply: HttpReply, keep_alive: bool) -> None:  # noqa: FBT001  # call_later has no keywords
        self._late = None
        self._send(reply, keep_alive=keep_alive)
        self._advance()

    def _send(self, reply: HttpReply, *, keep_alive: bool) -> None:
        if reply.cut == "closed":
            self._transport.abort()
            return
        body = reply.body[: len(reply.body) // 2] if reply.cut == "half" else reply.body
        self._transport.write(_head(reply, keep_alive=keep_alive) + body)
        if reply.cut or not keep_alive:
            self._transport.close()

    def _refuse(self, status: int, body: bytes) -> None:
        """Answer that the request makes no sense; what still comes is thrown away so that the client can read it."""
        if not self._refused and not self._transport.is_closing():
            self._refused = True
            self._transport.write(_head(HttpReply(status, body), keep_alive=False) + body)
            self._loop.call_later(_CLOSE_SECONDS, self._transport.close)

    def _expire(self) -> None:
        if self._late is None:
            self._transport.close()
        else:
            self._idle = self._loop.call_later(_IDLE_SECONDS, self._expire)


def _head(reply: HttpReply, *, keep_alive: bool) -> bytes:
    return (
        f"HTTP/1.1 {reply.status} {HTTPStatus(reply.status).phrase}\r\n"
        f"Content-Type: {reply.content_type}\r\nContent-Length: {len(reply.body)}\r\n"
        f"Connection: {'keep-alive' if keep_alive else 'close'}\r\n\r\n"
    ).encode("latin-1")
