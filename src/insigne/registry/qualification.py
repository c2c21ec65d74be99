"""Qualifying an identity that is ours: the INS from the nation, the document from the person, the status from both.

Each rule asks `ins.status.transition` whether the trigger is allowed, then emits the events that row of the table
stands for (RNIV 1 §3.2, §4.3; the table of transitions T1 to T12).
"""

from msgspec.structs import replace

from insigne.ins.compare import Verdict, compare
from insigne.ins.dates import BirthDate
from insigne.ins.matricule import Nature, is_matricule, nature_of, oid_allowed
from insigne.ins.names import first_given_name_matches
from insigne.ins.status import TransitionRefused, Trigger, allowed_attributes, forces_provisional, transition
from insigne.registry import acts
from insigne.registry import events as ev
from insigne.registry.contests import end_contest
from insigne.registry.decision import Draft, Fault, Subject
from insigne.registry.details import details_after
from insigne.registry.record import strict, traits_after
from insigne.registry.refusals import Texts, refused, worded
from insigne.registry.reliability import drop_candidate, record_ins
from insigne.registry.state import Identity
from insigne.registry.values import Details, Ins, Proof, Traits

#: The traits without which no identity is created (RNIV 1 §3.1.2).
MANDATORY = ("birth_name", "first_given_name", "birth_date", "sex", "birth_place")


#: Ways in that tell nothing of the national history (INSHISTO): what INSi said of it with the same INS is kept.
_WITHOUT_HISTORY = frozenset({"AV", "CB"})


def ours(draft: Draft, identity_id: str, version: int) -> Identity:
    """The identity a person acts on. Raises `Refused`: unknown, merged, not ours, or changed since they looked."""
    identity = draft.working.identity(identity_id)
    if identity is None or identity.merged_into:
        raise refused("unknown-identity", Fault.UNKNOWN_KEY, Subject.PATIENT)
    if identity.domain not in draft.policy.own:
        raise refused("other-repository", Fault.FORBIDDEN, Subject.PATIENT)
    if version and version != identity.version:
        raise refused("version", Fault.CONFLICT, Subject.PATIENT)
    draft.subject = identity.id
    return identity


def create_identity(draft: Draft, act: acts.CreateIdentity) -> None:
    """T1: a provisional identity, with the search that was made before it."""
    traits = traits_after(Traits(), act.traits)
    attributes = _attributes(act.attributes)
    if not act.search.criteria:
        raise refused("not-searched", Fault.REQUIRED, Subject.PATIENT)
    _complete(traits)
    _coherent(traits.first_given_name, traits.given_names)
    if draft.working.holders(act.identifier.key):
        raise refused("identifier-taken", Fault.DUPLICATE_KEY, Subject.PATIENT)
    if act.identifier.authority.key not in draft.policy.own:
        raise refused("authority-not-ours", Fault.FORBIDDEN, Subject.PATIENT)
    identity_id = draft.new_id()
    created = ev.IdentityCreated(
        domain=act.identifier.authority.key,
        identifiers=(act.identifier,),
        traits=traits,
        details=details_after(Details(), act.details),
        checked=False,
        attributes=attributes,
        reliability=(),
        trusted=True,
    )
    draft.emit("identity", identity_id, created, 1)
    draft.on_identity(draft.identity(identity_id), ev.PriorSearchMade(act.search.criteria, act.search.found))
    draft.subject = identity_id
    if "DOUT" in attributes:
        draft.raise_item("doubtful-to-lift", (identity_id,), cause=act.reason)
    if act.newborn:
        draft.raise_item("newborn-to-complete", (identity_id,), cause=act.reason)


def edit_traits(draft: Draft, act: acts.EditTraits) -> None:
    """T9: an edited strict trait makes the identity provisional, except the first given name while it is coherent."""
    identity = ours(draft, act.identity, act.version)
    traits = traits_after(identity.traits, act.traits)
    if traits == identity.traits:
        return
    _complete(traits)
    _coherent(traits.first_given_name, traits.given_names)
    listed = bool(traits.given_names)  # without the list, nothing says that it is the same name
    only_first = listed and replace(traits, first_given_name=identity.traits.first_given_name) == identity.traits
    trigger = Trigger.FIRST_GIVEN_NAME_EDITED if only_first else Trigger.STRICT_TRAIT_EDITED
    _allowed(identity, trigger)
    identity = draft.on_identity(identity, ev.TraitsChanged(identity.traits, traits, act.reason))
    for kind in ("newborn-to-complete", "to-compare"):  # the answer that waits is about the traits of before
        draft.close_item(kind, (identity.id,), "traits edited")
    if not only_first:
        provisional(draft, identity, "strict trait edited")


