"""What receivers are told: one notice for each message to send, whoever receives it and in whatever edition.

A notice holds no trait: it names the states it is about, by version. It is kept as JSON in the outbox until the bytes
are made.
"""

from typing import Literal

import msgspec

from insigne.registry.events import Stream
from insigne.registry.values import Identifier, LegalCareMode

#: Why an A47 or an A37 is told, when the event alone does not say it.
Kind = Literal["", "identifier", "ins-replaced", "ins-deleted", "downgrade", "unmerge", "unmerged"]
#: What becomes of the movement (ZBE-4).
Action = Literal["", "INSERT", "UPDATE", "CANCEL"]


class Ref(msgspec.Struct, frozen=True, array_like=True):
    """A state as of a version: its stream, its id there, its version."""

    stream: Stream
    id: str
    version: int


class CareMode(msgspec.Struct, frozen=True, array_like=True):
    """What becomes of a legal mode of care (ZFS-5): INSERT, UPDATE or CANCEL, and the mode, as it was if cancelled."""

    action: Literal["INSERT", "UPDATE", "CANCEL"]
    mode: LegalCareMode


class Notice(msgspec.Struct, frozen=True, omit_defaults=True):
    """One thing to tell receivers: what happened, to whom, as of which versions.

    `trigger` is the ADT event ("A28"… "Z99"). `subject` is the identity the PID is about (A40: the survivor). `refs`
    names each state needed: the subject first, then the other identity, then the stay. `touched` is every identity
    whose lane it takes, subject first. `time` is when it was recorded (RFC 3339), `cause_kind` and `cause_id` the
    message, user or job that made it happen, `author` who said it in a message ("MSH-3|MSH-4"), if it was all said.

    `prior` is MRG-1: what is replaced (A40, A47), an INS as an identifier of type INS under its OID. `other` is the
    other identity (A40 absorbed, A24 and A37 linked, A44 source). `prior_account` is MRG-3 (A44, A49). `encounter`,
    `movement` and `action` are those of ITI-31.

    `kind` is, for A47, "identifier", "ins-replaced", "ins-deleted" or "downgrade"; "unmerge" for the A37 that undoes an
    A40, and "unmerged" for the A31 that follows it.

    `cleared` names the fields of the states that were known and are not any more: receivers are told to delete them,
    since an empty field tells them nothing. `care` is what became of the legal modes of care.
    """

    trigger: str
    subject: str
    refs: tuple[Ref, ...]
    touched: tuple[str, ...]
    time: str = ""
    cause_kind: str = ""
    cause_id: str = ""
    author: str = ""
    kind: Kind = ""
    prior: tuple[Identifier, ...] = ()
    other: str = ""
    encounter: str = ""
    movement: str = ""
    action: Action = ""
    prior_account: Identifier | None = None
    cleared: tuple[str, ...] = ()
    care: tuple[CareMode, ...] = ()
