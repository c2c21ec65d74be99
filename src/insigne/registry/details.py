"""Complementary traits: applying what a message says of them."""

from operator import attrgetter

from msgspec.structs import replace

from insigne.registry.commands import DetailsAssertion, DmpAssertion
from insigne.registry.values import Collection, Details, Dmp, LegalCareMode

#: Fields that are alike in the assertion and in the state: None keeps, anything else replaces.
_PLAIN = sorted(set(Details.__struct_fields__) - {"collection", "dmp", "legal_care_modes"})
_plain_said = _plain_known = attrgetter(*_PLAIN)
_UPDATE_MARKS = frozenset({"last_update", "last_update_facility"})
_COLLECTION = {
    "birth_date_corrected": "birth_date_corrected",
    "mode": "collection_mode",
    "insi_date": "insi_date",
    "proof": "proof",
    "proof_expiry": "proof_expiry",
}
_collection_known, _collection_said = attrgetter(*_COLLECTION), attrgetter(*_COLLECTION.values())


def details_after(before: Details, said: DetailsAssertion) -> Details:
    """The complementary traits once what is said of them is applied; the same object when nothing changes.

    Lists (addresses, telecoms…) are replaced whole (design: settled 7). Legal care modes are applied one by one by
    their action.
    """
    pairs = zip(_PLAIN, _plain_said(said), _plain_known(before), strict=True)
    changes: dict[str, object] = {name: value for name, value, known in pairs if value is not None and value != known}
    collection = _collection_after(before.collection, said)
    if collection is not before.collection:
        changes["collection"] = collection
    if said.dmp is not None:
        dmp = _dmp_after(before.dmp, said.dmp)
        if dmp != before.dmp:
            changes["dmp"] = dmp
    if said.legal_care_modes:
        modes = _modes_after(before.legal_care_modes, said.legal_care_modes)
        if modes != before.legal_care_modes:
            changes["legal_care_modes"] = modes
    # A new date of update with nothing updated is no change.
    return replace(before, **changes) if changes.keys() - _UPDATE_MARKS else before


def _collection_after(before: Collection, said: DetailsAssertion) -> Collection:
    pairs = zip(_COLLECTION, _collection_said(said), _collection_known(before), strict=True)
    changes = {name: value for name, value, known in pairs if value is not None and value != known}
    return replace(before, **changes) if changes else before


def _dmp_after(before: Dmp, said: DmpAssertion) -> Dmp:
    changes = {name: value for name in Dmp.__struct_fields__ if (value := getattr(said, name)) is not None}
    return replace(before, **changes)


def _modes_after(
    before: tuple[LegalCareMode, ...], said: tuple[tuple[str, LegalCareMode], ...]
) -> tuple[LegalCareMode, ...]:
    """Apply (action, mode) pairs in order: CANCEL removes the mode of that id, INSERT and UPDATE put it (ZFS-5)."""
    modes = {mode.id: mode for mode in before}
    for action, mode in said:
        if action == "CANCEL":
            modes.pop(mode.id, None)
        else:
            modes[mode.id] = mode
    return tuple(modes.values())