def edit_details(draft: Draft, act: acts.EditDetails) -> None:
    """Complementary traits change no status."""
    identity = ours(draft, act.identity, act.version)
    details = details_after(identity.details, act.details)
    if details != identity.details:
        draft.on_identity(identity, ev.DetailsChanged(identity.details, details))


def accept_ins(draft: Draft, act: acts.AcceptIns) -> None:
    """T3, T5: the INS and the traits of INSi are taken as they are; differences beyond the tolerated ones refuse it."""
    identity = ours(draft, act.identity, act.version)
    _allowed(identity, Trigger.INSI_ACCEPTED)
    _take_answer(draft, identity, act.answer, act.first_given_name)


#: What each end of a search calls for: an answer waits for a person, nobody is accepted by a machine.
_OUTCOME_ITEMS = {"00": "to-compare", "01": "insi-01", "02": "insi-02", "waiting": "insi-waiting"}


def note_insi_outcome(draft: Draft, act: acts.NoteInsiOutcome) -> None:
    """Raise the work item of the outcome, and close those that an earlier search had raised; waiting settles none."""
    kind = _OUTCOME_ITEMS[act.outcome]
    identity = draft.working.identity(act.identity)
    if identity is None or identity.merged_into:
        return  # merged while INSi was asked: there is nobody left to ask about
    draft.subject = act.identity
    if act.outcome != "waiting":
        for other in _OUTCOME_ITEMS.values():
            if other != kind or act.outcome == "00":
                draft.close_item(other, (act.identity,), f"INSi: {act.outcome}")
    draft.raise_item(kind, (act.identity,), cause=act.cause, held=act.held)


def qualify_by_card(draft: Draft, act: acts.QualifyByCard) -> None:
    """T6: the Application carte Vitale gives INS and proof at once; INSi is not called."""
    identity = ours(draft, act.identity, act.version)
    _allowed(identity, Trigger.APPCV_READ)
    if not is_matricule(act.answer.ins.matricule):  # no call of INSi would find it out
        raise refused("matricule-shape", Fault.FORBIDDEN, Subject.INS)
    identity = _take_answer(draft, identity, replace(act.answer, mode="AV"), act.first_given_name)
    _record_proof(draft, identity, Proof(type="AV", high_trust=True))


def refuse_ins(draft: Draft, act: acts.RefuseIns) -> None:
    """Nothing of the answer is kept but that it was refused, and why."""
    identity = ours(draft, act.identity, act.version)
    draft.on_identity(identity, ev.NationalAnswerRefused(act.call, act.reason))
    draft.close_item("to-compare", (identity.id,), "refused")
    draft.raise_item("divergence", (identity.id,), cause=act.reason)


def read_data_matrix(draft: Draft, act: acts.ReadDataMatrix) -> None:
    """T7: the INS read waits for INSi; the identity stays as it is. A symbol of somebody else is refused."""
    identity = ours(draft, act.identity, act.version)
    _allowed(identity, Trigger.DATAMATRIX_SCANNED)
    _acceptable(draft, identity, act.answer)
    draft.on_identity(identity, ev.CandidateRead(act.answer.ins, act.answer.traits))


def record_proof(draft: Draft, act: acts.RecordProof) -> None:
    """T2, T4:

    a document of high trust was checked against the traits. One of low trust, or past its end, is noted and changes
    nothing.
    """
    identity = ours(draft, act.identity, act.version)
    if act.proof.high_trust:
        _allowed(identity, Trigger.DOCUMENT_CHECKED)
    elif act.proof.expiry and act.proof.expiry < draft.source.time[:10] and not identity.checked:
        draft.raise_item("expired-document", (identity.id,), cause=act.proof.type)
    _record_proof(draft, identity, act.proof)


