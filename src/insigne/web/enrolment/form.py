"""The form: what the person typed, what is wrong with it, what comes of it."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from msgspec import Struct
from msgspec.structs import asdict

from insigne.ins.cog import UNKNOWN_PLACE
from insigne.ins.dates import BirthDate
from insigne.ins.entry import enter_traits
from insigne.ins.names import MAX_LENGTH, NameKind, normalise_name
from insigne.ins.remarks import EntryError
from insigne.ins.traits import StrictTraits
from insigne.registry.commands import DetailsAssertion, TraitsAssertion
from insigne.registry.values import Telecom
from insigne.web.enrolment.places import PlaceNames

#: Characters kept of a field: more than any rule admits, so that what is too long is said to be.
_KEPT: Final = 200
_PLACE_LENGTH: Final = 60

_DEPARTMENT: Final = re.compile(r"[0-9]{1,3}|2[AB]")
_PHONE: Final = re.compile(r"\+?[0-9]{6,15}")
_MOBILE: Final = re.compile(r"(?:0|\+33|0033)[67].*")
_EMAIL: Final = re.compile(r"[^@\s]{1,64}@[^@\s.]+(?:\.[^@\s.]+)+")

Errors = dict[str, str]


class Answers(Struct, frozen=True):
    """What the person typed, one space between words; "" where nothing was. The names are those of the fields."""

    birth_name: str = ""
    first_given_name: str = ""
    other_given_names: str = ""
    sex: str = ""
    birth_day: str = ""
    birth_month: str = ""
    birth_year: str = ""
    birth_town: str = ""
    birth_department: str = ""
    birth_country: str = ""
    used_name: str = ""
    phone: str = ""
    email: str = ""

    @classmethod
    def of(cls, fields: Mapping[str, str]) -> "Answers":
        """The answers among the fields of a form."""
        return cls(**{name: " ".join(fields.get(name, "").split())[:_KEPT] for name in cls.__struct_fields__})

    def items(self) -> list[tuple[str, str]]:
        """Each field with what was typed, in the order of the form."""
        return list(asdict(self).items())


@dataclass(frozen=True, slots=True)
class Person:
    """What an identity is created from. `date_completed`: the birth date is conventional, part of it being unknown."""

    traits: TraitsAssertion
    details: DetailsAssertion
    date_completed: bool


def check(answers: Answers, today: date, places: Callable[[], PlaceNames]) -> tuple[Person | None, Errors]:
    """What comes of the answers, or a French sentence for each field that is wrong, in the order of the form."""
    errors: Errors = {}
    for name, text in answers.items():
        if not text.isprintable():
            errors[name] = "Ce champ contient un caractère illisible. Saisissez-le de nouveau."
    traits, completed = _traits(answers, today, errors)
    others = _name(answers.other_given_names, "given", "other_given_names", errors)
    used_name = _name(answers.used_name, "family", "used_name", errors)
    given_names = f"{traits.first_given_name} {others}".strip()
    if len(given_names) > MAX_LENGTH:
        errors.setdefault("other_given_names", f"Gardez au plus {MAX_LENGTH} caractères pour l’ensemble des prénoms.")
    _check_place(answers, errors)
    telecoms = _telecoms(answers, errors)
    if errors:
        return None, {name: errors[name] for name in _ORDER if name in errors}
    code, text = _birth_place(answers, traits.birth_date, places())
    asserted = TraitsAssertion(
        traits.birth_name, traits.first_given_name, given_names, traits.birth_date, traits.sex, code
    )
    details = DetailsAssertion(
        used_name=used_name or None,
        telecoms=telecoms or None,
        birth_city=answers.birth_town or None,
        birth_place_text=text or None,
        birth_date_corrected="Y" if completed else None,
        collection_mode="SM",
    )
    return Person(asserted, details, completed), {}


_ORDER: Final = ("birth_name", "first_given_name", "other_given_names", "sex", "birth_date", *Answers.__struct_fields__)

#: What is said of a field left empty.
_MISSING: Final = {
    "birth_name": "Saisissez votre nom de naissance.",
    "first_given_name": "Saisissez votre premier prénom.",
    "sex": "Indiquez le sexe écrit sur votre pièce d’identité.",
    "birth_date": "Saisissez au moins l’année de naissance.",
}


def _traits(answers: Answers, today: date, errors: Errors) -> tuple[StrictTraits, bool]:
    """The traits by the rules of entry, the birthplace apart, and whether the date had to be completed."""
    written = _birth_date(answers, errors)
    typed = StrictTraits(
        birth_name=answers.birth_name,
        first_given_name=answers.first_given_name,
        birth_date=written,
        sex=answers.sex,
        birth_place=UNKNOWN_PLACE,
    )
    entry = enter_traits(typed, today)
    empty = {"birth_name": answers.birth_name, "first_given_name": answers.first_given_name, "sex": answers.sex}
    for error in entry.errors:
        missing = not empty.get(error.field, written)
        errors.setdefault(error.field, _MISSING[error.field] if missing else _sentence(error))
    return entry.traits, entry.date_completed


def _birth_date(answers: Answers, errors: Errors) -> str:
    """The date as YYYYMMDD, 00 for an unknown month or day, or ""."""
    day, month, year = answers.birth_day, answers.birth_month, answers.birth_year
    if not (day or month or year):
        return ""
    numbers = [part.isascii() and part.isdigit() for part in (day or "0", month or "0", year)]
    if not all(numbers) or len(year) != 4 or int(month or 0) > 12 or int(day or 0) > 31:
        errors["birth_date"] = "Écrivez le jour, le mois et l’année en chiffres, par exemple 7 3 1962."
        return ""
    text = f"{year}{int(month or 0):02d}{int(day or 0):02d}"
    # A person who writes 31 February is mistaken: lunar dates come from documents, a professional enters them.
    if int(year) and BirthDate.parse(text).is_lunar:
        errors["birth_date"] = "Ce jour n’existe pas : vérifiez le jour et le mois."
    return text


def _name(text: str, kind: NameKind, field: str, errors: Errors) -> str:
    """An optional name by the rules of entry."""
    if not text:
        return ""
    try:
        return normalise_name(text, kind, field)
    except EntryError as error:
        errors.setdefault(field, _sentence(error))
        return ""


def _sentence(error: EntryError) -> str:
    quoted = f" : « {error.character} » ne l’est pas" if error.rule == "character" else ""
    return f"{error.message_fr}{quoted}."


def _check_place(answers: Answers, errors: Errors) -> None:
    """A commune and its département, or a country; which code that is, is found out later."""
    town, department, country = answers.birth_town, answers.birth_department, answers.birth_country
    if department and not _DEPARTMENT.fullmatch(department.upper()):
        errors["birth_department"] = "Écrivez le numéro du département, par exemple 35, 2A ou 974."
    for name, text in (("birth_town", town), ("birth_country", country)):
        if len(text) > _PLACE_LENGTH:
            errors[name] = f"Gardez au plus {_PLACE_LENGTH} caractères."
    if country and department and not _is_france(country):
        errors["birth_country"] = "Indiquez un département de France ou un pays étranger, pas les deux."
    if country and not _is_france(country):
        return
    if not town:
        errors.setdefault("birth_town", "Saisissez votre commune de naissance, ou votre pays de naissance.")
    elif not department:
        errors.setdefault(
            "birth_department", "Saisissez le numéro du département, ou votre pays si vous êtes né(e) à l’étranger."
        )


def _is_france(country: str) -> bool:
    return country.upper() == "FRANCE"


def _birth_place(answers: Answers, birth_date: str, places: PlaceNames) -> tuple[str, str]:
    """The COG code on the day of birth, and what the person wrote when there is none for it."""
    town, country = answers.birth_town, answers.birth_country
    if country and not _is_france(country):
        code, text = places.country(country, birth_date), f"{town}, {country}".removeprefix(", ")
    else:
        department = answers.birth_department.upper().zfill(2)
        code, text = places.commune(town, department, birth_date), f"{town} ({department})"
    return code, text if code == UNKNOWN_PLACE else ""


def _telecoms(answers: Answers, errors: Errors) -> tuple[Telecom, ...]:
    telecoms: list[Telecom] = []
    if answers.phone:
        number = re.sub(r"[ .()/-]", "", answers.phone)
        if not _PHONE.fullmatch(number):
            errors.setdefault("phone", "Écrivez un numéro de téléphone, par exemple 06 39 98 00 00 ou +32 2 555 00 00.")
        telecoms.append(Telecom("PRN", "CP" if _MOBILE.fullmatch(number) else "PH", number))
    if answers.email:
        if not _EMAIL.fullmatch(answers.email) or len(answers.email) > 254:
            errors.setdefault("email", "Écrivez une adresse électronique, par exemple nom@exemple.fr.")
        telecoms.append(Telecom("NET", "Internet", answers.email))
    return tuple(telecoms)
