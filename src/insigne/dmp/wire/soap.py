"""Envelopes of SOAP 1.2 with WS-Addressing: written with a signed assertion in their header, read, and their faults."""

from dataclasses import dataclass
from typing import Final

from lxml import etree

from insigne.dmp.wire import names
from insigne.dmp.wire.build import add, root, serialise
from insigne.dmp.wire.model import WireError
from insigne.insi.wire.xml import child, content, first, parse, texts

MAX_BYTES: Final = 4_194_304
"""Largest envelope read: a lot of one document has some tens of kilobytes."""
MEDIA_TYPE: Final = "application/soap+xml"
_HERE: Final = "@ASSERTION@"
_LANGUAGE: Final = f"{{{names.XML}}}lang"


@dataclass(frozen=True, slots=True)
class Envelope:
    """An envelope as read. `assertions` and `payload` are elements of one tree; `message_id` has its `urn:uuid:`."""

    action: str
    message_id: str
    relates_to: str
    assertions: tuple[etree._Element, ...]
    payload: etree._Element


@dataclass(frozen=True, slots=True)
class Fault:
    """A SOAP fault: who is at fault (`Sender`, `Receiver`…), the most precise subcode, the sentence, the detail's text.

    Prefixes are left out of codes.
    """

    role: str
    code: str = ""
    text: str = ""
    detail: str = ""


def content_type(action: str) -> str:
    """Return the Content-Type of an envelope that goes alone."""
    return f'{MEDIA_TYPE}; charset=UTF-8; action="{action}"'


def build(
    action: str,
    message_id: str,
    payload: etree._Element,
    *,
    assertion: bytes = b"",
    relates_to: str = "",
    to: str = "",
) -> bytes:
    """Write an envelope. `payload` is moved into it; `assertion` goes in as the bytes that were signed."""
    envelope = root("soap:Envelope")
    header = add(envelope, "soap:Header")
    must = {} if relates_to else {f"{{{names.SOAP}}}mustUnderstand": "true"}
    add(header, "wsa:Action", action, **must)
    add(header, "wsa:MessageID", message_id)
    if relates_to:
        add(header, "wsa:RelatesTo", relates_to)
    add(header, "wsa:To", to or names.ANONYMOUS)
    if not relates_to:
        add(add(header, "wsa:ReplyTo"), "wsa:Address", names.ANONYMOUS)
    if assertion:
        # A tree that takes another in may choose other prefixes, and the signature would not hold any more.
        add(header, "wsse:Security", _HERE)
    add(envelope, "soap:Body").append(payload)
    written = serialise(envelope)
    return written.replace(_HERE.encode(), assertion, 1) if assertion else written


def build_fault(fault: Fault, message_id: str, relates_to: str = "") -> bytes:
    """Write a fault (HTTP 500, or 400 when the sender is at fault)."""
    told = root("soap:Fault")
    code = add(told, "soap:Code")
    add(code, "soap:Value", f"soap:{fault.role or 'Receiver'}")
    if fault.code:
        add(add(code, "soap:Subcode"), "soap:Value", fault.code)
    add(add(told, "soap:Reason"), "soap:Text", fault.text, **{_LANGUAGE: "fr"})
    if fault.detail:
        add(add(told, "soap:Detail"), "soap:Text", fault.detail)
    return build("http://www.w3.org/2005/08/addressing/soap/fault", message_id, told, relates_to=relates_to)


def read(data: bytes, max_bytes: int = MAX_BYTES) -> Envelope:
    """Read an envelope, whatever is in its header. Raises WireError."""
    envelope = parse(data, max_bytes)
    if envelope.tag != f"{{{names.SOAP}}}Envelope":
        raise WireError("not a SOAP 1.2 envelope")
    payload = first(child(envelope, names.SOAP, "Body"))
    if payload is None:
        raise WireError("a SOAP envelope with an empty body, or without one")
    header = child(envelope, names.SOAP, "Header")
    addressing = texts(header, names.ADDRESSING)
    security = child(header, names.SECURITY, "Security")
    assertions = () if security is None else tuple(security.iterchildren(f"{{{names.SAML}}}Assertion"))
    return Envelope(
        addressing.get("Action", ""),
        addressing.get("MessageID", ""),
        addressing.get("RelatesTo", ""),
        assertions,
        payload,
    )


def read_fault(payload: etree._Element) -> Fault | None:
    """Read a fault, None for another payload."""
    if payload.tag != f"{{{names.SOAP}}}Fault":
        return None
    code = child(payload, names.SOAP, "Code")
    role, precise = content(child(code, names.SOAP, "Value")), ""
    while (code := child(code, names.SOAP, "Subcode")) is not None:
        precise = content(child(code, names.SOAP, "Value")) or precise
    reason = child(payload, names.SOAP, "Reason")
    told = [] if reason is None else list(reason.iterchildren(f"{{{names.SOAP}}}Text"))
    french = [one for one in told if one.get(_LANGUAGE, "").lower().startswith("fr")]
    detail = child(payload, names.SOAP, "Detail")
    inside = "" if detail is None else " ".join(" ".join(str(text) for text in detail.itertext()).split())
    return Fault(_local(role), _local(precise), content(next(iter(french or told), None)), inside)


def _local(name: str) -> str:
    return name.rpartition(":")[2]
