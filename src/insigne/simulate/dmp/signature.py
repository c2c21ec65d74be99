"""Verifying signatures of XML (W3C XML-DSig; ETSI XAdES), with nothing but canonical XML and RSA.

Written for the simulator alone: what signs is another library, so that the two agree only if the standard is kept.
"""

import base64
import binascii
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from hashlib import new
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree

from insigne.simulate.dmp.names import DS, XADES

_MORE: Final = "http://www.w3.org/2001/04/xmldsig-more#"
_ENC: Final = "http://www.w3.org/2001/04/xmlenc#"
DIGESTS: Final = {
    f"{_ENC}sha256": "sha256",
    f"{_MORE}sha384": "sha384",
    f"{_ENC}sha512": "sha512",
    f"{DS}sha1": "sha1",
}
"""Algorithms of digests, by their names of hashlib."""

_METHODS: Final[dict[str, hashes.HashAlgorithm]] = {
    f"{_MORE}rsa-sha256": hashes.SHA256(),
    f"{_MORE}rsa-sha384": hashes.SHA384(),
    f"{_MORE}rsa-sha512": hashes.SHA512(),
    f"{DS}rsa-sha1": hashes.SHA1(),  # noqa: S303 - the algorithm of the public examples; accepted only when asked
}
_ENVELOPED: Final = f"{DS}enveloped-signature"
_EXCLUSIVE: Final = "http://www.w3.org/2001/10/xml-exc-c14n#"
_INCLUSIVE: Final = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
CANONICAL: Final = {
    _INCLUSIVE: (False, False),
    f"{_INCLUSIVE}#WithComments": (False, True),
    _EXCLUSIVE: (True, False),
    f"{_EXCLUSIVE}WithComments": (True, True),
}
"""Canonical forms: whether they are exclusive, whether they keep comments."""

_REFERENCES: Final = 16


class SignatureRefusedError(ValueError):
    """A signature that proves nothing. The text, in French, tells why."""


@dataclass(frozen=True, slots=True)
class Trust:
    """Whose signatures count: certificates of this authority with this common name. `sha1`: the old algorithms too."""

    authority: x509.Certificate
    signer: str
    sha1: bool = False


@dataclass(frozen=True, slots=True)
class Verified:
    """A signature in order: who signed, and the elements it covers."""

    certificate: x509.Certificate
    covered: tuple[etree._Element, ...]


def verify(signature: etree._Element, trust: Trust, now: datetime) -> Verified:
    """Verify a ds:Signature where it stands. Raises SignatureRefusedError."""
    info = _child(signature, "SignedInfo")
    certificate = _certificate(signature)
    _check_signer(certificate, trust, now)
    method = _algorithm(_child(info, "SignatureMethod"))
    canonical = _child(info, "CanonicalizationMethod")
    if method not in _METHODS or (method == f"{DS}rsa-sha1" and not trust.sha1):
        raise SignatureRefusedError("l’algorithme de signature n’est pas accepté")
    key = certificate.public_key()
    if not isinstance(key, rsa.RSAPublicKey):
        raise SignatureRefusedError("la clé du certificat signataire n’est pas une clé RSA")
    value = _base64(signature.findtext(f"{{{DS}}}SignatureValue"))
    try:
        key.verify(value, canonical_form(info, canonical), padding.PKCS1v15(), _METHODS[method])
    except InvalidSignature as error:
        raise SignatureRefusedError("la valeur de la signature ne vérifie pas") from error
    references = info.findall(f"{{{DS}}}Reference")
    if not 1 <= len(references) <= _REFERENCES:
        raise SignatureRefusedError(f"une signature a de 1 à {_REFERENCES} références")
    return Verified(certificate, tuple(_covered(reference, signature, trust) for reference in references))


def digest_of(holder: etree._Element, *, sha1: bool) -> tuple[str, bytes]:
    """Return what a ds:Reference, or a CertDigest of XAdES, says: the algorithm (hashlib), the digest.

    XAdES 1.1.1 has the two elements in its own namespace. Raises SignatureRefusedError.
    """
    method = holder.find("{*}DigestMethod")
    name = DIGESTS.get(_algorithm(method), "") if method is not None else ""
    if not name or (name == "sha1" and not sha1):
        raise SignatureRefusedError("l’algorithme d’empreinte manque ou n’est pas accepté")
    return name, _base64(holder.findtext("{*}DigestValue"))


def signing_certificate(signature: etree._Element, verified: Verified, *, sha1: bool) -> None:
    """Check the signed properties of XAdES: covered, with a time and the signer's certificate. Raises as `verify`."""
    for space in XADES:
        properties = signature.find(f".//{{{space}}}SignedProperties")
        if properties is not None:
            break
    else:
        raise SignatureRefusedError("les propriétés signées de XAdES manquent (SignedProperties)")
    if properties not in verified.covered:
        raise SignatureRefusedError("les propriétés signées de XAdES ne sont pas couvertes par la signature")
    signed = properties.find(f"{{{space}}}SignedSignatureProperties")
    if signed is None or not (signed.findtext(f"{{{space}}}SigningTime") or "").strip():
        raise SignatureRefusedError("la date de signature (SigningTime) manque")
    for name in ("SigningCertificate", "SigningCertificateV2"):
        stated = signed.find(f"{{{space}}}{name}/{{{space}}}Cert/{{{space}}}CertDigest")
        if stated is not None:
            algorithm, value = digest_of(stated, sha1=sha1)
            der = verified.certificate.public_bytes(Encoding.DER)
            if new(algorithm, der, usedforsecurity=False).digest() == value:
                return
            raise SignatureRefusedError("le certificat annoncé par XAdES n’est pas celui qui signe")
    raise SignatureRefusedError("XAdES n’annonce pas le certificat qui signe (SigningCertificate)")


