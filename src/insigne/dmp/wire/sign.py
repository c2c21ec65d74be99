"""Signatures of ORG_SIGN: enveloped in the VIHF (XML-DSig, exclusive canonicalisation), and the XAdES one of a lot.

The lot's is the profile IHE DSG as the DMP has it in its examples (XAdES 1.1.1): a Manifest names the lot, with a
digest that means nothing, and each document by its unique id, with the digest of its canonical form.
"""

import base64
import hashlib
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree
from signxml.algorithms import CanonicalizationMethod, DigestAlgorithm, SignatureConstructionMethod, SignatureMethod
from signxml.signer import XMLSigner

from insigne.dmp.security import SignatureAlgorithm
from insigne.dmp.wire import names
from insigne.dmp.wire.lexical import instant

Algorithm = SignatureAlgorithm

XADES: Final = "http://uri.etsi.org/01903/v1.1.1#"
C14N: Final = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315#WithComments"
MANIFEST: Final = "IHEManifest"
PROPERTIES: Final = "S0-SignedProperties"
LOT_DIGEST: Final = "AA=="
"""What stands for a digest of the lot, which is no document."""

DIGESTS: Final[dict[Algorithm, DigestAlgorithm]] = {
    "rsa-sha256": DigestAlgorithm.SHA256,
    "rsa-sha1": DigestAlgorithm.SHA1,
}
_METHODS: Final[dict[Algorithm, SignatureMethod]] = {
    "rsa-sha256": SignatureMethod.RSA_SHA256,
    "rsa-sha1": SignatureMethod.RSA_SHA1,
}
_HASHES: Final[dict[Algorithm, tuple[str, type[hashes.SHA1 | hashes.SHA256]]]] = {
    "rsa-sha256": ("sha256", hashes.SHA256),
    "rsa-sha1": ("sha1", hashes.SHA1),
}


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key with its certificate, the intermediates after it."""

    key: RSAPrivateKey
    certificates: tuple[x509.Certificate, ...]

    @property
    def subject(self) -> str:
        """The distinguished name of its holder, as RFC 4514 writes it."""
        return self.certificates[0].subject.rfc4514_string()


class _Signer(XMLSigner):
    """signxml, which refuses SHA-1 unless told: the older examples of the DMP have nothing else."""

    def check_deprecated_methods(self) -> None:
        """Let SHA-1 be chosen by the settings."""


def sign_enveloped(element: etree._Element, key: SigningKey, algorithm: Algorithm) -> etree._Element:
    """Sign an element that has an `ID`, where its `ds:Signature` placeholder stands. Returns the element, signed."""
    signer = _Signer(
        method=SignatureConstructionMethod.enveloped,
        signature_algorithm=_METHODS[algorithm],
        digest_algorithm=DIGESTS[algorithm],
        c14n_algorithm=CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0,
    )
    return signer.sign(element, key=key.key, cert=list(key.certificates[:1]), id_attribute="ID")


def new_digest(algorithm: Algorithm) -> "hashlib._Hash":
    """Return the digest that goes with an algorithm, empty."""
    return hashlib.new(_HASHES[algorithm][0])


def sign_lot(
    documents: Sequence[tuple[str, bytes]],
    *,
    lot_id: str,
    signature_id: str,
    key: SigningKey,
    algorithm: Algorithm,
    now: datetime,
) -> bytes:
    """Return the signature of a lot, a document of its own.

    `documents` are unique ids with the digests of the canonical forms; `lot_id` and the unique ids are OIDs,
    `signature_id` any XML id.
    """
    signature = etree.Element(_ds("Signature"), nsmap={None: names.DSIG})
    signature.set("Id", signature_id)
    info = etree.SubElement(signature, _ds("SignedInfo"))
    value = etree.SubElement(signature, _ds("SignatureValue"))
    data = etree.SubElement(etree.SubElement(signature, _ds("KeyInfo")), _ds("X509Data"))
    etree.SubElement(data, _ds("X509Certificate")).text = _certificate(key.certificates[0])
    manifest = etree.SubElement(etree.SubElement(signature, _ds("Object")), _ds("Manifest"), Id=MANIFEST)
    _reference(manifest, f"urn:oid:{lot_id}", algorithm, LOT_DIGEST)
    for unique_id, digest in documents:
        _reference(manifest, f"urn:oid:{unique_id}", algorithm, base64.b64encode(digest).decode(), transformed=True)
    properties = etree.SubElement(etree.SubElement(signature, _ds("Object")), _ds("SignatureProperties"))
    purpose = etree.SubElement(properties, _ds("SignatureProperty"), Id="purposeOfSignature", Target=f"#{signature_id}")
    purpose.text = names.SIGNATURE_PURPOSE
    signed = _properties(signature, key, algorithm, now)
    etree.SubElement(info, _ds("CanonicalizationMethod"), Algorithm=C14N)
    etree.SubElement(info, _ds("SignatureMethod"), Algorithm=_METHODS[algorithm].value)
    for element, kind in ((manifest, f"{names.DSIG}Manifest"), (signed, f"{XADES}SignedProperties")):
        found = new_digest(algorithm)
        found.update(_canonical(element))
        _reference(info, f"#{element.get('Id')}", algorithm, base64.b64encode(found.digest()).decode(), kind=kind)
    proof = key.key.sign(_canonical(info), PKCS1v15(), _HASHES[algorithm][1]())
    value.text = base64.b64encode(proof).decode()
    return etree.tostring(signature, encoding="UTF-8", xml_declaration=True)


def _properties(signature: etree._Element, key: SigningKey, algorithm: Algorithm, now: datetime) -> etree._Element:
    """Add what XAdES has signed beside: when, with which certificate, under no policy of its own."""
    holder = etree.SubElement(signature, _ds("Object"))
    qualifying = etree.SubElement(holder, f"{{{XADES}}}QualifyingProperties", nsmap={None: XADES})
    qualifying.set("Target", f"#{signature.get('Id')}")
    signed = _xades(qualifying, "SignedProperties")
    signed.set("Id", PROPERTIES)
    about = _xades(signed, "SignedSignatureProperties")
    _xades(about, "SigningTime").text = instant(now)
    listed = _xades(about, "SigningCertificate")
    for certificate in key.certificates:
        cert = _xades(listed, "Cert")
        digest = _xades(cert, "CertDigest")
        _xades(digest, "DigestMethod").set("Algorithm", DIGESTS[algorithm].value)
        fingerprint = certificate.fingerprint(_HASHES[algorithm][1]())
        _xades(digest, "DigestValue").text = base64.b64encode(fingerprint).decode()
        serial = _xades(cert, "IssuerSerial")
        issuer = etree.SubElement(serial, _ds("X509IssuerName"), nsmap={None: names.DSIG})
        issuer.text = certificate.issuer.rfc4514_string()
        number = etree.SubElement(serial, _ds("X509SerialNumber"), nsmap={None: names.DSIG})
        number.text = str(certificate.serial_number)
    _xades(_xades(about, "SignaturePolicyIdentifier"), "SignaturePolicyImplied")
    _xades(signed, "SignedDataObjectProperties")
    return signed


def _reference(
    parent: etree._Element, uri: str, algorithm: Algorithm, digest: str, *, transformed: bool = False, kind: str = ""
) -> None:
    reference = etree.SubElement(parent, _ds("Reference"), {"Type": kind, "URI": uri} if kind else {"URI": uri})
    if transformed:
        transforms = etree.SubElement(reference, _ds("Transforms"))
        etree.SubElement(transforms, _ds("Transform"), Algorithm=C14N)
    etree.SubElement(reference, _ds("DigestMethod"), Algorithm=DIGESTS[algorithm].value)
    etree.SubElement(reference, _ds("DigestValue")).text = digest


def _canonical(element: etree._Element) -> bytes:
    """Canonicalise a part of a document, whose namespaces in scope are its own.

    On a copy that stands alone: libxml2 undeclares the default namespace in the canonical form of what lxml cuts out.
    """
    return etree.tostring(deepcopy(element), method="c14n", with_comments=True)


def _certificate(certificate: x509.Certificate) -> str:
    return base64.b64encode(certificate.public_bytes(Encoding.DER)).decode()


def _ds(name: str) -> str:
    return f"{{{names.DSIG}}}{name}"


def _xades(parent: etree._Element, name: str) -> etree._Element:
    return etree.SubElement(parent, f"{{{XADES}}}{name}")
