"""What INSi answered, or a message said, beside what is held, for the person who compares and decides."""

from typing import Any, Final

from insigne.insi.outcomes import HeldAnswer
from insigne.registry.state import Identity

TITLES: Final = ("trait", "identité locale", "réponse d’INSi", "comparaison")
HELD_TITLES: Final = ("donnée", "identité locale", "message retenu")
PEOPLE_TITLES: Final = (
    "id",
    "statut",
    "nom de naissance",
    "prénoms de naissance",
    "née, né le",
    "sexe",
    "identifiants",
)
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


def beside_held(identity: Identity, held: dict[str, Any]) -> list[tuple[str, str, str]]:
    """A row a strict trait, then INS and PID-32, under `HELD_TITLES`, of an assertion that was held back."""
    said: dict[str, str | None] = held.get("traits") or {}
    rows = [(trait_name(field), getattr(identity.traits, field), said.get(field) or "") for field in _NAMES]
    ours = identity.ins.ins.matricule if identity.ins is not None else ""
    rows.append(("INS", ours, ", ".join(one["matricule"] for one in held.get("ins", ()))))
    rows.append(("PID-32", ", ".join(identity.reliability), ", ".join(held.get("reliability", ()))))
    return rows


def person(identity: Identity) -> tuple[str, ...]:
    """An identity of an item in one row, under `PEOPLE_TITLES`; a merged one says into which."""
    traits = identity.traits
    status = f"fusionnée dans {identity.merged_into}" if identity.merged_into else identity.status.value
    current = (held.identifier for held in identity.identifiers if held.current)
    named = ((one.type, one.authority.namespace or one.authority.universal_id, one.value) for one in current)
    numbers = ", ".join(" ".join(parts) for parts in named)
    return identity.id, status, traits.birth_name, traits.given_names, traits.birth_date, traits.sex, numbers
