"""In what order INSi is asked about one person, whose answer may be "nobody" or "several people". Pure.

The given names go one by one in civil order, then all together; several people are told apart by all the given names,
then by the birthplace. The first identity found, and any fault, end the search: a fault says nothing of the next call.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from insigne.insi.wire.model import FOUND, SEVERAL, InsiAnswer, InsiFault, InsiResult, SearchTraits


@dataclass(frozen=True, slots=True)
class Attempt:
    """One call: its given name(s), its birthplace or "", and what came: a code, or "fault"."""

    given: str
    place: str
    code: str


class Search:
    """The calls of one search. Alternate `next` and `feed` until `next` returns None; then `outcome` is set.

    `given_names` in civil order, each as it goes on the wire (a compound one is one item). `birth_place` narrows
    answers of several people only, "" when unknown. Raises ValueError without any given name.
    """

    def __init__(
        self, birth_name: str, given_names: Sequence[str], sex: str, birth_date: str, birth_place: str = ""
    ) -> None:
        if not given_names:
            raise ValueError("a search needs a given name")
        self._base = SearchTraits(birth_name, "", sex, birth_date)
        self._place = birth_place
        self._all = " ".join(given_names)
        self._pending = [(name, "") for name in dict.fromkeys((*given_names, self._all))]
        self._current: tuple[str, str] | None = None
        self._attempts: list[Attempt] = []
        self._several: InsiAnswer | None = None
        self.outcome: InsiResult | None = None
        """The end of the search: an identity, a fault, "several people" if that was ever answered, else "nobody"."""

    @property
    def attempts(self) -> tuple[Attempt, ...]:
        """The calls made, in order."""
        return tuple(self._attempts)

    def next(self) -> SearchTraits | None:
        """Return the next call to make, the same until its answer is fed; None when the search is over."""
        if self._current is None and self._pending and self.outcome is None:
            self._current = self._pending.pop(0)
        if self._current is None:
            return None
        given, place = self._current
        return SearchTraits(self._base.birth_name, given, self._base.sex, self._base.birth_date, place)

    def feed(self, result: InsiResult) -> None:
        """Take the answer of the call that `next` returned last. Raises ValueError when none is awaited."""
        if self._current is None:
            raise ValueError("no call is awaiting an answer")
        (given, place), self._current = self._current, None
        self._attempts.append(Attempt(given, place, result.code if isinstance(result, InsiAnswer) else "fault"))
        if isinstance(result, InsiFault) or result.code == FOUND:
            self.outcome = result
            return
        if result.code == SEVERAL and self._several is None:
            self._pending = self._narrowing(given)
        if result.code == SEVERAL:
            self._several = result
        elif self._several is not None and not place and self._pending:
            # All the given names are too many for the people the first ones found: the place alone tells them apart.
            self._pending = [(self._attempts[-2].given, self._place)]
        if not self._pending:
            self.outcome = self._several or result

    def _narrowing(self, given: str) -> list[tuple[str, str]]:
        """Return the calls that tell several people apart: with all the given names, then with the place too."""
        by_names = [(self._all, "")] if given != self._all else []
        return [*by_names, (self._all, self._place)] if self._place else by_names
