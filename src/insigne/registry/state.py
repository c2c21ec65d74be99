"""Current states: what the journal amounts to today. Built only by `evolve`, kept by `store` as projections."""

import msgspec

from insigne.ins.status import Status, status_of
from insigne.registry.values import (
    Address,
    Details,
    Identifier,
    Ins,
    Location,
    NationalIns,
    Practitioner,
    Proof,
    Traits,
    Value,
    Ward,
)

#: Identifier types that name a person inside an authority and so attach a message to an identity (table 0203).
PERSON_TYPES = frozenset({"PI", "PN", "PT", "MR", "RRI", "EI"})


class HeldIdentifier(Value, frozen=True):
    """An identifier an identity holds or held. `until` is set, and `reason` said, once it was retired."""

    identifier: Identifier
    since: str
    until: str = ""
    reason: str = ""

    @property
    def current(self) -> bool:
        """Whether the identifier still names the identity."""
        return not self.until


class HeldIns(Value, frozen=True):
    """The INS an identity holds.

    A contested one is also held by another identity of the same domain: it counts for nothing.
    """

    ins: Ins
    since: str
    contested: bool = False


class PastIns(Value, frozen=True):
    """An INS an identity held once, and why it does no more.

    `replaced` when another one took its place, unless it was contested: it may never have been its own.
    """

    ins: Ins
    since: str
    until: str
    reason: str
    replaced: bool = False


class HeldProof(Value, frozen=True):
    """The document the identity was checked against, by whom and when."""

    proof: Proof
    author: str
    time: str


class NationalTrace(Value, frozen=True):
    """What is known of the identity from the nation: how and when its INS was obtained, and last verified.

    `history` is INSHISTO as received. `candidate` is an INS read on a Data Matrix that INSi has not verified,
    `candidate_traits` the traits read with it.
    """

    mode: str = ""
    obtained: str = ""
    call: str = ""
    verified: str = ""
    verdict: str = ""
    history: tuple[NationalIns, ...] = ()
    candidate: Ins | None = None
    candidate_traits: Traits = Traits()


class MergedContest(Value, frozen=True):
    """What stood against the INS of an identity when it was merged: it does so again once the merge is undone.

    `contested` and `to_confirm` (a person was waited for) are of the identity itself; `others` are those of its domain
    that held the same INS, contested there too.
    """

    contested: bool = False
    to_confirm: bool = False
    others: tuple[str, ...] = ()


class Identity(Value, frozen=True):
    """A person as one identification domain knows them.

    `domain` is the authority key that owns the identity (the one of its first person identifier). The two axes of
    RNIV 1 are `recovered` (an INS is held: RNIV lets no status hold one otherwise) and `checked` (a document was
    seen). `reliability` is PID-32 as last received; `attributes` is the part of it that the RNIV defines; the INS is
    usable only when `qualified`. `merged_contest` is of a merged identity; None: it had no INS, or was merged by a
    release that did not keep it.
    """

    id: str
    domain: str
    version: int
    created: str
    updated: str
    traits: Traits
    details: Details = Details()
    identifiers: tuple[HeldIdentifier, ...] = ()
    ins: HeldIns | None = None
    ins_history: tuple[PastIns, ...] = ()
    checked: bool = False
    attributes: tuple[str, ...] = ()
    reliability: tuple[str, ...] = ()
    trusted: bool = True
    merged_into: str = ""
    absorbed: tuple[str, ...] = ()
    links: tuple[str, ...] = ()
    proof: HeldProof | None = None
    national: NationalTrace = NationalTrace()
    merged_contest: MergedContest | None = None

    @property
    def status(self) -> Status:
        """The RNIV status, derived from the two axes."""
        return status_of(self.recovered, self.checked)

    @property
    def recovered(self) -> bool:
        """Whether an INS obtained from INSi is held; a contested one does not count."""
        return self.ins is not None and not self.ins.contested

    @property
    def qualified(self) -> bool:
        """Whether the INS may be used: qualified, held, contested by nobody."""
        return self.status is Status.QUAL

    @property
    def read_ins(self) -> Ins | None:
        """The INS read on a Data Matrix that waits for INSi; of no account once one was obtained otherwise."""
        return None if self.recovered else self.national.candidate

    @property
    def replaced_ins(self) -> tuple[PastIns, ...]:
        """Past INS that another one took the place of (NIA become NIR, new matricule by A47).

        One that was deleted or lost, or contested then, is not among them: it is told by the history alone.
        """
        return tuple(past for past in self.ins_history if past.replaced)

    def holds(self, identifier: Identifier) -> HeldIdentifier | None:
        """The held form of `identifier`, current or retired, or None."""
        key = identifier.key
        for held in self.identifiers:
            if held.identifier.key == key:
                return held
        return None


