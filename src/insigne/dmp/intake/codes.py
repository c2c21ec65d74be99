"""Why a document is refused: the application codes of table 0533, and the errors of a message."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final, Literal

from msgspec import Struct

from insigne.hl7 import AckError, Location

TABLE: Final = "HL70533"
CODE_PLACE: Final = "207"
"""ERR-3 of an error that ERR-5 tells (table 0357: application error)."""


class Code(StrEnum):
    """Application codes of ERR-5 (table 0533, as the volet fills it)."""

    WRONG_VERSION = "900"
    WRONG_AUTHOR = "901"
    UNKNOWN_PATIENT = "902"
    NO_INS = "903"
    OTHER_INS = "904"
    INCOMPLETE_INS = "905"
    OTHER = "906"


TEXTS: Final[Mapping[Code, tuple[str, str]]] = MappingProxyType(
    {
        Code.WRONG_VERSION: ("Wrong version of the document", "Version du document incorrecte"),
        Code.WRONG_AUTHOR: ("Author not allowed", "Auteur non autorisé"),
        Code.UNKNOWN_PATIENT: ("Unknown patient identifier", "Identifiant patient inconnu"),
        Code.NO_INS: ("No INS in the document", "INS absent du document"),
        Code.OTHER_INS: ("INS or traits differ from the registry", "INS ou traits différents du référentiel"),
        Code.INCOMPLETE_INS: ("Incomplete INS: traits are missing", "INS incomplet : des traits manquent"),
        Code.OTHER: ("Document refused", "Document refusé"),
    }
)


class Fault(Struct, frozen=True):
    """One thing that is wrong. `text` and `text_fr` say rule and remedy and quote no patient.

    `condition` is ERR-3 (table 0357), `code` ERR-5 ("" for what is wrong with the message, not with the document).
    """

    text: str
    text_fr: str
    place: Location | None = None
    condition: str = CODE_PLACE
    code: Code | Literal[""] = ""
    rule: str = ""

    def error(self) -> AckError:
        """The ERR segment that says it."""
        shown = (TEXTS[self.code][1], TABLE) if self.code else ("", "")
        return AckError(self.condition, "E", self.place, self.text, str(self.code), *shown)


class IntakeRefused(Exception):  # noqa: N818 - a decision, not a failure
    """The document is refused, and nothing of it is kept but the message that brought it.

    `ack` is AE, or AR for a circumstance that may pass: the sender may send the same message again later.
    """

    def __init__(self, *faults: Fault, ack: Literal["AE", "AR"] = "AE") -> None:
        super().__init__("; ".join(fault.text for fault in faults))
        self.faults = faults
        self.ack = ack

    @property
    def code(self) -> str:
        """The first application code; 906 when what is wrong has none of its own."""
        return next((str(fault.code) for fault in self.faults if fault.code), str(Code.OTHER))

    @property
    def text_fr(self) -> str:
        """The same, in French."""
        return " ; ".join(fault.text_fr for fault in self.faults)


def refused(code: Code, text: str, text_fr: str, place: Location | None = None, rule: str = "") -> IntakeRefused:
    """A refusal by one application code. An unknown patient may become known: AR."""
    fault = Fault(text, text_fr, place, CODE_PLACE, code, rule)
    return IntakeRefused(fault, ack="AR" if code is Code.UNKNOWN_PATIENT else "AE")


def malformed(condition: str, place: Location, text: str, text_fr: str) -> IntakeRefused:
    """A refusal of the message itself: `condition` is of table 0357."""
    return IntakeRefused(Fault(text, text_fr, place, condition))
