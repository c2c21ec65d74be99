"""What a sender is answered, and what the message log keeps of it."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from insigne.exchange.arrival import Unframed
from insigne.exchange.handler import Delivery, Outcome, Prepared
from insigne.exchange.model import Peer
from insigne.exchange.settings import ExchangeSettings, SenderSettings
from insigne.hl7 import Junk, Message
from insigne.registry.workingset import WorkingSet

SENDER = "GAM"


def _a28(hospital: Any, write: Any, number: str = "1", **header: str) -> str:
    return str(hospital.message("A28", write.pid(write.pi(number)), write.segment("PV1", {2: "N"}), **header))


# --- the acknowledgement itself


def test_an_accepted_message_is_answered_aa_with_its_control_id(hospital: Any, write: Any) -> None:
    [reply] = hospital.post(_a28(hospital, write))

    assert (reply.code, reply.acknowledged) == ("AA", "C1")
    header = reply.text.split("\r")[0].split("|")
    assert header[2:6] == ["INSIGNE", "HOSP", "GAM", "HOSP"]
    assert header[8] == "ACK^A28^ACK"
    assert header[10:12] == ["P", "2.5^FRA^2.11"]
    assert len(header[9]) <= 20


def test_the_exact_bytes_received_and_answered_are_kept(hospital: Any, write: Any) -> None:
    raw = _a28(hospital, write).encode()

    [reply] = hospital.post(raw)

    assert hospital.rows("SELECT raw, ack, code, disposition, control_id, event, version, sender FROM message") == [
        (raw, reply.answer.payload, "AA", "accepted", "C1", "ADT^A28", "2.5^FRA^2.11", "GAM|HOSP")
    ]


@pytest.mark.parametrize(
    ("header", "code", "place", "condition"),
    [
        ({"msh9": "ORU^R01^ORU_R01"}, "AR", "MSH^1^9^1^1", "200"),
        ({"msh9": "ADT^A60^ADT_A60"}, "AR", "MSH^1^9^1^2", "201"),
        ({"msh9": "ADT^A08^ADT_A01"}, "AR", "MSH^1^9^1^2", "201"),
        ({"msh11": "D"}, "AR", "MSH^1^11", "202"),
        ({"msh11": "T"}, "AR", "MSH^1^11", "202"),
        ({"msh12": "2.6^FRA^2.11"}, "AR", "MSH^1^12", "203"),
        ({"msh12": "2.3"}, "AR", "MSH^1^12", "203"),
        ({"msh18": "ISO IR87"}, "AE", "MSH^1^18", "103"),
    ],
)
def test_what_the_header_makes_impossible_is_refused_by_table_0357(
    hospital: Any, write: Any, header: dict[str, str], code: str, place: str, condition: str
) -> None:
    [reply] = hospital.post(_a28(hospital, write, **header))

    assert reply.code == code
    assert reply.errors == [(place, condition, "E")]
    assert reply.acknowledged == "C1"
    assert hospital.identities() == []
    assert hospital.log() == [("rejected", code)]


@pytest.mark.parametrize("extension", ["2.3", "2.5", "2.7", "2.8", "2.9", "2.10", "2.11"])
def test_a08_is_refused_in_every_french_edition(hospital: Any, write: Any, extension: str) -> None:
    hospital.says("A28", write.pi("1"))

    reply = hospital.send("A08", write.pid(write.pi("1")), write.pv1("V1"), msh12=f"2.5^FRA^{extension}")

    assert (reply.code, reply.errors) == ("AR", [("MSH^1^9^1^2", "201", "E")])


@pytest.mark.parametrize("version", ["2.3.1", "2.4", "2.5", "2.5.1"])
def test_a08_updates_in_international_feeds(hospital: Any, write: Any, version: str) -> None:
    hospital.says("A28", write.pi("1"))

    reply = hospital.send("A08", write.pid(write.pi("1"), birth="19800215"), msh12=version, msh17="")

    assert reply.code == "AA"
    assert hospital.person("1").traits.birth_date == "19800215"


@pytest.mark.parametrize(("choice", "code", "birth"), [("update", "AA", "19800215"), ("ignore", "AA", "19800214")])
def test_a08_follows_the_policy_of_its_sender(
    open_hospital: Any, write: Any, choice: Any, code: str, birth: str
) -> None:
    hospital = open_hospital(senders=(SenderSettings(application=SENDER, a08=choice),))
    hospital.says("A28", write.pi("1"))

    reply = hospital.send("A08", write.pid(write.pi("1"), birth="19800215"), write.pv1("V1"))

    assert reply.code == code
    assert hospital.person("1").traits.birth_date == birth
    assert hospital.log()[-1] == ("accepted" if choice == "update" else "ignored", "AA")


def test_an_unknown_event_may_be_ignored_for_a_sender(open_hospital: Any, write: Any) -> None:
    hospital = open_hospital(senders=(SenderSettings(application=SENDER, unknown_event="ignore"),))

    [reply] = hospital.post(_a28(hospital, write, msh9="ADT^A60^ADT_A60"))

    assert (reply.code, hospital.log()) == ("AA", [("ignored", "AA")])


def test_a_training_message_is_accepted_in_a_test_environment(open_hospital: Any, write: Any) -> None:
    hospital = open_hospital(environment="test")

    assert [r.code for r in hospital.post(_a28(hospital, write, msh11="D"), _a28(hospital, write, msh11="T"))] == [
        "AA",
        "AA",
    ]


def test_the_processing_ids_accepted_are_a_setting(open_hospital: Any, write: Any) -> None:
    hospital = open_hospital(settings=ExchangeSettings(processing_ids=("P", "D")))

    replies = hospital.post(*(_a28(hospital, write, msh11=one) for one in "PDT"))

    assert [reply.code for reply in replies] == ["AA", "AA", "AR"]


def test_a_missing_processing_id_is_no_refusal(hospital: Any, write: Any) -> None:
    assert hospital.post(_a28(hospital, write, msh11=""))[0].code == "AA"


def test_an_unknown_french_extension_is_read_in_the_newest_edition(hospital: Any, write: Any) -> None:
    [reply] = hospital.post(_a28(hospital, write, msh12="2.5^FRA^3.7"))

    assert (reply.code, reply.errors) == ("AA", [])
    assert "V04" in hospital.findings()


def test_a_pid_of_hl7_2_3_1_is_enough(hospital: Any, write: Any) -> None:
    """HL7 2.3.1 as found in the field: no event structure, no EVN, no name type."""
    raw = (
        "MSH|^~\\&|GAM|HOSP|X|Y|20260301080000||ADT^A08|77|P|2.3.1\r"
        "PID|||55^^^HOSP^PI||LEROY^ANNE||19750101|F\r"
        "PV1||I\r"
    )

    [reply] = hospital.post(raw)

    assert reply.code == "AA"
    assert (hospital.person("55").traits.birth_name, hospital.person("55").traits.sex) == ("LEROY", "F")


def test_a_message_without_pid_is_refused(hospital: Any) -> None:
    reply = hospital.send("A28")

    assert (reply.code, reply.errors) == ("AE", [("PID^1", "100", "E")])


def test_a_merge_without_mrg_is_refused(hospital: Any, write: Any) -> None:
    reply = hospital.send("A40", write.pid(write.pi("1")))

    assert (reply.code, reply.errors) == ("AE", [("MRG^1", "100", "E")])


def test_garbage_is_answered_and_kept(hospital: Any) -> None:
    [reply] = hospital.post(b"no header here")

    assert reply.code == "AR"
    assert hospital.rows("SELECT raw, disposition FROM message") == [(b"no header here", "rejected")]


def test_an_acknowledgement_that_arrives_is_recorded_and_never_answered(hospital: Any) -> None:
    ack = "MSH|^~\\&|A|B|C|D|20260301||ACK^A28^ACK|9|P|2.5\rMSA|AA|1\r"
    undecodable = b"MSH|^~\\&|A|B|C|D|20260301||ACK^A28^ACK|9|P|2.5||||||UNICODE UTF-8\rMSA|AE|1|\xff\r"

    replies = hospital.post(ack, undecodable)

    assert [(reply.answer.payload, reply.code) for reply in replies] == [(b"", ""), (b"", "")]
    assert hospital.log() == [("ignored", ""), ("ignored", "")]


def test_bytes_that_framing_refused_are_a_visible_event(hospital: Any) -> None:
    junk = Unframed(Junk(b"GET / HTTP/1.1", 14, "outside-frame"), Peer("10.0.0.9", "mllp"), "2026-03-01T08:00:00.000Z")

    [answer] = hospital.intake.process([junk])

    assert (answer.payload, answer.durable) == (b"", True)
    assert hospital.log() == [("unframed", "")]
    assert hospital.rows("SELECT raw, peer FROM message") == [(b"GET / HTTP/1.1", "mllp:10.0.0.9")]
    assert hospital.findings() == ["framing-outside-frame"]


# --- character sets


def test_bytes_that_the_declared_charset_cannot_decode_are_refused_with_their_offset(hospital: Any, write: Any) -> None:
    raw = _a28(hospital, write).encode().replace(b"ALICE MARIE", b"ALICE Z\xe9LIE")

    [reply] = hospital.post(raw)

    assert reply.code == "AE"
    assert [(condition, severity) for _, condition, severity in reply.errors] == [("102", "E")]
    assert f"offset {raw.index(0xE9)}" in reply.text
    assert hospital.rows("SELECT control_id, sender, charset FROM message") == [("C1", "GAM|HOSP", "UNICODE UTF-8")]


def test_a_sender_may_have_its_real_charset_configured(open_hospital: Any, write: Any) -> None:
    hospital = open_hospital(senders=(SenderSettings(application=SENDER, charset="latin-1"),))
    raw = _a28(hospital, write).encode().replace(b"MARTIN", b"CR\xc9MIEUX")

    [reply] = hospital.post(raw)

    assert reply.code == "AA"
    assert hospital.person("1").traits.birth_name == "CRÉMIEUX"
    assert hospital.rows("SELECT raw, charset FROM message") == [(raw, "UNICODE UTF-8>iso8859-1")]


def test_the_charset_of_one_sender_is_not_that_of_another(open_hospital: Any, write: Any) -> None:
    hospital = open_hospital(senders=(SenderSettings(application="OTHER", charset="latin-1"),))

    [reply] = hospital.post(_a28(hospital, write).encode().replace(b"MARTIN", b"CR\xc9MIEUX"))

    assert reply.code == "AE"


def test_utf8_bytes_announced_as_latin_1_are_taken_and_said(hospital: Any, write: Any) -> None:
    raw = _a28(hospital, write, msh18="8859/1").replace("MARTIN", "CRÉMIEUX").encode()

    [reply] = hospital.post(raw)

    assert reply.code == "AA"
    assert any("charset" in rule or rule.startswith("V06") for rule in hospital.findings())


# --- enhanced mode


@pytest.mark.parametrize("accept", ["", "AL", "NE", "ER", "SU"])
@pytest.mark.parametrize("application", ["", "AL", "NE", "ER", "SU"])
@pytest.mark.parametrize("good", [True, False])
def test_each_acknowledgement_mode_is_obeyed(
    hospital: Any, write: Any, accept: str, application: str, good: bool
) -> None:
    raw = _a28(hospital, write, msh15=accept, msh16=application)
    [reply] = hospital.post(raw if good else raw.replace("PID|", "QID|"))

    original = not accept and not application
    code = {(True, True): "AA", (True, False): "AE", (False, True): "CA", (False, False): "CE"}[original, good]
    silent = accept == "NE" or (accept == "ER" and good) or (accept == "SU" and not good)
    assert reply.code == code
    assert (reply.answer.payload == b"") == silent
    if not silent:
        assert f"MSA|{code}|C1" in reply.text
    assert hospital.log() == [("accepted" if good else "rejected", code)]
    assert len(hospital.identities()) == good


@pytest.mark.parametrize("empty", ["^", "~", "&"])
def test_a_field_of_separators_alone_asks_for_no_mode(hospital: Any, write: Any, empty: str) -> None:
    [reply] = hospital.post(_a28(hospital, write, msh15=empty, msh16=empty))
    assert reply.code == "AA"
    assert "MSA|AA|C1" in reply.text


def test_a_message_that_cannot_be_decoded_is_answered_in_its_own_mode(hospital: Any, write: Any) -> None:
    raw = _a28(hospital, write, msh15="AL").encode().replace(b"MARTIN", b"\xff")

    assert hospital.post(raw)[0].code == "CE"


# --- duplicates


def test_the_same_message_again_gets_the_stored_answer_and_changes_nothing(hospital: Any, write: Any) -> None:
    raw = _a28(hospital, write)
    [first] = hospital.post(raw)
    before = hospital.snapshot()

    [second] = hospital.post(raw)

    assert second.answer.payload == first.answer.payload
    assert hospital.snapshot() == before
    assert hospital.log() == [("accepted", "AA"), ("duplicate", "AA")]


def test_the_same_message_twice_in_one_batch_is_applied_once(hospital: Any, write: Any) -> None:
    raw = _a28(hospital, write)

    first, second = hospital.post(raw, raw)

    assert first.answer.payload == second.answer.payload
    assert hospital.events() == ["identity-created"]


def test_a_renewed_date_of_message_is_no_other_content(hospital: Any, write: Any) -> None:
    raw = _a28(hospital, write)
    [first] = hospital.post(raw)

    [second] = hospital.post(raw.replace("20260301080000+0100", "20260301093000+0100"))

    assert second.answer.payload == first.answer.payload
    assert hospital.log()[-1] == ("duplicate", "AA")


@pytest.mark.parametrize("prefix", [b"", b"\xef\xbb\xbf"])
def test_other_content_under_a_used_control_id_is_refused_with_an_alarm(
    hospital: Any, write: Any, prefix: bytes
) -> None:
    raw = prefix + _a28(hospital, write).encode()
    hospital.post(raw)

    [reply] = hospital.post(raw.replace(b"MARTIN", b"MARTIM"))

    assert reply.code == "AE"
    assert reply.errors == [("MSH^1^10", "205", "E")]
    assert hospital.person("1").traits.birth_name == "MARTIN"
    assert hospital.intake.counters.alarms == 1


def test_other_content_does_not_hide_the_first_message(hospital: Any, write: Any) -> None:
    raw = _a28(hospital, write)
    [first] = hospital.post(raw)
    hospital.post(raw.replace("MARTIN", "MARTIM"))

    assert hospital.post(raw)[0].answer.payload == first.answer.payload


def test_a_refused_message_is_evaluated_anew(hospital: Any, write: Any) -> None:
    cancellation = hospital.message(
        "A11", write.pid(write.pi("1")), write.pv1("V1"), write.zbe("M1", "20260301090000", "CANCEL", original="A01")
    )
    assert hospital.post(cancellation)[0].code == "AE"
    hospital.moves("A01", write.pi("1"), "M1")

    assert hospital.post(cancellation)[0].code == "AA"
    assert hospital.stays()[0].status == "cancelled"


def test_a_corrected_message_may_keep_the_control_id_of_the_refused_one(hospital: Any, write: Any) -> None:
    raw = _a28(hospital, write)
    assert hospital.post(raw.replace("1^^^HOSP&1.2.250.1.999.1&ISO^PI", ""))[0].code == "AE"

    assert hospital.post(raw)[0].code == "AA"


def test_two_senders_may_use_the_same_control_id(hospital: Any, write: Any) -> None:
    raw = _a28(hospital, write)
    hospital.post(raw)

    [reply] = hospital.post(raw.replace("|GAM|", "|LAB|").replace("MARTIN", "MARTIM"))

    assert reply.code == "AA"
    assert hospital.log() == [("accepted", "AA")] * 2


@pytest.mark.parametrize(("days", "disposition"), [(29, "duplicate"), (31, "accepted")])
def test_a_control_id_is_remembered_for_a_window(hospital: Any, write: Any, days: int, disposition: str) -> None:
    raw = _a28(hospital, write)
    hospital.post(raw)
    hospital.now += timedelta(days=days)

    hospital.post(raw)

    assert hospital.log()[-1][0] == disposition


def test_a_replayed_message_is_no_duplicate(hospital: Any, write: Any) -> None:
    raw = _a28(hospital, write)
    [first] = hospital.post(raw)

    replayed = msgspec.structs.replace(hospital.received(raw), replay_of=first.answer.message_id)
    [answer] = hospital.intake.process([replayed])

    assert answer.code == "AA"
    assert hospital.log() == [("accepted", "AA")] * 2
    assert hospital.rows("SELECT replay_of FROM message ORDER BY id") == [("",), (first.answer.message_id,)]


# --- rules and warnings by sender


def test_findings_never_refuse_by_default(hospital: Any, write: Any) -> None:
    """PID-19 is forbidden and PID-32 required: both are said, neither refuses."""
    reply = hospital.says("A28", write.pi("1"), status="", pid19="1234567890123")

    assert (reply.code, reply.errors) == ("AA", [])
    assert {"V09", "V14"} <= set(hospital.findings())


def test_a_rule_may_refuse_for_a_sender(open_hospital: Any, write: Any) -> None:
    hospital = open_hospital(senders=(SenderSettings(application=SENDER, rules={"V14": "reject", "V09": "ignore"}),))

    reply = hospital.says("A28", write.pi("1"), status="", pid19="1234567890123")

    assert reply.code == "AE"
    assert [(place, severity) for place, _, severity in reply.errors] == [("PID^1^32", "E")]
    assert "V14" in reply.text
    assert hospital.identities() == []
    assert hospital.findings().count("V14") == 1
    assert "V09" not in hospital.findings()


def test_warnings_travel_only_to_a_sender_that_asks(open_hospital: Any, write: Any) -> None:
    talkative = open_hospital(senders=(SenderSettings(application=SENDER, warnings=True),))

    reply = talkative.says("A28", write.pi("1"), write.ins("2800269123456"), status="PROV")

    assert reply.code == "AA"
    assert ("PID^1^3", "0", "W") in reply.errors
    assert {severity for _, _, severity in reply.errors} == {"W"}
    assert "ins-not-validated" in reply.text


def test_a_test_oid_in_production_is_said_to_a_sender_that_asks(open_hospital: Any, write: Any) -> None:
    hospital = open_hospital(senders=(SenderSettings(application=SENDER, warnings=True),))

    reply = hospital.says("A28", write.pi("1"), write.ins("2800269123456", "TEST"), status="VALI")

    assert reply.code == "AA"
    assert "ins-environment" in reply.text


def test_no_answer_quotes_a_trait(open_hospital: Any, write: Any) -> None:
    hospital = open_hospital(senders=(SenderSettings(application=SENDER, warnings=True),))
    hospital.says("A28", write.pi("1"))

    reply = hospital.says(
        "A31", write.pi("1"), write.ins("2800269123456"), status="ZZZZ", name="DURAND^PAUL^PAUL^^^^Q", birth="20260231"
    )

    for trait in ("DURAND", "PAUL", "20260231", "2800269123456"):
        assert trait not in reply.text


def test_a_certificate_that_may_not_send_as_this_system_is_refused(open_hospital: Any, write: Any) -> None:
    hospital = open_hospital(senders=(SenderSettings(application=SENDER, certificates=("gam.hosp.example",)),))

    [reply] = hospital.post(_a28(hospital, write))

    assert (reply.code, reply.errors) == ("AR", [("MSH^1^3", "207", "E")])
    assert hospital.identities() == []


# --- neighbours


class Broken:
    """A handler with a defect: it fails on one patient, after having changed things."""

    def __init__(self, working: Any) -> None:
        self._working = working

    def prepare(self, delivery: Delivery, message: Message) -> Prepared | Outcome:
        return self._working.prepare(delivery, message)

    def handle(self, delivery: Delivery, prepared: Prepared, working: WorkingSet) -> Outcome:
        outcome = self._working.handle(delivery, prepared, working)
        raw = delivery.received.raw
        if b"BROKEN" in raw:
            raise ValueError(f"cannot read {raw!r}")
        return outcome


@pytest.fixture
def fragile(open_hospital: Any) -> Any:
    return open_hospital(wrap=Broken)


def test_one_bad_message_does_not_spoil_its_neighbours(hospital: Any, write: Any) -> None:
    good = [_a28(hospital, write, number) for number in "123"]
    bad = [b"garbage", _a28(hospital, write, msh12="9"), _a28(hospital, write).encode().replace(b"MARTIN", b"\xff")]

    replies = hospital.post(good[0], bad[0], good[1], bad[1], bad[2], good[2])

    assert [reply.code for reply in replies] == ["AA", "AR", "AA", "AR", "AE", "AA"]
    assert len(hospital.identities()) == 3


def test_a_defect_refuses_its_message_and_leaves_nothing_of_it(fragile: Any, write: Any) -> None:
    good = [_a28(fragile, write, number) for number in "12"]
    broken = _a28(fragile, write, "9").replace("MARTIN", "BROKEN")

    replies = fragile.post(good[0], broken, good[1])

    assert [reply.code for reply in replies] == ["AA", "AR", "AA"]
    assert replies[1].errors == [("", "207", "E")]
    assert "BROKEN" not in replies[1].text
    assert [i.traits.birth_name for i in fragile.identities()] == ["MARTIN", "MARTIN"]


def test_the_log_of_a_defect_holds_nothing_of_the_message(
    fragile: Any, write: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    fragile.post(_a28(fragile, write, "9").replace("MARTIN", "BROKEN"))

    out, err = capfd.readouterr()
    assert "ValueError" in out + err
    assert "test_intake_answers.py" in out + err
    assert "BROKEN" not in out + err
    assert "19800214" not in out + err


# --- identifiers of the log


def test_messages_are_numbered_in_order_of_arrival(hospital: Any, write: Any) -> None:
    hospital.post(*(_a28(hospital, write, str(number)) for number in range(5)))
    hospital.post(_a28(hospital, write, "6"))

    ids = [row[0] for row in hospital.rows("SELECT id FROM message ORDER BY rowid")]
    assert ids == sorted(ids)
    assert len(set(ids)) == 6
