"""What the messages of the DMP say, as values. Moments are aware; "" stands for what is not said."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import BinaryIO, Final, Generic, Literal, TypeVar

from insigne.insi.wire.model import WireError
from insigne.registry.values import Ins

__all__ = [
    "Answered",
    "Author",
    "Availability",
    "Coded",
    "Deletion",
    "DmpFault",
    "DocumentEntry",
    "Existence",
    "FaultKind",
    "Feeding",
    "Ins",
    "LotMetadata",
    "Origin",
    "Person",
    "Reference",
    "RegistryAnswer",
    "RegistryError",
    "Sourced",
    "Structure",
    "SubmissionSet",
    "VihfContext",
    "WireError",
]

T = TypeVar("T")

Origin = Literal["message", "cda", "registry", "configuration", "computed"]
"""Who says a field: the sender's message, the document's header, the registry of identities, a setting; or Insigne
itself, by measuring the document or numbering the lot.
"""
FaultKind = Literal["unreachable", "timeout", "tls", "refused", "malformed", "soap"]
"""No connection, or one cut; too slow; certificates; HTTP 4xx without SOAP, or a search that was refused; an answer
that cannot be read, or HTTP 5xx without SOAP; a SOAP fault.
"""
Availability = Literal["approved", "deprecated", "archived", "deleted", ""]
"""availabilityStatus, as a word; "" for one unknown."""
Answered = Literal["success", "partial", "failure"]

TERMINATED: Final = "terminated"
ACTIVE: Final = "active"


class DmpFault(Exception):  # noqa: N818 - the word of SOAP
    """A call that brought no answer of the service to the question asked. `code` may be "", `status` is HTTP's, or 0.

    `text` is the service's own wording, or ours; it may name an address. `sent` is False when nothing of the question
    left: otherwise the service may have done what was asked.
    """

    def __init__(self, kind: FaultKind, code: str = "", text: str = "", status: int = 0, *, sent: bool = True) -> None:
        super().__init__(": ".join(part for part in (kind, code, text) if part))
        self.kind, self.code, self.text, self.status, self.sent = kind, code, text, status, sent


@dataclass(frozen=True, slots=True)
class Sourced(Generic[T]):
    """A value with who says it. `where` is the place: `PRT-8`, `ClinicalDocument/title`, `dmp.service.sector`."""

    value: T
    origin: Origin
    where: str = ""


@dataclass(frozen=True, slots=True)
class Coded:
    """A code, its system (an OID, or a word such as URN), its label."""

    code: str
    system: str
    label: str = ""


@dataclass(frozen=True, slots=True)
class Person:
    """A professional (XCN): PS_IdNat (8 + RPPS…), names. For an automaton, the identifier and name of whoever answers
    for it.
    """

    id: str
    family: str
    given: str = ""


@dataclass(frozen=True, slots=True)
class Structure:
    """A structure (XON): Struct_IdNat (1 + FINESS, 3 + SIRET…), name."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Author:
    """An author: person, structure, role (a word of JDV_J47), specialty (`G15_10/SM26`)."""

    person: Person
    structure: Structure | None = None
    role: str = ""
    specialty: Coded | None = None


@dataclass(frozen=True, slots=True)
class SubmissionSet:
    """The lot: who sends, when, for whom, out of which activity. `patient_since` is CX-7, a date, optional."""

    unique_id: Sourced[str]
    source_id: Sourced[str]
    submitted: Sourced[datetime]
    author: Sourced[Author]
    content_type: Sourced[Coded]
    patient: Sourced[Ins]
    title: Sourced[str] | None = None
    comments: Sourced[str] | None = None


