"""The patient of a CDA document, as it says: identifiers and traits, and what is wrong with them."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from lxml import etree

from insigne.documents.cda import terms
from insigne.documents.cda.findings import Finding, broken
from insigne.ins.datamatrix import InsPayload
from insigne.ins.matricule import check_matricule, nature_of, oid_allowed
from insigne.registry.values import Ins

_ROLE: Final = "recordTarget/patientRole"
_KEY_RULES: Final = frozenset({"matricule-format", "matricule-spelling", "matricule-key"})
_BIRTH: Final = re.compile(r"[0-9]{4}(?:[0-9]{2}(?:[0-9]{2}(?:[0-9]{2,6}(?:[+-][0-9]{4})?)?)?)?")
_QUALIFIERS: Final = frozenset({None, "BR", "CL"})


@dataclass(frozen=True, slots=True)
class Patient:
    """What the header says of the patient; "" for what it does not. `ins` is the first id whose OID is of the INS."""

    ids: tuple[tuple[str, str], ...]
    ins: Ins | None
    birth_name: str
    given_names: str
    first_given_name: str
    sex: str
    birth_date: str
    birth_place: str
    qualifiers: frozenset[str | None]

    def payload(self) -> InsPayload:
        """The same, as an INS Data Matrix says it."""
        ins = self.ins or Ins("", "")
        date = self.birth_date
        fields = {
            "S1": ins.matricule,
            "S2": ins.oid,
            "S3": self.given_names,
            "S4": self.birth_name,
            "S5": self.sex,
            "S6": f"{date[6:8] or '00'}-{date[4:6] or '00'}-{date[:4]}",
            "S7": self.birth_place,
        }
        return InsPayload(MappingProxyType({id_: value for id_, value in fields.items() if value}))


def patient_of(root: etree._Element) -> Patient:
    """Read the patient of a document."""
    role = root.find(_path(_ROLE))
    if role is None:
        return Patient((), None, "", "", "", "", "", "", frozenset())
    ids = tuple((one.get("root", ""), one.get("extension", "")) for one in role.iterfind(_path("id")))
    ins = next((Ins(extension, oid) for oid, extension in ids if nature_of(oid) is not None), None)
    families = list(role.iterfind(_path("patient/name/family")))
    givens = list(role.iterfind(_path("patient/name/given")))
    return Patient(
        ids=ids,
        ins=ins,
        birth_name=_named(families, "BR"),
        given_names=_named(givens, None),
        first_given_name=_named(givens, "BR"),
        sex=_attribute(role, "patient/administrativeGenderCode", "code"),
        birth_date=_attribute(role, "patient/birthTime", "value"),
        birth_place=_text(role.find(_path("patient/birthplace/place/addr/county"))),
        qualifiers=frozenset(one.get("qualifier") for one in (*families, *givens)),
    )


def several_patients(root: etree._Element) -> bool:
    """Whether a document is of more than one patient: several roles, or several INS."""
    roles = root.findall(_path(_ROLE))
    national = {
        (oid, one.get("extension", ""))
        for role in roles
        for one in role.iterfind(_path("id"))
        if nature_of(oid := one.get("root", "")) is not None
    }
    return len(roles) > 1 or len(national) > 1


def check_patient(patient: Patient, environment: str) -> Iterator[Finding]:
    """The INS: there, first, alone, with its key, of an OID the environment admits, with its traits."""
    at = f"{_ROLE}/id"
    numbers = {pair for pair in patient.ids if nature_of(pair[0]) is not None}
    if patient.ins is None:
        yield broken("C20", at)
    else:
        if nature_of(patient.ids[0][0]) is None:
            yield broken("C21", at)
        if len(numbers) > 1:
            yield broken("C24", at)
        if any(remark.code in _KEY_RULES for remark in check_matricule(patient.ins.matricule)):
            yield broken("C22", at)
        if not oid_allowed(patient.ins.oid, environment):
            yield broken("C23", at)
        for path, value in _needed(patient).items():
            if not value:
                yield broken("C25", f"{_ROLE}/{path}")
    if not patient.qualifiers <= _QUALIFIERS:
        yield broken("C26", f"{_ROLE}/patient/name")
    if patient.sex and patient.sex not in terms.GENDERS:
        yield broken("C27", f"{_ROLE}/patient/administrativeGenderCode")
    if patient.birth_date and not _BIRTH.fullmatch(patient.birth_date):
        yield broken("C12", f"{_ROLE}/patient/birthTime")


def _needed(patient: Patient) -> Mapping[str, str]:
    return {
        "patient/name/family[@qualifier='BR']": patient.birth_name,
        "patient/name/given": patient.given_names,
        "patient/name/given[@qualifier='BR']": patient.first_given_name,
        "patient/administrativeGenderCode": patient.sex,
        "patient/birthTime": patient.birth_date,
        "patient/birthplace/place/addr/county": patient.birth_place,
    }


def _path(path: str) -> str:
    return "/".join(f"{{{terms.CDA}}}{step}" for step in path.split("/"))


def _named(elements: list[etree._Element], qualifier: str | None) -> str:
    return next((_text(one) for one in elements if one.get("qualifier") == qualifier), "")


def _text(element: etree._Element | None) -> str:
    return "" if element is None else " ".join((element.text or "").split())


def _attribute(role: etree._Element, path: str, attribute: str) -> str:
    element = role.find(_path(path))
    return "" if element is None else element.get(attribute, "")
