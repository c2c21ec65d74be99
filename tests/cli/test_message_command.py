"""`insigne message`."""

import json
import subprocess
import sys

import pytest

from insigne.cli.tables import print_table


def run(insigne, site, *args):
    status, out, err = insigne("--data", site.folder, "message", *args, "--json")
    return status, [json.loads(line) for line in out.splitlines()], err


def test_messages_are_listed_newest_first_with_the_agreed_fields(insigne, hospital):
    status, lines, _ = run(insigne, hospital, "list")
    assert status == 0
    assert [line["id"] for line in lines] == ["01JM2", "01JM1"]
    assert lines[1] == {
        "id": "01JM1",
        "time": "2026-03-01T08:00:00.000Z",
        "direction": "in",
        "peer": "mllp:GAM",
        "control_id": "C1",
        "event": "ADT^A28",
        "disposition": "accepted",
        "code": "AA",
    }


@pytest.mark.parametrize(
    ("options", "ids"),
    [
        (["--disposition", "rejected"], ["01JM2"]),
        (["--code", "AA"], ["01JM1"]),
        (["--event", "A28"], ["01JM2", "01JM1"]),
        (["--event", "ADT^A31"], []),
        (["--since", "2026-03-02T00:00:00Z"], ["01JM2"]),
        (["--until", "2026-03-02T00:00:00Z"], ["01JM1"]),
        (["--control-id", "C2"], ["01JM2"]),
        (["--peer", "mllp:NOBODY"], []),
        (["--limit", "1"], ["01JM2"]),
        (["--limit", "1", "--code", "AA"], ["01JM1"]),
    ],
)
def test_filters_narrow_the_list(insigne, hospital, options, ids):
    assert [line["id"] for line in run(insigne, hospital, "list", *options)[1]] == ids


@pytest.mark.parametrize("option", ["--code", "--disposition"])
def test_a_filter_that_nothing_can_meet_is_wrong_use(insigne, hospital, option):
    status, lines, err = run(insigne, hospital, "list", option, "nonsense")
    assert (status, lines) == (2, [])
    assert "nonsense" in err


def test_a_control_id_of_any_length_leaves_the_table_readable(capsys):
    print_table(("control_id", "code"), [("9" * 300, "AA"), ("C1", "AE")], none="")
    assert max(map(len, capsys.readouterr().out.splitlines())) < 120


def test_a_message_is_shown_as_it_was_received(insigne, hospital):
    _, (document,), _ = run(insigne, hospital, "show", "01JM1")
    assert document["raw"]["text"].endswith("|ÉTÉ\r")
    assert document["charset"] == {"declared": "8859/1", "effective": "iso8859-1"}
    assert document["ack"]["text"] == "MSH|^~\\&|\rMSA|AA|C1\r"
    assert document["findings"] == []


def test_bytes_that_are_not_text_are_shown_in_hexadecimal(insigne, hospital):
    _, (document,), _ = run(insigne, hospital, "show", "01JM2")
    assert document["raw"] == {"size": 11, "text": None, "hex": "4d53487c5e7e5c267cfffe"}
    assert document["findings"][0]["location"] == "PID-5"


def test_people_read_the_message_and_its_findings(insigne, hospital):
    out = insigne("--data", hospital.folder, "message", "show", "01JM2").out
    assert "4d53487c5e7e5c267cfffe" in out
    assert "error  R1  PID-5" in out
    assert "rejected" in insigne("--data", hospital.folder, "message", "list").out


def test_an_unknown_message_is_exit_1(insigne, hospital):
    for command in ("show", "replay"):
        status, out, err = insigne("--data", hospital.folder, "message", command, "01JNONE", "--json")
        assert (status, out) == (1, "")
        assert "message list" in err


def replayed(site, *ids):
    """Replay in a process of its own, as users do: it sets up the logs of the whole process."""
    command = [sys.executable, "-m", "insigne", "--data", str(site.folder), "message", "replay", *ids, "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()], done.stderr


def test_a_replay_is_a_message_of_its_own_that_names_the_first(insigne, hospital):
    status, (line,), err = replayed(hospital, "01JM1")
    assert (line["id"], line["control_id"]) == ("01JM1", "C1"), err
    assert status == (0 if line["code"] == "AA" else 1)
    _, (document,), _ = run(insigne, hospital, "show", line["message"])
    assert (document["replay_of"], document["peer"]) == ("01JM1", "cli:replay")
    _, (first,), _ = run(insigne, hospital, "show", "01JM1")
    assert first["code"] == "AA"


def test_a_replay_that_is_refused_is_exit_1(hospital):
    status, (line,), _ = replayed(hospital, "01JM2")
    assert (status, line["code"] in ("AE", "AR")) == (1, True)
