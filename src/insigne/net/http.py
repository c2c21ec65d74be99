"""A small HTTP/1.1 client for one address: connections kept alive, every size and time bounded, errors told apart.

Made for services that are called often with small documents over mutual TLS. It follows no redirection and asks for
no compression. Several threads may share a client; each exchange has a connection of its own.
"""

import selectors
import socket
import ssl
import time
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, Protocol
from urllib.parse import urlsplit

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from insigne.net.contexts import Contexts, context_now

HttpFailure = Literal["unreachable", "timeout", "tls", "cut", "malformed", "large"]
"""No connection; too slow; certificates disagree; closed before the end of the answer; not HTTP; too many bytes."""

_HEAD_BYTES: Final = 65_536
"""Room for the status line and header fields, on top of the largest body."""
_CHUNK: Final = 65_536


class HttpError(Exception):
    """An exchange that gave no answer. The text names the address, the reason and the remedy, and quotes no content."""

    def __init__(self, kind: HttpFailure, text: str) -> None:
        self.kind = kind
        super().__init__(text)


@dataclass(frozen=True, slots=True)
class HttpLimits:
    """Bounds of an exchange.

    connect_seconds: to connect, TLS included. total_seconds: for the whole exchange, connection included.
    max_bytes: largest body of an answer. idle: connections kept open between exchanges, at most `idle_seconds` each.
    """

    connect_seconds: float = 20.0
    total_seconds: float = 30.0
    max_bytes: int = 1_048_576
    idle: int = 4
    idle_seconds: float = 30.0


