"""Bringing an identity to qualification: INSi, documents, the card, the Data Matrix: the handlers."""

from typing import Any

from msgspec.structs import asdict
from starlette.responses import Response

from insigne.api import acts_bodies as bodies
from insigne.api.acts_bodies import read
from insigne.api.acts_deps import ActsTransaction, ActsView
from insigne.api.acts_desk import PATH, ActsDesk, Asked
from insigne.api.problems import Error, Problem, of_remarks
from insigne.api.responses import json_response
from insigne.exchange.desk import (
    Card,
    Shown,
    answer_of_card,
    answer_of_symbol,
    first_name,
    first_names,
    is_noted,
    judged,
    proof_of,
)
from insigne.ins.compare_sentences import CONCLUSIONS
from insigne.ins.datamatrix import DatamatrixError
from insigne.ins.matricule import check_matricule
from insigne.ins.remarks import Remark
from insigne.insi.automation import eligible
from insigne.insi.desk import BARRED, held_answer, held_elsewhere, queued, unadvised
from insigne.insi.jobs import Job, JobKind
from insigne.insi.outcomes import HeldAnswer
from insigne.insi.verifying import verifiable
from insigne.registry import acts
from insigne.registry.state import Identity

_NOT_VERIFIED = Remark("no-verification", *BARRED["no verification adapter"])


def retrieve_ins(desk: ActsDesk, asked: Asked) -> Response:
    """INSi is asked as soon as the server can; its answer waits in `insi-answer` for a person to compare it."""
    body = read(asked.body, bodies.RetrieveIns)
    identity, _ = desk.found(asked, required=False)
    remark, forbidden = unadvised(identity, desk.deps.insi, document_at_hand=body.document_at_hand)
    if remark is not None and forbidden:
        raise of_remarks(remark.code, "reliability", [remark])
    return _asked(desk, asked, identity, "retrieve", [remark] if remark is not None else [])


def verify_ins(desk: ActsDesk, asked: Asked) -> Response:
    """INSi is asked to verify the INS held, or the one read on a Data Matrix, as soon as the server can."""
    read(asked.body, bodies.VerifyIns)
    identity, _ = desk.found(asked, required=False)
    if desk.deps.insi.verification.adapter == "none":
        raise Problem(503, "no-verification", *BARRED["no verification adapter"])
    if verifiable(identity) is None:
        raise _barred("no INS to verify")
    return _asked(desk, asked, identity, "verify", [])


def insi_answer(desk: ActsDesk, asked: Asked) -> Response:
    """The question asked last, and the answer that waits, beside what is held: what a person compares and decides on.

    `{"question": {…}|null, "answer": {"call", "verdict", "conclusion", "comparison", …}|null}`
    """
    with desk.deps.read() as view:
        identity = desk.named(view, str(asked.request.path_params["id"]))
        job, held = view.last_job(identity.id), held_answer(view, identity, desk.deps.policy.comparison)
        answer = None if held is None else _compared(view, identity, held)
    document = {"identity": identity.id, "question": None if job is None else _question(job), "answer": answer}
    return json_response(document, headers={"etag": f'W/"{identity.version}"'})


def accept(desk: ActsDesk, asked: Asked) -> Response:
    """The INS and the traits of INSi are taken; the first given name may be chosen in its list."""
    body = read(asked.body, bodies.Accept)
    first = first_name(body.first_given_name)
    identity, version = desk.found(asked)

    def taken(transaction: ActsTransaction) -> list[acts.Act]:
        held = _held(desk, transaction, identity, body.call)
        return [acts.AcceptIns(identity.id, version, held.answer, first)]

    return desk.shown(asked, desk.act_on(asked, taken))


def refuse(desk: ActsDesk, asked: Asked) -> Response:
    """Only the refusal is kept, and a divergence to be treated."""
    body = read(asked.body, bodies.Refuse)
    identity, version = desk.found(asked)

    def turned_down(transaction: ActsTransaction) -> list[acts.Act]:
        held = _held(desk, transaction, identity, body.call)
        return [acts.RefuseIns(identity.id, version, held.call, body.reason)]

    return desk.shown(asked, desk.act_on(asked, turned_down))


def record_proof(desk: ActsDesk, asked: Asked) -> Response:
    """The document is recorded if it has high trust, or only its end keeps it from having it (a remark says so)."""
    body = read(asked.body, bodies.RecordProof)
    identity, version = desk.found(asked)
    shown, rules = Shown(**asdict(body)), desk.deps.proofs
    verdict = judged(shown, identity, desk.today(), rules)
    if not is_noted(verdict):
        problem = of_remarks("proof", "type", verdict.reasons)
        problem.more["documents"] = list(rules.types)
        raise problem
    act = acts.RecordProof(identity.id, version, proof_of(shown, verdict))
    return desk.shown(asked, desk.act(asked, act), (*verdict.reasons, *verdict.reminders))


