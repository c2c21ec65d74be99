"""The keys under which states are looked up: one definition for the database, the working set and the tests."""

from insigne.registry.ports import Key
from insigne.registry.state import Encounter, Identity
from insigne.registry.values import Identifier

#: The type under which an INS held now is indexed; the authority is left empty: a matricule is found whatever its OID.
INS_TYPE = "INS"
#: The type under which an INS that was replaced is indexed, apart: nobody may be taken for its holder.
REPLACED_INS_TYPE = "INS-OLD"


def identity_keys(identity: Identity) -> frozenset[Key]:
    """Every key an identity is found by: identifiers, current or retired, the INS it holds now, those replaced."""
    keys = {held.identifier.key for held in identity.identifiers}
    if identity.ins is not None:
        keys.add(ins_key(identity.ins.ins.matricule))
    keys.update(replaced_ins_key(past.ins.matricule) for past in identity.replaced_ins)
    return frozenset(keys)


def encounter_keys(encounter: Encounter) -> frozenset[Key]:
    """Every key a stay is found by: its visit and account numbers."""
    keys = set()
    if encounter.visit is not None:
        keys.add(visit_key(encounter.visit))
    if encounter.account is not None:
        keys.add(account_key(encounter.account))
    return frozenset(keys)


def ins_key(matricule: str) -> Key:
    """The key of an INS held now."""
    return (INS_TYPE, "", matricule)


def replaced_ins_key(matricule: str) -> Key:
    """The key of an INS held before another took its place."""
    return (REPLACED_INS_TYPE, "", matricule)


def overlay_key(identity_id: str) -> str:
    """The key of the work item of what an overlay of this identity held back: looked up by every message about it."""
    return f"overlay|{identity_id}"


def visit_key(visit: Identifier) -> Key:
    """The key of a visit number, whatever type the sender wrote."""
    return ("VN", visit.authority.key, visit.value)


def account_key(account: Identifier) -> Key:
    """The key of an account number, whatever type the sender wrote."""
    return ("AN", account.authority.key, account.value)
