"""Acts: what a named person, or a service on their behalf, does to an identity that is ours.

Each names the version of the identity the person saw (0: whatever it is now): of two people who act at once, one wins
and the other is told. The author and the moment are in the `Source`.
"""

from insigne.registry.commands import DetailsAssertion, TraitsAssertion
from insigne.registry.values import Identifier, Ins, NationalIns, Proof, Traits, Value


class PriorSearch(Value, frozen=True):
    """The compulsory search before creating (RNIV 1 §3.1.1): criteria by name, and the identities it found."""

    criteria: tuple[tuple[str, str], ...]
    found: tuple[str, ...]


class CreateIdentity(Value, frozen=True):
    """Create an identity of ours. `identifier` is its local number; `search` is part of the record.

    `attributes` are those it has from its first moment (FICT for an anonymous stay, DOUT for an unknown patient): no
    machine asks INSi about it. Of a `newborn`, what is not known yet is asked for by a work item.
    """

    identifier: Identifier
    traits: TraitsAssertion
    details: DetailsAssertion
    search: PriorSearch
    reason: str = ""
    attributes: tuple[str, ...] = ()
    newborn: bool = False


class RaiseEnrolment(Value, frozen=True):
    """An identity was created from what the person entered: it is to be verified. `found`: the prior search did."""

    identity: str
    found: bool = False


class RaiseUndelivered(Value, frozen=True):
    """A message about an identity did not reach a receiver, and a person must act.

    `about` is what makes two of these the same; `cause` says which message and why, `instruction` (French) what the
    users of that receiver must do by hand. `refused`: the receiver would not have it; else it could not be sent at all.
    """

    identity: str
    about: str
    cause: str
    instruction: str = ""
    refused: bool = False


class RaiseDocument(Value, frozen=True):
    """Documents of an identity need a person. `kind` is a kind of work item whose name begins with "document-".

    `about` is what makes two of these the same; `cause` a code, never content.
    """

    identity: str
    kind: str
    about: str
    cause: str = ""


class SettleDocument(Value, frozen=True):
    """What `RaiseDocument` said of that thing is settled: by a person, or by what happened since."""

    kind: str
    about: str
    outcome: str


class EditTraits(Value, frozen=True):
    """Change strict traits, which sends the identity back to provisional, save for a coherent first given name."""

    identity: str
    version: int
    traits: TraitsAssertion
    reason: str


class EditDetails(Value, frozen=True):
    """Change complementary traits."""

    identity: str
    version: int
    details: DetailsAssertion


class NationalAnswer(Value, frozen=True):
    """What INSi, the Application carte Vitale or a Data Matrix gave: INS, its history as received, traits.

    `mode` is how (ZFD-5: INSI, CV, CB; AV for the application); `call` the trace of the call it came by.
    """

    ins: Ins
    traits: Traits
    history: tuple[NationalIns, ...] = ()
    call: str = ""
    mode: str = "INSI"


class AcceptIns(Value, frozen=True):
    """Take the INS a search gave, once compared with the person. `first_given_name` may be chosen in the list."""

    identity: str
    version: int
    answer: NationalAnswer
    first_given_name: str = ""


class RefuseIns(Value, frozen=True):
    """Refuse the INS a search gave; only the refusal is kept."""

    identity: str
    version: int
    call: str
    reason: str


class RecordProof(Value, frozen=True):
    """Record the check of an identity document against the traits."""

    identity: str
    version: int
    proof: Proof


class SetAttributes(Value, frozen=True):
    """Set the RNIV attributes (HOMA, DOUT, FICT) to exactly these."""

    identity: str
    version: int
    attributes: tuple[str, ...]
    reason: str


class RecordVerification(Value, frozen=True):
    """INSi verified the INS held, or the one read on a Data Matrix: OK or KO."""

    identity: str
    version: int
    verdict: str
    call: str


class NoteInsiOutcome(Value, frozen=True):
    """A search of INSi ended: what it calls for. `outcome` is 00, 01, 02, or "waiting" when it fails again and again.

    `held` is a JSON object {"answer", "comparison", "call"} for 00; `cause` a code, for 00 the comparison's verdict.
    """

    identity: str
    outcome: str
    held: bytes = b"null"
    cause: str = ""


class QualifyByCard(Value, frozen=True):
    """The Application carte Vitale gave INS and traits: qualifies directly (RNIV 1 §4.3.4)."""

    identity: str
    version: int
    answer: NationalAnswer
    first_given_name: str = ""


class ReadDataMatrix(Value, frozen=True):
    """A Data Matrix was scanned: its INS waits for INSi to verify it (EXI REC 02)."""

    identity: str
    version: int
    answer: NationalAnswer


class MergeIdentities(Value, frozen=True):
    """Merge two identities by hand; `version` is that of the survivor."""

    survivor: str
    absorbed: str
    reason: str
    version: int = 0


class UnmergeIdentities(Value, frozen=True):
    """Undo a merge; `version` is that of the absorbed identity."""

    absorbed: str
    reason: str
    version: int = 0


class AssignWorkItem(Value, frozen=True):
    """Give a work item to somebody, or to nobody with ""."""

    item: str
    assignee: str


class CloseWorkItem(Value, frozen=True):
    """Settle a work item. `apply` applies what was held back, if anything was.

    `seen` is how many messages the item held when the person looked at it: what a later one brought is not applied
    unseen. 0: only the first one was.
    """

    item: str
    outcome: str
    apply: bool = False
    seen: int = 0


Act = (
    CreateIdentity
    | RaiseEnrolment
    | RaiseUndelivered
    | RaiseDocument
    | SettleDocument
    | EditTraits
    | EditDetails
    | AcceptIns
    | RefuseIns
    | RecordProof
    | SetAttributes
    | RecordVerification
    | NoteInsiOutcome
    | QualifyByCard
    | ReadDataMatrix
    | MergeIdentities
    | UnmergeIdentities
    | AssignWorkItem
    | CloseWorkItem
)
