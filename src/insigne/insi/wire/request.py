"""Calls of INSi: written strictly by the client, read as they come by the simulator."""

import re
from typing import Final

from lxml import etree

from insigne.insi.wire import names
from insigne.insi.wire.model import CallContext, Operation, Request, SearchTraits, VitaleData, WireError
from insigne.insi.wire.xml import MAX_BYTES, child, content, element, escape, first, parse, texts

_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_PLACE: Final = re.compile(r"[0-9][0-9AB][0-9]{3}")
_NUMBER: Final = re.compile(r"[0-9]{6}[AB0-9][0-9]{6}")
_KEY: Final = re.compile(r"[0-9]{2}")

_ENVELOPE: Final = (
    '<?xml version="1.0" encoding="UTF-8"?>'
    f'<s:Envelope xmlns:s="{names.SOAP}" xmlns:a="{names.ADDRESSING}"><s:Header>%s'
    f'<l:ContexteLPS xmlns:l="{names.LPS}" Nature="CTXLPS" Version="%s"><l:Id>%s</l:Id><l:Temps>%s</l:Temps>%s%s'
    "</l:ContexteLPS>"
    "<a:MessageID>uuid:%s</a:MessageID>"
    f'<b:ContexteBAM xmlns:b="{names.BAM}" Nature="CTXBAM" Version="%s"><b:Id>%s</b:Id><b:Temps>%s</b:Temps>%s%s'
    "</b:ContexteBAM>"
    "<a:Action>%s</a:Action></s:Header><s:Body>%s</s:Body></s:Envelope>"
)


def build_search(traits: SearchTraits, context: CallContext) -> bytes:
    """Write a search by traits (WS_INS2, `RECSANSVITALE`). Raises WireError for a trait no call may carry."""
    if not traits.birth_name or not traits.given_name:
        raise WireError("a search has a birth name and a given name: one is empty")
    if traits.sex not in ("M", "F"):
        raise WireError("sex: INSi takes M or F only")
    if not _DATE.fullmatch(traits.birth_date):
        raise WireError("birth_date: INSi takes YYYY-MM-DD")
    if traits.birth_place and not is_place(traits.birth_place):
        raise WireError("birth_place: INSi takes a COG code of five characters, or none")
    body = (
        f'<r:RECSANSVITALE xmlns:r="{names.SEARCH}">'
        + element("r:", "NomNaissance", traits.birth_name)
        + element("r:", "Prenom", traits.given_name)
        + element("r:", "Sexe", traits.sex)
        + element("r:", "DateNaissance", traits.birth_date)
        + element("r:", "LieuNaissance", traits.birth_place)
        + "</r:RECSANSVITALE>"
    )
    return _envelope("search", context, "<b:COUVERTURE/>", body)


def is_place(text: str) -> bool:
    """Tell whether a text is shaped as a COG code, as the only birthplace INSi takes is."""
    return _PLACE.fullmatch(text) is not None


def build_vitale(data: VitaleData, context: CallContext) -> bytes:
    """Write a search by carte Vitale (WS_INS1, `RECVITALE`), its data repeated in COUVERTURE as live clients do.

    Raises WireError for a number or a key of another shape.
    """
    for number in (data.holder, data.individual):
        if number and not _NUMBER.fullmatch(number):
            raise WireError("a number read on a card has 13 characters, its key apart")
    for key in (data.holder_key, data.individual_key):
        if key and not _KEY.fullmatch(key):
            raise WireError("the key of a number has two digits")
    if not data.holder:
        raise WireError("holder: the number of the ouvrant droit is missing")
    body = (
        f'<v:RECVITALE xmlns:v="{names.VITALE}">'
        + _matricule("MatriculeIndividu", data.individual, data.individual_key)
        + _matricule("MatriculeOD", data.holder, data.holder_key)
        + element("v:", "NomNaissance", data.birth_name)
        + element("v:", "DateNaissance", data.birth_date)
        + element("v:", "RangNaissance", data.birth_rank)
        + "</v:RECVITALE>"
    )
    return _envelope("vitale", context, _coverage(data), body)


def read_request(body: bytes, action: str = "", max_bytes: int = MAX_BYTES) -> Request:
    """Read a call, by traits or by card, with whatever header blocks it has, in any order.

    `action` is the parameter of Content-Type, used when there is no `wsa:Action`. Nothing is controlled here.
    Raises WireError for what is not a SOAP 1.2 envelope with a body.
    """
    envelope = parse(body, max_bytes)
    if envelope.tag != f"{{{names.SOAP}}}Envelope":
        raise WireError("not a SOAP 1.2 envelope")
    header = child(envelope, names.SOAP, "Header")
    payload = first(child(envelope, names.SOAP, "Body"))
    if payload is None:
        raise WireError("a SOAP envelope with an empty body, or without one")
    addressing = texts(header, names.ADDRESSING)
    action = addressing.get("Action") or action
    security = child(header, names.SECURITY, "Security")
    assertions = () if security is None else tuple(security.iterfind(f"{{{names.SAML}}}Assertion"))
    bam = child(header, names.BAM, "ContexteBAM")
    return Request(
        action,
        names.OPERATIONS.get(action),
        etree.QName(payload).localname,
        _context(addressing.get("MessageID", ""), bam, child(header, names.LPS, "ContexteLPS"), assertions),
        "absent" if security is None else "assertions" if assertions else "empty",
        child(bam, names.BAM, "COUVERTURE") is not None,
        *_criteria(payload),
    )


