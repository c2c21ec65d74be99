"""`insigne insi campaign`: verifying again the INS of many identities, at a pace, and following it."""

import re
import sys
import time
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Final, NoReturn

import msgspec
import typer
from msgspec.structs import replace

from insigne.access import Right
from insigne.app.base import Base, open_base
from insigne.app.clock import rfc3339_now
from insigne.app.insi import insi_service
from insigne.app.logs import configure
from insigne.cli.common import Context, Exit, emit, emit_line, examples, fail, group_app, note
from insigne.cli.desk import As, at_desk
from insigne.cli.opening import PATIENCE, plainly, reading
from insigne.cli.periods import day_of, midnight
from insigne.cli.reports import progress
from insigne.cli.tables import print_fields, print_table
from insigne.insi.campaigns import CampaignPump, origin_of, report_of, verified_before, within_hours
from insigne.insi.client import InsiUnusable
from insigne.insi.jobs import Campaign
from insigne.insi.service import InsiService
from insigne.net.tls import TlsError
from insigne.store.audit import AuditEntry
from insigne.store.insi import JobFilter
from insigne.store.queries import ReadView

app = group_app(
    "Verifying again the INS of many identities.",
    examples(
        "insigne insi campaign start --older-than 2023-01-01 --per-minute 30 --hours 1-6 --as claire.dupont",
        "insigne insi campaign list",
    ),
)

_HOURS: Final = re.compile(r"([01]?[0-9]|2[0-4])-([01]?[0-9]|2[0-4])")
_PAGE: Final = 10_000
_LOOK_SECONDS: Final = 1.0
_SHOWN: Final = (
    "name",
    "state",
    "total",
    "ok",
    "ko",
    "failed",
    "dropped",
    "remaining",
    "older_than",
    "per_minute",
    "hours",
)

CampaignId = Annotated[str, typer.Argument(metavar="CAMPAIGN", help="Id in the list.")]
Follow = Annotated[bool, typer.Option("--follow", help="Show how far it is until it ends.")]


@app.command(
    epilog=examples(
        "insigne insi campaign start --older-than 2023-01-01 --per-minute 30 --hours 1-6 --as claire.dupont",
        "insigne insi campaign start --as claire.dupont --follow",
    )
)
def start(
    ctx: typer.Context,
    *,
    name: Annotated[str, typer.Option(help="What it is for.")] = "",
    older_than: Annotated[
        str,
        typer.Option(
            metavar="DATE", help="Only INS neither obtained nor verified since; by default the period configured."
        ),
    ] = "",
    per_minute: Annotated[int, typer.Option(min=1, max=6000, help="Its pace.")] = 60,
    hours: Annotated[str, typer.Option(metavar="1-6", help="Local hours it keeps to; any by default.")] = "0-24",
    follow: Follow = False,
    user: As = "",
) -> None:
    """Start a campaign over the identities whose INS was not verified for long; the server works through it.

    `insi campaign run` does, in the foreground, when no server runs.
    """
    context = Context.of(ctx)
    _verifiable(context)
    from_hour, to_hour = _hours(hours)
    limit = _limit(context, older_than)
    with at_desk(context, user, Right.CAMPAIGN) as desk:
        with desk.base.store.read() as view:
            total = view.count_to_verify(limit)
        campaign = Campaign(
            desk.base.new_id(),
            name,
            desk.user.author,
            rfc3339_now(),
            limit,
            per_minute,
            from_hour,
            to_hour,
            total=total,
        )
        with desk.base.store.begin() as transaction:
            transaction.put_campaign(campaign)
            transaction.record(_audit(desk.user.author, "insi-campaign-started", campaign))
            transaction.commit()
    if follow:
        _follow(context, campaign.id)
    _print(context, campaign.id)


@app.command("list", epilog=examples("insigne insi campaign list --json"))
def list_(ctx: typer.Context) -> None:
    """List campaigns, newest first, with how far each is. With --json, one a line."""
    context = Context.of(ctx)
    with reading(context) as view:
        documents = [_document(view, campaign) for campaign in view.campaigns()]
    if context.json:
        for document in documents:
            emit_line(document)
        return
    rows = ([str(one[title]) for title in ("id", *_SHOWN[:8])] for one in documents)
    print_table(("id", *_SHOWN[:8]), rows, none="no campaign; start one with `insigne insi campaign start`")


