"""Names of the wire: namespaces, SOAP actions, media type (WSDL DESIR_ICIR_EXP 1.5.0)."""

from typing import Final

from insigne.insi.wire.model import Operation

SOAP: Final = "http://www.w3.org/2003/05/soap-envelope"
ADDRESSING: Final = "http://www.w3.org/2005/08/addressing"
SECURITY: Final = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
SAML: Final = "urn:oasis:names:tc:SAML:2.0:assertion"
BAM: Final = "urn:siram:bam:ctxbam"
LPS: Final = "urn:siram:lps:ctxlps"
ERROR: Final = "urn:siram"
SEARCH: Final = "http://www.cnamts.fr/INSiRecSans"
VITALE: Final = "http://www.cnamts.fr/INSiRecVit"
RESULT: Final = "http://www.cnamts.fr/INSiResultat"

MEDIA_TYPE: Final = "application/soap+xml"

ACTIONS: Final[dict[Operation, str]] = {
    "search": "urn:ServiceIdentiteCertifiee:1.0.0:rechercherInsAvecTraitsIdentite",
    "vitale": "urn:ServiceIdentiteCertifiee:1.0.0:rechercherInsAvecCarteVitale",
}
OPERATIONS: Final[dict[str, Operation]] = {action: operation for operation, action in ACTIONS.items()}


def content_type(operation: Operation) -> str:
    """Return the Content-Type of a call, with its `action` parameter (RFC 3902)."""
    return f'{MEDIA_TYPE}; charset=utf-8; action="{ACTIONS[operation]}"'
