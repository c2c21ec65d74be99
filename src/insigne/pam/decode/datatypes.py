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


def texts(repetition: Repetition, count: int) -> list[str]:
    """The first sub-components of the first `count` components, "" when absent: `text` of each, at once."""
    found = [parts[0] for parts in repetition[:count]]
    return found + [""] * (count - len(found))


def values(repetition: Repetition, count: int) -> list[str]:
    """The first sub-components of the first `count` components: `value` of each, at once."""
    found = texts(repetition, count)
    return ["" if text == NULL else text for text in found] if NULL in found else found


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
    number, _, _, _, kind = values(repetition, 5)
    number, kind = number.strip(), kind.strip()
    if not number:
        return None
    issuer = authority(repetition[3]) if len(repetition) > 3 else Authority()
    if not kind and issuer.universal_id not in OIDS:
        kind = default_type
    return Identifier(kind, issuer, number)


def is_ins(repetition: Repetition) -> bool:
    """Whether a CX is an INS, by CX-5 alone."""
    return len(repetition) > 4 and repetition[4][0].strip() == INS_TYPE


def ins(repetition: Repetition) -> Ins:
    """A CX of type INS; the OID is found from the namespace when the sender left it out."""
    oid = value(repetition, 4, 2).strip() or _OID_OF_NAMESPACE.get(value(repetition, 4).strip(), "")
    return Ins(text(repetition, 1).strip(), oid)


def address(repetition: Repetition) -> Address:
    """An XAD other than the birthplace."""
    street, complement, city, _, postal_code, country, use, _, commune = values(repetition, 9)
    return Address(use, street, complement, city, postal_code, country, commune)


def telecom(repetition: Repetition) -> Telecom:
    """An XTN: the number in XTN-12, the e-mail in XTN-4; older senders write XTN-1."""
    found = values(repetition, 12)
    return Telecom(found[1], found[2], found[11] or found[3] or found[0])


def ward(repetition: Repetition) -> Ward:
    """An XON: code in XON-10, label in XON-1."""
    issuer = authority(repetition[5]) if len(repetition) > 5 else Authority()
    found = values(repetition, 10)
    return Ward(found[9], found[0], issuer)


def practitioner(repetition: Repetition) -> Practitioner:
    """An XCN: identifier, its type in XCN-13, name."""
    issuer = authority(repetition[8]) if len(repetition) > 8 else Authority()
    found = values(repetition, 13)
    return Practitioner(found[0], found[12], found[1], found[2], issuer)


def location(repetition: Repetition) -> Location:
    """A PL: unit of housing in PL-1, room, bed, facility."""
    ward, room, bed, facility, status, kind, building, floor = values(repetition, 8)
    return Location(ward, room, bed, facility or value(repetition, 4, 2), status, kind, building, floor)


def entity(repetition: Repetition) -> str:
    """An EI as one text, ``authority|identifier``: the universal id when there is one, else the namespace."""
    number, namespace, universal = values(repetition, 3)
    return f"{universal.strip() or namespace.strip()}|{number.strip()}"
