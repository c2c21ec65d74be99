"""Whether a document is about the patient, and what its metadata say: CDA against metadata against the national base.

What the DMP compares is in no public source: this is what the référentiel INS and the CI-SIS ask of whoever feeds it.
"""

import re
from collections.abc import Iterator
from typing import Final

from insigne.simulate.dmp import names
from insigne.simulate.dmp.header import Header
from insigne.simulate.dmp.lot import Object
from insigne.simulate.dmp.problems import DOCUMENT_METADATA, OTHER_PATIENT, TRAITS, Problem
from insigne.simulate.dmp.vihf import Patient, patient_of
from insigne.simulate.insi.national import Registered

_INS_OID: Final = re.compile(r"1\.2\.250\.1\.213\.1\.4\.(?:8|9|10|11)")
_UNDETERMINED: Final = {"UN": "U"}


def check_document(entry: Object, header: Header, patient: Patient, replaced: str) -> Iterator[Problem]:
    """Yield what a document says otherwise than its metadata. `replaced`: uniqueId of the version replaced, or ""."""
    for name, stated, found in _pairs(entry, header):
        if stated != found:
            yield Problem(DOCUMENT_METADATA, f"{name} n’est pas ce que dit l’en-tête du document", entry.id)
    for name, found in _mandatory(header):
        if not found:
            yield Problem(DOCUMENT_METADATA, f"{name} manque dans l’en-tête du document", entry.id)
    if header.value("id", "extension"):
        yield Problem(DOCUMENT_METADATA, "l’id du document a une extension : il faut un OID entier", entry.id)
    if names.CI_SIS not in header.templates():
        yield Problem(DOCUMENT_METADATA, f"le templateId {names.CI_SIS} manque dans le document", entry.id)
    if header.value("relatedDocument/parentDocument/id", "root") != replaced:
        yield Problem(DOCUMENT_METADATA, "relatedDocument n’est pas le document remplacé", entry.id)
    given = [(oid, number) for oid, number in header.ids() if _INS_OID.fullmatch(oid)]
    if given != [(patient.oid, patient.matricule)]:
        yield Problem(OTHER_PATIENT, "l’INS du document (recordTarget) n’est pas celui du lot", entry.id)


def check_traits(entry: Object, header: Header, person: Registered) -> Iterator[Problem]:
    """Yield the traits of the document, and of its metadata, that are not those of the national base."""
    listed = " ".join(person.given_names)
    date = _digits(person.birth_date)
    sex = header.value("recordTarget/patientRole/patient/administrativeGenderCode", "code")
    patient = "recordTarget/patientRole/patient"
    for name, found, expected in (
        ("nom de naissance", header.names("family", "BR"), [person.birth_name]),
        ("liste des prénoms", header.names("given", ""), [listed]),
        ("premier prénom", header.names("given", "BR"), [_first(header, person)]),
        ("sexe", sex, person.sex),
        ("date de naissance", header.value(f"{patient}/birthTime", "value")[:8], date),
        ("lieu de naissance", header.value(f"{patient}/birthplace/place/addr/county"), person.birth_place),
    ):
        if found != expected and expected:
            yield Problem(TRAITS, f"{name} du document : autre que celui de la base nationale", entry.id)
    yield from _source_patient(entry, person, date)


def _first(header: Header, person: Registered) -> str:
    """Return the first given name: the first of the list, or a compound one whose parts begin it."""
    stated = next(iter(header.names("given", "BR")), "")
    parts = tuple(stated.split())
    return stated if parts and person.called(parts) else person.given_names[0]


def _source_patient(entry: Object, person: Registered, date: str) -> Iterator[Problem]:
    fields = dict(line.partition("|")[::2] for line in entry.slots.get("sourcePatientInfo", ()))
    family, _, rest = fields.get("PID-5", "").partition("^")
    given = rest.partition("^")[0]
    number = patient_of(fields["PID-3"]) if "PID-3" in fields else None
    wrong = (
        ("PID-5", family != person.birth_name or not person.called(tuple(given.split()))),
        ("PID-7", bool(date) and fields.get("PID-7", "")[:8] != date),
        ("PID-8", _UNDETERMINED.get(fields.get("PID-8", ""), fields.get("PID-8", "")) != person.sex),
        ("PID-3", number is not None and number.matricule != person.ins.matricule),
    )
    for name, is_wrong in wrong:
        if is_wrong:
            yield Problem(TRAITS, f"sourcePatientInfo {name} : autre que la base nationale", entry.id)


def _pairs(entry: Object, header: Header) -> Iterator[tuple[str, str, str]]:
    """Yield what both say: the name, the metadata's value, the document's."""
    yield "uniqueId", entry.externals.get(names.UNIQUE, ""), header.value("id", "root")
    for name, scheme, path in (
        ("typeCode", names.TYPE, "code"),
        ("practiceSettingCode", names.PRACTICE, f"{_EVENT}/{_PERFORMER}/standardIndustryClassCode"),
        ("healthcareFacilityTypeCode", names.FACILITY, f"{_STAY}/location/healthCareFacility/code"),
    ):
        found = entry.one(scheme)
        yield name, found.code if found else "", header.value(path, "code")
    levels = entry.classes.get(names.CONFIDENTIALITY, ())
    yield "confidentialityCode", levels[0].code if levels else "", header.value("confidentialityCode", "code")
    yield "title", " ".join(entry.title.split()), " ".join(header.value("title").split())
    yield "languageCode", entry.slot("languageCode"), header.value("languageCode", "code")
    yield "creationTime", entry.slot("creationTime"), header.moment("effectiveTime")
    start = header.moment(f"{_EVENT}/effectiveTime/low") or header.moment(f"{_EVENT}/effectiveTime")
    yield "serviceStartTime", entry.slot("serviceStartTime"), start
    signer = next(iter(header.extensions("legalAuthenticator/assignedEntity/id")), "")
    yield "legalAuthenticator", entry.slot("legalAuthenticator").partition("^")[0], signer
    stated = {one.slots.get("authorPerson", ("",))[0].partition("^")[0] for one in entry.classes.get(names.AUTHOR, ())}
    authors = set(header.extensions("author/assignedAuthor/id"))
    yield "author", " ".join(sorted(stated)), " ".join(sorted(authors))


_EVENT: Final = "documentationOf/serviceEvent"
_PERFORMER: Final = "performer/assignedEntity/representedOrganization"
_STAY: Final = "componentOf/encompassingEncounter"


def _mandatory(header: Header) -> Iterator[tuple[str, str]]:
    yield "setId", header.value("setId", "root")
    yield "versionNumber", header.value("versionNumber", "value")
    yield "realmCode FR", "FR" if header.value("realmCode", "code") == "FR" else ""
    yield (
        "custodian",
        header.value("custodian/assignedCustodian/representedCustodianOrganization/id", "extension")
        or header.value("custodian/assignedCustodian/representedCustodianOrganization/id", "root"),
    )


def _digits(date: str) -> str:
    """Return a date of the base as HL7 has it: the parts that are known."""
    year, _, rest = date.partition("-")
    month, _, day = rest.partition("-")
    if month in ("", "00"):
        return year
    return f"{year}{month}" if day in ("", "00") else f"{year}{month}{day}"
