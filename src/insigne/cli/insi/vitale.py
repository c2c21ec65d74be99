"""`insigne insi vitale`: the INS of a person, from what their carte Vitale holds."""

import random
import time
from typing import Annotated

import typer
from msgspec.structs import replace

from insigne.access import Right
from insigne.app.clock import rfc3339_now
from insigne.cli.asking import AtHand, advised
from insigne.cli.common import Context, Exit, command_app, examples, fail, note
from insigne.cli.desk import As, Desk, at_desk
from insigne.cli.held import show_answer, waiting_answer
from insigne.cli.insi.calling import (
    Authorities,
    Certificate,
    Endpoint,
    Idam,
    Key,
    Reason,
    Target,
    caller,
    calling,
    finish,
    keep,
)
from insigne.exchange.persistence import WRITE_WAIT, persistently
from insigne.ins.matricule import compact
from insigne.insi.automation import eligible
from insigne.insi.card import outcome_by_card
from insigne.insi.client import Caller, Traced
from insigne.insi.desk import BARRED, unneeded
from insigne.insi.traces import trace_of
from insigne.insi.wire import FOUND, VitaleData
from insigne.registry.source import Source
from insigne.registry.state import Identity
from insigne.store import moments

app = command_app()


@app.command(
    epilog=examples(
        "insigne insi vitale --holder 277076322082910 --name NESSI --birth-date 1977-07-14 --rank 1 --json",
        "insigne insi vitale --holder 2770763220829 --individual 1100863220830 --birth-date 2010-08-07",
        "insigne insi vitale --holder 2770763220829 --birth-date 1977-07-14 --identity 'INSIGNE|12' --as claire.dupont",
    )
)
def vitale(
    ctx: typer.Context,
    *,
    holder: Annotated[
        str, typer.Option(metavar="NUMBER", help="Number of the ouvrant droit, with its key or without.")
    ],
    individual: Annotated[
        str, typer.Option(metavar="NUMBER", help="Number of the beneficiary, when the card holds it.")
    ] = "",
    name: Annotated[str, typer.Option(help="Birth name, as on the card.")] = "",
    birth_date: Annotated[str, typer.Option(metavar="YYYY-MM-DD", help="Birth date, as on the card.")] = "",
    rank: Annotated[str, typer.Option(metavar="N", help="Birth rank (rang gémellaire).")] = "",
    endpoint: Endpoint = "",
    ca: Authorities = None,
    cert: Certificate = None,
    key: Key = None,
    idam: Idam = "",
    reason: Reason = "insi vitale",
    identity: Annotated[
        str, typer.Option("--identity", metavar="ID", help="The identity of ours whose card it is: the answer waits.")
    ] = "",
    document_at_hand: AtHand = False,
    user: As = "",
) -> None:
    """Ask INSi for an INS by the data of a carte Vitale (WS_INS1). The answer is the INS, not the card's identity.

    With --identity it is compared with that identity and waits for `identity accept` or `identity refuse`, as that of
    `identity retrieve-ins`; without it no identity changes.

    Exit status 0 when one person was found, 1 when none or several, 3 for a fault. The calls are traced in the
    base of the data folder when there is one.
    """
    context = Context.of(ctx)
    (number, number_key), (own, own_key) = _number("--holder", holder), _number("--individual", individual)
    data = VitaleData(number, own, number_key, own_key, name.upper(), birth_date, rank)
    target = Target(endpoint=endpoint, ca=ca, cert=cert, key=key, idam=idam)
    if identity:
        with at_desk(context, user, Right.INSI_CALL) as desk:
            found = _askable(desk, identity, document_at_hand=document_at_hand)
            with calling(context, target) as client:
                call = client.vitale(data, Caller(desk.user.author, reason))
            held = _hold(desk, found, call)
        finish(context, call.result, [call], [], held)
    if user or document_at_hand:
        fail(Exit.USAGE, "--identity: name the identity whose card it is; --as and --document-at-hand go with it")
    with calling(context, target) as client:
        call = client.vitale(data, caller(reason))
    keep(context, [call])
    finish(context, call.result, [call], [])


def _askable(desk: Desk, text: str, *, document_at_hand: bool) -> Identity:
    """The identity named, about which INSi may be asked; else the command ends (exit 1)."""
    identity = desk.named(text)
    if barred := eligible(identity, desk.base.policy):
        fail(Exit.PROBLEMS, f"INSi n’a pas été interrogé : {BARRED[barred][1]}")
    advised(desk, identity, document_at_hand=document_at_hand)
    return identity


def _hold(desk: Desk, asked: Identity, call: Traced) -> str:
    """Keep the call, and the answer that is to wait for a person, which is shown; the id of its call, "" for none."""
    trace = trace_of(call, moments.rfc3339(call.started), "INSI-MANU", identity=asked.id)
    trace = replace(trace, id=desk.base.new_id())
    source = Source(rfc3339_now(), desk.user.author, "insi", trace.id, local=True)
    # The call would have to be made again: a base that others hold gets it a little later.
    chance = random.Random()  # noqa: S311 - spreads retries, keeps no secret
    with persistently(lambda: desk.base.store.begin(WRITE_WAIT), time.sleep, chance) as transaction:
        transaction.put_call(trace)
        now = transaction.identity(asked.id)
        outcome = outcome_by_card(asked, now, call.result, trace.id, desk.base.policy)
        if outcome is not None:
            desk.base.registrar.act_within(transaction, [(outcome, source)])
            unneeded(transaction, asked.id)
        transaction.commit()
    if outcome is not None:
        with desk.base.store.read() as view:
            held = waiting_answer(desk, view, asked)
        show_answer(desk, asked, held)
        return trace.id
    if call.result.code == FOUND:
        fail(Exit.PROBLEMS, "l’identité a changé pendant l’interrogation : la réponse n’a pas été appliquée")
    note("l’identité ne change pas")
    return ""


def _number(option: str, text: str) -> tuple[str, str]:
    """Split a number into its 13 characters and its key."""
    number = compact(text)
    if len(number) not in (0, 13, 15):
        fail(Exit.USAGE, f"{option}: a number has 13 characters, or 15 with its key; this one has {len(number)}")
    return number[:13], number[13:]