class Movement(Value, frozen=True):
    """One movement of a stay (segment ZBE with PV1). `cancelled` movements are kept: they happened in the feed.

    `pending_location` is where a planned transfer will take the patient (PV1-42).
    """

    id: str
    trigger: str
    start: str
    nature: str = ""
    historic: bool = False
    cancelled: bool = False
    patient_class: str = ""
    location: Location = Location()
    prior_location: Location = Location()
    medical_ward: Ward = Ward()
    care_ward: Ward = Ward()
    attending: Practitioner = Practitioner()
    recorded: str = ""
    pending_location: Location = Location()


class StayHeader(Value, frozen=True):
    """What PV1, PV2, ZFM and ZFV say of the stay as a whole.

    `legal_origin` is the FINESS of the establishment the patient comes from. `placement_start` and `placement_end`
    are of psychiatry.
    """

    patient_class: str = ""
    admission_type: str = ""
    hospital_service: str = ""
    admit_time: str = ""
    discharge_time: str = ""
    expected_admit: str = ""
    expected_discharge: str = ""
    discharge_disposition: str = ""
    preadmit_number: Identifier | None = None
    referring: Practitioner = Practitioner()
    admitting: Practitioner = Practitioner()
    admit_mode: str = ""
    discharge_mode: str = ""
    origin: str = ""
    destination: str = ""
    emergency_passage: str = ""
    legal_origin: str = ""
    legal_origin_date: str = ""
    transport_out: str = ""
    transport_care: str = ""
    placement_start: str = ""
    placement_end: str = ""
    transfer_addresses: tuple[Address, ...] = ()
    origin_account: Identifier | None = None
    archives: tuple[Identifier, ...] = ()
    custom_discharge_mode: str = ""


class Encounter(Value, frozen=True):
    """A stay: visit number (PV1-19), account (PID-18), header and movements in the order they were notified."""

    id: str
    identity: str
    version: int
    visit: Identifier | None = None
    account: Identifier | None = None
    header: StayHeader = StayHeader()
    movements: tuple[Movement, ...] = ()

    @property
    def active(self) -> list[Movement]:
        """The movements not cancelled, in time order (same time: in the order they were notified)."""
        return sorted((m for m in self.movements if not m.cancelled), key=lambda m: m.start[:14])

    @property
    def status(self) -> str:
        """planned, in-progress, onleave, finished or cancelled, from the last active movement that says so."""
        status = "cancelled" if self.movements else "planned"
        for movement in self.active:
            status = STATUS_AFTER.get(movement.trigger, status if status != "cancelled" else "in-progress")
        return status

    def movement(self, movement_id: str) -> Movement | None:
        """The movement of that id (ZBE-1), cancelled or not."""
        for movement in self.movements:
            if movement.id == movement_id:
                return movement
        return None


#: What a movement makes of the stay (FHIR R4 encounter statuses).
STATUS_AFTER: dict[str, str] = {
    "A05": "planned",
    "A14": "planned",
    "A01": "in-progress",
    "A04": "in-progress",
    "A02": "in-progress",
    "A06": "in-progress",
    "A07": "in-progress",
    "A21": "onleave",
    "A22": "in-progress",
    "A03": "finished",
}


class WorkItem(Value, frozen=True):
    """Something a person must look at. `key` is what makes two items the same: an open one is never raised twice.

    `held` is what was held back: of an overlay or a merge what the latest message says, of a stay the movements in the
    order they came. `messages` counts those that were held; what the item holds is so since the one of rank
    `held_since`. `superseded`: it holds nothing since that one, by which the sender said otherwise.
    """

    id: str
    kind: str
    key: str
    subjects: tuple[str, ...]
    opened: str
    version: int = 1
    cause: str = ""
    held: msgspec.Raw = msgspec.Raw(b"null")
    closed: str = ""
    outcome: str = ""
    assignee: str = ""
    messages: int = 1
    held_since: int = 1
    superseded: bool = False


def held_parts(held: msgspec.Raw) -> list[msgspec.Raw]:
    """What an item holds, one after the other: a JSON array is several."""
    return msgspec.json.decode(held, type=list[msgspec.Raw]) if bytes(held).startswith(b"[") else [held]


def held_list(parts: list[msgspec.Raw]) -> msgspec.Raw:
    """Several things held, as one: a JSON array."""
    return msgspec.Raw(msgspec.json.encode(parts))
