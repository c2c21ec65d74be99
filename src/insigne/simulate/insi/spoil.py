"""How an answer is spoilt on its way out."""

from dataclasses import replace
from typing import Final

from insigne.simulate.insi.script import Effects, Malformed
from insigne.simulate.insi.server import HttpReply

_PADDING: Final = b" " * (1 << 20)
_OVERSIZE: Final = 64
_RESULT_NAMESPACE: Final = b"http://www.cnamts.fr/INSiResultat"
_FOREIGN_NAMESPACE: Final = b"urn:simulateur:autre-espace-de-noms"
_SOAP_NAMESPACE: Final = b"http://www.w3.org/2003/05/soap-envelope"
_DOCTYPE: Final = b'<!DOCTYPE s [<!ENTITY simu "simu">]>'
_UNAVAILABLE: Final = b"<html><body>Service indisponible</body></html>"


def unavailable(effects: Effects) -> HttpReply:
    """Return what a machine in front of the téléservice answers in its place: no SOAP, or nothing at all."""
    if effects.outage:
        return HttpReply(503, cut="closed")
    return HttpReply(effects.http or 503, _UNAVAILABLE, "text/html;charset=UTF-8", delay=effects.latency_ms / 1000)


def spoil(reply: HttpReply, effects: Effects) -> HttpReply:
    """Return the answer late, cut or altered, as the effects say."""
    if not effects.any:
        return reply
    return replace(
        reply,
        body=_altered(reply.body, effects.malformed),
        delay=effects.latency_ms / 1000,
        cut="half" if effects.drop else "",
    )


def _altered(body: bytes, malformed: Malformed) -> bytes:
    match malformed:
        case "xml":
            return body.replace(b"</", b"<", 1)
        case "truncated":
            return body[: len(body) * 2 // 3]
        case "dtd":
            declaration, end, rest = body.partition(b"?>")
            return declaration + end + _DOCTYPE + rest
        case "namespace":
            found = _RESULT_NAMESPACE if _RESULT_NAMESPACE in body else _SOAP_NAMESPACE
            return body.replace(found, _FOREIGN_NAMESPACE)
        case "oversized":
            declaration, end, rest = body.partition(b"?>")
            return declaration + end + _PADDING * _OVERSIZE + rest
    return body
