"""`insigne message show --trace` and `--bundle`: from the bytes that came in to every acknowledgement."""

import json
import re
import unicodedata
import zipfile

import msgspec
import pytest

from insigne.app.base import open_base
from insigne.app.clock import rfc3339_now
from insigne.config import load
from insigne.exchange.delivery.model import Attempt, Bytes
from insigne.exchange.model import Peer, Received
from insigne.hl7 import Hl7Error, Message, build_ack
from insigne.pam.encode import Encoded, Notice, encode
from insigne.registry.acts import SetAttributes
from insigne.registry.source import Source
from insigne.simulate.hospital import HospitalSettings, generate
from insigne.store import upgrade
from insigne.store.audit import AuditEntry

CONFIG = """
ri.authorities = ["GAM"]
[[authorities]]
name = "GAM"
oid = "1.2.250.1.999.1"
trusted = true
[[destinations]]
name = "LABO"
mllp = { host = "127.0.0.1", port = 1 }
[[destinations]]
name = "DPI"
mllp = { host = "127.0.0.1", port = 1 }
subscription = { edition = "2.5", charset = "iso8859-1" }
"""


def adt(number, name="BÉRANGER", trigger="A28", control="GAM1"):
    return (
        f"MSH|^~\\&|GAM|CHU|INSIGNE|GHT|20260301083000+0100||ADT^{trigger}^ADT_A05|{control}|P|2.5^FRA^2.11"
        f"|||||FRA|UNICODE UTF-8|FR||2.11^IHE_FRANCE-2.11-PAM\rEVN||20260301083000+0100\r"
        f"PID|||{number}^^^GAM&1.2.250.1.999.1&ISO^PI||{name}^MAËLLE^MAËLLE LOUISE^^^^L||19810412|F|||"
        f"^^^^^FRA^BDL^^29019||||||||||||||||||||N|VALI\rPV1||N\r"
    ).encode()


class Hospital:
    """A base that takes messages in and tells two receivers, without any of them being there."""

    def __init__(self, folder):
        self.config = folder / "insigne.toml"
        self.config.write_text(CONFIG, encoding="utf-8")
        self.data = folder / "data"
        self.data.mkdir()
        upgrade(f"sqlite:///{self.data / 'insigne.db'}")
        self.base = open_base(load(self.config, (), {}, self.data), wait=5.0)

    def receive(self, *messages):
        batch = [Received(raw, Peer("GAM", "mllp"), rfc3339_now()) for raw in messages]
        return [answer.message_id for answer in self.base.intake.process(batch)]

    def rows(self):
        with self.base.store.read() as view:
            return view.outbox(limit=10_000)[::-1]

    def deliver(self, text=""):
        """Have every row that waits written and acknowledged."""
        dialects = {one.name: one.dialect for one in self.base.subscribers}
        with self.base.store.read() as view:
            rows = [row for row in view.outbox(limit=10_000)[::-1] if row.state == "queued"]
            written = [(row, self._written(view, row, dialects[row.destination])) for row in rows]
        with self.base.store.begin() as transaction:
            for row, outcome in written:
                control_id = f"S{row.id}"
                if outcome is None:
                    transaction.settle(row.id, "ignored", "", rfc3339_now())
                    continue
                left_out = " ".join(outcome.left_out)
                event = f"ADT^{row.event}^ADT_A05"
                transaction.put_bytes([Bytes(control_id, event, rfc3339_now(), outcome.raw, left_out)])
                transaction.encoded(row.id, control_id)
                ack = build_ack(outcome.raw, "AA", time="20260301083001+0100", control_id=f"L{row.id}")
                ack = ack.replace(f"MSA|AA|{control_id}".encode(), f"MSA|AA|{control_id}|{text}".encode())
                attempt = Attempt(row.id, 1, rfc3339_now(), control_id, "delivered", "AA", "", ack, 12)
                transaction.put_attempts([attempt])
                transaction.settle(row.id, "delivered", "", rfc3339_now())
            transaction.commit()

    def _written(self, view, row, dialect):
        notice = json_notice(row.notice)
        states = {(ref.stream, ref.id): view.state_at(ref.stream, ref.id, ref.version) for ref in notice.refs}
        outcome = encode(
            notice, states, view.identity(row.subject), dialect, control_id=f"S{row.id}", time=rfc3339_now()
        )
        return outcome if isinstance(outcome, Encoded) else None


