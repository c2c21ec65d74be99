"""Building a CDA R2 level 1: the header from the registry and a description, the PDF inside.

Only the header is held as a tree; the document itself goes from file to file in pieces.
"""

import base64
from typing import BinaryIO, Final

from lxml import etree

from insigne.documents.cda import terms
from insigne.documents.cda.description import Description
from insigne.documents.cda.parts import add, authenticator, author, custodian, event, stay, timestamp
from insigne.documents.cda.patient import patient
from insigne.documents.entitlement import entitled_ins
from insigne.documents.errors import DocumentError
from insigne.documents.symbol import payload_of
from insigne.ins.cog import Cog
from insigne.registry.state import Identity

_BODY: Final = "@BODY@"
_START: Final = 1024
"""Bytes among which readers look for the signature of a PDF."""
_PIECE: Final = 57 * 1024
"""Bytes read at once, a multiple of three: pieces of base64 follow each other without padding."""


def write_cda(
    pdf: BinaryIO, target: BinaryIO, identity: Identity, description: Description, environment: str, cog: Cog
) -> None:
    """Write the CDA document of an identity that carries a PDF.

    `description.id` is set: the caller gives one to a document that has none. `cog` names the birthplace. Raises
    NotEntitledError when the identity is not qualified, since a shared document needs the INS and its five traits;
    DocumentError for what is not a PDF.
    """
    before, after = header(identity, description, environment, cog)
    piece = pdf.read(_PIECE)
    if b"%PDF-" not in piece[:_START]:
        raise DocumentError("format", "this is not a PDF", "ce n’est pas un PDF")
    target.write(before)
    while piece:
        target.write(base64.b64encode(piece))
        piece = pdf.read(_PIECE)
    target.write(after)


def header(identity: Identity, description: Description, environment: str, cog: Cog) -> tuple[bytes, bytes]:
    """Return what stands before and after the base64 text of the body."""
    ins = entitled_ins(identity, environment)
    payload_of(identity, environment)  # traits that no Data Matrix can hold are not those of a health identity either
    if not description.id:
        raise DocumentError("id", "the document has no id: give it an OID", "le document n’a pas d’identifiant (OID)")
    root = etree.Element(f"{{{terms.CDA}}}ClinicalDocument", nsmap={None: terms.CDA, "xsi": terms.XSI})
    _document(root, description)
    patient(add(root, "recordTarget"), identity, ins, cog)
    organization = description.author.organization or description.custodian
    if organization is None:
        raise DocumentError(
            "organization", "the author has no organization", "la structure de l’auteur n’est pas donnée"
        )
    author(add(root, "author"), description.author, organization, description.time)
    custodian(add(root, "custodian"), description.custodian or organization)
    authenticator(root, description.legal_authenticator or description.author, description.time)
    event(add(root, "documentationOf"), description, organization)
    if description.replaces:
        parent = add(add(root, "relatedDocument", typeCode="RPLC"), "parentDocument")
        add(parent, "id", root=description.replaces)
    stay(add(root, "componentOf"), description, organization)
    body = add(add(root, "component"), "nonXMLBody")
    add(body, "text", _BODY, mediaType="application/pdf", representation="B64")
    before, _, after = etree.tostring(root, encoding="UTF-8", xml_declaration=True).rpartition(_BODY.encode())
    return before, after


def _document(root: etree._Element, description: Description) -> None:
    known = terms.DOCUMENT_TYPES.get(description.code)
    add(root, "realmCode", code="FR")
    add(root, "typeId", root=terms.TYPE_ID[0], extension=terms.TYPE_ID[1])
    for template in (*terms.TEMPLATES, terms.UNSTRUCTURED):
        add(root, "templateId", root=template)
    add(root, "id", root=description.id)
    add(
        root,
        "code",
        code=description.code,
        displayName=description.code_name or (known.name if known else description.title),
        codeSystem=description.code_system or (known.system if known else terms.LOINC),
    )
    add(root, "title", description.title)
    add(root, "effectiveTime", value=timestamp(description.time))
    add(
        root,
        "confidentialityCode",
        code=description.confidentiality,
        displayName=terms.CONFIDENTIALITIES.get(description.confidentiality, description.confidentiality),
        codeSystem=terms.CONFIDENTIALITY,
    )
    add(root, "languageCode", code="fr-FR")
    add(root, "setId", root=description.set_id or description.id)
    add(root, "versionNumber", value=str(description.version))
