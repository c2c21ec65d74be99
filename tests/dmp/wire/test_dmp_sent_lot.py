"""What the client sends to feed the DMP, read by a MIME parser and XPaths of the test's own, then by zeep's reader."""

import hashlib
import io
import tracemalloc
from pathlib import Path

import pytest
from lxml import etree
from requests_toolbelt.multipart.decoder import MultipartDecoder
from zeep.wsdl.attachments import MessagePack  # the reader of MTOM of another SOAP stack

from insigne.dmp import lots
from insigne.dmp.client import DmpClient
from insigne.dmp.model import Flags, Sender
from insigne.dmp.settings_wire import CallerSettings
from insigne.dmp.wire import codes
from insigne.dmp.wire.lot import shown
from insigne.dmp.wire.model import Ins, WireError

NS = {
    "soap": "http://www.w3.org/2003/05/soap-envelope",
    "wsa": "http://www.w3.org/2005/08/addressing",
    "wsse": "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd",
    "saml": "urn:oasis:names:tc:SAML:2.0:assertion",
    "xdsb": "urn:ihe:iti:xds-b:2007",
    "lcm": "urn:oasis:names:tc:ebxml-regrep:xsd:lcm:3.0",
    "rim": "urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0",
    "xop": "http://www.w3.org/2004/08/xop/include",
    "ds": "http://www.w3.org/2000/09/xmldsig#",
}
SUCCESS = (
    b'<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body>'
    b'<r:RegistryResponse xmlns:r="urn:oasis:names:tc:ebxml-regrep:xsd:rs:3.0" '
    b'status="urn:oasis:names:tc:ebxml-regrep:ResponseStatusType:Success"/></s:Body></s:Envelope>'
)
CX = "279035121518989^^^&1.2.250.1.213.1.4.10&ISO^NH"
LEROUX = "810012345678^LEROUX^Anne^^^^^^&1.2.250.1.71.4.2.1&ISO^D^^^IDNPS"


def parts_of(headers, body):
    """Split a multipart/related message by hand: [(headers, content)], the first the envelope."""
    boundary = headers["Content-Type"].split('boundary="')[1].split('"')[0].encode()
    chunks = (b"\r\n" + body).split(b"\r\n--" + boundary)
    assert chunks[0] == b""
    assert chunks[-1] == b"--\r\n"
    found = []
    for chunk in chunks[1:-1]:
        head, content = chunk.removeprefix(b"\r\n").split(b"\r\n\r\n", 1)
        lines = (line.split(": ", 1) for line in head.decode().split("\r\n"))
        found.append((dict(lines), content))
    return found


class Sent:
    """A request that the server received, taken apart."""

    def __init__(self, request):
        self.path, self.headers, self.body = request
        self.parts = parts_of(self.headers, self.body)
        self.envelope = etree.fromstring(self.parts[0][1])
        self.by_id = {head["Content-ID"].strip("<>"): content for head, content in self.parts}

    def at(self, path, start=None):
        found = (self.envelope if start is None else start).findall(path, NS)
        assert len(found) == 1, path
        return found[0]

    def included(self, entry):
        """The bytes that an entry's xop:Include leads to."""
        include = self.at(f".//xdsb:Document[@id='{entry}']/xop:Include")
        return self.by_id[include.get("href").removeprefix("cid:")]


def slots(element):
    return {
        slot.get("name"): [value.text for value in slot.findall("rim:ValueList/rim:Value", NS)]
        for slot in element.findall("rim:Slot", NS)
    }


def coded(element, scheme):
    """(code, coding scheme, label) of each classification by a scheme."""
    return [
        (
            one.get("nodeRepresentation"),
            slots(one).get("codingScheme", [""])[0],
            getattr(one.find("rim:Name/rim:LocalizedString", NS), "attrib", {}).get("value", ""),
        )
        for one in element.findall(f"rim:Classification[@classificationScheme='urn:uuid:{scheme}']", NS)
    ]


