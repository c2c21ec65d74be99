"""`insigne migrate`: from API V1 of the DMP to API V2 with the qualified INS."""

from typing import Final

from insigne.cli.common import examples, group_app

MEMBERS: Final = {
    "assess": ("insigne.cli.migrate.assess", "Say where a site stands on the five steps, and what is to be done."),
    "plan": ("insigne.cli.migrate.plan", "Write a dated plan, as Markdown, PDF and JSON."),
    "status": ("insigne.cli.migrate.plan", "Compare a plan with the base as it is now."),
    "queue": ("insigne.cli.migrate.queue", "List the patients to qualify, those whose documents wait first."),
    "import-legacy": ("insigne.cli.migrate.legacy", "Take INS-C and TD0.0 data in, as history only."),
    "legacy": ("insigne.cli.migrate.legacy", "List the identifiers of former times."),
}
"""Member → (its module, its line in `insigne migrate --help`)."""

app = group_app(
    "From API V1 of the DMP to API V2 with the qualified INS: assess, plan, follow.",
    examples(
        "insigne migrate assess inventaire.toml --answers reponses.toml",
        "insigne migrate plan inventaire.toml --start 2026-09-01 --out plan",
        "insigne migrate status plan/plan-migration-2026-09-01.json",
        "insigne migrate queue --limit 50",
    ),
    MEMBERS,
)
