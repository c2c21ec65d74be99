"""`insigne document cda` and `check`: CDA R2 documents."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from insigne.cli.common import Context, Exit, emit, examples, fail, group_app, note
from insigne.cli.documents import IdentityOption, InFile, checked_size, contents, identity_named, refuse, written
from insigne.cli.opening import reading
from insigne.config import store_url
from insigne.documents.cda.build import write_cda
from insigne.documents.cda.check import Checks, Holders, check
from insigne.documents.cda.description import read_description
from insigne.documents.cda.findings import Finding
from insigne.documents.cda.official import Official, OfficialError
from insigne.documents.errors import DocumentError
from insigne.fhir import resolve
from insigne.ins.cog import bundled_cog

app = group_app("CDA R2 documents.")

_BASE64 = 1.5
"""How much larger than its PDF a CDA may be."""


@app.command(
    epilog=examples(
        "insigne document cda stamped.pdf letter.xml --identity 'GAM|4071' --description letter.toml",
        "insigne document cda stamped.pdf letter.xml --identity 'GAM|4071' --description letter.json --json",
    )
)
def cda(
    ctx: typer.Context,
    source: InFile,
    target: Annotated[Path, typer.Argument(metavar="OUT.xml", dir_okay=False)],
    *,
    identity: IdentityOption,
    description: Annotated[
        Path, typer.Option(metavar="FILE", exists=True, dir_okay=False, help="TOML or JSON: docs/documents.md.")
    ],
) -> None:
    """Build the CDA R2 level 1 document of a qualified identity that carries a PDF.

    A description without `id` is given a new OID (2.25, from a random UUID), printed with --json.
    """
    context = Context.of(ctx)
    settings = context.config.documents
    found = identity_named(context, identity)
    try:
        told = read_description(description.name, contents(description, settings.max_bytes))
    except DocumentError as error:
        refuse(description, error)
    told = msgspec.structs.replace(told, id=told.id or f"2.25.{uuid.uuid4().int}")
    checked_size(source, settings.max_bytes)
    try:
        with source.open("rb") as pdf, written(target) as out:
            write_cda(pdf, out, found, told, context.config.environment, bundled_cog())
    except DocumentError as error:
        refuse(source, error)
    if context.json:
        emit({"identity": found.id, "id": told.id, "set_id": told.set_id or told.id, "version": told.version})
    context.say(f"{target}: document {told.id}, version {told.version}")


@app.command(
    "check",
    epilog=examples(
        "insigne document check letter.xml",
        "insigne document check letter.xml --official /srv/TestContenuCDA --json",
    ),
)
def check_(
    ctx: typer.Context,
    file: InFile,
    *,
    official: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Folder of TestContenuCDA: its XSD and schematron are run too (saxonche)."),
    ] = None,
) -> None:
    """Check a CDA R2 document: our own rules, its patient against the registry, and the official rules if given.

    Exit 1 when an error is found. Without a base, the document is not compared with the registry, and stderr says so.
    """
    context = Context.of(ctx)
    settings = context.config.documents
    document = contents(file, int(settings.max_bytes * _BASE64))
    with _holders(context) as holders:
        checks = Checks(context.config.environment, frozenset(settings.type_codes), holders)
        found = check(document, checks)
    if official is not None:
        found += _official(official, document)
    ok = not any(finding.severity == "error" for finding in found)
    if context.json:
        emit({"file": str(file), "ok": ok, "findings": [msgspec.to_builtins(finding) for finding in found]})
    for finding in found:
        context.say(f"{finding.severity} {finding.rule} {finding.location}: {finding.message_fr}")
    context.say(f"{file}: {'ok' if ok else 'not ok'}")
    if not ok:
        raise typer.Exit(Exit.PROBLEMS)


def _official(folder: Path, document: bytes) -> list[Finding]:
    try:
        with Official(folder) as checks:
            return checks.check([document])[0]
    except OfficialError as error:
        fail(Exit.USAGE, f"--official: {error}")


@contextmanager
def _holders(context: Context) -> Iterator[Holders | None]:
    """How holders of an INS are found; None when there is no base here."""
    url = store_url(context.loaded)
    if url.startswith("sqlite:///") and not Path(url.removeprefix("sqlite:///")).exists():
        note("no base here: the document is not compared with the registry")
        yield None
        return
    with reading(context) as view:
        yield lambda ins: resolve(view, ins.oid, ins.matricule, view.identity)