def json_notice(raw):
    return msgspec.json.decode(raw, type=Notice)


@pytest.fixture
def hospital(tmp_path):
    hospital = Hospital(tmp_path)
    yield hospital
    hospital.base.close()


def trace(insigne, hospital, reference, status=0):
    result = insigne(
        "--config", hospital.config, "--data", hospital.data, "message", "show", reference, "--trace", "--json"
    )
    assert result.status == status, result.err
    return json.loads(result.out.splitlines()[-1]) if result.out else None


def bundle(insigne, hospital, reference, path):
    result = insigne(
        "--config", hospital.config, "--data", hospital.data, "message", "show", reference, "--bundle", path
    )
    assert result.status == 0, result.err
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


# --- the trace


def test_a_trace_goes_from_the_bytes_that_came_in_to_every_acknowledgement(insigne, hospital):
    [first, other] = hospital.receive(adt("4071"), adt("9999", control="GAM2"))
    hospital.deliver()
    told = trace(insigne, hospital, first)
    assert Message.parse(told["message"]["raw"]["text"].encode()).value("PID-5.1") == "BÉRANGER"
    assert "MSA|AA|GAM1" in told["message"]["ack"]["text"]
    assert [event["event"] for event in told["events"]] == ["identity-created"]
    assert told["events"][0]["content"]["traits"]["birth_name"] == "BÉRANGER"
    assert [(row["peer"], row["event"], row["disposition"]) for row in told["onward"]] == [
        ("LABO", "ADT^A28", "delivered"),
        ("DPI", "ADT^A28", "delivered"),
    ]
    for row in told["onward"]:
        sent = Message.parse(row["message"]["raw"]["text"].encode("latin-1" if row["peer"] == "DPI" else "utf-8"))
        assert (sent.control_id, sent.value("PID-3.1")) == (row["control_id"], "4071")
        [attempt] = row["attempts"]
        assert (attempt["code"], f"MSA|AA|{row['control_id']}" in attempt["ack"]["text"]) == ("AA", True)
    assert other not in json.dumps(told)


def test_the_same_trace_is_found_from_a_row_of_the_outbox_and_from_what_was_sent(insigne, hospital):
    [first] = hospital.receive(adt("4071"))
    hospital.deliver()
    row = hospital.rows()[-1]
    whole = trace(insigne, hospital, first)
    event = whole["events"][0]["seq"]
    for reference in (str(row.id), f"S{row.id}", f"event:{event}"):
        assert trace(insigne, hospital, reference) | {"asked": first} == whole


def test_an_act_of_a_person_has_its_trace_too(insigne, hospital):
    hospital.receive(adt("4071"), adt("9999", control="GAM2"))
    before = len(hospital.rows())
    people = [row.subject for row in hospital.rows() if row.destination == "LABO"]
    for person, moment in zip(people, ("2026-03-02T08:00:00.000Z", "2026-03-02T09:00:00.000Z"), strict=True):
        source = Source(moment, "user:claire", "user", "claire", local=True)
        hospital.base.registrar.act(SetAttributes(person, 1, ("DOUT",), "copie illisible"), source)
    rows = hospital.rows()[before:]
    told = trace(insigne, hospital, str(rows[0].id))
    assert told["cause"] == {
        "kind": "user",
        "id": "claire",
        "author": "user:claire",
        "time": "2026-03-02T08:00:00.000Z",
    }
    assert (told["message"], {event["event"] for event in told["events"]}) == (
        None,
        {"status-changed", "work-item-raised"},
    )
    assert {event["time"] for event in told["events"]} == {"2026-03-02T08:00:00.000Z"}
    assert {row["subject"] for row in told["onward"]} == {people[0]}
    assert [row["peer"] for row in told["onward"]] == ["LABO", "DPI"]


def test_a_message_that_was_refused_has_a_trace_without_consequences(insigne, hospital):
    [refused] = hospital.receive(adt("").replace(b"^^^GAM&1.2.250.1.999.1&ISO^PI", b""))
    told = trace(insigne, hospital, refused)
    assert (told["message"]["code"], told["events"], told["onward"]) == ("AE", [], [])


