"""Trust in an identity: two axes, four statuses, three attributes, and every transition as data.

Sources: RNIV 1 v2.0 (EXI SI 07 to 09, §3.2.3, RECO PP 03), guide INS v3.0 (EXI ID 10, 24, 26), PAM-FR table 0445.

Rules of this file: the status is never stored apart from its axes, it is what they make; whatever changes a status is a
row of `TRANSITIONS`, and what no row allows is refused with a reason.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from insigne.ins.remarks import Remark


class Status(StrEnum):
    """The four statuses of the RNIV. PAM-FR carries only PROV and VALI; FR Core carries the four."""

    PROV = "PROV"
    RECUP = "RECUP"
    VALI = "VALI"
    QUAL = "QUAL"


STATUS_LABELS_FR: Final[Mapping[Status, str]] = MappingProxyType(
    {
        Status.PROV: "Identité provisoire",
        Status.RECUP: "Identité récupérée",
        Status.VALI: "Identité validée",
        Status.QUAL: "Identité qualifiée",
    }
)

_BY_AXES: Final = {
    (False, False): Status.PROV,
    (True, False): Status.RECUP,
    (False, True): Status.VALI,
    (True, True): Status.QUAL,
}
_AXES: Final = {status: axes for axes, status in _BY_AXES.items()}


def status_of(recovered: bool, checked: bool) -> Status:  # noqa: FBT001 - the two axes, in the RNIV's order
    """Return the status made by the axes: traits recovered from INSi, high-trust document checked (EXI SI 07)."""
    return _BY_AXES[recovered, checked]


def axes_of(status: Status) -> tuple[bool, bool]:
    """Return (recovered, checked), the inverse of `status_of`."""
    return _AXES[status]


class Attribute(StrEnum):
    """The RNIV attributes, under their code in table 0445."""

    HOMA = "HOMA"
    DOUT = "DOUT"
    FICT = "FICT"


ATTRIBUTES: Final = frozenset(Attribute)

_ALLOWED_SETS: Final[frozenset[frozenset[str]]] = frozenset(
    frozenset(names) for names in ((), ("HOMA",), ("DOUT",), ("FICT",), ("DOUT", "HOMA"))
)
_PROVISIONAL_ONLY: Final = frozenset({Attribute.DOUT, Attribute.FICT})


def allowed_attributes(attributes: Collection[str]) -> bool:
    """Tell whether these attributes may stand together: none, HOMA, DOUT, FICT, or DOUT with HOMA (EXI ID 24)."""
    return frozenset(attributes) in _ALLOWED_SETS


def forces_provisional(attributes: Collection[str]) -> bool:
    """Tell whether an attribute forbids every status but PROV and any INSi call (DOUT, FICT: EXI SI 09, EXI ID 26)."""
    return not _PROVISIONAL_ONLY.isdisjoint(attributes)


class Trigger(StrEnum):
    """What can happen to the trust in an identity."""

    CREATED = "created"
    DOCUMENT_CHECKED = "document-checked"  # high-trust identification device, coherent with the traits held
    INSI_ACCEPTED = "insi-accepted"  # INSi answered 00 and a person accepted the comparison
    APPCV_READ = "appcv-read"  # Application carte Vitale
    DATAMATRIX_SCANNED = "datamatrix-scanned"
    VERIFICATION_OK = "verification-ok"
    VERIFICATION_KO = "verification-ko"
    INS_REMOVED = "ins-removed"
    STRICT_TRAIT_EDITED = "strict-trait-edited"
    FIRST_GIVEN_NAME_EDITED = "first-given-name-edited"  # still coherent with the list
    ATTRIBUTE_SET = "attribute-set"  # DOUT or FICT; HOMA moves nothing
    ATTRIBUTE_LIFTED = "attribute-lifted"  # DOUT or FICT


class Effect(StrEnum):
    """What the registry does along with a transition."""

    RECORD_DOCUMENT = "record-document"  # device type, date, user
    TAKE_INSI_TRAITS = "take-insi-traits"  # local strict traits replaced by those of INSi
    STORE_INS = "store-ins"  # matricule, OID, raw answer, history, date and mode
    STORE_RECEIVED_INS = "store-received-ins"  # matricule and OID to be verified, not an INS to diffuse
    INS_TO_HISTORY = "ins-to-history"
    VOID_DOCUMENT = "void-document"  # the document has to be checked again
    DATE_VERIFICATION = "date-verification"
    BLOCK_INSI = "block-insi"
    ALLOW_INSI = "allow-insi"
    ALERT = "alert"


@dataclass(frozen=True, slots=True)
class Transition:
    """A row of the table. `source` is None before creation; `strict_target` is the target under the stricter setting.

    `reference` gives the number of the row in the project's analysis of the RNIV and the requirement it comes from.
    """

    source: Status | None
    trigger: Trigger
    target: Status
    effects: tuple[Effect, ...]
    reference: str
    strict_target: Status | None = None


class TransitionRefused(ValueError):  # noqa: N818 - a refusal is a normal outcome that the user reads
    """No row of the table allows the trigger. `message_fr` is the same sentence for the user."""

    def __init__(self, message: str, message_fr: str) -> None:
        super().__init__(message)
        self.message_fr = message_fr


_P, _R, _V, _Q = Status.PROV, Status.RECUP, Status.VALI, Status.QUAL
_INSI_EFFECTS = (Effect.TAKE_INSI_TRAITS, Effect.STORE_INS)
_LOSS_EFFECTS = (Effect.INS_TO_HISTORY, Effect.ALERT)
_ATTRIBUTE_EFFECTS = (Effect.INS_TO_HISTORY, Effect.VOID_DOCUMENT, Effect.BLOCK_INSI)


def _row(
    trigger: Trigger, move: tuple[Status | None, Status], reference: str, *effects: Effect, strict: Status | None = None
) -> Transition:
    return Transition(move[0], trigger, move[1], effects, reference, strict)


TRANSITIONS: Final[tuple[Transition, ...]] = (
    _row(Trigger.CREATED, (None, _P), "T1 RNIV §3.1.2"),
    _row(Trigger.DOCUMENT_CHECKED, (_P, _V), "T2 EXI SI 10, EXI ID 19", Effect.RECORD_DOCUMENT),
    _row(Trigger.DOCUMENT_CHECKED, (_R, _Q), "T4 EXI SI 07", Effect.RECORD_DOCUMENT),
    _row(Trigger.DOCUMENT_CHECKED, (_V, _V), "T2 EXI SI 10", Effect.RECORD_DOCUMENT),
    _row(Trigger.DOCUMENT_CHECKED, (_Q, _Q), "T4 EXI SI 10", Effect.RECORD_DOCUMENT),
    _row(Trigger.INSI_ACCEPTED, (_P, _R), "T3 EXI REC 07, EXI REC 08", *_INSI_EFFECTS),
    _row(Trigger.INSI_ACCEPTED, (_V, _Q), "T5 EXI REC 07, EXI REC 08", *_INSI_EFFECTS),
    _row(Trigger.INSI_ACCEPTED, (_R, _R), "T3 EXI REC 07 (new retrieval)", *_INSI_EFFECTS),
    _row(Trigger.INSI_ACCEPTED, (_Q, _Q), "T5 EXI REC 07 (new retrieval)", *_INSI_EFFECTS),
    *(
        _row(Trigger.APPCV_READ, (source, _Q), "T6 RNIV §4.3.4", *_INSI_EFFECTS, Effect.RECORD_DOCUMENT)
        for source in (None, _P, _R, _V, _Q)
    ),
    _row(Trigger.DATAMATRIX_SCANNED, (None, _P), "T7 EXI REC 02", Effect.STORE_RECEIVED_INS),
    _row(Trigger.DATAMATRIX_SCANNED, (_P, _P), "T7 EXI REC 02", Effect.STORE_RECEIVED_INS),
    _row(Trigger.DATAMATRIX_SCANNED, (_V, _V), "T7 EXI REC 02", Effect.STORE_RECEIVED_INS),
    _row(Trigger.VERIFICATION_OK, (_P, _R), "T7 (recalled)", Effect.STORE_INS, Effect.DATE_VERIFICATION),
    _row(Trigger.VERIFICATION_OK, (_V, _Q), "T7 (recalled)", Effect.STORE_INS, Effect.DATE_VERIFICATION),
    _row(Trigger.VERIFICATION_OK, (_R, _R), "T8 (recalled)", Effect.DATE_VERIFICATION),
    _row(Trigger.VERIFICATION_OK, (_Q, _Q), "T8 (recalled)", Effect.DATE_VERIFICATION),
    _row(Trigger.VERIFICATION_KO, (_P, _P), "T7 (recalled)", *_LOSS_EFFECTS),
    _row(Trigger.VERIFICATION_KO, (_V, _V), "T7 (recalled)", *_LOSS_EFFECTS),
    _row(Trigger.VERIFICATION_KO, (_R, _P), "T8 (recalled)", *_LOSS_EFFECTS),
    _row(Trigger.VERIFICATION_KO, (_Q, _V), "T8 (recalled)", *_LOSS_EFFECTS, strict=_P),
    _row(Trigger.INS_REMOVED, (_R, _P), "T8 (recalled)", *_LOSS_EFFECTS),
    _row(Trigger.INS_REMOVED, (_Q, _V), "T8 (recalled)", *_LOSS_EFFECTS, strict=_P),
    _row(Trigger.STRICT_TRAIT_EDITED, (_P, _P), "T9 (recalled)"),
    _row(Trigger.STRICT_TRAIT_EDITED, (_R, _P), "T9 (recalled)", *_LOSS_EFFECTS),
    _row(Trigger.STRICT_TRAIT_EDITED, (_V, _P), "T9 (recalled)", Effect.VOID_DOCUMENT, Effect.ALERT),
    _row(Trigger.STRICT_TRAIT_EDITED, (_Q, _P), "T9 (recalled)", Effect.VOID_DOCUMENT, *_LOSS_EFFECTS),
    *(_row(Trigger.FIRST_GIVEN_NAME_EDITED, (status, status), "T9 EXI ID 10") for status in Status),
    *(_row(Trigger.ATTRIBUTE_SET, (status, _P), "T10 EXI SI 09, EXI ID 26", *_ATTRIBUTE_EFFECTS) for status in Status),
    _row(Trigger.ATTRIBUTE_LIFTED, (_P, _P), "T11 (recalled)", Effect.ALLOW_INSI),
)
"""Every allowed change of status. INSi calls on PROV without a document at hand (T12) are `insi_call_remark`."""

_TABLE: Final = {(row.source, row.trigger): row for row in TRANSITIONS}
_BLOCKED_BY_ATTRIBUTE: Final = frozenset(
    {
        Trigger.DOCUMENT_CHECKED,
        Trigger.INSI_ACCEPTED,
        Trigger.APPCV_READ,
        Trigger.DATAMATRIX_SCANNED,
        Trigger.VERIFICATION_OK,
    }
)


def transition(
    status: Status | None, trigger: Trigger, attributes: Collection[str] = (), *, strict: bool = False
) -> Transition:
    """Return the row for what happens to an identity of this status (None: not created yet) and these attributes.

    `strict` chooses the stricter target where sources leave the choice (a KO verification brings QUAL to PROV, not to
    VALI). Raises TransitionRefused when the table has no such row, or DOUT or FICT keeps the identity provisional.
    """
    if trigger in _BLOCKED_BY_ATTRIBUTE and forces_provisional(attributes):
        raise TransitionRefused(
            f"{trigger}: a DOUT or FICT identity stays provisional; lift the attribute first (EXI ID 26)",
            "Une identité douteuse ou fictive reste provisoire : retirez d’abord l’attribut (EXI ID 26)",
        )
    row = _TABLE.get((status, trigger))
    if row is None:
        state = status.value if status else "not created"
        state_fr = f"au statut {status.value}" if status else "qui n’est pas encore créée"
        raise TransitionRefused(
            f"{trigger}: not possible for an identity that is {state}",
            f"Opération impossible pour une identité {state_fr} ({trigger})",
        )
    if strict and row.strict_target:
        return Transition(row.source, row.trigger, row.strict_target, row.effects, row.reference)
    return row


def insi_call_remark(status: Status, attributes: Collection[str], *, document_at_hand: bool) -> Remark | None:
    """Return why INSi should not be called now, or None. `insi-blocked` must be obeyed, `insi-unadvised` is a setting.

    DOUT and FICT forbid the call (EXI ID 26); for a provisional identity it is unadvised unless the identity document
    can be checked at the same time (RECO PP 03).
    """
    if forces_provisional(attributes):
        return Remark(
            "insi-blocked",
            "INSi is not called for a DOUT or FICT identity (EXI ID 26)",
            "Le téléservice INSi ne s’appelle pas pour une identité douteuse ou fictive (EXI ID 26)",
        )
    if status is Status.PROV and not document_at_hand:
        return Remark(
            "insi-unadvised",
            "Calling INSi for a provisional identity is unadvised without the document at hand (RECO PP 03)",
            "L’appel à INSi est déconseillé pour une identité provisoire sans pièce à contrôler (RECO PP 03)",
        )
    return None


@dataclass(frozen=True, slots=True)
class ReliabilityCode:
    """A code of HL7 table 0445, French edition. `kind` is "status" (first PID-32 repetition) or "attribute"."""

    code: str
    kind: str
    label_fr: str


def _codes(kind: str, labels: Mapping[str, str]) -> dict[str, ReliabilityCode]:
    return {code: ReliabilityCode(code, kind, label) for code, label in labels.items()}


RELIABILITY_CODES: Final[Mapping[str, ReliabilityCode]] = MappingProxyType(
    _codes(
        "status",
        {
            "VIDE": "Identité non encore qualifiée",
            "PROV": "Identité provisoire",
            "VALI": "Identité validée",
            "DOUB": "Doublon ou identité esclave",
            "DESA": "Identité désactivée",
            "DPOT": "Doublon potentiel",
            "DOUA": "Doublon avéré",
            "COLP": "Collision potentielle",
            "COLV": "Collision avérée",
            "FILI": "Filiation",
            "CACH": "Identité cachée",
            "ANOM": "Identité anonyme",
            "IDVER": "Identité vérifiée par le patient",
            "RECD": "Identité reçue d’un autre domaine",
            "IDRA": "Identité rapprochée dans un autre domaine",
            "USUR": "Identité usurpée",
            "HOMD": "Homonymie détectée",
            "INVA": "Identité invalidée",
        },
    )
    | _codes("attribute", {"HOMA": "Homonymie avérée", "FICT": "Identité fictive", "DOUT": "Identité douteuse"})
)
"""The 21 codes of PAM-FR 2.11.2. QUAL and RECUP are not among them: they exist in FR Core only."""
