"""Who may do what: tokens and their scopes; what no scope grants is refused. Time and randomness are given."""

from insigne.access.tokens import (
    AccessDenied,
    Denial,
    Scope,
    Token,
    TokenStore,
    authenticate,
    authorise,
    generate_token,
    issue,
    token_id,
)

__all__ = [
    "AccessDenied",
    "Denial",
    "Scope",
    "Token",
    "TokenStore",
    "authenticate",
    "authorise",
    "generate_token",
    "issue",
    "token_id",
]
