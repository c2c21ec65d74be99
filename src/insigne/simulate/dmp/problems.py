"""What a registry answers: success, or errors by code (IHE ITI TF-3, 4.2.4; GIE SESAM-Vitale).

Codes that begin with Simu are the simulator's own: the official list (annex A7-1 of SEL-MP-037) is not public.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from html import escape
from typing import Final

from insigne.simulate.dmp.names import QUERY, RIM, RS

DUPLICATE: Final = "XDSDuplicateUniqueIdInRegistry"
TWICE: Final = "XDSRegistryDuplicateUniqueIdInMessage"
OTHER_CONTENT: Final = "XDSNonIdenticalHash"
OTHER_SIZE: Final = "XDSNonIdenticalSize"
OTHER_PATIENT: Final = "XDSPatientIdDoesNotMatch"
UNKNOWN_PATIENT: Final = "XDSUnknownPatientId"
METADATA: Final = "XDSRegistryMetadataError"
DOCUMENT_METADATA: Final = "XDSRepositoryMetadataError"
NO_DOCUMENT: Final = "XDSMissingDocument"
NO_METADATA: Final = "XDSMissingDocumentMetadata"
DEPRECATED: Final = "XDSRegistryDeprecatedDocumentError"
UNRESOLVED: Final = "UnresolvedReferenceException"
NO_PARAMETER: Final = "XDSStoredQueryMissingParam"
UNKNOWN_QUERY: Final = "XDSUnknownStoredQuery"
UPDATE: Final = "XDSMetadataUpdateError"
CLOSED: Final = "DMPClosed"
TRAITS: Final = "SimuTraits"
SIGNATURE: Final = "SimuSignature"
RIGHTS: Final = "SimuDroits"

_STATUS: Final = "urn:oasis:names:tc:ebxml-regrep:ResponseStatusType:"
_ERROR: Final = "urn:oasis:names:tc:ebxml-regrep:ErrorSeverityType:Error"


@dataclass(frozen=True, slots=True)
class Problem:
    """One error: code, sentence in French that names the datum, its place in the message."""

    code: str
    text: str
    location: str = ""


def registry_response(problems: Iterable[Problem]) -> str:
    """Write the RegistryResponse: Success without problems, else Failure."""
    listed = _errors(problems)
    status = f"{_STATUS}{'Failure' if listed else 'Success'}"
    return f'<rs:RegistryResponse xmlns:rs="{RS}" status="{status}">{listed}</rs:RegistryResponse>'


def query_response(objects: str, problems: Iterable[Problem] = ()) -> str:
    """Write the AdhocQueryResponse; `objects` is XML of what was found."""
    listed = _errors(problems)
    status = f"{_STATUS}{'Failure' if listed else 'Success'}"
    return (
        f'<query:AdhocQueryResponse xmlns:query="{QUERY}" xmlns:rs="{RS}" xmlns:rim="{RIM}" status="{status}">'
        f"{listed}<rim:RegistryObjectList>{objects}</rim:RegistryObjectList></query:AdhocQueryResponse>"
    )


def _errors(problems: Iterable[Problem]) -> str:
    listed = "".join(
        f'<rs:RegistryError errorCode="{escape(one.code)}" codeContext="{escape(one.text)}" severity="{_ERROR}"'
        f' location="{escape(one.location)}"/>'
        for one in problems
    )
    return f'<rs:RegistryErrorList highestSeverity="{_ERROR}">{listed}</rs:RegistryErrorList>' if listed else ""
