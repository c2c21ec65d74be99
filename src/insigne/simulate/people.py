"""Synthetic citizens: who they are for the nation, before any hospital knows them."""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from random import Random
from typing import Final

from insigne.ins.matricule import key_of
from insigne.simulate.names import (
    ACCENTED,
    FAMILY,
    FIRST_SYLLABLES,
    FOREIGN_FAMILY,
    GIVEN,
    LAST_SYLLABLES,
    MIDDLE_SYLLABLES,
    PARTICLES,
    STREETS,
)
from insigne.simulate.places import COMMUNES, COUNTRIES, HOSPITAL_COMMUNE, RESIDENCES, UNKNOWN_PLACE, Commune

_BIRTH_BANDS: Final = ((1921, 1945), (1946, 1967), (1968, 1985), (1986, 2005), (2006, 2025))
_BAND_WEIGHTS: Final = (16, 32, 24, 16, 12)


@dataclass(frozen=True, slots=True)
class Citizen:
    """A person with the traits the nation holds, and what a desk would write down of them.

    `birth` is the date held; `imprecise` says it was completed from a year alone. `birth_country` is ISO alpha-3, ""
    when the birthplace is unknown. `order` is the rank in a multiple birth, 0 for a single one.
    """

    birth_name: str
    given_names: tuple[str, ...]
    sex: str
    birth: date
    birth_place: str
    birth_label: str
    birth_country: str
    used_name: str
    used_given_name: str
    street: str
    residence: Commune
    phone: str
    email: str
    imprecise: bool = False
    order: int = 0

    @property
    def foreign(self) -> bool:
        """Whether the person was born abroad."""
        return self.birth_place.startswith("99")


