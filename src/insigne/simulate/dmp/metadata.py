"""Checking the metadata of a lot: what is mandatory, in known codes, about one patient, linked as it should.

Sources: IHE ITI TF-3, 4.2.3; CI-SIS, volet « Partage de documents de santé »; ANS, IG PDSm for DMP.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from insigne.simulate.dmp import codes, names, problems
from insigne.simulate.dmp.lot import Class, Lot, Object
from insigne.simulate.dmp.problems import Problem
from insigne.simulate.dmp.vihf import Patient, Vihf, patient_of

_OID: Final = re.compile(r"[0-2](?:\.(?:0|[1-9][0-9]*))+")
_MOMENT: Final = re.compile(r"[0-9]{4}(?:[0-9]{2}){0,5}")
_PERSON: Final = re.compile(r"\S+\^[^^]+\^[^^]*\^{6}&1\.2\.250\.1\.71\.4\.2\.1&ISO\^[^^]*\^\^\^(?:IDNPS|EI|SPID|RPPS)")
_AUTHOR: Final = re.compile(r"\S+\^[^^]+(?:\^[^^]*){0,12}")  # a person, or the device that an author may be
_INSTITUTION: Final = re.compile(r"[^^]+\^{5}&1\.2\.250\.1\.71\.4\.2\.2&ISO\^IDNST\^\^\^\S+")
_SIGNATURE_FORMAT: Final = "http://www.w3.org/2000/09/xmldsig#"
_SIGNATURE_TYPE: Final = ("E1762", "ASTM")
_SLOTS: Final = ("creationTime", "serviceStartTime", "languageCode", "sourcePatientId", "legalAuthenticator")
_MOMENTS: Final = ("creationTime", "serviceStartTime", "serviceStopTime")
_FACILITY: Final = re.compile(r"SA[0-9]{2}|EXP_PATIENT|SNR")
_CONTENT_TYPE: Final = re.compile(r"[0-9]{2}")


@dataclass(frozen=True, slots=True)
class Rules:
    """What a site may change: types of document taken beyond those known, masked and invisible at once."""

    types: frozenset[str] = frozenset()
    masked_and_invisible: bool = False


@dataclass(frozen=True, slots=True)
class Submitted:
    """A lot whose objects are told apart: its submission set, the documents, the entry of its signature."""

    lot: Lot
    submission: Object
    documents: tuple[Object, ...]
    signature: Object | None


def sort_lot(lot: Lot) -> Submitted | Problem:
    """Tell the objects of a lot apart, or what is wrong with them."""
    if len(lot.sets) != 1:
        return Problem(problems.METADATA, "Il faut un lot de soumission et un seul (SubmissionSet)")
    signed = [one for one in lot.entries if _is_signature(one)]
    documents = tuple(one for one in lot.entries if one not in signed)
    if not documents or len(signed) > 1:
        return Problem(problems.METADATA, "Il faut au moins un document, et une signature au plus")
    return Submitted(lot, lot.sets[0], documents, signed[0] if signed else None)


def check(submitted: Submitted, vihf: Vihf, rules: Rules) -> Iterator[Problem]:
    """Yield what is wrong with the metadata of a lot."""
    yield from check_set(submitted.submission, vihf.patient)
    for entry in submitted.documents:
        yield from _check_entry(entry, vihf.patient, rules)
    yield from _check_links(submitted)
    if submitted.signature is None:
        yield Problem(problems.METADATA, "Le lot n’a pas de signature (typeCode E1762)")
    else:
        yield from _check_signature(submitted.signature, vihf.patient)


def check_set(one: Object, patient: Patient) -> Iterator[Problem]:
    """Yield what is wrong with a submission set."""
    where = "SubmissionSet"
    if not _MOMENT.fullmatch(one.slot("submissionTime")):
        yield _missing(where, "submissionTime")
    for author in one.classes.get(names.SET_AUTHOR, ()) or (None,):
        yield from _author(author, where)
    content = one.one(names.SET_CONTENT_TYPE)
    if content is None or content.system != codes.CONTENT_TYPE_SYSTEM or not _CONTENT_TYPE.fullmatch(content.code):
        yield _missing(where, "contentTypeCode")
    yield from _identifier(one, names.SET_SOURCE, where, "sourceId")
    yield from _identifier(one, names.SET_UNIQUE, where, "uniqueId")
    yield from _patient(one.externals.get(names.SET_PATIENT, ""), patient, where)


def _check_entry(one: Object, patient: Patient, rules: Rules) -> Iterator[Problem]:
    where = one.id or "DocumentEntry"
    for slot in _SLOTS:
        if not one.slot(slot):
            yield _missing(where, slot)
    for slot in _MOMENTS:
        if one.slot(slot) and not _MOMENT.fullmatch(one.slot(slot)):
            yield _wrong(where, slot, "AAAA[MM[JJ[hh[mm[ss]]]]], en UTC, sans fuseau")
    if one.slot("languageCode") not in ("", "fr-FR"):
        yield _wrong(where, "languageCode", "fr-FR")
    if not one.slots.get("sourcePatientInfo"):
        yield _missing(where, "sourcePatientInfo")
    if one.slot("legalAuthenticator") and not _PERSON.fullmatch(one.slot("legalAuthenticator")):
        yield _wrong(where, "legalAuthenticator", "un XCN : ID^NOM^PRENOM^^^^^^&1.2.250.1.71.4.2.1&ISO^D^^^IDNPS")
    if not one.title:
        yield _missing(where, "title")
    if one.mime not in codes.MEDIA:
        yield _wrong(where, "mimeType", " ou ".join(sorted(codes.MEDIA)))
    for author in one.classes.get(names.AUTHOR, ()) or (None,):
        yield from _author(author, where)
    yield from _codes(one, where, rules)
    yield from _identifier(one, names.UNIQUE, where, "uniqueId")
    yield from _patient(one.externals.get(names.PATIENT, ""), patient, where)


def _codes(one: Object, where: str, rules: Rules) -> Iterator[Problem]:
    for scheme, name, (system, known) in (
        (names.CLASS, "classCode", codes.CLASSES),
        (names.PRACTICE, "practiceSettingCode", codes.PRACTICES),
    ):
        found = one.one(scheme)
        if found is None or found.system != system or found.code not in known:
            yield _wrong(where, name, f"un code du jeu de valeurs, système {system}")
    kind = one.one(names.TYPE)
    if kind is None or kind.code not in {codes.LOINC: codes.TYPES, codes.LOCAL_TYPES: codes.LOCALS}.get(
        kind.system, frozenset()
    ).union(rules.types):
        yield _wrong(where, "typeCode", "un code connu du simulateur (les autres s’ajoutent par son script)")
    form = one.one(names.FORMAT)
    if (
        form is None
        or form.system != codes.FORMAT_SYSTEM
        or not (form.code in codes.FORMATS or form.code.startswith("urn:ihe:") or form.code.startswith("urn:asip:"))
    ):
        yield _wrong(where, "formatCode", f"un code du jeu de valeurs, système {codes.FORMAT_SYSTEM}")
    facility = one.one(names.FACILITY)
    if facility is None or facility.system not in codes.FACILITY_SYSTEMS or not _FACILITY.fullmatch(facility.code):
        yield _wrong(where, "healthcareFacilityTypeCode", "un code du jeu de valeurs, comme SA01")
    yield from _confidentiality(one.classes.get(names.CONFIDENTIALITY, ()), where, rules)


def _confidentiality(given: tuple[Class, ...], where: str, rules: Rules) -> Iterator[Problem]:
    if not 1 <= len(given) <= 4 or given[0].system != codes.CONFIDENTIALITY_HL7:
        yield _wrong(where, "confidentialityCode", "de 1 à 4 valeurs, N, R ou V d’abord")
    if any(one.code not in codes.CONFIDENTIALITIES.get(one.system, ()) for one in given):
        yield _wrong(where, "confidentialityCode", "des codes du jeu de valeurs")
    hidden = {one.code for one in given}
    if {codes.MASKED, codes.INVISIBLE} <= hidden and not rules.masked_and_invisible:
        yield _wrong(where, "confidentialityCode", "pas MASQUE_PS et INVISIBLE_PATIENT à la fois")


def _check_links(submitted: Submitted) -> Iterator[Problem]:
    members = submitted.lot.linked(names.HAS_MEMBER, submitted.submission.id)
    given = submitted.lot.documents
    for entry in submitted.lot.entries:
        if entry.kind != names.DOCUMENT:
            yield _wrong(entry.id, "objectType", f"urn:uuid:{names.DOCUMENT}")
        if entry.id not in members:
            yield _wrong(entry.id, "HasMember", "une association du lot vers chaque fiche")
        if entry.id not in given:
            yield Problem(problems.NO_DOCUMENT, "Une fiche n’a pas son document", entry.id)
    known = {entry.id for entry in submitted.lot.entries}
    for name in given:
        if name not in known:
            yield Problem(problems.NO_METADATA, "Un document n’a pas de fiche", name)
    unique = [one.externals.get(names.UNIQUE) for one in submitted.lot.entries]
    unique.append(submitted.submission.externals.get(names.SET_UNIQUE))
    if len(set(unique)) != len(unique) or len(known) != len(submitted.lot.entries):
        yield Problem(problems.TWICE, "deux objets du lot ont le même identifiant")


def _check_signature(one: Object, patient: Patient) -> Iterator[Problem]:
    form, event = one.one(names.FORMAT), one.one(names.EVENT)
    if form is None or form.code != _SIGNATURE_FORMAT:
        yield _wrong(one.id, "formatCode", _SIGNATURE_FORMAT)
    if event is None or event.code != "1.2.840.10065.1.12.1.14":
        yield _wrong(one.id, "eventCodeList", "1.2.840.10065.1.12.1.14")
    if one.slot("languageCode") != "art":
        yield _wrong(one.id, "languageCode", "art")
    if one.one(names.CLASS) is None:
        yield _missing(one.id, "classCode")
    yield from _identifier(one, names.UNIQUE, one.id, "uniqueId")
    yield from _patient(one.externals.get(names.PATIENT, ""), patient, one.id)


def _is_signature(one: Object) -> bool:
    kind = one.one(names.TYPE)
    return kind is not None and (kind.code, kind.system) == _SIGNATURE_TYPE


def _author(author: Class | None, where: str) -> Iterator[Problem]:
    persons = author.slots.get("authorPerson", ()) if author else ()
    if len(persons) != 1 or not _AUTHOR.fullmatch(persons[0]):
        yield _missing(where, "authorPerson")
    institutions = author.slots.get("authorInstitution", ()) if author else ()
    if any(not _INSTITUTION.fullmatch(one) for one in institutions):
        yield _wrong(where, "authorInstitution", "un XON : NOM^^^^^&1.2.250.1.71.4.2.2&ISO^IDNST^^^ID")


def _identifier(one: Object, scheme: str, where: str, name: str) -> Iterator[Problem]:
    value = one.externals.get(scheme, "")
    if not (_OID.fullmatch(value) and len(value) <= 64):
        yield _wrong(where, name, "un OID, sans extension")


def _patient(cx: str, patient: Patient, where: str) -> Iterator[Problem]:
    found = patient_of(cx)
    if found is None:
        yield _wrong(where, "patientId", "le CX d’un INS : NUMERO^^^&OID&ISO^NH")
    elif found != patient:
        yield Problem(problems.OTHER_PATIENT, "patientId n’est pas le patient du VIHF", where)


def _missing(where: str, name: str) -> Problem:
    return Problem(problems.METADATA, f"{name} est absent ou n’a pas la forme attendue", where)


def _wrong(where: str, name: str, remedy: str) -> Problem:
    return Problem(problems.METADATA, f"{name} n’est pas conforme ; attendu : {remedy}", where)