def _check_signer(certificate: x509.Certificate, trust: Trust, now: datetime) -> None:
    if not _issued(certificate, trust.authority):
        raise SignatureRefusedError("le certificat signataire n’est pas de l’autorité de confiance")
    if not certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc:
        raise SignatureRefusedError("le certificat signataire n’est pas en cours de validité")
    names = [attribute.value for attribute in certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)]
    if names != [trust.signer]:
        raise SignatureRefusedError(f"le certificat signataire n’est pas {trust.signer}")


@lru_cache(maxsize=64)
def _issued(certificate: x509.Certificate, authority: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(authority)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _covered(reference: etree._Element, signature: etree._Element, trust: Trust) -> etree._Element:
    """Verify a reference to an element of the document and return that element."""
    uri = reference.get("URI")
    root = signature.getroottree().getroot()
    if uri == "":
        found = [root]
    elif uri and uri.startswith("#"):
        found = [one for one in root.iter(etree.Element) if uri[1:] in (one.get("ID"), one.get("Id"), one.get("id"))]
    else:
        raise SignatureRefusedError("une référence signée sort du document")
    if len(found) != 1:
        raise SignatureRefusedError("une référence signée ne désigne pas un élément et un seul")
    name, stated = digest_of(reference, sha1=trust.sha1)
    if new(name, _transformed(found[0], reference, signature), usedforsecurity=False).digest() != stated:
        raise SignatureRefusedError("l’empreinte d’une référence ne vérifie pas : le contenu a changé")
    return found[0]


def _transformed(element: etree._Element, reference: etree._Element, signature: etree._Element) -> bytes:
    transforms = reference.findall(f"{{{DS}}}Transforms/{{{DS}}}Transform")
    canonical: etree._Element | None = None
    enveloped = False
    for transform in transforms:
        name = _algorithm(transform)
        if name == _ENVELOPED and not enveloped and signature in element.iter(f"{{{DS}}}Signature"):
            enveloped = True
        elif name in CANONICAL and canonical is None:
            canonical = transform
        else:
            raise SignatureRefusedError("une transformation n’est pas acceptée")
    if not enveloped:
        return canonical_form(element, canonical)
    with _taken_out(signature):
        return canonical_form(element, canonical)


@contextmanager
def _taken_out(signature: etree._Element) -> Iterator[None]:
    """Take a signature out of its document for a while, leaving the text that follows it."""
    parent = signature.getparent()
    if parent is None:
        raise SignatureRefusedError("une signature enveloppée n’a pas d’enveloppe")
    place, tail = parent.index(signature), signature.tail
    before = signature.getprevious()
    text = parent.text if before is None else before.tail
    signature.tail = None
    _follow(parent, before, f"{text or ''}{tail or ''}" or None)
    parent.remove(signature)
    try:
        yield
    finally:
        parent.insert(place, signature)
        _follow(parent, before, text)
        signature.tail = tail


def _follow(parent: etree._Element, before: etree._Element | None, text: str | None) -> None:
    """Set the text that follows a child, or that begins its parent."""
    if before is None:
        parent.text = text
    else:
        before.tail = text


def canonical_form(element: etree._Element | etree._ElementTree, method: etree._Element | None) -> bytes:
    """Canonicalise an element, or a document with what surrounds its root; without a method, as W3C says: inclusive."""
    exclusive, comments = CANONICAL.get(_INCLUSIVE if method is None else _algorithm(method), (None, False))
    if exclusive is None:
        raise SignatureRefusedError("la forme canonique n’est pas acceptée")
    listed = method.find(f"{{{_EXCLUSIVE}}}InclusiveNamespaces") if method is not None else None
    prefixes = (listed.get("PrefixList") or "").split() if listed is not None else None
    return etree.tostring(
        _alone(element) if isinstance(element, etree._Element) else element,
        method="c14n",
        exclusive=exclusive,
        with_comments=comments,
        inclusive_ns_prefixes=prefixes,
    )


def _alone(element: etree._Element) -> etree._Element:
    """Copy an element to a document of its own, with the namespaces in scope where it stood.

    Canonicalised where it stands, lxml gives the grandchildren of an element in a default namespace an `xmlns=""`.
    """
    copied = etree.Element(element.tag, dict(element.attrib), nsmap=element.nsmap)
    copied.text = element.text
    copied.extend(deepcopy(child) for child in element)
    return copied


def _certificate(signature: etree._Element) -> x509.Certificate:
    text = signature.findtext(f"{{{DS}}}KeyInfo/{{{DS}}}X509Data/{{{DS}}}X509Certificate")
    try:
        return x509.load_der_x509_certificate(_base64(text))
    except ValueError as error:
        raise SignatureRefusedError("le certificat signataire manque (ds:X509Certificate) ou est illisible") from error


def _child(parent: etree._Element, name: str) -> etree._Element:
    found = parent.find(f"{{{DS}}}{name}")
    if found is None:
        raise SignatureRefusedError(f"ds:{name} manque")
    return found


def _algorithm(element: etree._Element) -> str:
    return element.get("Algorithm") or ""


def _base64(text: str | None) -> bytes:
    try:
        return base64.b64decode("".join((text or "").split()), validate=True)
    except binascii.Error as error:
        raise SignatureRefusedError("une valeur n’est pas en base64") from error
