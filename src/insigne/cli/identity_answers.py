"""`insigne identity retrieve-ins`, `accept`, `refuse`: the answer of INSi, compared and decided on by a person."""

import sys
from typing import Annotated

import typer

from insigne.access import Right
from insigne.cli.asking import AtHand, advised, asked, leave
from insigne.cli.common import Context, Exit, examples, fail, group_app, note
from insigne.cli.desk import As, Desk, Reason, Seen, at_desk, entering
from insigne.cli.held import show_answer, waiting_answer
from insigne.cli.identity import IdArgument
from insigne.exchange.desk import first_name, first_names
from insigne.exchange.ports import Transaction
from insigne.insi.desk import HeldReader
from insigne.insi.outcomes import HeldAnswer
from insigne.registry import acts
from insigne.registry.state import Identity
from insigne.store.insi import CallFilter

app = group_app("The answer of INSi about an identity of ours.")

Call = Annotated[
    str,
    typer.Option(
        "--call",
        metavar="CALL",
        help="The call of INSi whose answer was compared, as `identity retrieve-ins` and `worklist show` name it; "
        "without it the answer that waits is shown, and a terminal asks for a confirmation.",
    ),
]


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
    document_at_hand: AtHand = False,
    user: As = "",
) -> None:
    """Ask INSi for the INS, now. What it answers waits for `identity accept` or `identity refuse`.

    Exit status 0 when one person was found, 1 when none or several or when INSi may not be asked, 3 for a fault (the
    search is then tried again later by the server).
    """
    context = Context.of(ctx)
    with at_desk(context, user, Right.INSI_CALL) as desk:
        found = desk.named(identity)
        advised(desk, found, document_at_hand=document_at_hand)
        job = asked(desk, found, "retrieve")
        if job.outcome == "00" and not job.error:
            with desk.base.store.read() as view:
                held = waiting_answer(desk, view, found)
            show_answer(desk, found, held)
        desk.show(found.id)
    leave(job, "00")


@app.command(
    epilog=examples(
        "insigne identity accept 'INSIGNE|12' --as claire.dupont",
        "insigne identity accept 'INSIGNE|12' --call 01JMS7Q4 --as claire.dupont",
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
    call: Call = "",
    version: Seen = 0,
    user: As = "",
) -> None:
    """Accept the INS that INSi gave, once compared with the person: its traits replace ours.

    Refused when they differ beyond what is tolerated, or when another answer came since the one that was seen.
    """
    context = Context.of(ctx)
    with entering():
        chosen = first_name(first_given)
    with at_desk(context, user, Right.IDENTITY_QUALIFY) as desk:
        found = desk.named(identity, itself=bool(version))
        seen = _seen(desk, found, call, "accepter cette réponse ?")
        names = first_names(seen.answer)
        if chosen and chosen not in names:
            note(f"premiers prénoms possibles : {', '.join(names)}")

        def accepted(transaction: Transaction) -> list[acts.Act]:
            _still(desk, transaction, found, seen)
            return [acts.AcceptIns(found.id, version or found.version, seen.answer, chosen)]

        desk.act_on(accepted)
        desk.show(found.id)


@app.command(
    epilog=examples(
        "insigne identity refuse 'INSIGNE|12' --reason 'autre personne' --as claire.dupont",
        "insigne identity refuse 'INSIGNE|12' --call 01JMS7Q4 --reason 'autre personne' --as claire.dupont",
    )
)
def refuse(
    ctx: typer.Context, identity: IdArgument, *, reason: Reason, call: Call = "", version: Seen = 0, user: As = ""
) -> None:
    """Refuse the INS that INSi gave: only the refusal is kept, and a divergence to be treated."""
    context = Context.of(ctx)
    with at_desk(context, user, Right.IDENTITY_QUALIFY) as desk:
        found = desk.named(identity, itself=bool(version))
        seen = _seen(desk, found, call, "refuser cette réponse ?")

        def turned_down(transaction: Transaction) -> list[acts.Act]:
            _still(desk, transaction, found, seen)
            return [acts.RefuseIns(found.id, version or found.version, seen.call, reason)]

        desk.act_on(turned_down)
        desk.show(found.id)


def _seen(desk: Desk, identity: Identity, call: str, question: str) -> HeldAnswer:
    """The answer that waits, which must be that of `call`. Without it, it is shown, and confirmed at a terminal.

    Nobody decides unseen on an answer that came after the one they had asked for: the command ends (exit 1).
    """
    with desk.base.store.read() as view:
        held = waiting_answer(desk, view, identity)
        mine = view.calls(CallFilter(identity=identity.id, author=desk.user.author, code="00"), limit=1)
    if call or mine:
        _same(held, call or mine[0].id)
    if not call:
        show_answer(desk, identity, held)
        if sys.stdin.isatty() and not desk.context.json and not typer.confirm(question, err=True):
            fail(Exit.PROBLEMS, "nothing was done: the answer still waits")
    return held


def _still(desk: Desk, view: HeldReader, identity: Identity, seen: HeldAnswer) -> None:
    """See that the answer decided on is the one that waits, in the transaction that decides."""
    _same(waiting_answer(desk, view, identity), seen.call)


def _same(held: HeldAnswer, call: str) -> None:
    if held.call != call:
        fail(
            Exit.PROBLEMS,
            f"another answer of INSi came since (call {held.call}): look at it with `insigne worklist list --kind "
            f"to-compare` and `worklist show`, then name it with --call {held.call}",
        )
