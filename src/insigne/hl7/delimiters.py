"""The delimiters declared in MSH-1 and MSH-2, and the escape sequences built on them (HL7 v2.5 §2.5.4, §2.7)."""

import re
from dataclasses import dataclass
from dataclasses import field as derived
from functools import lru_cache
from typing import Final

from insigne.hl7.errors import Hl7Error
from insigne.hl7.location import Location

#: The value that asks the receiver to delete what it holds (HL7 v2.5 §2.5.3): not the same as an empty field.
NULL: Final = '""'

# Stands for a delimiter that MSH-2 does not declare. A lone surrogate never comes out of a strict decoder, so
# splitting on it gives the whole text back, and the hot path needs no branch.
_ABSENT: Final = "\udfff"
_CONTROLS: Final = "".join(map(chr, range(0x20))) + "\x7f"


@dataclass(frozen=True, slots=True)
class Delimiters:
    """The separators of one message, immutable and shared between messages: get one from `delimiters_of`.

    Each is one character, or "" when MSH-2 is too short to declare it. `encoding_characters` is MSH-2 as received.
    The `split_*` twins are never empty: a character that no text contains stands for an absent delimiter.
    """

    field: str
    component: str
    repetition: str
    escape_character: str
    subcomponent: str
    truncation: str
    encoding_characters: str
    split_component: str = derived(init=False, repr=False)
    split_repetition: str = derived(init=False, repr=False)
    split_subcomponent: str = derived(init=False, repr=False)
    split_escape: str = derived(init=False, repr=False)
    _letters: dict[str, str] = derived(init=False, repr=False, compare=False)
    _sequence: re.Pattern[str] = derived(init=False, repr=False, compare=False)
    _special: re.Pattern[str] = derived(init=False, repr=False, compare=False)
    _replacements: dict[int, str] = derived(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        letters = {
            letter: character
            for letter, character in (
                ("F", self.field),
                ("S", self.component),
                ("T", self.subcomponent),
                ("R", self.repetition),
                ("E", self.escape_character),
                ("P", self.truncation),
            )
            if character
        }
        special = "".join(letters.values()) + _CONTROLS
        mark = self.escape_character
        replacements = {ord(c): f"{mark}X{ord(c):02X}{mark}" if mark else " " for c in _CONTROLS}
        replacements |= {ord(c): f"{mark}{letter}{mark}" if mark else " " for letter, c in letters.items()}
        for name, value in (
            ("split_component", self.component or _ABSENT),
            ("split_repetition", self.repetition or _ABSENT),
            ("split_subcomponent", self.subcomponent or _ABSENT),
            ("split_escape", mark or _ABSENT),
            ("_letters", letters),
            ("_sequence", _escape_sequence(mark or _ABSENT, letters)),
            ("_special", re.compile(f"[{re.escape(special)}]")),
            ("_replacements", replacements),
        ):
            object.__setattr__(self, name, value)

    def repetitions(self, raw: str) -> list[str]:
        """Split a raw field into its raw repetitions."""
        return raw.split(self.split_repetition)

    def components(self, raw: str) -> list[str]:
        """Split a raw repetition into its raw components."""
        return raw.split(self.split_component)

    def subcomponents(self, raw: str) -> list[str]:
        """Split a raw component into its raw sub-components."""
        return raw.split(self.split_subcomponent)

    def unescape(self, raw: str) -> str:
        r"""Replace `\\F\\ \\S\\ \\T\\ \\R\\ \\E\\` and `\\Xhh…\\` in one raw value.

        Every other sequence (`\\H\\`, `\\.br\\`, `\\C…\\`, `\\Z…\\`) and a lone escape character are kept as they are.
        Hexadecimal bytes are read as UTF-8 when they are valid UTF-8, else as Latin-1.
        """
        if self.split_escape not in raw:
            return raw
        return self._sequence.sub(self._meaning, raw)

    def escape(self, text: str) -> str:
        r"""Write a text so that it holds no delimiter, no escape character and no control character.

        `unescape` gives the text back. When MSH-2 declares no escape character, what cannot be written becomes a space.
        """
        if text.isalnum() or self._special.search(text) is None:
            return text
        return text.translate(self._replacements)

    def _meaning(self, match: re.Match[str]) -> str:
        code = match[1]
        if code in self._letters:
            return self._letters[code]
        if code[0] == "X":
            data = bytes.fromhex(code[1:])
            try:
                return data.decode("utf-8")
            except UnicodeDecodeError:
                return data.decode("latin-1")
        return match[0]


def _escape_sequence(mark: str, letters: dict[str, str]) -> re.Pattern[str]:
    """Match one well-formed sequence; code is group 1.

    Sequences without a meaning here are matched too, so that their closing mark does not open another one.
    """
    mark = re.escape(mark)
    known = "".join(letters) or "F"
    return re.compile(
        rf"{mark}([{known}HN]|X(?:[0-9A-Fa-f]{{2}})+|C[0-9A-Fa-f]{{4}}|M[0-9A-Fa-f]{{4}}(?:[0-9A-Fa-f]{{2}})?"
        rf"|\.[a-z]{{2}}[+-]?\d{{0,4}}|Z[^{mark}]{{0,64}}){mark}"
    )


@lru_cache(maxsize=256)
def delimiters_of(separator: str, encoding_characters: str) -> Delimiters:
    """Return the delimiters for MSH-1 and MSH-2, the same object for the same characters.

    MSH-2 has four characters (component, repetition, escape, sub-component). A fifth is the truncation character of
    HL7 v2.7. Shorter ones are taken from the left, except that a third and last character `&` is the sub-component
    separator: that is what is left of the recommended `^~\\&` once a program has swallowed the backslash.

    Raises Hl7Error (AR 101 or 102) when they cannot separate anything.
    """
    if not _is_separator(separator):
        raise Hl7Error("AR", "102", "MSH-1 must be a punctuation character", location=Location("MSH", field=1))
    place = Location("MSH", field=2)
    if not encoding_characters:
        raise Hl7Error("AR", "101", "MSH-2 is empty; it must declare the encoding characters", location=place)
    if len(encoding_characters) > 5 or not all(map(_is_separator, encoding_characters)):
        raise Hl7Error("AR", "102", "MSH-2 must be up to five punctuation characters", location=place)
    if len(set(separator + encoding_characters)) != 1 + len(encoding_characters):
        raise Hl7Error("AR", "102", "MSH-1 and MSH-2 must be distinct characters", location=place)
    padded = encoding_characters.ljust(5)
    component, repetition, escape, subcomponent, truncation = (character.strip() for character in padded)
    if escape == "&" and not subcomponent:
        escape, subcomponent = "", "&"
    return Delimiters(separator, component, repetition, escape, subcomponent, truncation, encoding_characters)


def _is_separator(character: str) -> bool:
    return len(character) == 1 and character.isprintable() and not character.isalnum() and not character.isspace()


STANDARD: Final = delimiters_of("|", "^~\\&")
