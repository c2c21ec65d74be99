"""Tokens in the base (`access.TokenStore`); making and revoking one are audited, and refusing one."""

import time
from datetime import datetime
from typing import Any

import structlog

from insigne.access.denial import Denial
from insigne.access.tokens import Scope, Token
from insigne.exchange.errors import StoreError
from insigne.net.rate import Limiter, address_key
from insigne.store import statements
from insigne.store.audit import AuditEntry
from insigne.store.moments import moment, rfc3339
from insigne.store.store import Store

_log = structlog.get_logger("insigne.access")


class StoredTokens:
    """The tokens of one base. `author` is whom the audit names; `wait`, how many seconds to wait for the write lock.

    `refusals_a_minute`: tokens refused to one address before it is told to wait.
    """

    def __init__(self, store: Store, author: str = "system", *, wait: float = 5.0, refusals_a_minute: int = 20) -> None:
        self._store = store
        self._author = author
        self._wait = wait
        self._refusals = Limiter(refusals_a_minute / 60, refusals_a_minute)
        self._audited = Limiter(1 / 60, 1)

    def refused(self, address: str, token_id: str, reason: Denial, at: datetime) -> float:
        """See `TokenStore.refused`. The audit trail gets one entry a minute for each address, if the base is free."""
        visitor, clock = address_key(address), time.monotonic()
        if self._audited.wait(visitor, clock) == 0:
            details = {"address": visitor, "reason": str(reason)}
            try:
                with self._store.begin(0.0) as transaction:
                    entry = AuditEntry(self._author, "token-refused", token_id or "-", rfc3339(at), details)
                    transaction.record(entry)
                    transaction.commit()
            except StoreError as error:
                _log.warning("token-refused", address=visitor, token=token_id, reason=str(error))
        return self._refusals.wait(visitor, clock)

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
