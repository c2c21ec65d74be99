"""From the events of decisions to what receivers are told of them (pam-fr §2.3, §5.5; docs/emission.md)."""

from collections.abc import Sequence
from typing import Any

from msgspec.structs import replace

from insigne.pam.encode.changes import IdentityChanges, StayChanges
from insigne.pam.encode.history import History
from insigne.pam.encode.ins import as_identifier, became_definitive, shown_ins
from insigne.pam.encode.notice import Action, CareMode, Kind, Notice, Ref
from insigne.registry import events as ev
from insigne.registry.attach import names_person
from insigne.registry.ports import View
from insigne.registry.state import Encounter, Identity, Movement
from insigne.registry.values import Identifier

#: The event that cancels a movement, by the trigger of the movement (pam-fr §2.3).
CANCELLING: dict[str, str] = {
    "A01": "A11",
    "A02": "A12",
    "A03": "A13",
    "A04": "A11",
    "A05": "A38",
    "A06": "A07",
    "A07": "A06",
    "A09": "A33",
    "A10": "A32",
    "A14": "A27",
    "A15": "A26",
    "A16": "A25",
    "A21": "A52",
    "A22": "A53",
    "A54": "A55",
}
CORRECTION = "Z99"


def notices(records: Sequence[ev.Recorded], view: View) -> list[Notice]:
    """What receivers are told of these events, in order. `view` is the state after the last of them.

    `records` may be those of one decision or of a whole batch: those of one decision are contiguous and share their
    cause. What is internal (work items, searches, links of the INSi queue) is told to nobody.
    """
    history = History(records, view)
    told: list[Notice] = []
    for start, end in history.decisions():
        told += _Decision(history, start, end).notices()
    return told


def baseline(identity: Identity) -> Notice:
    """The notice that tells a new receiver of an identity as it stands (A28). A merged one is not to be told."""
    return Notice(
        trigger="A28",
        subject=identity.id,
        refs=(Ref("identity", identity.id, identity.version),),
        touched=(identity.id,),
        time=identity.updated,
        care=tuple(CareMode("INSERT", mode) for mode in identity.details.legal_care_modes),
    )


def baseline_stay(stay: Encounter, identity: Identity) -> list[Notice]:
    """The notices that tell a new receiver of a stay as it stands: its movements that count, in time order.

    `identity` is whose stay it is today, merges followed.
    """
    refs = (Ref("identity", identity.id, identity.version), Ref("encounter", stay.id, stay.version))
    return [
        Notice(
            trigger=movement.trigger,
            subject=identity.id,
            refs=refs,
            touched=(identity.id,),
            time=movement.recorded,
            encounter=stay.id,
            movement=movement.id,
            action="INSERT",
        )
        for movement in stay.active
    ]


