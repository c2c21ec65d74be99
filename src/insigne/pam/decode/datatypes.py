"""HL7 data types as the registry's values: CX, HD, XAD, XTN, XON, XCN, PL, EI, TS.

Every function takes one decoded repetition (`Segment.decoded(n)[r]`): a list of components, each a list of
sub-components.
"""

from collections.abc import Sequence
from functools import lru_cache

from insigne.hl7 import NULL
from insigne.ins.matricule import NAMESPACES, OIDS
from insigne.registry.values import Address, Authority, Identifier, Ins, Location, Practitioner, Telecom, Ward

Repetition = Sequence[tuple[str, ...]]

#: CX-5 of an INS; the billing NIR has the same OID under NH (pam-fr §5.1).
INS_TYPE = "INS"
_OID_OF_NAMESPACE = {namespace: oid for oid, namespace in NAMESPACES.items()}


def text(repetition: Repetition, component: int, subcomponent: int = 1) -> str:
    """One value, "" when absent."""
    if component > len(repetition):
        return ""
    parts = repetition[component - 1]
    return parts[subcomponent - 1] if subcomponent <= len(parts) else ""


def value(repetition: Repetition, component: int, subcomponent: int = 1) -> str:
    """One value inside something that is replaced as a whole: `""` is an absent one."""
    found = text(repetition, component, subcomponent)
    return "" if found == NULL else found


def said(content: str) -> str | None:
    """A value as an assertion: None when nothing is said (blanks are nothing), "" when deletion is."""
    if content == NULL:
        return ""
    return content if content and not content.isspace() else None


@lru_cache(maxsize=1024)
def authority(component: tuple[str, ...]) -> Authority:
    """An HD; `""` in it is an absent part. A feed names few authorities, again and again."""
    namespace, universal_id, universal_id_type = (
        "" if part == NULL else part.strip() for part in (*component[:3], "", "", "")[:3]
    )
    return Authority(namespace, universal_id, universal_id_type)


def identifier(repetition: Repetition, default_type: str) -> Identifier | None:
    """A CX, or None when CX-1 is empty or `""`. Without CX-5 it takes `default_type`, save under an INS authority.

    A number under an INS authority that does not say whether it is an INS or a billing NIR is neither: it keeps no
    type.
    """
    number = value(repetition, 1).strip()
    if not number:
        return None
    issuer = authority(repetition[3]) if len(repetition) > 3 else Authority()
    kind = value(repetition, 5).strip()
    if not kind and issuer.universal_id not in OIDS:
        kind = default_type
    return Identifier(kind, issuer, number)


def is_ins(repetition: Repetition) -> bool:
    """Whether a CX is an INS, by CX-5 alone."""
    return text(repetition, 5).strip() == INS_TYPE


def ins(repetition: Repetition) -> Ins:
    """A CX of type INS; the OID is found from the namespace when the sender left it out."""
    oid = value(repetition, 4, 2).strip() or _OID_OF_NAMESPACE.get(value(repetition, 4).strip(), "")
    return Ins(text(repetition, 1).strip(), oid)


def address(repetition: Repetition) -> Address:
    """An XAD other than the birthplace."""
    return Address(
        use=value(repetition, 7),
        street=value(repetition, 1),
        complement=value(repetition, 2),
        city=value(repetition, 3),
        postal_code=value(repetition, 5),
        country=value(repetition, 6),
        commune=value(repetition, 9),
    )


def telecom(repetition: Repetition) -> Telecom:
    """An XTN: the number in XTN-12, the e-mail in XTN-4; older senders write XTN-1."""
    number = value(repetition, 12) or value(repetition, 4) or value(repetition, 1)
    return Telecom(value(repetition, 2), value(repetition, 3), number)


def ward(repetition: Repetition) -> Ward:
    """An XON: code in XON-10, label in XON-1."""
    issuer = authority(repetition[5]) if len(repetition) > 5 else Authority()
    return Ward(value(repetition, 10), value(repetition, 1), issuer)


def practitioner(repetition: Repetition) -> Practitioner:
    """An XCN: identifier, its type in XCN-13, name."""
    issuer = authority(repetition[8]) if len(repetition) > 8 else Authority()
    return Practitioner(
        value(repetition, 1), value(repetition, 13), value(repetition, 2), value(repetition, 3), authority=issuer
    )


def location(repetition: Repetition) -> Location:
    """A PL: unit of housing in PL-1, room, bed, facility."""
    return Location(
        ward=value(repetition, 1),
        room=value(repetition, 2),
        bed=value(repetition, 3),
        facility=value(repetition, 4) or value(repetition, 4, 2),
        status=value(repetition, 5),
        type=value(repetition, 6),
        building=value(repetition, 7),
        floor=value(repetition, 8),
    )


def entity(repetition: Repetition) -> str:
    """An EI as one text, ``authority|identifier``: the universal id when there is one, else the namespace."""
    issuer = value(repetition, 3).strip() or value(repetition, 2).strip()
    return f"{issuer}|{value(repetition, 1).strip()}"
