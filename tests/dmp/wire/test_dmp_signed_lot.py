"""The signature of a lot: what it names, what it digests, and that independent software finds it right."""

import base64
import hashlib
import io
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from insigne.dmp.wire.cda import canonical_digest, measure, rewrite
from insigne.dmp.wire.model import WireError
from insigne.dmp.wire.sign import new_digest, sign_lot

NS = {"ds": "http://www.w3.org/2000/09/xmldsig#", "xades": "http://uri.etsi.org/01903/v1.1.1#"}
LOT, DOCUMENT = "1.2.250.1.999.1.5.1", "1.2.250.1.999.1.7.42"


def canonical(document):
    """C14N with comments of a whole document, by lxml alone."""
    tree = etree.fromstring(document, etree.XMLParser(huge_tree=True)).getroottree()
    return etree.tostring(tree, method="c14n", with_comments=True)


class Slow(io.BytesIO):
    """A document that is read so many bytes at a time."""

    def __init__(self, document, piece):
        super().__init__(document)
        self._piece = piece

    def read(self, size=-1):
        return super().read(min(size, self._piece))


def digest(document, algorithm="rsa-sha256", piece=1 << 20):
    stream = Slow(document, piece)
    return canonical_digest(measure(stream), stream, new_digest(algorithm))


@pytest.fixture
def signed(key, made):
    def sign(algorithm="rsa-sha256", document=b""):
        return sign_lot(
            ((DOCUMENT, digest(document or made.cda(), algorithm)),),
            lot_id=LOT,
            signature_id="id-1",
            key=key,
            algorithm=algorithm,
            now=made.now,
        )

    return sign


def test_it_names_the_lot_and_digests_the_canonical_form_of_the_document(signed, made):
    root = etree.fromstring(signed())
    lot, document = root.findall("ds:Object/ds:Manifest[@Id='IHEManifest']/ds:Reference", NS)
    assert lot.get("URI") == f"urn:oid:{LOT}"
    assert lot.findtext("ds:DigestValue", namespaces=NS) == "AA=="  # a lot has no bytes to digest
    assert document.get("URI") == f"urn:oid:{DOCUMENT}"
    expected = base64.b64encode(hashlib.sha256(canonical(made.cda())).digest()).decode()
    assert document.findtext("ds:DigestValue", namespaces=NS) == expected
    transform = document.find("ds:Transforms/ds:Transform", NS).get("Algorithm")
    assert transform == "http://www.w3.org/TR/2001/REC-xml-c14n-20010315#WithComments"


def test_the_digest_is_that_of_another_canonicaliser(made):
    unused = b' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'  # which C14N 2.0 would leave out
    assert unused in made.cda()
    document = made.cda().replace(unused, b"")
    other = ElementTree.canonicalize(document.decode(), with_comments=True).encode()
    assert digest(document) == hashlib.sha256(other).digest()


def test_it_is_a_signature_of_the_source_made_now_with_our_certificate(signed, key):
    root = etree.fromstring(signed())
    assert root.findtext(".//ds:SignatureProperty", namespaces=NS) == "1.2.840.10065.1.12.1.14"
    assert root.findtext(".//xades:SigningTime", namespaces=NS) == "2026-03-02T09:30:15.000Z"
    assert root.findtext(".//ds:X509SerialNumber", namespaces=NS) == str(key.certificates[0].serial_number)
    covered = [one.get("URI") for one in root.findall("ds:SignedInfo/ds:Reference", NS)]
    assert covered == ["#IHEManifest", "#S0-SignedProperties"]


@pytest.mark.parametrize("algorithm", ["rsa-sha256", "rsa-sha1"])
def test_it_is_right_for_xmlsec(signed, xmlsec_says, algorithm):
    assert xmlsec_says(signed(algorithm), "Id") == ""


def test_it_does_not_hold_once_another_document_is_named(signed, xmlsec_says):
    assert "refused" in xmlsec_says(signed().replace(DOCUMENT.encode(), b"1.2.250.1.999.1.7.43"), "Id")


def test_a_long_body_is_digested_without_being_held(made):
    document = made.cda(pdf=b"%PDF-1.4\n" + b"\x00\x7f\xff" * 300_000)
    measured = measure(io.BytesIO(document))
    ((start, end),) = measured.runs
    assert end - start > 1_000_000
    assert len(etree.tostring(measured.root)) < 10_000
    assert (measured.sha1, measured.size) == (hashlib.sha1(document).hexdigest(), len(document))
    assert digest(document) == hashlib.sha256(canonical(document)).digest()


@given(
    st.lists(st.sampled_from(["A" * 76, "\r\n", "\n", "\r", "B" * 5000, "/+=", " ", "\t", "<!-- x -->"]), max_size=60),
    st.integers(1, 7000),
)
def test_the_digest_is_that_of_the_canonical_form_whatever_the_lines_of_the_body(parts, piece):
    document = (
        '<?xml version="1.0"?>\r\n<!-- before -->\n<ClinicalDocument xmlns="urn:hl7-org:v3"  a="1">'
        f"<title>é &amp; &lt; {'z' * 5000}</title><text b='2'\n a='1'>{''.join(parts)}</text>"
        "</ClinicalDocument>\n<?p i?>"
    ).encode()
    assert digest(document, piece=piece) == hashlib.sha256(canonical(document)).digest()


@given(st.binary(min_size=3, max_size=30), st.sampled_from([b"", b"\r\n", b"\n"]))
def test_a_header_is_written_again_around_a_body_that_is_copied(noise, end):
    text = base64.b64encode(noise * 2000) + end
    source = io.BytesIO(b'<ClinicalDocument xmlns="urn:hl7-org:v3"><id/><text>' + text + b"</text></ClinicalDocument>")
    measured = measure(source)
    measured.root.find("{urn:hl7-org:v3}id").set("root", "1.2")
    target = io.BytesIO()
    rewrite(measured, source, target)
    written = etree.fromstring(target.getvalue())
    assert written.find("{urn:hl7-org:v3}id").get("root") == "1.2"
    assert b"<text>" + text + b"</text>" in target.getvalue()


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        (b"<!DOCTYPE x [<!ENTITY e 'y'>]><ClinicalDocument xmlns='urn:hl7-org:v3'>&e;</ClinicalDocument>", "DOCTYPE"),
        (b"<ClinicalDocument/>", "not a CDA"),
        (b"<ClinicalDocument xmlns='urn:hl7-org:v3'>", "well-formed"),
        (b"<ClinicalDocument xmlns='urn:hl7-org:v3'>@INSIGNE:RUN:0@</ClinicalDocument>", "mark"),
        (b"<ClinicalDocument xmlns='urn:hl7-org:v3' a='>" + b"A" * 5000 + b"'/>", "attribute"),
        (b"<?xml version='1.0' encoding='ISO-8859-1'?><ClinicalDocument xmlns='urn:hl7-org:v3'/>", "UTF-8"),
        (b"", "well-formed"),
    ],
    ids=["doctype", "namespace", "cut", "mark", "attribute", "charset", "empty"],
)
def test_a_document_that_cannot_be_measured_is_refused_with_the_reason(document, reason):
    with pytest.raises(WireError, match=reason):
        measure(io.BytesIO(document))
