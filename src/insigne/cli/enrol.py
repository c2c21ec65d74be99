"""`insigne enrol`: invitations by which people enter their own traits, on the page of a one-time link."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from msgspec.structs import replace

from insigne.access import Right
from insigne.access.invitations import RANDOM_BYTES, Invitation, InvitationState, generate_invitation
from insigne.access.users import User
from insigne.cli.acting import acting
from insigne.cli.common import Context, Exit, emit, emit_line, examples, fail, group_app, note, rfc3339
from insigne.cli.desk import As
from insigne.cli.ending import parse_end
from insigne.cli.opening import existing
from insigne.cli.qr import QrCode
from insigne.cli.tables import print_table
from insigne.config import Config
from insigne.exchange.ids import TimeOrderedIds
from insigne.store import Store, moments
from insigne.store.audit import AuditEntry
from insigne.store.transaction import UnitOfWork
from insigne.web.enrolment import PREFIX

app = group_app(
    "Invite people to enter their own traits on their phone.",
    examples(
        "insigne enrol invite --label 'télésurveillance cardiaque' --as claire.dupont",
        "insigne enrol list --as claire.dupont",
        "insigne enrol revoke 01JQ0Z6V7K8M9N0P1Q2R3S4T5V --as claire.dupont",
    ),
)

_SYMBOLS: Final[dict[str, Callable[[QrCode], bytes]]] = {".png": QrCode.png, ".svg": QrCode.svg}
_PAGE: Final = 500
_TITLES: Final = ("id", "label", "author", "created", "expires", "state", "identity")


@app.command(
    epilog=examples(
        "insigne enrol invite --label 'télésurveillance cardiaque' --as claire.dupont",
        "insigne enrol invite --expires 2d --qr invitation.png --as claire.dupont",
        "insigne enrol invite --as claire.dupont --json",
    )
)
def invite(
    ctx: typer.Context,
    *,
    label: Annotated[str, typer.Option(help="What for or where, without personal data, to recognise it.")] = "",
    expires: Annotated[
        str, typer.Option(metavar="D", help="2d, a date or a moment; default enrolment.valid_days from now.")
    ] = "",
    qr: Annotated[
        Path | None, typer.Option("--qr", metavar="FILE", help="Write the QR code to a .png or .svg.")
    ] = None,
    user: As = "",
) -> None:
    """Make an invitation and print its link, once, with a QR code in the terminal.

    Whoever has the link may enter one person's traits, once, until it expires. A provisional identity and a work item
    come of it.
    """
    context = Context.of(ctx)
    if not context.config.enrolment.enabled:
        fail(Exit.USAGE, "enrolment.enabled is false: this site invites nobody; set it to true to invite again")
    address = _address(context.config)
    if qr is not None and qr.suffix.lower() not in _SYMBOLS:
        fail(Exit.USAGE, f"--qr: {qr.name} is neither .png nor .svg")
    now = datetime.now(UTC)
    end = parse_end(expires, now) if expires else now + timedelta(days=context.config.enrolment.valid_days)
    token, token_hash = generate_invitation(os.urandom(RANDOM_BYTES))
    link = f"{address}{PREFIX}/{token}"
    with _inviting(context, user) as (store, person):
        invitation = Invitation(
            id=_new_id(), token_hash=token_hash, created=now, expires=end, author=person.author, label=label
        )
        with store.begin() as transaction:
            _keep(transaction, invitation, person, "invitation-created", now)
    code = QrCode(link)
    if qr is not None:
        _write(qr, _SYMBOLS[qr.suffix.lower()](code))
    if context.json:
        emit({"url": link, **_document(invitation, now)})
        return
    typer.echo(link)
    for line in code.lines():
        typer.secho(line, fg="black", bg="bright_white", err=True)
    note(f"This is the only time the link is shown. It serves once, until {rfc3339(end.astimezone())}.")
    if not context.config.http.public_url:
        note(
            "http.public_url is not set: the link names this machine as it is known here, which a phone may not reach."
        )


@app.command(
    "list", epilog=examples("insigne enrol list --as claire.dupont", "insigne enrol list --as claire.dupont --json")
)
def list_(
    ctx: typer.Context,
    *,
    limit: Annotated[int, typer.Option(min=1, help="How many, newest first.")] = 100,
    user: As = "",
) -> None:
    """List invitations, newest first, without their links."""
    context = Context.of(ctx)
    now = datetime.now(UTC)
    with _inviting(context, user) as (store, _), store.read() as view:
        documents = [_document(invitation, now) for invitation in view.invitations(limit=limit)]
    if context.json:
        for document in documents:
            emit_line(document)
        return
    rows = [[str(document[title] or "") for title in _TITLES] for document in documents]
    print_table(_TITLES, rows, none="no invitation; make one with `insigne enrol invite`")


@app.command(epilog=examples("insigne enrol revoke 01JQ0Z6V7K8M9N0P1Q2R3S4T5V --as claire.dupont"))
def revoke(
    ctx: typer.Context,
    invitation: Annotated[str, typer.Argument(metavar="ID", help="Its id in the list.")],
    *,
    user: As = "",
) -> None:
    """End an invitation now: its link opens nothing any more."""
    context = Context.of(ctx)
    now = datetime.now(UTC)
    with _inviting(context, user) as (store, person):
        found = _found(store, invitation)
        if found is None:
            fail(Exit.PROBLEMS, "no invitation has this id; `insigne enrol list` shows the ids")
        ended = _ended(store, found, person, now)
    if context.json:
        emit(_document(ended, now))
    else:
        typer.echo(f"{ended.id} revoked")


@contextmanager
def _inviting(context: Context, name: str) -> Iterator[tuple[Store, User]]:
    """The base, and the user of that name, who may invite."""
    if "ri" not in context.config.roles:
        fail(Exit.USAGE, "roles: people are enrolled by the role ri; this process has not got it")
    with existing(context) as store:
        yield store, acting(context, store, name, Right.ENROL)


def _address(config: Config) -> str:
    """The address of the HTTP port as visitors know it."""
    http = config.http
    if http.public_url:
        return http.public_url.rstrip("/")
    if not http.port:
        fail(Exit.USAGE, "http.public_url: with http.port = 0 the address of the page is not known; set it")
    host = f"[{http.host}]" if ":" in http.host else http.host
    return f"{'http' if http.tls is None else 'https'}://{host}:{http.port}"


def _new_id() -> str:
    return TimeOrderedIds(lambda: time.time_ns() // 1_000_000, os.urandom(4))()


def _keep(transaction: UnitOfWork, invitation: Invitation, person: User, act: str, now: datetime) -> None:
    transaction.put_invitation(invitation)
    transaction.record(AuditEntry(person.author, act, invitation.id, moments.rfc3339(now)))
    transaction.commit()


def _ended(store: Store, listed: Invitation, person: User, now: datetime) -> Invitation:
    """End an invitation, unless it has ended or was used, perhaps since it was looked up."""
    with store.begin() as transaction:
        current = transaction.invitation(listed.token_hash) or listed
        if current.state(now) is not InvitationState.OPEN:
            fail(Exit.PROBLEMS, f"{current.id}: this invitation is {current.state(now)} already")
        ended = replace(current, expires=now)
        _keep(transaction, ended, person, "invitation-revoked", now)
    return ended


def _found(store: Store, identifier: str) -> Invitation | None:
    with store.read() as view:
        page = view.invitations(limit=_PAGE)
        while page:
            for invitation in page:
                if invitation.id == identifier:
                    return invitation
            page = view.invitations(limit=_PAGE, after=page[-1].id)
    return None


def _write(path: Path, data: bytes) -> None:
    try:
        path.write_bytes(data)
    except OSError as error:
        fail(Exit.USAGE, f"--qr: {path} cannot be written: {error.strerror}")


def _document(invitation: Invitation, now: datetime) -> dict[str, Any]:
    return {
        "id": invitation.id,
        "label": invitation.label,
        "author": invitation.author,
        "created": rfc3339(invitation.created),
        "expires": rfc3339(invitation.expires),
        "state": invitation.state(now),
        "attempts": invitation.attempts,
        "used": None if invitation.used is None else rfc3339(invitation.used),
        "identity": invitation.identity or None,
    }
