"""`insigne worklist`: what waits for a person, and what they decide."""

from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
import typer

from insigne.access import Right
from insigne.cli.common import Context, Exit, emit, emit_line, examples, fail, group_app
from insigne.cli.comparing import (
    HELD_TITLES,
    PEOPLE_TITLES,
    TITLES,
    beside_held,
    person,
    side_by_side,
    trait_name,
)
from insigne.cli.desk import As, Desk, at_desk
from insigne.cli.identity import named
from insigne.cli.opening import reading
from insigne.cli.tables import print_fields, print_table
from insigne.exchange.work import told
from insigne.fhir import patient_of
from insigne.ins.cog import bundled_cog
from insigne.insi.desk import read_held
from insigne.insi.outcomes import beside
from insigne.registry import acts
from insigne.registry.state import WorkItem
from insigne.registry.worklist_kinds import KINDS, WorkFilter
from insigne.store.journal import JournalEntry
from insigne.store.queries import ReadView

app = group_app(
    "What waits for a person: list, assign, settle.",
    examples(
        "insigne worklist list --kind to-compare",
        "insigne worklist assign 01JMS7Q4 claire.dupont --as claire.dupont",
        "insigne worklist close 01JMS7Q4 --outcome 'même personne' --apply --as claire.dupont",
    ),
)

_COMMANDS = {
    "apply": "worklist close --apply",
    "close": "worklist close",
    "outbox": "outbox list",
    "document": "document list",
}
_NOBODY = "-"
_RECEIVED = {"work-item-raised": "retenu", "work-item-held-again": "même contenu"}
_SUPERSEDED = "l’émetteur dit autre chose depuis : plus rien n’est retenu"
_APART = ("held", "patients", "received", "superseded")
_RECEIVED_TITLES = ("reçu", "message", "contenu")

Item = Annotated[str, typer.Argument(metavar="ITEM", help="Id in the list.")]


