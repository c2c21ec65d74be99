"""What every request passes: limits and headers, authentication, then the scopes of its route."""

import math
import re
import time
from collections.abc import Awaitable, Callable, Collection
from datetime import datetime
from typing import Final

import structlog
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from insigne.access import AccessDenied, Token, TokenStore, authenticate, authorise, token_id
from insigne.access import Scope as Right
from insigne.api.metrics import HttpMetrics
from insigne.api.responses import refusal
from insigne.exchange.errors import StoreError
from insigne.net.body import BodyRefused, read_body

Handler = Callable[[Request], Response]
BodyHandler = Callable[[Request, bytes], Response]
Answering = Callable[[Request], Awaitable[Response]]

LARGEST_BODY: Final = 16_384
"""Bytes of a body; far more than an act needs."""
_BODY_SECONDS: Final = 15.0

OPEN_PATHS: Final = frozenset({"/health/live", "/health/ready"})
"""The only paths without authentication, apart from those of guests (`deps.ApiDeps.guests`)."""

_INVALID: Final = ', error="invalid_token"'
_TEMPLATE: Final = "insigne.route"
_HELD: Final = "insigne.access"
_LONGEST_QUERY: Final = 2048
_HEADERS: Final = {
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
}
_BEARER: Final = re.compile(r"(?i:bearer) +(\S{1,512})")
_log = structlog.get_logger("insigne.api")


def secured(path: str, handler: Handler, *rights: Right) -> Route:
    """A GET route open to tokens with one of these scopes. A handler runs in a thread of its own."""
    if not rights:
        raise ValueError(f"{path}: name the scopes that may use it")
    return Route(path, _Endpoint(path, _plain(handler), rights), methods=["GET"])


def written(path: str, handler: BodyHandler, *rights: Right) -> Route:
    """A POST route open to tokens with one of these scopes, that takes a bounded body of JSON."""
    if not rights:
        raise ValueError(f"{path}: name the scopes that may use it")
    return Route(path, _Endpoint(path, _taking(handler), rights), methods=["POST"])


def streamed(path: str, answering: Answering, *rights: Right) -> Route:
    """A POST route open to tokens with one of these scopes, whose handler reads and bounds the body itself."""
    if not rights:
        raise ValueError(f"{path}: name the scopes that may use it")
    return Route(path, _Endpoint(path, answering, rights), methods=["POST"])


def token_of(request: Request) -> Token:
    """The token that a request came with, on a route that wants one."""
    held: Token = request.scope[_HELD]
    return held


def opened(path: str, handler: Handler) -> Route:
    """A GET route open to all; its path must be one of OPEN_PATHS."""
    if path not in OPEN_PATHS:
        raise ValueError(f"{path}: every path but {', '.join(sorted(OPEN_PATHS))} needs a scope")
    return Route(path, _Endpoint(path, _plain(handler), ()), methods=["GET"])


def hosted(prefix: str, guest: ASGIApp) -> Mount:
    """All that is under a prefix, any method, for an application that authenticates its requests itself."""

    async def named(scope: Scope, receive: Receive, send: Send) -> None:
        scope[_TEMPLATE] = prefix
        await guest(scope, receive, send)

    return Mount(prefix, named)


class _Endpoint:
    """The end of a route, as an ASGI application."""

    def __init__(self, template: str, answering: Answering, rights: tuple[Right, ...]) -> None:
        self._template = template
        self._answering = answering
        self._rights = rights

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope[_TEMPLATE] = self._template
        if self._rights:
            held: Token = scope[_HELD]
            if held.scopes.isdisjoint(self._rights):
                wanted = " or ".join(self._rights)
                await refusal(scope, 403, f"this token lacks the scope {wanted}")(scope, receive, send)
                return
        response = await self._answering(Request(scope, receive))
        await response(scope, receive, send)


def _plain(handler: Handler) -> Answering:
    async def answer(request: Request) -> Response:
        return await run_in_threadpool(handler, request)

    return answer


