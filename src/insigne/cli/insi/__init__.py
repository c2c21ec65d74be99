"""`insigne insi`: the téléservice INSi. What calls it does not import the simulator, nor the other way about."""

from typing import Final

from insigne.cli.common import examples, group_app

MEMBERS: Final = {
    "search": ("insigne.cli.insi.search", "Ask INSi for an INS by traits."),
    "vitale": ("insigne.cli.insi.vitale", "Ask INSi for an INS by the data of a carte Vitale."),
    "queue": ("insigne.cli.insi.queue", "The questions to INSi: list them, ask again, give up."),
    "calls": ("insigne.cli.insi.calls", "The calls made to INSi: who, when, why, and what was answered."),
    "campaign": ("insigne.cli.insi.campaign", "Verify again the INS of many identities."),
    "simulator": ("insigne.cli.insi.simulator", "Run a simulated téléservice INSi."),
}
"""Member → (its module, its line in `insigne insi --help`)."""

app = group_app(
    "Call the téléservice INSi, or simulate it.",
    examples(
        "insigne insi search --name TCHITCHI --given OLA --given CATARINA --sex F --birth-date 1936-06-21",
        "insigne insi queue --state failed",
        "insigne insi simulator --ready-file insi.json",
    ),
    MEMBERS,
)
