"""`insigne check`: JSON lines, words for a person, exit status, offline and without a data folder."""

import json

import pytest

CLEAN = (
    "MSH|^~\\&|GAM|CHU-LYS|RI|CHU-LYS|20250102101112||ADT^A28^ADT_A05|MSG{rank}|P|2.5^FRA^2.11|||||FRA|{charset}|FR\r"
    "EVN||20250102101112\r"
    "PID|1||10020030{rank}^^^CHU-LYS&1.2.250.1.999.1&ISO^PI||VALBERTIN^{given}^^^^^L||19850612|F" + "|" * 24 + "PROV\r"
    "PV1||N\r"
)


def message(rank=1, given="MAELYS", charset="UNICODE UTF-8"):
    return CLEAN.format(rank=rank, given=given, charset=charset)


@pytest.fixture
def file(tmp_path):
    def write(content, name="messages.hl7"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return str(path)

    return write


@pytest.fixture
def checked(insigne):
    def run(*arguments):
        status, out, _ = insigne("check", *arguments, "--json")
        return status, [json.loads(line) for line in out.splitlines()]

    return run


def test_a_conforming_message_is_ok_and_exits_0(checked, file):
    path = file(message())
    assert checked(path) == (
        0,
        [{"file": path, "message": 1, "control_id": "MSG1", "edition": "2.11.2", "ok": True, "findings": []}],
    )


def test_each_finding_tells_where_what_why_and_how_to_mend(checked, file):
    status, [line] = checked(file(message().replace("|F||", "|X||")))
    assert (status, line["ok"]) == (1, False)
    [finding] = line["findings"]
    assert finding["rule"] == "F-table"
    assert (finding["severity"], finding["location"], finding["condition"]) == ("error", "PID-8", "103")
    assert "0001" in finding["message"]
    assert "n’est pas dans la table" in finding["message_fr"]
    assert "F M U" in finding["remedy"]
    assert "F M U" in finding["remedy_fr"]
    assert finding["reference"]


def test_warnings_alone_exit_0(checked, file):
    status, [line] = checked(file(message().replace("|FRA|UNICODE", "||UNICODE")))
    assert (status, line["ok"], [one["rule"] for one in line["findings"]]) == (0, True, ["V06"])


def test_errors_come_before_warnings(checked, file):
    _, [line] = checked(file(message().replace("|FRA|UNICODE", "||UNICODE").replace("|PROV", "|")))
    assert [one["severity"] for one in line["findings"]] == ["error", "warning"]


def test_a_file_may_hold_several_messages_and_frames(checked, file):
    frames = b"".join(b"\x0b" + message(rank).encode() + b"\x1c\r" for rank in (1, 2))
    status, lines = checked(file(frames), file(message(3) + message(4), "plain.hl7"))
    assert status == 0
    assert [(line["message"], line["control_id"]) for line in lines] == [
        (1, "MSG1"),
        (2, "MSG2"),
        (1, "MSG3"),
        (2, "MSG4"),
    ]


def test_an_edition_may_be_imposed(checked, file):
    _, [line] = checked(file(message()), "--edition", "2.9")
    assert line["edition"] == "2.9"
    _, [line] = checked(file(message()), "--edition", "2.11")
    assert line["edition"] == "2.11.2"


def test_an_unknown_edition_is_wrong_use(insigne, file):
    status, out, err = insigne("check", file(message()), "--edition", "3.0")
    assert (status, out) == (2, "")
    assert "2.11.2" in err


def test_a_file_without_message_is_wrong_use(insigne, file, tmp_path):
    assert insigne("check", file(""))[0] == 2
    assert insigne("check", str(tmp_path / "absent.hl7"))[0] == 2
    assert insigne("check")[0] == 2


@pytest.mark.parametrize(
    ("content", "rule", "location"),
    [
        ("bonjour", "V01", "MSH"),
        (message().replace("UNICODE UTF-8", "UNICODE"), "V06", "MSH-18"),
        (message(given="MAËLYS").encode("latin-1"), "V06", "PID-5"),
        (message().replace("2.5^FRA^2.11", "2.8"), "V04", "MSH-12.1"),
        ("MSH||||", "V02", "MSH-2"),
    ],
)
def test_a_message_that_cannot_be_read_is_an_error_with_its_place(checked, file, content, rule, location):
    status, [line] = checked(file(content))
    assert (status, line["ok"], line["edition"]) == (1, False, None)
    [finding] = line["findings"]
    assert (finding["rule"], finding["severity"]) == (rule, "error")
    assert finding["location"].startswith(location)


def test_a_character_set_may_be_imposed(checked, file):
    latin = file(message(given="MAËLYS").encode("latin-1"))
    for name in ("8859/15", "cp1252"):
        status, [line] = checked(latin, "--charset", name)
        assert (status, [one["rule"] for one in line["findings"]]) == (0, ["V06"])
    status, [line] = checked(
        file(message(given="MAËLYS", charset="8859/15").encode("iso8859-15")), "--charset", "8859/15"
    )
    assert (status, line["findings"]) == (0, [])


def test_an_unknown_character_set_is_wrong_use(insigne, file):
    status, _, err = insigne("check", file(message()), "--charset", "klingon")
    assert status == 2
    assert "UNICODE UTF-8" in err


def test_a_person_reads_the_findings_with_their_remedies(insigne, file):
    path = file(message().replace("|FRA|UNICODE", "||UNICODE"))
    status, out, _ = insigne("check", path)
    assert status == 0
    assert f"{path}#1  MSG1  PAM-FR 2.11.2  1 warning" in out
    assert "MSH-17" in out
    assert "→ Send FRA in MSH-17." in out
    assert "\x1b[" not in out
    french = insigne("check", path, "--lang", "fr").out
    assert "→ Envoyez FRA en MSH-17." in french


def test_checking_makes_no_data_folder(insigne, file, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert insigne("check", file(message()))[0] == 0
    assert {path.name for path in tmp_path.iterdir()} == {"messages.hl7"}


def test_test_oids_are_accepted_when_the_environment_is_test(checked, file):
    ins = "^PI~185066938312312^^^ASIP-SANTE-INS-NIR&1.2.250.1.213.1.4.10&ISO^INS||"
    path = file(message().replace("^PI||", ins))
    rules = {one["rule"] for one in checked(path)[1][0]["findings"]}
    assert "V11" in rules
    assert "V11" not in {one["rule"] for one in checked(path, "--set", "environment=test")[1][0]["findings"]}


MOVEMENT = (
    "MSH|^~\\&|GAM|CHU-LYS|RI|CHU-LYS|20250102101112||ADT^A01^ADT_A01|MSG{visit}|P|2.5^FRA^2.11|||||FRA|UNICODE UTF-8\r"
    "PID|1||100200301^^^CHU-LYS&1.2.250.1.999.1&ISO^PI\r"
    "PV1|1|I" + "|" * 17 + "{visit}\r"
    "ZBE|312^CHU-LYS^1.2.250.1.999.1^ISO|20250102100000||INSERT|N\r"
)


def test_a_movement_identifier_used_again_in_another_stay_is_told_over_all_files(checked, file):
    first = file(MOVEMENT.format(visit="V1"), "monday.hl7")
    second = file(MOVEMENT.format(visit="V2"), "tuesday.hl7")
    _, [monday, tuesday] = checked(first, second)
    assert "X-movement" not in [one["rule"] for one in monday["findings"]]
    [reused] = [one for one in tuesday["findings"] if one["rule"] == "X-movement"]
    assert (reused["severity"], reused["location"]) == ("warning", "ZBE-1[1]")
    assert f"{first}#1" in reused["message"]
