"""Known solutions that feed the DMP, and what a name and a version met at a site amount to. Pure.

The table (`data/solutions.toml`) is dated and incomplete: a version beyond those it names is never taken for a good
one, and a solution it does not name is said to be unknown.
"""

import difflib
import re
from collections.abc import Sequence
from enum import StrEnum
from importlib.resources import files
from itertools import zip_longest
from typing import Annotated, Final, Literal, NamedTuple

import msgspec
from msgspec import Meta, Struct

from insigne.ins.names import fold_name, spaced_name

Api = Literal["v1", "v2-nir", "v2-qualified"]
API_LABELS_FR: Final[dict[str, str]] = {
    "v1": "API V1 (INS-C)",
    "v2-nir": "API V2 avec le NIR",
    "v2-qualified": "API V2 avec l’INS qualifié",
    "none": "aucune",
    "": "inconnue",
}


class SolutionsError(ValueError):
    """A table of solutions that cannot be used; the text names what is wrong."""


class Solution(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A solution in some versions. `api` v1 and v2-nir: these and older ones are to be migrated.

    v2-qualified: these and newer ones feed with the qualified INS.
    """

    name: Annotated[str, Meta(min_length=2, max_length=100)]
    versions: Annotated[tuple[str, ...], Meta(min_length=1)]
    api: Api
    aliases: tuple[str, ...] = ()


class _Table(Struct, frozen=True, forbid_unknown_fields=True):
    solutions: tuple[Solution, ...] = ()


class Verdict(StrEnum):
    """What the table says of a component. BEHIND: older than a ready version; BEYOND: newer than all it names."""

    V1 = "v1"
    V2_NIR = "v2-nir"
    READY = "v2-qualified"
    BEHIND = "behind"
    BEYOND = "beyond"
    NO_VERSION = "no-version"
    UNKNOWN = "unknown"


class Match(NamedTuple):
    """`solution` is the name in the table, "" when unknown; `sure` is false when only a part of the name agrees.

    `known` are the versions of the table; `nearest` names what looks like an unknown one.
    """

    verdict: Verdict
    solution: str = ""
    sure: bool = True
    known: tuple[str, ...] = ()
    nearest: tuple[str, ...] = ()


def read_solutions(text: bytes, more: bytes = b"") -> tuple[Solution, ...]:
    """Read the table, and a site's own: it adds to the table, and is right where both name a version.

    Raises SolutionsError.
    """
    known, own = _read(text), _read(more)
    told = {(_key(one.name), numbers(version)) for one in own for version in one.versions}
    return (
        *own,
        *(one for one in known if not any((_key(one.name), numbers(version)) in told for version in one.versions)),
    )


def bundled_solutions() -> bytes:
    """The table that comes with Insigne."""
    return files("insigne.dmp.migration").joinpath("data/solutions.toml").read_bytes()


def match(name: str, version: str, table: Sequence[Solution]) -> Match:
    """What the table says of a component; case, accents and punctuation of its name do not count."""
    sure = [one for one in table if _key(name) in {_key(known) for known in (one.name, *one.aliases)}]
    found = sure or [one for one in table if any(_holds(name, known) for known in (one.name, *one.aliases))]
    if len({_key(one.name) for one in found}) != 1:
        close = difflib.get_close_matches(_key(name), [_key(one.name) for one in table], n=3, cutoff=0.75)
        nearest = sorted({one.name for one in (*found, *(one for one in table if _key(one.name) in close))})
        return Match(Verdict.UNKNOWN, nearest=tuple(nearest))
    solution = found[0].name
    known = tuple(one_version for one in found for one_version in one.versions)
    return Match(_verdict(version, found), solution, bool(sure), known)


def _verdict(version: str, found: Sequence[Solution]) -> Verdict:
    installed = numbers(version)
    if not installed:
        return Verdict.NO_VERSION
    listed = sorted((numbers(one_version), one.api) for one in found for one_version in one.versions)
    ready = [known for known, api in listed if api == "v2-qualified"]
    if ready and not older(installed, ready[0]):
        return Verdict.READY
    older_ones: list[str] = [api for known, api in listed if api != "v2-qualified" and not older(known, installed)]
    if older_ones:
        return Verdict(older_ones[0])
    return Verdict.BEHIND if ready else Verdict.BEYOND


def numbers(version: str) -> tuple[int, ...]:
    """The numbers of a version, in order, without zeros at the end: "V7.10.0 SP2" is (7, 10, 0, 2), "1.0" is (1,)."""
    found = [int(part) for part in re.findall(r"[0-9]{1,9}", version)]
    while len(found) > 1 and not found[-1]:
        found.pop()
    return tuple(found)


def older(one: Sequence[int], other: Sequence[int]) -> bool:
    """Whether a version comes before another, missing numbers being zeros."""
    return next((a < b for a, b in zip_longest(one, other, fillvalue=0) if a != b), False)


def _read(text: bytes) -> tuple[Solution, ...]:
    try:
        table = msgspec.toml.decode(text, type=_Table).solutions
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise SolutionsError(str(error)) from error
    for one in table:
        if wrong := [version for version in one.versions if not numbers(version)]:
            raise SolutionsError(f"{one.name}: version {wrong[0]!r} has no number")
    return table


def _letters(name: str) -> str:
    return name.replace("@", "a")


def _key(name: str) -> str:
    return fold_name(_letters(name))


def _holds(name: str, known: str) -> bool:
    """Whether the words of a known name stand one after the other in a name."""
    return f" {spaced_name(_letters(known))} " in f" {spaced_name(_letters(name))} "
