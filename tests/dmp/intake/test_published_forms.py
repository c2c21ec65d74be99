"""Each form of message that the ANS publishes is taken: same segments, same flags, people of ours.

The forms are those of ansforge/hl7V2-exemples (volet 2.1) and of the examples of the guide.
"""

import base64
import json
import re

import pytest

from insigne.dmp.intake.body import BodyError, decode
from insigne.dmp.model import Flags, Intent
from insigne.dmp.settings import DmpSettings
from insigne.dmp.settings_intake import IntakeSettings

BIO = "11502-2"
V1, V2, N1 = "1.2.250.1.999.7.1", "1.2.250.1.999.7.2", "1.2.250.1.999.7.3"


def accepted(pfi, message):
    [ack] = pfi.post(message)
    assert (ack.code, ack.errors) == ("AA", [])
    return pfi.documents()[-1]


def to_all(forms):
    return (forms.SB, forms.RCT, forms.rct_patient(), forms.REPLY)


def test_an_oru_of_segur_brings_a_biology_report_to_the_dmp_a_doctor_and_the_patient(pfi, forms):
    cda = pfi.cda(code=BIO)
    yes = ("DESTDMP", "DESTMSSANTEPS", "DESTMSSANTEPAT")
    tail = (forms.letter(12, "CORPSMAIL_PS", "Cher confrère,"),)
    document = accepted(pfi, pfi.oru(cda, yes=yes, prt=to_all(forms), tail=tail))
    assert (document.intent, document.unique_id, document.type_code) == (Intent.INITIAL, V1, BIO)
    assert document.flags == Flags(to_dmp=True, to_professionals=True, to_patient=True)
    assert (document.sender.person_id, document.sender.family) == ("801234500017", "LEROUX")
    assert (document.sender.structure_id, document.facility) == ("1140000019", "140000019")
    assert document.recipients == (forms.MAIL, f"{forms.PEOPLE['4071']['ins']}@patient.mssante.fr")
    assert document.reply_to == forms.MAIL
    assert document.created == "2026-03-02T09:15:00.000Z"
    assert pfi.content(document) == cda
    assert pfi.channels(document) == [("dmp", "feed", ""), ("mss-patient", "feed", ""), ("mss-ps", "feed", forms.MAIL)]


def test_an_oru_of_segur_replaces_a_biology_report(pfi, forms):
    accepted(pfi, pfi.oru(pfi.cda(code=BIO)))
    newer = pfi.cda(V2, code=BIO, version=2, replaces=V1)
    yes = ("DESTDMP", "DESTMSSANTEPS", "DESTMSSANTEPAT")
    document = accepted(pfi, pfi.oru(newer, intent=Intent.REPLACE, yes=yes, prt=to_all(forms)))
    assert (document.intent, document.parent, document.version) == (Intent.REPLACE, V1, 2)


def test_an_oru_of_segur_deletes_a_biology_report(pfi, forms):
    cda = pfi.cda(code=BIO)
    accepted(pfi, pfi.oru(cda))
    document = accepted(
        pfi,
        pfi.oru(cda, intent=Intent.DELETE, prt=to_all(forms), yes=("DESTDMP", "DESTMSSANTEPS", "DESTMSSANTEPAT")),
    )
    assert (document.intent, document.parent) == (Intent.DELETE, V1)


def test_an_oru_brings_a_report_at_levels_one_and_three(pfi, forms):
    yes = ("DESTDMP", "DESTMSSANTEPS", "DESTMSSANTEPAT", "ACK_RECEPTION", "ACK_LECTURE_MSS")
    [ack] = pfi.post(pfi.oru(pfi.cda(code=BIO), pfi.cda(N1, code=BIO), yes=yes, prt=to_all(forms)))
    assert ack.code == "AA"
    assert [one.unique_id for one in pfi.documents()] == [V1, N1]
    assert all(one.flags.ack_reception and one.flags.ack_read for one in pfi.documents())


def test_an_mdm_t02_brings_an_imaging_report_hidden_from_the_patient(pfi, forms):
    yes = ("INVISIBLE_PATIENT", "INVISIBLE_REP_LEGAUX", "CONNEXION_SECRETE", "DESTDMP", "DESTMSSANTEPS")
    document = accepted(pfi, pfi.mdm(pfi.cda(), unique=V1, yes=yes, prt=(forms.SB, forms.RCT_NET)))
    assert document.flags.hidden_patient
    assert document.flags.secret_connection
    assert document.recipients == (forms.MAIL,)
    assert pfi.channels(document) == [("dmp", "feed", ""), ("mss-ps", "feed", forms.MAIL)]