class Streamed(Protocol):
    """A body that is not held whole: how long it is, and its bytes in pieces, from the start each time."""

    @property
    def length(self) -> int:
        """Bytes in all."""
        ...

    def pieces(self) -> Iterator[bytes]:
        """Give the bytes."""
        ...


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """An answer whole: header names in lower case, the values of a repeated one joined by commas."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(slots=True)
class _Connection:
    socket: socket.socket
    used: bool = False
    idle_since: float = 0.0


class HttpClient:
    """Exchanges with one address, an `http://` or `https://` URL whose path begins every request's.

    Raises ValueError for another URL, or for `https` without a TLS context.
    """

    def __init__(
        self,
        url: str,
        context: Contexts | None = None,
        *,
        limits: HttpLimits | None = None,
        server_name: str = "",
    ) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.query:
            raise ValueError(f"{url!r} is no address of a service; write it like https://service.example/path")
        if parts.scheme == "https" and context is None:
            raise ValueError(f"{url}: https needs a TLS context")
        self.url = url
        self.limits = limits or HttpLimits()
        self._context = context if parts.scheme == "https" else None
        self._host = parts.hostname
        self._port = parts.port or (443 if self._context else 80)
        self._server_name = server_name or parts.hostname
        self._path = parts.path.rstrip("/") if parts.path != "/" else ""
        self._authority = parts.netloc
        self._idle: deque[_Connection] = deque()

    def post(
        self, body: bytes | Streamed, headers: Mapping[str, str], *, path: str = "", repeatable: bool = False
    ) -> HttpResponse:
        """POST a document; see `request`."""
        return self.request("POST", path, body, headers, repeatable=repeatable)

    def request(
        self,
        method: str,
        path: str = "",
        body: bytes | Streamed = b"",
        headers: Mapping[str, str] | None = None,
        *,
        repeatable: bool = False,
    ) -> HttpResponse:
        """Send a request and return the answer, whatever its status. `path` is added to that of the client's URL.

        `repeatable`: sending it twice does no harm; it is then sent again, once, when a kept connection turns out to
        have been closed by the server. Raises HttpError.
        """
        length = len(body) if isinstance(body, bytes) else body.length
        head = self._head(method, path, length, headers or {})
        deadline = time.monotonic() + self.limits.total_seconds
        connection = self._take() or self._connect(deadline)
        reused = connection.used
        answer = _Answer()
        try:
            return self._exchange(connection, answer, _pieces(head, body), deadline)
        except HttpError as error:
            if not (repeatable and reused and error.kind == "cut" and not answer.received):
                raise
        return self._exchange(self._connect(deadline), _Answer(), _pieces(head, body), deadline)

    def close(self) -> None:
        """Close the connections kept."""
        while self._idle:
            self._idle.pop().socket.close()

    def _head(self, method: str, path: str, length: int, headers: Mapping[str, str]) -> bytes:
        target = f"{self._path}{path}" or "/"
        lines = [f"{method} {target} HTTP/1.1", f"Host: {self._authority}", f"Content-Length: {length}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        if not all(line.isascii() and line.isprintable() for line in lines) or " " in target:
            raise ValueError("a request line or header field holds a character that HTTP does not allow there")
        return "\r\n".join([*lines, "", ""]).encode()

    def _take(self) -> _Connection | None:
        """Return a kept connection that is still open as far as can be seen, or None."""
        while True:
            try:
                connection = self._idle.pop()
            except IndexError:
                return None
            fresh = time.monotonic() - connection.idle_since < self.limits.idle_seconds
            if fresh and not _readable(connection.socket):  # nothing is expected: bytes to read mean its end
                return connection
            connection.socket.close()

    def _keep(self, connection: _Connection) -> None:
        if len(self._idle) >= self.limits.idle:
            connection.socket.close()
            return
        connection.used, connection.idle_since = True, time.monotonic()
        self._idle.append(connection)

    def _connect(self, deadline: float) -> _Connection:
        until = min(deadline, time.monotonic() + self.limits.connect_seconds)
        try:
            plain = self._reach(until)
        except TimeoutError as error:
            raise self._failure("timeout", "no connection in time; is the address right, and the way open?") from error
        except OSError as error:
            raise self._failure("unreachable", f"{error.strerror or error}; is the address right?") from error
        context = context_now(self._context)
        if context is None:
            return _Connection(plain)
        try:
            return _Connection(context.wrap_socket(plain, server_hostname=self._server_name))
        except (OSError, ValueError) as error:
            plain.close()
            raise self._broken(error) from error

    def _reach(self, until: float) -> socket.socket:
        """Connect to the first address that answers. Raises OSError."""
        failure: OSError = OSError("no address")
        for family, kind, protocol, _, address in socket.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM):
            one = socket.socket(family, kind, protocol)
            try:
                _allow(one, until)
                one.connect(address)
                one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                _allow(one, until)
            except OSError as error:
                one.close()
                failure = error
            else:
                return one
        raise failure

    def _exchange(
        self, connection: _Connection, answer: "_Answer", request: Iterator[bytes], deadline: float
    ) -> HttpResponse:
        keep = False
        try:
            whole = _send(connection.socket, request, deadline)
            while not answer.complete:
                _allow(connection.socket, deadline)
                data = connection.socket.recv(_CHUNK)
                answer.feed(data)
                if answer.received > self.limits.max_bytes + _HEAD_BYTES or len(answer.body) > self.limits.max_bytes:
                    raise self._failure("large", f"an answer of more than {self.limits.max_bytes} bytes: refused")
            keep = answer.keep_alive and whole
        except _Cut as error:
            raise self._cut(answer) from error
        except (HttpParserError, HttpParserUpgrade) as error:
            raise self._failure("malformed", "what came is no answer of HTTP/1.1") from error
        except (OSError, ValueError) as error:
            raise self._broken(error, answer) from error
        finally:
            if keep:
                self._keep(connection)
            else:
                connection.socket.close()
        if answer.headers.get("content-encoding", "identity") != "identity":
            raise self._failure("malformed", "the answer is compressed, which was not asked for")
        return HttpResponse(answer.status, answer.headers, bytes(answer.body))

    def _broken(self, error: Exception, answer: "_Answer | None" = None) -> HttpError:
        """Tell what a failure of the socket means."""
        if isinstance(error, TimeoutError):
            return self._failure("timeout", "no answer in time")
        if isinstance(error, ssl.SSLCertVerificationError):
            remedy = _VERIFICATION_REMEDIES.get(error.verify_code, "check the authorities configured (ca_file)")
            return self._failure("tls", f"its certificate is refused: {error.verify_message}; {remedy}")
        if isinstance(error, ssl.SSLError) and not isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError):
            reason = (error.reason or "handshake failure").replace("_", " ").lower()
            return self._failure("tls", f"{reason}; does the server expect our certificate, and is it still valid?")
        return self._cut(answer)

    def _cut(self, answer: "_Answer | None") -> HttpError:
        if answer and answer.received:
            return self._failure("cut", "the connection was closed before the end of the answer")
        return self._failure("cut", "the connection was closed without an answer; is our certificate let in?")

    def _failure(self, kind: HttpFailure, text: str) -> HttpError:
        return HttpError(kind, f"{self.url}: {text}")


_VERIFICATION_REMEDIES: Final = {
    9: "compare this machine's clock with the right time",
    10: "compare this machine's clock with the right time, then tell whoever runs the server",
    18: "add its authority to ca_file",
    19: "add its authority to ca_file",
    20: "add its authority to ca_file",
    21: "add its authority to ca_file",
    62: "check the address, or give the name it bears as server_name",
    64: "check the address, or give the name it bears as server_name",
}
"""X509_V_ERR_… of OpenSSL → what to do."""


class _Cut(Exception):  # noqa: N818  # named for what happened
    """The end of the connection before that of the answer."""


@dataclass(slots=True)
class _Answer:
    """An answer being received; the parser calls the `on_…` methods."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytearray = field(default_factory=bytearray)
    received: int = 0
    complete: bool = False
    keep_alive: bool = False
    _parser: HttpResponseParser = field(init=False)
    _in_body: bool = False

    def __post_init__(self) -> None:
        self._parser = HttpResponseParser(self)

    def feed(self, data: bytes) -> None:
        """Take what the socket gave, b"" at its end. Raises _Cut, HttpParserError."""
        if data:
            self.received += len(data)
            self._parser.feed_data(data)
        elif self._in_body and not {"content-length", "transfer-encoding"} & self.headers.keys():
            self.complete = True  # a body without a length ends with the connection
        else:
            raise _Cut

    def on_message_begin(self) -> None:
        """Refuse a second answer to one request."""
        if self.complete:
            raise _Cut

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header field."""
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        self.headers[key] = f"{self.headers[key]}, {text}" if key in self.headers else text

    def on_headers_complete(self) -> None:
        """Note the status; what follows is the body."""
        self.status = self._parser.get_status_code()
        self._in_body = True

    def on_body(self, data: bytes) -> None:
        """Keep a part of the body."""
        self.body += data

    def on_message_complete(self) -> None:
        """End the answer, unless it only announced one."""
        if self.status < 200:  # 100 Continue and its like: the answer comes after
            self.headers.clear()
            self._in_body = False
            return
        self.complete = True
        self.keep_alive = self._parser.should_keep_alive()


def _pieces(head: bytes, body: bytes | Streamed) -> Iterator[bytes]:
    if isinstance(body, bytes):
        yield head + body
    else:
        yield head
        yield from body.pieces()


def _send(connection: socket.socket, request: Iterator[bytes], deadline: float) -> bool:
    """Send a request; tell whether all of it went. A server that closes before may have answered why."""
    first = True
    for piece in request:
        _allow(connection, deadline)
        try:
            connection.sendall(piece)
        except (BrokenPipeError, ConnectionResetError, ssl.SSLEOFError):
            if first:
                raise
            return False
        first = False
    return True


def _allow(connection: socket.socket, deadline: float) -> None:
    """Give a socket what is left of the time. Raises TimeoutError when nothing is."""
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    connection.settimeout(left)


def _readable(connection: socket.socket) -> bool:
    with selectors.DefaultSelector() as selector:
        selector.register(connection, selectors.EVENT_READ)
        return bool(selector.select(0))
