"""A plan against the base as it is now: what is done, what is late, what was gained. Pure."""

from datetime import date
from enum import StrEnum
from typing import Final

from msgspec import Struct

from insigne.dmp.migration.assess import Assessment
from insigne.dmp.migration.findings import Level
from insigne.dmp.migration.measures import Measures
from insigne.dmp.migration.plan import Action, Plan


class Progress(StrEnum):
    """How far an action is. `unmeasured`: under way or over by its dates, and only a person can tell."""

    DONE = "done"
    LATE = "late"
    RUNNING = "running"
    TO_COME = "to-come"
    UNMEASURED = "unmeasured"


PROGRESS_FR: Final = {
    Progress.DONE: "fait",
    Progress.LATE: "en retard",
    Progress.RUNNING: "en cours",
    Progress.TO_COME: "à venir",
    Progress.UNMEASURED: "à confirmer",
}


class ActionStatus(Struct, frozen=True):
    """An action of the plan today; `missing` are the findings that still stand."""

    id: str
    title: str
    title_fr: str
    owner: str
    end: date
    progress: Progress
    missing: tuple[str, ...]


class Change(Struct, frozen=True):
    """A figure when the plan was made and now; None: it was, or is, not measured."""

    code: str
    text_fr: str
    before: float | None
    now: float | None


_GONE: Final = frozenset({"role-ri", "role-dpi", "role-pfi", "sharing"})
_GONE_IF_MEASURED: Final = frozenset({"blocked", "patients-waiting"})
"""Findings that are settled when they are not found any more; of any other, that says nothing."""


def actions_now(plan: Plan, now: Assessment, today: date) -> list[ActionStatus]:
    """Each action of the plan, as the assessment of today lets one say."""
    found = {one.key: one for one in now.findings}
    statuses = []
    for one in plan.actions:
        missing = [found[key] for key in one.findings if key in found and found[key].level is not Level.DONE]
        unseen = [key for key in one.findings if key not in found and not _settled(key, now)]
        wanting = any(each.level is Level.TODO for each in missing)
        progress = _progress(one, today, done=not missing and not unseen, wanting=wanting)
        told = tuple(each.text_fr for each in missing)
        statuses.append(ActionStatus(one.id, one.title, one.title_fr, one.owner, one.end, progress, told))
    return statuses


def _settled(key: str, now: Assessment) -> bool:
    code = key.partition("|")[0]
    return code in _GONE or (code in _GONE_IF_MEASURED and now.measures is not None)


def _progress(action: Action, today: date, *, done: bool, wanting: bool) -> Progress:
    """`wanting`: something is found to be left to do; what nobody answered may be done."""
    if action.findings and done:
        return Progress.DONE
    if today < action.start:
        return Progress.TO_COME
    if today <= action.end:
        return Progress.RUNNING
    return Progress.LATE if wanting else Progress.UNMEASURED


def changes(plan: Plan, now: Assessment) -> list[Change]:
    """The figures that the plan is to move."""
    before, after = _figures(plan.assessment.measures), _figures(now.measures)
    return [Change(code, text_fr, before.get(code), after.get(code)) for code, text_fr in _FIGURES_FR.items()]


def _figures(measures: Measures | None) -> dict[str, float | None]:
    if measures is None:
        return {}
    return {
        "qualified-share": None if measures.share is None else round(measures.share, 4),
        "patients-waiting": measures.patients_waiting,
        "fed-qualified": measures.fed.get("qualified", 0),
        "blocked": sum(one.documents for one in measures.blocked),
    }


_FIGURES_FR: Final = {
    "qualified-share": "part des patients actifs qualifiés",
    "patients-waiting": "patients dont des documents attendent leur identité",
    "fed-qualified": "documents alimentés en 30 jours avec l’INS qualifié",
    "blocked": "documents retenus ou refusés",
}
