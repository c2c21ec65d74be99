"""Creating and updating an identity from what a message says of it (A28, A31 and the patient part of ITI-31)."""

import msgspec
from msgspec.structs import astuple, replace

from insigne.ins.status import Status
from insigne.ins.traits import StrictTraits, departures
from insigne.registry import events as ev
from insigne.registry.attach import Found, domain_of, find_patient, named_survivor, names_person
from insigne.registry.commands import DetailsAssertion, Patient, TraitsAssertion
from insigne.registry.decision import Draft, Fault, Refused, Subject
from insigne.registry.details import details_after
from insigne.registry.ports import Key
from insigne.registry.refusals import refused
from insigne.registry.reliability import Claim, apply_claim, apply_ins, read_claim
from insigne.registry.state import Identity
from insigne.registry.values import Details, Identifier, Traits

#: How well a status is established, for "a less qualified authority never overwrites a better one".
RANK = {Status.PROV: 0, Status.RECUP: 1, Status.VALI: 2, Status.QUAL: 3}

#: Identifier types of which a person has one per authority: a new value retires the former.
SINGLE_TYPES = frozenset({"NH", "SS", "NDP", "INS-C"})


def record_patient(draft: Draft, patient: Patient) -> Identity:
    """Create or update the identity. Raises `Refused` when its identifier was merged or names nobody."""
    found = find_patient(draft, patient)
    if found.current is None and found.retired is not None:
        raise Refused(
            Fault.UNKNOWN_KEY,
            Subject.PATIENT,
            "the patient identifier was merged or replaced",
            survivor=named_survivor(draft, patient, found),
        )
    return attached(draft, patient, found)


def attached(draft: Draft, patient: Patient, found: Found) -> Identity:
    """Update the identity found, or create one."""
    current = found.current
    identity = _create(draft, patient, found) if current is None else _update(draft, current, patient, found)
    draft.subject = identity.id
    return identity


def _create(draft: Draft, patient: Patient, found: Found) -> Identity:
    domain = domain_of(patient.identifiers)
    if not domain:
        raise Refused(Fault.REQUIRED, Subject.PATIENT, "no identifier of a person (PI, PN…) with its authority")
    trusted = draft.policy.trusts(domain)
    claim = read_claim(draft, patient.reliability)
    identity_id = draft.new_id()
    elsewhere = _elsewhere(draft, identity_id, found)
    draft.emit(
        "identity",
        identity_id,
        ev.IdentityCreated(
            domain=domain,
            identifiers=tuple(i for i in _distinct(patient.identifiers) if i.key not in elsewhere),
            traits=traits_after(Traits(), patient.traits),
            details=details_after(Details(), patient.details),
            checked=trusted and claim.status == "VALI",
            attributes=claim.attributes,
            reliability=claim.codes,
            trusted=trusted,
        ),
        1,
    )
    identity = draft.identity(identity_id)
    if patient.ins and not trusted:
        draft.notice("ins-untrusted", Subject.INS)
        return identity
    return apply_ins(draft, identity, patient, claim)


def _update(draft: Draft, identity: Identity, patient: Patient, found: Found) -> Identity:
    identity = _add_identifiers(draft, identity, patient, found)
    domain = domain_of(patient.identifiers)
    trusted = draft.policy.trusts(domain)
    claim = read_claim(draft, patient.reliability)
    if not _may_overwrite(identity, domain, claim, patient, trusted=trusted):
        draft.notice("not-overwritten", Subject.TRAITS)
        supersede(draft, identity, patient)
        return identity
    traits = traits_after(identity.traits, patient.traits)
    if traits != identity.traits and _overlay(draft, identity, traits, patient):
        rest = replace(patient.details, birth_date_corrected=None, lunar_birth_date=None)  # these go with the date held
        return _with_details(draft, identity, rest)
    supersede(draft, identity, patient)
    identity = _with_details(draft, _trusted(draft, identity, trusted=trusted), patient.details)
    if traits != identity.traits:
        identity = _with_traits(draft, identity, traits)
    if not trusted:
        if patient.ins:
            draft.notice("ins-untrusted", Subject.INS)
        return identity
    identity = apply_claim(draft, identity, claim)
    return apply_ins(draft, identity, patient, claim)


