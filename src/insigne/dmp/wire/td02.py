"""TD0.2, test of existence: is there a DMP under this INS, is it open, are we authorised (HL7 v3, PRPA_IN201307UV02).

Structure of the example messages of the GIE SESAM-Vitale (v02.05.00). Elements are found by name, in any order.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from lxml import etree

from insigne.dmp.wire import names
from insigne.dmp.wire.build import add, root
from insigne.dmp.wire.lexical import stamp
from insigne.dmp.wire.model import Existence, Ins, WireError
from insigne.ins.matricule import nature_of

_QUERY: Final = "PRPA_IN201307UV02"
_ANSWER: Final = "PRPA_IN201308UV02"
_TYPE: Final = f"{{{names.XSI}}}type"
_AUTHORISATION: Final = ("AUTORISATION", "1.2.250.1.213.4.1.2.6.1", "1.2.250.1.213.4.1.2.6.2")
_DOCTOR: Final = ("STATUT_MT", "1.2.250.1.213.4.1.2.6.3")
_ACCOUNT: Final = ("COMPTE_INTERNET_OUVERT", "1.2.250.1.213.4.1.2.9")
_LINKED: Final = ("RATTACHEMENT_ENS", "1.2.250.1.213.4.1.2.3")
_FOUND: Final = "OK"
_NOT_FOUND: Final = "NF"
_MOST: Final = 50
"""Most identifiers or details read of one answer."""


@dataclass(frozen=True, slots=True)
class ExistenceQuery:
    """A question as read. `reason` is TEST_EXST for TD0.2; `query` and `message` are (root, extension)."""

    ins: Ins
    reason: str
    message: tuple[str, str]
    query: tuple[str, str]
    sender: str


def build_query(ins: Ins, *, sender: str, software: str, message: str, query: str, now: datetime) -> etree._Element:
    """Write the question. `sender` is the OID of our system, `message` and `query` identifiers under it."""
    if not sender:
        raise WireError("sender: missing; dmp.service.software.oid gives it")
    asked = root(_QUERY, ITSVersion="XML_1.0")
    _transport(asked, _QUERY, (sender, message), now, "AL")
    _device(asked, "receiver", "RCV", names.DMP_DEVICE, "DMP")
    _device(asked, "sender", "SND", sender, software)
    act = add(asked, "controlActProcess", classCode="CACT", moodCode="EVN")
    code, system, label = names.TEST_REASON
    add(act, "reasonCode", code=code, codeSystem=system, displayName=label)
    by = add(act, "queryByParameter")
    add(by, "queryId", root=sender, extension=query)
    add(by, "statusCode", code="new")
    identifier = add(add(by, "parameterList"), "patientIdentifier")
    add(identifier, "value", root=ins.oid, extension=ins.matricule)
    add(identifier, "semanticsText", "Patient.id")
    return asked


def read_query(payload: etree._Element) -> ExistenceQuery:
    """Read a question. Raises WireError for another payload, or without one identifier of a patient."""
    if payload.tag != f"{{{names.HL7}}}{_QUERY}":
        raise WireError(f"the SOAP body holds no {_QUERY}")
    by = "controlActProcess/queryByParameter"
    values = list(payload.iterfind(_path(f"{by}/parameterList/patientIdentifier/value")))
    if len(values) != 1:
        raise WireError("a question is about one identifier of one patient")
    return ExistenceQuery(
        Ins(values[0].get("extension", ""), values[0].get("root", "")),
        _attribute(payload, "controlActProcess/reasonCode", "code"),
        _identifier(payload, "id"),
        _identifier(payload, f"{by}/queryId"),
        _attribute(payload, "sender/device/id", "root"),
    )


def build_answer(existence: Existence, query: ExistenceQuery, *, message: str, now: datetime) -> etree._Element:
    """Write an answer to a question, without the traits that the real service also returns."""
    told = root(_ANSWER, ITSVersion="XML_1.0")
    _transport(told, _ANSWER, (message, ""), now, "NE")
    _device(told, "receiver", "RCV", query.sender, "")
    _device(told, "sender", "SND", names.DMP_DEVICE, "DMP")
    if existence.authorisation:
        keyword, system, values = _AUTHORISATION
        line = add(told, "attentionLine")
        add(line, "keyWordText", code=keyword, codeSystem=system)
        _typed(add(line, "value", code=existence.authorisation, codeSystem=values), "CV")
    if existence.treating_doctor is not None:
        line = add(told, "attentionLine")
        add(line, "keyWordText", code=_DOCTOR[0], codeSystem=_DOCTOR[1])
        _boolean(line, value=existence.treating_doctor)
    acknowledgement = add(told, "acknowledgement", typeCode=existence.acknowledgement or "AA")
    target = add(acknowledgement, "targetMessage")
    add(target, "id", root=query.message[0], extension=query.message[1])
    for code, text in existence.details:
        detail = add(acknowledgement, "acknowledgementDetail", typeCode="E")
        add(detail, "code", code=code)
        add(detail, "text", text)
    act = add(told, "controlActProcess", classCode="CACT", moodCode="EVN")
    code, system, label = names.TEST_REASON
    add(act, "reasonCode", code=code, codeSystem=system, displayName=label)
    if existence.exists:
        _patient(act, existence)
    acknowledged = add(act, "queryAck")
    add(acknowledged, "queryId", root=query.query[0], extension=query.query[1])
    add(acknowledged, "queryResponseCode", code=existence.code)
    return told


def read_answer(payload: etree._Element) -> Existence:
    """Read an answer. Raises WireError for another payload, or one that says nothing.

    With a `code` that is neither OK nor NF the question was not answered: `details` say why. Traits are not read: a
    client does not show those of the DMP (RG_0320).
    """
    if payload.tag != f"{{{names.HL7}}}{_ANSWER}":
        raise WireError(f"the SOAP body holds no {_ANSWER}")
    code = _attribute(payload, "controlActProcess/queryAck/queryResponseCode", "code")
    # An attribute in some schemas of HL7 V3, an element in those of 2008.
    acknowledgement = _attribute(payload, "acknowledgement", "typeCode")
    acknowledgement = acknowledgement or _attribute(payload, "acknowledgement/typeCode", "code")
    patient = payload.find(_path("controlActProcess/subject/registrationEvent/subject1/patient"))
    if code == _FOUND and patient is None:
        raise WireError("an answer says that the patient was found, and has none")
    if not code and not acknowledgement:
        raise WireError("an answer without queryResponseCode nor acknowledgement")
    lines = dict(_lines(payload))
    observations = dict(_observations(patient))
    return Existence(
        code,
        code == _FOUND,
        "" if patient is None else _attribute(patient, "statusCode", "code"),
        lines.get(_AUTHORISATION[0], ""),
        _truth(lines.get(_DOCTOR[0], "")),
        _truth(observations.get(_ACCOUNT[0], "")),
        _truth(observations.get(_LINKED[0], "")),
        _ins(patient),
        acknowledgement,
        tuple(_details(payload))[:_MOST],
    )


def _transport(message: etree._Element, kind: str, identifier: tuple[str, str], now: datetime, accept: str) -> None:
    add(message, "id", root=identifier[0], extension=identifier[1])
    add(message, "creationTime", value=stamp(now))
    add(message, "interactionId", root=names.INTERACTIONS, extension=kind)
    add(message, "processingCode", code="P")
    add(message, "processingModeCode", code="T")
    add(message, "acceptAckCode", code=accept)


def _device(message: etree._Element, part: str, kind: str, oid: str, software: str) -> None:
    device = add(add(message, part, typeCode=kind), "device", classCode="DEV", determinerCode="INSTANCE")
    add(device, "id", root=oid)
    if software:
        add(device, "softwareName", software)


def _patient(act: etree._Element, existence: Existence) -> None:
    event = add(add(act, "subject", typeCode="SUBJ"), "registrationEvent", classCode="REG", moodCode="EVN")
    add(event, "statusCode", code="completed")
    patient = add(add(event, "subject1", typeCode="SBJ"), "patient", classCode="PAT")
    for ins in existence.ins:
        add(patient, "id", root=ins.oid, extension=ins.matricule)
    add(patient, "statusCode", code=existence.status)
    for (code, system), value in ((_ACCOUNT, existence.internet_account), (_LINKED, existence.in_mes)):
        if value is not None:
            holder = add(patient, "subjectOf", typeCode="SBJ")
            observation = add(holder, "administrativeObservation", classCode="OBS", moodCode="EVN")
            add(observation, "code", code=code, codeSystem=system)
            _boolean(observation, value=value)


def _boolean(parent: etree._Element, *, value: bool) -> None:
    _typed(add(parent, "value", value=str(value).lower()), "BL")


def _typed(element: etree._Element, kind: str) -> None:
    element.set(_TYPE, kind)


def _lines(payload: etree._Element) -> Iterator[tuple[str, str]]:
    for line in payload.iterchildren(f"{{{names.HL7}}}attentionLine"):
        value = line.find(_path("value"))
        if value is not None:
            yield _attribute(line, "keyWordText", "code"), value.get("code", "") or value.get("value", "")


def _observations(patient: etree._Element | None) -> Iterator[tuple[str, str]]:
    for observation in () if patient is None else patient.iterfind(_path("subjectOf/administrativeObservation")):
        yield _attribute(observation, "code", "code"), _attribute(observation, "value", "value")


def _ins(patient: etree._Element | None) -> tuple[Ins, ...]:
    """The INS of the patient; the INS-C, which is still returned, is none."""
    found = [] if patient is None else list(patient.iterchildren(f"{{{names.HL7}}}id"))[:_MOST]
    pairs = ((one.get("extension", ""), one.get("root", "")) for one in found)
    return tuple(Ins(number, oid) for number, oid in pairs if number and nature_of(oid) is not None)


def _details(payload: etree._Element) -> Iterator[tuple[str, str]]:
    for detail in payload.iterfind(_path("acknowledgement/acknowledgementDetail")):
        text = detail.find(_path("text"))
        yield _attribute(detail, "code", "code"), "" if text is None else " ".join((text.text or "").split())


def _truth(text: str) -> bool | None:
    return {"true": True, "1": True, "false": False, "0": False}.get(text.strip().lower())


def _identifier(payload: etree._Element, path: str) -> tuple[str, str]:
    return _attribute(payload, path, "root"), _attribute(payload, path, "extension")


def _attribute(element: etree._Element, path: str, attribute: str) -> str:
    found = element.find(_path(path))
    return "" if found is None else found.get(attribute, "").strip()


def _path(path: str) -> str:
    return "/".join(f"{{{names.HL7}}}{step}" for step in path.split("/"))
