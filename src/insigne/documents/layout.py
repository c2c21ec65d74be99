"""A banner laid out on a strip of a page: lines of traits on the left, the symbol and its caption on the right.

Lengths are in points (1/72 inch) at the size of an A4 page; the origin of a strip is its bottom left corner.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Final

from insigne.documents.banner import Banner, Item
from insigne.documents.errors import DocumentError
from insigne.documents.font import BOLD, REGULAR, Face, face
from insigne.documents.symbol import CAPTION, QUIET_MODULES, Symbol, symbol_of

POINTS_PER_MM: Final = 72 / 25.4
SIDE: Final = 20.0
"""Margin left and right: what printers leave blank."""
EDGE: Final = 10.0
"""Margin above and below."""
SIZE: Final = 9.0
LEADING: Final = 12.5
CAPTION_SIZE: Final = 6.5
CAPTION_HEIGHT: Final = 8.0
GAP: Final = 12.0
"""Space between two traits of a line, and between the lines and the symbol."""
NARROWEST: Final = 90.0
"""Width that the lines need, about fifteen letters."""
_LENGTHS: Final = [f"{length} 1 re\n" for length in range(145)]
"""Runs of modules as what follows their corner in a path; the largest symbol has 144 modules on a side."""


@dataclass(frozen=True, slots=True)
class Strip:
    """A banner drawn: its size in points, and the operators that draw it with the fonts /R (regular) and /B (bold)."""

    width: float
    height: float
    operators: bytes


@dataclass(frozen=True, slots=True)
class _Piece:
    """A text on a line, at its distance from the left."""

    x: float
    text: str
    bold: bool


def lay_out_symbol(payload: str, module_mm: float) -> Strip:
    """Lay a symbol out alone, with its caption: a label."""
    symbol = symbol_of(payload)
    side = symbol.side * module_mm * POINTS_PER_MM
    operators = "\n".join(_symbol(symbol, 0.0, side + CAPTION_HEIGHT, module_mm * POINTS_PER_MM))
    return Strip(side, side + CAPTION_HEIGHT, operators.encode())


def lay_out(banner: Banner, width: float, module_mm: float) -> Strip:
    """Lay a banner out on a strip of this width, as high as it needs.

    Raises DocumentError when the page is too narrow for the symbol and a column of text.
    """
    symbol = symbol_of(banner.payload) if banner.payload else None
    module = module_mm * POINTS_PER_MM
    side = symbol.side * module if symbol else 0.0
    room = width - 2 * SIDE - (side + GAP if symbol else 0.0)
    if room < NARROWEST:
        least = (width - room + NARROWEST) / POINTS_PER_MM
        raise DocumentError(
            "narrow-page",
            f"the page is too narrow for the banner, which needs {least:.0f} mm: use larger paper or smaller modules",
            f"la page est trop étroite pour le bandeau, qui demande {least:.0f} mm",
        )
    flow = _Flow(room)
    for row in banner.rows:
        flow.row(row)
    text_height = len(flow.lines) * LEADING
    height = 2 * EDGE + max(text_height, side + CAPTION_HEIGHT if symbol else 0.0)
    top = height - EDGE - (height - 2 * EDGE - text_height) / 2
    drawn = [f"1 g 0 0 {width:.2f} {height:.2f} re f 0 g"]
    drawn += _text(flow.lines, top)
    if symbol:
        drawn += _symbol(symbol, width - SIDE - side, height - EDGE, module)
    return Strip(width, height, "\n".join(drawn).encode())


class _Flow:
    """Lines being filled, each at most `room` points wide."""

    def __init__(self, room: float) -> None:
        self.lines: list[list[_Piece]] = []
        self._room = room
        self._x = 0.0

    def row(self, row: tuple[Item, ...]) -> None:
        """Write a row of traits on lines of their own: broken between traits, else between words, else in a word."""
        self._start()
        for item in row:
            (label, before), value = _label(f"{item.label} : "), face(BOLD).write(item.value)
            before *= SIZE
            after = _width(value)
            if self._x and self._x + GAP + before + after > self._room:
                self._start()
            elif self._x:
                self._x += GAP
            self._put(label, before, bold=False)
            if self._x + after <= self._room:
                self._put(value, after, bold=True)
                continue
            for word in re.findall(r"\S+\s*", value):
                for part in self._cut(word):
                    self._write(part)

    def _start(self) -> None:
        self.lines.append([])
        self._x = 0.0

    def _write(self, word: str) -> None:
        """Write a word of a value, on a new line when it does not fit."""
        if self._x and self._x + _width(word.rstrip()) > self._room:
            self._start()
        self._put(word, _width(word), bold=True)

    def _put(self, text: str, width: float, *, bold: bool) -> None:
        self.lines[-1].append(_Piece(self._x, text, bold))
        self._x += width

    def _cut(self, word: str) -> Iterator[str]:
        """Cut a word wider than a line."""
        most = int(self._room / _width("W"))
        if _width(word) <= self._room:
            yield word
            return
        for start in range(0, len(word), most):
            yield word[start : start + most]


def _width(text: str) -> float:
    """The width of a value."""
    return face(BOLD).width(text) * SIZE


def _face(*, bold: bool) -> Face:
    return face(BOLD if bold else REGULAR)


@cache
def _label(text: str) -> tuple[str, float]:
    """A text that every banner has, as it is written, and its width at size 1."""
    written = face(REGULAR).write(text)
    return written, face(REGULAR).width(written)


@cache
def _corners(wide: int) -> list[str]:
    """The corner of each place of a symbol, as operands; `wide` places in a row."""
    return [f"{place % wide + QUIET_MODULES} {place // wide + QUIET_MODULES} " for place in range(wide * wide)]


def _text(lines: list[list[_Piece]], top: float) -> Iterator[str]:
    for number, line in enumerate(lines):
        y = top - number * LEADING - SIZE
        for piece in line:
            font = "B" if piece.bold else "R"
            shown = _face(bold=piece.bold).show(piece.text)
            yield f"BT /{font} {SIZE} Tf {SIDE + piece.x:.2f} {y:.2f} Td {shown} Tj ET"


def _symbol(symbol: Symbol, left: float, top: float, module: float) -> Iterator[str]:
    """The symbol in one path, so that no renderer shows seams between modules; the caption centred under it."""
    yield f"q {module:.4f} 0 0 {-module:.4f} {left:.2f} {top:.2f} cm"
    corners = _corners(symbol.wide)
    yield "".join([corners[start] + _LENGTHS[end - start] for start, end in symbol.spans()]) + "f Q"
    caption, width = _label(CAPTION)
    side = symbol.side * module
    x = left + (side - width * CAPTION_SIZE) / 2
    y = top - side - CAPTION_HEIGHT + 2
    yield f"BT /R {CAPTION_SIZE} Tf {x:.2f} {y:.2f} Td {face(REGULAR).show(caption)} Tj ET"
