"""Users as rows (`access.users`)."""

from typing import Final

from insigne.access.attempts import FORGOTTEN_AFTER, Failures
from insigne.access.rights import Role
from insigne.access.users import User
from insigne.store import statements
from insigne.store.moments import moment, rfc3339
from insigne.store.reading import Reader
from insigne.store.session import Row
from insigne.store.writing import Writer

_FAILURES: Final = "SELECT failures, last FROM login_failure WHERE name = ?"
_PUT_FAILURES: Final = (
    "INSERT INTO login_failure (name, failures, last) VALUES (?, ?, ?)"
    " ON CONFLICT (name) DO UPDATE SET failures = excluded.failures, last = excluded.last"
)
_FORGET: Final = "DELETE FROM login_failure WHERE name = ?"
_FORGET_OLD: Final = "DELETE FROM login_failure WHERE last < ?"


class UserReader(Reader):
    """Users, as both transactions and views read them."""

    def user(self, name: str) -> User | None:
        """The user of that name, disabled ones included."""
        found = self.select(statements.USER, (name,))
        return _user(found[0]) if found else None

    def users(self) -> list[User]:
        """Every user, oldest first."""
        return [_user(row) for row in self.select(statements.USERS)]

    def failures(self, key: str) -> Failures | None:
        """Wrong secrets given under the name of that key (`access.attempts`)."""
        found = self.select(_FAILURES, (key,))
        return Failures(found[0][0], moment(found[0][1])) if found else None


class UserWriter(UserReader, Writer):
    """What a write transaction adds."""

    def put_user(self, user: User) -> None:
        """Write a user, new or changed; the name stays what it was at first."""
        disabled = None if user.disabled is None else rfc3339(user.disabled)
        roles = " ".join(sorted(user.roles))
        row = (user.id, user.name, roles, user.secret_hash, rfc3339(user.created), disabled)
        self.execute(statements.PUT_USER, row)

    def put_failures(self, key: str, failures: Failures) -> None:
        """Write the failures under a key, and forget those that count no more."""
        self.execute(_FORGET_OLD, (rfc3339(failures.last - FORGOTTEN_AFTER),))
        self.execute(_PUT_FAILURES, (key, failures.count, rfc3339(failures.last)))

    def forget_failures(self, key: str) -> None:
        """Forget the failures under a key."""
        self.execute(_FORGET, (key,))


def _user(row: Row) -> User:
    identifier, name, roles, secret_hash, created, disabled = row
    return User(
        id=identifier,
        name=name,
        roles=frozenset(Role(role) for role in roles.split()),
        secret_hash=secret_hash,
        created=moment(created),
        disabled=None if disabled is None else moment(disabled),
    )
