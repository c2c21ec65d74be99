"""Whose a document is when it comes in: the message, the CDA and the registry name the same person, or it is refused.

An INS on the wrong patient can kill: what contradicts is never settled here, and nothing is guessed from traits.
"""

from collections.abc import Collection, Iterator, Sequence
from typing import Final, Literal

from insigne.dmp.intake.codes import Code, Fault, IntakeRefused, refused
from insigne.dmp.intake.reading import PatientSaid
from insigne.dmp.whose import standing
from insigne.documents.agreement import STATUS, differences
from insigne.documents.cda.who import Patient
from insigne.hl7 import Location
from insigne.ins.matricule import nature_of, oid_allowed
from insigne.registry.attach import is_another, person_identifiers
from insigne.registry.index import ins_key
from insigne.registry.ports import View
from insigne.registry.state import Identity
from insigne.registry.values import Identifier, Ins

PLACE: Final = Location("PID", field=3)
_OVERLAY: Final = 2
"""Strict traits that differ from those of an identity without INS, from which the document is of somebody else."""


def ins_said(said: PatientSaid, environment: str) -> Ins | None:
    """The INS of PID-3; one of an OID that the environment does not admit is as if absent. Raises IntakeRefused."""
    found = [one for one in said.ins if oid_allowed(one.oid, environment)]
    if len(found) > 1:
        text, text_fr = "PID-3 has more than one INS", "PID-3 porte plusieurs INS"
        raise refused(Code.OTHER_INS, text, text_fr, PLACE, "ins")
    return found[0] if found else None


def identity_named(view: View, identifiers: Sequence[Identifier], ins: Ins | None, *, validated: bool) -> Identity:
    """The identity that a message names: by local identifiers or, without any, by an INS said to be validated.

    `identifiers` have been joined to the universal ids of the site. Raises IntakeRefused: 902 when nobody is known, 906
    when several are.
    """
    persons = person_identifiers(tuple(identifiers))
    found = _by_identifiers(view, persons)
    if not persons and ins is not None and validated:
        found = _by_ins(view, ins)
    # A number of the sender's own that nobody has is that of somebody new, whoever has the foreign one beside it.
    if not found or (persons and is_another(view, found[0], persons)):
        text = "no patient is known by these identifiers: send the identity first, then the document again"
        text_fr = "aucun patient connu sous ces identifiants : transmettre l’identité, puis à nouveau le document"
        raise refused(Code.UNKNOWN_PATIENT, text, text_fr, PLACE, "patient")
    if len(found) > 1:
        text = "the identifiers of PID-3 name several patients"
        raise refused(Code.OTHER, text, "les identifiants de PID-3 désignent plusieurs patients", PLACE, "patient")
    return found[0]


def _by_identifiers(view: View, persons: Sequence[Identifier]) -> list[Identity]:
    """Those that the identifiers name now or, failing them, named once: merged or renumbered since."""
    current: dict[str, Identity] = {}
    retired: dict[str, Identity] = {}
    for identifier in persons:
        for holder in view.holders(identifier.key):
            one = view.identity(holder)
            stands = standing(view, holder)
            if one is None or stands is None:
                continue
            held = one.holds(identifier)
            named = current if held is not None and held.current and not one.merged_into else retired
            named[stands.id] = stands
    return list((current or retired).values())


def _by_ins(view: View, ins: Ins) -> list[Identity]:
    """Those that hold the INS now, uncontested; of several domains, one that is qualified."""
    holders = [identity for one in view.holders(ins_key(ins.matricule)) if (identity := view.identity(one)) is not None]
    living = [
        one for one in holders if not one.merged_into and one.ins is not None and one.ins.ins == ins and one.recovered
    ]
    return [one for one in living if one.qualified][:1] or living


def compare(
    view: View,
    identity: Identity,
    patient: Patient,
    identifiers: Collection[Identifier],
    ins: Ins | None,
    without_ins: Literal["complete", "refuse"],
) -> None:
    """Check that the patient of a CDA is the one of its message and of the registry.

    Raises IntakeRefused: 903 (no INS in the document), 904 (other INS, identifiers or traits), 905 (traits missing).
    """
    faults = list(_identifiers_differ(patient, identifiers, ins))
    if patient.ins is None:
        if without_ins == "refuse":
            text = "the document has no INS: put the qualified INS of the patient in recordTarget"
            faults.append(_fault(Code.NO_INS, text, "le document ne porte pas d’INS", "C20"))
        if ins is not None and not identity.recovered:
            faults += _ins_differs(view, identity, ins)
    else:
        faults += _missing(patient)
        faults += _ins_differs(view, identity, patient.ins)
    faults += _traits_differ(identity, patient)
    faults += _registry_differs(identity, ins)
    if not faults and not _tied(identity, patient, identifiers, ins):
        text = "PID-3 and recordTarget have no identifier in common"
        faults.append(_fault(Code.OTHER_INS, text, "PID-3 et recordTarget n’ont aucun identifiant commun", "ids"))
    if faults:
        raise IntakeRefused(*faults)


