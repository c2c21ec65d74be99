"""`insigne identity retrieve-ins`, `accept`, `record-proof`…: bringing an identity of ours to qualification."""

import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final

import msgspec
import typer

from insigne.access import Right
from insigne.app.insi import insi_service
from insigne.cli.common import Context, Exit, examples, fail, group_app, note
from insigne.cli.comparing import TITLES, side_by_side, trait_name
from insigne.cli.desk import As, Desk, Reason, Seen, at_desk, entering
from insigne.cli.identity import IdArgument
from insigne.cli.identity_copies import read_copy, sealed_copy
from insigne.cli.tables import print_table
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
from insigne.ins.compare import Verdict
from insigne.ins.compare_sentences import CONCLUSIONS
from insigne.ins.datamatrix import DatamatrixError
from insigne.ins.matricule import check_matricule
from insigne.ins.proof import ProofRules, ProofVerdict
from insigne.insi.client import InsiUnusable
from insigne.insi.desk import BARRED, held_answer, held_elsewhere, unadvised
from insigne.insi.endings import CHANGED
from insigne.insi.jobs import Job, JobKind
from insigne.insi.outcomes import HeldAnswer
from insigne.insi.wire.model import WireError
from insigne.net.tls import TlsError
from insigne.registry import acts
from insigne.registry.state import Identity

app = group_app("Bringing an identity of ours to qualification.")

_MAX_CARD_BYTES: Final = 65_536
_OUTCOMES: Final = {
    "00": "INSi a trouvé une identité : comparez-la avec la personne, puis acceptez-la ou refusez-la",
    "01": "INSi n’a trouvé personne : vérifiez les traits, le statut ne change pas",
    "02": "INSi a trouvé plusieurs personnes : précisez les prénoms ou le lieu de naissance, le statut ne change pas",
    "OK": "INSi confirme l’INS",
    "KO": "INSi ne confirme pas l’INS : elle passe en historique",
}


@app.command(
    "retrieve-ins",
    epilog=examples(
        "insigne identity retrieve-ins 'INSIGNE|12' --as claire.dupont",
        "insigne identity retrieve-ins 'INSIGNE|12' --document-at-hand --as claire.dupont --json",
    ),
)
def retrieve_ins(
    ctx: typer.Context,
    identity: IdArgument,
    *,
    document_at_hand: Annotated[
        bool, typer.Option("--document-at-hand", help="The identity document is seen at the same time (RECO PP 03).")
    ] = False,
    user: As = "",
) -> None:
    """Ask INSi for the INS, now. What it answers waits for `identity accept` or `identity refuse`.

    Exit status 0 when one person was found, 1 when none or several or when INSi may not be asked, 3 for a fault (the
    search is then tried again later by the server).
    """
    context = Context.of(ctx)
    with at_desk(context, user, Right.INSI_CALL) as desk:
        found = desk.named(identity)
        remark, forbidden = unadvised(found, context.config.insi, document_at_hand=document_at_hand)
        if remark is not None:
            if forbidden:
                fail(Exit.PROBLEMS, remark.message)
            note(remark.message)
        job = _asked(desk, found, "retrieve")
        if job.outcome == "00":
            _say_comparison(desk, found)
        desk.show(found.id)
    _leave(job, "00")


@app.command(
    epilog=examples(
        "insigne identity accept 'INSIGNE|12' --as claire.dupont",
        "insigne identity accept 'INSIGNE|12' --first-given 'MARIE-CLAIRE' --as claire.dupont --json",
    )
)
def accept(
    ctx: typer.Context,
    identity: IdArgument,
    *,
    first_given: Annotated[
        str, typer.Option("--first-given", metavar="NAME", help="The first given name, a beginning of INSi's list.")
    ] = "",
    version: Seen = 0,
    user: As = "",
) -> None:
    """Accept the INS that INSi gave, once compared with the person: its traits replace ours.

    Refused when they differ beyond what is tolerated.
    """
    context = Context.of(ctx)
    with entering():
        chosen = first_name(first_given)
    with at_desk(context, user, Right.IDENTITY_QUALIFY) as desk:
        found = desk.named(identity, itself=bool(version))
        held = _held(desk, found)
        names = first_names(held.answer)
        if chosen and chosen not in names:
            note(f"premiers prénoms possibles : {', '.join(names)}")
        desk.act(acts.AcceptIns(found.id, version or found.version, held.answer, chosen))
        desk.show(found.id)


@app.command(epilog=examples("insigne identity refuse 'INSIGNE|12' --reason 'autre personne' --as claire.dupont"))
def refuse(ctx: typer.Context, identity: IdArgument, *, reason: Reason, version: Seen = 0, user: As = "") -> None:
    """Refuse the INS that INSi gave: only the refusal is kept, and a divergence to be treated."""
    context = Context.of(ctx)
    with at_desk(context, user, Right.IDENTITY_QUALIFY) as desk:
        found = desk.named(identity, itself=bool(version))
        held = _held(desk, found)
        desk.act(acts.RefuseIns(found.id, version or found.version, held.call, reason))
        desk.show(found.id)


