"""Invitations: a person enters their own traits, once, on the page that a one-time token opens.

The token is the authentication of `/enrol/{token}`: 32 random bytes, kept as their SHA-256 (see `tokens`).
"""

import base64
import hashlib
import re
from datetime import datetime
from enum import StrEnum
from typing import Final, Protocol

from msgspec import Struct

#: Randomness of one token.
RANDOM_BYTES: Final = 32
#: Wrong entries after which an invitation opens nothing any more.
MOST_ATTEMPTS: Final = 20

_SHAPE: Final = re.compile(r"[A-Za-z0-9_-]{43}")


class InvitationState(StrEnum):
    """What an invitation is good for."""

    OPEN = "open"
    USED = "used"
    EXPIRED = "expired"
    EXHAUSTED = "exhausted"


class Invitation(Struct, frozen=True, kw_only=True):
    """An invitation as stored. Moments are aware.

    `author` is who invites, `label` what for or where, without personal data. `attempts` counts what was entered and
    refused. `used` is when it was, and `identity` the identity that came of it ("" until then).
    """

    id: str
    token_hash: str
    created: datetime
    expires: datetime
    author: str
    label: str = ""
    attempts: int = 0
    used: datetime | None = None
    identity: str = ""

    def state(self, now: datetime) -> InvitationState:
        """What it is good for now."""
        if self.used is not None:
            return InvitationState.USED
        if now >= self.expires:
            return InvitationState.EXPIRED
        return InvitationState.EXHAUSTED if self.attempts >= MOST_ATTEMPTS else InvitationState.OPEN


class InvitationTransaction(Protocol):
    """What a write transaction keeps of invitations."""

    def invitation(self, token_hash: str) -> Invitation | None:
        """The invitation of the token with this hash (see `invitation_hash`)."""

    def put_invitation(self, invitation: Invitation) -> None:
        """Write an invitation, new or changed."""


def generate_invitation(random_bytes: bytes) -> tuple[str, str]:
    """Make a token from RANDOM_BYTES random bytes; return the text to put in the address, and the hash to keep."""
    if len(random_bytes) != RANDOM_BYTES:
        raise ValueError(f"an invitation is made of {RANDOM_BYTES} random bytes, not {len(random_bytes)}")
    text = base64.urlsafe_b64encode(random_bytes).rstrip(b"=").decode("ascii")
    return text, _hash(text)


def invitation_hash(text: str) -> str | None:
    """The hash of a token as found in an address; None when it has not the shape of one."""
    return _hash(text) if _SHAPE.fullmatch(text) else None


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("ascii")).hexdigest()
