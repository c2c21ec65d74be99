"""How an answer is spoilt on its way out."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from insigne.simulate.https import HttpReply
from insigne.simulate.timeline import Disturbance, Malformed

_PADDING: Final = b" " * (1 << 20)
_OVERSIZE: Final = 64
_FOREIGN_NAMESPACE: Final = b"urn:simulateur:autre-espace-de-noms"
_SOAP_NAMESPACES: Final = (b"http://www.w3.org/2003/05/soap-envelope", b"http://schemas.xmlsoap.org/soap/envelope/")
_DOCTYPE: Final = b'<!DOCTYPE s [<!ENTITY simu "simu">]>'
_UNAVAILABLE: Final = b"<html><body>Service indisponible</body></html>"


def unavailable(effects: Disturbance) -> HttpReply:
    """Return what a machine in front of the service answers in its place: no SOAP, or nothing at all."""
    if effects.outage:
        return HttpReply(503, cut="closed")
    return HttpReply(effects.http or 503, _UNAVAILABLE, "text/html;charset=UTF-8", delay=effects.latency_ms / 1000)


def spoil(reply: HttpReply, effects: Disturbance, namespaces: Sequence[bytes]) -> HttpReply:
    """Return the answer late, cut or altered, as the effects say.

    `namespaces`: those of what answers hold; the first one found is replaced by a foreign one, that of SOAP if none is.
    """
    if not effects.any:
        return reply
    return replace(
        reply,
        body=_altered(reply.body, effects.malformed, namespaces),
        delay=effects.latency_ms / 1000,
        cut="half" if effects.drop else "",
    )


def _altered(body: bytes, malformed: Malformed, namespaces: Sequence[bytes]) -> bytes:
    match malformed:
        case "xml":
            return body.replace(b"</", b"<", 1)
        case "truncated":
            return body[: len(body) * 2 // 3]
        case "dtd":
            declaration, end, rest = body.partition(b"?>")
            return declaration + end + _DOCTYPE + rest
        case "namespace":
            found = next((name for name in (*namespaces, *_SOAP_NAMESPACES) if name in body), None)
            return body.replace(found, _FOREIGN_NAMESPACE) if found else body
        case "oversized":
            declaration, end, rest = body.partition(b"?>")
            return declaration + end + _PADDING * _OVERSIZE + rest
    return body