class Matricules:
    """Hands out matricules, each once."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def issue(self, rng: Random, citizen: Citizen, *, sex: str = "", temporary: bool = False) -> str:
        """Return a new matricule of 15 characters built from the citizen's sex (or `sex`), year, month and birthplace.

        A temporary one (NIA) begins with 7 or 8.
        """
        man = (sex or citizen.sex) == "M"
        first = ("7" if man else "8") if temporary else ("1" if man else "2")
        month = "20" if citizen.imprecise else f"{citizen.birth.month:02d}"
        stem = f"{first}{citizen.birth.year % 100:02d}{month}{citizen.birth_place}"
        order = rng.randint(1, 999)
        while (root := f"{stem}{order:03d}") in self._taken:
            order = order % 999 + 1
        self._taken.add(root)
        return root + key_of(root)


class Population:
    """Draws citizens from a source of randomness. `today` bounds birth dates."""

    def __init__(self, today: date) -> None:
        self._today = today

    def citizen(self, rng: Random) -> Citizen:
        """Return a new person of any age."""
        low, high = rng.choices(_BIRTH_BANDS, _BAND_WEIGHTS)[0]
        birth = date(rng.randint(low, high), 1, 1) + timedelta(days=rng.randrange(365))
        sex = rng.choice("MF")
        foreign = rng.random() < 0.13
        if foreign:
            country = rng.choice(COUNTRIES)
            place, label, iso = country.code, country.label, country.iso
        else:
            commune = rng.choice(COMMUNES)
            while not commune.since <= birth.year <= commune.until:
                commune = rng.choice(COMMUNES)
            place, label, iso = commune.code, commune.label, "FRA"
        name = rng.choice(FOREIGN_FAMILY) if foreign and rng.random() < 0.7 else family_name(rng)
        given = given_names(rng, sex)
        married = sex == "F" and birth.year < 1995 and rng.random() < 0.55
        return Citizen(
            birth_name=name,
            given_names=given,
            sex=sex,
            birth=birth,
            birth_place=place,
            birth_label=label,
            birth_country=iso,
            used_name=family_name(rng) if married else "",
            used_given_name=_used_given_name(rng, given),
            street=f"{rng.randint(1, 140)} {rng.choice(STREETS)}",
            residence=rng.choice(RESIDENCES),
            phone=f"063998{rng.randrange(10_000):04d}",
            email=_email(rng, given[0], name),
        )

    def homonym(self, rng: Random, of: Citizen) -> Citizen:
        """Return someone else with the same birth name, first given name and sex, born in the same year."""
        days = rng.choice((0, 0, 1, 9, 30, 365))
        return replace(
            self.citizen(rng),
            birth_name=of.birth_name,
            given_names=(of.given_names[0], *given_names(rng, of.sex)[1:]),
            sex=of.sex,
            birth=max(of.birth - timedelta(days=days), date(of.birth.year, 1, 1)),
            birth_place=of.birth_place if days else HOSPITAL_COMMUNE.code,
            birth_label=of.birth_label if days else HOSPITAL_COMMUNE.label,
            birth_country=of.birth_country if days else "FRA",
            used_name=of.used_name,
            used_given_name="",
        )

    def mother(self, rng: Random) -> Citizen:
        """Return a woman old enough to give birth today."""
        woman = self.citizen(rng)
        while woman.sex != "F" or not 18 <= self._today.year - woman.birth.year <= 43:
            woman = self.citizen(rng)
        return woman

    def newborn(self, rng: Random, mother: Citizen, birth: date, rank: int) -> Citizen:
        """Return a child of `mother`, born in the hospital; `rank` is 0 for a single birth."""
        sex = rng.choice("MF")
        return replace(
            mother,
            birth_name=mother.used_name or mother.birth_name,
            given_names=given_names(rng, sex),
            sex=sex,
            birth=birth,
            birth_place=HOSPITAL_COMMUNE.code,
            birth_label=HOSPITAL_COMMUNE.label,
            birth_country="FRA",
            used_name="",
            used_given_name="",
            email="",
            order=rank,
        )


def imprecise(rng: Random, citizen: Citizen) -> Citizen:
    """Return the citizen born abroad on an unknown day and month: 31 December of the year (RNIV, EXI ID 11)."""
    country = rng.choice(COUNTRIES)
    known = rng.random() < 0.8
    return replace(
        citizen,
        birth=date(rng.randint(1930, 1985), 12, 31),
        birth_place=country.code if known else UNKNOWN_PLACE,
        birth_label=country.label if known else "",
        birth_country=country.iso if known else "",
        imprecise=True,
    )


def family_name(rng: Random) -> str:
    """Return a birth name: common, made of syllables, compound, with a particle or an apostrophe."""
    draw = rng.random()
    if draw < 0.45:
        return FAMILY[int(len(FAMILY) * rng.random() ** 1.6)]
    made = rng.choice(FIRST_SYLLABLES) + rng.choice(MIDDLE_SYLLABLES) + rng.choice(LAST_SYLLABLES)
    if draw < 0.86:
        return made
    if draw < 0.93:
        particle = rng.choice(PARTICLES)
        return particle + ("A" + made if particle.endswith("'") else made)
    if draw < 0.98:
        return f"{made}-{rng.choice(FAMILY)}"
    return f"{made}--{rng.choice(FAMILY)}"


def given_names(rng: Random, sex: str) -> tuple[str, ...]:
    """Return one to four different birth given names."""
    count = rng.choices((1, 2, 3, 4), (30, 34, 30, 6))[0]
    return tuple(rng.sample(GIVEN[sex], count))


def misspelt(rng: Random, name: str) -> str:
    """Return the name with one slip of the keyboard: a letter doubled, dropped or swapped with the next."""
    place = rng.randrange(1, max(2, len(name) - 1))
    kind = rng.randrange(3)
    if kind == 0 and name[place : place + 1].isalpha():
        return name[:place] + name[place] + name[place:]
    if kind == 1 and len(name) > 4 and name[place].isalpha():
        return name[:place] + name[place + 1 :]
    return name[: place - 1] + name[place : place + 1] + name[place - 1] + name[place + 1 :]


def _used_given_name(rng: Random, given: tuple[str, ...]) -> str:
    if len(given) > 1 and rng.random() < 0.08:
        return given[1]
    return ACCENTED[given[0]] if given[0] in ACCENTED and rng.random() < 0.5 else ""


def _email(rng: Random, given: str, name: str) -> str:
    if rng.random() < 0.6:
        return ""
    left = "".join(letter for letter in f"{given}.{name}".lower() if letter.isalpha() or letter == ".")
    return f"{left}{rng.randrange(100)}@courriel.example"
