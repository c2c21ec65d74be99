"""A subscription resolved: what encoding needs of it, looked up once."""

from collections.abc import Sequence
from typing import Literal

from insigne.pam.encode.settings import SubscriptionSettings
from insigne.registry.settings import AuthoritySettings


class Dialect:
    """How one receiver is written to. Make it with `dialect_of`, once: it remembers what it has rendered."""

    def __init__(self, settings: SubscriptionSettings) -> None:
        self.settings = settings


def dialect_of(
    settings: SubscriptionSettings,
    *,
    name: str = "",
    environment: Literal["production", "test"] = "production",
    authorities: Sequence[AuthoritySettings] = (),
) -> Dialect:
    """Resolve the settings of a destination called `name`; `authorities` are those the site knows.

    Raises ValueError, naming the key and the remedy, when the edition, the time zone, an event or a rule is not usable.
    """
    raise NotImplementedError
