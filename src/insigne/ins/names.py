"""Birth names and given names: what may be typed, and how two spellings compare.

Sources: RNIV entry rules, INSi character set (SEL-MP-043 EF_INS01_03, EF_INS10_01, EF_INS10_02): A–Z, space, apostrophe
and hyphen; a double hyphen in family names only. What has an equivalent is replaced, what has none is refused by name.
"""

import re
import unicodedata
from typing import Final, Literal

from insigne.ins.remarks import EntryError

NameKind = Literal["family", "given"]

MAX_LENGTH: Final = 100
"""Characters in a birth name or in a list of given names (INS datamatrix S3, S4)."""

_FIELDS: Final[dict[NameKind, str]] = {"family": "birth_name", "given": "given_names"}
# Letters that Unicode does not decompose; the rest of Latin comes from its own decomposition.
_LETTERS: Final = {
    "Œ": "OE", "Æ": "AE", "ẞ": "SS", "Ø": "O", "Ł": "L", "Đ": "D", "Ð": "D", "Þ": "TH", "Ħ": "H", "Ŧ": "T", "Ŋ": "N",
    "Ɖ": "D", "Ɛ": "E", "Ɔ": "O", "Ƴ": "Y", "Ɓ": "B", "Ɗ": "D", "Ƙ": "K", "Ə": "E", "Ɨ": "I", "Ʉ": "U",
}  # fmt: skip
_APOSTROPHES: Final = frozenset("'’‘‛ʼʻʹ′`´＇")
_MINUS: Final = "−"
# Most names as people type them: nothing to replace in them, and no rule that such a name could break.
_PLAIN: Final = re.compile("[A-Z]+(?:[ '-][A-Z]+)*")


def normalise_name(text: str, kind: NameKind, field: str = "") -> str:
    """Return a name as the health identity holds it: capitals A–Z, space, apostrophe, hyphen, at most 100 characters.

    `kind` "given" takes a single given name or a whole list (a comma separates like a space), "family" a birth name.
    Accents, ligatures, curly apostrophes, long hyphens and non-breaking spaces give way to their equivalent; spaces
    around the name and repeated ones go. `field` names the trait in errors (by default that of the kind).
    Raises EntryError, naming the character and its 1-based place in `text`, for anything else.
    """
    if len(text) <= MAX_LENGTH and _PLAIN.fullmatch(text):
        return text
    return _normalised(text, kind, field or _FIELDS[kind])


def _normalised(text: str, kind: NameKind, field: str) -> str:
    spelled = _squeeze(_spell(text, kind, field))
    name = "".join(letter for letter, _ in spelled)
    if not any(letter.isalpha() for letter in name):
        raise EntryError(field, "empty", remedy="type at least one letter", message_fr="Saisissez au moins une lettre")
    if len(name) > MAX_LENGTH:
        raise EntryError(
            field,
            "length",
            remedy=f"keep at most {MAX_LENGTH} characters",
            message_fr=f"Gardez au plus {MAX_LENGTH} caractères",
        )
    _check_marks(spelled, kind, field)
    return name


def fold_name(text: str) -> str:
    """Return a name for comparison: capitals without accents, separators or punctuation; other alphabets are kept.

    Never raises: it is also applied to names received from elsewhere.
    """
    return spaced_name(text).replace(" ", "")


def spaced_name(text: str) -> str:
    """Return a name for word-by-word comparison: as `fold_name`, separators being one space (EXI ID 10)."""
    if text.isascii():
        return " ".join(text.upper().translate(_ASCII_SPACED).split())
    return " ".join("".join(_fold_character(character) for character in text).split())


def first_given_name_matches(first: str, given_list: str) -> bool:
    """Tell whether a first given name is the list or its beginning, word for word, hyphen and apostrophe as a space.

    Guide INS EXI ID 10, RNIV EXI SI 29 and 30. An empty name or list matches nothing.
    """
    words, listed = spaced_name(first), spaced_name(given_list)
    return bool(words) and (listed == words or listed.startswith(words + " "))


def first_given_name_of(given_list: str, words: int = 1) -> str:
    """Return the first given name of a list as INSi returns it: its first `words` space-separated words.

    INSi gives the list only; the user chooses `words` for a compound written without hyphen (JEAN PIERRE).
    """
    return " ".join(given_list.split()[:words])


