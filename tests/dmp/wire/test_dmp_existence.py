"""TD0.2: the question as the DMP's examples have it, and answers read whatever their order and prefixes."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from insigne.dmp.wire import td02
from insigne.dmp.wire.model import Existence, Ins, WireError

HL7 = {"h": "urn:hl7-org:v3"}
INS = Ins("279035121518989", "1.2.250.1.213.1.4.10")

#: An answer: queryResponseCode OK (there is a DMP); authorisation VALIDE; not the treating doctor; the patient known by
#: an INS-C (….4.2, which is no INS any more) and by the INS (….4.10); DMP active; no internet account; linked to Mon
#: espace santé. Traits are there and are not read.
ANSWER = """
<m:PRPA_IN201308UV02 xmlns:m="urn:hl7-org:v3" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
 <m:acknowledgement typeCode="AA"><m:targetMessage><m:id root="1.2"/></m:targetMessage></m:acknowledgement>
 <m:controlActProcess classCode="CACT" moodCode="EVN">
  <m:queryAck><m:queryId root="1.2" extension="7"/><m:queryResponseCode code="OK"/></m:queryAck>
  <m:subject><m:registrationEvent><m:subject1><m:patient>
   <m:statusCode code="active"/>
   <m:id root="1.2.250.1.213.1.4.2" extension="1197854176879056415520"/>
   <m:id root="1.2.250.1.213.1.4.10" extension="279035121518989"/>
   <m:patientPerson><m:name><m:given>DOMINIQUE</m:given></m:name></m:patientPerson>
   <m:subjectOf><m:administrativeObservation>
    <m:code code="COMPTE_INTERNET_OUVERT" codeSystem="1.2.250.1.213.4.1.2.9"/><m:value xsi:type="BL" value="false"/>
   </m:administrativeObservation></m:subjectOf>
   <m:subjectOf><m:administrativeObservation>
    <m:code code="RATTACHEMENT_ENS" codeSystem="1.2.250.1.213.4.1.2.3"/><m:value xsi:type="BL" value="true"/>
   </m:administrativeObservation></m:subjectOf>
  </m:patient></m:subject1></m:registrationEvent></m:subject>
 </m:controlActProcess>
 <m:attentionLine><m:keyWordText code="AUTORISATION"/><m:value xsi:type="CV" code="VALIDE"/></m:attentionLine>
 <m:attentionLine><m:keyWordText code="STATUT_MT"/><m:value xsi:type="BL" value="false"/></m:attentionLine>
</m:PRPA_IN201308UV02>
"""


@pytest.fixture
def question(made):
    return td02.build_query(INS, sender=made.system, software="Insigne", message="m-1", query="q-1", now=made.now)


def test_the_question_is_about_one_identifier_of_one_patient(question, made):
    root = etree.fromstring(etree.tostring(question))
    assert root.tag == "{urn:hl7-org:v3}PRPA_IN201307UV02"
    value = root.find("h:controlActProcess/h:queryByParameter/h:parameterList/h:patientIdentifier/h:value", HL7)
    assert (value.get("root"), value.get("extension")) == ("1.2.250.1.213.1.4.10", "279035121518989")
    reason = root.find("h:controlActProcess/h:reasonCode", HL7)
    assert (reason.get("code"), reason.get("codeSystem")) == ("TEST_EXST", "1.2.250.1.213.1.1.4.11")
    assert root.find("h:receiver/h:device/h:id", HL7).get("root") == "1.2.250.1.213.4.1.1.1"
    assert root.find("h:sender/h:device/h:id", HL7).get("root") == made.system
    assert root.find("h:creationTime", HL7).get("value") == "20260302093015"


def test_an_answer_is_read_in_any_order_under_any_prefix():
    found = td02.read_answer(etree.fromstring(ANSWER))
    assert (found.code, found.exists, found.status, found.open) == ("OK", True, "active", True)
    assert (found.authorisation, found.authorised, found.treating_doctor) == ("VALIDE", True, False)
    assert (found.internet_account, found.in_mes) == (False, True)
    assert found.ins == (INS,)
    assert "DOMINIQUE" not in repr(found)


def test_a_closed_dmp_is_not_open():
    found = td02.read_answer(etree.fromstring(ANSWER.replace('code="active"', 'code="terminated"')))
    assert found.exists
    assert not found.open


def test_no_dmp_is_an_answer():
    bare = (
        '<PRPA_IN201308UV02 xmlns="urn:hl7-org:v3"><acknowledgement typeCode="AA"/><controlActProcess><queryAck>'
        '<queryResponseCode code="NF"/></queryAck></controlActProcess></PRPA_IN201308UV02>'
    )
    found = td02.read_answer(etree.fromstring(bare))
    assert (found.exists, found.answered, found.open) == (False, True, False)


@pytest.mark.parametrize("code", ['<acknowledgement typeCode="AE">', '<acknowledgement><typeCode code="AE"/>'])
def test_an_error_says_neither_yes_nor_no(code):
    told = (
        f'<PRPA_IN201308UV02 xmlns="urn:hl7-org:v3">{code}<acknowledgementDetail>'
        '<code code="DMPClosed"/><text>DMP fermé</text></acknowledgementDetail></acknowledgement></PRPA_IN201308UV02>'
    )
    found = td02.read_answer(etree.fromstring(told))
    assert not found.answered
    assert not found.exists
    assert found.details == (("DMPClosed", "DMP fermé"),)


@pytest.mark.parametrize(
    "text",
    [
        "<PRPA_IN201308UV02 xmlns='urn:hl7-org:v3'/>",
        "<PRPA_IN201308UV02/>",
        "<x xmlns='urn:hl7-org:v3'/>",
        ANSWER.replace("m:patient>", "m:nobody>"),
    ],
    ids=["empty", "no-namespace", "another", "found-nobody"],
)
def test_what_answers_nothing_is_refused(text):
    with pytest.raises(WireError):
        td02.read_answer(etree.fromstring(text))


maybe = st.none() | st.booleans()


@given(st.sampled_from(["active", "terminated"]), st.sampled_from(["", "VALIDE", "EXPIREE"]), maybe, maybe, maybe)
def test_what_the_simulator_answers_is_what_the_client_reads(status, authorisation, doctor, account, mes):
    question = td02.ExistenceQuery(INS, "TEST_EXST", ("1.2", "m"), ("1.2", "q"), "1.2")
    said = Existence("OK", True, status, authorisation, doctor, account, mes, (INS,), "AA")
    now = datetime(2026, 3, 2, tzinfo=UTC)
    written = etree.tostring(td02.build_answer(said, question, message="a", now=now))
    assert td02.read_answer(etree.fromstring(written)) == said


def test_the_question_is_read_back(question, made):
    found = td02.read_query(etree.fromstring(etree.tostring(question)))
    assert found == td02.ExistenceQuery(INS, "TEST_EXST", (made.system, "m-1"), (made.system, "q-1"), made.system)
