"""Making a PDF/A-1b of a text or of simple HTML (ISO 19005-1): every font in the file, nothing fetched.

No independent validator was available: the structure is tested (fonts, output intent, metadata), not certified.
"""

import unicodedata
from datetime import datetime
from functools import cache
from typing import Final

from fontTools.ttLib import TTFont  # type: ignore[import-untyped]  # fontTools ships no types
from fpdf import FPDF, TextStyle
from fpdf.enums import DocumentCompliance
from fpdf.errors import FPDFException

from insigne.documents.errors import DocumentError
from insigne.documents.font import BOLD, ITALIC, REGULAR
from insigne.documents.html import plain

MOST_CHARACTERS: Final = 1_000_000
_FAMILY: Final = "body"
_SIZE: Final = 10.5
_MARGIN: Final = 20
"""Millimetres."""
_NAMED: Final = 5
"""Characters told when some cannot be written."""
_INVISIBLE: Final = dict.fromkeys(map(ord, "\u00ad\u200b\u200c\u200d\u2060\ufeff"))
"""Characters that show nothing, where a line may break or not."""
_BREAKS: Final = frozenset("\n\f\v")
_HEADINGS: Final = {"h1": 16.0, "h2": 13.5, "h3": 12.0, "h4": 11.0, "h5": 10.5, "h6": 10.5}
_STYLES: Final = {
    **{tag: TextStyle(_FAMILY, "B", size, color=0, t_margin=4, b_margin=1.5) for tag, size in _HEADINGS.items()},
    "blockquote": TextStyle(_FAMILY, font_size_pt=_SIZE, color=0, l_margin=8, t_margin=2, b_margin=2),
    "pre": TextStyle(_FAMILY, font_size_pt=_SIZE),
}


def render_text(text: str, title: str, moment: datetime) -> bytes:
    """Make a PDF/A-1b of a text, its lines and blank lines kept; `moment` is that of its creation.

    Raises DocumentError for what is too long, and for characters that the bundled typeface lacks: none is left out.
    """
    if len(text) > MOST_CHARACTERS:
        raise _TOO_LONG
    content = _readable(text.replace("\r\n", "\n").replace("\r", "\n").expandtabs(4))
    paper = _paper(title, moment)
    paper.multi_cell(0, text=content, new_x="LMARGIN", new_y="NEXT", align="L")
    return bytes(paper.output())


def render_html(document: str, title: str, moment: datetime) -> bytes:
    """Make a PDF/A-1b of simple HTML: headings, paragraphs, lists, tables, bold and italic.

    Styles, images, links and scripts are left out, their text apart; nothing is fetched. Raises as `render_text`.
    """
    if len(document) > MOST_CHARACTERS:
        raise _TOO_LONG
    content = _readable(plain(document))
    paper = _paper(title, moment)
    try:
        paper.write_html(content, font_family=_FAMILY, tag_styles=_STYLES, table_line_separators=True)
    except FPDFException:  # its text may quote the document
        raise _MISPLACED from None
    return bytes(paper.output())


class _Paper(FPDF):
    """A4 pages, numbered at the bottom."""

    def footer(self) -> None:
        """Write the number of the page, called by fpdf2 at each end of page."""
        self.set_y(-15)
        self.set_font(_FAMILY, size=8)
        self.cell(0, 5, f"Page {self.page_no()} / {{nb}}", align="C")


def _paper(title: str, moment: datetime) -> FPDF:
    paper = _Paper(format="A4", enforce_compliance=DocumentCompliance.PDFA_1B)
    for style, file in (("", REGULAR), ("B", BOLD), ("I", ITALIC), ("BI", BOLD)):
        paper.add_font(_FAMILY, style, file)
    paper.set_title(title)
    paper.set_lang("fr-FR")
    paper.set_creator("Insigne")
    paper.set_creation_date(moment)
    paper.set_margin(_MARGIN)
    paper.set_auto_page_break(True, _MARGIN)
    paper.add_page()
    paper.set_font(_FAMILY, size=_SIZE)
    return paper


@cache
def _letters() -> frozenset[int]:
    with TTFont(REGULAR, lazy=True) as font:
        return frozenset(font.getBestCmap())


def _readable(text: str) -> str:
    """A text as the typeface writes it: composed letters, nothing invisible. Refuses what it would leave out."""
    composed = unicodedata.normalize("NFC", text).translate(_INVISIBLE)
    missing = {letter for letter in set(composed) - _BREAKS if ord(letter) not in _letters()}
    if missing:
        named = ", ".join(f"U+{code:04X}" for code in sorted(map(ord, missing))[:_NAMED])
        raise DocumentError(
            "characters",
            f"{len(missing)} character(s) cannot be written ({named}): replace them",
            f"{len(missing)} caractère(s) ne peuvent être écrits ({named}) : remplacez-les",
        )
    return composed


_TOO_LONG: Final = DocumentError(
    "length",
    f"the text has more than {MOST_CHARACTERS} characters: divide it",
    f"le texte dépasse {MOST_CHARACTERS} caractères : divisez-le",
)
_MISPLACED: Final = DocumentError(
    "html",
    "elements of this HTML stand where they cannot: rows belong in a table, cells in a row",
    "des éléments de ce HTML sont mal placés : une ligne va dans un tableau, une cellule dans une ligne",
)
