"""The national base of the simulator: who is in it, and who answers to what.

Matching follows what is known of the service: birth name strict, hyphens included; the given name asked for is the
beginning of the registered list; sex and date equal; the birthplace only when it is given.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Literal

from insigne.insi.wire import FOUND, Deviation, InsiAnswer, InsiTraits, InsNumber, SearchTraits, VitaleData

Mode = Literal["production", "vendor"]
"""production: nobody found is 01. vendor: the qualification environment, where nobody found is a technical fault."""

MODES: Final[frozenset[Mode]] = frozenset({"production", "vendor"})
_NUMBER_LENGTH: Final = 13


@dataclass(frozen=True, slots=True)
class Registered:
    """Somebody the nation knows.

    `birth_date` is YYYY-MM-DD, perhaps of no calendar; `holder` is the number (13 characters) of the ouvrant droit when
    it is somebody else; `deviations` belong to this very answer; `known_in` are the modes that hold the person;
    `also_asked_as` are other birth names that find them.
    """

    birth_name: str
    given_names: tuple[str, ...]
    sex: str
    birth_date: str
    birth_place: str
    ins: InsNumber
    history: tuple[InsNumber, ...] = ()
    holder: str = ""
    deviations: frozenset[Deviation] = frozenset()
    known_in: frozenset[Mode] = MODES
    also_asked_as: tuple[str, ...] = ()

    def answer(self) -> InsiAnswer:
        """Return the answer 00 about this person."""
        traits = InsiTraits(
            self.birth_name,
            " ".join(self.given_names),
            sex=self.sex,
            birth_date=self.birth_date,
            birth_place=self.birth_place,
        )
        return InsiAnswer(FOUND, "", self.ins, self.history, traits)

    def called(self, given: tuple[str, ...]) -> bool:
        """Tell whether these given names are the beginning of the registered list."""
        return bool(given) and self.given_names[: len(given)] == given


class NationalBase:
    """Everybody, indexed for both searches. A matricule is held once: what repeats it is left out."""

    def __init__(self, people: Iterable[Registered] = ()) -> None:
        self._by_traits: defaultdict[tuple[str, str, str], list[Registered]] = defaultdict(list)
        self._by_number: dict[str, Registered] = {}
        self._past_numbers: dict[str, str] = {}
        self._by_holder: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
        for person in people:
            self.add(person)

    def __len__(self) -> int:
        return len(self._by_number)

    def __iter__(self) -> Iterator[Registered]:
        return iter(self._by_number.values())

    def add(self, person: Registered) -> None:
        """Register somebody, unless the number is known already."""
        number = person.ins.number
        if number in self._by_number:
            return
        self._by_number[number] = person
        for name in (person.birth_name, *person.also_asked_as):
            self._by_traits[name, person.sex, person.birth_date].append(person)
        self._by_holder[person.holder or number, person.birth_date].append(number)
        for past in person.history:
            self._past_numbers.setdefault(past.number, number)

    def search(self, traits: SearchTraits) -> list[Registered]:
        """Return who answers to these traits, in the order they were registered."""
        given = tuple(traits.given_name.split())
        return [
            person
            for person in self._by_traits.get((traits.birth_name, traits.sex, traits.birth_date), ())
            if person.called(given) and traits.birth_place in ("", person.birth_place)
        ]

    def by_card(self, card: VitaleData) -> Registered | None:
        """Return whose data a Vitale card shows.

        By the beneficiary's number, past ones too; or by that of the holder with the birth date and the rank among
        those born that day (1 when none is given). What else the card gives must agree.
        """
        birth_date = iso_date(card.birth_date)
        number = card.individual or self._beneficiary(card, birth_date)
        person = self._by_number.get(number) or self._by_number.get(self._past_numbers.get(number, ""))
        if person is None or card.birth_name not in ("", person.birth_name):
            return None
        return person if birth_date in ("", person.birth_date) else None

    def by_matricule(self, number: str) -> Registered | None:
        """Return whose current number (13 characters) this is."""
        return self._by_number.get(number[:_NUMBER_LENGTH])

    def by_past_matricule(self, number: str) -> Registered | None:
        """Return whose past number (13 characters) this was."""
        return self._by_number.get(self._past_numbers.get(number[:_NUMBER_LENGTH], ""))

    def someone_else(self, person: Registered) -> Registered:
        """Return another person, the same one each time; the same person when the base holds nobody else."""
        return next((other for other in self if other is not person), person)

    def _beneficiary(self, card: VitaleData, birth_date: str) -> str:
        holder = card.holder if card.holder in self._by_number else self._past_numbers.get(card.holder, card.holder)
        born = self._by_holder.get((holder, birth_date), ())
        rank = int(card.birth_rank or 1)
        return born[rank - 1] if 1 <= rank <= len(born) else ""


def iso_date(text: str) -> str:
    """Return a card's date as YYYY-MM-DD, whether it is written so or as YYYYMMDD."""
    return f"{text[:4]}-{text[4:6]}-{text[6:]}" if len(text) == 8 and text.isdecimal() else text


def with_deviations(answer: InsiAnswer, deviations: frozenset[Deviation]) -> frozenset[Deviation]:
    """Return the deviations left to apply: those that the recorded answer shows already would be undone or doubled."""
    left = set(deviations)
    if any(past.start > past.end for past in answer.history if past.end):
        left.discard(Deviation.D4)
    if answer.active is not None and any(past.number == answer.active.number for past in answer.history):
        left.discard(Deviation.D5)
    return frozenset(left)
