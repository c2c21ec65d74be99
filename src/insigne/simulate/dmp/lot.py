"""Reading a lot (IHE ITI-41) as objects of the registry: what each says, by name. Nothing is judged here."""

import base64
import binascii
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote

from lxml import etree

from insigne.simulate.dmp import names
from insigne.simulate.dmp.mime import Content
from insigne.simulate.dmp.names import RIM, XDSB, XOP
from insigne.simulate.dmp.soap import Call, Fault

_UUID: Final = "urn:uuid:"


@dataclass(frozen=True, slots=True)
class Class:
    """A classification: its code, the system (slot codingScheme), the label, its other slots."""

    code: str
    system: str
    label: str
    slots: dict[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Object:
    """A RegistryPackage or an ExtrinsicObject. `classes` and `externals` are by UUID of the scheme, without prefix."""

    id: str
    kind: str
    mime: str
    title: str
    slots: dict[str, tuple[str, ...]]
    classes: dict[str, tuple[Class, ...]]
    externals: dict[str, str]
    element: etree._Element

    def slot(self, name: str) -> str:
        """Return the first value of a slot, "" without one."""
        return next(iter(self.slots.get(name, ())), "")

    def one(self, scheme: str) -> Class | None:
        """Return the classification of a scheme when there is exactly one."""
        found = self.classes.get(scheme, ())
        return found[0] if len(found) == 1 else None


@dataclass(frozen=True, slots=True)
class Association:
    """A link between two objects."""

    kind: str
    source: str
    target: str
    slots: dict[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Lot:
    """What was submitted: the submission sets, the documents' entries, links, bytes by id of their entry."""

    sets: tuple[Object, ...]
    entries: tuple[Object, ...]
    associations: tuple[Association, ...]
    documents: dict[str, Content]

    def linked(self, kind: str, source: str) -> list[str]:
        """Return the targets of the links of a kind from an object."""
        return [one.target for one in self.associations if (one.kind, one.source) == (kind, source)]


def read_lot(call: Call) -> Lot:
    """Read the body of a feeding or an update of metadata. Raises Fault for what is neither."""
    registry = call.body.find(f".//{{{RIM}}}RegistryObjectList")
    if registry is None:
        raise Fault("SimuMessage", "Le corps n’a pas de liste d’objets (rim:RegistryObjectList)")
    sets = {
        one.get("classifiedObject")
        for one in registry.iterfind(f"{{{RIM}}}Classification")
        if _bare(one.get("classificationNode")) == names.SUBMISSION_SET
    }
    packages = [_object(one) for one in registry.iterfind(f"{{{RIM}}}RegistryPackage")]
    inside = {
        one.id
        for one in packages
        if any(
            _bare(found.get("classificationNode")) == names.SUBMISSION_SET
            for found in one.element.iterfind(f"{{{RIM}}}Classification")
        )
    }
    return Lot(
        tuple(one for one in packages if one.id in sets | inside),
        tuple(_object(one) for one in registry.iterfind(f"{{{RIM}}}ExtrinsicObject")),
        tuple(_association(one) for one in registry.iterfind(f"{{{RIM}}}Association")),
        dict(_documents(call)),
    )


def _object(element: etree._Element) -> Object:
    classes: dict[str, tuple[Class, ...]] = {}
    for one in element.iterfind(f"{{{RIM}}}Classification"):
        scheme = _bare(one.get("classificationScheme"))
        slots = _slots(one)
        system = next(iter(slots.get("codingScheme", ())), "")
        found = Class(one.get("nodeRepresentation") or "", system, _name(one), slots)
        classes[scheme] = (*classes.get(scheme, ()), found)
    externals = {
        _bare(one.get("identificationScheme")): (one.get("value") or "").strip()
        for one in element.iterfind(f"{{{RIM}}}ExternalIdentifier")
    }
    kind, mime = _bare(element.get("objectType")), element.get("mimeType") or ""
    return Object(element.get("id") or "", kind, mime, _name(element), _slots(element), classes, externals, element)


def _association(element: etree._Element) -> Association:
    return Association(
        element.get("associationType") or "",
        element.get("sourceObject") or "",
        element.get("targetObject") or "",
        _slots(element),
    )


def _slots(element: etree._Element) -> dict[str, tuple[str, ...]]:
    return {
        slot.get("name") or "": tuple(
            (value.text or "").strip() for value in slot.iterfind(f"{{{RIM}}}ValueList/{{{RIM}}}Value")
        )
        for slot in element.iterfind(f"{{{RIM}}}Slot")
    }


def _name(element: etree._Element) -> str:
    found = element.find(f"{{{RIM}}}Name/{{{RIM}}}LocalizedString")
    return (found.get("value") or "").strip() if found is not None else ""


def _bare(urn: str | None) -> str:
    return (urn or "").removeprefix(_UUID)


def _documents(call: Call) -> Iterator[tuple[str, Content]]:
    for document in call.body.iterfind(f"{{{XDSB}}}Document"):
        include = document.find(f"{{{XOP}}}Include")
        if include is None:
            yield document.get("id") or "", _inline(document)
            continue
        reference = unquote((include.get("href") or "").removeprefix("cid:"))
        if reference not in call.package.parts:
            raise Fault("SimuMessage", "Un document désigne une pièce jointe qui n’existe pas (xop:Include)")
        yield document.get("id") or "", call.package.parts[reference]


def _inline(document: etree._Element) -> Content:
    """Return a document written in the envelope itself, which means the same (XOP 1.0, 3)."""
    try:
        content = base64.b64decode("".join((document.text or "").split()), validate=True)
    except binascii.Error as error:
        raise Fault("SimuMessage", "Un document n’est pas en base64") from error
    return Content(content, 0, len(content))
