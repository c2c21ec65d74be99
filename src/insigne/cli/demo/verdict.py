"""The outcome compared with the truth, field by field."""

import json
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from urllib.parse import quote

from insigne.cli.demo.stage import Stage
from insigne.registry.state import Identity
from insigne.simulate.truth import Person
from insigne.store.queries import ReadView

_SHOWN = 3
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))
"""Without the proxy the environment may name: it knows nothing of our loopback."""


@dataclass(slots=True)
class Expectation:
    """One thing that must hold, how many times it was looked at, and where it did not."""

    name: str
    checked: int = 0
    failures: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether it was looked at, and held each time."""
        return bool(self.checked) and not self.failures

    def check(self, holds: bool, where: str) -> None:  # noqa: FBT001 - reads as a sentence
        """Look once."""
        self.checked += 1
        if not holds:
            self.failures.append(where)

    def document(self) -> dict[str, object]:
        """The line of the summary."""
        detail = f"{self.checked} checked"
        if self.failures:
            detail += f", {len(self.failures)} failed: {'; '.join(self.failures[:_SHOWN])}"
        return {"name": self.name, "ok": self.ok, "detail": detail}


def against_truth(view: ReadView, people: Iterable[Person], progress: Callable[[int], None]) -> list[Expectation]:
    """Compare every person of the truth with what the base holds."""
    held = Expectation("every patient is held under every identifier")
    traits = Expectation("strict traits are those of the truth")
    trust = Expectation("INS, status and attributes are those of the truth")
    merges = Expectation("duplicates are merged into the right identity")
    stays = Expectation("stays and movements are those of the truth")
    patients = [person for person in people if person.identifiers]
    found: dict[str, Identity] = {}
    for person in patients:
        identity = _identity(view, person, held)
        if identity is not None:
            found[person.person] = identity
        progress(1)
    for person in patients:
        identity = found.get(person.person)
        if identity is None:
            continue
        if person.merged_into is not None:
            survivor = found.get(person.merged_into)
            merges.check(survivor is not None and identity.merged_into == survivor.id, person.person)
            continue
        merges.check(not identity.merged_into, person.person)
        traits.check(_traits(identity) == _true_traits(person), person.person)
        trust.check(_trust(identity) == _true_trust(person), person.person)
        stays.check(_stays(view, identity) == _true_stays(person), person.person)
    return [held, traits, trust, merges, stays]


def _identity(view: ReadView, person: Person, held: Expectation) -> Identity | None:
    identity = None
    for identifier in person.identifiers:
        ids = view.find_identity(identifier.authority, identifier.value, (identifier.type,))
        held.check(bool(ids), f"{person.person} {identifier.type}")
        if ids and identity is None:
            identity = view.identity(ids[0])
    return identity


def _traits(identity: Identity) -> tuple[str, ...]:
    traits = identity.traits
    given = traits.given_names or traits.first_given_name
    return (traits.birth_name, given, traits.sex, traits.birth_date, traits.birth_place)


def _true_traits(person: Person) -> tuple[str, ...]:
    traits = person.traits
    return (
        traits.birth_name,
        " ".join(traits.given_names),
        traits.sex,
        traits.birth_date.replace("-", ""),
        traits.birth_place,
    )


def _trust(identity: Identity) -> tuple[object, ...]:
    ins = identity.ins.ins if identity.ins is not None else None
    return (str(identity.status), ins and (ins.oid, ins.matricule), sorted(identity.attributes))


def _true_trust(person: Person) -> tuple[object, ...]:
    ins = person.ins
    return (person.status, ins and (ins.oid, ins.matricule), sorted(person.attributes))


def _stays(view: ReadView, identity: Identity) -> dict[str, object]:
    return {
        encounter.visit.value if encounter.visit else "": (
            encounter.account.value if encounter.account else "",
            encounter.status,
            sorted((m.id.rpartition("|")[2], m.trigger, m.cancelled) for m in encounter.movements),
        )
        for encounter in view.encounters_of(identity.id)
    }


def _true_stays(person: Person) -> dict[str, object]:
    return {
        stay.visit: (stay.account, stay.status, sorted((m.id, m.trigger, m.cancelled) for m in stay.movements))
        for stay in person.stays
    }


def over_fhir(stage: Stage, people: Sequence[Person]) -> Expectation:
    """Ask for patients over HTTP with a token, and be refused without one."""
    expectation = Expectation("FHIR answers with a token, and refuses without")
    for person in people:
        identifier = person.identifiers[0]
        query = quote(f"urn:oid:{identifier.authority}|{identifier.value}")
        url = f"http://{stage.http}/fhir/R4/Patient?identifier={query}"
        bundle = _get(url, stage.token)
        birth = bundle["entry"][0]["resource"].get("birthDate", "") if bundle and bundle.get("total") else ""
        expectation.check(birth == person.traits.birth_date, person.person)
        expectation.check(_get(url, "") is None, f"{person.person} without token")
    return expectation


def _get(url: str, token: str) -> dict[str, list[dict[str, dict[str, str]]]] | None:
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"} if token else {})  # noqa: S310 - loopback
    try:
        with _DIRECT.open(request, timeout=10) as answer:
            document: dict[str, list[dict[str, dict[str, str]]]] = json.load(answer)
            return document
    except urllib.error.HTTPError:
        return None
