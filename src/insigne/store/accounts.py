"""Users in the base (`access.users.UserStore`): making, changing and disabling one are audited, and wrong secrets."""

from datetime import datetime

from msgspec.structs import replace

from insigne.access.attempts import Failures, key_of, one_more
from insigne.access.users import User
from insigne.store.audit import AuditEntry
from insigne.store.moments import rfc3339
from insigne.store.store import Store

_UNKNOWN = "-"


class StoredUsers:
    """The users of one base. `author` is whom the audit names; `wait`, how many seconds to wait for the write lock."""

    def __init__(self, store: Store, author: str = "system", *, wait: float = 5.0) -> None:
        self._store = store
        self._author = author
        self._wait = wait

    def get(self, name: str) -> User | None:
        """See `UserStore.get`."""
        with self._store.read() as view:
            return view.user(name)

    def list(self) -> list[User]:
        """See `UserStore.list`."""
        with self._store.read() as view:
            return view.users()

    def add(self, user: User) -> bool:
        """See `UserStore.add`."""
        with self._store.begin(self._wait) as transaction:
            if transaction.user(user.name) is not None:
                return False
            transaction.put_user(user)
            details = {"id": user.id, "roles": " ".join(sorted(user.roles))}
            transaction.record(AuditEntry(self._author, "user-created", user.name, rfc3339(user.created), details))
            transaction.commit()
        return True

    def change(self, user: User, at: datetime) -> None:
        """See `UserStore.change`; failures under the name are forgotten."""
        with self._store.begin(self._wait) as transaction:
            before = transaction.user(user.name)
            if before is None or before.id != user.id:
                raise LookupError(f"{user.name}: no such user")
            transaction.put_user(replace(before, roles=user.roles, secret_hash=user.secret_hash))
            if before.roles != user.roles:
                details = {"before": " ".join(sorted(before.roles)), "roles": " ".join(sorted(user.roles))}
                transaction.record(AuditEntry(self._author, "user-roles-set", user.name, rfc3339(at), details))
            if before.secret_hash != user.secret_hash:
                transaction.forget_failures(key_of(user.name))
                transaction.record(AuditEntry(self._author, "user-secret-set", user.name, rfc3339(at)))
            transaction.commit()

    def failures(self, key: str) -> Failures | None:
        """See `FailureStore.failures`."""
        with self._store.read() as view:
            return view.failures(key)

    def failed(self, key: str, at: datetime, name: str) -> None:
        """See `FailureStore.failed`. Two who fail at once both count."""
        with self._store.begin(self._wait) as transaction:
            failures = one_more(transaction.failures(key), at)
            transaction.put_failures(key, failures)
            details = {"failures": str(failures.count)}
            transaction.record(AuditEntry(self._author, "login-failed", name or _UNKNOWN, rfc3339(at), details))
            transaction.commit()

    def succeeded(self, key: str) -> None:
        """See `FailureStore.succeeded`."""
        with self._store.begin(self._wait) as transaction:
            transaction.forget_failures(key)
            transaction.commit()

    def disable(self, name: str, at: datetime) -> bool:
        """See `UserStore.disable`."""
        with self._store.begin(self._wait) as transaction:
            user = transaction.user(name)
            if user is None:
                return False
            if user.disabled is None:
                transaction.put_user(replace(user, disabled=at))
                transaction.record(AuditEntry(self._author, "user-disabled", name, rfc3339(at)))
                transaction.commit()
        return True