def _taking(handler: BodyHandler) -> Answering:
    """What reads the body before the handler has it."""

    async def answer(request: Request) -> Response:
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
            return refusal(request.scope, 415, "the body is sent as application/json", {"connection": "close"})
        try:
            body = await read_body(request.stream(), LARGEST_BODY, _BODY_SECONDS)
        except BodyRefused as refused:
            return refusal(request.scope, refused.status, str(refused), {"connection": "close"})
        except ClientDisconnect:
            return refusal(request.scope, 400, "the body did not come whole")
        return await run_in_threadpool(handler, request, body)

    return answer


class Shell:
    """Outermost: bounds, security headers, metrics, one line of log a request, and no error that says too much."""

    def __init__(self, app: ASGIApp, metrics: HttpMetrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status, sent = time.monotonic(), 500, False

        async def send_with_headers(message: Message) -> None:
            nonlocal status, sent
            if message["type"] == "http.response.start":
                status, sent = message["status"], True
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        try:
            await self._bounded(scope, receive, send_with_headers)
        except Exception as error:
            _log.error("request-failed", route=_route(scope), error=type(error).__name__, trace=_where(error))
            if not sent:
                await refusal(scope, *_failure(error))(scope, receive, send_with_headers)
        finally:
            seconds = time.monotonic() - began
            self._metrics.answered(_route(scope), scope["method"], status, seconds)
            _log.info(
                "request", route=_route(scope), method=scope["method"], status=status, ms=round(seconds * 1000, 1)
            )

    async def _bounded(self, scope: Scope, receive: Receive, send: Send) -> None:
        if len(scope["query_string"]) > _LONGEST_QUERY:
            text = f"the query is longer than {_LONGEST_QUERY} bytes"
            await refusal(scope, 400, text)(scope, receive, send)
            return
        await self._app(scope, receive, send)


class Authentication:
    """No request goes further without a valid token, whether its path exists or not.

    What is under the prefix of a guest is for the guest to authenticate.
    """

    def __init__(
        self, app: ASGIApp, tokens: TokenStore, now: Callable[[], datetime], guests: Collection[str] = ()
    ) -> None:
        self._app = app
        self._tokens = tokens
        self._now = now
        self._guests = tuple(f"{prefix}/" for prefix in guests)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "http" and not self._open(scope["path"]):
            given = _BEARER.fullmatch(Headers(scope=scope).get("authorization", "").strip())
            if given is None:
                await _unauthorised(scope, "a bearer token is needed", "")(scope, receive, send)
                return
            try:
                scope[_HELD] = await run_in_threadpool(self._token, given[1])
            except AccessDenied as denied:
                wait = await run_in_threadpool(self._refused, scope, given[1], denied)
                answer = _too_many(scope, wait) if wait else _unauthorised(scope, str(denied), _INVALID)
                await answer(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _open(self, path: str) -> bool:
        return path in OPEN_PATHS or path.startswith(self._guests)

    def _token(self, text: str) -> Token:
        token = authenticate(text, self._tokens)
        # Any scope the token has: what is wanted here is that it be neither expired nor revoked.
        authorise(token, next(iter(token.scopes)), self._now())
        return token

    def _refused(self, scope: Scope, text: str, denied: AccessDenied) -> float:
        address = scope["client"][0] if scope.get("client") else ""
        try:
            known = token_id(text)
        except AccessDenied:
            known = ""
        return self._tokens.refused(address, known, denied.reason, self._now())


def _too_many(scope: Scope, wait: float) -> Response:
    text = "too many tokens were refused to this address; wait, then use one that holds"
    return refusal(scope, 429, text, {"retry-after": str(math.ceil(wait))})


def _unauthorised(scope: Scope, text: str, error: str) -> Callable[[Scope, Receive, Send], Awaitable[None]]:
    return refusal(scope, 401, text, {"www-authenticate": f'Bearer realm="insigne"{error}'})


def _route(scope: Scope) -> str:
    return str(scope.get(_TEMPLATE, "none"))


def _failure(error: Exception) -> tuple[int, str, dict[str, str]]:
    if isinstance(error, StoreError) and error.retry:
        return 503, "the base does not answer now; try again", {"retry-after": "1"}
    return 500, "internal error; see the log of the server", {}


def _where(error: Exception) -> list[str]:
    """The places an error went through; its text stays out, for it may name a person."""
    places, trace = [], error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        places.append(f"{code.co_filename.rpartition('/')[2]}:{trace.tb_lineno} {code.co_name}")
        trace = trace.tb_next
    return places[-8:]
