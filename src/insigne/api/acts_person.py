"""The person on whose behalf an application acts: `Insigne-As: Basic base64(name:secret)`.

The same people, rights, waits and audit as `insigne … --as`. The token of the application (`api.write`) was looked at
before, by the gate: secrets cannot be tried out without one.
"""

import base64
import math
from collections.abc import Callable
from datetime import datetime
from threading import BoundedSemaphore
from typing import Final

from starlette.datastructures import Headers

from insigne.access import AccessDenied, Denial, Right
from insigne.access.attempts import key_of, waits_until
from insigne.access.rights import MEANINGS
from insigne.access.settings import AccessSettings
from insigne.access.users import User, authorise_user, log_in, verify_secret
from insigne.api.acts_deps import People
from insigne.api.problems import Problem

HEADER: Final = "Insigne-As"

_LONGEST: Final = 1024
#: Secrets looked at together: each takes 19 MiB and a core for a moment.
_TOGETHER: Final = 2
_PATIENCE: Final = 5.0
_CHALLENGE: Final = {"www-authenticate": f'{HEADER} realm="insigne"'}


class Persons:
    """Tells who acts, and whether they may."""

    def __init__(self, people: People, settings: AccessSettings, now: Callable[[], datetime]) -> None:
        self._people = people
        self._settings = settings
        self._now = now
        self._places = BoundedSemaphore(_TOGETHER)

    def acting(self, headers: Headers, right: Right) -> User:
        """The person named, who has the right. Raises Problem (401, 403, 429, 503)."""
        name, secret = _credentials(headers.get(HEADER, ""))
        now = self._now()
        try:
            user = log_in(name, secret, self._people, self._people, self._settings, now, self._verified)
            authorise_user(user, right)
        except AccessDenied as denied:
            raise self._problem(denied, name, right, now) from None
        return user

    def _verified(self, secret_hash: str, secret: str) -> bool:
        if not self._places.acquire(timeout=_PATIENCE):
            raise Problem(
                503,
                "busy",
                "too many people show their secret at the same time",
                "trop de personnes s’identifient en même temps",
                headers={"retry-after": "1"},
            )
        try:
            return verify_secret(secret_hash, secret)
        finally:
            self._places.release()

    def _problem(self, denied: AccessDenied, name: str, right: Right, now: datetime) -> Problem:
        if denied.reason is Denial.RIGHT:
            meaning, meaning_fr = MEANINGS[right]
            return Problem(
                403,
                "right",
                f"this user lacks the right {right} ({meaning}): see insigne user set-roles",
                f"cet utilisateur n’a pas le droit {right} ({meaning_fr}) : voir insigne user set-roles",
            )
        if denied.reason is Denial.WAIT:
            until = waits_until(self._people.failures(key_of(name)), self._settings)
            seconds = max(1, math.ceil((until - now).total_seconds())) if until else 1
            return Problem(
                429,
                "person-wait",
                str(denied),
                "trop de secrets erronés ont été donnés sous ce nom : patientez, puis réessayez",
                headers={"retry-after": str(seconds)},
            )
        return _unknown(str(denied), "aucun utilisateur actif n’a ce nom et ce secret")


def _credentials(value: str) -> tuple[str, str]:
    """The name and the secret of the header. Raises Problem (401)."""
    scheme, _, encoded = value.strip().partition(" ")
    if scheme.lower() != "basic" or len(value) > _LONGEST:
        raise _unknown(
            f"name the person who acts: {HEADER}: Basic base64(name:secret)",
            f"nommez la personne qui agit : {HEADER} : Basic base64(nom:secret)",
        )
    try:
        name, colon, secret = base64.b64decode(encoded.strip(), validate=True).decode("utf-8").partition(":")
    except ValueError:  # not ASCII, not base64, or not UTF-8 once decoded
        name, colon, secret = "", "", ""
    if not (name and colon and secret):
        raise _unknown(f"{HEADER} is not base64 of name:secret", f"{HEADER} n’est pas le base64 de nom:secret")
    return name, secret


def _unknown(detail: str, detail_fr: str) -> Problem:
    return Problem(401, "person", detail, detail_fr, headers=_CHALLENGE)
