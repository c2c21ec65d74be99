"""`insigne document list` and `show`: documents held, on their way, arrived, and why."""

from typing import Annotated, Any, Final, get_args

import msgspec
import typer

from insigne.cli.common import Context, Exit, emit, emit_line, examples, fail, group_app
from insigne.cli.identity import named
from insigne.cli.opening import reading
from insigne.cli.tables import print_fields, print_table
from insigne.dmp.model import Channel, Document, Sending, State
from insigne.dmp.reasons import reason_of
from insigne.store.dmp import DocumentReader, SendingFilter

app = group_app("Documents sent to the DMP and to MSSanté.")

SendingId = Annotated[str, typer.Argument(metavar="SENDING", help="Id in the list (`insigne document list`).")]
_TABLE: Final = ("id", "since", "channel", "action", "state", "reason", "code", "type", "why")


@app.command(
    "list",
    epilog=examples(
        "insigne document list --state waiting-ins",
        "insigne document list --state to-confirm --json | jq -r .id",
        "insigne document list --identity 'GAM|4071'",
    ),
)
def list_(
    ctx: typer.Context,
    *,
    state: Annotated[str, typer.Option(metavar="WORD", help=f"Only in this state: {', '.join(get_args(State))}.")] = "",
    channel: Annotated[str, typer.Option(help=f"Only on this channel: {', '.join(get_args(Channel))}.")] = "",
    reason: Annotated[str, typer.Option(metavar="CODE", help="Only for this reason.")] = "",
    identity: Annotated[str, typer.Option(metavar="ID", help="Only of this patient.")] = "",
    document: Annotated[str, typer.Option(metavar="OID", help="Only of this unique id.")] = "",
    limit: Annotated[int, typer.Option(min=1, help="Most sendings to list.")] = 100,
) -> None:
    """List documents on each channel, newest first. With --json, one a line."""
    context = Context.of(ctx)
    for option, value, known in (("--state", state, get_args(State)), ("--channel", channel, get_args(Channel))):
        if value and value not in known:
            fail(Exit.USAGE, f"{option}: {value!r} is none of {', '.join(known)}")
    with reading(context) as view:
        wanted = SendingFilter(
            state=state,
            channel=channel,
            reason=reason,
            identity=named(context, view, identity, view.identity).id if identity else "",
        )
        if document:
            named_so = [one.id for one in view.documents_named(document)]
            found = [
                one
                for each in named_so
                for one in view.sendings(msgspec.structs.replace(wanted, document=each), limit=limit)
            ]
        else:
            found = view.sendings(wanted, limit=limit)
        documents = view.documents_of({one.document for one in found})
    told = [shown(documents[one.document], one) for one in found[:limit]]
    if context.json:
        for one in told:
            emit_line(one)
        return
    print_table(_TABLE, ([str(one[name]) for name in _TABLE] for one in told), none="no document")


@app.command(epilog=examples("insigne document show 01JMS7Q4", "insigne document show 01JMS7Q4 --json | jq .remedy"))
def show(ctx: typer.Context, sending: SendingId) -> None:
    """Show a document on a channel: where it is, why, what to do, and the others of the same document."""
    context = Context.of(ctx)
    with reading(context) as view:
        found = find(view, sending)
        document = view.document(found.document)
        if document is None:
            fail(Exit.PROBLEMS, f"{sending}: its document is not in the base")
        others = [shown(document, one) for one in view.sendings_of(document.id) if one.id != found.id]
    told = shown(document, found) | _details(document, found) | {"others": others}
    if context.json:
        emit(told)
        return
    print_fields((name, str(value)) for name, value in told.items() if value and name != "others")
    for other in others:
        typer.echo(f"\nalso: {other['id']}  {other['channel']} {other['action']}  {other['state']}  {other['why']}")


def find(view: DocumentReader, sending: str) -> Sending:
    """The sending an argument names; ends the command when there is none (exit 1)."""
    found = view.sending(sending)
    if found is None:
        fail(Exit.PROBLEMS, f"{sending}: no such sending; `insigne document list` shows the ids")
    return found


def shown(document: Document, sending: Sending) -> dict[str, Any]:
    """A sending as it is printed."""
    reason = reason_of(sending.reason)
    return {
        "id": sending.id,
        "since": sending.since,
        "channel": sending.channel,
        "action": sending.action,
        "state": sending.state,
        "reason": sending.reason,
        "code": sending.code,
        "type": document.type_code,
        "unique_id": document.unique_id,
        "identity": sending.identity,
        "why": reason.text_fr,
        "remedy": reason.remedy_fr,
    }


def _details(document: Document, sending: Sending) -> dict[str, Any]:
    """What `show` tells more. The INS is not shown: it is the patient's, in the registry."""
    reason = reason_of(sending.reason)
    return {
        "why_en": reason.text,
        "remedy_en": reason.remedy,
        "text": sending.text,
        "attempts": sending.attempts,
        "due": sending.due,
        "sent": sending.sent,
        "ended": sending.ended,
        "author": sending.author,
        "entry": sending.entry,
        "document": document.id,
        "received": document.received,
        "created": document.created,
        "message": document.message,
        "sender": document.sending,
        "source": document.source,
        "intent": str(document.intent),
        "version": document.version,
        "set_id": document.set_id,
        "parent": document.parent,
        "size": document.content.size if document.content is not None else 0,
    }
