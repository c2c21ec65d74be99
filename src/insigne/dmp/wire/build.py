"""Writing XML as a tree: elements added to one another, every value escaped, control characters refused."""

from functools import cache
from typing import Final

from lxml import etree

from insigne.dmp.wire import names
from insigne.dmp.wire.model import WireError

_PREFIXES: Final = {
    "soap": names.SOAP,
    "wsa": names.ADDRESSING,
    "wsse": names.SECURITY,
    "xdsb": names.XDSB,
    "rim": names.RIM,
    "rs": names.RS,
    "lcm": names.LCM,
    "query": names.QUERY,
    "xop": names.XOP,
    "saml2": names.SAML,
    "ds": names.DSIG,
}
"""Prefixes by which tags are named here and written there. XML of HL7 has the default namespace instead."""


def root(tag: str, /, **attributes: str) -> etree._Element:
    """Make an element `prefix:Name` that stands alone; HL7's when it has no prefix."""
    name, prefixes = _named(tag)
    return _filled(etree.Element(name, nsmap=prefixes), "", attributes)


def add(parent: etree._Element, tag: str, text: str = "", /, **attributes: str) -> etree._Element:
    """Add an element; attributes without a value are left out. Raises WireError for what XML cannot carry."""
    name, prefixes = _named(tag)
    return _filled(etree.SubElement(parent, name, nsmap=prefixes), text, attributes)


def serialise(tree: etree._Element) -> bytes:
    """Return a document, UTF-8 with its declaration."""
    return etree.tostring(tree, encoding="UTF-8", xml_declaration=True)


@cache
def _named(tag: str) -> tuple[str, dict[str | None, str]]:
    """Return the qualified name of a tag, and the prefix it is written under. The tags of the wire are a few dozen."""
    prefix, _, name = tag.rpartition(":")
    space = _PREFIXES.get(prefix, names.HL7)
    return f"{{{space}}}{name}", {prefix or None: space}


def _filled(element: etree._Element, text: str, attributes: dict[str, str]) -> etree._Element:
    try:
        for name, value in attributes.items():
            if value:
                element.set(name, value)
        if text:
            element.text = text
    except ValueError:
        raise WireError(f"{etree.QName(element).localname}: a control character, which XML cannot carry") from None
    return element
