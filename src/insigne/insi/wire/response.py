"""Answers of INSi: read tolerantly by the client, written by the simulator with the deviations of the real service."""

from dataclasses import replace
from enum import StrEnum
from typing import Final

from lxml import etree

from insigne.insi.wire import names
from insigne.insi.wire.model import (
    FOUND,
    HTTP_PREFIX,
    MALFORMED,
    NOT_FOUND,
    SEVERAL,
    InsiAnswer,
    InsiFault,
    InsiResult,
    InsiTraits,
    InsNumber,
    WireError,
)
from insigne.insi.wire.xml import MAX_BYTES, child, content, element, escape, first, parse, texts

LABELS: Final = {
    FOUND: "OK",
    NOT_FOUND: "Aucune identite trouvee",
    SEVERAL: "Plusieurs identites trouvees",
}
"""The labels of the real service, which have no accent."""


class Deviation(StrEnum):
    """How real answers and official test files depart from the schemas; a reader must take them all."""

    D1 = "D1"
    """Several prefixes for the SOAP namespace in one envelope."""
    D2 = "D2"
    """`severite="fatal"`, where the schema lists `fatale`."""
    D3 = "D3"
    """The dates of a past INS before its number."""
    D4 = "D4"
    """A past INS that begins after it ends."""
    D5 = "D5"
    """The active INS repeated among the past ones."""
    D6 = "D6"
    """A key that fails modulo 97."""
    D7 = "D7"
    """A French sentence announced as English."""
    D8 = "D8"
    """Sentences worded otherwise (here, without apostrophes)."""
    D9 = "D9"
    """The message id echoed in `Erreur`."""


NO_DEVIATION: Final[frozenset[Deviation]] = frozenset()
_XML_LANG: Final = "{http://www.w3.org/XML/1998/namespace}lang"


def read_answer(http_status: int, body: bytes, max_bytes: int = MAX_BYTES) -> InsiResult:
    """Read what came back of a call; never raises: what cannot be read is a technical fault of our own.

    Elements are found by namespace and name, in any order, under any prefix; texts are kept as received.
    """
    try:
        payload = _payload(parse(body, max_bytes))
        if payload.tag == f"{{{names.SOAP}}}Fault":
            return _read_fault(http_status, payload)
        if not 200 <= http_status < 300:
            raise WireError("an answer under an HTTP status of error")  # noqa: TRY301 - told like any other oddity
        return _read_result(http_status, payload)
    except WireError as error:
        code = MALFORMED if http_status < 400 else f"{HTTP_PREFIX}{http_status}"
        return InsiFault(
            code, text="La réponse du téléservice est illisible", detail=str(error), http_status=http_status
        )


def build_answer(answer: InsiAnswer, deviations: frozenset[Deviation] = NO_DEVIATION) -> bytes:
    """Write an answer (HTTP 200), without SOAP header, as the real service does."""
    active, history = answer.active, answer.history
    person = ""
    if active is not None:
        if Deviation.D6 in deviations:
            active = replace(active, key=f"{int(active.key or 0) % 97 + 1:02d}")
        if Deviation.D5 in deviations:
            history = (*history, active)
        past = "".join(_number("INSHISTO", number, deviations) for number in history)
        person = f"<INDIVIDU>{_number('INSACTIF', active, NO_DEVIATION)}{past}{_traits(answer.traits)}</INDIVIDU>"
    label = answer.label or LABELS.get(answer.code, "")
    outcome = f"<CR><CodeCR>{escape(answer.code)}</CodeCR><LibelleCR>{escape(label)}</LibelleCR></CR>"
    return _envelope(f'<RESULTAT xmlns="{names.RESULT}">{outcome}{person}</RESULTAT>', deviations)


def build_fault(fault: InsiFault, deviations: frozenset[Deviation] = NO_DEVIATION) -> bytes:
    """Write a SOAP fault (HTTP 500). With D9, `fault.message_id` is echoed."""
    severity = fault.severity or "fatale"
    if Deviation.D2 in deviations:
        severity = severity.replace("fatale", "fatal")
    reason, detail = fault.text, fault.detail
    if Deviation.D8 in deviations:
        reason, detail = (part.replace("'", " ").replace("’", " ") for part in (reason, detail))
    language = "en" if Deviation.D7 in deviations else "fr"
    echo = f' messageID="{escape(fault.message_id)}"' if Deviation.D9 in deviations and fault.message_id else ""
    subcode = f"<s:Subcode><s:Value>s:{escape(fault.subcode)}</s:Value></s:Subcode>" if fault.subcode else ""
    role = f"<s:Value>s:{escape(fault.role or 'Receiver')}</s:Value>"
    return _envelope(
        f'<s:Fault xmlns:s="{names.SOAP}"><s:Code>{role}{subcode}</s:Code>'
        f'<s:Reason><s:Text xml:lang="{language}">{escape(reason)}</s:Text></s:Reason>'
        f'<s:Detail><e:Erreur xmlns:e="{names.ERROR}" severite="{escape(severity)}" code="{escape(fault.code)}"{echo}>'
        f"{escape(detail)}</e:Erreur></s:Detail></s:Fault>",
        deviations,
    )


