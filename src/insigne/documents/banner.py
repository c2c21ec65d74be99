"""The INS banner of a document: what it says of an identity (RNIV, EXI DIF 02)."""

from dataclasses import dataclass
from typing import Final

from insigne.documents.entitlement import NotEntitledError, entitled_ins
from insigne.documents.symbol import payload_of
from insigne.ins.cog import UNKNOWN_PLACE, Cog
from insigne.ins.dates import BirthDate
from insigne.ins.matricule import kind_of, nature_of
from insigne.ins.names import fold_name
from insigne.registry.state import Identity

_KINDS: Final = {"test": " de test", "demo": " de démonstration"}
_SEXES: Final = {"M": "Masculin", "F": "Féminin", "I": "Indéterminé"}


@dataclass(frozen=True, slots=True)
class Item:
    """A trait of the banner: its label and its value, never empty."""

    label: str
    value: str


@dataclass(frozen=True, slots=True)
class Banner:
    """The banner of an identity. `rows` are its lines, each read from left to right.

    `payload` is the text of the Data Matrix, "" when the identity is not qualified; `withheld` then says why, as does
    `withheld_fr`.
    """

    rows: tuple[tuple[Item, ...], ...]
    payload: str = ""
    withheld: str = ""
    withheld_fr: str = ""


def banner_of(identity: Identity, environment: str, cog: Cog) -> Banner:
    """Build the banner of an identity: birth names, used names when they differ, birth, sex; the matricule last.

    The matricule is always followed by its nature; neither it nor a payload is there unless the identity is qualified.
    `cog` names the birthplace.
    """
    rows = [_birth_names(identity), _used_names(identity), _birth(identity, cog)]
    payload, refusal = "", None
    try:
        payload = payload_of(identity, environment)
    except NotEntitledError as error:
        refusal = error
    else:
        rows.append((_matricule(identity, environment),))
    return Banner(
        tuple(row for row in rows if row),
        payload,
        str(refusal or ""),
        refusal.message_fr if refusal else "",
    )


def _birth_names(identity: Identity) -> tuple[Item, ...]:
    traits = identity.traits
    first, listed = traits.first_given_name, traits.given_names
    items = [("Nom de naissance", traits.birth_name), ("Prénom(s) de naissance", listed or first)]
    if listed and first and first != listed:
        items.append(("Premier prénom", first))
    return _items(items)


def _used_names(identity: Identity) -> tuple[Item, ...]:
    traits, details = identity.traits, identity.details
    first = traits.first_given_name or traits.given_names
    return _items(
        [
            ("Nom utilisé", _unless_same(details.used_name, traits.birth_name)),
            ("Prénom utilisé", _unless_same(details.used_given_name, first)),
        ]
    )


def _birth(identity: Identity, cog: Cog) -> tuple[Item, ...]:
    traits = identity.traits
    return _items(
        [
            ("Date de naissance", french_date(traits.birth_date)),
            ("Sexe", _SEXES.get(traits.sex, "")),
            ("Lieu de naissance", _place(traits.birth_place, traits.birth_date, cog)),
        ]
    )


def _matricule(identity: Identity, environment: str) -> Item:
    ins = entitled_ins(identity, environment)
    nature = nature_of(ins.oid)
    kind = _KINDS.get(kind_of(ins.oid) or "", "")
    return Item("Matricule INS", f"{ins.matricule} [INS-{nature}{kind}]")


def _items(pairs: list[tuple[str, str]]) -> tuple[Item, ...]:
    return tuple(Item(label, value) for label, value in pairs if value)


def _unless_same(used: str, birth: str) -> str:
    return "" if fold_name(used) == fold_name(birth) else used


def french_date(text: str) -> str:
    """Write a birth date as JJ/MM/AAAA, MM/AAAA or AAAA; a lunar one as it stands, an unreadable one as received."""
    try:
        date = BirthDate.parse(text)
    except ValueError:
        return text
    day, month, year = f"{date.day:02d}", f"{date.month:02d}", f"{date.year:04d}"
    if date.day:
        return f"{day}/{month}/{year}"
    return f"{month}/{year}" if date.month else year


def _place(code: str, birth_date: str, cog: Cog) -> str:
    if not code or code == UNKNOWN_PLACE:
        return ""
    place = cog.lookup(code, birth_date) or cog.lookup(code)
    return f"{code} {place.label}" if place else code
