"""Two registries compared, field by field: what ours holds, and what a receiver made of the messages it was sent."""

from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Final, Protocol

import msgspec

from insigne.fhir import survivor
from insigne.registry.state import PERSON_TYPES, Encounter, Identity

#: The fields compared unless told otherwise; each is a property that any receiver of ITI-30 in full must have right.
FIELDS: Final = (
    "birth_name",
    "first_given_name",
    "given_names",
    "birth_date",
    "sex",
    "birth_place",
    "used_name",
    "ins",
    "identifiers",
)
STAY_FIELDS: Final = ("patient", "status", "movements")

Key = tuple[str, str]
"""Authority key and value of a person identifier."""


class Registry(Protocol):
    """A view of a registry, whole."""

    def identity(self, identity_id: str) -> Identity | None:
        """The identity of that id, merged ones included."""
        ...

    def identities(self) -> Iterator[Identity]:
        """Every identity, merged ones too."""
        ...

    def encounters_of(self, identity_id: str) -> Iterable[Encounter]:
        """The stays of an identity and of those it absorbed."""
        ...


class Difference(msgspec.Struct, frozen=True):
    """One field that is not the same. `key` names the person or the stay; `field` is "present" when one lacks it."""

    key: str
    field: str
    ours: str
    theirs: str


def differences(
    ours: Registry,
    theirs: Registry,
    *,
    authorities: Collection[str] = (),
    fields: Collection[str] = FIELDS,
    stays: bool = True,
    concerned: Callable[[Identity], bool] = lambda _: True,
    spelt: Callable[[str], str] = str,
) -> list[Difference]:
    """What differs between our registry and that of a receiver, for every person identifier we know.

    authorities: keys of those the receiver may see; empty: all. fields: those compared. concerned: whether the receiver
    is to know an identity (given as it stands). spelt: how what we hold is written there, for one whose character set
    is poorer than ours. What the receiver knows and we do not is a difference too.
    """
    visible = frozenset(authorities)
    mine, other = _people(ours, visible), _people(theirs, visible)
    found: list[Difference] = []
    for key, identity in sorted(mine.items()):
        if concerned(identity):
            expected = {field: spelt(text) for field, text in _told(identity, visible).items()}
            found += _compared(key, expected, other.get(key), visible, fields)
    found += [Difference(_name(key), "present", "", "yes") for key in sorted(other.keys() - mine.keys())]
    if stays:
        found += _stay_differences(ours, theirs, mine, other, concerned, visible)
    return found


def _people(registry: Registry, visible: frozenset[str]) -> dict[Key, Identity]:
    """Every current person identifier with the identity that stands behind it."""
    people: dict[Key, Identity] = {}
    for identity in registry.identities():
        standing = survivor(registry.identity, identity)
        for held in identity.identifiers:
            key = held.identifier.authority.key, held.identifier.value
            if held.current and held.identifier.type in PERSON_TYPES and (not visible or key[0] in visible):
                people[key] = standing
    return people


def _told(identity: Identity, visible: frozenset[str]) -> dict[str, str]:
    """The fields of an identity as texts. The INS counts when it may be used."""
    traits = {field: getattr(identity.traits, field) for field in msgspec.structs.asdict(identity.traits)}
    held = identity.ins if identity.qualified else None
    identifiers = sorted(
        "^".join(one.identifier.key)
        for one in identity.identifiers
        if one.current and (not visible or one.identifier.authority.key in visible)
    )
    return {
        **traits,
        "used_name": identity.details.used_name,
        "ins": f"{held.ins.oid}|{held.ins.matricule}" if held is not None else "",
        "status": identity.status.value,
        "identifiers": " ".join(identifiers),
    }


def _compared(
    key: Key, expected: dict[str, str], found: Identity | None, visible: frozenset[str], fields: Collection[str]
) -> list[Difference]:
    if found is None:
        return [Difference(_name(key), "present", "yes", "")]
    got = _told(found, visible)
    return [
        Difference(_name(key), field, expected[field], got[field]) for field in fields if expected[field] != got[field]
    ]


def _stay_differences(
    ours: Registry,
    theirs: Registry,
    mine: dict[Key, Identity],
    other: dict[Key, Identity],
    concerned: Callable[[Identity], bool],
    visible: frozenset[str],
) -> list[Difference]:
    wanted = {identity.id: identity for identity in mine.values() if concerned(identity)}
    expected = _stays(ours, wanted.values(), visible)
    got = _stays(theirs, {identity.id: identity for identity in other.values()}.values(), visible)
    found = []
    for key, stay in sorted(expected.items()):
        theirs_of = got.get(key)
        if theirs_of is None:
            found.append(Difference(f"stay {_name(key)}", "present", "yes", ""))
            continue
        found += [
            Difference(f"stay {_name(key)}", field, stay[field], theirs_of[field])
            for field in STAY_FIELDS
            if stay[field] != theirs_of[field]
        ]
    return found


def _stays(registry: Registry, people: Iterable[Identity], visible: frozenset[str]) -> dict[Key, dict[str, str]]:
    """Every stay that has a visit number, with its fields as texts."""
    stays: dict[Key, dict[str, str]] = {}
    for identity in people:
        patient = " ".join(
            sorted(
                f"{one.identifier.authority.key}|{one.identifier.value}"
                for one in identity.identifiers
                if one.current
                and one.identifier.type in PERSON_TYPES
                and (not visible or one.identifier.authority.key in visible)
            )
        )
        for encounter in registry.encounters_of(identity.id):
            if encounter.visit is not None:
                movements = " ".join(f"{one.id}@{one.start}:{one.location.ward}" for one in encounter.active)
                stays[encounter.visit.authority.key, encounter.visit.value] = {
                    "patient": patient,
                    "status": encounter.status,
                    "movements": movements,
                }
    return stays


def _name(key: Key) -> str:
    return f"{key[0]}|{key[1]}"