class _Decision:
    """The events of one decision, and what is told of them."""

    def __init__(self, history: History, start: int, end: int) -> None:
        self._history = history
        self._start = start
        self._end = end
        self._told: list[tuple[int, Notice]] = []
        self._pairs: set[tuple[str, ...]] = set()

    def notices(self) -> list[Notice]:
        """Every notice, in the order of the events that cause them."""
        people: dict[str, IdentityChanges] = {}
        stays: dict[str, StayChanges] = {}
        for rank in range(self._start, self._end):
            record = self._history.records[rank]
            if record.stream == "identity":
                people.setdefault(record.stream_id, IdentityChanges()).note(rank, record.event)
                self._between_identities(rank, record)
            elif record.stream == "encounter":
                stays.setdefault(record.stream_id, StayChanges()).note(rank, record.event)
        for identity_id, changes in people.items():
            self._about_identity(identity_id, changes)
        for stay_id, stay_changes in stays.items():
            self._about_stay(stay_id, stay_changes)
        return [notice for _, notice in sorted(self._told, key=lambda told: told[0])]

    def _tell(self, rank: int, trigger: str, subject: str, *others: Ref, **more: Any) -> None:
        last = self._history.records[self._end - 1]
        told: dict[str, Any] = {
            "time": last.time,
            "cause_kind": last.cause_kind,
            "cause_id": last.cause_id,
            "author": last.author if last.cause_kind == "message" else "",
            **more,
        }
        touched = (subject, *(ref.id for ref in others if ref.stream == "identity"))
        self._told.append((rank, Notice(trigger, subject, (self._ref(subject), *others), touched, **told)))

    def _ref(self, identity_id: str) -> Ref:
        return Ref("identity", identity_id, self._history.identity(identity_id, self._end).version)

    # --- two identities

    def _between_identities(self, rank: int, record: ev.Recorded) -> None:
        """A40, A24 and A37: once for the two sides that each have their event."""
        identity_id = record.stream_id
        match record.event:
            case ev.IdentityMerged(into=survivor, snapshot=snapshot):
                prior = tuple(h.identifier for h in snapshot.identifiers if h.current and names_person(h.identifier))
                self._tell(rank, "A40", survivor, self._ref(identity_id), other=identity_id, prior=prior)
            case ev.MergeUndone(survivor=survivor):
                self._tell(rank, "A37", identity_id, self._ref(survivor), other=survivor, kind="unmerge")
            case ev.IdentityLinked(other=other):
                self._linked(rank, "A24", identity_id, other)
            case ev.IdentityUnlinked(other=other):
                self._linked(rank, "A37", identity_id, other)

    def _linked(self, rank: int, trigger: str, first: str, second: str) -> None:
        pair = (trigger, *sorted((first, second)))
        if pair not in self._pairs:
            self._pairs.add(pair)
            self._tell(rank, trigger, first, self._ref(second), other=second)

    # --- one identity

    def _about_identity(self, identity_id: str, changes: IdentityChanges) -> None:
        if changes.created >= 0:
            self._tell(changes.created, "A28", identity_id, care=changes.care)
            return
        replaced = self._identifiers(identity_id, changes)
        ins_told = self._ins(identity_id, changes)
        merged = self._history.identity(identity_id, self._end).merged_into
        if merged or not (changes.updated or ins_told or len(changes.added) > replaced or changes.unmerged):
            return
        kind: Kind = "unmerged" if changes.unmerged else ""
        more = {"kind": kind, "cleared": changes.cleared, "care": changes.care}
        if not (changes.updated or changes.added):
            more["author"] = ""  # what is said of one INS may free that of another identity, which nobody named
        self._tell(changes.last, "A31", identity_id, **more)

    def _identifiers(self, identity_id: str, changes: IdentityChanges) -> int:
        """A47 for each identifier that another one of its kind takes the place of, A40 for one that only goes.

        How many of the identifiers added were told by this.
        """
        replaced = 0
        for rank, retired, reason in changes.retired:
            if not (names_person(retired) or reason == "replaced"):
                changes.updated = True
                continue
            successor = any(i.type == retired.type and i.authority.key == retired.authority.key for i in changes.added)
            replaced += successor
            trigger, kind = ("A47", "identifier") if successor else ("A40", "")
            self._tell(rank, trigger, identity_id, kind=kind, prior=(retired,))
        return replaced

    def _ins(self, identity_id: str, changes: IdentityChanges) -> bool:
        """A47 when receivers may see another INS than before, or none; whether an A31 must follow."""
        if changes.about_ins < 0:
            return False
        before = self._history.identity(identity_id, self._start)
        after = self._history.identity(identity_id, self._end)
        was, now = shown_ins(before), shown_ins(after)
        if was == now:
            return False
        if was is None or (now is not None and became_definitive(was, now)):
            return True
        kind: Kind = "ins-replaced" if now is not None else "ins-deleted" if after.checked else "downgrade"
        prior: tuple[Identifier, ...] = (as_identifier(was),)
        self._tell(changes.about_ins, "A47", identity_id, kind=kind, prior=prior)
        return now is not None

    # --- a stay

    def _about_stay(self, stay_id: str, changes: StayChanges) -> None:
        stay = self._history.encounter(stay_id, self._end)
        owner = self._history.survivor(stay.identity, self._end)
        ref = Ref("encounter", stay.id, stay.version)
        for rank, before in changes.reassigned:
            self._moved(rank, stay, owner, before, ref)
        for rank, account in changes.renumbered:
            pair = ("A49", owner.id, *account.key)
            if stay.account is not None and pair not in self._pairs:
                self._pairs.add(pair)
                self._tell(rank, "A49", owner.id, ref, encounter=stay.id, prior_account=account)
        movements = [(rank, *movement_event(event)) for rank, event in changes.movements]
        if not movements and changes.header >= 0 and stay.active:
            movements = [(changes.header, CORRECTION, "UPDATE", stay.active[-1])]
        for rank, trigger, action, movement in movements:
            if trigger:
                self._tell(
                    rank,
                    trigger,
                    owner.id,
                    ref,
                    encounter=stay.id,
                    movement=movement.id,
                    action=action,
                    cleared=changes.cleared if action != "CANCEL" else (),
                )

    def _moved(self, rank: int, stay: Encounter, owner: Identity, before: str, ref: Ref) -> None:
        """A44, once for all the stays of the account."""
        source = self._history.survivor(before, self._start)
        pair = ("A44", owner.id, source.id, *(stay.account.key if stay.account is not None else (stay.id,)))
        if pair not in self._pairs and source.id != owner.id:
            self._pairs.add(pair)
            self._tell(
                rank,
                "A44",
                owner.id,
                self._ref(source.id),
                ref,
                other=source.id,
                encounter=stay.id,
                prior_account=stay.account,
            )


def movement_event(event: ev.EncounterEvent) -> tuple[str, Action, Movement]:
    """The trigger and the action (ZBE-4) that tell what became of a movement; trigger "" when there is nothing to tell.

    A movement told again under its number is told as what changed: another event, another attending doctor, else a
    correction.
    """
    match event:
        case ev.MovementCancelled(movement=movement):
            return CANCELLING.get(movement.trigger, CORRECTION), "CANCEL", movement
        case ev.MovementCorrected(after=after):
            return ("" if after.cancelled else CORRECTION), "UPDATE", after
        case ev.MovementRecorded(movement=movement, before=before):
            return *_recorded(movement, before), movement
        case _:
            raise TypeError(f"{type(event).__name__} is not about a movement")


def _recorded(movement: Movement, before: Movement | None) -> tuple[str, Action]:
    if before is None or before.cancelled or movement.trigger != before.trigger:
        return movement.trigger, "INSERT"
    marks = {"attending": before.attending, "recorded": before.recorded}
    if movement.attending != before.attending and replace(movement, **marks) == before:
        return "A54", "INSERT"
    return CORRECTION, "UPDATE"