def set_attributes(draft: Draft, act: acts.SetAttributes) -> None:
    """T10, T11:

    DOUT and FICT make the identity provisional and send its INS to the history; lifting them restores nothing, not even
    the INS read on a Data Matrix before.
    """
    identity = ours(draft, act.identity, act.version)
    wanted = _attributes(act.attributes)
    if set(wanted) == set(identity.attributes):
        return
    if forces_provisional(wanted) and not forces_provisional(identity.attributes):
        _allowed(identity, Trigger.ATTRIBUTE_SET)
        identity = provisional(draft, identity, f"attribute {'+'.join(wanted)}")
    identity = drop_candidate(draft, identity, wanted)
    before = (identity.checked, identity.attributes, identity.reliability)
    draft.on_identity(identity, ev.StatusChanged(before, (identity.checked, wanted, identity.reliability), act.reason))
    if "DOUT" in wanted:
        draft.raise_item("doubtful-to-lift", (identity.id,), cause=act.reason)
    else:
        draft.close_item("doubtful-to-lift", (identity.id,), "lifted")


def record_verification(draft: Draft, act: acts.RecordVerification) -> None:
    """T7, T8: OK dates the verification; KO sends the INS to the history, the document check staying by default."""
    identity = ours(draft, act.identity, act.version)
    held, candidate = identity.ins, identity.read_ins
    ins = candidate if candidate is not None else held.ins if held is not None else None
    if ins is None:
        raise refused("no-ins", Fault.REQUIRED, Subject.INS)
    ok = act.verdict == "OK"
    row = _allowed(
        identity,
        Trigger.VERIFICATION_OK if ok else Trigger.VERIFICATION_KO,
        strictly=draft.policy.registry.verification_ko == "PROV",
    )
    if ok and candidate is not None:
        read = acts.NationalAnswer(candidate, identity.national.candidate_traits, call=act.call, mode="CB")
        identity = _take_answer(draft, identity, read, "", compared=False)
    identity = draft.on_identity(identity, ev.InsVerified(ins, act.verdict, act.call))
    if ok:
        draft.close_item("verification-ko", (identity.id,), "verified")
        return
    draft.raise_item("verification-ko", (identity.id,))
    if held is not None and held.ins == ins:
        identity = _withdraw(draft, identity, "verification KO")
        if row == "PROV":
            _uncheck(draft, identity, "verification KO")


def provisional(draft: Draft, identity: Identity, reason: str) -> Identity:
    """Back to provisional: the INS to the history, the document to be checked again."""
    if identity.ins is not None:
        identity = _withdraw(draft, identity, reason)
    return _uncheck(draft, identity, reason)


def _withdraw(draft: Draft, identity: Identity, reason: str) -> Identity:
    """Send the INS held to the history."""
    identity = draft.withdraw_ins(identity, reason)
    draft.close_item("no-document", (identity.id,), "no INS any more")
    return identity


def _uncheck(draft: Draft, identity: Identity, reason: str) -> Identity:
    if identity.proof is not None:
        identity = draft.on_identity(identity, ev.ProofVoided(identity.proof.proof, reason))
    if not identity.checked:
        return identity
    before = (identity.checked, identity.attributes, identity.reliability)
    after = (False, identity.attributes, identity.reliability)
    return draft.on_identity(identity, ev.StatusChanged(before, after, reason))


def _record_proof(draft: Draft, identity: Identity, proof: Proof) -> None:
    before = identity.proof.proof if identity.proof is not None else None
    identity = draft.on_identity(identity, ev.ProofRecorded(proof, before))
    if proof.high_trust and not identity.checked:
        status = (identity.checked, identity.attributes, identity.reliability)
        draft.on_identity(identity, ev.StatusChanged(status, (True, identity.attributes, identity.reliability)))
    if proof.high_trust:
        for kind in ("no-document", "expired-document", "enrolment-to-verify"):
            draft.close_item(kind, (identity.id,), "document checked")


