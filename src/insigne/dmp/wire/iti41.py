"""Provide and Register Document Set-b (ITI-41): the lot of a document with its signature, first version or new one."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from lxml import etree

from insigne.dmp.wire import codes, names
from insigne.dmp.wire.build import add, root
from insigne.dmp.wire.lexical import code_string, cx, stamp, xcn, xon
from insigne.dmp.wire.model import Author, Coded, DocumentEntry, LotMetadata, SubmissionSet, WireError
from insigne.dmp.wire.rim import Classification, RegistryObject, build_objects, coded, read_objects
from insigne.insi.wire.xml import child

LOT: Final = "SubmissionSet01"
DOCUMENT: Final = "Document01"
SIGNATURE: Final = "Signature01"
_REQUEST: Final = "xdsb:ProvideAndRegisterDocumentSetRequest"


@dataclass(frozen=True, slots=True)
class Provided:
    """A lot as read: its objects, and for the id of each entry the content id (MTOM) of its document.

    `inline` are the documents in base64, by the same ids: what a client without MTOM sends.
    """

    objects: tuple[RegistryObject, ...]
    contents: Mapping[str, str]
    inline: Mapping[str, str]

    def of_kind(self, kind: str) -> tuple[RegistryObject, ...]:
        """Return the objects of a kind, `ExtrinsicObject` for one."""
        return tuple(one for one in self.objects if one.kind == kind)


def build_provide(lot: LotMetadata, document_cid: str, signature_cid: str) -> etree._Element:
    """Write the payload; `…_cid` are the content ids of the parts, without brackets."""
    request = root(_REQUEST)
    submitted = add(request, "lcm:SubmitObjectsRequest")
    build_objects(submitted, _objects(lot))
    for entry, cid in ((DOCUMENT, document_cid), (SIGNATURE, signature_cid)):
        add(add(request, "xdsb:Document", id=entry), "xop:Include", href=f"cid:{cid}")
    return request


def read_provide(payload: etree._Element) -> Provided:
    """Read a payload. Raises WireError for another one."""
    if payload.tag != f"{{{names.XDSB}}}ProvideAndRegisterDocumentSetRequest":
        raise WireError("the SOAP body holds no ProvideAndRegisterDocumentSetRequest")
    contents: dict[str, str] = {}
    inline: dict[str, str] = {}
    for document in payload.iterchildren(f"{{{names.XDSB}}}Document"):
        included = child(document, names.XOP, "Include")
        if included is None:
            inline[document.get("id", "")] = document.text or ""
        else:
            contents[document.get("id", "")] = included.get("href", "").removeprefix("cid:")
    return Provided(read_objects(child(payload, names.LCM, "SubmitObjectsRequest")), contents, inline)


def submission_object(lot: SubmissionSet) -> RegistryObject:
    """Return the RegistryPackage of a lot."""
    kind = lot.content_type.value
    return RegistryObject(
        "RegistryPackage",
        LOT,
        slots={"submissionTime": (stamp(lot.submitted.value),)},
        name=lot.title.value if lot.title else "",
        description=lot.comments.value if lot.comments else "",
        classifications=(
            _author(names.SET_AUTHOR, lot.author.value),
            coded(names.SET_CONTENT_TYPE, kind.code, kind.system, kind.label),
            Classification(node=names.SUBMISSION_SET),
        ),
        identifiers={
            names.SET_PATIENT: cx(lot.patient.value),
            names.SET_SOURCE: lot.source_id.value,
            names.SET_UNIQUE: lot.unique_id.value,
        },
    )


def association(number: int, kind: str, source: str, target: str, **slots: str) -> RegistryObject:
    """Return an association between objects."""
    attributes = {
        "associationType": kind,
        "sourceObject": source,
        "targetObject": target,
        "objectType": names.ASSOCIATION,
    }
    return RegistryObject("Association", f"as{number}", attributes, {name: (value,) for name, value in slots.items()})


def _objects(lot: LotMetadata) -> Iterator[RegistryObject]:
    yield submission_object(lot.submission)
    yield _document(lot.entry)
    yield _signature(lot)
    yield association(1, names.HAS_MEMBER, LOT, DOCUMENT, SubmissionSetStatus="Original")
    yield association(2, names.HAS_MEMBER, LOT, SIGNATURE, SubmissionSetStatus="Original")
    yield association(3, names.SIGNS, SIGNATURE, LOT, SubmissionSetStatus="Original")
    if lot.replaces:
        yield association(4, names.REPLACES, DOCUMENT, lot.replaces, SubmissionSetStatus="Original")


def _document(entry: DocumentEntry) -> RegistryObject:
    single = (
        (names.CLASS_CODE, entry.class_code.value),
        (names.TYPE_CODE, entry.type_code.value),
        *((names.CONFIDENTIALITY_CODE, one.value) for one in entry.confidentiality),
        *((names.EVENT_CODE, one) for one in (entry.event_codes.value if entry.event_codes else ())),
        (names.FORMAT_CODE, entry.format_code.value),
        (names.FACILITY_CODE, entry.facility_type.value),
        (names.PRACTICE_CODE, entry.practice_setting.value),
    )
    return RegistryObject(
        "ExtrinsicObject",
        DOCUMENT,
        {"mimeType": entry.mime.value, "objectType": names.DOCUMENT_ENTRY},
        {
            "creationTime": (entry.created.value,),
            "hash": (entry.hash.value,),
            "languageCode": (entry.language.value,),
            "legalAuthenticator": (xcn(entry.legal_authenticator.value),),
            "serviceStartTime": (entry.service_start.value,),
            "serviceStopTime": (entry.service_stop.value,) if entry.service_stop else (),
            "size": (str(entry.size.value),),
            "sourcePatientId": (entry.source_patient_id.value,),
            "sourcePatientInfo": entry.source_patient_info.value,
            "urn:ihe:iti:xds:2013:referenceIdList": entry.reference_ids.value if entry.reference_ids else (),
        },
        entry.title.value,
        entry.comments.value if entry.comments else "",
        (
            *(_author(names.AUTHOR, author) for author in entry.authors.value),
            *(coded(scheme, one.code, one.system, one.label) for scheme, one in single),
        ),
        {names.ENTRY_PATIENT: cx(entry.patient.value), names.ENTRY_UNIQUE: entry.unique_id.value},
    )


def _signature(lot: LotMetadata) -> RegistryObject:
    """The entry of the signature, hidden from everybody as in the examples."""
    submitted, entry = lot.submission, lot.entry
    time = stamp(submitted.submitted.value)
    hidden = (codes.MASKED, codes.HIDDEN_FROM_PATIENT)
    shown: tuple[tuple[str, Coded], ...] = (
        (names.CLASS_CODE, codes.SIGNATURE_CLASS),
        (names.TYPE_CODE, codes.SIGNATURE_TYPE),
        (names.CONFIDENTIALITY_CODE, Coded("N", "2.16.840.1.113883.5.25", "Normal")),
        *((names.CONFIDENTIALITY_CODE, one) for one in hidden),
        (names.FORMAT_CODE, codes.SIGNATURE_FORMAT),
        (names.FACILITY_CODE, entry.facility_type.value),
        (names.PRACTICE_CODE, entry.practice_setting.value),
        (names.EVENT_CODE, codes.SIGNATURE_EVENT),
    )
    return RegistryObject(
        "ExtrinsicObject",
        SIGNATURE,
        {"mimeType": "text/xml", "objectType": names.DOCUMENT_ENTRY},
        {
            "creationTime": (time,),
            "languageCode": ("art",),
            "legalAuthenticator": (xcn(submitted.author.value.person),),
            "serviceStartTime": (time,),
            "serviceStopTime": (time,),
            "sourcePatientId": (cx(submitted.patient.value),),
        },
        "Source",
        classifications=(
            _author(names.AUTHOR, submitted.author.value),
            *(coded(scheme, one.code, one.system, one.label) for scheme, one in shown),
        ),
        identifiers={names.ENTRY_PATIENT: cx(submitted.patient.value), names.ENTRY_UNIQUE: lot.signature_id.value},
    )


def _author(scheme: str, author: Author) -> Classification:
    return Classification(
        scheme,
        slots={
            "authorPerson": (xcn(author.person),),
            "authorInstitution": (xon(author.structure),) if author.structure else (),
            "authorRole": (author.role,) if author.role else (),
            "authorSpecialty": (code_string(author.specialty),) if author.specialty else (),
        },
    )
