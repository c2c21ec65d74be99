"""XML in and out, guarded: no DTD, no entities, bounded sizes when reading; everything escaped when writing."""

import re
from typing import Final

from lxml import etree

from insigne.insi.wire.model import WireError

MAX_BYTES: Final = 1_048_576
"""Largest message read; a real answer is a few kilobytes."""

# lxml locks a parser while it works: threads may share it.
_PARSER: Final = etree.XMLParser(
    resolve_entities=False, no_network=True, huge_tree=False, load_dtd=False, remove_comments=True, remove_pis=True
)
_ILLEGAL: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_ESCAPES: Final = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\r": "&#13;"})


def parse(data: bytes, max_bytes: int = MAX_BYTES) -> etree._Element:
    """Return the root of an XML document.

    Raises WireError for one that is too large, ill-formed, or has a DOCTYPE (hence any entity of its own).
    """
    if len(data) > max_bytes:
        raise WireError(f"XML of {len(data)} bytes: at most {max_bytes} are read")
    if b"<!DOCTYPE" in data:
        raise WireError("XML with a DOCTYPE: refused")
    try:
        root = etree.fromstring(data, _PARSER)
    except etree.XMLSyntaxError as error:
        # libxml2 quotes the document in its messages: only the place is told.
        raise WireError(f"not well-formed XML (line {error.lineno}, column {error.offset})") from None
    if root.getroottree().docinfo.doctype:
        raise WireError("XML with a DOCTYPE: refused")
    return root


def child(parent: etree._Element | None, namespace: str, name: str) -> etree._Element | None:
    """Return the first child element of that name, or None."""
    # iterchildren compares in C; find would compile and interpret a path.
    return None if parent is None else next(parent.iterchildren(f"{{{namespace}}}{name}"), None)


def first(parent: etree._Element | None) -> etree._Element | None:
    """Return the first child element, or None."""
    return None if parent is None else next(iter(parent), None)


def texts(parent: etree._Element | None, namespace: str) -> dict[str, str]:
    """Return the text of each child element of a namespace by its local name, the first of a name only."""
    start = f"{{{namespace}}}"
    found: dict[str, str] = {}
    for one in () if parent is None else parent:
        tag = str(one.tag)
        if tag.startswith(start):
            found.setdefault(tag[len(start) :], content(one))
    return found


def content(element: etree._Element | None) -> str:
    """Return the text of an element, without the spaces around it."""
    return "" if element is None else (element.text or "").strip()


def escape(value: str) -> str:
    """Return a value as it stands in an element or an attribute. Raises WireError for characters XML has not."""
    if not value.isprintable() and _ILLEGAL.search(value):
        raise WireError("a value holds a control character, which XML cannot carry")
    return value.translate(_ESCAPES)


def element(prefix: str, name: str, value: str) -> str:
    """Return an element with its text, "" for an empty value."""
    return f"<{prefix}{name}>{escape(value)}</{prefix}{name}>" if value else ""
