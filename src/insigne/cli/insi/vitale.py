"""`insigne insi vitale`: the INS of a person, from what their carte Vitale holds."""

from typing import Annotated

import typer

from insigne.cli.common import Context, Exit, command_app, examples, fail
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
from insigne.ins.matricule import compact
from insigne.insi.wire import VitaleData

app = command_app()


@app.command(
    epilog=examples(
        "insigne insi vitale --holder 277076322082910 --name NESSI --birth-date 1977-07-14 --rank 1 --json",
        "insigne insi vitale --holder 2770763220829 --individual 1100863220830 --birth-date 2010-08-07",
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
) -> None:
    """Ask INSi for an INS by the data of a carte Vitale (WS_INS1). The answer is the INS, not the card's identity.

    Exit status 0 when one person was found, 1 when none or several, 3 for a fault. The calls are traced in the
    base of the data folder when there is one; no identity changes.
    """
    context = Context.of(ctx)
    (number, number_key), (own, own_key) = _number("--holder", holder), _number("--individual", individual)
    data = VitaleData(number, own, number_key, own_key, name.upper(), birth_date, rank)
    with calling(context, Target(endpoint=endpoint, ca=ca, cert=cert, key=key, idam=idam)) as client:
        call = client.vitale(data, caller(reason))
    keep(context, [call])
    finish(context, call.result, [call], [])


def _number(option: str, text: str) -> tuple[str, str]:
    """Split a number into its 13 characters and its key."""
    number = compact(text)
    if len(number) not in (0, 13, 15):
        fail(Exit.USAGE, f"{option}: a number has 13 characters, or 15 with its key; this one has {len(number)}")
    return number[:13], number[13:]