def qualify_by_card(desk: ActsDesk, asked: Asked) -> Response:
    """Qualified at once by the Application carte Vitale; INSi is not called (RNIV 1 §4.3.4)."""
    body = read(asked.body, bodies.QualifyByCard)
    given = {name: getattr(body, name) for name in Card.__struct_fields__}
    answer, first = answer_of_card(Card(**given), desk.today()), first_name(body.first_given_name)
    identity, version = desk.found(asked)
    act = acts.QualifyByCard(identity.id, version, answer, first)
    return desk.shown(asked, desk.act(asked, act), check_matricule(answer.ins.matricule))


def read_data_matrix(desk: ActsDesk, asked: Asked) -> Response:
    """The INS of the symbol waits for INSi, which is asked to verify it; the identity stays as it is until then."""
    body = read(asked.body, bodies.ReadDataMatrix)
    identity, version = desk.found(asked)
    try:
        answer = answer_of_symbol(body.payload)
    except DatamatrixError as error:
        remedy, remedy_fr = "scan the symbol again", "Lisez de nouveau le symbole"
        fault = Error(f"payload.{error.field}", error.rule, remedy, remedy_fr)
        raise Problem(422, "data-matrix", str(error), error.message_fr, [fault]) from None
    remarks = check_matricule(answer.ins.matricule)
    may_ask = bool(desk.deps.insi.endpoint) and desk.deps.insi.verification.adapter != "none"

    def scanned(transaction: ActsTransaction) -> list[acts.Act]:
        if may_ask:
            _queue(desk, asked, transaction, identity, "verify")
        return [acts.ReadDataMatrix(identity.id, version, answer)]

    subject = desk.act_on(asked, scanned)
    return desk.shown(asked, subject, remarks if may_ask else [*remarks, _NOT_VERIFIED])


def _asked(desk: ActsDesk, asked: Asked, identity: Identity, kind: JobKind, remarks: list[Remark]) -> Response:
    """Queue the question; 202, for the answer comes later."""
    if not desk.deps.insi.endpoint:
        raise Problem(
            503,
            "insi-unusable",
            "INSi cannot be asked: no service is configured (insi.endpoint)",
            "INSi ne peut pas être interrogé : aucun service n’est configuré (insi.endpoint)",
        )
    barred = eligible(identity, desk.deps.policy)
    if barred:
        raise _barred(barred)
    with desk.writing() as transaction:
        _queue(desk, asked, transaction, identity, kind)
        transaction.commit()
    headers = {"location": f"{PATH}/{identity.id}/insi-answer"}
    return desk.shown(asked, identity.id, remarks, 202, headers)


def _queue(desk: ActsDesk, asked: Asked, transaction: ActsTransaction, identity: Identity, kind: JobKind) -> None:
    queued(transaction, identity.id, kind, asked.user.author, now=desk.now(), new_id=desk.deps.new_id)


def _barred(code: str) -> Problem:
    return of_remarks("insi-barred", "insi", [Remark(code.replace(" ", "-").lower(), *BARRED[code])])


def _held(desk: ActsDesk, transaction: ActsTransaction, identity: Identity, call: str) -> HeldAnswer:
    """The answer that waits, which must be the one the person saw. Raises Problem (409)."""
    held = held_answer(transaction, identity, desk.deps.policy.comparison)
    if held is None:
        raise Problem(
            409,
            "no-answer",
            "no answer of INSi waits for this identity: ask for it (retrieve-ins)",
            "aucune réponse d’INSi n’attend pour cette identité : demandez-la (retrieve-ins)",
        )
    if held.call != call:
        raise Problem(
            409,
            "other-answer",
            "another answer of INSi came since: look at it (insi-answer)",
            "une autre réponse d’INSi est arrivée depuis : consultez-la (insi-answer)",
        )
    return held


def _question(job: Job) -> dict[str, Any]:
    return {name: getattr(job, name) for name in ("kind", "state", "author", "created", "due", "outcome", "error")}


def _compared(view: ActsView, identity: Identity, held: HeldAnswer) -> dict[str, Any]:
    conclusion, conclusion_fr = CONCLUSIONS[held.verdict]
    return {
        "call": held.call,
        "verdict": held.verdict,
        "conclusion": conclusion,
        "conclusion_fr": conclusion_fr,
        "comparison": [
            {
                **line,
                "local": getattr(identity.traits, line["field"]),
                "national": getattr(held.answer.traits, line["field"]),
            }
            for line in held.comparison
        ],
        "first_given_names": first_names(held.answer),
        "held_by": held_elsewhere(view, identity.id, held),
    }