@app.command(epilog=examples("insigne insi campaign show 01JMS7Q4", "insigne insi campaign show 01JMS7Q4 --follow"))
def show(ctx: typer.Context, campaign: CampaignId, *, follow: Follow = False) -> None:
    """Show how far a campaign is: verdicts, what failed, what remains."""
    context = Context.of(ctx)
    if follow:
        _follow(context, campaign)
    _print(context, campaign)


@app.command(epilog=examples("insigne insi campaign pause 01JMS7Q4 --as claire.dupont"))
def pause(ctx: typer.Context, campaign: CampaignId, *, user: As = "") -> None:
    """Queue nothing more of it for now; what was queued is asked."""
    _turn(ctx, campaign, user, "paused", ("running",))


@app.command(epilog=examples("insigne insi campaign resume 01JMS7Q4 --as claire.dupont"))
def resume(ctx: typer.Context, campaign: CampaignId, *, user: As = "") -> None:
    """Go on with a campaign that was paused, from where it was."""
    _turn(ctx, campaign, user, "running", ("paused",))


@app.command(epilog=examples("insigne insi campaign cancel 01JMS7Q4 --as claire.dupont"))
def cancel(ctx: typer.Context, campaign: CampaignId, *, user: As = "") -> None:
    """End a campaign; what was queued and not asked yet is given up."""
    _turn(ctx, campaign, user, "cancelled", ("running", "paused", "done"))


@app.command(epilog=examples("insigne insi campaign run 01JMS7Q4", "insigne insi campaign run 01JMS7Q4 --json"))
def run(ctx: typer.Context, campaign: CampaignId) -> None:
    """Work through the queue in the foreground until the campaign ends, is paused, or nothing can be asked now.

    Its pace and hours are kept. Exit status 0 when it ended, 3 when questions wait for the téléservice to answer again.
    It may run beside a server: what one asks, the other does not.
    """
    context = Context.of(ctx)
    _verifiable(context)
    configure("error")
    with plainly():
        base = open_base(context.loaded, wait=PATIENCE)
        try:
            with base.store.read() as view:
                _found(view, campaign)
            with closing(_service(base)) as service:
                _Run(base, service, campaign).go()
        finally:
            base.close()
    document = _print(context, campaign)
    if document["remaining"] and document["state"] != "paused":
        note("des vérifications restent en file : elles seront reprises quand INSi répondra")
        raise typer.Exit(Exit.UNREACHABLE)


@dataclass(frozen=True, slots=True)
class _Run:
    """A campaign worked through here."""

    base: Base
    service: InsiService
    campaign: str

    def go(self) -> None:
        """Feed the queue and work through it until nothing is left to do now."""
        pump = CampaignPump(self.base.store, new_id=self.base.new_id)
        waiting = False
        while True:
            pump.pump(datetime.now(UTC))
            while self.service.work():
                self._progress()
            with self.base.store.read() as view:
                campaign = _found(view, self.campaign)
                awaited = campaign.state != "paused" and _awaited(view, campaign)
            if campaign.state != "running" and not awaited:
                self._progress()
                return
            if not waiting and not awaited and not within_hours(campaign, datetime.now().astimezone().hour):
                waiting = True
                note(f"hors des heures de la campagne ({_hours_text(campaign)}) : elle attend")
            time.sleep(_LOOK_SECONDS)

    def _progress(self) -> None:
        with self.base.store.read() as view:
            _show_progress(_document(view, _found(view, self.campaign)))


def _awaited(view: ReadView, campaign: Campaign) -> bool:
    """Whether a batch of the campaign is being verified, its last collection not having failed."""
    jobs = view.jobs(JobFilter(state="waiting", origin=origin_of(campaign)), limit=_PAGE)
    return any(job.ticket and not job.error for job in jobs)


