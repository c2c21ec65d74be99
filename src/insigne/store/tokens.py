"""Tokens in the base (`access.TokenStore`); making and revoking one are audited."""

from datetime import datetime
from typing import Any

from insigne.access.tokens import Scope, Token
from insigne.store import statements
from insigne.store.audit import AuditEntry
from insigne.store.moments import moment, rfc3339
from insigne.store.store import Store


class StoredTokens:
    """The tokens of one base. `author` is whom the audit names; `wait`, how many seconds to wait for the write lock."""

    def __init__(self, store: Store, author: str = "system", *, wait: float = 5.0) -> None:
        self._store = store
        self._author = author
        self._wait = wait

    def get(self, token_id: str) -> Token | None:
        """See `TokenStore.get`."""
        with self._store.read() as view:
            found = view.select(statements.TOKEN, (token_id,))
        return _token(found[0]) if found else None

    def list(self) -> list[Token]:
        """See `TokenStore.list`."""
        with self._store.read() as view:
            return [_token(row) for row in view.select(statements.TOKENS)]

    def add(self, token: Token) -> None:
        """See `TokenStore.add`."""
        scopes = " ".join(sorted(token.scopes))
        expires = None if token.expires is None else rfc3339(token.expires)
        created = rfc3339(token.created)
        row = (token.id, token.name, scopes, token.stored_hash, created, expires, None)
        with self._store.begin(self._wait) as transaction:
            transaction.execute(statements.INSERT_TOKEN, row)
            details = {"name": token.name, "scopes": scopes} | ({} if expires is None else {"expires": expires})
            transaction.record(AuditEntry(self._author, "token-created", token.id, created, details))
            transaction.commit()

    def revoke(self, token_id: str, at: datetime) -> bool:
        """See `TokenStore.revoke`."""
        if self.get(token_id) is None:
            return False
        with self._store.begin(self._wait) as transaction:
            if transaction.execute(statements.REVOKE_TOKEN, (rfc3339(at), token_id)):
                transaction.record(AuditEntry(self._author, "token-revoked", token_id, rfc3339(at)))
            transaction.commit()
        return True


def _token(row: tuple[Any, ...]) -> Token:
    identifier, name, scopes, stored_hash, created, expires, revoked = row
    return Token(
        id=identifier,
        name=name,
        scopes=frozenset(Scope(scope) for scope in scopes.split()),
        stored_hash=stored_hash,
        created=moment(created),
        expires=None if expires is None else moment(expires),
        revoked=None if revoked is None else moment(revoked),
    )
