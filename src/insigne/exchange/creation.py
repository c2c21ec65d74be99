"""What goes before the creation of an identity of ours, whoever asks for it: the search, and the local number."""

from collections.abc import Iterable
from typing import Final, Protocol

from insigne.ins.dates import BirthDate
from insigne.registry.acts import PriorSearch
from insigne.registry.ports import View
from insigne.registry.settings import Policy
from insigne.registry.state import Identity
from insigne.registry.values import Authority, Identifier

#: First letters of a name by which people born on a day are told apart (RNIV §3.1.1: three at most).
_LETTERS: Final = 3
_COUNTER: Final = "local-number"


class Searching(Protocol):
    """A view of the base that can be searched."""

    def search(self, birth_date: str, *, name: str = "", given: str = "") -> Iterable[Identity]:
        """The identities born on that date whose birth or used name, or any given name, begins so."""
        ...


class Numbering(View, Protocol):
    """A write transaction that gives numbers."""

    def next_number(self, counter: str) -> int:
        """The next number of that counter, from 1."""
        ...


def own_authority(names: tuple[str, ...], policy: Policy) -> Authority | None:
    """The authority under which identities are created here: the first of `ri.authorities`, None without any."""
    if not names:
        return None
    universal = policy.universal.get(names[0], "")
    return Authority(names[0], universal, "ISO" if "." in universal else "")


def prior_search(
    view: Searching, birth_name: str, first_given_name: str, birth_date: str
) -> tuple[PriorSearch, list[Identity]]:
    """The compulsory search by birth date, then by the first letters of the names; it and who is alike, oldest first.

    `birth_date` is complete, as `ins.entry` gives it.
    """
    name, given = birth_name[:_LETTERS], first_given_name[:_LETTERS]
    born = BirthDate.parse(birth_date).iso()
    found = {i.id: i for i in (*view.search(born, name=name), *view.search(born, given=given))}
    criteria = (("birth_date", born), ("name", name), ("given", given))
    return PriorSearch(criteria, tuple(sorted(found))), [found[one] for one in sorted(found)]


def next_identifier(transaction: Numbering, authority: Authority) -> Identifier:
    """A local number that nobody has: those of an initial load are passed over."""
    while True:
        number = transaction.next_number(f"{_COUNTER}:{authority.key}")
        identifier = Identifier("PI", authority, str(number))
        if not transaction.holders(identifier.key):
            return identifier
