"""Settings of the national identity: differences tolerated between traits, and identity documents a site accepts."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

Tolerable = Literal[
    "truncated-name",
    "joined-words",
    "fewer-given-names",
    "more-given-names",
    "incomplete-date",
    "place-renamed",
    "place-corsica",
    "place-part",
    "place-named",
    "town-abroad",
]
Trust = Literal["high", "none"]
Audience = Literal["everybody", "eu", "foreigner", "minor", "ehpad-admission"]
Second = Literal["", "guardian", "vitale-photo"]
CountryCode = Annotated[str, Meta(pattern="^[A-Z]{3}$")]
ProofCode = Annotated[str, Meta(pattern="^[A-Za-z0-9_-]{1,16}$")]
Zfd7Code = Literal["", "AN", "CC", "CE", "CM", "CN", "CS", "LE", "PA", "PC", "TC", "AV", "DC", "AC", "IE"]

EUROPEAN_NATIONALITIES: tuple[CountryCode, ...] = (
    "AUT", "BEL", "BGR", "CYP", "CZE", "DEU", "DNK", "ESP", "EST", "FIN", "FRA", "GRC", "HRV", "HUN", "IRL", "ITA",
    "LTU", "LUX", "LVA", "MLT", "NLD", "POL", "PRT", "ROU", "SVK", "SVN", "SWE",
    "AND", "CHE", "ISL", "LIE", "MCO", "NOR", "SMR", "VAT",
)  # fmt: skip
"""States whose national identity card is of high trust (RNIV §3.3.2): ISO 3166-1, three letters."""


class ComparisonSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a person may still accept when INSi's traits are not written as ours. Recalled practice, hence a setting.

    Case, accents, hyphens, apostrophes and spaces never prevent acceptance; different names, dates, sexes and places
    always do.
    """

    tolerated: tuple[Tolerable, ...] = (
        "truncated-name",
        "fewer-given-names",
        "incomplete-date",
        "place-renamed",
        "place-corsica",
        "place-part",
        "place-named",
        "town-abroad",
    )
    """Differences that do not prevent acceptance; `joined-words` and `more-given-names` may be added."""
    truncated_length: Annotated[int, Meta(ge=1)] = 20
    """Letters from which a name may be the beginning of another, cut by an older system."""


class ProofTypeSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A kind of identity document that a site adds, or what it changes in one of the list.

    What is not given keeps its value; a kind added needs a label and a trust, and is for everybody unless told.
    """

    code: ProofCode
    label: str | None = None
    label_fr: str | None = None
    trust: Trust | None = None
    audience: Annotated[tuple[Audience, ...], Meta(min_length=1)] | None = None
    second: Second | None = None
    zfd7: Zfd7Code | None = None


class ProofSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Identity documents of the site (EXI ID 19, EXI SI 10, EXI SI 23). None is ever chosen in advance."""

    removed: tuple[ProofCode, ...] = ()
    """Codes of the list that the site does not offer."""
    types: tuple[ProofTypeSettings, ...] = ()
    """Kinds of document added, or changed."""
    nationalities: tuple[CountryCode, ...] = EUROPEAN_NATIONALITIES
    """Nationalities whose identity card is of high trust. A reading of the RNIV adds GBR."""
    expired: Literal["refuse", "accept"] = "refuse"
    """Whether a document past its validity end still validates an identity. No public source settles it."""
    copy_years: Annotated[int, Meta(ge=1)] = 5
    """Years after which the copy of a document is erased (DMN requirement INS 46)."""
    copy_key_file: str = ""
    """File that holds the key of the copies, 64 hexadecimal digits; without it none is kept."""
    copy_max_bytes: Annotated[int, Meta(ge=1, le=52_428_800)] = 5_242_880
    """Largest copy kept."""
