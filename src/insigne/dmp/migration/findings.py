"""What is found of a site, and what the table of solutions lets one say of a component. Pure."""

from enum import StrEnum
from typing import Final

from msgspec import Struct

from insigne.dmp.migration.inventory import Component
from insigne.dmp.migration.solutions import API_LABELS_FR, Match, Verdict

SITE: Final = ""
"""The subject of a finding about the whole site."""


class Level(StrEnum):
    """What a finding asks for: nothing, work, or an answer."""

    DONE = "done"
    TODO = "todo"
    ASK = "ask"


class Finding(Struct, frozen=True):
    """Something found about a component (or the site, ""). `code` with `subject` names it from one day to another."""

    step: int
    code: str
    subject: str
    level: Level
    text: str
    text_fr: str

    @property
    def key(self) -> str:
        """What it is called in a plan."""
        return f"{self.code}|{self.subject}"


def version_told(component: Component, found: Match) -> tuple[Level, str, str]:
    """What a component's name and version ask for, said in English and in French."""
    named = f"{component.name} {component.version}".strip()
    known = f"{found.solution} {', '.join(found.known)}"
    match found.verdict:
        case Verdict.READY:
            level = Level.DONE if found.sure else Level.ASK
            told = "ready for the qualified INS", "prêt pour l’INS qualifié"
        case Verdict.BEHIND:
            level = Level.TODO
            told = (
                f"older than the version ready for the qualified INS ({known})",
                f"antérieur à la version prête pour l’INS qualifié ({known})",
            )
        case Verdict.V1 | Verdict.V2_NIR:
            level = Level.TODO
            label = API_LABELS_FR[found.verdict.value]
            told = (
                f"to migrate, {found.verdict.value} in the table ({known})",
                f"à migrer, {label} selon la table ({known})",
            )
        case Verdict.BEYOND:
            level = Level.ASK
            told = (
                f"newer than what the table knows ({known}): ask its vendor",
                f"plus récent que ce que connaît la table ({known}) : à demander à l’éditeur",
            )
        case Verdict.NO_VERSION:
            level = Level.ASK
            told = (
                f"its version is not in the inventory ({known} in the table)",
                f"version absente de l’inventaire ({known} dans la table)",
            )
        case Verdict.UNKNOWN:
            level = Level.ASK
            near = ", ".join(found.nearest)
            near, near_fr = (f" (near: {near})", f" (nom proche : {near})") if near else ("", "")
            told = (
                f"unknown solution{near}: ask its vendor for the version that takes the qualified INS",
                f"solution inconnue{near_fr} : demander à l’éditeur la version compatible avec l’INS qualifié",
            )
    doubt = "" if found.sure else f" (taken for {found.solution}: to be confirmed)"
    doubt_fr = "" if found.sure else f" (reconnu comme {found.solution} : à confirmer)"
    return level, f"{named}: {told[0]}{doubt}", f"{named} : {told[1]}{doubt_fr}"
