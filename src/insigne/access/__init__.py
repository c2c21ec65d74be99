"""Who may do what: tokens and their scopes, people and their rights, invitations.

What no scope and no role grants is refused. Time and randomness are given.
"""

from insigne.access.denial import AccessDenied, Denial
from insigne.access.rights import Right, Role
from insigne.access.tokens import (
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
    "Right",
    "Role",
    "Scope",
    "Token",
    "TokenStore",
    "authenticate",
    "authorise",
    "generate_token",
    "issue",
    "token_id",
]
