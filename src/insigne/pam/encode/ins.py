"""The INS as receivers may see it (pam-fr §5.1, §5.4; RNIV: it leaves only with a qualified identity)."""

from functools import lru_cache

from insigne.ins.dates import BirthDate
from insigne.ins.matricule import NAMESPACES, Nature, nature_of
from insigne.ins.status import forces_provisional
from insigne.registry.index import INS_TYPE
from insigne.registry.state import Identity
from insigne.registry.values import Authority, Identifier, Ins


def shown_ins(identity: Identity) -> Ins | None:
    """The INS that goes with this identity, or None.

    It goes when the identity is qualified, neither doubtful nor fictitious, its five strict traits are there, the birth
    date is a day of the calendar and was not completed (ZFD-4).
    """
    held = identity.ins
    if held is None or not identity.qualified or forces_provisional(identity.attributes):
        return None
    traits = identity.traits
    whole = traits.birth_name and traits.first_given_name and traits.given_names and traits.birth_place
    if not whole or traits.sex not in {"M", "F"} or not is_whole_date(traits.birth_date):
        return None
    return None if identity.details.collection.birth_date_corrected == "Y" else held.ins


@lru_cache(maxsize=4096)
def is_whole_date(text: str) -> bool:
    """Whether a birth date, as received, is a day of the calendar."""
    try:
        return BirthDate.parse(text).is_complete
    except ValueError:
        return False


def as_identifier(ins: Ins) -> Identifier:
    """An INS as an identifier of PID-3 or MRG-1: type INS, under the name and OID of its authority."""
    return Identifier(INS_TYPE, Authority(NAMESPACES.get(ins.oid, ins.oid), ins.oid, "ISO"), ins.matricule)


def became_definitive(before: Ins, after: Ins) -> bool:
    """Whether a NIA gave way to a NIR, which is told by an A31 (pam-fr §5.5)."""
    return (nature_of(before.oid), nature_of(after.oid)) == (Nature.NIA, Nature.NIR)


def withheld_now(ins: Ins, current: Identity | None) -> bool:
    """Whether that INS may not leave any more for this person: none may today, or another one took its place."""
    return current is None or shown_ins(current) != ins


def may_carry(raw: bytes, patient: Identity | None) -> bool:
    """Whether the INS in a message written earlier, if any, is that of its patient, qualified, today."""
    carried = carried_ins(raw)
    ins = shown_ins(patient) if patient is not None else None
    return not carried or (ins is not None and carried == {ins.matricule})


def carried_ins(raw: bytes) -> set[str]:
    """The matricules that the first PID of a message of ours gives its patient; a deletion gives none."""
    segment = next((one for one in raw.split(b"\r") if one.startswith(b"PID|")), b"")
    held = [one.split(b"^") for one in b"".join(segment.split(b"|")[3:4]).split(b"~")]
    return {one[0].decode("latin-1") for one in held if one[4:5] == [INS_TYPE.encode()] and one[0] != b'""'}
