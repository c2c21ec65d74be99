"""The bundled typeface, as a PDF embeds it: metrics, and one subset of Latin letters for banners.

Source Sans 3 (Adobe, SIL Open Font Licence 1.1, in `data/`). PDF/A asks for every font to be in the file; the subset is
made once a process and costs about 14 kB a document.
"""

import io
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from fontTools import subset  # type: ignore[import-untyped]  # fontTools ships no types
from fontTools.ttLib import TTFont  # type: ignore[import-untyped]  # fontTools ships no types

from insigne.documents.objects import Objects
from insigne.ins.names import latin_letters

DATA: Final = Path(__file__).with_name("data")
REGULAR: Final = DATA / "SourceSans3-Regular.ttf"
BOLD: Final = DATA / "SourceSans3-Bold.ttf"
ITALIC: Final = DATA / "SourceSans3-Italic.ttf"

_LETTERS: Final = frozenset({*range(0x20, 0x7F), *range(0xA0, 0x180), *map(ord, "ȘșȚț‘’“”–—…€")})
_MISSING: Final = "?"
_CMAP_BLOCK: Final = 100
_TAG: Final = "INSGNE"
"""Prefix of the name of a subset, six capitals (ISO 32000-1, 9.6.4)."""


@dataclass(frozen=True, slots=True)
class Face:
    """A subset ready to be embedded: glyphs, and their widths in thousandths of the size, by Unicode character.

    `program` and `unicode` are deflated; `shown` is a glyph as a string operand has it; `present` tells the glyphs it
    has (CIDSet, which PDF/A-1 asks of a subset); `descriptor` and `descendant` are the entries of these dictionaries
    that refer to no object.
    """

    name: str
    glyphs: Mapping[str, int]
    widths: Mapping[str, int]
    cap_height: float
    descriptor: bytes
    descendant: bytes
    program: bytes
    program_length: int
    present: bytes
    unicode: bytes
    shown: Mapping[str, str]

    def write(self, text: str) -> str:
        """Return a text in letters that the face has: what it lacks gives way to its Latin equivalent, or to "?"."""
        if self.glyphs.keys() >= set(text):
            return text
        return "".join(part if part in self.glyphs else latin_letters(part) or _MISSING for part in text)

    def width(self, text: str) -> float:
        """The width of a text (as `write` gives it) at size 1."""
        return sum(map(self.widths.__getitem__, text)) / 1000

    def show(self, text: str) -> str:
        """The string operand that shows a text: glyph numbers in hexadecimal."""
        return f"<{''.join(map(self.shown.__getitem__, text))}>"

    def embed(self, objects: Objects) -> int:
        """Put the face among the objects of a PDF as a composite font (Type 0, Identity-H); return its number.

        The text it shows is copied right.
        """
        program = objects.stream(b"/Filter/FlateDecode/Length1 %d" % self.program_length, self.program)
        present = objects.stream(b"", self.present)
        unicode = objects.stream(b"/Filter/FlateDecode", self.unicode)
        descriptor = objects.add(b"<<%s/FontFile2 %d 0 R/CIDSet %d 0 R>>" % (self.descriptor, program, present))
        descendant = objects.add(b"<<%s/FontDescriptor %d 0 R>>" % (self.descendant, descriptor))
        return objects.add(
            b"<</Type/Font/Subtype/Type0/BaseFont/%s/Encoding/Identity-H/DescendantFonts[%d 0 R]/ToUnicode %d 0 R>>"
            % (self.name.encode(), descendant, unicode)
        )


@cache
def face(path: Path = REGULAR) -> Face:
    """Read a typeface and make its subset of Latin letters; once a process."""
    with TTFont(path) as font:
        return _cut(font)


def _cut(font: Any) -> Face:
    name = f"{_TAG}+{font['name'].getDebugName(6)}"
    options = subset.Options(hinting=False, notdef_outline=True, glyph_names=False, layout_closure=False, name_IDs=[])
    options.drop_tables += ["GDEF", "GPOS", "GSUB", "STAT"]
    cutter = subset.Subsetter(options)
    cutter.populate(unicodes=_LETTERS & font.getBestCmap().keys())
    cutter.subset(font)
    out = io.BytesIO()
    font.save(out)
    names = font.getBestCmap()
    glyphs = {chr(code): font.getGlyphID(glyph) for code, glyph in names.items()}
    unit = 1000 / font["head"].unitsPerEm
    widths = [round(font["hmtx"][glyph][0] * unit) for glyph in font.getGlyphOrder()]
    return Face(
        name=name,
        glyphs=glyphs,
        widths={letter: widths[glyph] for letter, glyph in glyphs.items()},
        cap_height=font["OS/2"].sCapHeight * unit / 1000,
        descriptor=_descriptor(font, name, unit),
        descendant=_descendant(name, widths),
        program=zlib.compress(out.getvalue(), 9),
        program_length=len(out.getvalue()),
        present=_present(len(font.getGlyphOrder())),
        unicode=zlib.compress(_to_unicode(glyphs), 9),
        shown={letter: f"{glyph:04X}" for letter, glyph in glyphs.items()},
    )


def _descriptor(font: Any, name: str, unit: float) -> bytes:
    head, os2 = font["head"], font["OS/2"]
    box = " ".join(str(round(edge * unit)) for edge in (head.xMin, head.yMin, head.xMax, head.yMax))
    bold = os2.usWeightClass >= 600
    return (
        f"/Type/FontDescriptor/FontName/{name}/Flags 4/FontBBox[{box}]/ItalicAngle 0/StemV {140 if bold else 80}"
        f"/Ascent {os2.sTypoAscender * unit:.0f}/Descent {os2.sTypoDescender * unit:.0f}"
        f"/CapHeight {os2.sCapHeight * unit:.0f}"
    ).encode()


def _descendant(name: str, widths: list[int]) -> bytes:
    return (
        f"/Type/Font/Subtype/CIDFontType2/BaseFont/{name}/CIDToGIDMap/Identity/DW 0/W[0[{' '.join(map(str, widths))}]]"
        "/CIDSystemInfo<</Registry(Adobe)/Ordering(Identity)/Supplement 0>>"
    ).encode()


def _present(count: int) -> bytes:
    """One bit a glyph, the first one in the high bit (ISO 32000-1, table 124)."""
    return int("1" * count + "0" * (-count % 8), 2).to_bytes((count + 7) // 8, "big")


def _to_unicode(glyphs: Mapping[str, int]) -> bytes:
    """The table from glyphs to characters; of two characters with one glyph the first (space before hard space)."""
    characters: dict[int, str] = {}
    for letter in sorted(glyphs):
        characters.setdefault(glyphs[letter], letter)
    lines = [f"<{glyph:04X}><{ord(letter):04X}>" for glyph, letter in sorted(characters.items())]
    blocks = [lines[start : start + _CMAP_BLOCK] for start in range(0, len(lines), _CMAP_BLOCK)]
    body = "".join(f"{len(block)} beginbfchar\n" + "\n".join(block) + "\nendbfchar\n" for block in blocks)
    return (
        "/CIDInit/ProcSet findresource begin 12 dict begin begincmap\n"
        "/CIDSystemInfo<</Registry(Adobe)/Ordering(UCS)/Supplement 0>>def\n"
        "/CMapName/Adobe-Identity-UCS def/CMapType 2 def\n"
        "1 begincodespacerange\n<0000><FFFF>\nendcodespacerange\n"
        f"{body}endcmap CMapName currentdict/CMap defineresource pop end end\n"
    ).encode()