@app.command(
    "record-proof",
    epilog=examples(
        "insigne identity record-proof 'INSIGNE|12' --type PA --expiry 2031-05-02 --as claire.dupont",
        "insigne identity record-proof 'INSIGNE|12' --type LE --guardian CN --as claire.dupont",
        "insigne identity record-proof 'INSIGNE|12' --type CN --copy piece.jpg --as claire.dupont",
    ),
)
def record_proof(
    ctx: typer.Context,
    identity: IdArgument,
    *,
    kind: Annotated[
        str, typer.Option("--type", metavar="CODE", help="The document seen, by its code; none is chosen in advance.")
    ],
    expiry: Annotated[str, typer.Option(metavar="YYYY-MM-DD", help="End of its validity.")] = "",
    second: Annotated[
        str,
        typer.Option("--second", "--guardian", metavar="CODE", help="Document of the parent or guardian, for a minor."),
    ] = "",
    second_expiry: Annotated[
        str, typer.Option("--guardian-expiry", metavar="YYYY-MM-DD", help="End of its validity.")
    ] = "",
    ehpad: Annotated[bool, typer.Option("--ehpad", help="Direct admission to a nursing home (EHPAD).")] = False,
    copy: Annotated[
        Path | None,
        typer.Option("--copy", metavar="FILE", help="Keep this copy (JPEG, PNG, PDF), encrypted, until it expires."),
    ] = None,
    version: Seen = 0,
    user: As = "",
) -> None:
    """Record that an identity document was checked against the traits.

    A document of high trust validates a provisional identity and qualifies one whose INS was accepted. Another one
    changes nothing (exit 1); a document past its validity is noted, and a valid one asked for by a work item.
    """
    context = Context.of(ctx)
    shown = Shown(kind, expiry, second, second_expiry, ehpad)
    rules = _rules(context)
    content = read_copy(context, copy)
    with at_desk(context, user, Right.IDENTITY_QUALIFY) as desk:
        found = desk.named(identity, itself=bool(version))
        verdict = judged(shown, found, datetime.now(UTC).date(), rules)
        if not is_noted(verdict):
            known = f"; documents: {', '.join(rules.types)}" if kind not in rules.types else ""
            fail(Exit.PROBLEMS, _against(verdict) + known)
        kept = sealed_copy(desk, found, kind, content) if content else None
        proof = proof_of(shown, verdict, kept.id if kept is not None else "")
        desk.act(acts.RecordProof(found.id, version or found.version, proof), copy=kept)
        for reminder in verdict.reminders:
            note(reminder.message_fr)
        desk.show(found.id)
    if not verdict.high_trust:
        fail(Exit.PROBLEMS, _against(verdict))


@app.command("verify-ins", epilog=examples("insigne identity verify-ins 'INSIGNE|12' --as claire.dupont"))
def verify_ins(ctx: typer.Context, identity: IdArgument, *, user: As = "") -> None:
    """Have INSi verify, now, the INS held, or the one read on a Data Matrix.

    Exit status 0 for OK, 1 for KO or when there is nothing to verify, 3 for a fault.
    """
    context = Context.of(ctx)
    with at_desk(context, user, Right.INSI_CALL) as desk:
        found = desk.named(identity)
        job = _asked(desk, found, "verify")
        desk.show(found.id)
    _leave(job, "OK")


@app.command(
    "qualify-by-card",
    epilog=examples("insigne identity qualify-by-card 'INSIGNE|12' appcv.json --as claire.dupont"),
)
def qualify_by_card(
    ctx: typer.Context,
    identity: IdArgument,
    file: Annotated[
        str,
        typer.Argument(
            metavar="FILE",
            help="What the application gave, as JSON: matricule, oid, birth_name, given_names, sex, birth_date, "
            "birth_place; - for standard input.",
        ),
    ],
    *,
    first_given: Annotated[str, typer.Option("--first-given", metavar="NAME", help="The first given name.")] = "",
    version: Seen = 0,
    user: As = "",
) -> None:
    """Qualify directly by the Application carte Vitale (RNIV 1 §4.3.4); INSi is not called."""
    context = Context.of(ctx)
    try:
        card = msgspec.json.decode(_bytes(file), type=Card)
    except msgspec.MsgspecError as error:
        fail(Exit.USAGE, f"{file}: {error}")
    with entering():
        answer, chosen = answer_of_card(card, datetime.now(UTC).date()), first_name(first_given)
    for remark in check_matricule(answer.ins.matricule):
        note(remark.message_fr)
    with at_desk(context, user, Right.IDENTITY_QUALIFY) as desk:
        found = desk.named(identity, itself=bool(version))
        desk.act(acts.QualifyByCard(found.id, version or found.version, answer, chosen))
        desk.show(found.id)


