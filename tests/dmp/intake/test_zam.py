"""Business acknowledgements: written as the volet says, read with the variants of the ANS's samples."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from insigne.dmp.model import Document, Intent
from insigne.dmp.zam import read_zam, zam
from insigne.hl7 import Hl7Error, Message, build_ack, parse_ack

MAIL = "anne.leroux@exemple.mssante.fr"
HEADER = "MSH|^~\\&|INSIGNE||DPI|CHEX|20260302093300+0000||ZAM^Z01^ZAM_Z01|Z1|P|2.6"
TIME = "2026-03-02T09:33:00.000Z"


def document(control_id="D7", sending="DPI|CHEX"):
    return Document(
        id="01JDOC00000000000000000000", received=TIME, source="mllp:dpi", message="m", control_id=control_id,
        sending=sending, intent=Intent.INITIAL, unique_id="1.2.3", set_id="1.2.3", version=1, parent="",
        type_code="11490-0", title="", confidentiality="N", created=TIME, identity="i", patient=b"[]",
    )  # fmt: skip


def lines(kind, **said):
    given_ = {"accepted": True, "code": "", "text": "", "control_id": "Z1", "time": TIME, **said}
    return zam(kind, document(), **given_).decode().split("\r")


def test_a_document_refused_by_the_dmp_is_told_with_its_code():
    # MSH-21: the profile of the volet; OBX-4: MSH-10 of the message acknowledged; ERR-5: the DMP's own code
    assert lines("Z01", accepted=False, code="DMPClosed", text="DMP fermé") == [
        f"{HEADER}|||||FRA|UNICODE UTF-8|||2.1^CISIS_CDA_HL7_V2",
        "EVN||20260302093300+0000",
        "OBX|1|CWE|ACK_RECEPTION_DMP^Accusé de réception DMP^AckMetierZAM|D7|N^^expandedYes-NoIndicator||||||F",
        "ERR|||207^Application error^messageErrorCondition|E|DMPClosed^DMP fermé^DMP_ERROR_CODE",
        "",
    ]


def test_a_mail_received_and_a_mail_read_name_their_box():
    received, read = lines("Z02", recipient=MAIL), lines("Z03", recipient=MAIL)
    assert received[2:] == [
        "OBX|1|CWE|ACK_RECEPTION_MSS^Accusé de réception MSSanté^AckMetierZAM|D7|Y^^expandedYes-NoIndicator||||||F",
        f"OBX|2|XTN|DESTINATAIRE_MSS^Destinataire MSSanté^AckMetierZAM||^^X.400^{MAIL}||||||F",
        "",
    ]
    assert "ZAM^Z03^ZAM_Z01" in read[0]
    assert read[2].startswith("OBX|1|CWE|ACK_LECTURE_MSS^")
    assert read[3].startswith("OBX|2|XTN|LECTEUR_MSS^")


@pytest.mark.parametrize(
    ("kind", "table"), [("Z01", "DMP_ERROR_CODE"), ("Z02", "SMTPERRORCODE"), ("Z03", "applicationErrorCondition")]
)
def test_each_kind_has_its_table_of_codes(kind, table):
    assert lines(kind, accepted=False, code="1", text="non")[-2].endswith(f"1^non^{table}")


def test_a_refusal_without_a_code_says_906():
    assert lines("Z01", accepted=False)[-2].endswith("E|906^Document refusé^DMP_ERROR_CODE")


def test_the_form_of_the_sample_of_the_ans_is_read():
    # its tables: HL70357 for ERR-3, DMPERRORCODE for ERR-5; version 2.0 of the profile; pipes at the end
    raw = (
        "MSH|^~\\&|PFI|CHEX|DPI|CHEX|202603020933||ZAM^Z01^ZAM_Z01|17|P|2.6"
        "|||||FRA|UNICODE UTF-8|||2.0^CISIS_CDA_HL7_V2\r"
        "EVN||202603020933\r"
        "OBX|1|CWE|ACK_RECEPTION_DMP^Accusé de réception DMP^AckMetierZAM|15|N^^expandedYes-NoIndicator||||||F|\r"
        "ERR|||207^Application internal error^HL70357|E|DMPClosed^DMP fermé^DMPERRORCODE\r"
    )
    found = read_zam(Message.parse(raw.encode()))
    assert (found.kind, found.original, found.accepted, found.code, found.text) == (
        "Z01", "15", False, "DMPClosed", "DMP fermé",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("change", "condition"),
    [
        (("ZAM^Z01", "ZAM^Z09"), "201"),
        (("ACK_RECEPTION_DMP", "AUTRE"), "100"),
        (("|Y^^", "|X^^"), "103"),
        (("|D7|", "||"), "101"),
        (("|Y^^", "|N^^"), "100"),
    ],
    ids=["kind", "verdict missing", "verdict unreadable", "original missing", "reason missing"],
)
def test_one_that_does_not_say_what_it_must_is_refused(change, condition):
    raw = "\r".join(lines("Z01")).replace(*change)
    with pytest.raises(Hl7Error) as refused:
        read_zam(Message.parse(raw.encode()))
    assert refused.value.condition == condition


def test_it_is_itself_acknowledged():
    raw = "\r".join(lines("Z01")).encode()
    ack = build_ack(raw, "AA", time="20260302093301+0000", control_id="20")
    assert b"ACK^Z01^ACK" in ack
    assert parse_ack(ack).control_id == "Z1"


@given(
    kind=st.sampled_from(["Z01", "Z02", "Z03"]),
    accepted=st.booleans(),
    code=st.text(max_size=30),
    text=st.text(max_size=60),
    control_id=st.text(min_size=1, max_size=20).filter(str.strip),
)
def test_what_is_written_is_read_back(kind, accepted, code, text, control_id):
    clean = {key: value.encode("utf-8", "ignore").decode() for key, value in (("code", code), ("text", text))}
    original = control_id.encode("utf-8", "ignore").decode().strip() or "x"
    raw = zam(
        kind, document(original), accepted=accepted, **clean, control_id="Z1", time=TIME, recipient=MAIL
    )  # fmt: skip
    found = read_zam(Message.parse(raw))
    assert (found.kind, found.original, found.accepted, found.receiver) == (
        kind,
        original.strip(),
        accepted,
        ("DPI", "CHEX"),
    )
    if not accepted and clean["code"]:
        assert found.code == clean["code"]
        assert not clean["text"] or found.text == clean["text"]
    assert found.recipient == ("" if kind == "Z01" else MAIL)
