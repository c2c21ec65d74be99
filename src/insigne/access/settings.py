"""Settings of access."""

from typing import Annotated

from msgspec import Meta, Struct

Count = Annotated[int, Meta(ge=1)]


class AccessSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How often a wrong secret may be tried."""

    attempts: Count = 5
    """Wrong secrets in a row under one name before it has to wait."""
    first_seconds: Count = 30
    """The first wait, doubled after each other failure."""
    limit_seconds: Count = 900
    """The longest wait."""
    refused_tokens_per_minute: Count = 20
    """Tokens refused to one address before the answer is 429; tokens that hold go on being let in."""
