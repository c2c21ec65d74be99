"""Which column of a table is what, read from TOML.

source = "ANCIEN-GAM"           # who says so, in the history of each identity
encoding = "cp1252"
delimiter = ";"
date_format = "DD/MM/YYYY"

[columns]                       # ours = "theirs"
birth_name = "NOM"
first_given_name = "PRENOM"
birth_date = "DDN"
sex = "SEXE"

[[identifiers]]                 # the first one is required on every row
column = "IPP"
authority = "CH-EXEMPLE"
oid = "1.2.250.1.999.1"

[sexes]
"1" = "M"
"2" = "F"
"""

import re
from typing import Final, Literal

import msgspec

from insigne.registry.values import Authority

#: What a column may be, beside identifiers.
FIELDS: Final = (
    "birth_name",
    "first_given_name",
    "given_names",
    "birth_date",
    "sex",
    "birth_place",
    "used_name",
    "used_given_name",
    "title",
    "street",
    "complement",
    "postal_code",
    "city",
    "country",
    "phone",
    "mobile",
    "email",
    "mother_name",
    "nationality",
    "language",
    "death_date",
    "status",
    "attributes",
    "ins",
    "ins_oid",
    "proof",
    "proof_expiry",
)
DATE_FIELDS: Final = frozenset({"birth_date", "death_date", "proof_expiry"})
_DATE_PARTS: Final = {"YYYY": r"(?P<year>\d{4})", "MM": r"(?P<month>\d{2})", "DD": r"(?P<day>\d{2})"}


class MappingError(ValueError):
    """A mapping that cannot be used. The text names the key, what is wrong and the remedy."""


class IdentifierColumn(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A column that holds an identifier: its authority, and its type (table 0203)."""

    column: str
    authority: str = ""
    oid: str = ""
    finess: str = ""
    type: str = "PI"

    @property
    def issuer(self) -> Authority:
        """The authority, as identifiers hold it."""
        universal = self.oid or self.finess
        kind = "ISO" if self.oid else "N" if self.finess else ""
        return Authority(self.authority, universal, kind)


class Mapping(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How a table is read. `sexes`: its codes; M, F and I are understood anyway.

    `entry`: a trait that breaks an entry rule is told and loaded as it is written (`warn`), or its row is refused
    (`reject`). `existing`: a row whose identifier is known already is passed over (`skip`), or updates (`update`).
    `normalise`: names are written as the RNIV wants them (capitals, no accent); by default for authorities of ours.
    """

    columns: dict[str, str]
    identifiers: tuple[IdentifierColumn, ...]
    source: str = "import"
    encoding: Literal["utf-8", "utf-8-sig", "latin-1", "iso8859-15", "cp1252"] = "utf-8-sig"
    delimiter: Literal[";", ",", "\t", "|"] = ";"
    date_format: str = "YYYY-MM-DD"
    sexes: dict[str, Literal["M", "F", "I"]] = {}
    entry: Literal["warn", "reject"] = "warn"
    existing: Literal["skip", "update"] = "skip"
    normalise: Literal["ours", "always", "never"] = "ours"

    def __post_init__(self) -> None:
        """Refuse what could not be loaded."""
        if not self.identifiers:
            raise ValueError("identifiers: name at least the column of the local number")
        if unknown := sorted(set(self.columns) - set(FIELDS)):
            raise ValueError(f"columns: {unknown[0]!r} is none of {', '.join(FIELDS)}")
        for one in self.identifiers:
            if not (one.authority or one.oid or one.finess):
                raise ValueError(f"identifiers: column {one.column!r} has no authority, oid nor finess")
        _pattern(self.date_format)

    def date(self, text: str) -> str | None:
        """A date of the table as YYYYMMDD, None when it is not written so. Unknown parts are `00`."""
        found = _pattern(self.date_format).fullmatch(text)
        return f"{found['year']}{found['month']}{found['day']}" if found else None


def read_mapping(text: bytes) -> Mapping:
    """Read a mapping. Raises MappingError."""
    try:
        return msgspec.toml.decode(text, type=Mapping)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise MappingError(f"{error}; see docs/import.md for the keys") from error


def _pattern(date_format: str) -> re.Pattern[str]:
    """The shape of a date. Raises ValueError when it lacks a part."""
    pattern = re.escape(date_format)
    for part, shape in _DATE_PARTS.items():
        if pattern.count(part) != 1:
            raise ValueError(f"date_format: {date_format!r} must hold YYYY, MM and DD once each, as in DD/MM/YYYY")
        pattern = pattern.replace(part, shape)
    return re.compile(pattern)