def _turn(ctx: typer.Context, campaign_id: str, user: str, state: Any, sources: tuple[str, ...]) -> None:
    """Bring a campaign from one of these states to another."""
    context = Context.of(ctx)
    with at_desk(context, user, Right.CAMPAIGN) as desk, desk.base.store.begin() as transaction:
        campaign = transaction.campaign(campaign_id)
        if campaign is None:
            _unknown(campaign_id)
        asked = transaction.waiting_jobs(origin_of(campaign))
        if campaign.state not in sources or (campaign.state == "done" and not asked):
            said = (
                "queued as a whole already, and being asked" if campaign.state == "done" and asked else campaign.state
            )
            fail(Exit.PROBLEMS, f"{campaign_id}: the campaign is {said}")
        campaign = replace(campaign, state=state)
        transaction.put_campaign(campaign)
        if state == "cancelled":
            for job_id in asked:
                job = transaction.job(job_id)
                if job is not None:
                    transaction.put_job(replace(job, state="cancelled", outcome="given-up"))
        transaction.record(_audit(desk.user.author, f"insi-campaign-{state}", campaign))
        transaction.commit()
    _print(context, campaign_id)


def _follow(context: Context, campaign_id: str) -> None:
    """Show how far it is until it ends or is paused."""
    while True:
        with reading(context) as view:
            document = _document(view, _found(view, campaign_id))
        _show_progress(document)
        if document["finished"] or document["state"] == "paused":
            return
        time.sleep(_LOOK_SECONDS)


def _show_progress(document: dict[str, Any]) -> None:
    if sys.stderr.isatty():
        total = max(document["total"], 1)
        progress(min(total - document["remaining"], total), total)


def _print(context: Context, campaign_id: str) -> dict[str, Any]:
    with reading(context) as view:
        document = _document(view, _found(view, campaign_id))
    if context.json:
        emit(document)
    else:
        print_fields((name, str(document[name])) for name in ("id", *_SHOWN))
    return document


def _document(view: ReadView, campaign: Campaign) -> dict[str, Any]:
    told = msgspec.structs.asdict(campaign)
    report = msgspec.structs.asdict(report_of(campaign, view.job_ends(origin_of(campaign))))
    fields = ("id", "name", "author", "created", "older_than", "per_minute", "state", "total", "queued")
    if campaign.state == "done" and not report["finished"]:
        told["state"] = "running"  # all is queued, not all is answered
    return {name: told[name] for name in fields} | {"hours": _hours_text(campaign)} | report


def _found(view: ReadView, campaign_id: str) -> Campaign:
    campaign = view.campaign(campaign_id)
    if campaign is None:
        _unknown(campaign_id)
    return campaign


def _unknown(campaign_id: str) -> NoReturn:
    fail(Exit.PROBLEMS, f"{campaign_id}: no such campaign; `insigne insi campaign list` shows the ids")


def _service(base: Base) -> InsiService:
    try:
        return insi_service(base, automatic=True)
    except (InsiUnusable, TlsError) as error:
        fail(Exit.USAGE, str(error))


def _verifiable(context: Context) -> None:
    if context.config.insi.verification.adapter == "none":
        fail(Exit.USAGE, "insi.verification.adapter is none: nothing can verify an INS")


def _limit(context: Context, text: str) -> str:
    """The moment before which an INS was last verified: a day here, or the configured period ago."""
    period = verified_before(datetime.now(UTC), context.config.insi.verification.period_years)
    return midnight(day_of(text, "--older-than", period.date()))


def _hours(text: str) -> tuple[int, int]:
    found = _HOURS.fullmatch(text)
    if found is None:
        fail(Exit.USAGE, f"--hours: {text!r} is not two hours of the day like 1-6")
    return int(found[1]) % 24, int(found[2]) % 24


def _hours_text(campaign: Campaign) -> str:
    return f"{campaign.from_hour}-{campaign.to_hour}" if campaign.from_hour != campaign.to_hour else "0-24"


def _audit(author: str, act: str, campaign: Campaign) -> AuditEntry:
    return AuditEntry(author, act, campaign.id, rfc3339_now(), {"older_than": campaign.older_than})
