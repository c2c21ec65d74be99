"""Saying no: why, in words that are safe to send to the caller."""

from enum import StrEnum


class Denial(StrEnum):
    """Why access is refused. SCOPE and RIGHT mean not allowed (HTTP 403); the others, not known (HTTP 401)."""

    UNKNOWN = "unknown"
    EXPIRED = "expired"
    REVOKED = "revoked"
    SCOPE = "scope"
    CREDENTIALS = "credentials"
    RIGHT = "right"
    WAIT = "wait"


_EXPLANATIONS = {
    Denial.UNKNOWN: "this token is not one of ours",
    Denial.EXPIRED: "this token has expired; create another with `insigne token create`",
    Denial.REVOKED: "this token was revoked",
    Denial.SCOPE: "this token lacks the scope {required}",
    # One sentence for a wrong name, a wrong secret and a disabled account: none is told from the others.
    Denial.CREDENTIALS: "no active user has this name and this secret",
    Denial.WAIT: "too many wrong secrets were given under this name: wait a while, then try again",
    Denial.RIGHT: "this user lacks the right {required}",
}


class AccessDenied(Exception):  # noqa: N818  # a decision, not a fault
    """A token or a user does not give access; `required` is the scope or the right that lacks."""

    def __init__(self, reason: Denial, required: StrEnum | None = None) -> None:
        super().__init__(_EXPLANATIONS[reason].format(required=required))
        self.reason = reason
        self.required = required