def latin_letters(character: str) -> str:
    """Return the capitals A–Z that stand for one letter ("é" → "E", "œ" → "OE"), or "" when it has no equivalent."""
    if unicodedata.category(character) not in ("Lu", "Ll", "Lt"):
        return ""
    if len(character.upper()) == 1:
        character = character.upper()
    if character in _LETTERS:
        return _LETTERS[character]
    decomposed = unicodedata.normalize("NFKD", character).upper()
    kept = "".join(_LETTERS.get(part, part) for part in decomposed if not unicodedata.combining(part))
    return kept if kept.isascii() and kept.isalpha() else ""


def _fold_character(character: str) -> str:
    letters = latin_letters(character)
    if letters:
        return letters
    category = unicodedata.category(character)
    if category in ("Mn", "Me", "Cf"):
        return ""
    return character.upper() if category[0] in "LN" or category == "Mc" else " "


_ASCII_SPACED: Final = {code: _fold_character(chr(code)) for code in range(128)}


def _spell(text: str, kind: NameKind, field: str) -> list[tuple[str, int]]:
    """Return the equivalent of each character, with its 1-based place in the text as typed."""
    spelled: list[tuple[str, int]] = []
    for position, character in enumerate(text, start=1):
        category = unicodedata.category(character)
        letters = latin_letters(character)
        if letters:
            spelled.extend((letter, position) for letter in letters)
        elif category == "Mn" and spelled and spelled[-1][0].isalpha():
            continue  # an accent typed after its letter: the letter is its equivalent
        elif category == "Zs" or character == "\t" or (character == "," and kind == "given"):
            spelled.append((" ", position))
        elif character in _APOSTROPHES:
            spelled.append(("'", position))
        elif category == "Pd" or character == _MINUS:
            spelled.append(("-", position))
        else:
            raise EntryError(
                field,
                "character",
                character=character,
                position=position,
                remedy="only letters, space, apostrophe and hyphen are allowed; write it as the identity document does",
                message_fr="Seuls les lettres, l’espace, l’apostrophe et le trait d’union sont admis",
            )
    return spelled


def _squeeze(spelled: list[tuple[str, int]]) -> list[tuple[str, int]]:
    """Drop the spaces around the name and all but the first of each run."""
    kept: list[tuple[str, int]] = []
    for letter, position in spelled:
        if letter != " " or (kept and kept[-1][0] != " "):
            kept.append((letter, position))
    if kept and kept[-1][0] == " ":
        kept.pop()
    return kept


def _check_marks(spelled: list[tuple[str, int]], kind: NameKind, field: str) -> None:
    """Refuse apostrophes and hyphens where INSi does."""
    previous, before = " ", ""
    for index, (letter, position) in enumerate(spelled):
        following = spelled[index + 1][0] if index + 1 < len(spelled) else " "
        rule = _broken_rule(
            kind, before + previous, letter, following, first=index == 0, last=index + 1 == len(spelled)
        )
        if rule:
            remedy, message_fr = _MARK_RULES[rule]
            raise EntryError(field, rule, character=letter, position=position, remedy=remedy, message_fr=message_fr)
        before, previous = previous, letter


def _broken_rule(kind: NameKind, before: str, letter: str, following: str, *, first: bool, last: bool) -> str:
    """Return the rule that an apostrophe or hyphen breaks between its neighbours, "" when none."""
    previous = before[-1]
    if letter == "'":
        if previous == "'" or (previous == " " and not first) or (following == " " and not last):
            return "apostrophe"
        return "last-character" if kind == "given" and last else ""
    if letter != "-":
        return ""
    if first or (kind == "given" and previous == " "):
        return "first-character"
    if kind == "given" and following == " ":
        return "last-character"
    if previous == "-" and (kind == "given" or before == "--"):
        return "hyphen"
    return ""


_MARK_RULES: Final = {
    "apostrophe": (
        "an apostrophe is neither doubled nor next to a space; write D'ARC",
        "Une apostrophe n’est ni doublée ni voisine d’un espace ; écrivez D'ARC",
    ),
    "first-character": (
        "a name does not begin with a hyphen",
        "Un nom ne commence pas par un trait d’union",
    ),
    "last-character": (
        "a given name does not end with a hyphen or an apostrophe",
        "Un prénom ne se termine ni par un trait d’union ni par une apostrophe",
    ),
    "hyphen": (
        "a hyphen is single; two hyphens are allowed between the two parts of a birth name only",
        "Le trait d’union est simple ; deux traits ne s’écrivent qu’entre les deux parties d’un nom de naissance",
    ),
}
