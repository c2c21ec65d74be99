"""Stand-ins for personal values: of the same shape and length, the same for the same value, drawn under a secret key.

A value is taken word by word, so that a name is the same stand-in in a list of given names, in capitals or without its
accents. Two passes: what is personal is learned first, so that no stand-in is by chance the value of somebody else.
"""

import hashlib
import hmac
import re
import unicodedata
from calendar import monthrange
from collections.abc import Callable, Iterator
from typing import Final, TypeAlias

from insigne.ins.matricule import is_matricule, key_of
from insigne.pam.redaction.words import WORDS

#: A day as ISO writes it, a moment with its zone, a run of letters and digits.
_TOKEN: Final = re.compile(r"\d{4}-\d{2}-\d{2}|\d{12,14}(?:\.\d{1,4})?[+-]\d{4}|[^\W_]+")
_MOMENT: Final = re.compile(r"(\d{8})((?:\d{2}){0,3})((?:\.\d{1,4})?(?:[+-]\d{4})?)")
#: Places in a message, as findings name them: their numbers are nobody's.
_PLACE: Final = re.compile(r"\b[A-Z][A-Z0-9]{2}(?:\(\d+\))?-\d{1,3}(?:\[\d+\])?(?:\.\d{1,3}){0,2}")
_ACCENTED: Final = "ÀÂÄÇÈÉÊËÎÏÔÖÙÛÜ"  # in ISO 8859-1
_LATER: Final = "ŒŠŽŸ"  # in ISO 8859-15 only
_OTHER_LATIN: Final = "ĂĆČĎĐĘĚŁŃŇŐŘŚŤŰ"  # in neither
_LATIN_1_END: Final = 0x100
_LATIN_END: Final = 0x250
_TRIES: Final = 64
_SHORT: Final = 2

#: From a word, whether it is replaced.
Replaced: TypeAlias = Callable[[str], bool]
#: From a word and random bytes, a stand-in.
Draw: TypeAlias = Callable[[str, bytes], str]


