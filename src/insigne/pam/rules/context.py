"""What the rules need to know beyond the message."""

from dataclasses import dataclass
from typing import Final, Literal

from insigne.ins import Cog


@dataclass(frozen=True, slots=True)
class ValidationContext:
    """Where the message is received.

    environment: test and demonstration OIDs are INS authorities in "test" only. between_organisations: authorities
    need a universal identifier. cog: birthplaces, None to leave them unchecked.
    """

    environment: Literal["production", "test"] = "production"
    between_organisations: bool = False
    cog: Cog | None = None


DEFAULT_CONTEXT: Final = ValidationContext()
