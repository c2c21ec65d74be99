"""`insigne document stamp` and `datamatrix`: the INS put on a document."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Final, Literal

import typer

from insigne.cli.common import Context, Exit, emit, examples, fail, group_app, note
from insigne.cli.documents import IdentityOption, InFile, identity_named, refuse, written
from insigne.documents.banner import Banner, banner_of
from insigne.documents.entitlement import NotEntitledError
from insigne.documents.errors import DocumentError
from insigne.documents.label import symbol_pdf
from insigne.documents.stamp import Stamped, StampOptions, stamp
from insigne.documents.symbol import Symbol, payload_of, symbol_of
from insigne.ins.cog import bundled_cog

app = group_app("The INS put on a document.")

_DRAWN: Final = (".png", ".svg", ".pdf")
OutFile = Annotated[Path, typer.Argument(metavar="OUT", dir_okay=False, help="File to write.")]


@app.command(
    "stamp",
    epilog=examples(
        "insigne document stamp letter.pdf stamped.pdf --identity 'GAM|4071'",
        "insigne document stamp letter.pdf stamped.pdf --identity 'GAM|4071' --require-qualified --pages all",
        "insigne document stamp old.pdf stamped.pdf --identity 'GAM|4071' --repair --drop-signatures --json",
    ),
)
def stamp_(
    ctx: typer.Context,
    source: InFile,
    target: OutFile,
    *,
    identity: IdentityOption,
    require_qualified: Annotated[
        bool, typer.Option("--require-qualified", help="Write nothing (exit 1) when the identity is not qualified.")
    ] = False,
    pages: Annotated[Literal["first", "all"] | None, typer.Option(help="Pages that bear it (documents.pages).")] = None,
    position: Annotated[
        Literal["top", "bottom"] | None, typer.Option(help="Side of the page (documents.position).")
    ] = None,
    cover: Annotated[
        bool, typer.Option("--cover", help="Draw over the page, keeping its size, instead of adding a strip.")
    ] = False,
    drop_signatures: Annotated[
        bool, typer.Option("--drop-signatures", help="Give up the signatures of a signed document.")
    ] = False,
    repair: Annotated[bool, typer.Option("--repair", help="Repair a damaged document: look at the result.")] = False,
) -> None:
    """Put the INS banner of an identity on a PDF, on a strip added to its first page so that nothing is covered.

    Qualified: traits, matricule with its nature, Data Matrix. Not qualified: traits alone, and stderr says why.
    """
    context = Context.of(ctx)
    found = identity_named(context, identity)
    banner = banner_of(found, context.config.environment, bundled_cog())
    if banner.withheld and require_qualified:
        fail(Exit.PROBLEMS, f"nothing was written: {banner.withheld}")
    options = StampOptions.of(context.config.documents)
    options = replace(
        options,
        pages=pages or options.pages,
        position=position or options.position,
        cover=cover,
        drop_signatures=drop_signatures,
        repair=repair,
    )
    done = _stamped(source, target, banner, options)
    if banner.withheld:
        note(f"banner without matricule nor Data Matrix: {banner.withheld}")
    if context.json:
        emit(_told(found.id, banner, done))
    context.say(f"{target}: banner on {done.stamped} page(s) of {done.pages}")


def _stamped(source: Path, target: Path, banner: Banner, options: StampOptions) -> Stamped:
    try:
        with written(target) as out:
            return stamp(source, out, banner, options)
    except DocumentError as error:
        refuse(source, error)


def _told(identity: str, banner: Banner, done: Stamped) -> dict[str, object]:
    return {
        "identity": identity,
        "qualified": bool(banner.payload),
        "withheld": banner.withheld or None,
        "pages": done.pages,
        "stamped": done.stamped,
        "signatures_dropped": done.signatures_dropped,
    }


@app.command(
    epilog=examples(
        "insigne document datamatrix --identity 'GAM|4071' label.png",
        "insigne document datamatrix --identity 'GAM|4071' label.svg --module-mm 0.5",
    )
)
def datamatrix(
    ctx: typer.Context,
    target: OutFile,
    *,
    identity: IdentityOption,
    module_mm: Annotated[
        float | None, typer.Option(min=0.25, max=2.0, help="Side of a module in millimetres (documents.module_mm).")
    ] = None,
) -> None:
    """Draw the INS Data Matrix of a qualified identity with its quiet zone and caption: OUT.png, OUT.svg or OUT.pdf.

    Exit 1, with the reason, when the identity is not qualified.
    """
    context = Context.of(ctx)
    kind = target.suffix.lower()
    if kind not in _DRAWN:
        fail(Exit.USAGE, f"OUT: {target.name!r} ends in none of {', '.join(_DRAWN)}")
    found = identity_named(context, identity)
    module = module_mm or context.config.documents.module_mm
    try:
        payload = payload_of(found, context.config.environment)
    except NotEntitledError as error:
        fail(Exit.PROBLEMS, f"no Data Matrix: {error}")
    symbol = symbol_of(payload)
    with written(target) as out:
        out.write(_drawn(payload, symbol, kind, module))
    side = round(symbol.side * module, 2)
    if context.json:
        emit({"identity": found.id, "modules": len(symbol.rows), "side_mm": side})
    context.say(f"{target}: {len(symbol.rows)} × {len(symbol.rows)} modules, {side} mm with its quiet zone")


def _drawn(payload: str, symbol: Symbol, kind: str, module_mm: float) -> bytes:
    if kind == ".pdf":
        return symbol_pdf(payload, module_mm)
    return symbol.png(module_mm) if kind == ".png" else symbol.svg(module_mm)
