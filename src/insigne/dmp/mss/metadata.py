"""METADATA.XML of an archive: a SubmitObjectsRequest of XDS (IHE ITI TF-2 §3.32.4.1.2, TF-3 §4.2).

It says of the lot what the DMP is told, with what XDM adds: where each file is (URI), its hash and size, and `action`:
C for a document that replaces another, D for one to delete (ANS, volet « Transmission d’un document CDA-R2 »).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Literal

from insigne.dmp.wire import names
from insigne.dmp.wire.build import root, serialise
from insigne.dmp.wire.lexical import read_cx
from insigne.dmp.wire.model import WireError
from insigne.dmp.wire.rim import RegistryObject, build_objects, read_objects
from insigne.insi.wire import xml
from insigne.insi.wire.model import WireError as XmlError
from insigne.registry.values import Ins

Act = Literal["", "C", "D"]
"""What is asked of the receiver: to take a new document, to put it in the place of another, to delete it."""
MASKS: Final[Mapping[str, str]] = {
    "MASQUE_PS": "masked_professionals",
    "INVISIBLE_PATIENT": "hidden_patient",
    "INVISIBLE_REPRESENTANTS_LEGAUX": "hidden_representatives",
}
"""confidentialityCode → field of `Flags`."""
_LARGEST: Final = 4_194_304


@dataclass(frozen=True, slots=True)
class Placed:
    """A file of the archive: the unique id of the document it is, where it is, its SHA-1 (40 hexadecimal characters)
    and size.
    """

    unique_id: str
    uri: str
    sha1: str
    size: int


@dataclass(frozen=True, slots=True)
class Entry:
    """What metadata received say of a document; "" for what they do not. `author` are XCN then XON, as written."""

    unique_id: str
    uri: str
    mime: str
    title: str
    sha1: str
    size: int | None
    patient: Ins | None
    action: Act
    replaces: bool
    confidentiality: frozenset[str]
    author: tuple[str, str] = field(repr=False)


def write_metadata(lot: Iterable[RegistryObject], files: Sequence[Placed], action: Act, slot: str) -> bytes:
    """Write METADATA.XML from the objects of a lot, the signature of the DMP left out.

    A lot of the DMP names the version it replaces by an id that only the DMP knows: outside it, the CDA says which.
    """
    places = {one.unique_id: one for one in files}
    kept = [one for one in lot if _is_told(one, places)]
    entries = {one.id for one in kept if one.kind == "ExtrinsicObject"}
    objects = []
    for one in kept:
        if one.kind == "Association" and not _joins(one, entries):
            continue
        place = places.get(one.identifiers.get(names.ENTRY_UNIQUE, ""))
        objects.append(one if place is None else _with_place(one, place, {slot: (action,)} if action else {}))
    request = root("lcm:SubmitObjectsRequest")
    build_objects(request, objects)
    return serialise(request)


def read_metadata(data: bytes, slot: str) -> list[Entry]:
    """Read the documents of METADATA.XML, in their order.

    Raises WireError for what is no SubmitObjectsRequest (or the ProvideAndRegister… around it that some write).
    """
    try:
        top = xml.parse(data, _LARGEST)
    except XmlError as error:
        raise WireError(f"METADATA.XML: {error}") from None
    request = (
        top if top.tag == f"{{{names.LCM}}}SubmitObjectsRequest" else xml.child(top, names.LCM, "SubmitObjectsRequest")
    )
    if request is None:
        raise WireError("METADATA.XML: not a SubmitObjectsRequest")
    objects = read_objects(request)
    replacing = {
        one.attributes.get("sourceObject", "")
        for one in objects
        if one.kind == "Association" and one.attributes.get("associationType") == names.REPLACES
    }
    lot = next((one for one in objects if one.kind == "RegistryPackage"), None)
    return [
        _entry(one, lot, slot, replaces=one.id in replacing)
        for one in objects
        if one.kind == "ExtrinsicObject" and _is_document(one)
    ]


def _is_document(one: RegistryObject) -> bool:
    """Anything but the signature of a lot."""
    return all(code.code.rstrip("#") != names.DSIG.rstrip("#") for code in one.codes(names.FORMAT_CODE))


def _entry(one: RegistryObject, lot: RegistryObject | None, slot: str, *, replaces: bool) -> Entry:
    size = one.slot("size")
    action = next((value for name, value in _folded(one).items() if name in _action_names(slot)), "").upper()
    return Entry(
        one.identifiers.get(names.ENTRY_UNIQUE, ""),
        one.slot("URI"),
        one.attributes.get("mimeType", ""),
        one.name,
        one.slot("hash").lower(),
        int(size) if size.isascii() and size.isdigit() and len(size) < 16 else None,
        read_cx(one.identifiers.get(names.ENTRY_PATIENT, "")),
        "D" if action == "D" else "C" if action == "C" else "",
        replaces,
        frozenset(code.code for code in one.codes(names.CONFIDENTIALITY_CODE)),
        _author(one, names.AUTHOR) or _author(lot, names.SET_AUTHOR) or ("", ""),
    )


def _author(one: RegistryObject | None, scheme: str) -> tuple[str, str] | None:
    found = one.codes(scheme) if one is not None else ()
    if not found:
        return None
    slots = found[0].slots
    return _first(slots.get("authorPerson", ())), _first(slots.get("authorInstitution", ()))


def _first(values: Sequence[str]) -> str:
    return values[0] if values else ""


def _folded(one: RegistryObject) -> dict[str, str]:
    return {name.casefold(): values[0].strip() for name, values in one.slots.items() if values}


def _action_names(slot: str) -> frozenset[str]:
    """The slot may be named with a prefix of its own: extra metadata are URNs in IHE."""
    return frozenset({slot.casefold(), "action", "urn:action"})


def _is_told(one: RegistryObject, places: Mapping[str, Placed]) -> bool:
    return one.kind != "ExtrinsicObject" or one.identifiers.get(names.ENTRY_UNIQUE, "") in places


def _joins(association: RegistryObject, entries: set[str]) -> bool:
    """An association of the lot with one of its documents; not those with what only the DMP knows."""
    told = association.attributes
    return told.get("associationType") == names.HAS_MEMBER and told.get("targetObject") in entries


def _with_place(one: RegistryObject, place: Placed, more: Mapping[str, tuple[str, ...]]) -> RegistryObject:
    slots = {**one.slots, "URI": (place.uri,), "hash": (place.sha1,), "size": (str(place.size),), **more}
    return replace(one, slots=slots)
