"""What a site says of itself: its components and who holds which role, and its answers to the questions. Pure."""

from enum import StrEnum
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta, Struct

Role = Literal["gam", "ri", "dpi", "pfi", "producer"]
ROLE_LABELS_FR: Final[dict[str, str]] = {
    "gam": "GAM",
    "ri": "référentiel d’identités",
    "dpi": "DPI",
    "pfi": "plateforme d’intermédiation",
    "producer": "producteur de documents",
}


class Sharing(StrEnum):
    """How the roles are shared: the three contexts met, and any other."""

    ONE_TOOL = "one-tool"
    PFI_IN_DPI = "pfi-in-dpi"
    PFI_APART = "pfi-apart"
    OTHER = "other"


SHARING_LABELS_FR: Final = {
    Sharing.ONE_TOOL: "un seul outil tient toutes les fonctions",
    Sharing.PFI_IN_DPI: "RI dans la GAM, DPI et PFI dans le DPI",
    Sharing.PFI_APART: "RI dans la GAM, DPI à part, PFI dans un EAI",
    Sharing.OTHER: "autre partage",
}

_Text = Annotated[str, Meta(max_length=200)]


class InventoryError(ValueError):
    """A file that cannot be used; the text names what is wrong."""


class Component(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A component of the site. `api` is how it feeds the DMP today, for the one that does ("none": it does not).

    `destination` is its name in the configuration of this Insigne, when it is told of identities from here; `sending`
    the "MSH-3|MSH-4" of the documents it sends. `owner` is who carries what is to be done to it.
    """

    name: Annotated[str, Meta(min_length=1, max_length=100)]
    version: _Text = ""
    roles: Annotated[tuple[Role, ...], Meta(min_length=1)]
    api: Literal["", "v1", "v2-nir", "v2-qualified", "none"] = ""
    destination: _Text = ""
    sending: _Text = ""
    owner: _Text = ""


class Inventory(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A site: its name, FINESS, how it says the roles are shared, its components."""

    site: Annotated[str, Meta(min_length=1, max_length=200)]
    finess: Annotated[str, Meta(pattern="^([0-9AB]{9})?$")] = ""
    sharing: Sharing | None = None
    components: Annotated[tuple[Component, ...], Meta(min_length=1)]

    def holding(self, role: str) -> list[Component]:
        """The components that hold a role."""
        return [one for one in self.components if role in one.roles]

    @property
    def shared(self) -> Sharing:
        """How the roles are shared, by what the components hold."""
        ri, dpi, pfi = ({one.name for one in self.holding(role)} for role in ("ri", "dpi", "pfi"))
        if not (len(ri) == len(dpi) == len(pfi) == 1):
            return Sharing.OTHER
        if ri == dpi == pfi:
            return Sharing.ONE_TOOL
        if ri in (dpi, pfi):
            return Sharing.OTHER
        return Sharing.PFI_IN_DPI if dpi == pfi else Sharing.PFI_APART


class Answer(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """An answer to a question, with a note of who said so."""

    answer: Literal["yes", "no", "partly", "unknown"]
    note: _Text = ""


class Answers(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A site's answers, by code of the question (`steps.QUESTIONS`)."""

    answers: dict[str, Answer] = {}


def read_inventory(text: bytes) -> Inventory:
    """Read an inventory. Raises InventoryError."""
    try:
        inventory = msgspec.toml.decode(text, type=Inventory)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InventoryError(f"{error}; see docs/migration.md for the keys") from error
    names = [one.name.casefold() for one in inventory.components]
    if twice := next((one.name for one in inventory.components if names.count(one.name.casefold()) > 1), ""):
        raise InventoryError(f"component {twice!r} is there twice: give it all its roles at once")
    return inventory


def read_answers(text: bytes, codes: frozenset[str]) -> dict[str, Answer]:
    """Read answers to the questions of these codes. Raises InventoryError."""
    try:
        answers = msgspec.toml.decode(text, type=Answers).answers
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InventoryError(f"{error}; see docs/migration.md for the keys") from error
    if unknown := sorted(answers.keys() - codes):
        raise InventoryError(f"answers.{unknown[0]}: no such question; questions are {', '.join(sorted(codes))}")
    return answers
