"""Whether an identity document seen by a person validates an identity (EXI SI 10, EXI SI 23, EXI ID 19).

Nothing here chooses a document: an assessment is of the one named, and there is no default.
"""

import calendar
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final, Literal, Self

from insigne.ins.dates import BirthDate
from insigne.ins.proof_types import ProofType, proof_types
from insigne.ins.remarks import Remark
from insigne.ins.settings import EUROPEAN_NATIONALITIES, Audience, ProofSettings

MAJORITY: Final = 18
COPY_YEARS: Final = 5


@dataclass(frozen=True, slots=True)
class Proof:
    """A document presented: its code in the list of the site, its validity end if it has one.

    `guardian` is the document of the parent or guardian, for a minor without a document of their own.
    """

    code: str
    valid_until: date | None = None
    guardian: "Proof | None" = None


@dataclass(frozen=True, slots=True)
class Holder:
    """What matters of the person: birth date as written, nationality (ISO 3166-1, three letters) or "" if unknown.

    `ehpad_admission`: admitted directly to a nursing home (EHPAD), where other documents are accepted.
    """

    birth_date: str
    nationality: str = ""
    ehpad_admission: bool = False


@dataclass(frozen=True, slots=True)
class ProofVerdict:
    """Whether the document is of high trust for that person. `reasons` against it; `reminders` of what to look at."""

    high_trust: bool
    reasons: tuple[Remark, ...]
    reminders: tuple[Remark, ...] = ()


@dataclass(frozen=True, slots=True)
class ProofRules:
    """The documents a site offers, by code, and its policies."""

    types: Mapping[str, ProofType]
    nationalities: frozenset[str] = frozenset(EUROPEAN_NATIONALITIES)
    expired: Literal["refuse", "accept"] = "refuse"

    @classmethod
    def of(cls, settings: ProofSettings) -> Self:
        """Resolve the settings of a site. Raises ValueError as `proof_types` does."""
        return cls(proof_types(settings), frozenset(settings.nationalities), settings.expired)


DEFAULT_RULES: Final = ProofRules.of(ProofSettings())


def assess(proof: Proof, holder: Holder, today: date, rules: ProofRules = DEFAULT_RULES) -> ProofVerdict:
    """Tell whether a document validates this person's identity today, with every reason when it does not.

    A person of unknown nationality may show any document kept to some nationalities: the document tells it. A person
    of unknown age is not taken for a minor.
    """
    kind = rules.types.get(proof.code)
    if kind is None:
        return ProofVerdict(False, (_NOT_CHOSEN if not proof.code else _UNKNOWN,))
    reasons = _against(kind, proof, _audiences(holder, today, rules), today, rules)
    if kind.second == "guardian" and not reasons:
        reasons = _against_guardian(proof.guardian, today, rules)
    if reasons:
        return ProofVerdict(False, tuple(reasons))
    return ProofVerdict(True, (), tuple(_reminders(kind, holder)))


def is_minor(birth_date: str, today: date) -> bool:
    """Tell whether a person is surely under 18: an incomplete date counts as its first day, an unreadable one never."""
    try:
        born = BirthDate.parse(birth_date).span()[0]
    except ValueError:
        return False
    return (today.year - MAJORITY, today.month, today.day) < (born.year, born.month, born.day)


def copy_expires(recorded: date, years: int = COPY_YEARS) -> date:
    """Return the day on which the copy of a document recorded that day has to be erased (DMN INS 46: five years)."""
    year = recorded.year + years
    return date(year, recorded.month, min(recorded.day, calendar.monthrange(year, recorded.month)[1]))


def _audiences(holder: Holder, today: date, rules: ProofRules) -> set[Audience]:
    audiences: set[Audience] = {"everybody"}
    if holder.nationality in rules.nationalities or not holder.nationality:
        audiences.add("eu")
    if holder.nationality not in rules.nationalities:
        audiences.add("foreigner")
    if is_minor(holder.birth_date, today):
        audiences.add("minor")
    if holder.ehpad_admission:
        audiences.add("ehpad-admission")
    return audiences


