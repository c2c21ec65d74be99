"""The text of the INS Data Matrix (ANS, format of the INS Data Matrix, v2.2 of 26 September 2023).

A header of 26 characters, then fields: an identifier of two characters and a value. A field of variable length that is
shorter than its maximum and not the last ends with GS. Only a qualified identity may bear one (EXI ID 29, EXI DIF 02):
the caller holds the status, and checks it before writing.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from insigne.ins.dates import BirthDate
from insigne.ins.matricule import nature_of
from insigne.ins.names import NameKind, normalise_name
from insigne.ins.remarks import EntryError
from insigne.ins.traits import StrictTraits

GS: Final = "\x1d"
HEADER: Final = "IS01" + "0" * 22
"""Header of version 01; what follows the version is reserved."""
MAX_LENGTH: Final = 2335
"""Characters the largest Data Matrix symbol holds (ISO/IEC 16022); an INS takes 291 at most."""

_HEADER: Final = re.compile(r"IS([0-9]{2})[0-9A-Z]{22}")
_UNKNOWN: Final = re.compile(r"[A-Z][0-9]")


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """A field of the format: identifier, lengths in characters, shape of the value, whether every payload has it."""

    id: str
    name: str
    name_fr: str
    minimum: int
    maximum: int
    shape: re.Pattern[str]
    mandatory: bool = True


_NAME: Final = re.compile(r"[A-Z' -]+")
FIELDS: Final[Mapping[str, FieldSpec]] = MappingProxyType(
    {
        spec.id: spec
        for spec in (
            FieldSpec("S1", "matricule", "matricule", 15, 15, re.compile(r"[0-9]{5}(?:[0-9]{2}|2[AB])[0-9]{8}")),
            FieldSpec("S2", "OID", "OID", 19, 20, re.compile(r"[0-9]+(?:\.[0-9]+)+")),
            FieldSpec("S3", "given names", "prénoms", 1, 100, _NAME),
            FieldSpec("S4", "birth name", "nom de naissance", 1, 100, _NAME),
            FieldSpec("S5", "sex", "sexe", 1, 1, re.compile(r"[FM]")),
            FieldSpec("S6", "birth date", "date de naissance", 10, 10, re.compile(r"[0-9]{2}-[0-9]{2}-[0-9]{4}")),
            FieldSpec("S7", "birthplace", "lieu de naissance", 5, 5, re.compile(r"[0-9][0-9AB][0-9]{3}"), False),
        )
    }
)
"""The fields by identifier, in the order they are written."""


class DatamatrixError(ValueError):
    """A payload that cannot be read, or traits that cannot be written.

    `field` is the identifier (S1…S7) or "header"; `rule` a stable code; `message_fr` the same sentence in French. No
    value is quoted: it is a patient's.
    """

    def __init__(self, field: str, rule: str, reason: str, reason_fr: str) -> None:
        spec = FIELDS.get(field)
        self.field = field
        self.rule = rule
        self.message_fr = f"{f'{field} ({spec.name_fr})' if spec else field} : {reason_fr}"
        super().__init__(f"{f'{field} ({spec.name})' if spec else field}: rule {rule}: {reason}")


@dataclass(frozen=True, slots=True)
class InsPayload:
    """What a Data Matrix says. `fields`: value by identifier, in the order read, unknown ones kept."""

    fields: Mapping[str, str]

    @property
    def matricule(self) -> str:
        """The matricule INS, its key included. The key is not checked here: see `check_matricule`."""
        return self.fields["S1"]

    @property
    def oid(self) -> str:
        """The OID, which tells NIR from NIA. Whether it may be used here: see `oid_allowed`."""
        return self.fields["S2"]

    @property
    def traits(self) -> StrictTraits:
        """The traits, birth date as YYYYMMDD. The first given name, which the list does not tell apart, is unknown."""
        day, month, year = self.fields["S6"].split("-")
        return StrictTraits(
            birth_name=self.fields["S4"],
            given_names=self.fields["S3"],
            birth_date=year + month + day,
            sex=self.fields["S5"],
            birth_place=self.fields.get("S7", ""),
        )

    @property
    def unknown(self) -> dict[str, str]:
        """The fields that the format does not define."""
        return {id_: value for id_, value in self.fields.items() if id_ not in FIELDS}


def read_payload(text: str) -> InsPayload:
    """Read the text of a symbol (its bytes as ASCII): fields in any order, S7 absent or not, unknown ones kept.

    A GS that the format does not ask for is passed over. Raises DatamatrixError for a header, a length, a value or a
    repetition that the format refuses, and for a missing field.
    """
    if len(text) > MAX_LENGTH:
        raise _error("header", "length", "this is longer than any Data Matrix", "plus long que tout Data Matrix")
    header = _HEADER.match(text)
    if not header:
        raise _error(
            "header",
            "header",
            "an INS Data Matrix begins with IS, a version and 22 more characters",
            "un Data Matrix INS commence par IS, une version et 22 autres caractères",
        )
    if header[1] != "01":
        raise _error("header", "version", "version 01 alone is known", "seule la version 01 est connue")
    fields: dict[str, str] = {}
    for id_, value in _split(text[header.end() :]):
        if id_ in fields:
            raise _error(id_, "repeated", "a field is given once", "un champ n’est donné qu’une fois")
        if id_ in FIELDS:
            _check(FIELDS[id_], value)
        fields[id_] = value
    for spec in FIELDS.values():
        if spec.mandatory and spec.id not in fields:
            raise _error(spec.id, "missing", "this field is mandatory", "ce champ est obligatoire")
    return InsPayload(MappingProxyType(fields))


def write_payload(traits: StrictTraits, matricule: str, oid: str) -> str:
    """Write the payload of an INS, ASCII, fields S1 to S7 in order; an unknown birthplace ("") is left out.

    For a qualified identity only: the caller refuses the others (EXI ID 29). Raises DatamatrixError for what the
    format cannot hold: sex I, an incomplete or lunar date, an OID that is not of the INS, a name of other letters.
    """
    if nature_of(oid) is None:
        raise _error("S2", "oid", "this is not an OID of the INS", "ce n’est pas un OID d’INS")
    values = {
        "S1": matricule,
        "S2": oid,
        "S3": _written_name(traits.given_names, "given", "S3"),
        "S4": _written_name(traits.birth_name, "family", "S4"),
        "S5": traits.sex,
        "S6": _written_date(traits.birth_date),
    }
    if traits.birth_place:
        values["S7"] = traits.birth_place
    for id_, value in values.items():
        _check(FIELDS[id_], value)
    last = next(reversed(values))
    return HEADER + "".join(
        id_ + value + (GS if len(value) < FIELDS[id_].maximum and id_ != last else "") for id_, value in values.items()
    )


def _split(text: str) -> Iterator[tuple[str, str]]:
    """Cut the text after the header in (identifier, value), by the lengths of known fields and by GS."""
    position, previous = 0, "header"
    while position < len(text):
        id_ = text[position : position + 2]
        spec = FIELDS.get(id_)
        if spec is None and not _UNKNOWN.fullmatch(id_):
            raise _error(
                previous,
                "end",
                "no field begins after it: its value is too long, or it is followed by something else",
                "aucun champ ne commence à sa suite : valeur trop longue, ou suivie d’autre chose",
            )
        start = position + 2
        separator = text.find(GS, start)
        end = separator if separator >= 0 else len(text)
        if spec is not None:
            end = min(end, start + spec.maximum)
        yield id_, text[start:end]
        position, previous = end + (text[end : end + 1] == GS), id_


def _check(spec: FieldSpec, value: str) -> None:
    if not spec.minimum <= len(value) <= spec.maximum:
        size = str(spec.maximum) if spec.minimum == spec.maximum else f"{spec.minimum}-{spec.maximum}"
        raise _error(spec.id, "length", f"{size} characters are expected", f"{size} caractères attendus")
    if not spec.shape.fullmatch(value):
        raise _error(spec.id, "shape", *_SHAPES[spec.id])
    if spec.id == "S6":
        _read_date(value)


def _read_date(value: str) -> None:
    """Refuse a date that no birth date, lunar ones included, can be."""
    try:
        BirthDate.parse("-".join(reversed(value.split("-"))))
    except ValueError as error:
        raise _error("S6", "shape", *_SHAPES["S6"]) from error


def _written_name(text: str, kind: NameKind, field: str) -> str:
    """Return a name in the capitals of the health identity; one that INSi publishes against its own rules is kept."""
    try:
        return normalise_name(text, kind, field)
    except EntryError:
        return text


def _written_date(text: str) -> str:
    try:
        day = BirthDate.parse(text).as_date()
    except ValueError:
        day = None
    if day is None:
        raise _error(
            "S6",
            "calendar",
            "an incomplete or lunar date does not qualify an identity (EXI ID 12)",
            "une date incomplète ou lunaire ne permet pas de qualifier une identité (EXI ID 12)",
        )
    return f"{day.day:02d}-{day.month:02d}-{day.year:04d}"


def _error(field: str, rule: str, reason: str, reason_fr: str) -> DatamatrixError:
    return DatamatrixError(field, rule, reason, reason_fr)


_NAME_SHAPE: Final = (
    "capitals A to Z, space, apostrophe and hyphen only; GS ends a value shorter than 100 characters",
    "capitales A à Z, espace, apostrophe, trait d’union seulement ; GS termine une valeur de moins de 100 caractères",
)
_SHAPES: Final[Mapping[str, tuple[str, str]]] = {
    "S1": ("15 digits, the department may be 2A or 2B", "15 chiffres, le département peut être 2A ou 2B"),
    "S2": (
        "numbers separated by dots; GS ends a value of 19 characters",
        "nombres séparés par des points ; GS termine une valeur de 19 caractères",
    ),
    "S3": _NAME_SHAPE,
    "S4": _NAME_SHAPE,
    "S5": ("F or M; an undetermined sex has no INS", "F ou M ; un sexe indéterminé n’a pas d’INS"),
    "S6": ("DD-MM-YYYY is expected", "JJ-MM-AAAA attendu"),
    "S7": ("a COG code is expected", "code COG attendu"),
}
