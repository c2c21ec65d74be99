"""`insigne outbox` and `insigne destination`, on a base whose server is not running."""

import json

import pytest

from insigne.app.base import open_base
from insigne.app.clock import rfc3339_now
from insigne.config import load
from insigne.exchange.model import Peer, Received

CONFIG = """
[[authorities]]
name = "GAM"
oid = "1.2.250.1.999.1"
trusted = true
[[destinations]]
name = "LABO"
mllp = { host = "127.0.0.1", port = 1, connect_seconds = 2 }
[[destinations]]
name = "DPI"
folder = { path = "." }
"""
MESSAGE = (
    "MSH|^~\\&|GAM|CHU|INSIGNE|GHT|20260301083000+0100||ADT^A28^ADT_A05|G{0}|P|2.5^FRA^2.11|||||FRA|UNICODE UTF-8|FR"
    "||2.11^IHE_FRANCE-2.11-PAM\rEVN||20260301083000+0100\rPID|||{0}^^^GAM&1.2.250.1.999.1&ISO^PI||BERANGER^MAELLE"
    "^MAELLE^^^^L||19810412|F|||^^^^^FRA^BDL^^29019||||||||||||||||||||N|PROV\rPV1||N\r"
)


@pytest.fixture
def hospital(desk):
    """A base with three identities told to two destinations; nothing was sent yet."""
    folder = desk.folder / "out"
    folder.mkdir()
    with desk.config.open("a", encoding="utf-8") as file:
        file.write(CONFIG.replace('path = "."', f'path = "{folder}"'))
    base = open_base(load(desk.config, [], {}, desk.folder))
    batch = [Received(MESSAGE.format(n).encode(), Peer("GAM", "mllp"), rfc3339_now()) for n in (1, 2, 3)]
    answers = base.intake.process(batch)
    base.close()
    desk.messages = [answer.message_id for answer in answers]
    return desk


def act(desk, *args, status=0):
    """Act as claire: the JSON lines printed, and what was said."""
    result = desk.run(*args, "--as", "claire", "--json")
    assert result.status == status, result.err
    return [json.loads(line) for line in result.out.splitlines()], result.err


def test_what_waits_is_listed_with_its_receiver_and_its_cause(hospital):
    rows = hospital.lines("outbox", "list")
    assert [(row["peer"], row["event"], row["disposition"]) for row in rows] == [
        ("DPI", "ADT^A28", "queued"),
        ("LABO", "ADT^A28", "queued"),
    ] * 3
    assert {row["direction"] for row in rows} == {"out"}
    assert [row["peer"] for row in hospital.lines("outbox", "list", "--destination", "LABO")] == ["LABO"] * 3
    of_one = hospital.lines("outbox", "list", "--message", hospital.messages[1])
    assert [row["id"] for row in of_one] == ["4", "3"]
    assert len(hospital.lines("outbox", "list", "--identity", "GAM|2")) == 2
    assert hospital.lines("outbox", "list", "--unsettled") == []
    assert hospital.lines("outbox", "list", "--since", "2090-01-01T00:00:00Z") == []
    assert (
        len(hospital.lines("outbox", "list", "--since", "2020-01-01T00:00:00Z", "--until", "2090-01-01T00:00:00Z")) == 6
    )
    assert "BERANGER" not in hospital.run("outbox", "list").out


def test_a_message_is_shown_with_what_it_waits_for(hospital):
    shown = json.loads(hospital.run("outbox", "show", "1", "--json").out)
    assert (shown["peer"], shown["disposition"], shown["attempts"], shown["raw"]) == ("LABO", "queued", [], None)
    assert hospital.run("outbox", "show", "99").status == 1
    assert hospital.run("outbox", "show", "one").status == 1


def test_acts_on_messages_need_a_person_with_the_right(hospital):
    for command in (("replay", "1"), ("skip", "1")):
        assert hospital.run("outbox", *command).status == 2
        assert hospital.run("outbox", *command, "--as", "adele").status == 2
    assert [row["disposition"] for row in hospital.lines("outbox", "list")] == ["queued"] * 6


