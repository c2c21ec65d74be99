"""Identity documents as data: what each proves, for whom, with what beside it, and its code in PAM-FR and FR Core.

Sources: RNIV §3.3.2 and §3.3.3 (documents of high trust, minors, direct admission to a nursing home), PAM-FR table
ZFD-7, FR Core mode of validation. A site removes, adds and regrades documents; what the RNIV refuses stays refused.
"""

from dataclasses import dataclass, replace
from typing import Final

from insigne.ins.settings import Audience, ProofSettings, ProofTypeSettings, Second, Trust


@dataclass(frozen=True, slots=True)
class ProofType:
    """A kind of identity document.

    `trust`: "high" when it may validate an identity. `audience`: for whom it does, one is enough. `second`: what must
    be seen beside it ("guardian": a document of high trust of a parent, or of the guardian with the court decision;
    "vitale-photo": the carte Vitale with photo, part of the code itself). `zfd7`: its code in PAM-FR, "" when it has
    none; `fr_core`: its code of FR Core's mode of validation, or "". `refusal`: why it never has high trust (English,
    French), for documents no site may regrade.
    """

    code: str
    label: str
    label_fr: str
    trust: Trust
    audience: tuple[Audience, ...] = ("everybody",)
    second: Second = ""
    zfd7: str = ""
    fr_core: str = ""
    electronic: bool = False
    refusal: tuple[str, str] | None = None


_DRIVING: Final = (
    "A driving licence is not of high trust",
    "Le permis de conduire n’est pas à haut niveau de confiance",
)
_VITALE: Final = ("A carte Vitale alone proves no identity", "La carte Vitale seule ne prouve pas l’identité")
_MINOR: Final[tuple[Audience, ...]] = ("minor",)
_EUROPEAN: Final[tuple[Audience, ...]] = ("eu",)
_NURSING_HOME: Final[tuple[Audience, ...]] = ("ehpad-admission",)

PROOF_TYPES: Final[tuple[ProofType, ...]] = (
    ProofType("PA", "Passport", "Passeport", "high", zfd7="PA", fr_core="PA"),
    ProofType("CN", "National identity card", "Carte nationale d’identité", "high", _EUROPEAN, zfd7="CN", fr_core="CN"),
    ProofType("CE", "European identity card", "Carte d’identité européenne", "high", _EUROPEAN, zfd7="CE"),
    ProofType("CS", "Residence permit", "Titre de séjour", "high", ("eu", "foreigner"), zfd7="CS", fr_core="CS"),
    ProofType(
        "eCN", "Electronic identity card (France Identité)", "Carte d’identité électronique (France Identité)",
        "high", _EUROPEAN, zfd7="IE", fr_core="eCN", electronic=True,
    ),
    ProofType(
        "IN", "L’Identité Numérique La Poste", "L’Identité Numérique La Poste",
        "high", zfd7="IE", fr_core="IN", electronic=True,
    ),
    ProofType(
        "AV", "Application carte Vitale", "Application carte Vitale",
        "high", zfd7="AV", fr_core="AV", electronic=True,
    ),
    ProofType(
        "IE", "Electronic identity of eIDAS level substantial or high",
        "Identité électronique de niveau eIDAS substantiel ou élevé",
        "high", zfd7="IE", electronic=True,
    ),
    ProofType(
        "CC", "Circulation document of a foreign minor", "Document de circulation pour étranger mineur",
        "high", _MINOR, zfd7="DC", fr_core="CC",
    ),
    ProofType(
        "AN", "Birth certificate extract", "Extrait d’acte de naissance",
        "high", _MINOR, "guardian", zfd7="AN", fr_core="AN",
    ),
    ProofType("LE", "Family record book", "Livret de famille", "high", _MINOR, "guardian", zfd7="LE", fr_core="LE"),
    ProofType(
        "LEP", "Parents’ family record book", "Livret de famille des parents",
        "high", _MINOR, "guardian", zfd7="LE", fr_core="LEP",
    ),
    ProofType(
        "LECV", "Family record book and carte Vitale with photo", "Livret de famille et carte Vitale avec photo",
        "high", _NURSING_HOME, "vitale-photo", zfd7="LE", fr_core="LECV",
    ),
    ProofType(
        "ANCV", "Birth certificate and carte Vitale with photo", "Acte de naissance et carte Vitale avec photo",
        "high", _NURSING_HOME, "vitale-photo", zfd7="AC", fr_core="ANCV",
    ),
    ProofType(
        "TC", "Trusted third party, under contract", "Tiers de confiance, sous convention",
        "none", zfd7="TC", fr_core="TC",
    ),
    ProofType("CM", "Military card", "Carte militaire", "none", zfd7="CM"),
    ProofType("PC", "Driving licence", "Permis de conduire", "none", zfd7="PC", refusal=_DRIVING),
    ProofType("CV", "Carte Vitale", "Carte Vitale", "none", refusal=_VITALE),
)  # fmt: skip
"""The documents known. A trusted third party needs a contract: the site that has one grades `TC` "high"."""

_KNOWN: Final = {kind.code: kind for kind in PROOF_TYPES}


def fr_core_code(code: str) -> str:
    """The mode of validation of FR Core for a document of the list, "" when it has none or the site added it."""
    kind = _KNOWN.get(code)
    return kind.fr_core if kind else ""


def proof_types(settings: ProofSettings) -> dict[str, ProofType]:
    """Return the documents a site offers, by code, in the order of the list, those it adds last.

    Raises ValueError naming the code: removed without existing, told twice, changed and removed, added without label
    or trust, or graded high although the RNIV refuses it.
    """
    types = dict(_KNOWN)
    for code in settings.removed:
        if types.pop(code, None) is None:
            raise ValueError(f"removed: there is no identity document {code!r}; known: {', '.join(_KNOWN)}")
    told: set[str] = set()
    for change in settings.types:
        if change.code in told:
            raise ValueError(f"types: identity document {change.code!r} is told twice; write it once")
        if change.code in settings.removed:
            raise ValueError(
                f"types: identity document {change.code!r} is also removed; take it out of one of the lists"
            )
        told.add(change.code)
        types[change.code] = _changed(types.get(change.code), change)
    return types


def _changed(kind: ProofType | None, change: ProofTypeSettings) -> ProofType:
    label = change.label or change.label_fr
    if kind is None:
        if not label or not change.trust:
            raise ValueError(f"types: identity document {change.code!r} is new: give it a label and a trust")
        kind = ProofType(change.code, label, change.label_fr or label, change.trust)
    if kind.refusal and change.trust == "high":
        raise ValueError(f"types: identity document {change.code!r} cannot have high trust: {kind.refusal[0]} (RNIV)")
    return replace(
        kind,
        label=change.label or kind.label,
        label_fr=change.label_fr or change.label or kind.label_fr,
        trust=change.trust or kind.trust,
        audience=kind.audience if change.audience is None else change.audience,
        second=kind.second if change.second is None else change.second,
        zfd7=kind.zfd7 if change.zfd7 is None else change.zfd7,
    )
