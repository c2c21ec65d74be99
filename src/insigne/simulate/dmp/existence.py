"""TD0.2: whether a patient has a DMP, and what the structure may do with it (HL7 V3, PRPA_IN201307UV02 → 201308UV02).

Source: GIE SESAM-Vitale, « DMP_LPS exemple de messages », TD0.2.
"""

from dataclasses import dataclass
from html import escape
from typing import Final

from lxml import etree

from insigne.simulate.dmp.names import DEVICE, HL7, XSI
from insigne.simulate.dmp.soap import Call, Fault
from insigne.simulate.dmp.vihf import Patient
from insigne.simulate.insi.national import Registered

QUERY: Final = "PRPA_IN201307UV02"
ANSWER: Final = "PRPA_IN201308UV02"

_REASON: Final = ("TEST_EXST", "1.2.250.1.213.1.1.4.11")
_INTERACTIONS: Final = "2.16.840.1.113883.1.6"


@dataclass(frozen=True, slots=True)
class Question:
    """A question read: the patient, who asked (OID of the system, id of the message), the query and its id as XML."""

    patient: Patient
    sender: str
    message: str
    query: str
    query_id: str


@dataclass(frozen=True, slots=True)
class Dossier:
    """The state of a DMP. `authorisation`: VALIDE, or INTERDITE when the patient blocked the structure."""

    person: Registered
    closed: bool = False
    authorisation: str = "VALIDE"
    linked: bool = True


def read_question(call: Call) -> Question:
    """Read a TD0.2. Raises Fault for another message."""
    body = call.body
    if etree.QName(body).localname != QUERY or etree.QName(body).namespace != HL7:
        raise Fault("SimuMessage", f"Le corps n’est pas {QUERY}")
    act = body.find(f"{{{HL7}}}controlActProcess")
    reason = act.find(f"{{{HL7}}}reasonCode") if act is not None else None
    if act is None or reason is None or (reason.get("code"), reason.get("codeSystem")) != _REASON:
        raise Fault("SimuMessage", "reasonCode n’est pas TEST_EXST (1.2.250.1.213.1.1.4.11)")
    query = act.find(f"{{{HL7}}}queryByParameter")
    if query is None:
        raise Fault("SimuMessage", "queryByParameter est absent")
    asked = [
        (one.get("extension") or "", one.get("root") or "")
        for one in query.iterfind(f"{{{HL7}}}parameterList//{{{HL7}}}value")
        if (one.get("root") or "").startswith("1.2.250.1.213.1.4.")
    ]
    if len(asked) != 1:
        raise Fault("SimuMessage", "Il faut un INS et un seul dans parameterList")
    identifier = body.find(f"{{{HL7}}}id")
    return Question(
        Patient(*asked[0]),
        _attribute(body, "sender/device/id", "root"),
        "" if identifier is None else f"{identifier.get('root') or ''}^{identifier.get('extension') or ''}",
        etree.tostring(query, encoding="unicode", with_tail=False),
        '<queryId root="{}" extension="{}"/>'.format(
            *(escape(_attribute(query, "queryId", name)) for name in ("root", "extension"))
        ),
    )


def answer_existence(question: Question, dossier: Dossier | None, message: str, now: str) -> str:
    """Write the answer: the state of the DMP, or NF when the patient has none. `message` is a new UUID."""
    subject = _subject(dossier) if dossier else ""
    found = "OK" if dossier else "NF"
    lines = _attention(dossier) if dossier else ""
    return _message(question, message, now, "AA", "", lines, f"{subject}{_acknowledge(question, found)}")


def answer_error(question: Question, code: str, text: str, message: str, now: str) -> str:
    """Write an answer AE: the service could not tell."""
    detail = (
        f'<acknowledgementDetail typeCode="E"><code code="{escape(code)}"/><text>{escape(text)}</text>'
        "</acknowledgementDetail>"
    )
    return _message(question, message, now, "AE", detail, "", _acknowledge(question, "AE"))