def identifier(element, scheme):
    return element.find(f"rim:ExternalIdentifier[@identificationScheme='urn:uuid:{scheme}']", NS).get("value")


@pytest.fixture
def feed(server, client, made, certificates):
    """Feed a document; returns what the server received."""
    server.answer = lambda path, headers, body: (200, "application/soap+xml", SUCCESS)

    def send(document=None, content=None, replaces="", with_client=None, **settings):
        given = certificates.settings(server.url, **settings)
        content = content or made.cda()
        feeding = lots.feeding(
            document or made.document(),
            io.BytesIO(content),
            made.ins,
            given,
            now=made.now,
            new_uuid=made.uuids(),
            replaces=replaces,
        )
        assert (with_client or client).feed(feeding).success
        return Sent(server.requests[-1])

    return send


def test_it_goes_as_mtom_to_the_repository(feed):
    sent = feed()
    assert sent.path == "/services/repository"
    kind = sent.headers["Content-Type"]
    assert kind.startswith("multipart/related; ")
    assert 'type="application/xop+xml"' in kind
    assert 'start-info="application/soap+xml"' in kind
    assert 'action="urn:ihe:iti:2007:ProvideAndRegisterDocumentSet-b"' in kind
    assert f'start="{sent.parts[0][0]["Content-ID"]}"' in kind
    assert sent.parts[0][0]["Content-Type"].startswith(
        'application/xop+xml; charset=UTF-8; type="application/soap+xml"'
    )
    assert sent.at("soap:Header/wsa:Action").text == "urn:ihe:iti:2007:ProvideAndRegisterDocumentSet-b"
    assert sent.at("soap:Header/wsa:MessageID").text.startswith("urn:uuid:")


def test_the_document_arrives_byte_for_byte_with_its_hash_and_size(feed, made):
    sent = feed()
    assert sent.included("Document01") == made.cda()
    entry = sent.at(".//rim:ExtrinsicObject[@id='Document01']")
    assert slots(entry)["hash"] == [hashlib.sha1(made.cda()).hexdigest()]
    assert slots(entry)["size"] == [str(len(made.cda()))]


def test_the_entry_says_what_the_header_of_the_document_says(feed):
    entry = feed().at(".//rim:ExtrinsicObject[@id='Document01']")
    assert entry.get("objectType") == "urn:uuid:7edca82f-054d-47f2-a032-9b2a5b5186c1"
    assert entry.get("mimeType") == "text/xml"
    said = slots(entry)
    # Paris is one hour ahead of UTC in winter: 10:15 there is 09:15; half past midnight is the day before.
    assert said["creationTime"] == ["20260302091500"]
    assert said["serviceStartTime"] == ["20260224233000"]
    assert said["serviceStopTime"] == ["20260302090000"]
    assert said["languageCode"] == ["fr-FR"]
    assert said["legalAuthenticator"] == [LEROUX]
    assert said["sourcePatientId"] == ["1234567^^^&1.2.250.1.999.1&ISO^PI"]
    assert said["sourcePatientInfo"] == ["PID-5|PAT-TROIS^DOMINIQUE^^^^^L", "PID-7|19790328", "PID-8|F"]
    assert identifier(entry, "58a6f841-87b3-4a3e-92fd-a8ffeff98427") == CX
    assert identifier(entry, "2e82c1f6-a085-4c72-9da3-8640a32e42ab") == "1.2.250.1.999.1.7.42"
    title = entry.find("rim:Name/rim:LocalizedString", NS)
    assert title.get("value") == "Lettre de liaison à la sortie"


