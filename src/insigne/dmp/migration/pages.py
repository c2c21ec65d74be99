"""A page of headings, paragraphs, lists and tables, as Markdown or as the simple HTML that becomes a PDF/A. Pure."""

import re
from collections.abc import Iterable, Sequence
from html import escape
from typing import Final, NamedTuple

_SPECIAL: Final = re.compile(r"([\\`*_\[\]<>|#])")


class Heading(NamedTuple):
    """A title, of level 1 to 3."""

    level: int
    text: str


class Paragraph(NamedTuple):
    """A paragraph."""

    text: str


class Bullets(NamedTuple):
    """A list."""

    items: tuple[str, ...]


class Grid(NamedTuple):
    """A table with its titles; each row has as many cells, two at least."""

    titles: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


Block = Heading | Paragraph | Bullets | Grid


def markdown(blocks: Iterable[Block]) -> str:
    """The page as Markdown; no text of it is markup."""
    return "\n\n".join(_markdown(block) for block in blocks) + "\n"


def _markdown(block: Block) -> str:
    match block:
        case Heading(level, text):
            return f"{'#' * level} {_plain(text)}"
        case Paragraph(text):
            return _plain(text)
        case Bullets(items):
            return "\n".join(f"- {_plain(item)}" for item in items)
        case Grid(titles, rows):
            return "\n".join([_row(titles), _row(["---"] * len(titles), raw=True), *(_row(row) for row in rows)])


def _row(cells: Sequence[str], *, raw: bool = False) -> str:
    return f"| {' | '.join(cell if raw else _plain(cell) for cell in cells)} |"


def _plain(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))


def html(blocks: Iterable[Block]) -> str:
    """The page as HTML."""
    return "<html><body>" + "".join(_html(block) for block in blocks) + "</body></html>"


def _html(block: Block) -> str:
    match block:
        case Heading(level, text):
            return f"<h{level}>{_text(text)}</h{level}>"
        case Paragraph(text):
            return f"<p>{_text(text)}</p>"
        case Bullets(items):
            return "<ul>" + "".join(f"<li>{_text(item)}</li>" for item in items) + "</ul>"
        case Grid(titles, rows):
            return "".join(_record(titles, row) for row in rows)


def _record(titles: Sequence[str], row: Sequence[str]) -> str:
    """A row as a paragraph: its two first cells, then the others by name. A PDF made of HTML has even columns only."""
    rest = " ; ".join(f"{title} : {cell}" for title, cell in zip(titles[2:], row[2:], strict=True) if cell)
    return f"<p><b>{_text(row[0])}</b> {_text(row[1])}{f'<br>{_text(rest)}' if rest else ''}</p>"


def _text(text: str) -> str:
    """A text as HTML; French punctuation stays with its word."""
    for mark in ":;?!»":
        text = text.replace(f" {mark}", f"\N{NO-BREAK SPACE}{mark}")
    return escape(text.replace("« ", "«\N{NO-BREAK SPACE}"))