def test_a_message_is_skipped_once_and_the_act_is_audited(hospital):
    [row], _ = act(hospital, "outbox", "skip", "1", "--reason", "déjà saisi au labo")
    assert (row["id"], row["disposition"], row["reason"]) == ("1", "skipped", "déjà saisi au labo")
    _, said = act(hospital, "outbox", "skip", "1", status=1)
    assert "nothing to skip" in said
    base = open_base(load(hospital.config, [], {}, hospital.folder))
    with base.store.read() as view:
        acts = [entry for _, entry in view.acts() if entry.act.startswith("outbox")]
    base.close()
    assert [(entry.author, entry.act, entry.object) for entry in acts] == [
        ("user:claire", "outbox-skipped", "outbox:1")
    ]


def test_what_is_still_to_be_sent_is_not_told_again(hospital):
    _, said = act(hospital, "outbox", "replay", "1", status=1)
    assert "still to be sent" in said


def test_all_that_a_receiver_was_told_since_a_date_is_told_again_in_order(hospital):
    act(hospital, "outbox", "skip", "3")
    told, _ = act(hospital, "outbox", "replay", "--destination", "LABO", "--since", "2020-01-01T00:00:00Z")
    assert [(row["peer"], row["kind"], row["replaces"]) for row in told] == [
        ("LABO", "replay", "1"),
        ("LABO", "replay", "5"),
    ]
    assert hospital.run("outbox", "replay", "--destination", "LABO", "--as", "claire").status == 2
    since = ("--since", "2020-01-01T00:00:00Z", "--as", "claire")
    assert hospital.run("outbox", "replay", "--destination", "NOBODY", *since).status == 1


def test_what_waits_is_not_told_twice_when_a_range_is_told_again(hospital):
    since = ("--destination", "LABO", "--since", "2020-01-01T00:00:00Z")
    act(hospital, "outbox", "replay", *since)
    rows = hospital.lines("outbox", "list", "--destination", "LABO")
    assert [(row["disposition"], row["kind"]) for row in rows] == [("queued", "replay")] * 3 + [("skipped", "live")] * 3
    assert act(hospital, "outbox", "replay", *since, "--until", "2090-01-01T00:00:00Z")[0] == [], "it keeps its place"


def test_what_took_the_place_of_a_message_not_sent_is_told_again_with_the_rest(hospital):
    since = ("--destination", "LABO", "--since", "2020-01-01T00:00:00Z")
    first, _ = act(hospital, "outbox", "replay", *since)
    again, _ = act(hospital, "outbox", "replay", *since)
    assert [row["replaces"] for row in again] == [row["id"] for row in first]
    rows = hospital.lines("outbox", "list", "--destination", "LABO")
    assert [row["disposition"] for row in rows] == ["queued"] * 3 + ["skipped"] * 6
    act(hospital, "outbox", "skip", again[1]["id"])
    third, _ = act(hospital, "outbox", "replay", *since)
    assert [row["replaces"] for row in third] == [again[0]["id"], again[2]["id"]], "once, but what a person gave up"


def test_an_edited_message_must_be_valid_and_gets_a_control_id_of_its_own(hospital, tmp_path):
    file = tmp_path / "corrected.hl7"
    file.write_text(MESSAGE.format(1).replace("\r", "\n"), encoding="utf-8")
    _, said = act(hospital, "outbox", "edit", "1", str(file), status=1)
    assert "pause LABO first" in said
    act(hospital, "destination", "pause", "LABO")
    [row], _ = act(hospital, "outbox", "edit", "1", str(file))
    assert (row["id"], row["kind"], row["disposition"]) == ("1", "edited", "encoded")
    shown = json.loads(hospital.run("outbox", "show", "1", "--json").out)
    assert shown["control_id"] in shown["raw"]
    assert "|G1|" not in shown["raw"]
    file.write_text(MESSAGE.format(1).replace("PID|||1^^^GAM&1.2.250.1.999.1&ISO^PI", "PID|||"), encoding="utf-8")
    _, said = act(hospital, "outbox", "edit", "5", str(file), status=1)
    assert "PID-3" in said


