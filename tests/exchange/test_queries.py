"""PIX and PDQ queries on the MLLP port: ITI-9 and ITI-21, read back by two other HL7 libraries."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hl7apy.parser import parse_message

import hl7
from insigne.app.base import open_base
from insigne.config import load
from insigne.exchange.model import Peer, Received
from insigne.hl7 import Message
from insigne.store import upgrade

LOCAL = Peer("127.0.0.1", "mllp")
GAM = "GAM&1.2.250.1.999.1&ISO"
LAB = "LAB&1.2.250.1.999.2&ISO"
INS_NIR = "1.2.250.1.213.1.4.10"  # the test OID of the NIR
NOW = "20260301083000+0100"


def adt(control_id, ipp, name="BÉRANGER", given="MAËLLE", born="19810412", sex="F", extra="", more="", event="A28"):
    return (
        f"MSH|^~\\&|GAM|CHU|RI|GHT|{NOW}||ADT^{event}^ADT_A05|{control_id}|P|2.5^FRA^2.11||||||UNICODE UTF-8\r"
        f"EVN||{NOW}\rPID|||{ipp}^^^{GAM}^PI{extra}||{name}^{given}^{given} JEANNE^^^^L||{born}|{sex}|||"
        f"12 RUE DES LILAS^^RENNES^^35000^FRA^H~^^^^^^BDL^^35238{more}\rPV1||N\r"
    ).encode()


def qbp(trigger, qpd, *, rcp="I", dsc="", control_id="Q1", version="2.5", charset="UNICODE UTF-8", sender="DPI|CHU"):
    lines = [
        f"MSH|^~\\&|{sender}|INSIGNE|GHT|{NOW}||QBP^{trigger}^QBP_Q21|{control_id}|P|{version}||||||{charset}",
        f"QPD|{qpd}",
        f"RCP|{rcp}",
    ]
    if dsc:
        lines.append(f"DSC|{dsc}|I")
    return ("\r".join(lines) + "\r").encode()


def pix(identifier, domains="", **options):
    return qbp("Q23", f"IHE PIX Query|T1|{identifier}|{domains}", **options)


def pdq(*parameters, domains="", **options):
    asked = "~".join(f"@{field}^{value}" for field, value in parameters)
    return qbp("Q22", f"IHE PDQ Query|T1|{asked}|||||{domains}", **options)


class Site:
    """A base with a few people, and what it answers."""

    def __init__(self, folder: Path, *settings: str) -> None:
        upgrade(f"sqlite:///{folder}/insigne.db")
        self.base = open_base(load(None, ["environment=test", *settings], {}, folder))

    def take(self, raw, peer=LOCAL):
        now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        [answer] = self.base.intake.process([Received(raw, peer, now)])
        return answer

    def feed(self, *messages):
        for raw in messages:
            assert self.take(raw).code == "AA"

    def ask(self, raw, peer=LOCAL):
        return Message.parse(self.take(raw, peer).payload)


@pytest.fixture
def site(tmp_path):
    made = []

    def make(*settings):
        made.append(Site(tmp_path, *settings))
        return made[-1]

    yield make
    for one in made:
        one.base.close()


@pytest.fixture
def hospital(site):
    here = site()
    here.feed(
        adt("M1", "9001", extra=f"~L77^^^{LAB}^PI"),
        adt("M2", "9002", given="MAËL", sex="M", more="", born="19810412"),
        adt("M3", "9003", name="LE GOFF", given="YANN", born="19500101", sex="M"),
    )
    return here


def ids(answer, segment="PID"):
    return [
        "|".join((repetition[0][0], repetition[3][0].removesuffix("-TEST")))
        for pid in answer.segments(segment)
        for repetition in pid.decoded(3)
    ]


def status(answer):
    return answer.value("MSA-1"), answer.value("QAK-2")


def error(answer):
    err = answer.segment("ERR")
    return err.value(3), err.field(2), err.value(4)


# --- PIX


def test_the_other_identifiers_of_a_person_are_told(hospital):
    answer = hospital.ask(pix(f"9001^^^{GAM}^PI"))
    assert status(answer) == ("AA", "OK")
    assert (answer.message_code, answer.trigger, answer.structure) == ("RSP", "K23", "RSP_K23")
    assert ids(answer) == ["L77|LAB"]
    assert answer.segment("PID").field(5) == "~^^^^^^S"  # the name is left out on purpose
    assert answer.value("MSA-2") == "Q1"
    assert (answer.value("QAK-1"), answer.value("QAK-3")) == ("T1", "IHE PIX Query")
    assert answer.segment("QPD").field(3) == f"9001^^^{GAM}^PI"
    assert (answer.sending_application, answer.receiving_application) == ("INSIGNE", "DPI")


def test_an_authority_may_be_named_by_its_oid_or_by_its_name_alone(hospital):
    assert ids(hospital.ask(pix("9001^^^&1.2.250.1.999.1&ISO", control_id="Q2"))) == ["L77|LAB"]
    assert ids(hospital.ask(pix("9001^^^GAM", control_id="Q3"))) == ["L77|LAB"]


def test_only_the_domains_asked_for_are_told(hospital):
    assert ids(hospital.ask(pix(f"9001^^^{GAM}", f"^^^{LAB}"))) == ["L77|LAB"]


def test_a_person_without_identifier_in_the_domain_asked_for_is_not_found_there(hospital):
    answer = hospital.ask(pix(f"9002^^^{GAM}", f"^^^{LAB}"))
    assert status(answer) == ("AA", "NF")
    assert answer.segment("PID") is None


@pytest.mark.parametrize(
    ("query", "place"),
    [
        (pix(f"4444^^^{GAM}"), "QPD^1^3^1^1"),
        (pix("9001^^^NOWHERE&1.2.3.4&ISO"), "QPD^1^3^1^4"),
        (pix(f"9001^^^{GAM}", f"^^^{LAB}~^^^NOWHERE&1.2.3.4&ISO"), "QPD^1^4^2"),
    ],
)
def test_an_unknown_identifier_or_domain_is_told_with_its_place(hospital, query, place):
    answer = hospital.ask(query)
    assert status(answer) == ("AE", "AE")
    assert error(answer) == ("204", place, "E")


def test_a_merged_number_leads_to_the_survivor(hospital):
    merge = (
        f"MSH|^~\\&|GAM|CHU|RI|GHT|{NOW}||ADT^A40^ADT_A39|M9|P|2.5^FRA^2.11||||||UNICODE UTF-8\rEVN||{NOW}\r"
        f"PID|||9001^^^{GAM}^PI||BÉRANGER^MAËLLE^^^^^L||19810412|F\rMRG|9002^^^{GAM}^PI\r"
    ).encode()
    hospital.feed(merge)
    assert "L77|LAB" in ids(hospital.ask(pix(f"9002^^^{GAM}")))


def test_numbers_of_linked_identities_are_cross_references(hospital):
    link = (
        f"MSH|^~\\&|GAM|CHU|RI|GHT|{NOW}||ADT^A24^ADT_A24|M9|P|2.5^FRA^2.11||||||UNICODE UTF-8\rEVN||{NOW}\r"
        f"PID|||9002^^^{GAM}^PI||BÉRANGER^MAËL^^^^^L||19810412|M\r"
        f"PID|||9003^^^{GAM}^PI||LE GOFF^YANN^^^^^L||19500101|M\r"
    ).encode()
    hospital.feed(link)
    assert ids(hospital.ask(pix(f"9002^^^{GAM}"))) == ["9003|GAM"]


def test_the_ins_is_told_of_a_qualified_person_only_and_names_only_that_one(site):
    here = site()
    matricule = f"2810435238123{97 - 2810435238123 % 97:02d}"
    ins = f"~{matricule}^^^ASIP-SANTE-INS-NIR&{INS_NIR}&ISO^INS"
    here.feed(adt("M1", "9001", extra=ins, more=f"{'|' * 21}VALI"), adt("M2", "9002", name="AUTRE"))
    assert ids(here.ask(pix(f"9001^^^{GAM}"))) == [f"{matricule}|ASIP-SANTE-INS-NIR"]
    by_ins = pix(f"{matricule}^^^&{INS_NIR}&ISO^INS", control_id="Q2")
    assert ids(here.ask(by_ins)) == ["9001|GAM"]
    here.feed(adt("M3", "9001", extra=ins, more=f"{'|' * 21}PROV", event="A31"))
    assert status(here.ask(pix(f"9001^^^{GAM}", control_id="Q3"))) == ("AA", "NF")
    assert status(here.ask(pix(f"{matricule}^^^&{INS_NIR}&ISO^INS", control_id="Q4"))) == ("AE", "AE")


def test_the_nir_for_billing_is_not_told_to_who_asks_for_the_ins(site):
    """Both are of one OID (pam-fr §5.1): the type tells them apart."""
    here = site()
    billing = "~281043523812352^^^ASIP-SANTE-NIR&1.2.250.1.213.1.4.8&ISO^NH"
    here.feed(adt("M1", "9001", extra=billing))
    assert ids(here.ask(pix(f"9001^^^{GAM}"))) == ["281043523812352|ASIP-SANTE-NIR"]
    ins_only = pix(f"9001^^^{GAM}", domains="^^^&1.2.250.1.213.1.4.8&ISO", control_id="Q2")
    assert status(here.ask(ins_only)) == ("AA", "NF")


# --- PDQ


def test_people_are_found_by_birth_date_and_the_beginning_of_a_name(hospital):
    answer = hospital.ask(pdq(("PID.7", "19810412"), ("PID.5.1.1", "beran*")))
    assert status(answer) == ("AA", "OK")
    assert (answer.message_code, answer.trigger, answer.structure) == ("RSP", "K22", "RSP_K21")
    assert sorted(pid.value(5, 2) for pid in answer.segments("PID")) == ["MAËL", "MAËLLE"]
    assert answer.segment("QAK").text == "QAK|T1|OK|IHE PDQ Query|2|2|0"


@pytest.mark.parametrize(
    ("parameters", "found"),
    [
        ((("PID.7", "19810412"), ("PID.5.2", "MAEL")), ["9002"]),
        ((("PID.7", "19810412"), ("PID.8", "F")), ["9001"]),
        ((("PID.7", "19810412"), ("PID.11.3", "rennes"), ("PID.5.2", "jeanne")), ["9001", "9002"]),
        ((("PID.7.1", "19810412"), ("PID.5.1.1", "BERAN")), []),
        ((("PID.3.1", "9003"),), ["9003"]),
        ((("PID.3.1", "9003"), ("PID.3.4.2", "1.2.250.1.999.1"), ("PID.5.1", "Le Goff")), ["9003"]),
        ((("PID.3.1", "9003"), ("PID.5.1", "AUTRE")), []),
        ((("PID.3.1", "L77"), ("PID.3.4.1", "LAB")), ["9001"]),
    ],
)
def test_every_parameter_narrows_what_is_found(hospital, parameters, found):
    answer = hospital.ask(pdq(*parameters, domains=f"^^^{GAM}"))
    assert [one.partition("|")[0] for one in ids(answer)] == found
    assert status(answer) == ("AA", "OK" if found else "NF")


def test_a_long_answer_is_continued_where_it_stopped_and_nobody_twice(site):
    here = site()
    here.feed(*(adt(f"M{n}", f"80{n:02d}", name="DUPONT", given=f"JEAN{'ABCDEFG'[n]}") for n in range(7)))
    ask = {"rcp": "I|3^RD"}
    parameters = (("PID.7", "19810412"), ("PID.5.1", "DUPONT"))
    found, pointer, left = [], "", []
    for turn in range(3):
        answer = here.ask(pdq(*parameters, dsc=pointer, control_id=f"Q{turn}", **ask))
        found += ids(answer)
        left.append(answer.value("QAK-6"))
        pointer = answer.value("DSC-1")
        assert answer.value("QAK-4") == "7"
    assert (left, pointer) == (["4", "1", "0"], "")
    assert len(set(found)) == len(found) == 7


def test_the_continuation_of_another_query_is_refused(hospital):
    first = hospital.ask(pdq(("PID.7", "19810412"), rcp="I|1^RD"))
    other = hospital.ask(pdq(("PID.7", "19500101"), rcp="I|1^RD", dsc=first.value("DSC-1"), control_id="Q2"))
    assert status(other) == ("AE", "AE")
    assert error(other) == ("204", "DSC^1^1", "E")


def test_giving_a_query_up_is_acknowledged(hospital):
    raw = f"MSH|^~\\&|DPI|CHU|INSIGNE|GHT|{NOW}||QCN^J01^QCN_J01|Q9|P|2.5\rQID|T1|IHE PDQ Query\r".encode()
    assert hospital.ask(raw).value("MSA-1") == "AA"


@pytest.mark.parametrize(
    ("query", "condition", "place"),
    [
        (pdq(("PID.5.1", "DUPONT")), "101", "QPD^1^3"),
        (pdq(("PID.7", "1981")), "102", "QPD^1^3^1"),
        (pdq(("PID.99", "X")), "103", "QPD^1^3^1"),
        (pdq(("PID.7", "19810412"), domains="^^^NOWHERE&1.2.3&ISO"), "204", "QPD^1^8^1"),
        (pdq(("PID.7", "19810412"), rcp="D"), "103", "RCP^1^1"),
        (pdq(("PID.7", "19810412"), rcp="I|many"), "102", "RCP^1^2^1^1"),
        (qbp("Q22", "IHE PDQ Query||@PID.7^19810412"), "101", "QPD^1^2"),
        (qbp("Q22", "IHE PDQ Query|T1|"), "101", "QPD^1^3"),
    ],
)
def test_a_query_that_cannot_be_answered_says_why_and_where(hospital, query, condition, place):
    answer = hospital.ask(query)
    assert status(answer) == ("AE", "AE")
    assert error(answer) == (condition, place, "E")


def test_a_query_that_would_find_everybody_is_refused(site):
    here = site("exchange.query_most=2")
    here.feed(*(adt(f"M{n}", f"80{n:02d}") for n in range(3)))
    assert status(here.ask(pdq(("PID.7", "19810412")))) == ("AE", "AE")


# --- who is answered, and what they may see


def test_a_peer_of_another_machine_is_answered_with_a_certificate_or_when_the_site_says_so(tmp_path, site):
    query = pdq(("PID.7", "19810412"))
    here = site()
    here.feed(adt("M1", "9001"))
    far = Peer("192.0.2.7", "mllp")
    refused = here.ask(query, far)
    assert status(refused) == ("AR", "AR")
    assert refused.segment("PID") is None
    assert status(here.ask(query, Peer("dpi", "mllp", "ab" * 32, "dpi"))) == ("AA", "OK")
    here.base.close()
    config = tmp_path / "site.toml"
    config.write_text('environment = "test"\n[[senders]]\napplication = "DPI"\nqueries.access = "allow"\n')
    with_grant = open_base(load(config, [], {}, tmp_path))
    [answer] = with_grant.intake.process([Received(query.replace(b"Q1", b"Q2"), far, "2026-03-01T07:30:00.000Z")])
    with_grant.close()
    assert answer.code == "AA"


def test_a_system_sees_only_the_authorities_it_is_granted(tmp_path):
    config = tmp_path / "site.toml"
    config.write_text('environment = "test"\n[[senders]]\napplication = "DPI"\nqueries.authorities = ["LAB"]\n')
    upgrade(f"sqlite:///{tmp_path}/insigne.db")
    base = open_base(load(config, [], {}, tmp_path))

    def ask(raw):
        [answer] = base.intake.process([Received(raw, LOCAL, "2026-03-01T07:30:00.000Z")])
        return Message.parse(answer.payload)

    for raw in (adt("M1", "9001", extra=f"~L77^^^{LAB}^PI"), adt("M2", "9002")):
        ask(raw)
    assert ids(ask(pdq(("PID.7", "19810412")))) == ["L77|LAB"]
    assert error(ask(pix(f"9001^^^{GAM}", control_id="Q2"))) == ("204", "QPD^1^3^1^4", "E")
    base.close()


def test_who_asked_what_and_was_told_what_is_in_the_log(hospital):
    answer = hospital.ask(pix(f"9001^^^{GAM}"))
    with hospital.base.store.read() as view:
        record = next(view.messages())
    assert (record.event, record.code, record.disposition, record.sender) == ("QBP^Q23", "AA", "answered", "DPI|CHU")
    assert record.ack == answer.encode()
    assert record.subject


# --- as others read it


@pytest.mark.parametrize("charset", ["UNICODE UTF-8", "8859/1", "8859/15"])
def test_the_answer_is_in_the_character_set_of_the_question(hospital, charset):
    answer = hospital.ask(pdq(("PID.7", "19810412"), ("PID.8", "F"), charset=charset))
    assert answer.declared_charset == charset
    assert answer.segment("PID").value(5) == "BÉRANGER"


def test_delimiters_of_ones_own_are_understood(hospital):
    raw = pix(f"9001^^^{GAM}").decode().replace("|", "\x00").replace("^", ";").replace("\x00", "|")
    assert ids(hospital.ask(raw.encode())) == ["L77|LAB"]


def test_two_other_libraries_read_the_same_values(hospital):
    raw = hospital.take(pdq(("PID.7", "19500101"))).payload.decode()
    by_hl7 = hl7.parse(raw)
    assert str(by_hl7.segment("PID")[3]).startswith(f"9003^^^{GAM}^PI")
    assert str(by_hl7.segment("QAK")[2]) == "OK"
    by_hl7apy = parse_message(raw, find_groups=False)
    assert by_hl7apy.pid.pid_5.pid_5_1.to_er7() == "LE GOFF"
    assert by_hl7apy.msa.msa_1.value == "AA"


def test_a_broken_query_is_answered_and_its_neighbours_too(hospital):
    for raw in (qbp("Q23", ""), b"MSH|^~\\&|DPI|CHU|I|G|2026||QBP^Q22^QBP_Q21|Q5|P|2.5\r"):
        answer = hospital.ask(raw)
        assert answer.value("MSA-1") == "AE"
    assert status(hospital.ask(pix(f"9001^^^{GAM}", control_id="Q7"))) == ("AA", "OK")


def test_the_same_question_is_answered_anew_and_never_taken_for_a_message(hospital):
    question = pix(f"9001^^^{GAM}", f"^^^{LAB}", sender="GAM|CHU", control_id="M9")
    assert ids(hospital.ask(question)) == ["L77|LAB"]
    hospital.feed(adt("M9", "9001", extra=f"~L78^^^{LAB}^PI", event="A31"))
    assert sorted(ids(hospital.ask(question))) == ["L77|LAB", "L78|LAB"]
    assert ids(hospital.ask(pix(f"9002^^^{GAM}", f"^^^{GAM}", sender="GAM|CHU", control_id="M9"))) == []
