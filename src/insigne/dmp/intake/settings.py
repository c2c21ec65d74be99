"""What the intake works with at one site."""

from dataclasses import dataclass

from insigne.dmp.settings_intake import IntakeSettings
from insigne.dmp.site import Site
from insigne.documents.cda.check import Checks


@dataclass(frozen=True, slots=True)
class Intake:
    """Rules of a site. `checks` compares no document with the registry: the intake does."""

    site: Site
    checks: Checks

    @property
    def settings(self) -> IntakeSettings:
        """The settings of the intake."""
        return self.site.settings.intake
