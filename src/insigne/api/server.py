"""The HTTP server: uvicorn in a thread with an event loop of its own, so that requests never delay a message."""

import asyncio
import socket
import ssl
import threading
from typing import Final

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

from insigne.api.settings import HttpSettings
from insigne.net.tls import server_context

_HEAD_BYTES: Final = 16_384
_BACKLOG: Final = 128
_START_SECONDS: Final = 30.0


class DeadlineProtocol(H11Protocol):
    """HTTP/1.1 with a deadline for the head of each request, which uvicorn leaves unbounded."""

    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn itself
        """See `asyncio.Protocol`."""
        super().connection_made(transport)
        self._watch()

    def data_received(self, data: bytes) -> None:
        """See `asyncio.Protocol`."""
        super().data_received(data)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """See `asyncio.Protocol`."""
        self._let_go()
        super().connection_lost(exc)

    def _watch(self) -> None:
        """Run the deadline while no request is being answered; what trickles in does not put it off."""
        if _under_way(self.cycle):
            self._let_go()
        elif self._deadline is None:
            self._deadline = self.loop.call_later(self.timeout_keep_alive, self.transport.close)

    def _let_go(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


def _under_way(cycle: RequestResponseCycle | None) -> bool:
    return cycle is not None and not cycle.response_complete


class _Server(uvicorn.Server):
    """uvicorn, saying when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """See `uvicorn.Server`."""
        await super().startup(sockets)
        self.listening.set()


class HttpServer:
    """One server. `start` binds and serves, `stop` lets the requests in hand end."""

    def __init__(self, app: ASGIApp, settings: HttpSettings) -> None:
        self._settings = settings
        self._server = _Server(_config(app, settings))
        self._thread: threading.Thread | None = None

    def start(self) -> tuple[str, int]:
        """Listen; return the host and port, known even when the port asked for was 0.

        Raises OSError when the address cannot be bound, TlsError when TLS files cannot be used.
        """
        bound = socket.create_server(
            (self._settings.host, self._settings.port), family=_family(self._settings.host), backlog=_BACKLOG
        )
        host, port = bound.getsockname()[:2]
        self._thread = threading.Thread(target=self._server.run, args=([bound],), name="insigne-http", daemon=True)
        self._thread.start()
        if not self._server.listening.wait(_START_SECONDS):
            self.stop()
            raise OSError(f"the HTTP server does not start on {host}:{port}; see the log")
        return str(host), int(port)

    @property
    def alive(self) -> bool:
        """Whether the server runs."""
        return self._thread is not None and self._thread.is_alive()

    def stop(self) -> None:
        """Take no more requests, and wait for those in hand as long as the settings say."""
        self._server.should_exit = True
        if self._thread is not None:
            self._thread.join(self._settings.drain_seconds + 2)


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def _config(app: ASGIApp, settings: HttpSettings) -> uvicorn.Config:
    context = server_context(settings.tls) if settings.tls is not None else None

    def tls(*_: object) -> ssl.SSLContext:
        if context is None:
            raise RuntimeError("TLS is asked for by the settings only")
        return context

    return uvicorn.Config(
        app,
        http=DeadlineProtocol,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=settings.max_connections,
        timeout_keep_alive=max(1, round(settings.request_seconds)),
        timeout_graceful_shutdown=max(1, round(settings.drain_seconds)),
        h11_max_incomplete_event_size=_HEAD_BYTES,
        ssl_context_factory=tls if context is not None else None,
    )
