"""`insigne document render`: a PDF/A of a text or a simple HTML page, with the banner if asked."""

import io
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from insigne.cli.common import Context, emit, examples, group_app, note
from insigne.cli.documents import InFile, contents, identity_named, refuse, written
from insigne.documents.banner import banner_of
from insigne.documents.errors import DocumentError
from insigne.documents.render import render_html, render_text
from insigne.documents.stamp import StampOptions, stamp
from insigne.ins.cog import bundled_cog

app = group_app("PDF/A documents.")

_HTML = (".html", ".htm", ".xhtml")


@app.command(
    epilog=examples(
        "insigne document render letter.txt letter.pdf --title 'Lettre de liaison'",
        "insigne document render letter.html letter.pdf --identity 'GAM|4071'",
    )
)
def render(
    ctx: typer.Context,
    source: InFile,
    target: Annotated[Path, typer.Argument(metavar="OUT.pdf", dir_okay=False)],
    *,
    title: Annotated[str, typer.Option(help="Title of the document; the name of the file by default.")] = "",
    identity: Annotated[
        str, typer.Option(metavar="ID", help="Identity whose banner is put on it: AUTHORITY|VALUE, or its id here.")
    ] = "",
) -> None:
    """Make a PDF/A-1b of a UTF-8 text, or of simple HTML (.html): no style, image nor link, nothing fetched."""
    context = Context.of(ctx)
    settings = context.config.documents
    banner = None
    if identity:
        banner = banner_of(identity_named(context, identity), context.config.environment, bundled_cog())
    made = render_html if source.suffix.lower() in _HTML else render_text
    try:
        text = contents(source, settings.max_bytes).decode("utf-8-sig")
        pdf = io.BytesIO(made(text, title or source.stem, datetime.now(UTC)))
        with written(target) as out:
            if banner is None:
                out.write(pdf.getvalue())
            else:
                stamp(pdf, out, banner, StampOptions.of(settings))
    except UnicodeDecodeError:
        refuse(source, DocumentError("charset", "this is not a text in UTF-8", "ce n’est pas un texte en UTF-8"))
    except DocumentError as error:
        refuse(source, error)
    if banner is not None and banner.withheld:
        note(f"banner without matricule nor Data Matrix: {banner.withheld}")
    if context.json:
        emit({"file": str(target), "qualified": bool(banner and banner.payload)})
    context.say(f"{target}: written")
