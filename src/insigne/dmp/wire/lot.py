"""The metadata of a lot: composed from message, document, registry and settings, each field with who says it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from insigne.dmp.wire import codes, names
from insigne.dmp.wire.cda import Measured
from insigne.dmp.wire.header import Header
from insigne.dmp.wire.lexical import cx, local_cx, plain
from insigne.dmp.wire.model import (
    Author,
    Coded,
    DocumentEntry,
    Ins,
    LotMetadata,
    Origin,
    Sourced,
    SubmissionSet,
    WireError,
)
from insigne.documents.cda import terms
from insigne.ins.matricule import nature_of

_GENDERS: Final = {"UN": "U"}


@dataclass(frozen=True, slots=True)
class Given:
    """What a lot takes from elsewhere than the document. `masks` follow the document's own confidentiality code.

    `facility_type` serves a document that does not say it. `class_codes` and `format_codes` are by typeCode, from the
    settings. Identifiers are OIDs.
    """

    ins: Ins
    author: Sourced[Author]
    content_type: Sourced[Coded]
    source_id: str
    lot_id: str
    signature_id: str
    now: datetime
    masks: tuple[Coded, ...] = ()
    facility_type: Coded | None = None
    class_codes: Mapping[str, str] = field(default_factory=dict)
    format_codes: Mapping[str, str] = field(default_factory=dict)
    replaces: str = ""
    title: str = ""


def content_type(patient_class: str, configured: str = "") -> Sourced[Coded]:
    """Return the contentTypeCode of a lot: the configured one, else after PV1-2, else undifferentiated."""
    if configured:
        label = codes.CONTENT_TYPES.get(configured, "")
        return Sourced(Coded(configured, names.CONTENT_TYPES, label), "configuration", "dmp.service.content_type")
    known = codes.CONTENT_TYPE_OF_CLASS.get(patient_class.upper())
    code = known or codes.UNKNOWN_CONTENT_TYPE
    origin: Origin = "message" if known else "computed"
    return Sourced(Coded(code, names.CONTENT_TYPES, codes.CONTENT_TYPES[code]), origin, "PV1-2")


def submission(given: Given) -> SubmissionSet:
    """Return the lot itself, without its document: that of a feeding, or of a deletion. Raises WireError."""
    for name, value in (("source_id", given.source_id), ("lot_id", given.lot_id)):
        if not value:
            raise WireError(f"{name}: missing; dmp.service.software.oid gives it")
    title = Sourced(given.title, "cda", "title") if given.title else None
    return SubmissionSet(
        unique_id=Sourced(given.lot_id, "computed"),
        source_id=Sourced(given.source_id, "configuration", "dmp.service.software.oid"),
        submitted=Sourced(given.now, "computed"),
        author=given.author,
        content_type=given.content_type,
        patient=Sourced(given.ins, "registry", "INS"),
        title=title,
    )


def compose(header: Header, measured: Measured, given: Given) -> LotMetadata:
    """Return the metadata of a lot of one document.

    Raises WireError when the document is about another INS than the registry's, when a code cannot be derived, and for
    a document that replaces one whose entry is not known.
    """
    if header.patient.ins != given.ins:
        raise WireError("recordTarget: the INS of the document is not that of the registry: nothing is sent")
    if header.parent and not given.replaces:
        raise WireError("relatedDocument: the document replaces another, whose entry in the DMP is not known")
    if given.replaces and not header.parent:
        raise WireError("relatedDocument: missing in a document that is to replace another")
    return LotMetadata(
        submission(given), entry(header, measured, given), Sourced(given.signature_id, "computed"), given.replaces
    )


def entry(header: Header, measured: Measured, given: Given) -> DocumentEntry:
    """Return the entry of a document. Raises WireError for a code that cannot be derived."""
    facility = header.facility_type
    if facility is None and given.facility_type is None:
        raise WireError("healthCareFacility/code: missing; dmp.service.caller.sector gives it")
    return DocumentEntry(
        unique_id=_cda(header.unique_id, "id"),
        patient=Sourced(given.ins, "registry", "INS"),
        authors=_cda(header.authors, "author"),
        legal_authenticator=_cda(header.legal_authenticator, "legalAuthenticator"),
        class_code=_class_code(header.type_code.code, given.class_codes),
        type_code=_cda(_labelled(header.type_code), "code"),
        format_code=_format_code(header, given.format_codes),
        confidentiality=(
            _cda(header.confidentiality, "confidentialityCode"),
            *(Sourced(mask, "message", f"OBX {mask.code}") for mask in given.masks),
        ),
        facility_type=_cda(facility, "healthCareFacility/code")
        if facility is not None
        else Sourced(given.facility_type or Coded("", ""), "configuration", "dmp.service.caller.sector"),
        practice_setting=_cda(header.practice_setting, "standardIndustryClassCode"),
        created=_cda(header.created, "effectiveTime"),
        service_start=_cda(header.service_start, "serviceEvent/effectiveTime"),
        service_stop=_cda(header.service_stop, "serviceEvent/effectiveTime/high") if header.service_stop else None,
        language=_cda(header.language, "languageCode"),
        mime=Sourced("text/xml", "computed"),
        title=_cda(header.title, "title"),
        hash=Sourced(measured.sha1, "computed"),
        size=Sourced(measured.size, "computed"),
        source_patient_id=_source_patient(header, given.ins),
        source_patient_info=_cda(_patient_lines(header), "recordTarget"),
        event_codes=_cda(header.events, "serviceEvent/code") if header.events else None,
    )


def shown(lot: LotMetadata) -> Iterator[tuple[str, str, str, str]]:
    """Give every field as a person reads it: name, value, origin, place."""
    for part, holder in (("SubmissionSet", lot.submission), ("DocumentEntry", lot.entry)):
        for name in holder.__dataclass_fields__:
            value = getattr(holder, name)
            several = value if isinstance(value, tuple) else (value,)
            for one in several:
                if isinstance(one, Sourced):
                    yield f"{part}.{name}", _told(one.value), one.origin, one.where
    yield "Signature.uniqueId", lot.signature_id.value, lot.signature_id.origin, lot.signature_id.where
    if lot.replaces:
        yield "Association.RPLC", lot.replaces, "registry", "entryUUID"


def _told(value: Any) -> str:  # Any: the value of any field
    if isinstance(value, tuple):
        return " ; ".join(_told(one) for one in value)
    if isinstance(value, Coded):
        return f"{value.code} {value.label}".rstrip() + f" ({value.system})"
    if isinstance(value, Author):
        structure = f", {value.structure.name} ({value.structure.id})" if value.structure else ""
        return f"{value.person.family} {value.person.given} ({value.person.id}){structure}"
    if isinstance(value, Ins):
        return cx(value)
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    parts = getattr(value, "family", None)
    return f"{value.family} {value.given} ({value.id})" if parts is not None else str(value)


def _cda(value: Any, where: str) -> Sourced[Any]:  # Any: the value of any field, typed where it is given
    return Sourced(value, "cda", where)


def _labelled(code: Coded) -> Coded:
    known = terms.DOCUMENT_TYPES.get(code.code)
    return Coded(code.code, code.system, code.label or (known.name if known else ""))


def _class_code(type_code: str, configured: Mapping[str, str]) -> Sourced[Coded]:
    code = configured.get(type_code)
    origin: Origin = "configuration" if code else "cda"
    code = code or codes.CLASS_OF_TYPE.get(type_code)
    if code is None:
        raise WireError(f"classCode of {type_code}: not known; give it in dmp.service.class_codes")
    where = "dmp.service.class_codes" if origin == "configuration" else "code"
    return Sourced(Coded(code, names.CLASSES, codes.CLASS_LABELS.get(code, "")), origin, where)


def _format_code(header: Header, configured: Mapping[str, str]) -> Sourced[Coded]:
    given = configured.get(header.type_code.code)
    if header.body:
        known = codes.FORMAT_OF_BODY.get(header.body)
        if known is not None:
            return Sourced(known, "cda", "nonXMLBody/text/@mediaType")
    if given:
        return Sourced(Coded(given, names.FORMATS, given), "configuration", "dmp.service.format_codes")
    kind = header.body or "a structured body"
    raise WireError(f"formatCode of {kind}, type {header.type_code.code}: give it in dmp.service.format_codes")


def _source_patient(header: Header, ins: Ins) -> Sourced[str]:
    """The first local identifier of the document, else the INS."""
    for oid, identifier in header.patient.ids:
        if oid and identifier and nature_of(oid) is None and oid != names.INSC:
            return Sourced(local_cx(identifier, oid), "cda", "recordTarget/patientRole/id")
    return Sourced(cx(ins), "registry", "INS")


def _patient_lines(header: Header) -> tuple[str, ...]:
    patient = header.patient
    lines = []
    if patient.birth_name:
        lines.append(f"PID-5|{plain(patient.birth_name)}^{plain(patient.first_given_name)}^^^^^L")
    if patient.birth_date:
        lines.append(f"PID-7|{patient.birth_date[:8]}")
    if patient.sex:
        lines.append(f"PID-8|{_GENDERS.get(patient.sex, patient.sex)}")
    return tuple(lines)