def test_acts_on_a_row_and_replays_are_part_of_the_trace(insigne, hospital):
    [first] = hospital.receive(adt("4071"))
    row = hospital.rows()[0]
    with hospital.base.store.begin() as transaction:
        transaction.record(
            AuditEntry("user:claire", "outbox-skipped", f"outbox:{row.id}", rfc3339_now(), {"reason": "x"})
        )
        transaction.commit()
    hospital.base.intake.process([Received(adt("4071"), Peer("replay", "cli"), rfc3339_now(), replay_of=first)])
    told = trace(insigne, hospital, first)
    assert [act["act"] for act in told["onward"][0]["acts"]] == ["outbox-skipped"]
    assert len(told["replays"]) == 1


def test_lines_for_a_person_are_in_the_order_of_time_and_show_no_trait(insigne, hospital):
    [first] = hospital.receive(adt("4071"))
    hospital.deliver()
    result = insigne("--config", hospital.config, "--data", hospital.data, "message", "show", first, "--trace")
    steps = [line.split()[1] for line in result.out.splitlines()[1:]]
    assert steps[:2] == ["received", "decided"]
    assert (steps.count("sent"), steps.count("written")) == (2, 2)
    assert "RANGER" not in result.out


def test_what_a_receiver_is_not_told_because_its_edition_refuses_it_is_shown(insigne, hospital):
    [first, other] = hospital.receive(
        adt("4071").replace(b"|||||N|VALI", b"|||le 3 mars||N|VALI"), adt("9999", control="GAM2")
    )
    hospital.deliver()
    [labo, _] = trace(insigne, hospital, first)["onward"]
    assert labo["message"]["left_out"] == ["PID-29"], "the date of death is no date"
    assert "le 3 mars" not in labo["message"]["raw"]["text"]
    assert trace(insigne, hospital, other)["onward"][0]["message"]["left_out"] == []
    where = ("--config", hospital.config, "--data", hospital.data)
    shown = insigne(*where, "message", "show", first, "--trace").out
    assert "without PID-29: the edition of the receiver refuses the content" in shown
    row = insigne(*where, "outbox", "show", labo["id"])
    assert "PID-29: the edition of the receiver refuses" in row.out


def test_what_nothing_is_called_is_said_so(insigne, hospital):
    for reference in ("01JUNKNOWN", "4711", "event:4711", "event:x"):
        assert trace(insigne, hospital, reference, status=1) is None


# --- the bundle


def test_a_bundle_has_the_shape_of_everything_and_the_value_of_nothing_personal(insigne, hospital, tmp_path):
    [first] = hospital.receive(adt("4071"))
    hospital.deliver("Patient BÉRANGER inconnu, dossier 4071")
    files = bundle(insigne, hospital, first, tmp_path / "bundle.zip")
    assert {name for name in files if name.endswith(".hl7")} == {
        "received.hl7",
        "received-ack.hl7",
        *(f"onward/{row.id}-{row.destination}{ack}.hl7" for row in hospital.rows() for ack in ("", "-ack-1")),
    }
    for name, content in files.items():
        text = content.decode("latin-1" if "DPI" in name else "utf-8")
        assert not re.search("RANGER|MA.LLE|LOUISE|4071|19810412|29019", text), name
    before, after = Message.parse(adt("4071")), Message.parse(files["received.hl7"])
    assert after.names == before.names
    assert after.segment("MSH").text == before.segment("MSH").text
    name = after.value("PID-5.1")
    assert (len(name), name.isupper(), name[1].isascii(), name[0].isascii()) == (8, True, False, True)
    assert after.value("PID-3.4.2") == "1.2.250.1.999.1"
    assert [after.value(path) for path in ("PID-3.5", "PID-5.7", "PID-8", "PID-32", "PID-11.6")] == [
        "PI", "L", "F", "VALI", "FRA",
    ]  # fmt: skip
    assert re.fullmatch(r"\d{8}", after.value("PID-7"))


def test_the_same_value_has_the_same_stand_in_everywhere_in_a_bundle_and_another_in_the_next(
    insigne, hospital, tmp_path
):
    [first] = hospital.receive(adt("4071"))
    hospital.deliver()
    files = bundle(insigne, hospital, first, tmp_path / "bundle.zip")
    came = Message.parse(files["received.hl7"])
    for row in hospital.rows():
        sent = Message.parse(files[f"onward/{row.id}-{row.destination}.hl7"])
        for path in ("PID-3.1", "PID-5.1", "PID-5.3", "PID-7", "PID-11.9"):
            assert sent.value(path) == came.value(path), path
    document = json.loads(files["trace.json"])
    traits = document["events"][0]["content"]["traits"]
    assert (traits["birth_name"], traits["birth_date"]) == (came.value("PID-5.1"), came.value("PID-7"))
    assert (traits["sex"], document["events"][0]["content"]["identifiers"][0]["authority"]["namespace"]) == ("F", "GAM")
    again = bundle(insigne, hospital, first, tmp_path / "again.zip")
    assert Message.parse(again["received.hl7"]).value("PID-3.1") != came.value("PID-3.1")


