"""The signature of a lot (IHE DSG, XAdES): its manifest names the lot and every document, with their digests.

Source: IHE DSG; GIE SESAM-Vitale, « DMP_LPS exemple de messages », TD2.1. A document counts by its bytes, or by its
canonical form when the reference has that transformation.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from hashlib import new
from typing import Final

from lxml import etree

from insigne.simulate.dmp import names
from insigne.simulate.dmp.metadata import Submitted
from insigne.simulate.dmp.mime import Content
from insigne.simulate.dmp.names import DS
from insigne.simulate.dmp.problems import SIGNATURE, Problem
from insigne.simulate.dmp.signature import (
    SignatureRefusedError,
    Trust,
    canonical_form,
    digest_of,
    signing_certificate,
    verify,
)
from insigne.simulate.dmp.soap import NotSoapError, parse_xml

_MAX_SIGNATURE: Final = 1 << 20


def check_seal(submitted: Submitted, trust: Trust, now: datetime) -> Iterator[Problem]:
    """Yield what is wrong with the signature of a lot."""
    entry = submitted.signature
    content = submitted.lot.documents.get(entry.id) if entry else None
    if entry is None or content is None:
        return  # told already with the metadata
    if submitted.submission.id not in submitted.lot.linked(names.SIGNS, entry.id):
        yield Problem(SIGNATURE, "L’association « signs » de la signature vers le lot manque", entry.id)
    try:
        manifest = _manifest(content, trust, now)
        _check_manifest(manifest, submitted, trust)
    except (SignatureRefusedError, NotSoapError) as error:
        yield Problem(SIGNATURE, f"La signature du lot est refusée : {error}", entry.id)


def _manifest(content: Content, trust: Trust, now: datetime) -> Mapping[str, etree._Element]:
    """Verify a signature and return the references of its manifest, by what they designate."""
    if content.size > _MAX_SIGNATURE:
        raise SignatureRefusedError("elle est trop grosse")
    root = parse_xml(content.whole())
    signature = root if root.tag == f"{{{DS}}}Signature" else root.find(f".//{{{DS}}}Signature")
    if signature is None:
        raise SignatureRefusedError("ce n’est pas une signature (ds:Signature)")
    verified = verify(signature, trust, now)
    signing_certificate(signature, verified, sha1=trust.sha1)
    found = [one for one in verified.covered if one.tag == f"{{{DS}}}Manifest"]
    if len(found) != 1:
        raise SignatureRefusedError("elle ne couvre pas un manifeste et un seul (ds:Manifest)")
    return {(one.get("URI") or "").removeprefix("urn:oid:"): one for one in found[0].iterfind(f"{{{DS}}}Reference")}


def _check_manifest(manifest: Mapping[str, etree._Element], submitted: Submitted, trust: Trust) -> None:
    if submitted.submission.externals.get(names.SET_UNIQUE, "") not in manifest:
        raise SignatureRefusedError("le manifeste ne nomme pas le lot (urn:oid: et son uniqueId)")
    for entry in submitted.documents:
        reference = manifest.get(entry.externals.get(names.UNIQUE, ""))
        document = submitted.lot.documents.get(entry.id)
        if reference is None:
            raise SignatureRefusedError("le manifeste ne nomme pas un document du lot")
        if document is not None and not _agrees(document, reference, trust):
            raise SignatureRefusedError("l’empreinte d’un document n’est pas celle du manifeste")


def _agrees(document: Content, reference: etree._Element, trust: Trust) -> bool:
    algorithm, stated = digest_of(reference, sha1=trust.sha1)
    transforms = reference.findall(f"{{{DS}}}Transforms/{{{DS}}}Transform")
    if len(transforms) > 1:
        raise SignatureRefusedError("une transformation n’est pas acceptée")
    if not transforms:
        return document.digest(algorithm) == stated
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=True)
    try:
        for piece in document.pieces():
            parser.feed(piece)
        tree = parser.close().getroottree()
    except etree.XMLSyntaxError as error:
        raise SignatureRefusedError("un document signé n’est pas du XML bien formé") from error
    return new(algorithm, canonical_form(tree, transforms[0]), usedforsecurity=False).digest() == stated
