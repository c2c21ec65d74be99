"""Identities of the years of API V1: INS-C, and what TD0.0 answered. History only: nothing here is, or becomes, an INS.

Columns of the file, named by its header, in any order: `kind` (ins-c or td0.0) and `value` are required; `authority`
(the OID of an INS-C by default), `local_authority` and `local_value` (the local number it was held with),
`birth_name`, `given_names`, `birth_date` (YYYY-MM-DD), `sex` (M, F), `obtained` (YYYY-MM-DD). The delimiter is `;` or
`,`.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from typing import Final, Literal, NamedTuple

from msgspec import Struct

from insigne.dmp.columns import named_rows
from insigne.ins.names import fold_name, spaced_name
from insigne.registry.state import Identity
from insigne.registry.values import Traits

INS_C_OID: Final = "1.2.250.1.213.1.4.2"
"""The OID of an INS-C (removed from CI-SIS since; still met in answers of TD0.2)."""
Kind = Literal["ins-c", "td0.0"]
COLUMNS: Final = (
    "kind",
    "value",
    "authority",
    "local_authority",
    "local_value",
    "birth_name",
    "given_names",
    "birth_date",
    "sex",
    "obtained",
)
_KINDS: Final[dict[str, Kind]] = {"ins-c": "ins-c", "insc": "ins-c", "td0.0": "td0.0", "td00": "td0.0"}
_VALUE: Final = re.compile(r"[0-9A-Z]{1,40}")
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class LegacyLine(NamedTuple):
    """A line of the file, from 2; `problem` says what is wrong with it, without its values."""

    number: int
    problem: str = ""
    kind: Kind = "ins-c"
    authority: str = ""
    value: str = ""
    local_authority: str = ""
    local_value: str = ""
    traits: Traits = Traits()
    obtained: str = ""


class Legacy(Struct, frozen=True):
    """An identifier of former times, kept as history. `identity` is "" when it was matched with nobody.

    `matched` says how: by "identifier" or "traits"; else why not: "nobody", "several", "differs".
    """

    id: str
    kind: str
    authority: str
    value: str
    local_authority: str
    local_value: str
    identity: str
    matched: str
    obtained: str
    source: str
    imported: str
    author: str
    traits: Traits = Traits()


class Owner(NamedTuple):
    """Whose it was: the identity ("" for nobody), and how or why not (see `Legacy.matched`)."""

    identity: str
    matched: str


def read_legacy(lines: Iterable[str]) -> Iterator[LegacyLine]:
    """Read a file opened with `newline=""`, line by line. Raises ColumnsError."""
    for number, row in named_rows(lines, COLUMNS, COLUMNS[:2]):
        yield _line(number, row)


def legacy_id(line: LegacyLine) -> str:
    """What a line is called: the same for the same identifier held with the same local number, whoever brings it."""
    told = (line.kind, line.authority, line.value, line.local_authority, line.local_value, line.obtained)
    return sha256("\x1f".join(told).encode()).hexdigest()[:32]


def owner_of(line: LegacyLine, by_identifier: Sequence[Identity], by_traits: Sequence[Identity]) -> Owner:
    """Whose a line is. `by_identifier` hold its local number; `by_traits` were born that day. All of them stand.

    The local number comes first, unless the traits contradict it: then nobody is taken. Traits count
    only when all are there and name one person; the identifier of former times itself never matches.
    """
    if len(by_identifier) > 1:
        return Owner("", "several")
    for found in by_identifier:
        return Owner("", "differs") if _contradicts(line.traits, found) else Owner(found.id, "identifier")
    alike = [one.id for one in by_traits if _alike(line.traits, one.traits)]
    match alike:
        case []:
            return Owner("", "nobody")
        case [only]:
            return Owner(only, "traits")
    return Owner("", "several")


def _line(number: int, row: dict[str, str]) -> LegacyLine:
    kind = _KINDS.get(row.get("kind", "").casefold())
    value = row.get("value", "").replace(" ", "").upper()
    birth_date, sex, obtained = row.get("birth_date", ""), row.get("sex", "").upper(), row.get("obtained", "")
    if kind is None:
        return LegacyLine(number, "kind: ins-c or td0.0")
    if not _VALUE.fullmatch(value):
        return LegacyLine(number, "value: letters and digits, 40 at most")
    if birth_date and not _DATE.fullmatch(birth_date):
        return LegacyLine(number, "birth_date: write it like 1979-03-28")
    if sex not in ("", "M", "F"):
        return LegacyLine(number, "sex: M or F")
    if obtained and not _DATE.fullmatch(obtained):
        return LegacyLine(number, "obtained: write it like 2019-03-28")
    if bool(row.get("local_value")) != bool(row.get("local_authority")):
        return LegacyLine(number, "local_value: goes with local_authority")
    traits = Traits(
        birth_name=row.get("birth_name", ""),
        given_names=row.get("given_names", ""),
        birth_date=birth_date.replace("-", ""),
        sex=sex,
    )
    authority = row.get("authority", "") or (INS_C_OID if kind == "ins-c" else "")
    local = row.get("local_authority", ""), row.get("local_value", "")
    return LegacyLine(number, "", kind, authority, value, *local, traits, obtained)


def _contradicts(one: Traits, other: Identity) -> bool:
    """Whether birth date or sex differ, or both names do: a local number may have been given twice."""
    known = other.traits
    if _differ(one.birth_date, known.birth_date[:8]) or _differ(one.sex, known.sex):
        return True
    names = {fold_name(known.birth_name), fold_name(other.details.used_name)} - {""}
    first, given = _first(one), _first(known)
    return bool(one.birth_name and names and fold_name(one.birth_name) not in names and _differ(first, given))


def _first(traits: Traits) -> str:
    """The first word of the given names, folded."""
    return next(iter(spaced_name(traits.first_given_name or traits.given_names).split()), "")


def _differ(one: str, other: str) -> bool:
    return bool(one and other) and one != other


def _alike(one: Traits, other: Traits) -> bool:
    """Whether birth name, first given name, birth date and sex are all there and the same."""
    first, name = _first(one), fold_name(one.birth_name)
    return (
        bool(name and first and one.birth_date and one.sex)
        and name == fold_name(other.birth_name)
        and first == _first(other)
        and one.birth_date == other.birth_date[:8]
        and one.sex == other.sex
    )
