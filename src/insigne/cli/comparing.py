"""What INSi answered beside what is held, for the person who compares and decides."""

from typing import Final

from insigne.insi.outcomes import HeldAnswer
from insigne.registry.state import Identity

TITLES: Final = ("trait", "identité locale", "réponse d’INSi", "comparaison")
_NAMES: Final = {
    "birth_name": "nom de naissance",
    "first_given_name": "premier prénom",
    "given_names": "prénoms de naissance",
    "birth_date": "date de naissance",
    "sex": "sexe",
    "birth_place": "lieu de naissance",
}


def trait_name(field: str) -> str:
    """A strict trait as users call it."""
    return _NAMES.get(field, field)


def side_by_side(identity: Identity, held: HeldAnswer) -> list[tuple[str, str, str, str]]:
    """A row a trait, under `TITLES`. INSi gives no first given name: its list tells it."""
    return [
        (
            trait_name(line["field"]),
            getattr(identity.traits, line["field"]),
            getattr(held.answer.traits, line["field"]),
            line["sentence_fr"],
        )
        for line in held.comparison
    ]