class StandIns:
    """The stand-ins of one bundle. `key` is random and kept nowhere, so that nobody can find a value by trying."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._learned: set[str] = set()
        self._given: dict[str, str] = {}
        self._used: set[str] = set()
        self.learning = True

    def of(self, text: str) -> str:
        """The text with every word of it replaced."""
        if self.learning:
            self._learned.update(_folded(token) for token in _tokens(text))
            return text
        return _TOKEN.sub(lambda found: self._written(found[0]), text)

    def scrub(self, text: str) -> str:
        """A text of our own, which names nobody by itself: only words learned elsewhere are replaced."""
        if self.learning:
            return text
        return self._outside_places(text, lambda token: len(token) >= _SHORT and _folded(token) in self._learned)

    def foreign(self, text: str) -> str:
        """A text that somebody else wrote: only words that speak of messages are left."""
        if self.learning:
            return text
        return self._outside_places(text, lambda token: not self._harmless(token))

    def known(self, text: str) -> bool:
        """Whether a word of the text, of more than two characters, is a personal value."""
        return any(len(token) > _SHORT and _folded(token) in self._learned for token in _tokens(text))

    def _harmless(self, token: str) -> bool:
        folded = _folded(token)
        short = len(token) < _SHORT or (token.isdigit() and len(token) <= _SHORT + 1)
        return (short or folded in WORDS) and folded not in self._learned

    def _outside_places(self, text: str, replaced: Replaced) -> str:
        written, end = [], 0
        for place in _PLACE.finditer(text):
            written += [self._within(text[end : place.start()], replaced), place[0]]
            end = place.end()
        return "".join((*written, self._within(text[end:], replaced)))

    def _within(self, text: str, replaced: Replaced) -> str:
        return _TOKEN.sub(lambda found: self._written(found[0]) if replaced(found[0]) else found[0], text)

    def _written(self, token: str) -> str:
        """The stand-in of one word."""
        if "-" in token[4:5]:
            day = self._day(token.replace("-", ""))
            return f"{day[:4]}-{day[4:6]}-{day[6:]}"
        moment = _MOMENT.fullmatch(token)
        if moment is not None and _is_day(moment[1]):
            return self._day(moment[1]) + self._time(moment[2]) + moment[3]
        folded = _folded(token)
        if is_matricule(folded.upper()):
            return self._matricule(token)
        letters = self._given.get(folded) or self._drawn(folded, _characters)
        return _dressed(token, letters)

    def _day(self, day: str) -> str:
        if not _is_day(day):
            return self._given.get(day) or self._drawn(day, _characters)
        return self._given.get(day) or self._drawn(day, _a_day)

    def _time(self, time: str) -> str:
        """Hours, minutes and seconds."""
        if not time.strip("0"):
            return time
        drawn = self._stream(f"time {time}", 0)
        return "".join(f"{drawn[place] % (24 if place == 0 else 60):02d}" for place in range(len(time) // 2))

    def _matricule(self, value: str) -> str:
        """One that nobody can have (month 00), its key right when the one it stands for is."""
        folded = _folded(value)
        known = self._given.get(folded)
        if known is None:
            right = key_of(value.upper()[:13]) == value[13:]

            def draw(_: str, stream: bytes) -> str:
                digits = "".join(str(byte % 10) for byte in stream[:10])
                root = f"{folded[0]}{digits[:2]}00{digits[2:10]}"
                key = int(key_of(root))
                return f"{root}{key if right else key % 97 + 1:02d}"

            known = self._drawn(folded, draw)
        return known

    def _drawn(self, value: str, draw: Draw) -> str:
        """A stand-in that is no value and no stand-in of another, as far as there is one."""
        for attempt in range(_TRIES):
            drawn = draw(value, self._stream(value, attempt))
            if drawn not in self._learned and drawn not in self._used:
                break
        self._used.add(drawn)
        self._given[value] = drawn
        return drawn

    def _stream(self, value: str, attempt: int) -> bytes:
        """As many bytes as a value has characters, and some."""
        size, blocks = len(value) + 16, []
        for block in range(size // 32 + 1):
            text = f"{attempt} {block} {value}".encode("utf-8", "surrogatepass")
            blocks.append(hmac.digest(self._key, text, hashlib.sha256))
        return b"".join(blocks)


def _tokens(text: str) -> Iterator[str]:
    for token in _TOKEN.findall(text):
        yield token.replace("-", "") if "-" in token[4:5] else token
        moment = _MOMENT.fullmatch(token)
        if moment is not None and moment[2] + moment[3]:
            yield moment[1]


def _is_day(text: str) -> bool:
    year, month, day = int(text[:4]), int(text[4:6]), int(text[6:])
    return 1800 <= year <= 2199 and 1 <= month <= 12 and 1 <= day <= monthrange(year, month)[1]


def _a_day(_: str, stream: bytes) -> str:
    year, month = 1900 + stream[0] % 100, 1 + stream[1] % 12
    return f"{year}{month:02d}{1 + stream[2] % monthrange(year, month)[1]:02d}"


def _characters(value: str, stream: bytes) -> str:
    """One small letter or digit for each character."""
    return "".join(
        str(byte % 10) if character.isdigit() else chr(97 + byte % 26)
        for character, byte in zip(value, stream, strict=False)
    )


def _folded(token: str) -> str:
    """A word in small letters without accents, character by character."""
    return "".join(_bare(character) for character in token)


def _bare(character: str) -> str:
    small = character.lower()[:1]
    return small if small.isascii() else unicodedata.normalize("NFD", small)[0]


def _dressed(token: str, letters: str) -> str:
    """The letters drawn, in the capitals, accents and alphabets of the word they stand for."""
    return "".join(_alike(old, new) for old, new in zip(token, letters, strict=True))


def _alike(old: str, new: str) -> str:
    if old.isascii() or old.isdigit():
        return new.upper() if old.isupper() else new
    rank, capital = ord(new) - 97 if new.isalpha() else int(new), old.upper()
    if ord(old) < _LATIN_END:
        alphabet = _ACCENTED if ord(old) < _LATIN_1_END else _LATER if capital in _LATER else _OTHER_LATIN
        chosen = alphabet[rank % len(alphabet)]
        return chosen if old.isupper() else chosen.lower()
    start = ord(old) & ~0x1F
    near = [chr(code) for code in range(start, start + 32) if chr(code).isalpha() and chr(code) != old]
    return near[rank % len(near)] if near else "X"
