"""Where a site stands on the five steps: its inventory against the known solutions, its base as measured, its answers.

Pure. What can be measured is measured, and an answer never hides a measure: where both exist and differ, it is said.
What can be neither measured nor found in the answers is asked.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from msgspec import Struct

from insigne.dmp.migration.findings import SITE, Finding, Level, version_told
from insigne.dmp.migration.inventory import ROLE_LABELS_FR, SHARING_LABELS_FR, Answer, Inventory, Sharing
from insigne.dmp.migration.measures import Measures
from insigne.dmp.migration.solutions import API_LABELS_FR, Solution, Verdict, match
from insigne.dmp.migration.steps import BY_CODE, QUESTIONS, STEPS
from insigne.dmp.settings_report import MigrationSettings


class StepState(Struct, frozen=True):
    """A step: done, todo when something is to be done, ask when only answers are missing."""

    number: int
    title: str
    title_fr: str
    level: Level


class Assessment(Struct, frozen=True):
    """Where a site stands. `api` is how the DMP is fed today, "" when nobody knows; `questions` wait for an answer."""

    site: str
    finess: str
    sharing: Sharing
    api: str
    steps: tuple[StepState, ...]
    findings: tuple[Finding, ...]
    questions: tuple[str, ...]
    measures: Measures | None


class _Case:
    """What an assessment is made of."""

    def __init__(
        self,
        inventory: Inventory,
        table: Sequence[Solution],
        measures: Measures | None,
        answers: Mapping[str, Answer],
        settings: MigrationSettings,
    ) -> None:
        self.inventory = inventory
        self.measures = measures
        self.answers = answers
        self.settings = settings
        self.matches = {one.name: match(one.name, one.version, table) for one in inventory.components}


def assess(
    inventory: Inventory,
    table: Sequence[Solution],
    measures: Measures | None,
    answers: Mapping[str, Answer],
    settings: MigrationSettings,
) -> Assessment:
    """Assess a site; `measures` is None when there is no base to measure."""
    case = _Case(inventory, table, measures, answers, settings)
    findings = tuple(finding for rule in _RULES for finding in rule(case))
    asked = {"all-versions" if one.code == "version" else one.code for one in findings if one.level is Level.ASK}
    return Assessment(
        site=inventory.site,
        finess=inventory.finess,
        sharing=inventory.shared,
        api=_api(case),
        steps=tuple(StepState(*step, level=_level(step.number, findings)) for step in STEPS),
        findings=findings,
        questions=tuple(one.code for one in QUESTIONS if one.code in asked),
        measures=measures,
    )


def _level(step: int, findings: Sequence[Finding]) -> Level:
    levels = {one.level for one in findings if one.step == step}
    return next((level for level in (Level.TODO, Level.ASK) if level in levels), Level.DONE)


# --- rules: each yields findings of one question


def _sharing(case: _Case) -> Iterator[Finding]:
    inventory = case.inventory
    for role in ("ri", "dpi", "pfi"):
        held = inventory.holding(role)
        label = ROLE_LABELS_FR[role]
        if not held:
            yield Finding(
                1, f"role-{role}", SITE, Level.ASK, f"no component holds the role {role}: name it in the inventory",
                f"aucun composant ne tient le rôle « {label} » : nommez-le dans l’inventaire",
            )  # fmt: skip
        elif len(held) > 1:
            names = ", ".join(one.name for one in held)
            yield Finding(
                1, f"role-{role}", SITE, Level.ASK, f"the role {role} is held by {names}: say which one for what",
                f"le rôle « {label} » est tenu par {names} : précisez lequel, pour quoi",
            )  # fmt: skip
    declared, found = inventory.sharing, inventory.shared
    if declared is not None and declared != found:
        yield Finding(
            1, "sharing", SITE, Level.ASK, f"the sharing declared ({declared}) is not that of the components ({found})",
            f"le partage déclaré ({SHARING_LABELS_FR[declared]}) n’est pas celui des composants "
            f"({SHARING_LABELS_FR[found]})",
        )  # fmt: skip


def _versions(case: _Case) -> Iterator[Finding]:
    """Each component against the table, those that only produce documents at the last step."""
    for one in case.inventory.components:
        level, text, text_fr = version_told(one, case.matches[one.name])
        if "pfi" in one.roles:
            code, question, step = "pfi-version", "pfi-version", 2
        else:
            code, question, step = "version", "all-versions", 5 if set(one.roles) == {"producer"} else 1
        if level is Level.ASK:
            level = _LEVELS.get(case.answers.get(question, _UNKNOWN).answer, Level.ASK)
        yield Finding(step, code, one.name, level, text, text_fr)


def _ri_qualifies(case: _Case) -> Iterator[Finding]:
    measures = case.measures
    if measures is not None and measures.qualified:
        yield _measured(
            "ri-qualifies", Level.DONE, f"{measures.qualified} active identities are qualified here",
            f"{measures.qualified} identités actives sont qualifiées ici",
        )  # fmt: skip
    else:
        yield from _answered(case, "ri-qualifies")


def _organisation(case: _Case) -> Iterator[Finding]:
    share = case.measures.share if case.measures is not None else None
    if case.measures is None or share is None:
        yield from _answered(case, "organisation")
        return
    wanted = case.settings.qualified_share
    level = Level.DONE if share >= wanted else Level.TODO
    part = f"{case.measures.qualified} / {case.measures.active}, {100 * share:.1f} %"
    yield _measured(
        "organisation", level, f"active patients qualified: {part}, {100 * wanted:.0f} % wanted",
        f"patients actifs qualifiés : {part}, seuil {100 * wanted:.0f} %",
    )  # fmt: skip
    given = case.answers.get("organisation")
    if given is not None and given.answer == "yes" and level is Level.TODO:
        yield Finding(
            1, "organisation-differs", SITE, Level.ASK, "the answer says operational, the measure does not",
            "la réponse dit la qualification opérationnelle, la mesure non",
        )  # fmt: skip
    if case.measures.patients_waiting:
        count = case.measures.patients_waiting
        yield Finding(
            1, "patients-waiting", SITE, Level.TODO, f"{count} patients have documents that wait for their identity",
            f"{count} patients ont des documents en attente de leur identité",
        )  # fmt: skip


def _feeding_api(case: _Case) -> Iterator[Finding]:
    api = _api(case)
    label = API_LABELS_FR[api]
    match api:
        case "":
            yield from _answered(case, "pfi-api")
        case "v2-qualified":
            yield _measured("pfi-api", Level.DONE, "the DMP is fed by API V2, qualified INS", f"DMP alimenté : {label}")
        case "none":
            yield _measured("pfi-api", Level.TODO, "the DMP is not fed today", "le DMP n’est pas alimenté aujourd’hui")
        case _:
            yield _measured(
                "pfi-api", Level.TODO, f"the DMP is fed by {api} today", f"DMP alimenté aujourd’hui : {label}"
            )


def _receive_ins(case: _Case) -> Iterator[Finding]:
    yield from _ins_flows(case, "receive-ins", "accepts messages that hold an INS", "accepte des messages avec INS")


def _transmits_ins(case: _Case) -> Iterator[Finding]:
    yield from _ins_flows(case, "transmits-ins", "is sent the INS", "reçoit l’INS")


def _ins_flows(case: _Case, code: str, done: str, done_fr: str) -> Iterator[Finding]:
    """DPI and PFI one by one: what this base sends them, else the answer for all."""
    told = {one.name: one for one in case.measures.told} if case.measures is not None else {}
    step = BY_CODE[code].step
    unmeasured = False
    for one in case.inventory.components:
        if not set(one.roles) & {"dpi", "pfi"} or {"ri"} & set(one.roles):
            continue  # who holds the RI too needs no flow
        found = told.get(one.destination) if one.destination else None
        if found is None or not found.messages:
            unmeasured = True
            continue
        part = f"{found.with_ins} / {found.messages}"
        if found.with_ins:
            yield Finding(
                step, code, one.name, Level.DONE, f"{one.name} {done} ({part} of the last)",
                f"{one.name} {done_fr} ({part} des derniers)",
            )  # fmt: skip
        else:
            yield Finding(
                step, code, one.name, Level.TODO, f"{one.name}: no INS in the last messages it accepted ({part})",
                f"{one.name} : pas d’INS dans les derniers messages acceptés ({part})",
            )  # fmt: skip
    if unmeasured:
        yield from _answered(case, code)


def _templates(case: _Case) -> Iterator[Finding]:
    templates = case.measures.templates if case.measures is not None else ()
    if not templates:
        yield from _answered(case, "templates")
    for one in templates:
        part = f"{one.with_symbol} / {one.documents}"
        level = Level.DONE if one.with_symbol == one.documents else Level.TODO
        yield Finding(
            3, "templates", f"{one.sending} {one.type_code}", level, f"Data Matrix found in {part} of the documents",
            f"Datamatrix trouvé dans {part} des documents {one.type_code} de {one.sending}",
        )  # fmt: skip


def _blocked(case: _Case) -> Iterator[Finding]:
    for one in case.measures.blocked if case.measures is not None else ():
        yield Finding(
            5, "blocked", one.reason or one.state, Level.TODO, f"{one.documents} documents: {one.reason or one.state}",
            f"{one.documents} documents : {one.text_fr}",
        )  # fmt: skip


def _fed(case: _Case) -> Iterator[Finding]:
    if case.measures is not None and case.measures.fed:
        qualified, total = case.measures.fed.get("qualified", 0), sum(case.measures.fed.values())
        yield Finding(
            5, "fed", SITE, Level.DONE if qualified else Level.TODO,
            f"{qualified} of {total} documents fed in 30 days bore a qualified INS",
            f"{qualified} documents alimentés sur {total} en 30 jours avec l’INS qualifié",
        )  # fmt: skip


def _certificates(case: _Case) -> Iterator[Finding]:
    yield from _answered(case, "certificates")


def _answered(case: _Case, code: str) -> Iterator[Finding]:
    """A question by its answer; asked when there is none, or when it says unknown."""
    question, given = BY_CODE[code], case.answers.get(code, _UNKNOWN)
    level = _LEVELS.get(given.answer, Level.ASK)
    said = {"yes": "oui", "no": "non", "partly": "en partie"}.get(given.answer, "sans réponse")
    note = f" ({given.note})" if given.note else ""
    answer = given.answer if level is not Level.ASK else "not answered"
    yield Finding(
        question.step, code, SITE, level, f"{question.text} {answer}{note}", f"{question.text_fr} {said}{note}"
    )


def _measured(code: str, level: Level, text: str, text_fr: str) -> Finding:
    return Finding(BY_CODE[code].step, code, SITE, level, text, text_fr)


def _api(case: _Case) -> str:
    """How the DMP is fed today: as the inventory says, else as the table says of the PFI; the oldest of several."""
    said: set[str] = {one.api for one in case.inventory.components if one.api}
    if not said:
        verdicts = (case.matches[one.name].verdict for one in case.inventory.holding("pfi"))
        said = {verdict.value for verdict in verdicts if verdict in (Verdict.V1, Verdict.V2_NIR, Verdict.READY)}
    return next((api for api in ("v1", "v2-nir", "v2-qualified", "none") if api in said), "")


_UNKNOWN: Final = Answer(answer="unknown")
_LEVELS: Final = {"yes": Level.DONE, "no": Level.TODO, "partly": Level.TODO}
_RULES: Final[tuple[Callable[[_Case], Iterator[Finding]], ...]] = (
    _sharing,
    _versions,
    _ri_qualifies,
    _organisation,
    _feeding_api,
    _receive_ins,
    _templates,
    _transmits_ins,
    _certificates,
    _blocked,
    _fed,
)
