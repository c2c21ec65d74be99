"""Events: what happened to an identity, a stay or a work item. Immutable, typed, the truth of the registry.

Each event carries what it replaced, so that it can be shown and undone. Stored as JSON under its `type` tag: a tag once
released is never renamed.
"""

from typing import Literal

import msgspec

from insigne.registry.state import Encounter, Identity, MergedContest, Movement, StayHeader, WorkItem
from insigne.registry.values import Details, Identifier, Ins, NationalIns, Proof, Traits


class Event(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="type"):
    """Base of the events."""


# --- stream "identity"


class IdentityCreated(Event, frozen=True, tag="identity-created"):
    """A person was seen for the first time in this domain. `checked`: the document axis (no INS yet)."""

    domain: str
    identifiers: tuple[Identifier, ...]
    traits: Traits
    details: Details
    checked: bool
    attributes: tuple[str, ...]
    reliability: tuple[str, ...]
    trusted: bool


class TraitsChanged(Event, frozen=True, tag="traits-changed"):
    """Strict traits changed."""

    before: Traits
    after: Traits
    reason: str = ""


class DetailsChanged(Event, frozen=True, tag="details-changed"):
    """Complementary traits changed."""

    before: Details
    after: Details


class StatusChanged(Event, frozen=True, tag="status-changed"):
    """The document axis, the attributes or PID-32 changed. Each side is (checked, attributes, reliability)."""

    before: tuple[bool, tuple[str, ...], tuple[str, ...]]
    after: tuple[bool, tuple[str, ...], tuple[str, ...]]
    reason: str = ""


class TrustRaised(Event, frozen=True, tag="trust-raised"):
    """A trusted authority asserted an identity that only untrusted ones had asserted."""


class IdentifierAdded(Event, frozen=True, tag="identifier-added"):
    """An identifier was given to the identity."""

    identifier: Identifier


class IdentifierRetired(Event, frozen=True, tag="identifier-retired"):
    """An identifier names the identity no more; it is kept as old."""

    identifier: Identifier
    reason: str


class InsRecorded(Event, frozen=True, tag="ins-recorded"):
    """The identity holds this INS from now on; `before`, when there was one, goes to the history.

    `before_contested`: that one was, so that it was told to nobody.
    """

    ins: Ins
    contested: bool = False
    before: Ins | None = None
    reason: str = ""
    before_contested: bool = False


class InsWithdrawn(Event, frozen=True, tag="ins-withdrawn"):
    """The identity holds no INS any more; the one it held goes to the history with the reason.

    `contested`: it was, so that it was told to nobody.
    """

    before: Ins
    reason: str
    contested: bool = False


class InsContested(Event, frozen=True, tag="ins-contested"):
    """Another identity of the domain holds the same INS (`contested` true), or does no more (false)."""

    ins: Ins
    contested: bool


class IdentityMerged(Event, frozen=True, tag="identity-merged"):
    """This identity was absorbed by `into`. `snapshot` is its state before, what an unmerge starts from.

    `contest` is what stood against its INS; None: it had none, or the event is of a release that did not say it.
    """

    into: str
    snapshot: Identity
    reason: str = ""
    contest: MergedContest | None = None


class IdentityAbsorbed(Event, frozen=True, tag="identity-absorbed"):
    """This identity survives the merge with `absorbed`."""

    absorbed: str


class IdentityLinked(Event, frozen=True, tag="identity-linked"):
    """This identity and `other` are said to be the same person; both stay."""

    other: str


class IdentityUnlinked(Event, frozen=True, tag="identity-unlinked"):
    """The link with `other` was undone."""

    other: str


class PriorSearchMade(Event, frozen=True, tag="prior-search-made"):
    """The search made before creating this identity: criteria, and the identities it found."""

    criteria: tuple[tuple[str, str], ...]
    found: tuple[str, ...]


class NationalAnswerAccepted(Event, frozen=True, tag="national-answer-accepted"):
    """A named person took what the nation answered; `history` is INSHISTO as received."""

    mode: str
    call: str
    history: tuple[NationalIns, ...]


class NationalAnswerRefused(Event, frozen=True, tag="national-answer-refused"):
    """A named person refused what the nation answered."""

    call: str
    reason: str


class CandidateRead(Event, frozen=True, tag="candidate-read"):
    """An INS was read on a Data Matrix, with its traits; it waits for verification."""

    ins: Ins
    traits: Traits = Traits()


class CandidateDropped(Event, frozen=True, tag="candidate-dropped"):
    """The INS read on a Data Matrix waits no more: it would have to be read again."""

    before: Ins
    reason: str


class InsVerified(Event, frozen=True, tag="ins-verified"):
    """INSi verified the INS: OK or KO."""

    ins: Ins
    verdict: str
    call: str


class ProofRecorded(Event, frozen=True, tag="proof-recorded"):
    """An identity document was checked."""

    proof: Proof
    before: Proof | None = None


class ProofVoided(Event, frozen=True, tag="proof-voided"):
    """The document check counts no more."""

    before: Proof
    reason: str


class MergeUndone(Event, frozen=True, tag="merge-undone"):
    """This identity, once absorbed by `survivor`, stands by itself again."""

    survivor: str
    reason: str


class AbsorbedReleased(Event, frozen=True, tag="absorbed-released"):
    """The merge of `absorbed` into this identity was undone."""

    absorbed: str


