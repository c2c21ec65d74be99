"""What is asked of INSi and what it answers, as values. Every value is text as on the wire; "" stands for absent.

Sources: WSDL DESIR_ICIR_EXP 1.5.0 and its schemas, recorded answers of the qualification service.
"""

from dataclasses import dataclass
from typing import Final, Literal

from insigne.insi.security import Security

Operation = Literal["search", "vitale"]
"""WS_INS2 `rechercherInsAvecTraitsIdentite` and WS_INS1 `rechercherInsAvecCarteVitale`."""

FaultKind = Literal["technical", "configuration", "input"]
"""Who can do something: nobody but time, the administrator of this software, whoever typed the traits."""

FOUND: Final = "00"
NOT_FOUND: Final = "01"
SEVERAL: Final = "02"

MALFORMED: Final = "malformed"
"""Our own fault code: an answer that cannot be read as one of INSi."""
UNREACHABLE: Final = "unreachable"
TIMEOUT: Final = "timeout"
TLS: Final = "tls"
HTTP_PREFIX: Final = "http_"
"""Our own fault code with a status (`http_503`): an answer of HTTP alone, without SOAP."""

_KINDS: Final[dict[str, FaultKind]] = {
    "insi_24": "input",
    "insi_101": "technical",
    "insi_102": "technical",
    "desir_550": "configuration",
    "desir_560": "configuration",
    "siram_40": "technical",
    "siram_100": "configuration",
    MALFORMED: "technical",
    UNREACHABLE: "technical",
    TIMEOUT: "technical",
    TLS: "configuration",
}
"""The codes seen at work or named by a source. Any other is technical: kept, shown, and tried again a few times."""


class WireError(ValueError):
    """Bytes that are no message of INSi, or values that cannot be written as one. The text holds no personal data."""


@dataclass(frozen=True, slots=True)
class SearchTraits:
    """One call of WS_INS2: one given name, or all joined by spaces; date YYYY-MM-DD; COG code of birth or ""."""

    birth_name: str
    given_name: str
    sex: str
    birth_date: str
    birth_place: str = ""


@dataclass(frozen=True, slots=True)
class VitaleData:
    """One call of WS_INS1: what was read on a carte Vitale.

    `holder` is the number of the ouvrant droit, `individual` that of the beneficiary when the card holds it: 13
    characters, the keys (2 digits) apart. `birth_date` is as on the card, `birth_rank` the rang gémellaire.
    """

    holder: str
    individual: str = ""
    holder_key: str = ""
    individual_key: str = ""
    birth_name: str = ""
    birth_date: str = ""
    birth_rank: str = ""


@dataclass(frozen=True, slots=True)
class CallContext:
    """What surrounds every call: ContexteBAM (V01_02) and ContexteLPS (V01_00).

    `message_id`, `bam_id`, `lps_id`: fresh UUIDs without prefix. `time`: xsd:dateTime with zone. `emitter`: subject OU
    of the organisation certificate. `idam`: CNDA authorisation number, with its attribute R. `instance`: UUID of
    this installation, for its whole life. `assertions`: SAML assertions as signed, sent with security `assertion_ps`.
    """

    message_id: str
    bam_id: str
    lps_id: str
    time: str
    emitter: str = ""
    idam: str = ""
    lps_name: str = ""
    lps_version: str = ""
    instance: str = ""
    security: Security = "none"
    assertions: tuple[bytes, ...] = ()
    idam_r: str = "4"
    bam_version: str = "01_02"
    lps_context_version: str = "01_00"


@dataclass(frozen=True, slots=True)
class Request:
    """A call as a server reads it, before any control: every element may be missing or wrong.

    `action` is as received, `operation` what it means, None for an unknown one. `body` is the local name of the body's
    element. `given_names` holds each `Prenom`; `traits.given_name` is the first. `covered`: COUVERTURE is present.
    `security` tells the header absent, empty, or with that many assertions.
    """

    action: str
    operation: Operation | None
    body: str
    context: CallContext
    security: Literal["absent", "empty", "assertions"]
    covered: bool
    traits: SearchTraits | None = None
    given_names: tuple[str, ...] = ()
    vitale: VitaleData | None = None


@dataclass(frozen=True, slots=True)
class InsNumber:
    """An INS as returned: number of 13 characters, key ("" when not given), OID; dates bound a past one.

    Nothing is checked: answers of the real service hold wrong keys and periods that end before they begin.
    """

    number: str
    key: str
    oid: str
    type: str = ""
    start: str = ""
    end: str = ""

    @property
    def matricule(self) -> str:
        """Number and key together, 15 characters when the key was given."""
        return self.number + self.key


@dataclass(frozen=True, slots=True)
class InsiTraits:
    """The reference traits (TIQ), every one optional.

    `given_names` is the whole list as one text. `birth_date` is shaped YYYY-MM-DD and may be no day of the calendar.
    """

    birth_name: str = ""
    given_names: str = ""
    given_name: str = ""
    sex: str = ""
    birth_date: str = ""
    birth_place: str = ""


@dataclass(frozen=True, slots=True)
class InsiAnswer:
    """What INSi found: code 00 with the identity, 01 (nobody) or 02 (several people, never listed) without."""

    code: str
    label: str
    active: InsNumber | None = None
    history: tuple[InsNumber, ...] = ()
    traits: InsiTraits | None = None


@dataclass(frozen=True, slots=True)
class InsiFault:
    """Why there is no answer: a SOAP fault of the platform or the service, or one of our own codes.

    `subcode` (siram_…) is the class of message, `code` (insi_…, desir_…, or ours) the cause, `text` the sentence for
    the user, `detail` the technical one, `role` Receiver or Sender, `http_status` 0 when nothing came.
    """

    code: str
    subcode: str = ""
    text: str = ""
    detail: str = ""
    severity: str = ""
    role: str = ""
    http_status: int = 0
    message_id: str = ""

    @property
    def kind(self) -> FaultKind:
        """Who can do something about it, told from the codes alone: wordings have changed over time."""
        if self.code.startswith(HTTP_PREFIX):
            return "technical" if self.http_status >= 500 or self.http_status in (408, 429) else "configuration"
        return _KINDS.get(self.code) or _KINDS.get(self.subcode) or "technical"

    @property
    def known(self) -> bool:
        """Whether one of its codes has a known meaning."""
        return self.code in _KINDS or self.subcode in _KINDS or self.code.startswith(HTTP_PREFIX)

    @property
    def outage(self) -> bool:
        """Whether nothing of the service was heard: a sign of an outage for everybody, unlike siram_40."""
        return self.kind == "technical" and (
            self.code in (UNREACHABLE, TIMEOUT, MALFORMED) or self.code.startswith(HTTP_PREFIX)
        )


InsiResult = InsiAnswer | InsiFault