def _message(question: Question, message: str, now: str, kind: str, detail: str, lines: str, inside: str) -> str:
    asked, _, extension = question.message.partition("^")
    target = f'<id root="{escape(asked)}"' + (f' extension="{escape(extension)}"/>' if extension else "/>")
    return (
        f'<{ANSWER} xmlns="{HL7}" xmlns:xsi="{XSI}" ITSVersion="XML_1.0"><id root="{message}"/>'
        f'<creationTime value="{now}"/><interactionId root="{_INTERACTIONS}" extension="{ANSWER}"/>'
        '<processingCode code="P"/><processingModeCode code="T"/><acceptAckCode code="NE"/>'
        f'<receiver typeCode="RCV"><device classCode="DEV" determinerCode="INSTANCE"><id root="'
        f'{escape(question.sender)}"/></device></receiver>'
        f'<sender typeCode="SND"><device classCode="DEV" determinerCode="INSTANCE"><id root="{DEVICE}"/></device>'
        f"</sender>{lines}"
        f'<acknowledgement><typeCode code="{kind}"/><targetMessage>{target}</targetMessage>{detail}</acknowledgement>'
        f'<controlActProcess classCode="CACT" moodCode="EVN"><code code="PRPA_TE201308UV02" codeSystem="'
        f'{_INTERACTIONS}"/>{inside}</controlActProcess></{ANSWER}>'
    )


def _acknowledge(question: Question, code: str) -> str:
    return f'<queryAck>{question.query_id}<queryResponseCode code="{code}"/></queryAck>{question.query}'


def _attention(dossier: Dossier) -> str:
    """The lines that tell what the structure may do: authorisation, treating doctor."""
    return (
        '<attentionLine><keyWordText code="AUTORISATION" codeSystem="1.2.250.1.213.4.1.2.6.1">AUTORISATION'
        f'</keyWordText><value xsi:type="CV" code="{dossier.authorisation}" codeSystem="1.2.250.1.213.4.1.2.6.2"/>'
        '</attentionLine><attentionLine><keyWordText code="STATUT_MT" codeSystem="1.2.250.1.213.4.1.2.6.3">STATUT_MT'
        '</keyWordText><value xsi:type="BL" value="false"/></attentionLine>'
    )


def _subject(dossier: Dossier) -> str:
    person = dossier.person
    status = "terminated" if dossier.closed else "active"
    given = "".join(f"<given>{escape(name)}</given>" for name in person.given_names)
    linked = "true" if dossier.linked else "false"
    return (
        '<subject typeCode="SUBJ"><registrationEvent classCode="REG" moodCode="EVN"><statusCode code="active"/>'
        '<subject1 typeCode="SBJ"><patient classCode="PAT">'
        f'<id root="{person.ins.oid}" extension="{person.ins.matricule}"/><statusCode code="{status}"/>'
        '<patientPerson classCode="PSN" determinerCode="INSTANCE">'
        f'<name><family qualifier="BR">{escape(person.birth_name)}</family>{given}</name>'
        f'<administrativeGenderCode code="{escape(person.sex)}" codeSystem="2.16.840.1.113883.5.1"/>'
        f'<birthTime value="{person.birth_date.replace("-", "")}"/></patientPerson>'
        '<subjectOf><administrativeObservation classCode="OBS" moodCode="EVN">'
        '<code code="COMPTE_INTERNET_OUVERT" codeSystem="1.2.250.1.213.4.1.2.9"/>'
        f'<value xsi:type="BL" value="{linked}"/></administrativeObservation></subjectOf>'
        '<subjectOf><administrativeObservation classCode="OBS" moodCode="EVN">'
        '<code code="RATTACHEMENT_ENS" codeSystem="1.2.250.1.213.4.1.2.3"/>'
        f'<value xsi:type="BL" value="{linked}"/></administrativeObservation></subjectOf>'
        "</patient></subject1></registrationEvent></subject>"
    )


def _attribute(element: etree._Element, path: str, attribute: str) -> str:
    found = element.find("/".join(f"{{{HL7}}}{name}" for name in path.split("/")))
    return (found.get(attribute) or "") if found is not None else ""
