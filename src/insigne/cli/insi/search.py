"""`insigne insi search`: the INS of a person, from the traits of an identity document."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from insigne.cli.common import Context, Exit, command_app, examples, fail, note
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
from insigne.insi.client import retrieve
from insigne.insi.entry import prepare_search, unlike
from insigne.insi.wire import InsiAnswer, SearchTraits

app = command_app()


@app.command(
    epilog=examples(
        "insigne insi search --name 'DE VINCI' --given LEONARDO --sex M --birth-date 2014-02-01 --place 63220",
        "insigne insi search --name TCHITCHI --given OLA --given CATARINA --sex F --birth-date 1936-06-21 --json",
        "insigne insi search --endpoint https://127.0.0.1:8443/lps --ca ca.pem --cert MANU.pem --key MANU.key …",
    )
)
def search(
    ctx: typer.Context,
    *,
    name: Annotated[str, typer.Option(help="Birth name.")],
    given: Annotated[list[str], typer.Option(help="Given name; repeat it for the others, in civil order.")],
    sex: Annotated[str, typer.Option(help="M or F.")],
    birth_date: Annotated[str, typer.Option(metavar="YYYY-MM-DD", help="Birth date, whole.")],
    place: Annotated[
        str, typer.Option(metavar="COG", help="INSEE code of the birthplace; used when several people answer.")
    ] = "",
    endpoint: Endpoint = "",
    ca: Authorities = None,
    cert: Certificate = None,
    key: Key = None,
    idam: Idam = "",
    reason: Reason = "insi search",
) -> None:
    """Ask INSi for an INS by traits (WS_INS2): given names one by one, then all; several people: by birthplace too.

    Exit status 0 when one person was found, 1 when none or several, 3 for a fault. The calls are traced in the
    base of the data folder when there is one; no identity changes.
    """
    context = Context.of(ctx)
    prepared = prepare_search(name, given, sex.upper(), birth_date, place, today=datetime.now(UTC).date())
    if prepared.search is None:
        fail(Exit.USAGE, "; ".join(str(error) for error in prepared.errors))
    for remark in prepared.remarks:
        note(remark.message)
    with calling(context, Target(endpoint=endpoint, ca=ca, cert=cert, key=key, idam=idam)) as client:
        calls = retrieve(client, prepared.search, caller(reason))
    keep(context, calls)
    result, asked = calls[-1].result, calls[-1].criteria
    if isinstance(result, InsiAnswer) and isinstance(asked, SearchTraits):
        for trait in unlike(asked, result):
            note(f"the answer differs from what was asked: {trait}")
    finish(context, prepared.search.outcome or result, calls, prepared.search.attempts)
