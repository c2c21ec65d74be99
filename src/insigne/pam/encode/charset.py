"""Text that a receiver's character set cannot hold: found, or written without what it lacks."""

import unicodedata
from collections.abc import Iterable
from typing import Final

#: What plain letters may not become: the message is written already, and two double quotes ask to delete.
_DELIMITERS: Final = frozenset('|^~\\&"\r\n')
#: Letters and signs that no decomposition brings to plain letters.
_PLAIN: Final = {
    "’": "'",
    "‘": "'",
    "“": "'",
    "”": "'",
    "–": "-",
    "—": "-",
    "…": "...",
    "œ": "oe",
    "Œ": "OE",
    "æ": "ae",
    "Æ": "AE",
    "ß": "ss",
    "ø": "o",
    "Ø": "O",
    "ł": "l",
    "Ł": "L",
    "đ": "d",
    "Đ": "D",
    "€": "EUR",
    "\u00a0": " ",
    "\u202f": " ",
}


def encodable(text: str, codec: str) -> bool:
    """Whether a text exists in a character set."""
    try:
        text.encode(codec)
    except UnicodeEncodeError:
        return False
    return True


def unencodable_places(lines: Iterable[str], codec: str) -> list[str]:
    """The fields, as "PID-5", that hold what the character set lacks."""
    return [
        f"{line[:3]}-{rank + (line[:3] == 'MSH')}"
        for line in lines
        if not encodable(line, codec)
        for rank, field in enumerate(line.split("|"))
        if not encodable(field, codec)
    ]


def transliterated(text: str, codec: str) -> str:
    """The text in that character set: letters without their accents, "?" for what has no equivalent."""
    return "".join(one if encodable(one, codec) else _plain(one, codec) for one in text)


def _plain(character: str, codec: str) -> str:
    plain = _PLAIN.get(character)
    if plain is None:
        parts = unicodedata.normalize("NFKD", character)
        plain = "".join(part for part in parts if not unicodedata.combining(part))
    return plain if encodable(plain, codec) and _DELIMITERS.isdisjoint(plain) else "?"