def test_an_mdm_t02_names_its_document_with_an_organisation_beside_the_oid(pfi, forms):
    document = accepted(pfi, pfi.mdm(pfi.cda(), unique=f"{V1}^Organisation-Y"))
    assert document.unique_id == V1


def test_an_mdm_t10_replaces_an_imaging_report(pfi, forms):
    accepted(pfi, pfi.mdm(pfi.cda(), unique=V1))
    newer = pfi.cda(V2, version=2, replaces=V1)
    yes = ("CONNEXION_SECRETE", "MODIF_CONF_CODE", "DESTDMP", "DESTMSSANTEPS")
    message = pfi.mdm(
        newer, intent=Intent.REPLACE, unique=f"{V2}^CHEX", parent=f"{V1}^CHEX", yes=yes, prt=(forms.SB, forms.RCT_NET)
    )
    document = accepted(pfi, message)
    assert (document.intent, document.parent) == (Intent.REPLACE, V1)
    assert document.flags.confidentiality_only


def findings(pfi):
    [[found]] = pfi.rows("SELECT findings FROM message ORDER BY id DESC LIMIT 1")
    return [one["rule"] for one in json.loads(found or "[]")]


def test_a_first_version_said_to_change_only_who_may_see_it_is_taken_with_a_warning(pfi, forms):
    yes = ("MODIF_CONF_CODE", "DESTDMP")
    accepted(pfi, pfi.mdm(pfi.cda(), unique=V1, yes=yes))
    assert findings(pfi) == ["modif-conf-code"]
    newer = pfi.cda(V2, version=2, replaces=V1)
    accepted(pfi, pfi.mdm(newer, intent=Intent.REPLACE, unique=V2, parent=V1, yes=yes))
    assert findings(pfi) == []
    accepted(pfi, pfi.mdm(newer, intent=Intent.DELETE, unique=V2, parent=V1, yes=yes))
    assert findings(pfi) == ["modif-conf-code"]


def test_an_mdm_t04_deletes_an_imaging_report_that_had_replaced_another(pfi, forms):
    accepted(pfi, pfi.mdm(pfi.cda(), unique=V1))
    newer = pfi.cda(V2, version=2, replaces=V1)
    accepted(pfi, pfi.mdm(newer, intent=Intent.REPLACE, unique=V2, parent=V1))
    yes = ("CONNEXION_SECRETE", "DESTDMP", "DESTMSSANTEPS")
    message = pfi.mdm(
        newer, intent=Intent.DELETE, unique=f"{V2}^CHEX", parent=f"{V1}^CHEX", yes=yes, prt=(forms.SB, forms.RCT_NET)
    )
    document = accepted(pfi, message)
    assert (document.intent, document.parent) == (Intent.DELETE, V2)


def test_example_one_of_the_guide_goes_to_the_patient_who_may_not_answer(pfi, forms):
    yes = ("MASQUE_PS", "DESTDMP", "DESTMSSANTEPAT", "ACK_RECEPTION", "ACK_LECTURE_MSS")
    message = pfi.oru(
        pfi.cda(), code="18748-4^CR d’imagerie médicale^LN", yes=yes, prt=(forms.SB, forms.rct_patient()),
        notes=(("DESTMSSANTEPAT", "FIN"),), tail=(forms.letter(12, "CORPSMAIL_PATIENT", "Bonjour"),),
    )  # fmt: skip
    document = accepted(pfi, message)
    assert document.flags.no_reply
    assert document.flags.masked_professionals
    assert pfi.channels(document) == [("dmp", "feed", ""), ("mss-patient", "feed", "")]


def test_example_zero_of_the_guide_names_the_flag_of_reading_otherwise(pfi, forms):
    names = [("ACK_LECTURE" if name == "ACK_LECTURE_MSS" else name, label) for name, label in forms.FLAGS]
    flags = forms.block("CE", 2, ("DESTDMP", "ACK_LECTURE"), names=names)
    assert accepted(pfi, pfi.oru(pfi.cda(code=BIO), flags=flags)).flags.ack_read


def test_a_service_and_an_application_are_mailed_to(pfi, forms):
    unit = "Radiologie^^^^^140000019^UF^^^3435"
    service = f"PRT||UC||RCT^results Copies To^participation||||{unit}|||||||^^X.400^radio@hopital-a.mssante.fr"
    application = "PRT||UC||RCT^Results Copies To^participation|||||12|||||^^X.400^appli@hopital-b.mssante.fr"
    yes = ("DESTDMP", "DESTMSSANTEPS")
    document = accepted(pfi, pfi.oru(pfi.cda(code=BIO), yes=yes, prt=(forms.SB, service, application)))
    assert document.recipients == ("radio@hopital-a.mssante.fr", "appli@hopital-b.mssante.fr")


