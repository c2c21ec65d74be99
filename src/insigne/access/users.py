"""People: who they are, what they may do, and how they show it. Their secrets are kept as argon2id hashes.

A name is written in small letters and never given to somebody else, for the journal and the audit trail name people
for good: an account is disabled, not deleted.
"""

import base64
import re
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Final, Protocol

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError
from msgspec import Struct

from insigne.access.attempts import Failures, FailureStore, key_of, waits_until
from insigne.access.denial import AccessDenied, Denial
from insigne.access.rights import GRANTS, Right, Role
from insigne.access.settings import AccessSettings

#: The parameters the OWASP Password Storage Cheat Sheet gives first: 19 MiB, 2 passes, 1 lane.
PASSES: Final = 2
MEMORY_KIB: Final = 19 * 1024
LANES: Final = 1
SALT_BYTES: Final = 16

#: Randomness of a secret made here: 144 bits, 24 letters.
SECRET_BYTES: Final = 18
#: Characters of a secret somebody chose.
SECRET_LENGTHS: Final = range(12, 257)

#: The hash of no known secret: a name that does not exist costs what a wrong secret costs.
NOBODY: Final = "$argon2id$v=19$m=19456,t=2,p=1$nuVUvdRLebFV/a02gQnLDQ$HKiSTH4WkbyK81Xo7OKC2Ta9iUsZNZ86Kaxhcsxr5rc"

_hasher: Final = PasswordHasher(
    time_cost=PASSES, memory_cost=MEMORY_KIB, parallelism=LANES, salt_len=SALT_BYTES, type=Type.ID
)
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9._@-]{0,63}")


class User(Struct, frozen=True, kw_only=True):
    """A person as stored; the secret is not recoverable from it. Moments are aware; `disabled` None: active."""

    id: str
    name: str
    roles: frozenset[Role]
    secret_hash: str
    created: datetime
    disabled: datetime | None = None

    @property
    def rights(self) -> frozenset[Right]:
        """All that the roles grant, as this release understands them."""
        return frozenset().union(*(GRANTS[role] for role in self.roles))

    @property
    def author(self) -> str:
        """Whom the journal, the audit trail and the calls name for what this person does."""
        return f"user:{self.name}"


class UserStore(Protocol):
    """Where users are kept."""

    def get(self, name: str) -> User | None:
        """Return the user of this name, disabled ones included."""

    def add(self, user: User) -> bool:
        """Keep a new user; False if the name is taken."""

    def list(self) -> Iterable[User]:
        """Return every user, oldest first."""

    def change(self, user: User, at: datetime) -> None:
        """Keep a user's new secret or roles; the name stays what it was."""

    def disable(self, name: str, at: datetime) -> bool:
        """Disable a user; False if there is none of this name. Disabling twice keeps the first moment."""


#: Whether a secret is the one of a hash: `verify_secret`, or something faster where it was just verified.
Verify = Callable[[str, str], bool]


def user_name(text: str) -> str:
    """Return a name as it is kept: small letters. Raises ValueError."""
    name = text.lower()
    if not _NAME.fullmatch(name):
        raise ValueError("a user's name has 1 to 64 letters without accents, digits, or . _ @ -, as in claire.dupont")
    return name


def generate_secret(random_bytes: bytes) -> str:
    """Make a secret from SECRET_BYTES random bytes."""
    if len(random_bytes) != SECRET_BYTES:
        raise ValueError(f"a secret is made of {SECRET_BYTES} random bytes, not {len(random_bytes)}")
    return base64.urlsafe_b64encode(random_bytes).decode("ascii")


def hash_secret(secret: str, salt: bytes) -> str:
    """Return what is kept of a secret; `salt` is SALT_BYTES random bytes. Raises ValueError for one too short."""
    if len(secret) not in SECRET_LENGTHS:
        raise ValueError(f"a secret has {SECRET_LENGTHS.start} to {SECRET_LENGTHS.stop - 1} characters")
    if len(salt) != SALT_BYTES:
        raise ValueError(f"a salt has {SALT_BYTES} bytes, not {len(salt)}")
    return _hasher.hash(secret, salt=salt)


def verify_secret(secret_hash: str, secret: str) -> bool:
    """Whether the secret is the one of this hash; slow on purpose."""
    try:
        return _hasher.verify(secret_hash, secret)
    except (VerificationError, InvalidHashError):
        return False


def authenticate_user(name: str, secret: str, store: UserStore, verify: Verify = verify_secret) -> User:
    """Return the active user of this name and secret.

    Raises AccessDenied (CREDENTIALS), the same and after the same work whatever is wrong: name, secret or account.
    """
    user = store.get(name.lower()) if _NAME.fullmatch(name.lower()) else None
    expected = NOBODY if user is None else user.secret_hash
    known = verify(expected, secret[: SECRET_LENGTHS.stop])
    if not known or user is None or user.disabled is not None:
        raise AccessDenied(Denial.CREDENTIALS)
    return user


def log_in(
    name: str,
    secret: str,
    users: UserStore,
    failures: FailureStore,
    settings: AccessSettings,
    now: datetime,
    verify: Verify = verify_secret,
) -> User:
    """Return the active user of this name and secret; failures are counted and, past some, a wait is imposed.

    Raises AccessDenied (WAIT) without looking at the secret while the wait lasts, (CREDENTIALS) as `authenticate_user`.
    Of many who try at the same time, those whose secret was looked at once the wait had begun learn nothing of it.
    """
    key = key_of(name)
    _wait(failures.failures(key), settings, now)
    try:
        user = authenticate_user(name, secret, users, verify)
    except AccessDenied:
        meanwhile = failures.failures(key)
        known = _NAME.fullmatch(name.lower()) and users.get(name.lower())
        failures.failed(key, now, known.name if known else "")
        _wait(meanwhile, settings, now)
        raise
    meanwhile = failures.failures(key)
    _wait(meanwhile, settings, now)
    if meanwhile is not None:
        failures.succeeded(key)
    return user


def _wait(failed: Failures | None, settings: AccessSettings, now: datetime) -> None:
    """Raises AccessDenied (WAIT) while failures impose one."""
    until = waits_until(failed, settings)
    if until is not None and now < until:
        raise AccessDenied(Denial.WAIT)


def authorise_user(user: User, right: Right) -> None:
    """Return if a role of the user grants the right. Raises AccessDenied (RIGHT)."""
    if right not in user.rights:
        raise AccessDenied(Denial.RIGHT, right)
