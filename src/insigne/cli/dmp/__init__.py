"""`insigne dmp`: the dossier médical partagé, simulated."""

from typing import Final

from insigne.cli.common import examples, group_app

MEMBERS: Final = {"simulator": ("insigne.cli.dmp.simulator", "Run a simulated DMP.")}
"""Member → (its module, its line in `insigne dmp --help`)."""

app = group_app(
    "Simulate the DMP.",
    examples("insigne dmp simulator --ready-file dmp.json"),
    MEMBERS,
)