def _payload(envelope: etree._Element) -> etree._Element:
    if envelope.tag != f"{{{names.SOAP}}}Envelope":
        raise WireError(f"the root is {_printable(envelope)}, not a SOAP 1.2 Envelope")
    payload = first(child(envelope, names.SOAP, "Body"))
    if payload is None:
        raise WireError("the SOAP body is missing or empty")
    return payload


def _read_result(http_status: int, payload: etree._Element) -> InsiResult:
    if payload.tag != f"{{{names.RESULT}}}RESULTAT":
        raise WireError(f"the SOAP body holds {_printable(payload)}, not RESULTAT of {names.RESULT}")
    outcome = texts(child(payload, names.RESULT, "CR"), names.RESULT)
    code, label = outcome.get("CodeCR", ""), outcome.get("LibelleCR", "")
    if code not in LABELS:
        if not code:
            raise WireError("RESULTAT without CodeCR")
        return InsiFault(code, text=label, http_status=http_status)
    person = child(payload, names.RESULT, "INDIVIDU")
    active = child(person, names.RESULT, "INSACTIF")
    if code != FOUND:
        return InsiAnswer(code, label)
    if person is None or active is None:
        raise WireError("CodeCR 00 without INDIVIDU or INSACTIF")
    number = _read_number(active)
    if not number.number or not number.oid:
        raise WireError("INSACTIF without NumIdentifiant or OID")
    history = tuple(_read_number(past) for past in person.iterfind(f"{{{names.RESULT}}}INSHISTO"))
    return InsiAnswer(code, label, number, history, _read_traits(child(person, names.RESULT, "TIQ")))


def _read_number(found: etree._Element) -> InsNumber:
    individual = texts(child(found, names.RESULT, "IdIndividu"), names.RESULT)
    about = texts(found, names.RESULT)
    return InsNumber(
        individual.get("NumIdentifiant", ""),
        individual.get("Cle", ""),
        about.get("OID", ""),
        individual.get("TypeMatricule", ""),
        about.get("DateDeb", ""),
        about.get("DateFin", ""),
    )


def _read_traits(tiq: etree._Element | None) -> InsiTraits:
    found = texts(tiq, names.RESULT)
    fields = ("NomNaissance", "ListePrenom", "Prenom", "Sexe", "DateNaissance", "LieuNaissance")
    return InsiTraits(*(found.get(field, "") for field in fields))


def _read_fault(http_status: int, fault: etree._Element) -> InsiFault:
    code = child(fault, names.SOAP, "Code")
    role = _local(content(child(code, names.SOAP, "Value")))
    subcode = _local(content(child(child(code, names.SOAP, "Subcode"), names.SOAP, "Value")))
    error = child(child(fault, names.SOAP, "Detail"), names.ERROR, "Erreur")
    about = {} if error is None else dict(error.attrib)
    return InsiFault(
        code=about.get("code") or subcode or role,
        subcode=subcode,
        text=_reason(child(fault, names.SOAP, "Reason")),
        detail=content(error),
        severity=about.get("severite", ""),
        role=role,
        http_status=http_status,
        message_id=about.get("messageID", ""),
    )


def _reason(reason: etree._Element | None) -> str:
    """Return the French sentence, or the first: the language announced is not always the language written."""
    texts = [] if reason is None else reason.findall(f"{{{names.SOAP}}}Text")
    french = [one for one in texts if one.get(_XML_LANG, "").lower().startswith("fr")]
    return content(next(iter(french or texts), None))


def _local(qname: str) -> str:
    return qname.rpartition(":")[2]


def _printable(found: etree._Element) -> str:
    """Name an element that should not be there, cut short: it was written by the other side."""
    return ascii(str(found.tag)[:120])


def _envelope(payload: str, deviations: frozenset[Deviation]) -> bytes:
    inner = "env" if Deviation.D1 in deviations else "soap"
    declared = f' xmlns:env="{names.SOAP}"' if inner == "env" else ""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        f'<soap:Envelope xmlns:soap="{names.SOAP}"><{inner}:Body{declared}>{payload}</{inner}:Body></soap:Envelope>'
    ).encode()


def _number(name: str, number: InsNumber, deviations: frozenset[Deviation]) -> str:
    start, end = (number.end, number.start) if Deviation.D4 in deviations else (number.start, number.end)
    dates = element("", "DateDeb", start) + element("", "DateFin", end)
    individual = (
        "<IdIndividu>"
        + element("", "NumIdentifiant", number.number)
        + element("", "Cle", number.key)
        + element("", "TypeMatricule", number.type)
        + "</IdIndividu>"
        + element("", "OID", number.oid)
    )
    inside = dates + individual if Deviation.D3 in deviations else individual + dates
    return f"<{name}>{inside}</{name}>"


def _traits(traits: InsiTraits | None) -> str:
    if traits is None:
        return "<TIQ/>"
    return (
        "<TIQ>"
        + element("", "NomNaissance", traits.birth_name)
        + element("", "Prenom", traits.given_name)
        + element("", "ListePrenom", traits.given_names)
        + element("", "Sexe", traits.sex)
        + element("", "DateNaissance", traits.birth_date)
        + element("", "LieuNaissance", traits.birth_place)
        + "</TIQ>"
    )
