"""Who fills the national base: the official test people, with their named fixtures, and any generated hospital."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import chain
from pathlib import Path
from typing import Final

import msgspec

from insigne.ins.matricule import NIA_OID, NIR_OID
from insigne.insi.wire import NOT_FOUND, SEVERAL, Deviation, InsNumber
from insigne.simulate.insi.national import MODES, Mode, NationalBase, Registered
from insigne.simulate.truth import National, PastIns, PeopleError, Person

GENERIC_FIXTURES: Final[Mapping[str, str]] = {"REP_CR01": NOT_FOUND, "REP_CR02": SEVERAL, "REP_INSI_102": ""}
"""Fixtures for any birth name → the code answered, "" for the technical fault."""

_OIDS: Final = {"NIR": NIR_OID, "NIA": NIA_OID}
_KEY_LENGTH: Final = 2


@dataclass(frozen=True, slots=True)
class Unanswered:
    """Somebody the scenarios ask about and whom the base does not hold; `scenario` says what to expect."""

    birth_name: str
    given_names: str
    sex: str
    birth_date: str
    scenario: str


@dataclass(frozen=True, slots=True)
class TestPeople:
    """The official test people.

    `variants`: (number, fixture) → the person as that fixture has them. `scenarios`: number → what they are for.
    """

    people: tuple[Registered, ...]
    variants: Mapping[tuple[str, str], Registered]
    unanswered: tuple[Unanswered, ...]
    scenarios: Mapping[str, str]

    def listing(self) -> list[dict[str, object]]:
        """Return what to ask about each, and what it shows."""
        return [
            {
                "birth_name": person.birth_name,
                "given_names": " ".join(person.given_names),
                "sex": person.sex,
                "birth_date": person.birth_date,
                "birth_place": person.birth_place,
                "matricule": person.ins.matricule,
                "oid": person.ins.oid,
                "scenario": self.scenarios[person.ins.number],
                "known_in": sorted(person.known_in),
                "fixtures": self.fixtures_of(person.birth_name),
            }
            for person in self.people
        ]

    def fixtures_of(self, birth_name: str) -> list[str]:
        """Return the names of the fixtures that this birth name may be given."""
        numbers = {person.ins.number for person in self.people if person.birth_name == birth_name}
        return sorted({name for number, name in self.variants if number in numbers} | set(GENERIC_FIXTURES))

    def check_fixtures(self, chosen: Mapping[str, str]) -> None:
        """Refuse fixtures that do not exist. Raises ValueError naming those that do."""
        for birth_name, fixture in chosen.items():
            known = self.fixtures_of(birth_name)
            if fixture not in known:
                raise ValueError(f"fixtures: {birth_name} has none called {fixture!r}; choose among {', '.join(known)}")


@cache
def test_people() -> TestPeople:
    """Read the test people shipped with the simulator."""
    text = files(__package__).joinpath("people.toml").read_bytes()
    document = msgspec.toml.decode(text, type=_Document)
    people = tuple(_registered(one) for one in document.person)
    variants = {
        (one.ins.number, fixture.name): _registered(one, fixture) for one in document.person for fixture in one.fixture
    }
    unanswered = tuple(
        Unanswered(one.birth_name, one.given_names, one.sex, one.birth_date, one.scenario)
        for one in document.unanswered
    )
    return TestPeople(people, variants, unanswered, {one.ins.number: one.scenario for one in document.person})


def national_base(truth_file: Path | None = None) -> NationalBase:
    """Make the base: the test people first, then those of a truth file. Raises PeopleError, OSError."""
    return NationalBase(chain(test_people().people, () if truth_file is None else read_truth(truth_file)))


def read_truth(path: Path) -> Iterator[Registered]:
    """Yield the people of a `truth.jsonl` whom INSi knows; lines without `national` are duplicates or unknown.

    A child whose mother is in the file has her for holder of rights. Raises PeopleError.
    """
    numbers: dict[str, str] = {}
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if not line.strip():
                continue
            try:
                person = _decoder.decode(line)
            except msgspec.DecodeError as error:
                raise PeopleError(f"{path}, line {number}: {error}; give a file made by insigne generate") from error
            national = person.national
            if national is None:
                continue
            numbers[person.person] = national.matricule[:-_KEY_LENGTH]
            traits = person.traits
            yield Registered(
                traits.birth_name,
                tuple(name for given in traits.given_names for name in given.split()),
                traits.sex,
                traits.birth_date,
                traits.birth_place,
                _ins_number(national),
                tuple(_ins_number(past, past.start, past.end) for past in national.history),
                numbers.get(person.mother or "", ""),
            )


_decoder = msgspec.json.Decoder(Person)


def _ins_number(ins: National | PastIns, start: str = "", end: str = "") -> InsNumber:
    return InsNumber(ins.matricule[:-_KEY_LENGTH], ins.matricule[-_KEY_LENGTH:], ins.oid, start=start, end=end)


class _Number(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    number: str
    key: str
    nature: str
    start: str = ""
    end: str = ""

    def ins(self) -> InsNumber:
        return InsNumber(self.number, self.key, _OIDS[self.nature], start=self.start, end=self.end)


class _Fixture(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    scenario: str
    grade: str
    ins: _Number | None = None
    history: tuple[_Number, ...] | None = None
    deviations: frozenset[Deviation] = frozenset()
    note: str = ""


class _TestPerson(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    id: str
    birth_name: str
    given_names: str
    sex: str
    birth_date: str
    birth_place: str
    ins: _Number
    scenario: str
    grade: str
    history: tuple[_Number, ...] = ()
    holder: str = ""
    known_in: frozenset[Mode] = MODES
    also_asked_as: tuple[str, ...] = ()
    note: str = ""
    fixture: tuple[_Fixture, ...] = ()


class _Unanswered(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    birth_name: str
    given_names: str
    sex: str
    birth_date: str
    scenario: str


class _Document(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    person: tuple[_TestPerson, ...]
    unanswered: tuple[_Unanswered, ...] = ()


def _registered(one: _TestPerson, fixture: _Fixture | None = None) -> Registered:
    changed_ins = fixture.ins if fixture else None
    changed_history = fixture.history if fixture else None
    history = one.history if changed_history is None else changed_history
    return Registered(
        one.birth_name,
        tuple(one.given_names.split()),
        one.sex,
        one.birth_date,
        one.birth_place,
        (changed_ins or one.ins).ins(),
        tuple(past.ins() for past in history),
        one.holder,
        fixture.deviations if fixture else frozenset(),
        one.known_in if fixture is None else MODES,
        one.also_asked_as,
    )
