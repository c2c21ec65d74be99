"""Envelopes of SOAP, 1.1 and 1.2: reading a call, writing an answer or a fault."""

import re
from dataclasses import dataclass
from html import escape
from typing import Final

from lxml import etree

from insigne.simulate.dmp.mime import Package
from insigne.simulate.dmp.names import SOAP11, SOAP12, WSA, WSSE
from insigne.simulate.https import HttpReply

MAX_ROOT: Final = 32 << 20
"""Bytes of the XML of a call: documents travel beside it."""

_BOUNDARY: Final = "simulateur-dmp"
_ROOT: Final = "reponse@simulateur-dmp"
_MEDIA: Final = {SOAP11: "text/xml", SOAP12: "application/soap+xml"}
_DECLARATION: Final = '<?xml version="1.0" encoding="UTF-8"?>'
_ACTION: Final = re.compile(r'^"?([^"]*)"?$')


class NotSoapError(ValueError):
    """Bytes that are no call of SOAP. The text tells why."""


class Fault(Exception):  # noqa: N818 - the word of SOAP
    """A call answered by a fault. `code` is a qualified name of WS-Security, or a word of the simulator's own."""

    def __init__(self, code: str, text: str, *, receiver: bool = False) -> None:
        super().__init__(code)
        self.code, self.text, self.receiver = code, text, receiver


@dataclass(frozen=True, slots=True)
class Call:
    """A call: its namespace of SOAP, action, message id, wsse:Security header and body, with its attachments."""

    soap: str
    action: str
    message_id: str
    security: etree._Element | None
    body: etree._Element
    package: Package


def parse_xml(text: bytes) -> etree._Element:
    """Read XML without entities, DTD nor network. Raises NotSoapError, which quotes nothing."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, remove_comments=False)
    try:
        root = etree.fromstring(text, parser)
    except etree.XMLSyntaxError as error:
        raise NotSoapError(f"le XML n’est pas bien formé, ligne {error.lineno or 0}") from error
    if root.getroottree().docinfo.doctype:
        raise NotSoapError("une DTD est refusée")
    return root


def read_call(package: Package, headers: dict[str, str]) -> Call:
    """Read a call. The action is that of wsa:Action, else of Content-Type, else of SOAPAction. Raises NotSoapError."""
    if package.root.size > MAX_ROOT:
        raise NotSoapError("le XML est trop gros : le document va dans une pièce jointe (MTOM)")
    envelope = parse_xml(package.root.whole())
    soap = etree.QName(envelope).namespace or ""
    if soap not in _MEDIA or etree.QName(envelope).localname != "Envelope":
        raise NotSoapError("ce n’est pas une enveloppe SOAP 1.1 ou 1.2")
    header, body = envelope.find(f"{{{soap}}}Header"), envelope.find(f"{{{soap}}}Body")
    content = next(body.iterchildren(tag=etree.Element), None) if body is not None else None
    if content is None:
        raise NotSoapError("le corps de l’enveloppe est vide")
    action = message_id = ""
    security = None
    if header is not None:
        action = (header.findtext(f"{{{WSA}}}Action") or "").strip()
        message_id = (header.findtext(f"{{{WSA}}}MessageID") or "").strip()
        security = header.find(f"{{{WSSE}}}Security")
    found = _ACTION.match(headers.get("soapaction", ""))
    action = action or package.parameters.get("action", "") or (found[1] if found else "")
    return Call(soap, action, message_id, security, content, package)


def answer(call: Call, action: str, content: str, *, mtom: bool = False) -> HttpReply:
    """Write the answer to a call; `content` is XML. With `mtom` it is the root of a package, as ITI-41 asks for."""
    text = _envelope(call.soap, _addressing(action, call.message_id), content)
    media = _MEDIA[call.soap]
    if not mtom:
        return HttpReply(200, text, f"{media};charset=UTF-8")
    head = (
        f'--{_BOUNDARY}\r\nContent-Type: application/xop+xml;charset=UTF-8;type="{media}"\r\n'
        f"Content-Transfer-Encoding: binary\r\nContent-ID: <{_ROOT}>\r\n\r\n"
    )
    kind = f'multipart/related;boundary="{_BOUNDARY}";type="application/xop+xml";start="<{_ROOT}>";start-info="{media}"'
    return HttpReply(200, head.encode() + text + f"\r\n--{_BOUNDARY}--\r\n".encode(), kind)


def fault(soap: str, message_id: str, wrong: Fault) -> HttpReply:
    """Write a fault, with HTTP 500 as the usual servers do."""
    code, text = escape(wrong.code), escape(wrong.text)
    names = f' xmlns:wsse="{WSSE}"' if code.startswith("wsse:") else ""
    if soap == SOAP11:
        code = code if names else f"soap:{'Server' if wrong.receiver else 'Client'}.{code}"
        content = f"<soap:Fault{names}><faultcode>{code}</faultcode><faultstring>{text}</faultstring></soap:Fault>"
    else:
        own = "" if names else ' xmlns:simu="urn:simulateur-dmp"'
        code = code if names else f"simu:{code}"
        content = (
            f"<soap:Fault{names}{own}><soap:Code><soap:Value>soap:{'Receiver' if wrong.receiver else 'Sender'}"
            f"</soap:Value><soap:Subcode><soap:Value>{code}</soap:Value></soap:Subcode></soap:Code>"
            f'<soap:Reason><soap:Text xml:lang="fr">{text}</soap:Text></soap:Reason></soap:Fault>'
        )
    header = _addressing(f"{WSA}/soap/fault", message_id)
    return HttpReply(500, _envelope(soap, header, content), f"{_MEDIA[soap]};charset=UTF-8")


def _envelope(soap: str, header: str, content: str) -> bytes:
    return (
        f'{_DECLARATION}<soap:Envelope xmlns:soap="{soap}" xmlns:wsa="{WSA}"><soap:Header>{header}</soap:Header>'
        f"<soap:Body>{content}</soap:Body></soap:Envelope>"
    ).encode()


def _addressing(action: str, message_id: str) -> str:
    relates = f"<wsa:RelatesTo>{escape(message_id)}</wsa:RelatesTo>" if message_id else ""
    return f"<wsa:Action>{escape(action)}</wsa:Action>{relates}"
