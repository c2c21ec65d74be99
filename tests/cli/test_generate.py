"""`insigne generate`: the files of the contract, the same for the same seed."""

import json

import pytest

from insigne.hl7 import split_messages

FILES = ("messages.mllp", "truth.jsonl", "expected.jsonl")


def lines(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.fixture
def generate(insigne, tmp_path):
    def run(*options, out="hospital", patients=40, seed=5):
        folder = tmp_path / out
        return insigne("generate", "--patients", patients, "--seed", seed, "--out", folder, *options), folder

    return run


def test_the_feed_holds_one_frame_for_each_expected_answer(generate):
    result, folder = generate("--json")
    assert result.status == 0
    summary = json.loads(result.out)
    feed = split_messages((folder / "messages.mllp").read_bytes())
    expected = lines(folder / "expected.jsonl")
    assert len(feed) == len(expected) == summary["messages"] == sum(summary["expected"].values())
    for raw, line in zip(feed, expected, strict=True):
        assert set(line) == {"control_id", "event", "code", "why"}
        header = raw.split(b"\r", 1)[0].decode("utf-8").split("|")
        assert header[9] == line["control_id"]
        assert header[8].startswith(line["event"] + "^")
        assert line["code"] in {"AA", "AE", "AR"}


def test_a_line_of_truth_has_the_keys_of_the_contract(generate):
    _, folder = generate("--people", 60)
    people = lines(folder / "truth.jsonl")
    keys = "person identifiers traits ins national status merged_into stays duplicates_of"
    for person in people:
        assert set(keys.split()) <= set(person)
        assert set(person["traits"]) == {"birth_name", "given_names", "sex", "birth_date", "birth_place"}
        assert person["ins"] is None or set(person["ins"]) == {"oid", "matricule"}
        assert person["national"] is None or set(person["national"]) == {"oid", "matricule", "history"}
        assert all(set(one) == {"authority", "type", "value"} for one in person["identifiers"])
    assert sum(not person["identifiers"] for person in people) == 20
    assert sum(person["duplicates_of"] is None for person in people) == 60


def test_the_same_seed_writes_the_same_bytes_and_another_does_not(generate):
    _, one = generate(out="one")
    _, two = generate(out="two")
    _, other = generate(out="other", seed=6)
    for name in FILES:
        assert (one / name).read_bytes() == (two / name).read_bytes()
        assert (one / name).read_bytes() != (other / name).read_bytes()


def test_split_writes_one_file_a_message_and_forgets_those_of_a_former_run(generate):
    generate("--split", patients=80)
    _, folder = generate("--split", "--wrong", 0)
    files = sorted((folder / "messages").iterdir())
    assert [file.read_bytes() for file in files] == split_messages((folder / "messages.mllp").read_bytes())
    assert not list(folder.glob("*.part"))


def test_edition_and_character_set_are_those_asked_for(generate):
    _, folder = generate("--edition", "2.10", "--charset", "8859-15", "--wrong", 0)
    for raw in split_messages((folder / "messages.mllp").read_bytes()):
        header = raw.decode("iso8859-15").split("\r", 1)[0].split("|")
        assert (header[11], header[17]) == ("2.5^FRA^2.10", "8859/15")


def test_no_patient_gives_empty_files(generate):
    result, folder = generate(patients=0)
    assert result.status == 0
    assert [(folder / name).read_bytes() for name in FILES] == [b"", b"", b""]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--edition", "9.9"), "--edition: '9.9' is not one of"),
        (("--charset", "ebcdic"), "--charset: 'ebcdic' is not one of"),
        (("--people", "3"), "--people: 3 is less than the 40 patients"),
        (("--wrong", "2"), "--wrong: 2.0 is not a share"),
    ],
)
def test_a_wrong_option_is_named_with_exit_2(generate, options, said):
    result, folder = generate(*options)
    assert result.status == 2
    assert said in result.err
    assert not folder.exists()


def test_a_folder_that_cannot_be_written_is_named(insigne, tmp_path):
    (tmp_path / "taken").write_text("a file", encoding="utf-8")
    result = insigne("generate", "--patients", 1, "--seed", 1, "--out", tmp_path / "taken")
    assert result.status == 1
    assert "taken" in result.err
