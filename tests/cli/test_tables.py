"""What a person reads at a terminal: nothing a peer wrote may drive that terminal."""

import pytest

from insigne.cli.tables import harmless, print_fields, print_table


@pytest.mark.parametrize("text", ["\x1b[2J", "\x1b]0;title\x07", "\x9b31m", "\x00", "\x7f", "a\rb"])
def test_control_characters_are_shown_and_not_obeyed(text, capfd):
    print_table(("id",), [(f"x{text}y",)], none="")
    print_fields([("name", f"x{text}y")])
    shown = capfd.readouterr().out + harmless(text)
    assert not [char for char in shown if (ord(char) < 32 or 127 <= ord(char) < 160) and char != "\n"]


def test_words_with_accents_and_line_ends_stay_as_they_are():
    assert harmless("Noël\n\tŒUVRÉ 日本 …") == "Noël\n\tŒUVRÉ 日本 …"


def test_the_escape_character_can_be_recognised():
    assert harmless("\x1b[2J") == "␛[2J"
    assert harmless("\x9b2J") == "\\x9b2J"