def test_the_flags_of_an_older_form_name_the_table_by_its_number(pfi, forms):
    flags = forms.block("CE", 2, ("DESTDMP", "MASQUE_PS"), table="HL70136")
    assert accepted(pfi, pfi.oru(pfi.cda(code=BIO), flags=flags)).flags.masked_professionals


@pytest.mark.parametrize("spaces", [0, 1, 2])
def test_base64_may_lack_its_padding_and_nothing_else(pfi, spaces):
    """As published examples do; the sender is told."""
    document = pfi.cda() + b" " * spaces
    raw = pfi.oru(document, code="18748-4^CR d'imagerie médicale^LN")
    encoded = base64.b64encode(document).decode()
    [ack] = pfi.post(raw.replace(encoded, encoded.rstrip("=")))
    [(findings,)] = pfi.rows("SELECT findings FROM message ORDER BY id DESC LIMIT 1")
    assert ack.code == "AA"
    assert pfi.content(pfi.documents()[0]) == document
    assert (b"base64-padding" in findings) is encoded.endswith("=")


@pytest.mark.parametrize("encoded", ["QUJDR", "QUJD=", "QQ==QQ", "QQ===", "QU=JD", "=", "A"])
def test_base64_that_is_not_whole_is_refused_all_the_same(encoded):
    with pytest.raises(BodyError):
        decode(encoded.encode(), 1000)


@pytest.mark.parametrize("before", range(-6, 1))
@pytest.mark.parametrize("after", [b"", b"\r\n", b"\n" * 9])
def test_base64_is_whole_wherever_its_end_stands_among_the_pieces_it_is_read_in(before, after):
    """A large document is decoded a mebibyte at a time, whose end may part its padding, or the end of its last line."""
    content = b"\xa5" * 786_430  # ends with two =
    encoded = base64.b64encode(content)
    assert (len(encoded), encoded[-2:]) == (1_048_576, b"==")
    moved = b"\n" * -before + encoded + after
    body = decode(moved, 2_000_000)
    assert b"".join(body.pieces()) == content
    assert not body.unpadded
    with pytest.raises(BodyError):
        decode(moved + b"QUJD", 2_000_000)


def test_a_text_for_a_mail_is_never_cut(pfi, forms):
    """A letter of 60 000 bytes is mailed whole; one that is longer than is mailed refuses the document."""
    yes, prt = ("DESTDMP", "DESTMSSANTEPS"), (forms.SB, forms.RCT)
    long = "Cher confrère, " * 4000
    tail = (forms.letter(12, "CORPSMAIL_PS", long),)
    assert accepted(pfi, pfi.oru(pfi.cda(code=BIO), yes=yes, prt=prt, tail=tail)).mail_professionals == long
    tail = (forms.letter(12, "CORPSMAIL_PS", long * 2),)
    [ack] = pfi.post(pfi.oru(pfi.cda("1.2.250.1.999.7.2", code=BIO), yes=yes, prt=prt, tail=tail))
    assert (ack.code, ack.errors[0].application_code) == ("AE", "906")


def test_a_document_of_an_older_header_is_taken_with_warnings_where_the_site_says_so(open_pfi, forms):
    pfi = open_pfi(settings=DmpSettings(intake=IntakeSettings(faults="warn")))
    older = re.sub(rb"<setId[^>]*/>", b"", pfi.cda(code=BIO)).replace(b'qualifier="CL"', b'qualifier="SP"')

    document = accepted(pfi, pfi.oru(older))

    assert pfi.content(document) == older
    [findings] = pfi.rows("SELECT findings FROM message WHERE event = 'ORU^R01'")
    assert {"CDA-C11"} <= {one["rule"] for one in json.loads(findings[0])}
    assert {one["severity"] for one in json.loads(findings[0])} == {"warning"}


def test_the_ins_of_a_document_is_no_matter_of_tolerance(open_pfi, forms):
    pfi = open_pfi(settings=DmpSettings(intake=IntakeSettings(faults="warn")))
    [ack] = pfi.post(pfi.oru(pfi.cda(code=BIO, number="4072")))

    assert ack.code == "AE"
    assert pfi.documents() == []