class IdentitySnapshot(Event, frozen=True, tag="identity-snapshot"):
    """The whole state, written before older payloads are erased; rebuilding starts from it."""

    state: Identity


# --- stream "encounter"


class EncounterOpened(Event, frozen=True, tag="encounter-opened"):
    """A stay was seen for the first time."""

    identity: str
    visit: Identifier | None
    account: Identifier | None
    header: StayHeader


class EncounterChanged(Event, frozen=True, tag="encounter-changed"):
    """What is known of the stay as a whole changed."""

    before: StayHeader
    after: StayHeader


class MovementRecorded(Event, frozen=True, tag="movement-recorded"):
    """A movement was notified; `before` is the same movement when it was already known."""

    movement: Movement
    before: Movement | None = None


class MovementCorrected(Event, frozen=True, tag="movement-corrected"):
    """A movement was corrected (Z99)."""

    before: Movement
    after: Movement


class MovementCancelled(Event, frozen=True, tag="movement-cancelled"):
    """A movement was cancelled: it is kept, it counts no more."""

    movement: Movement


class EncounterReassigned(Event, frozen=True, tag="encounter-reassigned"):
    """The stay belongs to another identity from now on (A44)."""

    before: str
    after: str


class AccountChanged(Event, frozen=True, tag="account-changed"):
    """The account of the stay has another number (A49, or the first one known)."""

    before: Identifier | None
    after: Identifier | None


class EncounterSnapshot(Event, frozen=True, tag="encounter-snapshot"):
    """The whole state of a stay, written before older payloads are erased."""

    state: Encounter


# --- stream "work-item"


class WorkItemRaised(Event, frozen=True, tag="work-item-raised"):
    """Something needs a person. `held` is what was not applied, when something was held back."""

    kind: str
    key: str
    subjects: tuple[str, ...]
    cause: str = ""
    held: msgspec.Raw = msgspec.Raw(b"null")


class WorkItemHeldAgain(Event, frozen=True, tag="work-item-held-again"):
    """A later message was held back by an item that was open already, or ended what the item held.

    `held` is what it says when that is not what the item held: it takes the place of `before`, or is `added` to it, and
    both are null when the same was said again. `cause` is that of the later message. `superseded`: the later message
    was applied and says otherwise, so that `before`, of the same sender, is offered no more.
    """

    cause: str = ""
    held: msgspec.Raw = msgspec.Raw(b"null")
    before: msgspec.Raw = msgspec.Raw(b"null")
    change: Literal["same", "replaced", "added", "superseded"] = "same"


class WorkItemAssigned(Event, frozen=True, tag="work-item-assigned"):
    """The item was given to somebody, or to nobody."""

    before: str
    after: str


class WorkItemClosed(Event, frozen=True, tag="work-item-closed"):
    """A person, or what happened since, settled the item."""

    outcome: str


class WorkItemSnapshot(Event, frozen=True, tag="work-item-snapshot"):
    """The whole state of a work item, written before older payloads are erased."""

    state: WorkItem


IdentityEvent = (
    IdentityCreated
    | TraitsChanged
    | DetailsChanged
    | StatusChanged
    | TrustRaised
    | IdentifierAdded
    | IdentifierRetired
    | InsRecorded
    | InsWithdrawn
    | InsContested
    | IdentityMerged
    | IdentityAbsorbed
    | IdentityLinked
    | IdentityUnlinked
    | PriorSearchMade
    | NationalAnswerAccepted
    | NationalAnswerRefused
    | CandidateRead
    | CandidateDropped
    | InsVerified
    | ProofRecorded
    | ProofVoided
    | MergeUndone
    | AbsorbedReleased
    | IdentitySnapshot
)
EncounterEvent = (
    EncounterOpened
    | EncounterChanged
    | MovementRecorded
    | MovementCorrected
    | MovementCancelled
    | EncounterReassigned
    | AccountChanged
    | EncounterSnapshot
)
WorkItemEvent = WorkItemRaised | WorkItemHeldAgain | WorkItemAssigned | WorkItemClosed | WorkItemSnapshot
AnyEvent = IdentityEvent | EncounterEvent | WorkItemEvent

Stream = Literal["identity", "encounter", "work-item"]

_encoder = msgspec.json.Encoder()
_decoder: msgspec.json.Decoder[AnyEvent] = msgspec.json.Decoder(AnyEvent)


class Recorded(msgspec.Struct, frozen=True):
    """An event on its stream, ready for the journal.

    `version` counts the events of that stream object from 1. `time` is RFC 3339 with zone. `cause` is (kind, id): the
    message, user or job that made it happen.
    """

    stream: Stream
    stream_id: str
    version: int
    time: str
    author: str
    cause_kind: str
    cause_id: str
    event: AnyEvent


def encode(event: AnyEvent) -> bytes:
    """The JSON form of an event, as the journal keeps it."""
    return _encoder.encode(event)


def decode(payload: bytes) -> AnyEvent:
    """The event of a journal payload. Raises `msgspec.DecodeError` or `msgspec.ValidationError`."""
    return _decoder.decode(payload)


def raw_json(payload: bytes) -> msgspec.Raw:
    """Bytes that are JSON already, for the `held` part of a work item."""
    return msgspec.Raw(payload)
