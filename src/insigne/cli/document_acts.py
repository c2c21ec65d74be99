"""`insigne document confirm|retry|withdraw|review`: acts of a named person on documents, each audited."""

from collections.abc import Callable
from typing import Annotated

import typer

from insigne.access import Right
from insigne.app.base import Base, open_base
from insigne.app.clock import rfc3339_now
from insigne.app.intake import site_of
from insigne.app.logs import configure
from insigne.cli.acting import acting
from insigne.cli.common import Context, Exit, emit, emit_line, examples, fail
from insigne.cli.desk import As
from insigne.cli.document_sendings import shown
from insigne.cli.opening import PATIENCE, plainly
from insigne.cli.options import PLAIN
from insigne.dmp import acts
from insigne.dmp.acts import ActRefused
from insigne.dmp.model import Sending
from insigne.dmp.site import Site
from insigne.store.audit import AuditEntry
from insigne.store.transaction import UnitOfWork

app = typer.Typer(**PLAIN, help="Acts on documents sent to the DMP and to MSSanté.")
Sendings = Annotated[list[str], typer.Argument(metavar="SENDING…", help="Ids in the list (`insigne document list`).")]
Why = Annotated[str, typer.Option(metavar="TEXT", help="Why, for the audit trail.")]

#: An act: transaction, site, id of the sending, author → what it is then.
Act = Callable[[UnitOfWork, Site, str, str], Sending]


@app.command(
    epilog=examples(
        "insigne document confirm 01JMS7Q4 --as claire.dupont",
        "insigne document confirm 01JMS7Q4 --abandon --reason 'bonne personne, vérifié' --as claire.dupont",
    )
)
def confirm(
    ctx: typer.Context,
    sendings: Sendings,
    *,
    abandon: Annotated[bool, typer.Option("--abandon", help="Leave the documents where they are instead.")] = False,
    reason: Why = "",
    by: As = "",
) -> None:
    """Confirm deletions prepared because an INS was lost: the documents are then deleted under that INS."""
    if abandon and not reason:
        fail(Exit.USAGE, "--abandon: say why with --reason: the documents stay under an INS their patient lost")
    act, name = (
        (acts.abandon, "document-deletion-abandoned") if abandon else (acts.confirm, "document-deletion-confirmed")
    )
    _done(Context.of(ctx), sendings, act, name, by, reason)


@app.command(epilog=examples("insigne document retry 01JMS7Q4 01JMS7Q5 --as claire.dupont"))
def retry(ctx: typer.Context, sendings: Sendings, *, reason: Why = "", by: As = "") -> None:
    """Try again what was refused, or now what waits for its next try."""
    _done(Context.of(ctx), sendings, acts.retry, "document-retried", by, reason)


@app.command(epilog=examples("insigne document withdraw 01JMS7Q4 --reason 'document erroné' --as claire.dupont"))
def withdraw(ctx: typer.Context, sendings: Sendings, *, reason: Why = "", by: As = "") -> None:
    """Keep documents from leaving; those that arrived are deleted where they are."""
    if not reason:
        fail(Exit.USAGE, "--reason: say why the document is withdrawn")
    _done(Context.of(ctx), sendings, acts.withdraw, "document-withdrawn", by, reason)


@app.command(epilog=examples("insigne document review --as claire.dupont"))
def review(ctx: typer.Context, *, by: As = "") -> None:
    """Have every document that waits looked at again, after a setting changed (dmp.without_consent…)."""
    context = Context.of(ctx)
    with plainly():
        base = _opened(context)
        try:
            user = acting(context, base.store, by, Right.DOCUMENT_SEND)
            with base.store.begin() as transaction:
                now = rfc3339_now()
                transaction.ask_review_of_held(now)
                transaction.record(AuditEntry(user.author, "documents-reviewed", "document", now))
                transaction.commit()
            with base.store.read() as view:
                patients, _ = view.reviews_waiting()
        finally:
            base.close()
    if context.json:
        emit({"patients": patients})
    context.say(f"{patients} patients: their documents are being looked at again by the server")


def _opened(context: Context) -> Base:
    configure("error")
    return open_base(context.loaded, wait=PATIENCE)


def _done(context: Context, sendings: list[str], act: Act, name: str, by: str, reason: str) -> None:
    """Do an act on each, all or none."""
    with plainly():
        base = _opened(context)
        try:
            user = acting(context, base.store, by, Right.DOCUMENT_SEND)
            config = base.config
            site = site_of(config, base.policy, base.registrar, rfc3339_now, base.new_id, base.bell)
            with base.store.begin() as transaction:
                results: list[Sending] = []
                for sending_id in dict.fromkeys(sendings):
                    done = act(transaction, site, sending_id, user.author)
                    told = {"state": done.state, "channel": done.channel, "reason": reason}
                    transaction.record(AuditEntry(user.author, name, f"document:{sending_id}", rfc3339_now(), told))
                    results.append(done)
                documents = transaction.documents_of({one.document for one in results})
                transaction.commit()
        except ActRefused as refused:
            fail(Exit.PROBLEMS, refused.text)
        finally:
            base.close()
    for one in results:
        line = shown(documents[one.document], one)
        if context.json:
            emit_line(line)
        context.say(f"{one.id}: {one.channel} {one.action}, {one.state}: {line['why']}")
