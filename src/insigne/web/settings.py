"""Settings of the pages for people."""

from typing import Annotated

from msgspec import Meta, Struct


class EnrolmentSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The page on which an invited person enters their own traits (role `ri`)."""

    enabled: bool = True
    """Whether people may be invited at all; without it the page is not served."""
    organisation: str = ""
    """Name of the establishment, shown on the page as the controller of the data."""
    contact: str = ""
    """How to reach its data protection officer: an address, postal or e-mail, shown on the page."""
    valid_days: Annotated[int, Meta(ge=1, le=366)] = 7
    """Days for which an invitation holds, unless told at its making."""
    requests_per_minute: Annotated[int, Meta(ge=1)] = 60
    """Requests answered to one address (of IPv6, one /64); beyond, 429."""
    trusted_proxies: tuple[str, ...] = ()
    """Addresses of the proxies whose `X-Forwarded-For` tells the address of a visitor."""
