"""`insigne destination preview`: what a receiver would be told under another configuration, before it is in use."""

import os
import tomllib
from collections import Counter
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
import typer

from insigne.cli.common import Context, Exit, command_app, emit, examples, fail
from insigne.cli.opening import reading
from insigne.config import Config, ConfigError, DestinationSettings, load
from insigne.exchange.delivery.preview import Compared, Told, compare, recent_notices
from insigne.pam.encode import Dialect, dialect_of
from insigne.registry.events import Recorded
from insigne.store.queries import ReadView

app = command_app()
#: Events of the journal looked at for each notice wanted, and at most.
_EVENTS_EACH: Final = 20
_MOST_EVENTS: Final = 50_000
_FIRST_SHOWN: Final = 20


@app.command(
    epilog=examples(
        "insigne destination preview LABO --change subscription.edition=2.5",
        "insigne destination preview LABO --new insigne-new.toml --last 200",
        """insigne destination preview LABO --change 'subscription.rules=[{action="drop", path="PID-13"}]' --json""",
    )
)
def preview(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of the destination in the configuration.")],
    *,
    change: Annotated[
        list[str] | None,
        typer.Option(metavar="KEY=VALUE", help="A key of the destination, such as subscription.edition=2.5."),
    ] = None,
    new: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The configuration planned, whole; --change comes on top.")
    ] = None,
    last: Annotated[int, typer.Option(min=1, max=5000, help="How many events to tell both ways.")] = 50,
) -> None:
    """Tell the last events under a planned configuration and under the present one, and show what differs.

    Nothing is queued nor sent. Each event is told as of its moment. Exit 1 when something would be held that is not
    held today.
    """
    context = Context.of(ctx)
    if new is None and not change:
        fail(Exit.USAGE, "preview: say what changes: --change KEY=VALUE, or --new FILE")
    present, planned = context.config, _planned(context, new)
    today = _destination(present, name)
    after = _changed(_destination(planned, name) or today, name, change or [])
    dialects = (_dialect(present, today) if today is not None else None, _dialect(planned, after))
    with reading(context) as view:
        told = recent_notices(_records(view, last), view, last)
        compared = [compare(notice, view, *dialects) for notice in told]
    document = _document(name, compared)
    if context.json:
        emit(document)
    else:
        _show(document)
    if any(one.planned.fate == "held" != one.today.fate for one in compared):
        raise typer.Exit(Exit.PROBLEMS)


# --- the two configurations


def _planned(context: Context, file: Path | None) -> Config:
    if file is None:
        return context.config
    try:
        return load(file, context.overrides, os.environ, context.data).config
    except ConfigError as error:
        fail(Exit.USAGE, str(error))


def _destination(config: Config, name: str) -> DestinationSettings | None:
    return next((one for one in config.destinations if one.name == name), None)


def _changed(settings: DestinationSettings | None, name: str, changes: list[str]) -> DestinationSettings:
    """The settings of a destination with some keys replaced; wrong ones end the command (exit 2)."""
    if settings is None:
        fail(Exit.PROBLEMS, f"{name}: no such destination in the configuration")
    for change in changes:
        key, equals, text = change.partition("=")
        if not equals:
            fail(Exit.USAGE, f"--change {change}: no value; write --change KEY=VALUE")
        settings = _with(settings, key.strip(), text.strip())
    return settings


def _with(settings: DestinationSettings, key: str, text: str) -> DestinationSettings:
    """With one key replaced: by the text as TOML or, where that does not fit, as it stands."""
    try:
        return _replaced(settings, key, tomllib.loads(f"value = {text}")["value"])
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        reason = error
    try:
        return _replaced(settings, key, text)
    except msgspec.ValidationError as error:
        not_toml = isinstance(reason, tomllib.TOMLDecodeError)
        fail(Exit.USAGE, f"--change {key}: {error if not_toml else reason}")


