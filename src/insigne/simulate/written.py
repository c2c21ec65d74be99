"""The hand-written messages of `examples/`, each with the answers its README states."""

import re
from collections.abc import Iterator
from importlib.resources import files
from typing import Final, NamedTuple

from insigne.hl7 import split_messages

FOLDER: Final = files("insigne.simulate") / "examples"
_ROW: Final = re.compile(r"\| (\S+\.hl7) \| (.*?) \| ([A-Z×0-9 –]+) \| (.*) \|")
_NO_ANSWER: Final = "–"


class WrittenCase(NamedTuple):
    """One file: its messages in order, and for each the MSA-1 to expect ("" when nothing is answered)."""

    name: str
    what: str
    messages: tuple[bytes, ...]
    codes: tuple[str, ...]
    effect: str


def written_cases() -> Iterator[WrittenCase]:
    """Every case, in the order of the README."""
    for line in (FOLDER / "README.md").read_text(encoding="utf-8").splitlines():
        row = _ROW.fullmatch(line)
        if row is not None:
            name, what, answers, effect = row.groups()
            messages = tuple(split_messages((FOLDER / name).read_bytes()))
            yield WrittenCase(name, what, messages, tuple(_codes(answers)), effect)


def _codes(answers: str) -> Iterator[str]:
    """`AA×3 AE` is AA, AA, AA, AE; a dash is no answer."""
    for word in answers.split():
        code, _, times = word.partition("×")
        for _ in range(int(times or 1)):
            yield "" if code == _NO_ANSWER else code
