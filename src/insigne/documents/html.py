"""Simple HTML made safe: the few elements a letter needs, no attribute, nothing fetched."""

from collections.abc import Iterator
from html import escape
from typing import Final

from lxml import etree
from lxml import html as reader

from insigne.documents.errors import DocumentError

KEPT: Final = frozenset(
    {
        "b", "blockquote", "br", "center", "dd", "dl", "dt", "em", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "i", "li",
        "ol", "p", "pre", "s", "strong", "sub", "sup", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "u", "ul"
    }
)  # fmt: skip
"""Elements that are drawn. Of any other the text is kept, as a paragraph when it is a block."""
_DROPPED: Final = frozenset(
    {
        "script", "style", "head", "template", "noscript", "object", "iframe", "svg", "math", "select", "textarea"
    }
)  # fmt: skip
"""Elements whose content is no text of the document."""
_BLOCKS: Final = frozenset(
    {
        "address", "article", "aside", "div", "fieldset", "figure", "footer", "form", "header", "main", "nav", "section"
    }
)  # fmt: skip
_INLINE: Final = frozenset(
    {
        "a", "abbr", "b", "br", "cite", "code", "em", "font", "i", "label", "mark", "q", "s", "small", "span", "strong",
        "sub", "sup", "time", "u"
    }
)  # fmt: skip
_VOID: Final = frozenset({"br", "hr"})
_DEEPEST: Final = 60


def plain(document: str) -> str:
    """Rewrite HTML with the elements of `KEPT` alone, its text escaped.

    Raises DocumentError when nothing can be read, or when elements are nested beyond reason.
    """
    try:
        root = reader.document_fromstring(document)
    except (etree.ParserError, ValueError) as error:
        raise DocumentError("html", "this HTML holds no text", "ce HTML ne contient aucun texte") from error
    return "".join(_written(root, 0))


def _written(element: etree._Element, depth: int) -> Iterator[str]:
    if depth > _DEEPEST:
        raise DocumentError(
            "html", f"elements are nested more than {_DEEPEST} deep", f"plus de {_DEEPEST} éléments imbriqués"
        )
    name = element.tag if isinstance(element.tag, str) else ""
    if name and name not in _DROPPED:
        shown = "p" if name in _BLOCKS and not _holds_blocks(element) else name
        if shown in KEPT:
            yield f"<{shown}>"
        if shown not in _VOID:
            yield escape(element.text or "", quote=False)
            for child in element:
                yield from _written(child, depth + 1)
            if shown in KEPT:
                yield f"</{shown}>"
    if depth and element.tail:
        yield escape(element.tail, quote=False)


def _holds_blocks(element: etree._Element) -> bool:
    """Whether a block holds others, which then make the paragraphs."""
    return any(isinstance(child.tag, str) and child.tag not in _INLINE for child in element)