def test_codes_of_the_entry(feed):
    entry = feed().at(".//rim:ExtrinsicObject[@id='Document01']")
    (type_code,) = coded(entry, "f0306f51-975f-434e-a61c-c59651d33983")
    assert type_code[:2] == ("11490-0", "2.16.840.1.113883.6.1")
    assert coded(entry, "41a5887f-8865-4c09-adf7-e362475b143a") == [("10", "1.2.250.1.213.1.1.4.1", "Compte rendu")]
    assert [code[:2] for code in coded(entry, "a09d5840-386c-46f2-b5ad-9c3699a4309d")] == [
        ("urn:ihe:iti:xds-sd:pdf:2008", "1.3.6.1.4.1.19376.1.2.3")
    ]
    assert [code[:2] for code in coded(entry, "f4f85eac-e6cb-4883-b524-f2705394840f")] == [
        ("N", "2.16.840.1.113883.5.25"),  # the document's own comes first
        ("MASQUE_PS", "1.2.250.1.213.1.1.4.13"),  # the flag of the message
    ]
    assert [code[:2] for code in coded(entry, "f33fb8ac-18af-42cc-ae0e-ed0b0bdb91e1")] == [
        ("SA01", "1.2.250.1.71.4.2.4")
    ]
    assert [code[:2] for code in coded(entry, "cccf5598-8b07-4b77-a05e-ae952c785ead")] == [
        ("ETABLISSEMENT", "1.2.250.1.213.1.1.4.9")
    ]


def test_the_lot_says_who_sends_and_for_what_activity(feed):
    lot = feed().at(".//rim:RegistryPackage")
    assert slots(lot)["submissionTime"] == ["20260302093015"]
    assert coded(lot, "aa543740-bdda-424e-8c96-df4873be8500")[0][:2] == ("03", "1.2.250.1.213.2.2")  # PV1-2 I
    author = lot.find("rim:Classification[@classificationScheme='urn:uuid:a7058bb9-b4e4-4307-ba5b-e3f0ab85e12d']", NS)
    assert slots(author)["authorPerson"] == [LEROUX]
    assert slots(author)["authorSpecialty"] == [  # as the document has it of the same person
        "G15_10/SM26^Médecin - Qualifié en médecine générale (SM)^1.2.250.1.213.1.1.4.5"
    ]
    assert slots(author)["authorInstitution"] == ["CH Exemple^^^^^&1.2.250.1.71.4.2.2&ISO^IDNST^^^1750000001"]
    assert identifier(lot, "6b5aea1a-874d-4603-a4bc-96a0a7b38446") == CX
    assert identifier(lot, "554ac39e-e3fe-47fe-b233-965d2a147832") == "1.2.250.1.999.1.5"
    nodes = [one.get("classificationNode") for one in lot.findall("rim:Classification", NS)]
    assert "urn:uuid:a54d6aa5-d40d-43f9-88c5-b4633d873bdd" in nodes


def test_the_signature_is_an_entry_of_its_own_that_signs_the_lot(feed, xmlsec_says):
    sent = feed()
    entry = sent.at(".//rim:ExtrinsicObject[@id='Signature01']")
    assert coded(entry, "41a5887f-8865-4c09-adf7-e362475b143a")[0][:2] == (
        "urn:oid:1.3.6.1.4.1.19376.1.2.1.1.1",
        "URN",
    )
    assert coded(entry, "f0306f51-975f-434e-a61c-c59651d33983")[0][:2] == ("E1762", "ASTM")
    assert coded(entry, "a09d5840-386c-46f2-b5ad-9c3699a4309d")[0][:2] == ("http://www.w3.org/2000/09/xmldsig#", "URN")
    assert coded(entry, "2c6b8cb7-8b2a-4051-b291-b1ae6a575ef4")[0][0] == "1.2.840.10065.1.12.1.14"
    assert slots(entry)["languageCode"] == ["art"]
    signature = sent.included("Signature01")
    assert xmlsec_says(signature, "Id") == ""
    named = [one.get("URI") for one in etree.fromstring(signature).findall(".//ds:Manifest/ds:Reference", NS)]
    lot = identifier(sent.at(".//rim:RegistryPackage"), "96fdda7c-d067-4183-912e-bf5ee74998a8")
    assert named == [f"urn:oid:{lot}", "urn:oid:1.2.250.1.999.1.7.42"]