def _trusted(draft: Draft, identity: Identity, *, trusted: bool) -> Identity:
    """What the identity is taken for by now was said by a trusted authority, if it was not before."""
    return draft.on_identity(identity, ev.TrustRaised()) if trusted and not identity.trusted else identity


def _with_details(draft: Draft, identity: Identity, said: DetailsAssertion) -> Identity:
    details = details_after(identity.details, said)
    if details == identity.details:
        return identity
    return draft.on_identity(identity, ev.DetailsChanged(identity.details, details))


def _overlay(draft: Draft, identity: Identity, traits: Traits, patient: Patient) -> bool:
    """Guard against a message that turns one person into another. True when the traits are held for a person."""
    changed = departures(strict(identity.traits), strict(traits)) + _erased(identity.traits, traits)
    if len(changed) < draft.policy.registry.overlay_threshold:
        return False
    hold = draft.policy.registry.overlay == "hold"
    draft.notice("overlay-held" if hold else "overlay-applied", Subject.TRAITS)
    held = msgspec.json.encode(patient) if hold else b"null"
    draft.hold("overlay", (identity.id,), held, cause=", ".join(changed), same=_comes_to_the_same)
    return hold


def supersede(draft: Draft, identity: Identity, patient: Patient) -> None:
    """Offer no more what an overlay held back, once the authority that said it says otherwise by a message not held.

    Its item stays, to be looked at: what that authority sent in between may be about another person.
    """
    item = draft.open_item("overlay", (identity.id,))
    held = msgspec.json.decode(bytes(item.held), type=Patient | None) if item is not None else None
    if item is None or held is None or domain_of(held.identifiers) != domain_of(patient.identifiers):
        return
    if _says_otherwise(held, patient):
        draft.notice("overlay-superseded", Subject.TRAITS)
        draft.supersede(item)


def _says_otherwise(held: Patient, patient: Patient) -> bool:
    """Whether a message contradicts what an overlay holds, of what `apply_held` takes; silence contradicts nothing."""
    if held.ins and patient.ins_deleted:
        return True
    pairs = zip(_claims(held), _claims(patient), strict=True)
    return any(one is not None and other is not None and one != other for one, other in pairs)


def _comes_to_the_same(one: bytes, other: bytes) -> bool:
    """Whether two assertions held by an overlay would change the same: what `apply_held` takes of them."""
    said = (msgspec.json.decode(held, type=Patient | None) for held in (one, other))
    first, second = (patient and _claims(patient) for patient in said)
    return first == second


def _claims(patient: Patient) -> tuple[object, ...]:
    """What `apply_held` takes of a message, one by one: traits, birth date, INS, PID-32; None when it is not said."""
    said = (patient.ins or None, patient.reliability or None)
    return (*astuple(patient.traits), *astuple(_of_the_birth_date(patient)), *said)


def _of_the_birth_date(patient: Patient) -> DetailsAssertion:
    """What a message says of the birth date beside it (ZFD-4, ZFD-1)."""
    said = patient.details
    return DetailsAssertion(birth_date_corrected=said.birth_date_corrected, lunar_birth_date=said.lunar_birth_date)


def _erased(before: Traits, after: Traits) -> tuple[str, ...]:
    """The traits that were known and are deleted, the first given name with its list."""
    names = ("birth_name", "given_names", "birth_date", "sex", "birth_place")
    return tuple(name for name in names if getattr(before, name) and not getattr(after, name))


