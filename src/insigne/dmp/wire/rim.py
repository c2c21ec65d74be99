"""Objects of an ebXML registry (ebRIM 3.0), as XDS.b carries them: written from plain values, read into them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from lxml import etree

from insigne.dmp.wire import names
from insigne.dmp.wire.build import add
from insigne.dmp.wire.model import WireError
from insigne.insi.wire.xml import child, content

Slots = Mapping[str, tuple[str, ...]]
_LANGUAGE: Final = f"{{{names.XML}}}lang"
_OBJECTS: Final = frozenset({"RegistryPackage", "ExtrinsicObject", "Association", "ObjectRef"})
_MOST: Final = 20_000
"""Most elements of a list of objects that is read."""


@dataclass(frozen=True, slots=True)
class Classification:
    """A classification by a scheme (code, label, slots such as codingScheme), or by a node alone."""

    scheme: str = ""
    code: str = ""
    label: str = ""
    slots: Slots = field(default_factory=dict)
    node: str = ""

    @property
    def system(self) -> str:
        """The coding scheme of the code."""
        return next(iter(self.slots.get("codingScheme", ())), "")


@dataclass(frozen=True, slots=True)
class RegistryObject:
    """An object: `kind` is the name of its element, `attributes` its own (`objectType`, `mimeType`, `lid`,
    `status`, `associationType`, `sourceObject`, `targetObject`…), `identifiers` by scheme.
    """

    kind: str
    id: str
    attributes: Mapping[str, str] = field(default_factory=dict)
    slots: Slots = field(default_factory=dict)
    name: str = ""
    description: str = ""
    classifications: tuple[Classification, ...] = ()
    identifiers: Mapping[str, str] = field(default_factory=dict)

    def slot(self, name: str) -> str:
        """Return the first value of a slot, "" without."""
        return next(iter(self.slots.get(name, ())), "")

    def codes(self, scheme: str) -> tuple[Classification, ...]:
        """Return its classifications by a scheme."""
        return tuple(one for one in self.classifications if one.scheme == scheme)


def coded(scheme: str, code: str, system: str, label: str) -> Classification:
    """Return the classification of a code."""
    return Classification(scheme, code, label, {"codingScheme": (system,)})


def build_objects(parent: etree._Element, objects: Iterable[RegistryObject]) -> None:
    """Write a RegistryObjectList in an element. Inner objects are numbered in order, as their schema asks for ids."""
    listed = add(parent, "rim:RegistryObjectList")
    number = 0
    for one in objects:
        attributes = {"id": one.id, **one.attributes}
        element = add(listed, f"rim:{one.kind}", **attributes)
        _slots(element, one.slots)
        _text(element, "Name", one.name)
        _text(element, "Description", one.description)
        for classification in one.classifications:
            number += 1
            _classification(element, one.id, classification, f"cl{number}")
        for scheme, value in one.identifiers.items():
            number += 1
            identifier = add(
                element,
                "rim:ExternalIdentifier",
                id=f"ei{number}",
                identificationScheme=scheme,
                registryObject=one.id,
                value=value,
            )
            _text(identifier, "Name", names.IDENTIFIER_NAMES.get(scheme, ""))


def read_objects(parent: etree._Element | None) -> tuple[RegistryObject, ...]:
    """Read the RegistryObjectList of an element, none when it has none. Raises WireError for one beyond measure."""
    listed = None if parent is None else child(parent, names.RIM, "RegistryObjectList")
    if listed is None:
        return ()
    if sum(1 for _ in listed.iter()) > _MOST:
        raise WireError(f"a list of objects of more than {_MOST} elements")
    kinds = ((etree.QName(one).localname, one) for one in listed.iterchildren(f"{{{names.RIM}}}*"))
    return tuple(_read(kind, one) for kind, one in kinds if kind in _OBJECTS)


def read_slots(element: etree._Element) -> Slots:
    """Read the slots of an element; a name given twice has all its values."""
    found: dict[str, tuple[str, ...]] = {}
    for slot in element.iterchildren(f"{{{names.RIM}}}Slot"):
        values = child(slot, names.RIM, "ValueList")
        texts = () if values is None else tuple(content(one) for one in values.iterchildren(f"{{{names.RIM}}}Value"))
        name = slot.get("name", "")
        found[name] = (*found.get(name, ()), *texts)
    return found


def build_slots(element: etree._Element, slots: Slots) -> None:
    """Write slots, those without a value left out."""
    _slots(element, slots)


def _slots(element: etree._Element, slots: Slots) -> None:
    for name, values in slots.items():
        if values:
            listed = add(add(element, "rim:Slot", name=name), "rim:ValueList")
            for value in values:
                add(listed, "rim:Value", value)


def _text(element: etree._Element, name: str, value: str) -> None:
    if value:
        told = add(element, f"rim:{name}")
        add(told, "rim:LocalizedString", charset="UTF-8", value=value, **{_LANGUAGE: "fr-FR"})


def _classification(parent: etree._Element, object_id: str, one: Classification, number: str) -> None:
    element = add(
        parent,
        "rim:Classification",
        id=number,
        classificationScheme=one.scheme,
        classificationNode=one.node,
        classifiedObject=object_id,
    )
    if one.scheme:
        element.set("nodeRepresentation", one.code)  # asked for even when empty, as that of an author is
    _slots(element, one.slots)
    _text(element, "Name", one.label)


def _read(kind: str, element: etree._Element) -> RegistryObject:
    attributes = {str(name): str(value) for name, value in element.attrib.items() if name != "id"}
    return RegistryObject(
        kind,
        element.get("id", ""),
        attributes,
        read_slots(element),
        _told(element, "Name"),
        _told(element, "Description"),
        tuple(
            Classification(
                one.get("classificationScheme", ""),
                one.get("nodeRepresentation", ""),
                _told(one, "Name"),
                read_slots(one),
                one.get("classificationNode", ""),
            )
            for one in element.iterchildren(f"{{{names.RIM}}}Classification")
        ),
        {
            one.get("identificationScheme", ""): one.get("value", "")
            for one in element.iterchildren(f"{{{names.RIM}}}ExternalIdentifier")
        },
    )


def _told(element: etree._Element, name: str) -> str:
    told = child(child(element, names.RIM, name), names.RIM, "LocalizedString")
    return "" if told is None else told.get("value", "")
