"""Verification campaigns: a base is verified again at a pace, within the hours chosen, through the same queue."""

import math
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from insigne.insi.automation import AUTHOR
from insigne.insi.jobs import Campaign, Job, campaign_origin
from insigne.insi.ports import InsiStorage, InsiTransaction
from insigne.insi.settings import VerificationSettings

PERIODIC: Final = "revérification périodique"
"""Name of the campaigns that the server starts by itself."""
_TICK_SECONDS = 15.0


class CampaignPump:
    """Queues what running campaigns may, a little at a time, so that their pace holds and a stop is felt at once."""

    def __init__(self, storage: InsiStorage, *, new_id: Callable[[], str]) -> None:
        self._storage = storage
        self._new_id = new_id
        self._last: datetime | None = None

    def pump(self, now: datetime) -> int:
        """Queue the share of each running campaign for the time since the last call; how many jobs were queued."""
        if self._last is not None and (now - self._last).total_seconds() < _TICK_SECONDS:
            return 0
        self._last = now
        transaction = self._storage.begin()
        try:
            queued = 0
            for campaign in transaction.running_campaigns():
                if within_hours(campaign, now.astimezone().hour):
                    queued += self._feed(transaction, campaign, now)
            transaction.commit()
        finally:
            transaction.rollback()
        return queued

    def _feed(self, transaction: InsiTransaction, campaign: Campaign, now: datetime) -> int:
        share = max(1, round(campaign.per_minute * _TICK_SECONDS / 60))
        found = transaction.to_verify(campaign.cursor, campaign.older_than, share)
        time = moment(now)
        for identity in found:
            if transaction.open_job(identity, "verify") is None:
                origin = origin_of(campaign)
                transaction.put_job(Job(self._new_id(), "verify", identity, origin, campaign.author, time, due=time))
        ended = len(found) < share
        transaction.put_campaign(
            replace(
                campaign,
                cursor=found[-1] if found else campaign.cursor,
                queued=campaign.queued + len(found),
                state="done" if ended else "running",
            )
        )
        return len(found)


def periodic_campaign(
    transaction: InsiTransaction, settings: VerificationSettings, now: datetime, new_id: Callable[[], str]
) -> Campaign | None:
    """Start the verification of every INS not verified for `period_years`, spread over nights, when it is due.

    At most one every `periodic.days`, never beside one that still runs or that a person paused; one that a person
    cancelled counts. The caller commits. Returns the campaign started, None when there is nothing to start.
    """
    periodic = settings.periodic
    last = transaction.last_campaign(AUTHOR)
    since = moment(now - timedelta(days=periodic.days))
    if not periodic.enabled or (last is not None and (last.state in ("running", "paused") or last.created > since)):
        return None
    older_than = moment(verified_before(now, settings.period_years))
    total = transaction.count_to_verify(older_than)
    if not total:
        return None
    hours = (periodic.to_hour - periodic.from_hour) % 24 or 24
    per_minute = math.ceil(total / (periodic.nights * hours * 60))
    campaign = Campaign(
        new_id(),
        PERIODIC,
        AUTHOR,
        moment(now),
        older_than,
        per_minute,
        periodic.from_hour,
        periodic.to_hour,
        total=total,
    )
    transaction.put_campaign(campaign)
    return campaign


def verified_before(now: datetime, years: int) -> datetime:
    """The start of the day before which an INS was last verified for it to be verified again, so many years later."""
    today = now.astimezone()
    day = min(today.day, 28)
    return today.replace(year=today.year - years, day=day, hour=0, minute=0, second=0, microsecond=0)


def moment(time: datetime) -> str:
    """A time as the base writes times."""
    return time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class CampaignReport(Struct, frozen=True):
    """How far a campaign is: verdicts, those that could not be had, those given up, what remains to be asked."""

    ok: int
    ko: int
    failed: int
    dropped: int
    remaining: int
    finished: bool


def origin_of(campaign: Campaign) -> str:
    """The origin of the jobs of a campaign."""
    return campaign_origin(campaign.id)


def report_of(campaign: Campaign, ends: Mapping[tuple[str, str], int]) -> CampaignReport:
    """The report of a campaign, from the number of its jobs by (state, outcome)."""

    def count(*states: str, outcome: str = "") -> int:
        return sum(n for (state, end), n in ends.items() if state in states and outcome in ("", end))

    waiting = count("waiting", "calling")
    unqueued = max(0, campaign.total - campaign.queued) if campaign.state in ("running", "paused") else 0
    return CampaignReport(
        ok=count("done", outcome="OK"),
        ko=count("done", outcome="KO"),
        failed=count("failed"),
        dropped=count("cancelled"),
        remaining=unqueued + waiting,
        finished=campaign.state in ("done", "cancelled") and not waiting,
    )


def within_hours(campaign: Campaign, hour: int) -> bool:
    """Whether a campaign may work at this local hour; the same hour at both ends means any."""
    start, end = campaign.from_hour, campaign.to_hour
    if start == end:
        return True
    return start <= hour < end if start < end else hour >= start or hour < end