@app.command(
    epilog=examples(
        "insigne identity scan 'INSIGNE|12' symbol.txt --as claire.dupont",
        "zxing document.png | insigne identity scan 'INSIGNE|12' - --as claire.dupont --json",
    )
)
def scan(
    ctx: typer.Context,
    identity: IdArgument,
    payload: Annotated[
        str, typer.Argument(metavar="PAYLOAD", help="The text of the Data Matrix, a file that holds it, or -.")
    ],
    *,
    version: Seen = 0,
    user: As = "",
) -> None:
    """Take the INS of a Data Matrix, then have INSi verify it: the identity takes it only if INSi confirms.

    Without a verification service it waits (exit 0). Exit status 1 when INSi does not confirm it, 3 for a fault.
    """
    context = Context.of(ctx)
    text = payload if payload.startswith("IS") else _bytes(payload).decode("ascii", "replace").strip("\r\n")
    try:
        answer = answer_of_symbol(text)
    except DatamatrixError as error:
        fail(Exit.PROBLEMS, str(error))
    for remark in check_matricule(answer.ins.matricule):
        note(remark.message_fr)
    with at_desk(context, user, Right.IDENTITY_QUALIFY) as desk:
        found = desk.named(identity, itself=bool(version))
        desk.act(acts.ReadDataMatrix(found.id, version or found.version, answer))
        if context.config.insi.verification.adapter == "none":
            note("l’INS lue attend d’être vérifiée : aucun service de vérification n’est configuré")
            desk.show(found.id)
            return
        job = _asked(desk, found, "verify")
        desk.show(found.id)
    _leave(job, "OK")


@contextmanager
def _calling() -> Iterator[None]:
    """What prevents any call, of the configuration or the certificates, ends the command (exit 2)."""
    try:
        yield
    except (InsiUnusable, TlsError, WireError, ValueError) as error:
        fail(Exit.USAGE, str(error))


def _asked(desk: Desk, identity: Identity, kind: JobKind) -> Job:
    """Ask INSi on behalf of the person; the outcome is said on stderr."""
    with _calling(), closing(insi_service(desk.base, automatic=False)) as service:
        job = service.ask_now(identity.id, kind, desk.user.author)
    if job.state == "waiting" and job.error == CHANGED:
        note("l’identité a changé pendant l’interrogation : la demande reste en file, elle sera reprise")
    elif job.state == "waiting":
        note(f"INSi ne répond pas ({job.error}) : la demande reste en file, elle sera reprise")
    elif job.state == "failed":
        note(f"INSi a refusé la demande ({job.error})")
    elif job.state == "cancelled":
        note(f"INSi n’a pas été interrogé : {BARRED.get(job.outcome, ('', job.outcome))[1]}")
    elif job.error:
        note("l’identité a changé pendant l’interrogation : la réponse n’a pas été appliquée")
    else:
        note(_OUTCOMES.get(job.outcome, job.outcome))
    return job


def _leave(job: Job, good: str) -> None:
    """Leave with the status that the outcome of a question calls for."""
    if job.state in ("waiting", "calling", "failed"):
        raise typer.Exit(Exit.UNREACHABLE)
    if job.outcome != good or job.error:
        raise typer.Exit(Exit.PROBLEMS)


def _held(desk: Desk, identity: Identity) -> HeldAnswer:
    """The answer of INSi that waits for a person; the command ends when there is none (exit 1)."""
    with desk.base.store.read() as view:
        held = held_answer(view, identity, desk.base.policy.comparison)
    if held is None:
        fail(
            Exit.PROBLEMS, "no answer of INSi waits for this identity: ask for it with `insigne identity retrieve-ins`"
        )
    return held


def _say_comparison(desk: Desk, identity: Identity) -> None:
    """Say, trait by trait, how the answer differs, and whether somebody else here holds that INS."""
    held = _held(desk, identity)
    for line in held.comparison:
        if line["verdict"] != Verdict.IDENTICAL:
            note(f"  {trait_name(line['field'])} : {line['sentence_fr']}")
    if not desk.context.json:
        print_table(TITLES, side_by_side(identity, held), none="")
    note(CONCLUSIONS[Verdict(held.verdict)][1])
    with desk.base.store.read() as view:
        others = held_elsewhere(view, identity.id, held)
    if others:
        note(f"cette INS est déjà portée par une autre identité : {', '.join(others)}")


def _rules(context: Context) -> ProofRules:
    try:
        return ProofRules.of(context.config.proof)
    except ValueError as error:
        fail(Exit.USAGE, f"proof.{error}")


def _against(verdict: ProofVerdict) -> str:
    return "; ".join(reason.message_fr for reason in verdict.reasons)


def _bytes(name: str) -> bytes:
    """A file, or standard input for -; bounded."""
    if name == "-":
        return sys.stdin.buffer.read(_MAX_CARD_BYTES)
    try:
        with Path(name).open("rb") as file:
            return file.read(_MAX_CARD_BYTES)
    except OSError as error:
        fail(Exit.USAGE, f"{name}: {error.strerror or error}")