def test_the_words_of_a_receiver_are_kept_when_they_speak_of_messages(insigne, hospital, tmp_path):
    [first] = hospital.receive(adt("4071"))
    hospital.deliver("Patient MARTIN inconnu, voir PID-3")
    row = hospital.rows()[0]
    files = bundle(insigne, hospital, first, tmp_path / "bundle.zip")
    text = Message.parse(files[f"onward/{row.id}-LABO-ack-1.hl7"]).value("MSA-3")
    assert re.fullmatch(r"Patient [A-Z]{6} inconnu, \w{4} PID-3", text)
    assert "MARTIN" not in text


def test_a_message_that_cannot_be_read_is_left_out(insigne, hospital, tmp_path):
    [first] = hospital.receive(adt("4071", "B\u00c9RANGER").replace("\u00c9".encode(), b"\xc9"))
    files = bundle(insigne, hospital, first, tmp_path / "bundle.zip")
    assert "received.hl7" not in files
    assert b"RANGER" not in b"".join(files.values())


def test_a_bundle_that_cannot_be_written_is_wrong_use(insigne, hospital, tmp_path):
    [first] = hospital.receive(adt("4071"))
    path = tmp_path / "no" / "b.zip"
    result = insigne("--config", hospital.config, "--data", hospital.data, "message", "show", first, "--bundle", path)
    assert (result.status, "--bundle" in result.err) == (2, True)


def folded(text):
    plain = unicodedata.normalize("NFD", text.lower())
    return {token for token in re.split(r"[\W_]+", "".join(c for c in plain if not unicodedata.combining(c))) if token}


#: Where a message speaks of people, and the components that are codes or authorities there (counted from 0).
PEOPLE = {
    **{path: {3, 4, 5} for path in ("PID-3", "PID-18", "PID-21", "PV1-19", "MRG-1", "MRG-3")},
    **{path: {6} for path in ("PID-5", "PID-6", "MRG-7")},
    **{path: {8, 9, 12} for path in ("PV1-7", "PV1-8", "PV1-9", "PV1-17")},
    **{path: {1, 2} for path in ("PID-13", "PID-14")},
    **{path: {None} for path in ("PID-7", "PID-23", "PID-29")},
    "PID-11": {5, 6},
    "ZBE-1": {1, 2, 3},
}


def personal(raw):
    """The words of four letters or digits, and more, of what a message says of people; none if it cannot be read."""
    try:
        message = Message.parse(raw)
    except Hl7Error:
        return set()
    found = set()
    for path, codes in PEOPLE.items():
        name, _, number = path.partition("-")
        for segment in message.segments(name):
            for repetition in segment.field(int(number)).split("~"):
                for rank, component in enumerate(repetition.split("^")):
                    if rank not in codes:
                        found |= {one for one in folded(message.delimiters.unescape(component)) if len(one) >= 4}
    return found


@pytest.mark.parametrize("seed", range(3))
def test_no_personal_value_of_a_hospital_survives_in_its_bundles(insigne, hospital, tmp_path, seed):
    edition = ("2.11", "2.5", "2.9")[seed]
    messages = [one.payload for one in generate(HospitalSettings(4, seed=seed, edition=edition, wrong=0.1))][:40]
    ids = [hospital.receive(raw)[0] for raw in messages]
    hospital.deliver("Patient DUPONT inconnu")
    values = set().union(*(personal(raw) for raw in messages))
    for number, (message_id, raw) in enumerate(zip(ids, messages, strict=True)):
        if number % 3:
            continue
        files = bundle(insigne, hospital, message_id, tmp_path / f"{number}.zip")
        own = personal(raw)
        header = folded("\r".join(Message.parse(one).segment("MSH").text for one in (raw, *_messages(files))))
        for name, content in files.items():
            text = content.decode("latin-1" if name.endswith("DPI.hl7") else "utf-8", "replace")
            left = (own & folded(text)) - header
            assert not left, (name, raw.decode("utf-8", "replace"), left)
    assert len(values) > 50


def _messages(files):
    return [content for name, content in files.items() if name.endswith(".hl7")]
