"""`insigne audit`: whether the past was left alone."""

import re
from typing import Annotated, Final

import typer

from insigne.cli.common import Context, Exit, examples, fail, group_app
from insigne.cli.opening import existing
from insigne.cli.reports import conclude_report, progress
from insigne.store.audit_verify import audit_verify

app = group_app(
    "The sealed chain of journal and audit entries.",
    examples(
        "insigne audit verify",
        "insigne audit verify --anchor 1204:5f2c…",
    ),
)

_ANCHOR: Final = re.compile(r"([1-9][0-9]{0,17}):([0-9a-f]{64})")


@app.command(
    epilog=examples(
        "insigne audit verify --json",
        "insigne audit verify --anchor 1204:5f2c…",
    )
)
def verify(
    ctx: typer.Context,
    *,
    anchor: Annotated[
        str, typer.Option(metavar="NUMBER:DIGEST", help="A seal noted elsewhere earlier: head and head_digest.")
    ] = "",
) -> None:
    """Check every seal, entry and content of the journal.

    The report gives the head of the chain. Noted elsewhere and given later as --anchor, it shows whether the end of the
    chain was cut off, which cannot be seen from inside.
    """
    context = Context.of(ctx)
    kept = _ANCHOR.fullmatch(anchor)
    if anchor and kept is None:
        fail(Exit.USAGE, "--anchor: write NUMBER:DIGEST, as head and head_digest of an earlier report")
    with existing(context, read_only=True) as store:
        report = audit_verify(store, progress, anchor=(int(kept[1]), kept[2]) if kept else None)
    conclude_report(context, report)
