"""Settings of the calls of the DMP. What no public source confirms stands here with the value recalled."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from insigne.dmp.security import SignatureAlgorithm
from insigne.net.settings import ClientTlsSettings, Seconds

Count = Annotated[int, Meta(ge=1)]
Oid = Annotated[str, Meta(pattern=r"^$|^[0-2](?:\.(?:0|[1-9][0-9]*))+$", max_length=64)]


class SoftwareSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How the software names itself (LPS_…)."""

    id: str = ""
    """LPS_ID; optional."""
    name: str = "Insigne"
    version: str = ""
    """LPS_Version; by default that of Insigne."""
    homologation: str = ""
    """LPS_ID_HOMOLOGATION_DMP: the number the GIE SESAM-Vitale gave the vendor."""
    oid: Oid = ""
    """OID of the system: sourceId of lots, sender of TD0.2."""


class CallerSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Who calls when the message does not say, and what it never says."""

    structure: str = ""
    """Struct_IdNat (1 + FINESS, 3 + SIRET)."""
    structure_name: str = ""
    sector: str = "SA01"
    """Secteur_Activite (JDV_J61); also the type of facility of a document that does not say its own."""
    person: str = ""
    """NameID: national identifier of who answers for automatic sendings."""
    family: str = ""
    given: str = ""
    role: str = "AUTOMATE"
    """Role: a profession (`10`), or AUTOMATE, taken when nothing else is possible."""
    role_system: str = ""
    """Code system of the role; by default that of AUTOMATE (TRE_A00), or of the professions (TRE_G15)."""
    role_label: str = ""
    specialty: str = ""
    """Second role: savoir-faire of doctors and pharmacists (`SM26`)."""
    specialty_label: str = ""


class VihfSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The assertion, where sources disagree."""

    version: Literal["4.0", "3.0"] = "4.0"
    """VIHF_Version: the ANS guide has 4.0, older examples 3.0."""
    mode_attribute: Literal["Authentification_Mode", "Authentification_mode"] = "Authentification_Mode"
    """Spelling of that attribute: the first of the ANS guide, the second of the examples."""
    mode: Literal["INDIRECTE", "INDIRECTE_RENFORCEE", "DIRECTE"] = "INDIRECTE"
    """What an establishment's certificate gives. INDIRECTE_RENFORCEE may not feed."""
    authn_context: str = "urn:oasis:names:tc:SAML:2.0:ac:classes:unspecified"
    """AuthnContextClassRef, of the local login; `unspecified` for an automaton."""
    purpose: str = "normal"
    purpose_label: str = "Accès normal"
    hidden_code: str = "INVISIBLE_PATIENT"
    """Value of the confidentiality attribute of a secret connection; recalled, no public source has it."""
    validity_seconds: Annotated[int, Meta(ge=0)] = 0
    """Conditions NotBefore and NotOnOrAfter around the call; 0: none, they are optional."""


class ServiceSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How the DMP is called. Without `endpoint` it is not."""

    endpoint: str = ""
    """Base of the services, without a final slash: `…/si-dmp-server/v2/services`."""
    patients: str = "/patients"
    repository: str = "/repository"
    registry: str = "/registry"
    """Suffixes of the services (TD0.2; ITI-41; ITI-18 and ITI-57)."""
    tls: ClientTlsSettings = ClientTlsSettings()
    """ORG_AUTH_CLI, and the authorities believed."""
    ciphers: tuple[str, ...] = (
        "ECDHE-RSA-AES256-GCM-SHA384",
        "ECDHE-RSA-AES128-GCM-SHA256",
        "ECDHE-RSA-AES256-SHA384",
    )
    """Suites of TLS 1.2 offered, by their OpenSSL names; empty: those of OpenSSL, and TLS 1.3."""
    sign_cert_file: str = ""
    """ORG_SIGN: certificate that signs VIHF and lots; PEM, or PKCS#12 with its key."""
    sign_key_file: str = ""
    sign_key_password_file: str = ""
    signature: SignatureAlgorithm = "rsa-sha256"
    software: SoftwareSettings = SoftwareSettings()
    caller: CallerSettings = CallerSettings()
    vihf: VihfSettings = VihfSettings()
    content_type: str = ""
    """contentTypeCode of lots (JDV_J59); by default after PV1-2."""
    class_codes: dict[str, str] = {}
    """classCode of a typeCode, over the built-in table (`wire.codes.CLASS_OF_TYPE`), which is recalled."""
    format_codes: dict[str, str] = {}
    """formatCode of structured documents by typeCode (ASS_A11); unstructured ones have theirs."""
    find_returns: Literal["LeafClass", "ObjectRef"] = "LeafClass"
    """What the search of a reference asks for. ObjectRef gives no hash: a duplicate then waits for a person."""
    codes: dict[str, Literal["refused", "duplicate", "technical", "outage"]] = {}
    """What an error code of the DMP means, where the site knows better than the built-in table."""
    connect_seconds: Seconds = 20
    total_seconds: Seconds = 300
    max_answer_bytes: Count = 4_194_304
