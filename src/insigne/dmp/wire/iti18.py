"""Registry Stored Query (ITI-18), limited to what an establishment's certificate may ask: the reference of a document.

GetDocuments by unique id is what the DMP's public clients call for that; FindDocuments is read and written too.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from lxml import etree

from insigne.dmp.wire import names
from insigne.dmp.wire.answers import build_errors, read_errors, read_status
from insigne.dmp.wire.build import add, root
from insigne.dmp.wire.lexical import cx, read_cx
from insigne.dmp.wire.model import Answered, Availability, Ins, Reference, RegistryError, WireError
from insigne.dmp.wire.rim import RegistryObject, build_objects, build_slots, read_objects, read_slots
from insigne.insi.wire.xml import child

ReturnType = Literal["LeafClass", "ObjectRef"]
UNIQUE_ID: Final = "$XDSDocumentEntryUniqueId"
PATIENT_ID: Final = "$XDSDocumentEntryPatientId"
STATUS: Final = "$XDSDocumentEntryStatus"
_QUOTED: Final = re.compile(r"'((?:[^']|'')*)'")
_SIZE: Final = re.compile(r"[0-9]{1,15}")


@dataclass(frozen=True, slots=True)
class StoredQuery:
    """A query as read: the id of its kind, what it returns, its parameters without quotes nor parentheses."""

    kind: str
    returns: str
    parameters: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Found:
    """An answer as read: references, or errors."""

    status: Answered
    references: tuple[Reference, ...]
    errors: tuple[RegistryError, ...]


def build_get_documents(unique_ids: Iterable[str], returns: ReturnType = "LeafClass") -> etree._Element:
    """Write a search by unique ids."""
    return _query(names.GET_DOCUMENTS, returns, {UNIQUE_ID: tuple(_listed(one) for one in unique_ids)})


def build_find_documents(
    ins: Ins, statuses: Iterable[Availability], returns: ReturnType = "ObjectRef"
) -> etree._Element:
    """Write a search of the documents of a patient."""
    asked = tuple(_listed(names.AVAILABILITY[one]) for one in statuses)
    return _query(names.FIND_DOCUMENTS, returns, {PATIENT_ID: (f"'{cx(ins)}'",), STATUS: asked})


def read_query(payload: etree._Element) -> StoredQuery:
    """Read a query. Raises WireError for another payload."""
    if payload.tag != f"{{{names.QUERY}}}AdhocQueryRequest":
        raise WireError("the SOAP body holds no AdhocQueryRequest")
    query = child(payload, names.RIM, "AdhocQuery")
    if query is None:
        raise WireError("an AdhocQueryRequest without AdhocQuery")
    option = child(payload, names.QUERY, "ResponseOption")
    parameters = {
        name: tuple(text.replace("''", "'") for value in values for text in _QUOTED.findall(value))
        for name, values in read_slots(query).items()
    }
    return StoredQuery(query.get("id", ""), "" if option is None else option.get("returnType", ""), parameters)


def build_found(
    status: Answered, objects: Iterable[RegistryObject], errors: tuple[RegistryError, ...] = ()
) -> etree._Element:
    """Write an answer: whole entries, or ObjectRef objects."""
    word = {"success": "Success", "partial": "PartialSuccess", "failure": "Failure"}[status]
    answer = root("query:AdhocQueryResponse", status=f"{names.STATUS}{word}")
    build_errors(answer, errors)
    build_objects(answer, objects)
    return answer


def read_found(payload: etree._Element) -> Found:
    """Read an answer; entries of signatures are among those returned. Raises WireError for another payload."""
    if payload.tag != f"{{{names.QUERY}}}AdhocQueryResponse":
        raise WireError("the SOAP body holds no AdhocQueryResponse")
    objects = read_objects(payload)
    kept = (one for one in objects if one.kind in ("ExtrinsicObject", "ObjectRef"))
    return Found(read_status(payload), tuple(_reference(one) for one in kept), read_errors(payload))


def _query(kind: str, returns: ReturnType, parameters: Mapping[str, tuple[str, ...]]) -> etree._Element:
    request = root("query:AdhocQueryRequest")
    add(request, "query:ResponseOption", returnComposedObjects="true", returnType=returns)
    build_slots(add(request, "rim:AdhocQuery", id=kind), parameters)
    return request


def _listed(text: str) -> str:
    return "('" + text.replace("'", "''") + "')"


def _reference(one: RegistryObject) -> Reference:
    size = one.slot("size")
    return Reference(
        one.id,
        one.attributes.get("lid", ""),
        one.identifiers.get(names.ENTRY_UNIQUE, ""),
        one.slot("hash").lower(),
        int(size) if _SIZE.fullmatch(size) else None,
        names.AVAILABILITY_WORDS.get(one.attributes.get("status", ""), ""),
        one.slot("repositoryUniqueId"),
        read_cx(one.identifiers.get(names.ENTRY_PATIENT, "")),
    )