@dataclass(frozen=True, slots=True)
class DocumentEntry:
    """The document: what XDS says of it (CI-SIS « Partage de documents de santé », DMP variants).

    `confidentiality`: the CDA's code first, then those that mask. `source_patient_id` is a CX, `source_patient_info`
    the lines `PID-5|…`. `created`, `service_start` and `service_stop` are texts YYYY[MM[DD[hhmm[ss]]]], UTC once they
    have an hour. `hash` is the SHA-1 of its bytes, 40 lower-case hexadecimal characters, `size` their number.
    """

    unique_id: Sourced[str]
    patient: Sourced[Ins]
    authors: Sourced[tuple[Author, ...]]
    legal_authenticator: Sourced[Person]
    class_code: Sourced[Coded]
    type_code: Sourced[Coded]
    format_code: Sourced[Coded]
    confidentiality: tuple[Sourced[Coded], ...]
    facility_type: Sourced[Coded]
    practice_setting: Sourced[Coded]
    created: Sourced[str]
    service_start: Sourced[str]
    language: Sourced[str]
    mime: Sourced[str]
    title: Sourced[str]
    hash: Sourced[str]
    size: Sourced[int]
    source_patient_id: Sourced[str]
    source_patient_info: Sourced[tuple[str, ...]]
    service_stop: Sourced[str] | None = None
    comments: Sourced[str] | None = None
    event_codes: Sourced[tuple[Coded, ...]] | None = None
    reference_ids: Sourced[tuple[str, ...]] | None = None


@dataclass(frozen=True, slots=True)
class LotMetadata:
    """A lot of one document, with the entry of its signature. `replaces` is the entryUUID of the version replaced, ""
    for a first version.
    """

    submission: SubmissionSet
    entry: DocumentEntry
    signature_id: Sourced[str]
    replaces: str = ""


@dataclass(frozen=True, slots=True)
class VihfContext:
    """Who calls, for a VIHF: what is of a call and not of the configuration.

    `name_id` is the national identifier of the professional, or of who answers for the automaton; `name` their name,
    or the software's. `roles`: profession, then savoir-faire. `structure` is Struct_IdNat.
    """

    name_id: str
    name: str
    structure: str
    sector: Coded
    roles: tuple[Coded, ...]
    secret: bool = False


@dataclass(frozen=True, slots=True)
class Feeding:
    """A document to feed: its lot, its bytes (a file that can be sought, read from its start), who calls."""

    lot: LotMetadata = field(repr=False)
    document: BinaryIO = field(repr=False)
    vihf: VihfContext


@dataclass(frozen=True, slots=True)
class Deletion:
    """A logical deletion (TD3.3c) of the document that the registry knows by `entry_uuid`, now in `status`."""

    entry_uuid: str
    submission: SubmissionSet = field(repr=False)
    vihf: VihfContext
    status: Availability = "approved"


@dataclass(frozen=True, slots=True)
class Existence:
    """What TD0.2 answers. `code` is queryResponseCode (OK, NF…), `acknowledgement` AA, AE or AR.

    `status` is active or terminated; `authorisation` a word such as VALIDE. None is not said. `ins` are those the
    service knows the patient by; `details` the codes and texts of its acknowledgement.
    """

    code: str
    exists: bool
    status: str = ""
    authorisation: str = ""
    treating_doctor: bool | None = None
    internet_account: bool | None = None
    in_mes: bool | None = None
    ins: tuple[Ins, ...] = field(default=(), repr=False)
    acknowledgement: str = ""
    details: tuple[tuple[str, str], ...] = ()

    @property
    def answered(self) -> bool:
        """The question was answered, by a DMP or by none. Otherwise `details` say what went wrong."""
        return self.code in ("OK", "NF")

    @property
    def open(self) -> bool:
        """There is a DMP, and it is not closed."""
        return self.exists and self.status != TERMINATED

    @property
    def authorised(self) -> bool:
        """The structure has a valid authorisation. One that feeds as INDIRECTE does not need it to."""
        return self.authorisation == "VALIDE"


@dataclass(frozen=True, slots=True)
class RegistryError:
    """One error or warning of a registry: its code, the service's sentence, `Error` or `Warning`, the place."""

    code: str
    context: str = ""
    severity: str = "Error"
    location: str = ""

    @property
    def warning(self) -> bool:
        """It bars nothing."""
        return self.severity == "Warning"


@dataclass(frozen=True, slots=True)
class RegistryAnswer:
    """The RegistryResponse of ITI-41 and ITI-57."""

    status: Answered
    errors: tuple[RegistryError, ...] = ()

    @property
    def success(self) -> bool:
        """All was done; there may be warnings."""
        return self.status == "success"


@dataclass(frozen=True, slots=True)
class Reference:
    """What the registry knows of a document. entryUUID changes with every change of metadata, the others do not."""

    entry_uuid: str
    logical_id: str = ""
    unique_id: str = ""
    hash: str = ""
    size: int | None = None
    status: Availability = ""
    repository: str = ""
    ins: Ins | None = field(default=None, repr=False)