@pytest.mark.parametrize(("status", "why"), [("VALI", "may leave"), ("PROV", "VALI")])
def test_an_edited_message_holds_no_ins_that_may_not_leave(hospital, tmp_path, status, why):
    file = tmp_path / "corrected.hl7"
    ins = "ISO^PI~281042901900196^^^ASIP-SANTE-INS-NIR&1.2.250.1.213.1.4.8&ISO^INS|"
    file.write_text(MESSAGE.format(1).replace("ISO^PI|", ins).replace("|PROV\r", f"|{status}\r"), encoding="utf-8")
    _, said = act(hospital, "outbox", "edit", "1", str(file), status=1)
    assert "PID-3" in said
    assert why in said
    assert "281042901900196" not in said
    assert [row["disposition"] for row in hospital.lines("outbox", "list", "--destination", "DPI")] == ["queued"] * 3


def test_destinations_are_listed_with_their_queues(hospital):
    labo, dpi = hospital.lines("destination", "list")
    assert (labo["name"], labo["transport"], labo["state"], labo["queued"]) == ("LABO", "mllp", "running", 3)
    assert (dpi["name"], dpi["transport"]) == ("DPI", "folder")
    assert labo["oldest"]


def test_a_destination_is_paused_and_resumed(hospital):
    [paused], _ = act(hospital, "destination", "pause", "LABO", "--reason", "mise à jour")
    assert (paused["state"], paused["reason"]) == ("paused", "mise à jour")
    assert hospital.lines("destination", "list")[0]["state"] == "paused"
    [resumed], _ = act(hospital, "destination", "resume", "LABO")
    assert (resumed["state"], resumed["author"]) == ("running", "user:claire")
    act(hospital, "destination", "pause", "NOBODY", status=1)


@pytest.mark.parametrize("command", [("pause",), ("resume",), ("init",), ("init", "--stop")])
def test_an_act_on_a_destination_needs_a_person_with_the_right(hospital, command):
    act_on = ("destination", command[0], "DPI", *command[1:])
    unnamed = hospital.run(*act_on)
    assert (unnamed.status, "--as" in unnamed.err) == (2, True)
    assert hospital.run(*act_on, "--as", "adele").status == 2
    [dpi] = [line for line in hospital.lines("destination", "list") if line["name"] == "DPI"]
    assert (dpi["state"], dpi["init"]) == ("running", None)


def test_an_initial_load_is_asked_for_stopped_and_continued(hospital):
    [asked], _ = act(hospital, "destination", "init", "DPI", "--rate", "5")
    assert asked["init"] == {"state": "running", "done": 0, "total": 3, "rate": 5.0}
    [stopped], _ = act(hospital, "destination", "init", "DPI", "--stop")
    assert stopped["init"]["state"] == "stopped"
    [again], _ = act(hospital, "destination", "init", "DPI", "--continue", "--rate", "9")
    assert (again["init"]["state"], again["init"]["rate"]) == ("running", 9.0)


def test_a_destination_that_cannot_be_reached_is_told_with_exit_3(hospital):
    result = hospital.run("destination", "test", "LABO", "--json")
    assert result.status == 3
    assert json.loads(result.out)["ok"] is False


def test_a_destination_taken_out_of_the_configuration_is_listed_while_messages_wait(hospital):
    text = hospital.config.read_text(encoding="utf-8")
    hospital.config.write_text(text[: text.index('[[destinations]]\nname = "DPI"')], encoding="utf-8")
    left = hospital.lines("destination", "list")[1]
    assert (left["name"], left["state"], left["queued"]) == ("DPI", "not-configured", 3)


@pytest.mark.parametrize(
    ("subscription", "why"),
    [
        ('edition = "9.9"', "edition '9.9' is not known"),
        ('time_zone = "Europe/Valbrume"', "time_zone: 'Europe/Valbrume'"),
        ('events = ["A99"]', "events: 'A99'"),
    ],
)
@pytest.mark.parametrize("command", [("serve",), ("identity", "create", "--birth-name", "ADRUN", "--sex", "F")])
def test_a_subscription_that_cannot_be_followed_is_told_with_exit_2(desk, command, subscription, why):
    with desk.config.open("a", encoding="utf-8") as file:
        file.write(f"{CONFIG}[destinations.subscription]\n{subscription}\n")
    more = (
        ("--given", "ZOE", "--birth-date", "1975-12-31", "--birth-place", "63220", "--as", "claire")
        if command[0] == "identity"
        else ()
    )
    result = desk.run(*command, *more)
    assert result.status == 2, result.err
    assert "DPI: subscription: " + why in result.err
