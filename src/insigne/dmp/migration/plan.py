"""A dated plan from an assessment: who does what, when, after what, at which risk; and which route feeds on each day.

Pure. The former route stays open until the new one has fed for `overlap_days`: a plan that left a day without feeding
is not made.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Final, Literal, NamedTuple

import msgspec
from msgspec import Struct

from insigne.dmp.migration.assess import Assessment
from insigne.dmp.migration.calendar import Span, first_tuesday, first_working, last_of, uncovered
from insigne.dmp.migration.findings import Finding, Level
from insigne.dmp.migration.inventory import Answer, Inventory
from insigne.dmp.migration.tasks import ASKED, ORGANISATION, PROJECT, TASKS, Risk, Task

_DAY: Final = timedelta(days=1)


class PlanError(ValueError):
    """A plan that cannot be made or read."""


class Action(Struct, frozen=True):
    """Something to do, from `start` to `end` (both included, YYYY-MM-DD) by `owner`, once `after` is done.

    `findings` are the keys of what is done when it is; empty: only a person can tell.
    """

    id: str
    step: int
    title: str
    title_fr: str
    owner: str
    start: date
    end: date
    after: tuple[str, ...] = ()
    findings: tuple[str, ...] = ()
    risk: Risk | None = None


class Route(Struct, frozen=True):
    """A way to the DMP, and the days it feeds on; `end` None: from then on."""

    name: Literal["former", "new"]
    start: date
    end: date | None
    text_fr: str


class Plan(Struct, frozen=True):
    """The plan of a site, with what it was made from. `made` is RFC 3339 UTC."""

    made: str
    start: date
    end: date
    actions: tuple[Action, ...]
    routes: tuple[Route, ...]
    assessment: Assessment
    inventory: Inventory
    answers: dict[str, Answer] = {}
    without_feeding: str = ""
    """Why some days have no feeding; "" when each has one."""


def make_plan(
    assessment: Assessment,
    inventory: Inventory,
    answers: Mapping[str, Answer],
    start: date,
    made: str,
    overlap_days: int,
) -> Plan:
    """The plan of a site, from a day on. Raises PlanError if a day would be left without feeding."""
    schedule = _Schedule(inventory, first_working(start))
    groups: dict[tuple[tuple[Task, ...], str], list[Finding]] = {}
    for finding in _open(assessment):
        asked = ASKED.get(finding.code, ()) if finding.level is Level.ASK else ()
        groups.setdefault((asked or TASKS.get(finding.code, ()), finding.subject), []).append(finding)
    for (tasks, _), found in groups.items():
        for task in tasks:
            schedule.add(task, found)
    schedule.keep_going = any(finding.code in ("organisation", "patients-waiting") for finding in _open(assessment))
    routes = tuple(_switch(schedule, assessment.api, overlap_days))
    actions = tuple(sorted(schedule.actions, key=lambda one: (one.step, one.start, one.end)))
    end = max((one.end for one in actions), default=schedule.start)
    gaps = uncovered((Span(one.start, one.end) for one in routes), schedule.start, end)
    never_fed = assessment.api == "none"
    if gaps and not never_fed:
        raise PlanError(f"no route feeds the DMP from {gaps[0].start} to {gaps[0].end}")
    told = f"le DMP n’est pas alimenté aujourd’hui : il le sera à partir du {routes[-1].start:%d/%m/%Y}" if gaps else ""
    return Plan(made, schedule.start, end, _numbered(actions), routes, assessment, inventory, dict(answers), told)


def write_plan(plan: Plan) -> bytes:
    """The plan as JSON, to be compared with the base later."""
    return msgspec.json.format(msgspec.json.encode(plan), indent=1)


def read_plan(text: bytes) -> Plan:
    """Read a plan again. Raises PlanError."""
    try:
        return msgspec.json.decode(text, type=Plan)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise PlanError(f"not a plan of `insigne migrate plan`: {error}") from error


def _open(assessment: Assessment) -> Iterator[Finding]:
    return (one for one in assessment.findings if one.level is not Level.DONE)


class _Last(NamedTuple):
    """What was added: its identifier and when it ends."""

    id: str
    end: date


class _Schedule:
    """Actions, each as soon as what it waits for has ended. Those on one component follow each other."""

    def __init__(self, inventory: Inventory, start: date) -> None:
        self.start = start
        self.actions: list[Action] = []
        self.keep_going = False
        self._owners = {one.name: one.owner for one in inventory.components if one.owner}
        self._last: dict[str, _Last] = {}
        self._about: dict[str, dict[str, _Last]] = {}

    def add(
        self,
        task: Task,
        findings: Sequence[Finding] = (),
        *,
        after: Iterable[_Last] = (),
        day: date | None = None,
        keys: tuple[str, ...] = (),
    ) -> _Last:
        """Add a task about what was found, after what it waits for and what is on the same component.

        `day`: not before it. `keys`: findings that say it is done, when it is about none.
        """
        subject = findings[0].subject if findings else ""
        waits = [*after, *(one for code in task.waits for one in self._about.get(code, {}).values())]
        if subject in self._last:
            waits.append(self._last[subject])
        first = first_working(max([day or self.start, *(one.end + _DAY for one in waits)]))
        action = Action(
            id=f"#{len(self.actions)}",
            step=findings[0].step if findings else task.step,
            title=_titled(task.title, subject),
            title_fr=_titled(task.title_fr, subject),
            owner=self._owners.get(subject, task.owner),
            start=first,
            end=last_of(first, task.days),
            after=tuple(dict.fromkeys(one.id for one in waits)),
            findings=keys or (() if task.told else tuple(one.key for one in findings)),
            risk=task.risk,
        )
        self.actions.append(action)
        added = _Last(action.id, action.end)
        if subject:
            self._last[subject] = added
        for one in findings:
            self._about.setdefault(one.code, {})[one.subject] = added
        return added

    @property
    def everything(self) -> list[_Last]:
        """All that is planned so far, that nothing else waits for."""
        waited = {one for action in self.actions for one in action.after}
        return [_Last(one.id, one.end) for one in self.actions if one.id not in waited]


def _switch(schedule: _Schedule, api: str, overlap_days: int) -> Iterator[Route]:
    """The last step: the new route opened, the switch, the former one drained and closed. Yields the routes."""
    if api == "v2-qualified":
        schedule.add(PROJECT["follow"], after=schedule.everything)
        yield Route("new", schedule.start, None, "API V2 avec l’INS qualifié")
        return
    test = schedule.add(PROJECT["connect"], after=schedule.everything)
    pilot = schedule.add(PROJECT["pilot"], after=[test], keys=("fed|",))
    opened = next(one.start for one in schedule.actions if one.id == pilot.id)
    switch = schedule.add(PROJECT["switch"], after=[pilot], day=first_tuesday(pilot.end + _DAY), keys=("pfi-api|",))
    closing = switch.end + overlap_days * _DAY
    if api != "none":
        drain = schedule.add(PROJECT["drain"], after=[switch])
        close = schedule.add(PROJECT["close"], after=[switch, drain], day=closing)
        yield Route("former", schedule.start, close.end, "ancienne route : documents produits avant la bascule")
        schedule.add(PROJECT["follow"], after=[close])
    else:
        schedule.add(PROJECT["follow"], after=[switch])
    if schedule.keep_going:
        days = sum(1 for _ in _working_days(schedule.start, switch.end))
        schedule.add(ORGANISATION._replace(days=days))
    yield Route("new", opened, None, "API V2 avec l’INS qualifié : pilote, puis tous les documents")


def _titled(title: str, subject: str) -> str:
    """The title of a task about a subject, named in it or after it."""
    return title.replace("{subject}", subject) if "{subject}" in title or not subject else f"{title} ({subject})"


def _working_days(first: date, last: date) -> Iterator[date]:
    day = first_working(first)
    while day <= last:
        yield day
        day = first_working(day + _DAY)


def _numbered(actions: tuple[Action, ...]) -> tuple[Action, ...]:
    """Actions numbered in their step, in order of date: "2.1"."""
    numbers: dict[str, str] = {}
    counts: dict[int, int] = {}
    for one in actions:
        counts[one.step] = counts.get(one.step, 0) + 1
        numbers[one.id] = f"{one.step}.{counts[one.step]}"
    return tuple(
        msgspec.structs.replace(one, id=numbers[one.id], after=tuple(sorted(numbers[other] for other in one.after)))
        for one in actions
    )
