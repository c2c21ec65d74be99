"""The matricule INS: NIR or NIA with its key, and the OID without which it is not an INS.

Source: référentiel INS (structure, authorities). The nature comes from the OID, never from the digits, and nothing here
fills or contradicts a trait: known divergences exist between a matricule and the traits INSi publishes with it.
"""

import re
from collections.abc import Container, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from insigne.ins.remarks import Remark

NIR_OID: Final = "1.2.250.1.213.1.4.8"
NIA_OID: Final = "1.2.250.1.213.1.4.9"
NIR_TEST_OID: Final = "1.2.250.1.213.1.4.10"
NIR_DEMO_OID: Final = "1.2.250.1.213.1.4.11"
INS_C_OID: Final = "1.2.250.1.213.1.4.2"


class Nature(StrEnum):
    """What a matricule is: a definitive number, or one given while the person's registration is pending."""

    NIR = "NIR"
    NIA = "NIA"


OIDS: Final[Mapping[str, tuple[Nature | None, str]]] = MappingProxyType(
    {
        NIR_OID: (Nature.NIR, "production"),
        NIA_OID: (Nature.NIA, "production"),
        NIR_TEST_OID: (Nature.NIR, "test"),
        NIR_DEMO_OID: (Nature.NIR, "demo"),
        INS_C_OID: (None, "ins-c"),
    }
)
"""OID → (nature, kind); kind is "production", "test", "demo" or "ins-c" (the obsolete computed identifier)."""

NAMESPACES: Final[Mapping[str, str]] = MappingProxyType(
    {
        NIR_OID: "ASIP-SANTE-INS-NIR",
        NIA_OID: "ASIP-SANTE-INS-NIA",
        NIR_TEST_OID: "ASIP-SANTE-INS-NIR-TEST",
        NIR_DEMO_OID: "ASIP-SANTE-INS-NIR-DEMO",
        INS_C_OID: "ASIP-SANTE-INS-C",
    }
)
"""OID → namespace, as CX-4.1 writes it (PAM-FR)."""

_ALLOWED_KINDS: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {"production": frozenset({"production"}), "test": frozenset({"production", "test", "demo"})}
)
_CORSICA: Final = {"2A": "19", "2B": "18"}
_ROOT = re.compile(r"[0-9]{5}(?:[0-9]{2}|2A|2B)[0-9]{6}")
_SEPARATORS = re.compile(r"[\s.\-]")


@dataclass(frozen=True, slots=True)
class Plausibility:
    """What a matricule usually looks like. Recalled facts, hence a setting; being outside only draws a remark.

    `first_digits`: 1 M, 2 F, 3 and 4 foreigners being registered, 7 and 8 temporary numbers.
    `months`: 01–12, then 20–42 and 50–99 for acts whose month is unknown.
    """

    first_digits: str = "123478"
    months: Container[int] = frozenset((*range(1, 13), *range(20, 43), *range(50, 100)))


DEFAULT_PLAUSIBILITY: Final = Plausibility()


def nature_of(oid: str) -> Nature | None:
    """Return NIR or NIA for an INS authority; None for INS-C and for any other OID."""
    return OIDS.get(oid, (None, ""))[0]


def kind_of(oid: str) -> str | None:
    """Return "production", "test", "demo" or "ins-c"; None when the OID is not an INS authority."""
    known = OIDS.get(oid)
    return known[1] if known else None


def oid_allowed(oid: str, environment: str) -> bool:
    """Tell whether an INS under this OID may be used: real ones anywhere, test and demo ones only in "test".

    Raises ValueError for an environment other than "production" or "test".
    """
    if environment not in _ALLOWED_KINDS:
        raise ValueError(f"environment: {environment!r} is not one of {', '.join(_ALLOWED_KINDS)}")
    return kind_of(oid) in _ALLOWED_KINDS[environment]


def compact(value: str) -> str:
    """Return a matricule as the référentiel writes it: capitals, without the spaces, dots or hyphens of a print-out."""
    return _SEPARATORS.sub("", value).upper()


def key_of(first13: str) -> str:
    """Return the two-digit key of the first 13 characters: 97 − (n mod 97), Corsican 2A read as 19 and 2B as 18.

    Raises ValueError when the 13 characters are not those of a NIR or NIA.
    """
    if not _ROOT.fullmatch(first13):
        raise ValueError("matricule: the key needs 13 digits, the department (6th and 7th) alone may be 2A or 2B")
    department = first13[5:7]
    number = int(first13[:5] + _CORSICA.get(department, department) + first13[7:])
    return f"{97 - number % 97:02d}"


def is_matricule(value: str) -> bool:
    """Tell whether a value has the shape of a matricule as it travels: 15 characters, its key right or not."""
    return len(value) == 15 and bool(_ROOT.fullmatch(value[:13])) and value[13:].isascii() and value[13:].isdecimal()


def check_matricule(value: str, plausible: Plausibility = DEFAULT_PLAUSIBILITY) -> list[Remark]:
    """Return what looks wrong in a matricule of 15 characters; an empty list when nothing does.

    Nothing here refuses: INSi has published matricules whose key does not match. A value whose shape is wrong draws
    the shape's remark alone, unless removing printed separators is enough to read it.
    """
    remarks: list[Remark] = []
    text = compact(value)
    if text != value:
        remarks.append(_SPELLING)
    if not is_matricule(text):
        return [_FORMAT]
    if key_of(text[:13]) != text[13:]:
        remarks.append(_KEY)
    if text[0] not in plausible.first_digits:
        remarks.append(_FIRST_DIGIT)
    if int(text[3:5]) not in plausible.months:
        remarks.append(_MONTH)
    if text[5:7] == "00" or text[7:10] == "000":
        remarks.append(_PLACE)
    if text[10:13] == "000":
        remarks.append(_ORDER)
    return remarks


_FORMAT = Remark(
    "matricule-format",
    "A matricule INS has 15 characters: 13 digits (the department may be 2A or 2B) and a key of two digits",
    "Un matricule INS a 15 caractères : 13 chiffres (le département peut être 2A ou 2B) et une clé de deux chiffres",
)
_SPELLING = Remark(
    "matricule-spelling",
    "The matricule is written with separators or small letters: it travels as 15 characters on end",
    "Le matricule est écrit avec des séparateurs ou en minuscules : il se transmet en 15 caractères accolés",
)
_KEY = Remark(
    "matricule-key",
    "The key does not match the first 13 characters (97 minus the remainder by 97)",
    "La clé ne correspond pas aux 13 premiers caractères (97 moins le reste de la division par 97)",
)
_FIRST_DIGIT = Remark(
    "matricule-first-digit",
    "The first digit is not one that a NIR or a NIA usually has",
    "Le premier chiffre n’est pas de ceux que porte habituellement un NIR ou un NIA",
)
_MONTH = Remark(
    "matricule-month",
    "The month (4th and 5th characters) is neither 01–12 nor a code for an unknown month",
    "Le mois (4e et 5e caractères) n’est ni compris entre 01 et 12 ni un code de mois inconnu",
)
_PLACE = Remark(
    "matricule-place",
    "The birthplace (6th to 10th characters) cannot be a COG code",
    "Le lieu de naissance (6e au 10e caractère) ne peut pas être un code COG",
)
_ORDER = Remark(
    "matricule-order",
    "The order number (11th to 13th characters) cannot be 000",
    "Le numéro d’ordre (11e au 13e caractère) ne peut pas être 000",
)