def apply_held(draft: Draft, identity: Identity, patient: Patient) -> Identity:
    """Apply what an overlay held back: traits, with what was said of the birth date, PID-32 and INS.

    Of an authority that is not trusted the traits alone, as of a message that is not held. Raises `Refused` once a
    trusted one has spoken of the identity.
    """
    draft.subject = identity.id
    trusted = draft.policy.trusts(domain_of(patient.identifiers))
    if identity.trusted and not trusted:
        raise refused("held-untrusted", Fault.FORBIDDEN, Subject.TRAITS)
    identity = _trusted(draft, identity, trusted=trusted)
    identity = _with_details(draft, identity, _of_the_birth_date(patient))
    traits = traits_after(identity.traits, patient.traits)
    if traits != identity.traits:
        identity = _with_traits(draft, identity, traits)
    if not trusted:
        return identity
    claim = read_claim(draft, patient.reliability)
    identity = apply_claim(draft, identity, claim)
    return apply_ins(draft, identity, patient, claim)


def _with_traits(draft: Draft, identity: Identity, traits: Traits) -> Identity:
    """Change the traits; an identity whose sex becomes undetermined keeps no INS, for it is never qualified."""
    identity = draft.on_identity(identity, ev.TraitsChanged(identity.traits, traits))
    if identity.ins is None or traits.sex in {"M", "F"}:
        return identity
    draft.notice("ins-sex", Subject.INS)
    return draft.withdraw_ins(identity, "sex undetermined")


def _may_overwrite(identity: Identity, domain: str, claim: Claim, patient: Patient, *, trusted: bool) -> bool:
    if identity.trusted and not trusted:
        return False
    if domain == identity.domain:
        return True
    claimed = Status.PROV
    if claim.status == "VALI":
        claimed = Status.QUAL if patient.ins else Status.VALI
    return RANK[claimed] >= RANK[identity.status]


def _add_identifiers(draft: Draft, identity: Identity, patient: Patient, found: Found) -> Identity:
    elsewhere = _elsewhere(draft, identity.id, found)
    for identifier in _distinct(patient.identifiers):
        if identifier.key in elsewhere or identity.holds(identifier) is not None:
            continue
        if names_person(identifier) and draft.working.holders(identifier.key):
            continue  # it named an identity merged or renumbered since: it is not given twice
        if identifier.type in SINGLE_TYPES:
            identity = _retire_same(draft, identity, identifier)
        identity = draft.on_identity(identity, ev.IdentifierAdded(identifier))
    return identity


def _elsewhere(draft: Draft, identity_id: str, found: Found) -> set[Key]:
    """The identifiers of the message that are those of other identities: they stay there, and a person is told."""
    if found.conflicts:
        draft.notice("identifier-conflict", Subject.PATIENT)
        draft.raise_item("identifier-conflict", (identity_id, *sorted({other.id for _, other in found.conflicts})))
    return {identifier.key for identifier, _ in found.conflicts}


def _retire_same(draft: Draft, identity: Identity, identifier: Identifier) -> Identity:
    for held in identity.identifiers:
        other = held.identifier
        if held.current and other.type == identifier.type and other.authority.key == identifier.authority.key:
            identity = draft.on_identity(identity, ev.IdentifierRetired(other, "another value received"))
    return identity


def traits_after(before: Traits, said: TraitsAssertion) -> Traits:
    """The traits once what is said of them is applied: None keeps, "" deletes."""
    known = astuple(before)
    after = tuple([old if new is None else new for old, new in zip(known, astuple(said), strict=True)])
    return Traits(*after) if after != known else before


def _distinct(identifiers: tuple[Identifier, ...]) -> tuple[Identifier, ...]:
    if len(identifiers) < 2:
        return identifiers
    return tuple({identifier.key: identifier for identifier in identifiers}.values())


def strict(traits: Traits) -> StrictTraits:
    """The traits as `ins` compares them."""
    return StrictTraits(
        traits.birth_name,
        traits.first_given_name,
        traits.given_names,
        traits.birth_date,
        traits.sex,
        traits.birth_place,
    )
