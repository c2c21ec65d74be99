"""Bearer tokens: `insigne_<id>_<secret>`, shown once, kept as the SHA-256 of their secret.

The secret is 32 random bytes: guessing it is out of reach, so a plain digest is enough and a slow password hash would
only slow each request down. A scope grants what it names and nothing else: `admin` does not read patients.
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from msgspec import Struct

from insigne.access.denial import AccessDenied, Denial

RANDOM_BYTES = 40
"""Randomness of one token: 8 bytes for its id, 32 for its secret."""

_ID_BYTES = 8
_SHAPE = re.compile(r"insigne_([0-9a-f]{16})_([A-Za-z0-9_-]{43})")


class Scope(StrEnum):
    """What a token may be used for."""

    FHIR_READ = "fhir.read"
    API_READ = "api.read"
    API_WRITE = "api.write"
    DOCUMENT_WRITE = "document.write"
    ADMIN = "admin"


class Token(Struct, frozen=True, kw_only=True):
    """A token as stored; its secret is not recoverable from it. Moments are aware; `expires` None: never."""

    id: str
    name: str
    scopes: frozenset[Scope]
    stored_hash: str
    created: datetime
    expires: datetime | None = None
    revoked: datetime | None = None


class TokenStore(Protocol):
    """Where tokens are kept."""

    def refused(self, address: str, token_id: str, reason: Denial, at: datetime) -> float:
        """Note that a token was refused to an address; the seconds it must wait when there were too many, else 0.

        `token_id` is "" for what is no token of ours.
        """

    def get(self, token_id: str) -> Token | None:
        """Return the token of this id, revoked ones included."""

    def add(self, token: Token) -> None:
        """Keep a new token."""

    def list(self) -> Iterable[Token]:
        """Return every token, oldest first."""

    def revoke(self, token_id: str, at: datetime) -> bool:
        """Revoke a token; False if there is none of this id. Revoking twice keeps the first moment."""


def generate_token(random_bytes: bytes) -> tuple[str, str]:
    """Make a token from RANDOM_BYTES random bytes; return the text to show once, and the hash to store."""
    if len(random_bytes) != RANDOM_BYTES:
        raise ValueError(f"a token is made of {RANDOM_BYTES} random bytes, not {len(random_bytes)}")
    identifier = random_bytes[:_ID_BYTES].hex()
    secret = base64.urlsafe_b64encode(random_bytes[_ID_BYTES:]).rstrip(b"=").decode("ascii")
    return f"insigne_{identifier}_{secret}", _hash(secret)


def issue(
    name: str, scopes: Iterable[Scope], *, random_bytes: bytes, now: datetime, expires: datetime | None = None
) -> tuple[str, Token]:
    """Make a token; return the text to show once, and the token to store. ValueError without any scope."""
    granted = frozenset(scopes)
    if not granted:
        raise ValueError("a token without a scope gives access to nothing: give it at least one")
    text, stored_hash = generate_token(random_bytes)
    return text, Token(
        id=_parts(text)[0], name=name, scopes=granted, stored_hash=stored_hash, created=now, expires=expires
    )


def token_id(text: str) -> str:
    """Return the id inside a token's text. Raises AccessDenied (UNKNOWN) when it is not one."""
    return _parts(text)[0]


def authenticate(text: str, store: TokenStore) -> Token:
    """Return the stored token that this text is. Raises AccessDenied (UNKNOWN)."""
    identifier, secret = _parts(text)
    token = store.get(identifier)
    # An unknown id costs the same comparison as a wrong secret.
    expected = token.stored_hash if token is not None else _hash("")
    if not hmac.compare_digest(_hash(secret), expected) or token is None:
        raise AccessDenied(Denial.UNKNOWN)
    return token


def authorise(token: Token, required_scope: Scope, now: datetime) -> None:
    """Return if the token is valid now and has the scope. Raises AccessDenied."""
    if token.revoked is not None:
        raise AccessDenied(Denial.REVOKED)
    if token.expires is not None and now >= token.expires:
        raise AccessDenied(Denial.EXPIRED)
    if required_scope not in token.scopes:
        raise AccessDenied(Denial.SCOPE, required_scope)


def _parts(text: str) -> tuple[str, str]:
    match = _SHAPE.fullmatch(text)
    if match is None:
        raise AccessDenied(Denial.UNKNOWN)
    return match[1], match[2]


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode("ascii")).hexdigest()