@app.command(
    "list",
    epilog=examples(
        "insigne worklist list",
        "insigne worklist list --kind to-compare --json | jq -r .id",
        "insigne worklist list --mine --as claire.dupont",
    ),
)
def list_(
    ctx: typer.Context,
    *,
    kind: Annotated[str, typer.Option(help=f"Only this kind: {', '.join(KINDS)}.")] = "",
    assignee: Annotated[str, typer.Option(metavar="USER", help="Only what this user was given.")] = "",
    mine: Annotated[bool, typer.Option("--mine", help="Only what the user of --as was given.")] = False,
    identity: Annotated[str, typer.Option(metavar="ID", help="Only what is about this identity.")] = "",
    closed: Annotated[bool, typer.Option("--closed", help="What was settled, instead of what waits.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="Most items to list.")] = 1000,
    user: As = "",
) -> None:
    """List what waits, oldest first, with what may be done next. With --json, one item a line."""
    context = Context.of(ctx)
    if kind and kind not in KINDS:
        fail(Exit.USAGE, f"--kind: {kind!r} is none of {', '.join(KINDS)}")
    if mine and not user:
        fail(Exit.USAGE, "--mine: say who you are with --as USER")
    with reading(context) as view:
        subject = named(context, view, identity, view.identity).id if identity else ""
        wanted = WorkFilter(kind, user.lower() if mine else assignee.lower(), subject, "closed" if closed else "open")
        documents = [_document(item) for item in view.work_items(wanted, limit=limit)]
    if context.json:
        for document in documents:
            emit_line(document)
        return
    rows = [
        (one["id"], one["label_fr"], f"{one['age_days']} j", one["assignee"], ", ".join(one["subjects"]), _cause(one))
        for one in documents
    ]
    print_table(("id", "nature", "âge", "confié à", "identités", "cause"), rows, none="rien à traiter")


@app.command(epilog=examples("insigne worklist show 01JMS7Q4", "insigne worklist show 01JMS7Q4 --json | jq .held"))
def show(ctx: typer.Context, item: Item) -> None:
    """Show an item: the identities it is about, as FHIR Patients with --json, and what was held back of which messages.

    `messages` counts those; `worklist close --apply --seen` takes that count.
    """
    context = Context.of(ctx)
    with reading(context) as view:
        found = _found(view, item)
        people = [one for one in map(view.identity, found.subjects) if one is not None]
        document = _document(found) | {
            "held": msgspec.json.decode(bytes(found.held)),
            "patients": [patient_of(view.identity, one, bundled_cog()) for one in people],
            "received": [_received(entry) for entry in view.history_of_item(found.id) if entry.type in _RECEIVED],
        }
    _print(context, document)
    if not context.json and found.kind == "to-compare" and people:
        answer = beside(people[0], read_held(found), context.config.comparison)
        print_fields([("call", answer.call)])
        print_table(TITLES, side_by_side(people[0], answer), none="")
    elif not context.json and people:
        typer.echo()
        print_table(PEOPLE_TITLES, map(person, people), none="")
        if found.messages > 1:
            typer.echo()
            print_table(_RECEIVED_TITLES, map(_received_row, document["received"]), none="")
        if found.kind == "overlay" and document["held"]:
            typer.echo()
            print_table(HELD_TITLES, beside_held(people[0], document["held"]), none="")


@app.command(
    epilog=examples(
        "insigne worklist assign 01JMS7Q4 claire.dupont --as claire.dupont",
        "insigne worklist assign 01JMS7Q4 - --as claire.dupont",
    )
)
def assign(
    ctx: typer.Context,
    item: Item,
    assignee: Annotated[str, typer.Argument(metavar="USER", help="Who is to treat it; - for nobody.")],
    *,
    user: As = "",
) -> None:
    """Give an item to somebody, or to nobody."""
    context = Context.of(ctx)
    name = "" if assignee == _NOBODY else assignee.lower()
    with at_desk(context, user, Right.WORKLIST) as desk:
        with desk.base.store.read() as view:
            known = view.user(name) if name else None
        if name and (known is None or known.disabled is not None):
            fail(Exit.PROBLEMS, f"{name}: no such user, or disabled; `insigne user list` shows them")
        desk.act(acts.AssignWorkItem(item, name))
        _show_after(desk, item)


@app.command(
    epilog=examples(
        "insigne worklist close 01JMS7Q4 --outcome 'même personne' --apply --as claire.dupont",
        "insigne worklist close 01JMS7Q4 --outcome 'message erroné, GAM prévenue' --as claire.dupont",
    )
)
def close(
    ctx: typer.Context,
    item: Item,
    *,
    outcome: Annotated[str, typer.Option(metavar="TEXT", help="What was found and done.")],
    apply: Annotated[bool, typer.Option("--apply", help="Apply what was held back, instead of dropping it.")] = False,
    seen: Annotated[
        int, typer.Option(min=0, metavar="N", help="With --apply: how many messages it had when you looked at it.")
    ] = 0,
    user: As = "",
) -> None:
    """Settle an item: an overlay, a merge or movements that were held back are applied with --apply, else dropped.

    What is applied is what the latest message said (of a stay, all its movements); when later messages changed it,
    only to who says with --seen how many `worklist show` had counted.

    An INS to confirm, whose other holder lost it, is confirmed with --apply; its item is not closed without.
    """
    context = Context.of(ctx)
    with at_desk(context, user, Right.WORKLIST) as desk:
        desk.act(acts.CloseWorkItem(item, outcome, apply, seen))
        _show_after(desk, item)


def _found(view: ReadView, item_id: str) -> WorkItem:
    item = view.work_item(item_id)
    if item is None:
        fail(Exit.PROBLEMS, f"{item_id}: no such item; `insigne worklist list` shows the ids")
    return item


def _received(entry: JournalEntry) -> dict[str, Any]:
    """What made the item, or was held by it since; `held` is null when a message said the same again, or otherwise.

    `change` is what the message made of what was held: same, replaced, added, superseded; null for the first one.
    """
    held = getattr(entry.event, "held", None)
    return {
        "time": entry.time,
        "event": entry.type,
        "cause": {"kind": entry.cause_kind, "id": entry.cause_id},
        "held": None if held is None else msgspec.json.decode(bytes(held)),
        "change": getattr(entry.event, "change", None),
    }


def _received_row(one: dict[str, Any]) -> tuple[str, str, str]:
    content = _SUPERSEDED if one["change"] == "superseded" else _RECEIVED[one["event"]]
    return one["time"], one["cause"]["id"], "retenu" if one["held"] else content


def _show_after(desk: Desk, item_id: str) -> None:
    with desk.base.store.read() as view:
        document = _document(_found(view, item_id))
    _print(desk.context, document)


def _print(context: Context, document: dict[str, Any]) -> None:
    if context.json:
        emit(document)
    else:
        said = document | {"cause": _cause(document)}
        print_fields((name, _text(value)) for name, value in said.items() if name not in _APART)


def _document(item: WorkItem) -> dict[str, Any]:
    """An item as it is shown, with the commands that may follow."""
    document = told(item, datetime.now(UTC))
    return document | {"next": [_COMMANDS.get(action, f"identity {action}") for action in document["next"]]}


def _cause(document: dict[str, Any]) -> str:
    """The cause, for a person: an overlay names the traits it would change, and says when its sender did otherwise."""
    cause: str = document["cause"]
    if document["kind"] == "overlay":
        cause = ", ".join(map(trait_name, cause.split(", ")))
    return f"{cause} ({_SUPERSEDED})" if document["superseded"] else cause


def _text(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else "" if value is None else str(value)
