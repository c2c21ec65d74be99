"""HL7 data types as the registry's values: CX, HD, XAD, XTN, XON, XCN, PL, EI, TS.

Every function takes one decoded repetition (`Segment.decoded(n)[r]`): a list of components, each a list of
sub-components.
"""

from collections.abc import Sequence

from insigne.hl7 import NULL
from insigne.ins.matricule import NAMESPACES, OIDS
from insigne.registry.values import Address, Authority, Identifier, Ins, Location, Practitioner, Telecom, Ward

Repetition = Sequence[Sequence[str]]

#: CX-5 of an INS; the billing NIR has the same OID under NH (pam-fr §5.1).
INS_TYPE = "INS"
_OID_OF_NAMESPACE = {namespace: oid for oid, namespace in NAMESPACES.items()}


def text(repetition: Repetition, component: int, subcomponent: int = 1) -> str:
    """One value, "" when absent."""
    if component > len(repetition):
        return ""
    parts = repetition[component - 1]
    return parts[subcomponent - 1] if subcomponent <= len(parts) else ""


def said(value: str) -> str | None:
    """A value as an assertion: None when nothing is said, "" when deletion is."""
    if value == NULL:
        return ""
    return value or None


def authority(component: Sequence[str]) -> Authority:
    """An HD. A universal id equal to `""` is taken as absent."""
    namespace = component[0] if component else ""
    universal_id = component[1] if len(component) > 1 else ""
    universal_id_type = component[2] if len(component) > 2 else ""
    return Authority(namespace.strip(), universal_id.strip(), universal_id_type.strip())


def identifier(repetition: Repetition, default_type: str) -> Identifier | None:
    """A CX, or None when CX-1 is empty or `""`. Without CX-5 it takes `default_type`, save under an INS authority.

    A number under an INS authority that does not say whether it is an INS or a billing NIR is neither: it keeps no
    type.
    """
    value = text(repetition, 1).strip()
    if not value or value == NULL:
        return None
    issuer = authority(repetition[3]) if len(repetition) > 3 else Authority()
    kind = text(repetition, 5).strip()
    if not kind and issuer.universal_id not in OIDS:
        kind = default_type
    return Identifier(kind, issuer, value)


def is_ins(repetition: Repetition) -> bool:
    """Whether a CX is an INS, by CX-5 alone."""
    return text(repetition, 5).strip() == INS_TYPE


def ins(repetition: Repetition) -> Ins:
    """A CX of type INS; the OID is found from the namespace when the sender left it out."""
    oid = text(repetition, 4, 2).strip() or _OID_OF_NAMESPACE.get(text(repetition, 4).strip(), "")
    return Ins(text(repetition, 1).strip(), oid)


def address(repetition: Repetition) -> Address:
    """An XAD other than the birthplace."""
    return Address(
        use=text(repetition, 7),
        street=text(repetition, 1),
        complement=text(repetition, 2),
        city=text(repetition, 3),
        postal_code=text(repetition, 5),
        country=text(repetition, 6),
        commune=text(repetition, 9),
    )


def telecom(repetition: Repetition) -> Telecom:
    """An XTN: the number in XTN-12, the e-mail in XTN-4; older senders write XTN-1."""
    value = text(repetition, 12) or text(repetition, 4) or text(repetition, 1)
    return Telecom(text(repetition, 2), text(repetition, 3), value)


def ward(repetition: Repetition) -> Ward:
    """An XON: code in XON-10, label in XON-1."""
    issuer = authority(repetition[5]) if len(repetition) > 5 else Authority()
    return Ward(text(repetition, 10), text(repetition, 1), issuer)


def practitioner(repetition: Repetition) -> Practitioner:
    """An XCN: identifier, its type in XCN-13, name."""
    issuer = authority(repetition[8]) if len(repetition) > 8 else Authority()
    return Practitioner(
        text(repetition, 1), text(repetition, 13), text(repetition, 2), text(repetition, 3), authority=issuer
    )


def location(repetition: Repetition) -> Location:
    """A PL: unit of housing in PL-1, room, bed, facility."""
    return Location(
        ward=text(repetition, 1),
        room=text(repetition, 2),
        bed=text(repetition, 3),
        facility=text(repetition, 4) or text(repetition, 4, 2),
        status=text(repetition, 5),
        type=text(repetition, 6),
        building=text(repetition, 7),
        floor=text(repetition, 8),
    )


def entity(repetition: Repetition) -> str:
    """An EI as one text, ``authority|identifier``: the universal id when there is one, else the namespace."""
    issuer = text(repetition, 3).strip() or text(repetition, 2).strip()
    return f"{issuer}|{text(repetition, 1).strip()}"
