"""`insigne identity record-proof`, `verify-ins`, `qualify-by-card`, `scan`: bringing an identity to qualification."""

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final

import msgspec
import typer

from insigne.access import Right
from insigne.cli.asking import asked, leave
from insigne.cli.common import Context, Exit, examples, fail, group_app, note
from insigne.cli.desk import As, Seen, at_desk, entering
from insigne.cli.identity import IdArgument
from insigne.cli.identity_copies import read_copy, sealed_copy
from insigne.exchange.desk import (
    Card,
    Shown,
    answer_of_card,
    answer_of_symbol,
    first_name,
    is_noted,
    judged,
    proof_of,
)
from insigne.ins.datamatrix import DatamatrixError
from insigne.ins.matricule import check_matricule
from insigne.ins.proof import ProofRules, ProofVerdict
from insigne.registry import acts

app = group_app("Bringing an identity of ours to qualification.")

_MAX_CARD_BYTES: Final = 65_536


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
        job = asked(desk, found, "verify")
        desk.show(found.id)
    leave(job, "OK")


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
        job = asked(desk, found, "verify")
        desk.show(found.id)
    leave(job, "OK")


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
