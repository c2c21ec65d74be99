"""States and records as rows, and back. The rows of a projection depend on its state and on nothing else."""

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from insigne.exchange.model import MessageRecord
from insigne.ins.names import fold_name, spaced_name
from insigne.registry.index import INS_TYPE, REPLACED_INS_TYPE, encounter_keys
from insigne.registry.ports import Key
from insigne.registry.state import Encounter, Identity, WorkItem

Row = tuple[Any, ...]

encode: Final = msgspec.json.Encoder().encode
_identity: Final = msgspec.json.Decoder(Identity)
_encounter: Final = msgspec.json.Decoder(Encounter)
_work_item: Final = msgspec.json.Decoder(WorkItem)


def identity_row(identity: Identity) -> Row:
    """The row of `statements.PUT_IDENTITY`: search columns, then the state."""
    traits, details = identity.traits, identity.details
    return (
        identity.id,
        traits.birth_date[:8],
        fold_name(traits.birth_name),
        fold_name(details.used_name),
        # Word by word, since a search may name the first given name, one of the list, or the used one.
        spaced_name(f"{traits.first_given_name} {traits.given_names} {details.used_given_name}"),
        traits.sex,
        identity.status.value,
        identity.domain,
        identity.merged_into,
        identity.updated,
        encode(identity),
        verified(identity),
    )


def is_found_alike(before: Identity, after: Identity) -> bool:
    """Whether two states of an identity differ by no column of `statements.PUT_IDENTITY` but those of a change."""
    old, new = before.details, after.details
    return (
        before.traits == after.traits
        and old.used_name == new.used_name
        and old.used_given_name == new.used_given_name
        and verified(before) == verified(after)
    )


def identity_change(identity: Identity) -> Row:
    """The row of `statements.CHANGE_IDENTITY`."""
    one = identity
    return (one.status.value, one.domain, one.merged_into, one.updated, encode(one), one.id)


def verified(identity: Identity) -> str | None:
    """When INSi last answered for the INS held, "" for never; None when there is none to verify: no INS, or merged."""
    if not identity.recovered or identity.merged_into:
        return None
    return max(identity.national.verified, identity.national.obtained)


def identifier_rows(identity: Identity) -> dict[Key, Row]:
    """The rows of `statements.PUT_IDENTIFIER`, by key. An INS is found by matricule; its OID is in column namespace."""
    rows: dict[Key, Row] = {}
    for held in identity.identifiers:
        identifier = held.identifier
        authority = identifier.authority
        key = identifier.key
        rows[key] = (key[2], key[1], key[0], identity.id, authority.namespace, not held.until, held.since)
    for past in identity.replaced_ins:
        ins = past.ins
        rows[REPLACED_INS_TYPE, "", ins.matricule] = (
            ins.matricule, "", REPLACED_INS_TYPE, identity.id, ins.oid, False, past.since
        )  # fmt: skip
    if identity.ins is not None:
        ins = identity.ins.ins
        rows[INS_TYPE, "", ins.matricule] = (
            ins.matricule, "", INS_TYPE, identity.id, ins.oid, True, identity.ins.since
        )  # fmt: skip
    return rows


def encounter_row(encounter: Encounter) -> Row:
    """The row of `statements.PUT_ENCOUNTER`."""
    return (encounter.id, encounter.identity, encode(encounter))


def encounter_change(encounter: Encounter) -> Row:
    """The row of `statements.CHANGE_ENCOUNTER`."""
    return (encode(encounter), encounter.id)


def encounter_key_rows(encounter: Encounter) -> dict[Key, Row]:
    """The rows of `statements.PUT_ENCOUNTER_KEY`, by key."""
    return {key: (key[2], key[1], key[0], encounter.id) for key in encounter_keys(encounter)}


def work_item_row(item: WorkItem) -> Row:
    """The row of `statements.PUT_WORK_ITEM`."""
    return (item.id, item.kind, item.key, not item.closed, item.opened, encode(item), item.assignee or None)


def subject_rows(item: WorkItem) -> list[Row]:
    """The rows of `statements.PUT_WORK_ITEM_SUBJECT`."""
    return [(subject, item.id) for subject in dict.fromkeys(item.subjects)]


_RAW: Final = MessageRecord.__struct_fields__.index("raw")
_IN_PARTS: Final = b"\0in parts"
"""Stands for the bytes of a message that are in `message_part`; no message begins so."""
_LARGE: Final = 4_194_304
"""Bytes from which those of a message are kept in parts: a base makes several copies of a value as it writes it."""
_PART: Final = 1_048_576


def message_row(message: MessageRecord) -> Row:
    """The row of `statements.INSERT_MESSAGE`: its columns are the fields of the record."""
    if len(message.raw) > _LARGE:
        message = msgspec.structs.replace(message, raw=_IN_PARTS)
    return msgspec.structs.astuple(message)


def message_parts(message: MessageRecord) -> list[Row]:
    """The rows of `statements.INSERT_MESSAGE_PART`, none for a message that is not very large."""
    raw = message.raw
    if len(raw) <= _LARGE:
        return []
    view = memoryview(raw)
    return [(message.id, part, view[start : start + _PART]) for part, start in enumerate(range(0, len(raw), _PART))]


def is_in_parts(row: Sequence[Any]) -> bool:
    """Whether the bytes of a whole `message` row are in `message_part`."""
    return bool(row[_RAW] == _IN_PARTS)


def read_identity(state: bytes) -> Identity:
    """The identity of a `state` column."""
    return _identity.decode(state)


def read_encounter(state: bytes) -> Encounter:
    """The stay of a `state` column."""
    return _encounter.decode(state)


def read_work_item(state: bytes) -> WorkItem:
    """The work item of a `state` column."""
    return _work_item.decode(state)


def read_message(row: Sequence[Any], raw: bytes = b"") -> MessageRecord:
    """The record of a whole `message` row; what a purge erased reads as empty, and so does `raw` kept in parts."""
    values: list[Any] = [b"" if value is None else value for value in row]
    if is_in_parts(row):
        values[_RAW] = raw
    return MessageRecord(*values)
