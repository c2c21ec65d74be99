"""`insigne insi queue`: the questions to INSi that wait, are being asked, or ended."""

from collections.abc import Iterator
from typing import Annotated, Any, Final, get_args

import msgspec
import typer
from msgspec.structs import replace

from insigne.access import Right
from insigne.app.clock import rfc3339_now
from insigne.cli.common import Context, Exit, emit_line, examples, fail
from insigne.cli.desk import As, at_desk
from insigne.cli.identity import named
from insigne.cli.opening import reading
from insigne.cli.options import PLAIN
from insigne.cli.tables import print_table
from insigne.insi.jobs import Job, JobKind, JobState
from insigne.store.audit import AuditEntry
from insigne.store.insi import JobFilter
from insigne.store.queries import ReadView

app = typer.Typer(**PLAIN, help="The questions to INSi: list them, ask again, give up.")

_OPEN: Final = ("waiting", "calling")
_LISTED: Final = (
    "id",
    "state",
    "kind",
    "identity",
    "origin",
    "author",
    "created",
    "due",
    "attempts",
    "outcome",
    "error",
)
Jobs = Annotated[list[str], typer.Argument(metavar="JOB…", help="Ids in the list.")]


@app.callback(
    invoke_without_command=True,
    epilog=examples(
        "insigne insi queue",
        "insigne insi queue --state failed --json",
        "insigne insi queue retry 01JMS7Q4 --as claire.dupont",
    ),
)
def queue(
    ctx: typer.Context,
    *,
    state: Annotated[
        str, typer.Option(help=f"{', '.join(get_args(JobState))}, all; by default what has not ended.")
    ] = "",
    kind: Annotated[str, typer.Option(help=f"Only this kind: {', '.join(get_args(JobKind))}.")] = "",
    identity: Annotated[str, typer.Option(metavar="ID", help="Only about this identity.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="Most questions to list.")] = 1000,
) -> None:
    """List the questions to INSi, newest first. With --json, one a line."""
    if ctx.invoked_subcommand is not None:
        return
    context = Context.of(ctx)
    if state and state not in (*get_args(JobState), "all"):
        fail(Exit.USAGE, f"--state: {state!r} is none of {', '.join(get_args(JobState))}, all")
    if kind and kind not in get_args(JobKind):
        fail(Exit.USAGE, f"--kind: {kind!r} is none of {', '.join(get_args(JobKind))}")
    with reading(context) as view:
        subject = named(context, view, identity, view.identity).id if identity else ""
        wanted = JobFilter(kind=kind, identity=subject)
        documents = [_document(job) for job in _matching(view, wanted, state, limit)]
    _show(context, documents)


@app.command(epilog=examples("insigne insi queue retry 01JMS7Q4 --as claire.dupont"))
def retry(ctx: typer.Context, jobs: Jobs, *, user: As = "") -> None:
    """Ask again, as soon as the server works on the queue, without waiting for the delay of a retry."""
    _change(ctx, jobs, user, "insi-job-retried", _asked_again)


@app.command(epilog=examples("insigne insi queue cancel 01JMS7Q4 --as claire.dupont"))
def cancel(ctx: typer.Context, jobs: Jobs, *, user: As = "") -> None:
    """Give up questions that wait."""
    _change(ctx, jobs, user, "insi-job-cancelled", _given_up)


def _change(ctx: typer.Context, jobs: list[str], user: str, act: str, change: Any) -> None:
    context = Context.of(ctx)
    documents = []
    with at_desk(context, user, Right.INSI_CALL) as desk, desk.base.store.begin() as transaction:
        for job_id in jobs:
            job = transaction.job(job_id)
            if job is None:
                fail(Exit.PROBLEMS, f"{job_id}: no such question; `insigne insi queue` shows the ids")
            other = transaction.open_job(job.identity, job.kind)
            changed = change(job, other)
            transaction.put_job(changed)
            transaction.record(AuditEntry(desk.user.author, act, job.id, rfc3339_now(), {"identity": job.identity}))
            documents.append(_document(changed))
        transaction.commit()
    _show(context, documents)


def _asked_again(job: Job, other: Job | None) -> Job:
    if job.state not in ("waiting", "failed", "cancelled"):
        fail(Exit.PROBLEMS, f"{job.id}: {job.state}: only what waits, failed or was given up is asked again")
    if other is not None and other.id != job.id:
        fail(Exit.PROBLEMS, f"{job.id}: the same is being asked already: {other.id}")
    return replace(job, state="waiting", due=rfc3339_now(), attempts=0, outcome="", error="")


def _given_up(job: Job, _: Job | None) -> Job:
    if job.state != "waiting":
        fail(Exit.PROBLEMS, f"{job.id}: {job.state}: only what waits is given up")
    return replace(job, state="cancelled", outcome="given-up")


def _matching(view: ReadView, wanted: JobFilter, state: str, limit: int) -> Iterator[Job]:
    if state:
        yield from view.jobs(replace(wanted, state="" if state == "all" else state), limit=limit)
        return
    found = [job for one in _OPEN for job in view.jobs(replace(wanted, state=one), limit=limit)]
    yield from sorted(found, key=lambda job: job.id, reverse=True)[:limit]


def _show(context: Context, documents: list[dict[str, Any]]) -> None:
    if context.json:
        for document in documents:
            emit_line(document)
        return
    titles = ("id", "state", "kind", "identity", "attempts", "due", "outcome", "error")
    print_table(titles, ([str(one[title]) for title in titles] for one in documents), none="nothing to ask INSi")


def _document(job: Job) -> dict[str, Any]:
    told = msgspec.structs.asdict(job)
    return {name: told[name] for name in _LISTED}
