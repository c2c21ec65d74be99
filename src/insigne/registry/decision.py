"""What the rules answer: refusals, notices, and the draft in which they write their events."""

import operator
from collections.abc import Callable
from enum import StrEnum

import msgspec

from insigne.registry import events as ev
from insigne.registry.notices import Notice
from insigne.registry.settings import Policy
from insigne.registry.source import Source
from insigne.registry.state import Encounter, Identity, WorkItem, held_parts
from insigne.registry.workingset import WorkingSet


class Subject(StrEnum):
    """What a refusal or a notice is about; `pam` knows where that stands in a message."""

    PATIENT = "patient"
    PRIOR = "prior"
    INS = "ins"
    RELIABILITY = "reliability"
    NAME = "name"
    TRAITS = "traits"
    MOVEMENT = "movement"
    VISIT = "visit"
    ACCOUNT = "account"


class Fault(StrEnum):
    """Why a command is refused (HL7 table 0357 has the codes)."""

    REQUIRED = "required"
    UNKNOWN_KEY = "unknown-key"
    DUPLICATE_KEY = "duplicate-key"
    CONFLICT = "conflict"
    FORBIDDEN = "forbidden"


class Refused(Exception):  # noqa: N818 - a decision, not a failure
    """The command is refused; nothing of it is applied.

    `text` may be sent to the peer: it holds no trait. The surviving identifier of a merged one is named only when
    `survivor` is set, which the rule does only for the authority that issued it. The refusal of an act of a person has
    a `code` too, the sentence in French and what to do about it (`refusals`); that of a message has not.
    """

    code: str = ""
    text_fr: str = ""
    remedy: str = ""
    remedy_fr: str = ""

    def __init__(self, fault: Fault, subject: Subject, text: str, *, survivor: str = "") -> None:
        super().__init__(text)
        self.fault = fault
        self.subject = subject
        self.text = text
        self.survivor = survivor


class Draft(msgspec.Struct):
    """One command being decided: the working set it changes, who asks, and what there is to say about it."""

    working: WorkingSet
    source: Source
    policy: Policy
    new_id: Callable[[], str]
    notices: list[Notice] = []
    subject: str = ""

    def emit(self, stream: ev.Stream, stream_id: str, event: ev.AnyEvent, version: int) -> None:
        """Add an event at `version` of its stream and apply it."""
        source = self.source
        self.working.add(
            ev.Recorded(
                stream, stream_id, version, source.time, source.author, source.cause_kind, source.cause_id, event
            )
        )

    def on_identity(self, identity: Identity, event: ev.IdentityEvent) -> Identity:
        """Emit an event on an identity; return its new state."""
        self.emit("identity", identity.id, event, identity.version + 1)
        return self.identity(identity.id)

    def withdraw_ins(self, identity: Identity, reason: str) -> Identity:
        """Send the INS that an identity holds to its history."""
        held = identity.ins
        if held is None:
            return identity
        return self.on_identity(identity, ev.InsWithdrawn(held.ins, reason, held.contested))

    def on_encounter(self, encounter: Encounter, event: ev.EncounterEvent) -> Encounter:
        """Emit an event on a stay; return its new state."""
        self.emit("encounter", encounter.id, event, encounter.version + 1)
        return self.working.encounter_states[encounter.id]

    def identity(self, identity_id: str) -> Identity:
        """The state of an identity that must exist."""
        identity = self.working.identity(identity_id)
        if identity is None:
            raise LookupError(f"identity {identity_id} is indexed but not stored")
        return identity

    def survivor(self, identity: Identity) -> Identity:
        """The identity that stands for this one, merges followed to their end."""
        seen = {identity.id}
        while identity.merged_into:
            identity = self.identity(identity.merged_into)
            if identity.id in seen:
                raise LookupError(f"identity {identity.id} is merged in a circle")
            seen.add(identity.id)
        return identity

    def notice(self, code: str, subject: Subject, **values: str) -> None:
        """Say something about the command that is not a refusal."""
        self.notices.append(Notice(code, str(subject), tuple(values.items())))

    def raise_item(
        self, kind: str, subjects: tuple[str, ...], *, cause: str = "", held: bytes = b"null", about: str = ""
    ) -> None:
        """Raise a work item unless the same one is open: of that kind and subjects, or `about` that thing if given."""
        key = "|".join((kind, about) if about else (kind, *sorted(subjects)))
        if self.working.open_work_item(key) is not None:
            return
        item_id = self.new_id()
        event = ev.WorkItemRaised(kind=kind, key=key, subjects=subjects, cause=cause, held=ev.raw_json(held))
        self.emit("work-item", item_id, event, 1)

    def hold(
        self,
        kind: str,
        subjects: tuple[str, ...],
        held: bytes,
        *,
        cause: str = "",
        about: str = "",
        same: Callable[[bytes, bytes], bool] = operator.eq,
    ) -> None:
        """Raise the work item of what is held back; one that is open already holds this, the latest, from now on.

        `same` tells whether what the item holds and this come to the same for who applies them.
        """
        item = self._open_item("|".join((kind, about) if about else (kind, *sorted(subjects))))
        if item is None:
            self.raise_item(kind, subjects, cause=cause, held=held, about=about)
            return
        again = ev.WorkItemHeldAgain()
        if not same(bytes(item.held), held):
            again = ev.WorkItemHeldAgain(cause=cause, held=ev.raw_json(held), before=item.held, change="replaced")
        self.emit("work-item", item.id, again, item.version + 1)

    def hold_too(self, kind: str, subjects: tuple[str, ...], held: bytes, *, about: str) -> None:
        """Raise the work item of what is held back; one that is open already holds this too, once, after the rest."""
        item = self._open_item(f"{kind}|{about}")
        if item is None:
            self.raise_item(kind, subjects, held=held, about=about)
            return
        again = ev.WorkItemHeldAgain()
        if held not in map(bytes, held_parts(item.held)):
            again = ev.WorkItemHeldAgain(held=ev.raw_json(held), change="added")
        self.emit("work-item", item.id, again, item.version + 1)

    def supersede(self, item: WorkItem) -> None:
        """Let an open item hold nothing any more: the sender of what it held says otherwise."""
        self.emit("work-item", item.id, ev.WorkItemHeldAgain(before=item.held, change="superseded"), item.version + 1)

    def open_item(self, kind: str, subjects: tuple[str, ...]) -> WorkItem | None:
        """The open work item of that kind and subjects, if there is one."""
        return self._open_item("|".join((kind, *sorted(subjects))))

    def _open_item(self, key: str) -> WorkItem | None:
        item_id = self.working.open_work_item(key)
        return self.working.work_item(item_id) if item_id else None

    def close_item(self, kind: str, subjects: tuple[str, ...], outcome: str) -> None:
        """Close the open work item of that kind and subjects, if there is one: what happened settled it."""
        item = self.open_item(kind, subjects)
        if item is not None:
            self.emit("work-item", item.id, ev.WorkItemClosed(outcome), item.version + 1)