def _against(kind: ProofType, proof: Proof, audiences: set[Audience], today: date, rules: ProofRules) -> list[Remark]:
    reasons = []
    if kind.refusal:
        reasons.append(Remark("proof-refused", *kind.refusal))
    elif kind.trust != "high":
        reasons.append(_CONTRACT if kind.code == "TC" else _LOW_TRUST)
    elif audiences.isdisjoint(kind.audience):
        reasons.append(_not_for(kind))
    if proof.valid_until and proof.valid_until < today and rules.expired == "refuse":
        reasons.append(_EXPIRED)
    return reasons


def _against_guardian(proof: Proof | None, today: date, rules: ProofRules) -> list[Remark]:
    """Return why the document of the parent or guardian is not enough: it must be one an adult validates with."""
    kind = rules.types.get(proof.code) if proof else None
    if proof is None or kind is None:
        return [_GUARDIAN]
    adult: set[Audience] = {"everybody", "eu", "foreigner"}
    if _against(kind, proof, adult, today, rules):
        return [_GUARDIAN_TRUST]
    return []


def _reminders(kind: ProofType, holder: Holder) -> list[Remark]:
    reminders = []
    if kind.audience == ("eu",) and not holder.nationality:
        reminders.append(_STATE)
    if kind.second == "guardian":
        reminders.append(_COURT)
    if kind.second == "vitale-photo":
        reminders.append(_PHOTO)
    return reminders


def _not_for(kind: ProofType) -> Remark:
    english, french = zip(*(_AUDIENCES[audience] for audience in kind.audience if audience != "everybody"), strict=True)
    return Remark(
        "proof-audience",
        f"This document has high trust for {' or '.join(english)} only",
        f"Ce document n’est à haut niveau de confiance que pour {' ou '.join(french)}",
    )


_AUDIENCES: Final[Mapping[Audience, tuple[str, str]]] = {
    "eu": (
        "nationals of the European Union and the states beside it",
        "les ressortissants de l’Union européenne et des États assimilés",
    ),
    "foreigner": ("nationals of other states", "les ressortissants d’autres États"),
    "minor": ("a minor", "un mineur"),
    "ehpad-admission": ("a direct admission to a nursing home", "une admission directe en EHPAD"),
}
_NOT_CHOSEN: Final = Remark(
    "proof-not-chosen",
    "No identity document is named: choose the one that was seen",
    "Aucune pièce d’identité n’est indiquée : choisissez celle qui a été présentée",
)
_UNKNOWN: Final = Remark(
    "proof-unknown",
    "This identity document is not in the list of the site",
    "Cette pièce d’identité ne figure pas dans la liste de l’établissement",
)
_LOW_TRUST: Final = Remark(
    "proof-low-trust",
    "This document is not of high trust: the identity stays as it is",
    "Ce document n’est pas à haut niveau de confiance : l’identité reste en l’état",
)
_CONTRACT: Final = Remark(
    "proof-contract",
    "A trusted third party counts only under contract; the site that has one grades TC as high in its settings",
    "Un tiers de confiance ne vaut que sous convention ; l’établissement qui en a une l’indique dans sa configuration",
)
_EXPIRED: Final = Remark(
    "proof-expired",
    "The document is past its validity end",
    "Le document n’est plus en cours de validité",
)
_GUARDIAN: Final = Remark(
    "proof-guardian",
    "A document of high trust of a parent, or of the guardian, must be seen with it",
    "Une pièce à haut niveau de confiance d’un parent ou du tuteur doit être présentée avec ce document",
)
_GUARDIAN_TRUST: Final = Remark(
    "proof-guardian-trust",
    "The document of the parent or guardian is not of high trust, or is past its validity end",
    "La pièce du parent ou du tuteur n’est pas à haut niveau de confiance, ou n’est plus en cours de validité",
)
_STATE: Final = Remark(
    "proof-state",
    "The nationality is unknown: check that a state whose card is accepted issued it",
    "La nationalité est inconnue : vérifiez que la carte émane d’un État dont la carte est admise",
)
_COURT: Final = Remark(
    "proof-court",
    "When the adult is not a parent, see the court decision that makes them guardian or delegate",
    "Si l’adulte n’est pas un parent, contrôlez la décision de justice qui le désigne tuteur ou délégataire",
)
_PHOTO: Final = Remark(
    "proof-photo",
    "The carte Vitale must bear a photo, and the same person's name",
    "La carte Vitale doit porter une photo et le nom de la même personne",
)
