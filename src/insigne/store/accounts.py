"""Users in the base (`access.users.UserStore`); making, changing and disabling one are audited."""

from datetime import datetime

from msgspec.structs import replace

from insigne.access.users import User
from insigne.store.audit import AuditEntry
from insigne.store.moments import rfc3339
from insigne.store.store import Store


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
