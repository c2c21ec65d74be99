"""`insigne document read`: what a Data Matrix says, and whether the registry agrees."""

from typing import Final

import typer

from insigne.cli.common import Context, Exit, emit, examples, group_app
from insigne.cli.documents import InFile, contents, refuse
from insigne.cli.opening import reading
from insigne.cli.tables import print_fields, print_table
from insigne.documents.agreement import Difference, closest
from insigne.documents.errors import DocumentError
from insigne.documents.scan import Found, find_symbol
from insigne.fhir import resolve
from insigne.ins.datamatrix import FIELDS
from insigne.registry.state import Identity

app = group_app("What a document says of its patient.")

AGREES, DIFFERS, UNKNOWN = "agrees", "differs", "unknown"
_SAID: Final = {
    AGREES: "the registry agrees",
    DIFFERS: "the registry differs",
    UNKNOWN: "nobody has this INS in the registry",
}


@app.command(epilog=examples("insigne document read letter.pdf", "insigne document read scan.jpg --json"))
def read(ctx: typer.Context, file: InFile) -> None:
    """Find and decode the INS Data Matrix of a PDF, PNG or JPEG, and compare it with the registry.

    Exit 0 when the registry agrees, 1 when it differs, does not know the INS, or no symbol can be read.
    """
    context = Context.of(ctx)
    settings = context.config.documents
    try:
        found = find_symbol(contents(file, settings.max_bytes), settings.scan_pages)
    except DocumentError as error:
        refuse(file, error)
    with reading(context) as view:
        holders = resolve(view, found.payload.oid, found.payload.matricule, view.identity)
    compared = closest(found.payload, holders)
    verdict = UNKNOWN if compared is None else DIFFERS if compared[1] else AGREES
    if context.json:
        emit(_document(found, verdict, compared))
    else:
        _show(found, verdict, compared)
    if verdict != AGREES:
        raise typer.Exit(Exit.PROBLEMS)


def _document(
    found: Found, verdict: str, compared: tuple[Identity, tuple[Difference, ...]] | None
) -> dict[str, object]:
    identity, differences = compared or (None, ())
    return {
        "fields": dict(found.payload.fields),
        "registry": verdict,
        "differences": [
            {"field": one.field, "name": one.name, "document": one.document, "registry": one.registry}
            for one in differences
        ],
        "identity": identity.id if identity else None,
        "page": found.page,
    }


def _show(found: Found, verdict: str, compared: tuple[Identity, tuple[Difference, ...]] | None) -> None:
    print_fields((FIELDS[id_].name if id_ in FIELDS else id_, value) for id_, value in found.payload.fields.items())
    typer.echo(_SAID[verdict])
    if compared is not None and compared[1]:
        rows = [(one.name, one.document, one.registry) for one in compared[1]]
        print_table(("trait", "document", "registry"), rows, none="")
