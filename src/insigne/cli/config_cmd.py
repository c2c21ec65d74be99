"""`insigne config`: the effective configuration, and where each value comes from."""

import msgspec
import typer

from insigne.cli.common import Context, emit, examples, group_app
from insigne.config import effective_values

app = group_app(
    "The effective configuration.",
    examples(
        "insigne --config insigne.toml config show",
    ),
)


@app.command(
    epilog=examples(
        "insigne --config insigne.toml config show",
        "insigne config show --set mllp.port=2600 --json",
    )
)
def show(ctx: typer.Context) -> None:
    """Show every key with its value and its origin: default, file, environment or --set.

    Secrets are never shown: those given by file or environment variable appear as that file or variable, and a
    password inside a URL is masked.
    """
    context = Context.of(ctx)
    values = effective_values(context.loaded)
    if context.json:
        file = str(context.config_file) if context.config_file else None
        emit({"file": file, "data": str(context.data), "values": values})
        return
    width = max(len(value.key) for value in values)
    for value in values:
        origin = f"{value.origin}: {value.source}" if value.source else value.origin
        context.say(f"{value.key:<{width}}  {msgspec.json.encode(value.value).decode()}  ({origin})")
