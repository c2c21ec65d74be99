"""A plan as a page people read, in French. Pure."""

from collections.abc import Iterator
from datetime import date, datetime

from insigne.dmp.migration.findings import Level
from insigne.dmp.migration.inventory import SHARING_LABELS_FR
from insigne.dmp.migration.measures import Measures
from insigne.dmp.migration.pages import Block, Bullets, Grid, Heading, Paragraph
from insigne.dmp.migration.plan import Plan
from insigne.dmp.migration.solutions import API_LABELS_FR
from insigne.dmp.migration.steps import BY_CODE, STEPS

_LEVELS_FR = {Level.DONE: "fait", Level.TODO: "à faire", Level.ASK: "à préciser"}
_ROUTES_FR = {"former": "ancienne route", "new": "nouvelle route"}


def plan_title(plan: Plan) -> str:
    """The title of the page."""
    return f"Plan de migration vers l’API V2 du DMP avec INS qualifié : {plan.assessment.site}"


def plan_page(plan: Plan) -> Iterator[Block]:
    """The plan, from where the site stands to what may go wrong."""
    site = plan.assessment
    yield Heading(1, plan_title(plan))
    yield Paragraph(
        f"Établi le {_moment(plan.made)}{f', FINESS {site.finess}' if site.finess else ''}. "
        f"Du {_day(plan.start)} au {_day(plan.end)}. Partage des rôles : {SHARING_LABELS_FR[site.sharing]}. "
        f"Alimentation actuelle : {API_LABELS_FR[site.api]}."
    )
    yield Heading(2, "Où en est l’établissement")
    yield Grid(
        ("Étape", "Objet", "État"), tuple((str(one.number), one.title_fr, _LEVELS_FR[one.level]) for one in site.steps)
    )
    yield from _findings(plan)
    if site.measures is not None:
        yield from _measures(site.measures)
    if site.questions:
        yield Heading(2, "Questions restées sans réponse")
        yield Bullets(tuple(f"{BY_CODE[code].text_fr} ({code})" for code in site.questions))
    yield Heading(2, "Calendrier")
    yield Grid(
        ("N°", "Action", "Responsable", "Début", "Fin", "Après"),
        tuple(
            (one.id, one.title_fr, one.owner, _day(one.start), _day(one.end), ", ".join(one.after))
            for one in plan.actions
        ),
    )
    yield from _continuity(plan)
    yield from _risks(plan)


def _findings(plan: Plan) -> Iterator[Block]:
    for step in STEPS:
        found = [one for one in plan.assessment.findings if one.step == step.number]
        if found:
            yield Heading(3, f"Étape {step.number} : {step.title_fr}")
            yield Bullets(tuple(f"{_LEVELS_FR[one.level]} : {one.text_fr}" for one in found))


def _measures(measures: Measures) -> Iterator[Block]:
    share = "" if measures.share is None else f" ({100 * measures.share:.1f} %)"
    yield Heading(2, "Mesures de la base")
    yield Paragraph(f"Prises le {_moment(measures.taken)}.")
    yield Bullets(
        (
            f"patients actifs qualifiés : {measures.qualified} sur {measures.active}{share}",
            f"patients dont des documents attendent l’identité : {measures.patients_waiting}",
            f"documents alimentés en 30 jours avec l’INS qualifié : {measures.fed.get('qualified', 0)}",
            *(f"{one.documents} documents : {one.text_fr}" for one in measures.blocked),
            *(f"{one.name} : {one.with_ins} messages avec INS sur {one.messages}" for one in measures.told),
            *(
                f"{one.sending}, {one.type_code} : {one.with_symbol} Datamatrix sur {one.documents} documents"
                for one in measures.templates
            ),
        )
    )


def _continuity(plan: Plan) -> Iterator[Block]:
    yield Heading(2, "Continuité : aucun jour sans alimentation")
    yield Grid(
        ("Route", "Du", "Au", "Ce qu’elle alimente"),
        tuple(
            (_ROUTES_FR[one.name], _day(one.start), "ensuite" if one.end is None else _day(one.end), one.text_fr)
            for one in plan.routes
        ),
    )
    if plan.without_feeding:
        yield Paragraph(f"Exception : {plan.without_feeding}.")
    else:
        yield Paragraph(
            "Chaque jour du plan a au moins une route ouverte. Les documents d’un patient dont l’identité n’est pas "
            "qualifiée sont retenus, puis partent d’eux-mêmes à la qualification : aucun n’est perdu."
        )


def _risks(plan: Plan) -> Iterator[Block]:
    risks = dict.fromkeys(one.risk for one in plan.actions if one.risk is not None)
    yield Heading(2, "Risques et parades")
    yield Grid(
        ("Actions", "Risque", "Parade"),
        tuple(
            (", ".join(one.id for one in plan.actions if one.risk == risk), risk.text_fr, risk.answer_fr)
            for risk in risks
        ),
    )


def _day(day: date) -> str:
    return f"{day:%d/%m/%Y}"


def _moment(text: str) -> str:
    return f"{datetime.fromisoformat(text).astimezone():%d/%m/%Y à %H:%M}"