def _take_answer(
    draft: Draft, identity: Identity, answer: acts.NationalAnswer, first_given_name: str, *, compared: bool = True
) -> Identity:
    """`compared`: by a person, who so confirms an INS to confirm."""
    _acceptable(draft, identity, answer)
    first = first_given_name or _kept_first(identity.traits, answer.traits)
    _coherent(first, answer.traits.given_names)
    place = answer.traits.birth_place or identity.traits.birth_place
    traits = replace(answer.traits, first_given_name=first, birth_place=place)
    if traits != identity.traits:
        identity = draft.on_identity(identity, ev.TraitsChanged(identity.traits, traits))
    same = identity.ins is not None and identity.ins.ins == answer.ins
    told = identity.national.history if same and answer.mode in _WITHOUT_HISTORY else answer.history
    identity = draft.on_identity(identity, ev.NationalAnswerAccepted(answer.mode, answer.call, told))
    if not same:
        identity = record_ins(draft, identity, answer.ins, _why_recorded(identity, answer.ins))
    identity = end_contest(draft, identity, confirmed=compared)
    for kind in ("to-compare", "insi-01", "insi-02", "divergence", "insi-waiting", "newborn-to-complete"):
        draft.close_item(kind, (identity.id,), "accepted")
    if not identity.checked:
        draft.raise_item("no-document", (identity.id,))
    return identity


def _why_recorded(identity: Identity, ins: Ins) -> str:
    held = nature_of(identity.ins.ins.oid) if identity.ins is not None else None
    return "NIA became NIR" if (held, nature_of(ins.oid)) == (Nature.NIA, Nature.NIR) else "retrieved"


def _acceptable(draft: Draft, identity: Identity, answer: acts.NationalAnswer) -> None:
    """Refuse an INS that this identity may not take: environment, dates that are not whole, traits that differ."""
    if not oid_allowed(answer.ins.oid, draft.policy.environment):
        raise refused("ins-environment", Fault.FORBIDDEN, Subject.INS, oid=answer.ins.oid)
    if identity.details.collection.birth_date_corrected == "Y":
        raise refused("birth-date-completed", Fault.FORBIDDEN, Subject.TRAITS)
    compared = compare(strict(identity.traits), strict(answer.traits), settings=draft.policy.comparison)
    if not compared.acceptable:
        fields = ", ".join(one.field for one in compared.fields if one.verdict in {Verdict.BLOCKING, Verdict.MISSING})
        raise refused("traits-differ", Fault.FORBIDDEN, Subject.TRAITS, fields=fields)
    if not _is_whole(answer.traits.birth_date) and draft.policy.registry.incomplete_answer == "refuse":
        raise refused("answer-incomplete", Fault.FORBIDDEN, Subject.TRAITS)


def _is_whole(birth_date: str) -> bool:
    try:
        return BirthDate.parse(birth_date).is_complete
    except ValueError:
        return False


def _complete(traits: Traits) -> None:
    missing = [name for name in MANDATORY if not getattr(traits, name)]
    if missing:
        raise refused("traits-missing", Fault.REQUIRED, Subject.TRAITS, fields=", ".join(missing))


def _attributes(asked: tuple[str, ...]) -> tuple[str, ...]:
    """The attributes in one order. Raises `Refused` for a set the RNIV does not have (EXI ID 24)."""
    wanted = tuple(sorted(set(asked)))
    if not allowed_attributes(wanted):
        raise refused("attributes", Fault.FORBIDDEN, Subject.RELIABILITY, shown="+".join(wanted))
    return wanted


def _kept_first(local: Traits, national: Traits) -> str:
    """The first given name already chosen, while the list begins with it; else the first word of the list."""
    if local.first_given_name and first_given_name_matches(local.first_given_name, national.given_names):
        return local.first_given_name
    return national.first_given_name or national.given_names.partition(" ")[0]


def _coherent(first: str, given_names: str) -> None:
    if given_names and not first_given_name_matches(first, given_names):
        raise refused("first-given-name", Fault.FORBIDDEN, Subject.NAME)


def _allowed(identity: Identity, trigger: Trigger, *, strictly: bool = False) -> str:
    """The status the table leads to. Raises `Refused` when it has no such row."""
    try:
        return str(transition(identity.status, trigger, identity.attributes, strict=strictly).target)
    except TransitionRefused as barred:
        texts = Texts(str(barred), barred.message_fr)
        raise worded("transition", Fault.FORBIDDEN, Subject.RELIABILITY, texts) from None