def _fault(code: Code, text: str, text_fr: str, rule: str) -> Fault:
    return Fault(text, text_fr, PLACE, code=code, rule=rule)


def _identifiers_differ(patient: Patient, identifiers: Collection[Identifier], ins: Ins | None) -> Iterator[Fault]:
    if patient.ins is not None and ins is not None and patient.ins != ins:
        text = "the INS of the document is not that of PID-3"
        yield _fault(Code.OTHER_INS, text, "l’INS du document n’est pas celui de PID-3", "ins")
    said: dict[str, set[str]] = {}
    for one in identifiers:
        said.setdefault(one.authority.universal_id, set()).add(one.value)
    for root, value in patient.ids:
        if nature_of(root) is None and value and root in said and value not in said[root]:
            text = "an identifier of the document differs from that of PID-3 for the same authority"
            text_fr = "un identifiant du document diffère de celui de PID-3 pour la même autorité"
            yield _fault(Code.OTHER_INS, text, text_fr, "ids")


def _missing(patient: Patient) -> Iterator[Fault]:
    """The traits that go with an INS."""
    needed = {
        "birth name": patient.birth_name,
        "given names": patient.given_names,
        "sex": patient.sex,
        "birth date": patient.birth_date,
        "birthplace": patient.birth_place,
    }
    for name, value in needed.items():
        if not value:
            text = f"the document bears an INS without all its traits: {name} is missing"
            yield _fault(Code.INCOMPLETE_INS, text, f"un trait accompagnant l’INS est absent ({name})", "C25")


def _ins_differs(view: View, identity: Identity, ins: Ins) -> Iterator[Fault]:
    """The INS of the document, or of the message of one that bears none."""
    text, text_fr = "the INS of the document is not the patient's", "l’INS du document n’est pas celui du patient"
    if identity.recovered and identity.ins is not None:
        if identity.ins.ins != ins:
            yield _fault(Code.OTHER_INS, text, text_fr, "ins")
        return
    for holder in view.holders(ins_key(ins.matricule)):
        other = view.identity(holder)
        if other is not None and other.id != identity.id and other.domain == identity.domain and not other.merged_into:
            yield _fault(Code.OTHER_INS, text, text_fr, "ins")
            return


def _registry_differs(identity: Identity, ins: Ins | None) -> Iterator[Fault]:
    if ins is not None and identity.recovered and identity.ins is not None and identity.ins.ins != ins:
        text = "the INS of PID-3 is not that of the registry"
        yield _fault(Code.OTHER_INS, text, "l’INS de PID-3 n’est pas celui du référentiel d’identités", "ins")


def _traits_differ(identity: Identity, patient: Patient) -> list[Fault]:
    """Traits that are not those of the registry. Without an INS they are not strict yet: one may differ."""
    compared = differences(patient.payload(), identity)
    names = [one.name for one in compared if one.field not in (STATUS, "S1", "S2") and one.document and one.registry]
    if "S6" not in patient.payload().fields or not patient.birth_date:
        names = [name for name in names if name != "birth date"]
    if not identity.recovered and len(names) < _OVERLAY:
        return []
    return [
        _fault(
            Code.OTHER_INS,
            f"a trait of the document is not that of the registry: {name}",
            f"un trait du document n’est pas celui du référentiel d’identités ({name})",
            "C32",
        )
        for name in names
    ]


def _tied(identity: Identity, patient: Patient, identifiers: Collection[Identifier], ins: Ins | None) -> bool:
    """Whether something says that the document is of this patient: a common number, or the INS that is held."""
    if patient.ins is not None and (
        patient.ins == ins or (identity.ins is not None and identity.ins.ins == patient.ins)
    ):
        return True
    said = {(one.authority.universal_id, one.value) for one in identifiers if one.authority.universal_id}
    held = {
        (one.identifier.authority.universal_id, one.identifier.value)
        for one in identity.identifiers
        if one.identifier.authority.universal_id
    }
    return any((root, value) in said or (root, value) in held for root, value in patient.ids if value)
