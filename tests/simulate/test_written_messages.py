"""The hand-written messages are what their README says: each file listed, each message with its acknowledgement."""

from pathlib import Path

import pytest

from insigne.hl7 import Hl7Error, Message, split_messages

FOLDER = Path(__file__).parents[2] / "src" / "insigne" / "simulate" / "examples"
CELLS = [
    [cell.strip() for cell in line.split("|")[1:]]
    for line in (FOLDER / "README.md").read_text(encoding="utf-8").splitlines()
    if line.startswith("| ") and ".hl7 |" in line
]
ACKNOWLEDGEMENTS = {name: cells[1] for name, *cells in CELLS}
WITH_A_SHARED_CONTROL_ID = {"same_message_twice.hl7", "control_id_reused.hl7"}


def answers(text):
    """`AA×2 AE` → ["AA", "AA", "AE"]."""
    return [code for part in text.split() for code in [part[:2]] * int(part[3:] or 1)]


def test_every_file_is_listed_once():
    assert sorted(ACKNOWLEDGEMENTS) == sorted(file.name for file in FOLDER.glob("*.hl7"))
    assert len(CELLS) == len(ACKNOWLEDGEMENTS)


@pytest.mark.parametrize("name", sorted(set(ACKNOWLEDGEMENTS) - {"ack_as_message.hl7"}))
def test_a_file_has_one_acknowledgement_a_message(name):
    codes = answers(ACKNOWLEDGEMENTS[name])
    assert set(codes) <= {"AA", "AE", "AR"}
    assert len(split_messages((FOLDER / name).read_bytes())) == len(codes)


def test_control_ids_are_not_shared_between_messages():
    seen = set()
    for name in sorted(set(ACKNOWLEDGEMENTS) - WITH_A_SHARED_CONTROL_ID):
        for raw in split_messages((FOLDER / name).read_bytes()):
            control_id = raw.split(b"|")[9]
            assert control_id not in seen
            assert len(control_id) <= 20
            seen.add(control_id)


@pytest.mark.parametrize("name", ["charset_unknown.hl7", "declared_utf_8_but_latin_1.hl7"])
def test_messages_that_cannot_be_decoded_cannot(name):
    with pytest.raises(Hl7Error):
        Message.parse((FOLDER / name).read_bytes())


@pytest.mark.parametrize(
    ("name", "birth_name", "given"),
    [
        ("latin_1.hl7", "LEFÈVRE", "ÉLODIE"),
        ("latin_9.hl7", "LECŒUR", "MAËLYS"),
        ("utf_8_with_bom.hl7", "JÄGER", "ZOÉ"),
        ("escape_sequences.hl7", "ROCHE & FILS", "ADRIEN"),
    ],
)
def test_names_are_read_in_the_character_set_declared(name, birth_name, given):
    message = Message.parse((FOLDER / name).read_bytes())
    assert (message.value("PID-5.1"), message.value("PID-5.2")) == (birth_name, given)