def _replaced(settings: DestinationSettings, key: str, value: object) -> DestinationSettings:
    """Raises `msgspec.ValidationError`."""
    tree: dict[str, Any] = msgspec.to_builtins(settings)
    *tables, leaf = key.split(".")
    table = tree
    for name in tables:
        inner = table.get(name)
        table[name] = inner if isinstance(inner, dict) else {}
        table = table[name]
    table[leaf] = value
    return msgspec.convert(tree, DestinationSettings)


def _dialect(config: Config, settings: DestinationSettings) -> Dialect:
    try:
        return dialect_of(
            settings.subscription,
            name=settings.name,
            environment=config.environment,
            authorities=config.authorities,
        )
    except ValueError as error:
        fail(Exit.USAGE, f"{settings.name}: {error}")


# --- the events


def _records(view: ReadView, notices: int) -> list[Recorded]:
    """The last events of the journal, whole decisions, none that a purge erased."""
    head = view.head()
    wanted = min(_MOST_EVENTS, _EVENTS_EACH * notices + _EVENTS_EACH)
    after = max(0, (head.last_seq if head is not None else 0) - wanted)
    entries = view.changes(after, wanted)
    known = [place for place, entry in enumerate(entries) if entry.event is None]
    cut = known[-1] + 1 if known else 0
    if entries and (after or cut):
        first = (entries[cut - 1] if cut else entries[0]).cause_id
        while cut < len(entries) and entries[cut].cause_id == first:
            cut += 1
    return [entry.record for entry in entries[cut:]]


# --- showing


def _document(name: str, compared: list[Compared]) -> dict[str, Any]:
    counts = Counter(one.change for one in compared)
    return {
        "destination": name,
        "events": len(compared),
        "summary": dict(sorted(counts.items())),
        "differences": dict(Counter(found.path for one in compared for found in one.differences).most_common()),
        "changes": [_change(one) for one in compared if one.change != "same"],
    }


def _change(one: Compared) -> dict[str, Any]:
    notice = one.notice
    return {
        "event": notice.trigger,
        "time": notice.time,
        "subject": notice.subject,
        "cause": {"kind": notice.cause_kind, "id": notice.cause_id.partition(" ")[0]},
        "change": one.change,
        "today": _told(one.today),
        "planned": _told(one.planned),
        "differences": [
            {"path": found.path, "today": found.today, "planned": found.planned} for found in one.differences
        ],
    }


def _told(told: Told) -> dict[str, Any]:
    return {
        "fate": told.fate,
        "event": told.event or None,
        "reason": told.reason or None,
        "message": told.explained[0] or None,
        "message_fr": told.explained[1] or None,
        "left_out": list(told.left_out),
        "findings": [
            {"rule": found.rule, "location": str(found.location or ""), "message": found.message}
            for found in told.findings
        ],
        "raw": told.text or None,
    }


def _show(document: dict[str, Any]) -> None:
    counts = ", ".join(f"{count} {change}" for change, count in document["summary"].items())
    typer.echo(f"{document['events']} events: {counts or 'none'}")
    for path, count in document["differences"].items():
        typer.echo(f"  {path} differs in {count}")
    for change in document["changes"][:_FIRST_SHOWN]:
        typer.echo(f"\n{change['time']}  {change['event']}  {change['subject']}: {change['change']}")
        for found in change["differences"]:
            typer.echo(f"  {found['path']}: {found['today'] or '(empty)'} -> {found['planned'] or '(empty)'}")
        planned = change["planned"]
        if planned["fate"] != "sent":
            typer.echo(f"  {planned['reason']}: {planned['message'] or ''}".rstrip(": "))
        for finding in planned["findings"]:
            typer.echo(f"  {finding['rule']} {finding['location']}: {finding['message']}")
    more = len(document["changes"]) - _FIRST_SHOWN
    if more > 0:
        typer.echo(f"\nand {more} more: --json shows all")
