"""`insigne mail list` and `show`: mails of MSSanté, those sent and those read in our boxes."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Annotated, Any, Final, Literal, get_args

import typer

from insigne.cli.common import Context, Exit, emit, emit_line, examples, fail, group_app
from insigne.cli.opening import reading
from insigne.cli.tables import print_fields, print_table
from insigne.dmp.model import Channel, Sending
from insigne.dmp.model import State as SendingState
from insigne.dmp.mss.causes import reason_of as reason_of_mail
from insigne.dmp.mss.mails import State
from insigne.dmp.reasons import reason_of
from insigne.store.dmp import SendingFilter
from insigne.store.mail import ListedMail
from insigne.store.queries import ReadView

Direction = Literal["in", "out"]
app = group_app(
    "Mails of MSSanté: those sent, and those read in our boxes.",
    examples("insigne mail list --state for-people", "insigne mail show 01JMS7Q4"),
)

_RECIPIENTS: Final[dict[Channel, str]] = {"mss-ps": "professional", "mss-patient": "patient"}
_MATRICULE: Final = re.compile(r"[0-9][0-9AB]{12,14}")
"""What the words of a server may name of a patient's box."""
_STATES: Final = (*get_args(State), *get_args(SendingState))
_TABLE: Final = ("id", "since", "direction", "recipient", "box", "state", "cause", "why")


@app.command(
    "list",
    epilog=examples(
        "insigne mail list --direction in --state for-people",
        "insigne mail list --direction out --state refused --json | jq -r .remedy",
    ),
)
def list_(
    ctx: typer.Context,
    *,
    direction: Annotated[str, typer.Option(help="Only those received (in), or sent (out).")] = "",
    state: Annotated[
        str, typer.Option(metavar="WORD", help=f"Only in this state: {', '.join(dict.fromkeys(_STATES))}.")
    ] = "",
    box: Annotated[str, typer.Option(metavar="NAME", help="Only those read in this box.")] = "",
    limit: Annotated[int, typer.Option(min=1, help="Most mails to list.")] = 100,
) -> None:
    """List mails of MSSanté, newest first, without names nor addresses. With --json, one a line."""
    context = Context.of(ctx)
    for option, value, known in (("--direction", direction, get_args(Direction)), ("--state", state, _STATES)):
        if value and value not in known:
            fail(Exit.USAGE, f"{option}: {value!r} is none of {', '.join(dict.fromkeys(known))}")
    now = datetime.now(UTC)
    with reading(context) as view:
        told = []
        if direction != "out":
            told += [_received(one, now) for one in view.mails(state, box, limit)]
        if direction != "in" and not box:
            told += [_sent(one, now) for one in _sendings(view, state, limit)]
    told = sorted(told, key=lambda one: (one["since"], one["id"]), reverse=True)[:limit]
    if context.json:
        for one in told:
            emit_line(one)
        return
    print_table(_TABLE, ([str(one[name]) for name in _TABLE] for one in told), none="no mail")


@app.command(epilog=examples("insigne mail show 01JMS7Q4", "insigne mail show 01JMS7Q4 --json | jq .remedy"))
def show(ctx: typer.Context, mail: Annotated[str, typer.Argument(metavar="MAIL", help="Id in the list.")]) -> None:
    """Show a mail: where it is, why, what to do, and whom it is from or to.

    The box of a patient is not shown: its name is the INS, which the registry has.
    """
    context = Context.of(ctx)
    now = datetime.now(UTC)
    with reading(context) as view:
        received, sent = view.mail(mail), view.sending(mail)
        if received is not None:
            told = _received(received, now) | _details_received(received, view)
        elif sent is not None and sent.channel in _RECIPIENTS:
            told = _sent(sent, now) | _details_sent(sent)
        else:
            fail(Exit.PROBLEMS, f"{mail}: no such mail; `insigne mail list` shows the ids")
    if context.json:
        emit(told)
        return
    print_fields((name, _shown(value)) for name, value in told.items())


def _shown(value: Any) -> str:  # Any: what JSON holds
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _sendings(view: ReadView, state: str, limit: int) -> Iterable[Sending]:
    for channel in _RECIPIENTS:
        yield from view.sendings(SendingFilter(channel=channel, state=state), limit=limit)


def _received(listed: ListedMail, now: datetime) -> dict[str, Any]:
    mail = listed.mail
    reason = reason_of_mail(mail, waiting=listed.waiting)
    return {
        "id": mail.id,
        "since": mail.received,
        "age_seconds": _age(mail.received, now),
        "direction": "in",
        "recipient": "box",
        "box": mail.box,
        "state": mail.state,
        "cause": mail.code or mail.kind,
        "why": reason.text_fr,
        "remedy": reason.remedy_fr,
    }


def _sent(sending: Sending, now: datetime) -> dict[str, Any]:
    reason = reason_of(sending.reason)
    return {
        "id": sending.id,
        "since": sending.since,
        "age_seconds": _age(sending.since, now),
        "direction": "out",
        "recipient": _RECIPIENTS[sending.channel],
        "box": "",
        "state": sending.state,
        "cause": sending.code or sending.reason,
        "why": reason.text_fr,
        "remedy": reason.remedy_fr,
    }


def _details_received(listed: ListedMail, view: ReadView) -> dict[str, Any]:
    mail = listed.mail
    reason = reason_of_mail(mail, waiting=listed.waiting)
    return {
        "why_en": reason.text,
        "remedy_en": reason.remedy,
        "kind": mail.kind,
        "waiting": listed.waiting,
        "uid": mail.uid,
        "message_id": mail.message_id,
        "told": mail.text,
        "answer": mail.way,
        "address": mail.address,
        "outbox": [row.id for row in view.outbox_of(mail.id)],
    }


def _details_sent(sending: Sending) -> dict[str, Any]:
    reason = reason_of(sending.reason)
    to_professional = sending.channel == "mss-ps"
    return {
        "why_en": reason.text,
        "remedy_en": reason.remedy,
        "action": sending.action,
        "document": sending.document,
        "text": sending.text if to_professional else _MATRICULE.sub("…", sending.text),
        "address": sending.recipient if to_professional else "",
        "attempts": sending.attempts,
        "due": sending.due,
        "sent": sending.sent,
        "ended": sending.ended,
    }


def _age(since: str, now: datetime) -> int:
    return max(0, int((now - datetime.fromisoformat(since)).total_seconds()))
