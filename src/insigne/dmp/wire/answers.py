"""Answers of a registry (RegistryResponse of ebRS 3.0): written, read, and what their codes and faults mean.

The DMP's own list of codes (annex A7-1) is not public. The meanings below are those of IHE ITI TF-3 (table 4.2.4.1-2)
and of the codes seen in public sources; a code that is not known is kept, shown, and stops that document alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from lxml import etree

from insigne.dmp.wire import names
from insigne.dmp.wire.build import add, root
from insigne.dmp.wire.model import Answered, DmpFault, RegistryAnswer, RegistryError, WireError
from insigne.insi.wire.xml import child

_MOST: Final = 1000
"""Most errors read of one answer."""
_STATUS: Final[Mapping[str, Answered]] = {"Success": "success", "PartialSuccess": "partial", "Failure": "failure"}
_WORDS: Final[Mapping[Answered, str]] = {word: name for name, word in _STATUS.items()}


class Outcome(StrEnum):
    """What is to be done of a document after an answer or a fault."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    """The service has a document of that unique id: the same one when its hash is the same."""
    REFUSED = "refused"
    """This document, as it is: trying again would change nothing."""
    TECHNICAL = "technical"
    """Try again, later and later."""
    OUTAGE = "outage"
    """The service is not there for anybody, or refuses us all."""


@dataclass(frozen=True, slots=True)
class Judged:
    """An outcome with the code and text to show. `known` is False for a code that no table has."""

    outcome: Outcome
    code: str = ""
    text: str = ""
    known: bool = True


OTHER_INS: Final = "OtherIns"
"""Our own code: TD0.2 answered about another matricule. Somebody looks before anything is fed."""

MEANINGS: Final[Mapping[str, Outcome]] = {
    "XDSDuplicateUniqueIdInRegistry": Outcome.DUPLICATE,
    "XDSDuplicateDocumentUniqueIdInRegistry": Outcome.DUPLICATE,
    "XDSNonIdenticalHash": Outcome.REFUSED,
    "XDSNonIdenticalSize": Outcome.REFUSED,
    "XDSUnknownPatientId": Outcome.REFUSED,
    "XDSPatientIdDoesNotMatch": Outcome.REFUSED,
    "XDSDocumentUniqueIdError": Outcome.REFUSED,
    "XDSRegistryMetadataError": Outcome.REFUSED,
    "XDSRepositoryMetadataError": Outcome.REFUSED,
    "XDSRegistryDeprecatedDocumentError": Outcome.REFUSED,
    "XDSRegistryDuplicateUniqueIdInMessage": Outcome.REFUSED,
    "XDSRepositoryDuplicateUniqueIdInMessage": Outcome.REFUSED,
    "XDSReplaceFailed": Outcome.REFUSED,
    "XDSMissingDocument": Outcome.REFUSED,
    "XDSMissingDocumentMetadata": Outcome.REFUSED,
    "XDSStoredQueryMissingParam": Outcome.REFUSED,
    "XDSTooManyResults": Outcome.REFUSED,
    "XDSMetadataUpdateError": Outcome.REFUSED,
    OTHER_INS: Outcome.REFUSED,
    "DMPClosed": Outcome.REFUSED,
    "DMPFound": Outcome.REFUSED,
    "XDSRegistryError": Outcome.TECHNICAL,
    "XDSRepositoryError": Outcome.TECHNICAL,
    "XDSRegistryBusy": Outcome.TECHNICAL,
    "XDSRepositoryBusy": Outcome.TECHNICAL,
    "XDSRegistryOutOfResources": Outcome.TECHNICAL,
    "XDSRepositoryOutOfResources": Outcome.TECHNICAL,
    "XDSRegistryNotAvailable": Outcome.OUTAGE,
}
_STRENGTH: Final = (Outcome.REFUSED, Outcome.DUPLICATE, Outcome.OUTAGE, Outcome.TECHNICAL)
"""Of several errors, the one that decides: what no retry would change comes first."""


def judge(answer: RegistryAnswer, configured: Mapping[str, str] | None = None) -> Judged:
    """Tell what an answer means. `configured` (code → word of Outcome) goes before the built-in table.

    A success with warnings is a success; a failure without an error says nothing that a retry could not change.
    """
    if answer.success:
        return Judged(Outcome.ACCEPTED)
    table = {**MEANINGS, **{code: Outcome(word) for code, word in (configured or {}).items()}}
    errors = [one for one in answer.errors if not one.warning] or list(answer.errors)
    if not errors:
        return Judged(Outcome.TECHNICAL, "", "an answer of failure that names no error", known=False)
    judged = [Judged(table.get(e.code, Outcome.REFUSED), e.code, e.context, e.code in table) for e in errors]
    return min(judged, key=lambda one: _STRENGTH.index(one.outcome))


def judge_fault(fault: DmpFault, configured: Mapping[str, str] | None = None) -> Judged:
    """Tell what a fault means.

    No connection, time out, certificates and a refusal of the call itself (HTTP 4xx) meet every document alike; an
    answer that cannot be read, or a SOAP fault, may be that of one. A code that the tables have decides.
    """
    code = fault.code or fault.kind
    table = {**MEANINGS, **{name: Outcome(word) for name, word in (configured or {}).items()}}
    if fault.code in table:
        return Judged(table[fault.code], code, fault.text)
    alike = fault.kind in ("unreachable", "timeout", "tls", "refused") or fault.status in (502, 503, 504)
    return Judged(Outcome.OUTAGE if alike else Outcome.TECHNICAL, code, fault.text, known=not fault.code)


def build_response(answer: RegistryAnswer) -> etree._Element:
    """Write a RegistryResponse."""
    response = root("rs:RegistryResponse", status=f"{names.STATUS}{_WORDS[answer.status]}")
    build_errors(response, answer.errors)
    return response


def read_response(payload: etree._Element) -> RegistryAnswer:
    """Read a RegistryResponse. Raises WireError for another payload, or an unknown status."""
    if payload.tag != f"{{{names.RS}}}RegistryResponse":
        raise WireError("the SOAP body holds no RegistryResponse")
    return RegistryAnswer(read_status(payload), read_errors(payload))


def build_errors(parent: etree._Element, errors: tuple[RegistryError, ...]) -> None:
    """Write the errors of an answer, none when there are none."""
    if not errors:
        return
    listed = add(parent, "rs:RegistryErrorList")
    worst = "Error" if any(not one.warning for one in errors) else "Warning"
    listed.set("highestSeverity", f"{names.SEVERITY}{worst}")
    for one in errors:
        error = add(listed, "rs:RegistryError", errorCode=one.code, severity=f"{names.SEVERITY}{one.severity}")
        error.set("codeContext", one.context)
        error.set("location", one.location)


def read_status(payload: etree._Element) -> Answered:
    """Read the status of an answer. Raises WireError for one that is not known: it is never taken for a success."""
    word = payload.get("status", "").rpartition(":")[2]
    if word not in _STATUS:
        raise WireError("an answer without a status, or with one that is not known")
    return _STATUS[word]


def read_errors(payload: etree._Element) -> tuple[RegistryError, ...]:
    """Read the errors and warnings of an answer."""
    listed = child(payload, names.RS, "RegistryErrorList")
    found = [] if listed is None else list(listed.iterchildren(f"{{{names.RS}}}RegistryError"))[:_MOST]
    return tuple(
        RegistryError(
            one.get("errorCode", "").strip(),
            one.get("codeContext", "").strip() or (one.text or "").strip(),
            "Warning" if one.get("severity", "").endswith("Warning") else "Error",
            one.get("location", ""),
        )
        for one in found
    )