def test_associations_of_a_first_version(feed):
    found = {
        (one.get("associationType").rpartition(":")[2], one.get("sourceObject"), one.get("targetObject"))
        for one in feed().envelope.findall(".//rim:Association", NS)
    }
    assert found == {
        ("HasMember", "SubmissionSet01", "Document01"),
        ("HasMember", "SubmissionSet01", "Signature01"),
        ("signs", "Signature01", "SubmissionSet01"),
    }


def test_a_new_version_replaces_the_entry_of_the_one_before(feed, made):
    new = made.cda(id="1.2.250.1.999.1.7.43", set_id=made.id, version=2, replaces=made.id)
    sent = feed(made.document(unique_id="1.2.250.1.999.1.7.43", parent=made.id), new, replaces=made.entry)
    (rplc,) = sent.envelope.findall(".//rim:Association[@associationType='urn:ihe:iti:2007:AssociationType:RPLC']", NS)
    assert (rplc.get("sourceObject"), rplc.get("targetObject")) == ("Document01", made.entry)


def test_the_assertion_in_the_header_still_verifies(feed, xmlsec_says):
    sent = feed()
    assertion = sent.at("soap:Header/wsse:Security/saml:Assertion")
    assert assertion.findtext("saml:Subject/saml:NameID", namespaces=NS) == "810012345678"
    assert xmlsec_says(etree.tostring(sent.envelope), "ID") == ""


def test_the_roles_are_those_the_document_gives_its_author(feed):
    roles = feed().envelope.findall(".//{urn:hl7-org:v3}Role")
    assert [(one.get("code"), one.get("codeSystem")) for one in roles] == [
        ("10", "1.2.250.1.71.1.2.7"),
        ("SM26", "1.2.250.1.71.4.2.5"),
    ]


def test_a_sender_who_names_nobody_sends_under_the_name_of_whoever_answers_for_it(feed, made):
    sent = feed(made.document(sender=Sender(device="LABO")))
    assertion = sent.at("soap:Header/wsse:Security/saml:Assertion")
    assert assertion.findtext("saml:Subject/saml:NameID", namespaces=NS) == "810099999999"
    role = sent.at(".//{urn:hl7-org:v3}Role")
    assert (role.get("code"), role.get("codeSystem")) == ("AUTOMATE", "1.2.250.1.213.1.1.4.6")


def test_the_role_of_an_automatic_sending_may_be_a_profession_of_the_site(made, certificates):
    given = CallerSettings(structure="1", person="8", family="F", role="10", specialty="SM26")
    who = lots.caller(certificates.settings("https://x", caller=given), Sender())
    assert [(one.code, one.system) for one in who.roles] == [
        ("10", "1.2.250.1.71.1.2.7"),
        ("SM26", "1.2.250.1.71.4.2.5"),
    ]


def test_a_secret_connection_is_asked_for_by_the_message(feed, made):
    sent = feed(made.document(flags=Flags(secret_connection=True)))
    names = [one.get("Name") for one in sent.envelope.findall(".//saml:Attribute", NS)]
    assert "urn:oasis:names:tc:xspa:1.0:resource:patient:hl7:confidentiality-code" in names


def test_zeep_reads_the_same_parts(feed, made):
    sent = feed()
    pack = MessagePack(MultipartDecoder(sent.body, sent.headers["Content-Type"]).parts[1:])
    for entry, expected in (("Document01", made.cda()), ("Signature01", sent.included("Signature01"))):
        cid = sent.at(f".//xdsb:Document[@id='{entry}']/xop:Include").get("href").removeprefix("cid:")
        assert pack.get_by_content_id(f"<{cid}>").content == expected


