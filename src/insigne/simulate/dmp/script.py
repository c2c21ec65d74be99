"""What may be wrong with the simulated DMP, how it is set, and its script; see `insigne.simulate.timeline`."""

from pathlib import Path
from typing import Annotated, Any, ClassVar, Final, Literal
from zlib import crc32

import msgspec
from msgspec import Meta

from insigne.simulate.insi.national import Mode
from insigne.simulate.timeline import Disturbance, Step, decode_toml, in_force, read_toml, steps_of

Transaction = Literal["TD0.2", "TD2.1", "TD3.1", "TD3.3c"]

_PAGE: Final = "docs/dmp-simulator.md"


class Effects(Disturbance, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What is wrong for a while. Everything default means a DMP in order."""

    selectors: ClassVar[frozenset[str]] = frozenset({"transaction", "matricule", "share"})

    error: str = ""
    """Answer this code of a registry (`XDSRegistryBusy`, `DMPClosed`…) and do nothing; to TD0.2, an AE."""
    fault: str = ""
    """Answer a SOAP fault with this code and do nothing."""
    unanswered: bool = False
    """Do what is asked, durably, and close the connection without an answer."""
    transaction: Transaction | Literal[""] = ""
    """Only for these calls."""
    matricule: str = ""
    """Only for calls about this patient: 13 or 15 characters."""
    share: Annotated[float, Meta(ge=0, le=1)] = 1.0
    """Only for this share of the patients; the same ones each time."""

    def concern(self, transaction: str, matricule: str) -> bool:
        """Tell whether a call is concerned."""
        return (
            self.transaction in ("", transaction)
            and (not self.matricule or matricule.startswith(self.matricule[:13]))
            and (self.share >= 1 or crc32(matricule[:13].encode()) % 10_000 < self.share * 10_000)
        )


ALL_WELL: Final = Effects()


class Patients(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Patients whose DMP is not as usual: open, linked to Mon espace santé, structure authorised.

    By matricule, of 13 or 15 characters.
    """

    none: frozenset[str] = frozenset()
    """They have no DMP."""
    closed: frozenset[str] = frozenset()
    """It is closed."""
    blocked: frozenset[str] = frozenset()
    """The patient blocked the structure: authorisation INTERDITE, nothing is taken."""
    unlinked: frozenset[str] = frozenset()
    """Not linked to Mon espace santé."""

    def has(self, group: frozenset[str], number: str) -> bool:
        """Tell whether a number of 13 characters is in a group."""
        return any(one[:13] == number for one in group)


class Site(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How the DMP is set; every value stands for something the public sources leave open."""

    vihf_versions: frozenset[str] = frozenset({"3.0", "4.0"})
    vihf_window_seconds: Annotated[float, Meta(gt=0)] = 300.0
    """How far IssueInstant may be from the server's hour."""
    sha1: bool = False
    """Whether SHA-1 is accepted in signatures, as in the published examples."""
    homologation: bool = False
    """Whether LPS_ID_HOMOLOGATION_DMP is demanded."""
    masked_and_invisible: bool = False
    """Whether a document may be masked to professionals and invisible to the patient at once."""
    type_codes: frozenset[str] = frozenset()
    """Types of document taken beyond those the simulator knows."""
    mtom_answers: bool = True
    """Whether a feeding is answered in a MIME package, as ITI-41 asks for."""


class Script(msgspec.Struct, frozen=True):
    """A script: how the DMP is set at the start, and the steps of its bad day."""

    mode: Mode | Literal[""] = ""
    site: Site = Site()
    patients: Patients = Patients()
    steps: tuple[Step[Effects], ...] = ()

    def effects(self, now: float, call: int, transaction: str, matricule: str) -> Effects:
        """Return the effects on a call of a kind about a patient ("" when there is none)."""
        return in_force(self.steps, ALL_WELL, now, call, lambda effects: effects.concern(transaction, matricule))


def read_script(path: Path) -> Script:
    """Read a script. Raises ScriptError naming the file, and OSError."""
    return read_toml(path, parse_script)


def parse_script(text: bytes) -> Script:
    """Read a script from TOML. Raises ScriptError."""
    document = decode_toml(text, _Document, _PAGE)
    return Script(document.mode, document.site, document.patients, steps_of(document.step, Effects, _PAGE))


class _Document(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    mode: Mode | Literal[""] = ""
    site: Site = Site()
    patients: Patients = Patients()
    step: tuple[dict[str, Any], ...] = ()
