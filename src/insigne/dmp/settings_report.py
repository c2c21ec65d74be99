"""Settings of the report on the DMP and of the migration to its API V2."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

TypeCode = Annotated[str, Meta(pattern="^[A-Za-z0-9_-]{1,40}$")]


class TargetSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A usage target in the form of SUN-ES: documents accepted with a qualified INS, to what could have given one.

    No public source gives the official formulas nor their thresholds: all of it is a setting.
    """

    code: Annotated[str, Meta(pattern="^[a-z0-9][a-z0-9-]{0,39}$")]
    """Its name in figures."""
    label: str = ""
    """What people read, in French."""
    type_codes: Annotated[tuple[TypeCode, ...], Meta(min_length=1)]
    """The types of document that count."""
    eligible: Literal["stays", "documents"] = "stays"
    """What could have given one: stays that ended in the period, or documents of these types received in it."""
    patient_classes: tuple[str, ...] = ("I",)
    """Classes of the stays that count (PV1-2)."""
    threshold: Annotated[float, Meta(gt=0, le=1)] | None = None
    """The share to reach; none: the figure is told without a verdict."""


_LETTER = TargetSettings(code="sortie", label="Lettre de liaison à la sortie", type_codes=("11490-0",))
_PRESCRIPTION = TargetSettings(code="ordonnance", label="Ordonnance de sortie", type_codes=("57833-6", "57832-8"))
_OPERATION = TargetSettings(
    code="operatoire", label="Compte rendu opératoire", type_codes=("34874-8",), eligible="documents"
)
_BIOLOGY = TargetSettings(
    code="biologie", label="Compte rendu de biologie", type_codes=("11502-2",), eligible="documents"
)
_IMAGING = TargetSettings(
    code="imagerie", label="Compte rendu d’imagerie", type_codes=("18748-4",), eligible="documents"
)


class IndicatorSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What `insigne report dmp` computes."""

    targets: tuple[TargetSettings, ...] = (_LETTER, _PRESCRIPTION, _OPERATION, _BIOLOGY, _IMAGING)
    """The usage targets."""
    establishments: dict[str, str] = {}
    """The establishment of a stay as documents name it: PL-4 of its location → geographic FINESS."""


class MigrationSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How a site is carried from API V1 of the DMP to API V2."""

    solutions_file: str = ""
    """TOML file of solutions that adds to, or replaces in, the table of those known."""
    active_days: Annotated[int, Meta(ge=1)] = 365
    """A patient is active who changed, or had a stay, in so many days."""
    sample: Annotated[int, Meta(ge=0, le=10_000)] = 50
    """Documents, the last received, in which the Data Matrix is looked for; and messages read for each destination."""
    qualified_share: Annotated[float, Meta(gt=0, le=1)] = 0.9
    """Share of active patients qualified from which qualification counts as operational in the establishment."""
    overlap_days: Annotated[int, Meta(ge=1, le=3650)] = 28
    """Days during which the former route stays open once the new one feeds."""