def test_every_field_has_its_origin(made, certificates):
    feeding = lots.feeding(
        made.document(),
        io.BytesIO(made.cda()),
        made.ins,
        certificates.settings("https://x"),
        now=made.now,
        new_uuid=made.uuids(),
    )
    origins = {name: (origin, where) for name, _, origin, where in shown(feeding.lot)}
    assert origins["SubmissionSet.author"] == ("message", "PRT SB")
    assert origins["SubmissionSet.content_type"] == ("message", "PV1-2")
    assert origins["SubmissionSet.source_id"] == ("configuration", "dmp.service.software.oid")
    assert origins["DocumentEntry.patient"] == ("registry", "INS")
    assert origins["DocumentEntry.title"] == ("cda", "title")
    assert origins["DocumentEntry.confidentiality"] == ("message", "OBX MASQUE_PS")
    assert origins["DocumentEntry.hash"][0] == "computed"
    told = {name: value for name, value, _, _ in shown(feeding.lot)}
    assert told["DocumentEntry.legal_authenticator"] == "LEROUX Anne (810012345678)"
    assert told["SubmissionSet.patient"] == CX


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"ins": Ins("100000000000000", "1.2.250.1.213.1.4.10")}, "not that of the registry"),
        ({"document": {"unique_id": "1.2.3"}}, "unique id"),
        ({"replaces": "urn:uuid:x"}, "relatedDocument"),
        ({"cda": {"set_id": "1.2.9", "version": 2, "replaces": "1.2.9"}}, "not known"),
        ({"cda": {"code": "51851-4"}}, "class_codes"),
        ({"cda": {"code": "51851-4"}, "class_codes": {"51851-4": "52"}}, ""),
    ],
    ids=["another-ins", "another-document", "replaces-nothing", "unknown-entry", "unknown-class", "class-of-the-site"],
)
def test_no_lot_is_made_of_what_does_not_agree(made, certificates, changes, reason):
    settings = certificates.settings("https://x", class_codes=changes.get("class_codes", {}))

    def make():
        return lots.feeding(
            made.document(**changes.get("document", {})),
            io.BytesIO(made.cda(**changes.get("cda", {}))),
            changes.get("ins", made.ins),
            settings,
            now=made.now,
            new_uuid=made.uuids(),
            replaces=changes.get("replaces", ""),
        )

    if reason:
        with pytest.raises(WireError, match=reason):
            make()
    else:
        assert make().lot.entry.class_code.origin == "configuration"


def test_a_document_that_changed_since_is_not_sent(feed, made, client, certificates, server):
    stream = io.BytesIO(made.cda())
    feeding = lots.feeding(
        made.document(), stream, made.ins, certificates.settings("https://x"), now=made.now, new_uuid=made.uuids()
    )
    stream.seek(0, io.SEEK_END)
    stream.write(b" ")
    with pytest.raises(WireError, match="changed"):
        client.feed(feeding)
    assert server.requests == []


def test_a_large_document_costs_little_memory(server, certificates, made, tmp_path, calls):
    path = tmp_path / "large.xml"
    path.write_bytes(made.cda(pdf=b"%PDF-1.4\n" + b"\x00\x7f\xff" * 8_000_000))
    size = path.stat().st_size
    assert size > 30_000_000
    received = []
    server.answer = lambda path, headers, body: received.append(len(body)) or (200, "application/soap+xml", SUCCESS)
    settings = certificates.settings(server.url)
    client = DmpClient(settings, lambda: made.now, made.uuids(), calls.append)
    with path.open("rb") as stream:
        tracemalloc.start()
        feeding = lots.feeding(made.document(), stream, made.ins, settings, now=made.now, new_uuid=made.uuids())
        composed = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert client.feed(feeding).success
    client.close()
    assert received[0] > size
    assert composed < 5_000_000
    assert len(calls[0].request) < 100_000  # the trace has the envelope, not the document


def test_the_recalled_classes_are_those_that_the_page_shows():
    page = (Path(__file__).parents[3] / "docs" / "dmp-wire.md").read_text(encoding="utf-8")
    rows = (
        line.strip("| ").split(" | ")
        for line in page.partition("### classCode")[2].partition("## Answers")[0].splitlines()
        if " | " in line
    )
    shown = {code: row[0].split()[0] for row in rows if row[0] != "classCode" for code in row[1].split(", ")}
    assert shown == dict(codes.CLASS_OF_TYPE)