def _envelope(operation: Operation, context: CallContext, coverage: str, body: str) -> bytes:
    time = escape(context.time)
    software = (
        (f'<l:IDAM R="{escape(context.idam_r)}">{escape(context.idam)}</l:IDAM>' if context.idam else "")
        + element("l:", "Version", context.lps_version)
        + element("l:", "Instance", context.instance)
        + element("l:", "Nom", context.lps_name)
    )
    return (
        _ENVELOPE
        % (
            _security(context),
            escape(context.lps_context_version),
            escape(context.lps_id),
            time,
            element("l:", "Emetteur", context.emitter),
            f"<l:LPS>{software}</l:LPS>" if software else "",
            escape(context.message_id),
            escape(context.bam_version),
            escape(context.bam_id),
            time,
            element("b:", "Emetteur", context.emitter),
            coverage,
            names.ACTIONS[operation],
            body,
        )
    ).encode()


def _security(context: CallContext) -> str:
    """Return the Security header: the assertions as they were signed, which exclusive canonicalisation allows."""
    if context.security == "none":
        return ""
    if not context.assertions:
        raise WireError("security assertion_ps: an assertion is needed, none was given")
    inside = "".join(assertion.decode() for assertion in context.assertions)
    return f'<w:Security xmlns:w="{names.SECURITY}">{inside}</w:Security>'


def _matricule(name: str, number: str, key: str) -> str:
    if not number:
        return ""
    return f"<v:{name}>{element('v:', 'NumIdentifiant', number)}{element('v:', 'Cle', key)}</v:{name}>"


def _coverage(data: VitaleData) -> str:
    insured = (
        f"<b:ASSURE><b:Id>{element('b:', 'Num', data.holder)}{element('b:', 'Cle', data.holder_key)}</b:Id></b:ASSURE>"
    )
    number = element("b:", "Num", data.individual) + element(
        "b:", "Cle", data.individual_key if data.individual else ""
    )
    date = data.birth_date if _DATE.fullmatch(data.birth_date) else ""
    beneficiary = (
        (f"<b:Nir>{number}</b:Nir>" if number else "")
        + element("b:", "DateNai", date)
        + element("b:", "Rang", data.birth_rank)
    )
    about = f"<b:BENEFICIAIRE>{beneficiary}</b:BENEFICIAIRE>" if beneficiary else ""
    return f"<b:COUVERTURE>{insured}{about}</b:COUVERTURE>"


def _context(
    message_id: str, bam: etree._Element | None, lps: etree._Element | None, assertions: tuple[etree._Element, ...]
) -> CallContext:
    software = child(lps, names.LPS, "LPS")
    idam = child(software, names.LPS, "IDAM")
    in_bam, in_lps, in_software = texts(bam, names.BAM), texts(lps, names.LPS), texts(software, names.LPS)
    return CallContext(
        message_id=message_id.removeprefix("uuid:"),
        bam_id=in_bam.get("Id", ""),
        lps_id=in_lps.get("Id", ""),
        time=in_lps.get("Temps") or in_bam.get("Temps", ""),
        emitter=in_lps.get("Emetteur") or in_bam.get("Emetteur", ""),
        idam=content(idam),
        lps_name=in_software.get("Nom", ""),
        lps_version=in_software.get("Version", ""),
        instance=in_software.get("Instance", ""),
        security="assertion_ps" if assertions else "none",
        assertions=tuple(etree.tostring(assertion, with_tail=False) for assertion in assertions),
        idam_r="" if idam is None else idam.get("R", ""),
        bam_version="" if bam is None else bam.get("Version", ""),
        lps_context_version="" if lps is None else lps.get("Version", ""),
    )


def _criteria(payload: etree._Element) -> tuple[SearchTraits | None, tuple[str, ...], VitaleData | None]:
    """Return the traits with every given name, or the data of a card, or neither for another body."""
    if payload.tag == f"{{{names.SEARCH}}}RECSANSVITALE":
        given = tuple(content(one) for one in payload.iterchildren(f"{{{names.SEARCH}}}Prenom"))
        found = texts(payload, names.SEARCH)
        traits = (found.get(name, "") for name in ("NomNaissance", "Prenom", "Sexe", "DateNaissance", "LieuNaissance"))
        return SearchTraits(*traits), given, None
    if payload.tag == f"{{{names.VITALE}}}RECVITALE":
        found = texts(payload, names.VITALE)
        individual = texts(child(payload, names.VITALE, "MatriculeIndividu"), names.VITALE)
        holder = texts(child(payload, names.VITALE, "MatriculeOD"), names.VITALE)
        data = VitaleData(
            holder=holder.get("NumIdentifiant", ""),
            individual=individual.get("NumIdentifiant", ""),
            holder_key=holder.get("Cle", ""),
            individual_key=individual.get("Cle", ""),
            birth_name=found.get("NomNaissance", ""),
            birth_date=found.get("DateNaissance", ""),
            birth_rank=found.get("RangNaissance", ""),
        )
        return None, (), data
    return None, (), None
