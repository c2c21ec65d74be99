"""Commands: what a message, a person or a service asks of the registry.

In an assertion, ``None`` means "says nothing" (leave as it is) and an empty text or list means "says: delete" (HL7
`""`).
"""

from insigne.registry.state import StayHeader
from insigne.registry.values import (
    Address,
    Identifier,
    Ins,
    LegalCareMode,
    Location,
    Practitioner,
    Telecom,
    Value,
    Ward,
)


class TraitsAssertion(Value, frozen=True):
    """What is said of the strict traits; see `values.Traits`."""

    birth_name: str | None = None
    first_given_name: str | None = None
    given_names: str | None = None
    birth_date: str | None = None
    sex: str | None = None
    birth_place: str | None = None


class DmpAssertion(Value, frozen=True):
    """What is said of the patient's DMP; see `values.Dmp`."""

    status: str | None = None
    status_date: str | None = None
    closed_date: str | None = None
    feeding: str | None = None
    feeding_date: str | None = None
    consulting: str | None = None
    consulting_date: str | None = None


class DetailsAssertion(Value, frozen=True):
    """What is said of the complementary traits; the fields are those of `values.Details`."""

    used_name: str | None = None
    used_given_name: str | None = None
    title: str | None = None
    other_names: tuple[tuple[str, str, str], ...] | None = None
    mother_name: str | None = None
    mother_identifiers: tuple[Identifier, ...] | None = None
    addresses: tuple[Address, ...] | None = None
    telecoms: tuple[Telecom, ...] | None = None
    language: str | None = None
    marital_status: str | None = None
    nationality: str | None = None
    birth_place_text: str | None = None
    birth_city: str | None = None
    birth_country: str | None = None
    multiple_birth: str | None = None
    birth_order: str | None = None
    death_date: str | None = None
    death_indicator: str | None = None
    unknown_identity: str | None = None
    lunar_birth_date: str | None = None
    gestation_weeks: str | None = None
    sms_consent: str | None = None
    living_arrangement: str | None = None
    protected: str | None = None
    occupation: str | None = None
    occupation_group: str | None = None
    birth_date_corrected: str | None = None
    collection_mode: str | None = None
    insi_date: str | None = None
    proof: str | None = None
    proof_expiry: str | None = None
    dmp: DmpAssertion | None = None
    legal_care_modes: tuple[tuple[str, LegalCareMode], ...] | None = None
    last_update: str | None = None
    last_update_facility: str | None = None


class Patient(Value, frozen=True):
    """What a message says of a person: identifiers other than the INS, the INS, reliability (PID-32) and traits.

    `ins_deleted` is the A47 form: `""` under the INS type.
    """

    identifiers: tuple[Identifier, ...] = ()
    ins: tuple[Ins, ...] = ()
    ins_deleted: bool = False
    reliability: tuple[str, ...] = ()
    traits: TraitsAssertion = TraitsAssertion()
    details: DetailsAssertion = DetailsAssertion()


class RecordPatient(Value, frozen=True, tag=True):
    """Create or update an identity (A28, A31, and the patient part of every ITI-31 event)."""

    patient: Patient


class ReplaceIdentifiers(Value, frozen=True, tag=True):
    """Replace identifiers or the INS of an identity (A47): each prior one by the one of same type and authority."""

    patient: Patient
    prior: tuple[Identifier, ...]
    prior_ins: tuple[Ins, ...]


class MergePatients(Value, frozen=True, tag=True):
    """Retire the prior identity in favour of the patient's (A40)."""

    patient: Patient
    prior: tuple[Identifier, ...]


class LinkPatients(Value, frozen=True, tag=True):
    """Link two identities (A24) or undo it (A37), both kept."""

    first: Patient
    second: Patient
    unlink: bool = False


class MovementAssertion(Value, frozen=True):
    """One movement: `action` is INSERT, UPDATE or CANCEL (ZBE-4); `original_trigger` is ZBE-6."""

    ids: tuple[str, ...]
    trigger: str
    action: str
    start: str
    original_trigger: str = ""
    nature: str = ""
    historic: bool = False
    patient_class: str = ""
    location: Location = Location()
    prior_location: Location = Location()
    medical_ward: Ward = Ward()
    care_ward: Ward = Ward()
    attending: Practitioner = Practitioner()
    pending_location: Location = Location()


class RecordMovement(Value, frozen=True, tag=True):
    """An ITI-31 event: the patient, the stay and, when there is a ZBE, the movement.

    What `header` leaves empty is not said; `cleared` names its fields that are said to be deleted.
    """

    patient: Patient
    header: StayHeader
    cleared: tuple[str, ...] = ()
    visit: Identifier | None = None
    account: Identifier | None = None
    movement: MovementAssertion | None = None


class MoveAccount(Value, frozen=True):
    """Give an account, with its stays, to another patient (A44)."""

    patient: Patient
    prior: tuple[Identifier, ...]
    account: Identifier | None


class MoveAccounts(Value, frozen=True, tag=True):
    """The groups of one A44, all or nothing."""

    moves: tuple[MoveAccount, ...]


class RenumberAccount(Value, frozen=True, tag=True):
    """Give an account another number (A49)."""

    patient: Patient
    account: Identifier
    prior_account: Identifier


Command = (
    RecordPatient | ReplaceIdentifiers | MergePatients | LinkPatients | RecordMovement | MoveAccounts | RenumberAccount
)
