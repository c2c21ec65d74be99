"""The page of `/enrol/{token}`: the form, its errors, the recapitulation, the thanks."""

import math
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import structlog
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from insigne.access.invitations import Invitation
from insigne.exchange.errors import StoreError
from insigne.ins.cog import Cog
from insigne.net.body import BodyRefused
from insigne.net.rate import Limiter
from insigne.web.body import read_form
from insigne.web.enrolment.desk import Desk
from insigne.web.enrolment.form import Answers, Errors, check
from insigne.web.enrolment.places import PlaceNames
from insigne.web.limits import visitor
from insigne.web.pages import Pages
from insigne.web.settings import EnrolmentSettings

#: Requests a minute on one invitation, from wherever they come.
INVITATION_RATE: Final = 20

_METHODS: Final = ("GET", "HEAD", "POST")
_RETRY_SECONDS: Final = "5"
_log = structlog.get_logger("insigne.web")


class EnrolmentPage:
    """The ASGI application served under `PREFIX`. `now` is an aware present, `clock` seconds that never go back."""

    def __init__(
        self,
        desk: Desk,
        settings: EnrolmentSettings,
        *,
        cog: Callable[[], Cog],
        now: Callable[[], datetime],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._desk = desk
        self._settings = settings
        self._places = lru_cache(maxsize=1)(lambda: PlaceNames(cog()))
        self._now = now
        self._clock = clock
        self._visitors = Limiter(settings.requests_per_minute / 60, settings.requests_per_minute)
        self._invitations = Limiter(INVITATION_RATE / 60, INVITATION_RATE)
        self._pages = Pages(Path(__file__).parent, organisation=settings.organisation, contact=settings.contact)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "http":
            response = await self._answer(Request(scope, receive))
            await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        """What is answered before the token is looked up depends on it in nothing."""
        wait = self._visitors.wait(visitor(request, self._settings.trusted_proxies), self._clock())
        if wait:
            return self._too_many(wait)
        if request.method not in _METHODS:
            return self._message("method", 405, {"allow": ", ".join(_METHODS)})
        token = _token(request.scope)
        try:
            if request.method == "POST":
                fields = await read_form(request)
                return await run_in_threadpool(self._submitted, token, fields)
            return await run_in_threadpool(self._visited, token)
        except BodyRefused as refused:
            return self._message("unreadable", refused.status, {"connection": "close"})
        except StoreError as error:
            _log.warning("enrolment.base-unavailable", error=type(error).__name__)
            return self._message("unavailable", 503, {"retry-after": _RETRY_SECONDS})

    def _visited(self, token: str) -> Response:
        invitation = self._desk.opened(token)
        return self._stopped(invitation) or self._form(Answers())

    def _submitted(self, token: str, fields: Mapping[str, str]) -> Response:
        invitation = self._desk.opened(token)
        stopped = self._stopped(invitation)
        if stopped is not None or invitation is None:
            return stopped or self._closed()
        answers, step = Answers.of(fields), fields.get("step", "")
        if step == "correct":
            return self._form(answers)
        person, errors = check(answers, self._now().astimezone().date(), self._places)
        if person is None:
            self._desk.refused(invitation)
            return self._form(answers, errors)
        if step != "confirm":
            return self._pages.page("recap.html", answers=answers, person=person)
        if not self._desk.enrol(invitation, person):
            return self._closed()
        _log.info("enrolment.received", invitation=invitation.id)
        return self._pages.page("thanks.html")

    def _stopped(self, invitation: Invitation | None) -> Response | None:
        """The page that ends a request: nothing to open, or too many of them."""
        if invitation is None:
            return self._closed()
        wait = self._invitations.wait(invitation.id, self._clock())
        return self._too_many(wait) if wait else None

    def _form(self, answers: Answers, errors: Errors | None = None) -> Response:
        return self._pages.page("form.html", 422 if errors else 200, answers=answers, errors=errors or {})

    def _closed(self) -> Response:
        """One page for a token that is unknown, used, expired or exhausted."""
        return self._message("closed", 404)

    def _too_many(self, wait: float) -> Response:
        return self._message("too-many", 429, {"retry-after": str(math.ceil(wait))})

    def _message(self, kind: str, status: int, headers: Mapping[str, str] | None = None) -> Response:
        return self._pages.page("message.html", status, headers, kind=kind)


def _token(scope: Mapping[str, Any]) -> str:
    path = str(scope["path"]).removeprefix(str(scope.get("root_path", "")))
    return path.removeprefix("/")
