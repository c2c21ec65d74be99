"""Values shared by commands, events and states of the registry. All are immutable and comparable.

Texts are decoded and unescaped; an empty text means "not known". Dates and times are kept as received (HL7 `TS` form:
``YYYY[MM[DD[HHMM[SS]]]][+/-ZZZZ]``), since a birth date may be incomplete or lunar and a movement may have no zone.
"""

import msgspec


class Value(msgspec.Struct, frozen=True, omit_defaults=True):
    """Base of the immutable values."""


class Authority(Value, frozen=True):
    """An assigning authority (HL7 `HD`): who issued an identifier.

    `universal_id` is an OID (type ISO), a FINESS number (types M legal entity, N site), or another name space
    (DNS, UUID, L). Two authorities are the same when their `key` is.
    """

    namespace: str = ""
    universal_id: str = ""
    universal_id_type: str = ""

    @property
    def key(self) -> str:
        """What identifiers are matched by: the universal id when there is one, else the namespace."""
        return self.universal_id or self.namespace


class Identifier(Value, frozen=True):
    """An identifier of a person, an account or a visit (HL7 `CX`):

    a value under a type (table 0203) and an authority.
    """

    type: str
    authority: Authority
    value: str

    @property
    def key(self) -> tuple[str, str, str]:
        """(type, authority key, value): identifiers are equal when their keys are."""
        return (self.type, self.authority.key, self.value)


class Ins(Value, frozen=True):
    """A matricule INS under its OID (référentiel INS: matricule + OID + five traits; the traits are beside it)."""

    matricule: str
    oid: str


class NationalIns(Value, frozen=True):
    """An INS of the national history (INSHISTO), kept as received:

    `start` and `end` are texts, possibly out of order.
    """

    matricule: str
    oid: str
    start: str = ""
    end: str = ""


class Proof(Value, frozen=True):
    """An identity document that was checked: its code (ZFD-7 or the site's list), whether it is of high trust, its end.

    `second` is the other document of a two-step rule; `copy` names the encrypted copy, if one is kept.
    """

    type: str
    high_trust: bool
    expiry: str = ""
    second: str = ""
    copy: str = ""


class Traits(Value, frozen=True):
    """The strict traits (RNIV 1): what, with the matricule and its OID, makes the INS.

    `given_names` is the list of birth given names in one text, as INSi returns it. `birth_date` is as received, HL7
    form. `sex` is M, F or I (undetermined). `birth_place` is a COG code, 99999 when unknown.
    """

    birth_name: str = ""
    first_given_name: str = ""
    given_names: str = ""
    birth_date: str = ""
    sex: str = ""
    birth_place: str = ""


class Address(Value, frozen=True):
    """A postal address (HL7 `XAD`), the birthplace excepted. `use` is of table 0190 (H, BR, C…)."""

    use: str = ""
    street: str = ""
    complement: str = ""
    city: str = ""
    postal_code: str = ""
    country: str = ""
    commune: str = ""


class Telecom(Value, frozen=True):
    """A phone number or an e-mail address (HL7 `XTN`): `use` of table 0201, `kind` of table 0202."""

    use: str = ""
    kind: str = ""
    value: str = ""


class Dmp(Value, frozen=True):
    """What the establishment knows of the patient's DMP (segment ZFA)."""

    status: str = ""
    status_date: str = ""
    closed_date: str = ""
    feeding: str = ""
    feeding_date: str = ""
    consulting: str = ""
    consulting_date: str = ""


class LegalCareMode(Value, frozen=True):
    """A legal mode of care in psychiatry (segment ZFS)."""

    id: str
    start: str = ""
    end: str = ""
    mode: str = ""
    rimp_code: str = ""
    comment: str = ""


class Collection(Value, frozen=True):
    """How the sender obtained and checked the identity (segment ZFD, fields 4 to 8)."""

    birth_date_corrected: str = ""
    mode: str = ""
    insi_date: str = ""
    proof: str = ""
    proof_expiry: str = ""


class Details(Value, frozen=True):
    """Complementary traits: they help people, they never decide who a person is.

    `other_names` holds (type, family, given) of the PID-5 repetitions that are neither birth nor used name.
    """

    used_name: str = ""
    used_given_name: str = ""
    title: str = ""
    other_names: tuple[tuple[str, str, str], ...] = ()
    mother_name: str = ""
    mother_identifiers: tuple[Identifier, ...] = ()
    addresses: tuple[Address, ...] = ()
    telecoms: tuple[Telecom, ...] = ()
    language: str = ""
    marital_status: str = ""
    nationality: str = ""
    birth_place_text: str = ""
    birth_city: str = ""
    birth_country: str = ""
    multiple_birth: str = ""
    birth_order: str = ""
    death_date: str = ""
    death_indicator: str = ""
    unknown_identity: str = ""
    lunar_birth_date: str = ""
    gestation_weeks: str = ""
    sms_consent: str = ""
    living_arrangement: str = ""
    protected: str = ""
    occupation: str = ""
    occupation_group: str = ""
    collection: Collection = Collection()
    dmp: Dmp = Dmp()
    legal_care_modes: tuple[LegalCareMode, ...] = ()
    last_update: str = ""
    last_update_facility: str = ""


class Location(Value, frozen=True):
    """Where a patient is (HL7 `PL`)."""

    ward: str = ""
    room: str = ""
    bed: str = ""
    facility: str = ""
    status: str = ""
    type: str = ""
    building: str = ""
    floor: str = ""


class Ward(Value, frozen=True):
    """A responsible unit (UF), from an HL7 `XON`: its code, label and authority."""

    code: str = ""
    label: str = ""
    authority: Authority = Authority()


class Practitioner(Value, frozen=True):
    """A professional (HL7 `XCN`): identifier, its type (RPPS, ADELI…) and name."""

    id: str = ""
    id_type: str = ""
    family: str = ""
    given: str = ""
    authority: Authority = Authority()
