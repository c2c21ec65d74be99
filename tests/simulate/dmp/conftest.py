"""A simulated DMP that runs, and calls written here by hand: nothing of the product's client is in them.

Signatures are made by xmlsec, from templates of text.
"""

import base64
import hashlib
import http.client
import json
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
import xmlsec
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256 as SHA256Hash
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from lxml import etree

from insigne.simulate.dmp.control import Change
from insigne.simulate.dmp.running import running
from insigne.simulate.dmp.script import ALL_WELL, Patients, Site
from insigne.simulate.dmp.simulator import SimulatorSettings

DS = "http://www.w3.org/2000/09/xmldsig#"
SHA256 = "http://www.w3.org/2001/04/xmlenc#sha256"
RSA_SHA256 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
EXCLUSIVE = "http://www.w3.org/2001/10/xml-exc-c14n#"
CANONICAL = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
SERVICES = "/si-dmp-server/v2/services"
ACTIONS = {
    "patients": "urn:hl7-org:v3:PRPA_IN201307UV02",
    "repository": "urn:ihe:iti:2007:ProvideAndRegisterDocumentSet-b",
    "registry": "urn:ihe:iti:2007:RegistryStoredQuery",
    "update": "urn:ihe:iti:2010:UpdateDocumentSet",
}
STRUCTURE = "1750000001"


def person_of(base, name, given):
    """Read somebody's traits from the base, as a document has them."""
    found = next(one for one in base if (one.birth_name, one.given_names[0]) == (name, given))
    return SimpleNamespace(
        matricule=found.ins.matricule,
        oid=found.ins.oid,
        family=found.birth_name,
        given=found.given_names,
        sex=found.sex,
        born=found.birth_date.replace("-", ""),
        place=found.birth_place,
    )


def new_oid():
    return f"1.2.250.1.999.1.{uuid4().int}"[:64]


def stamp(moment):
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def sign(element, ready, signer="ORG_SIGN", ids=("ID",)):
    """Sign the template that an element holds."""
    xmlsec.tree.add_ids(element, list(ids))
    files = ready["clients"][signer]
    context = xmlsec.SignatureContext()
    context.key = xmlsec.Key.from_file(files["key"], xmlsec.constants.KeyDataFormatPem)
    context.key.load_cert_from_file(files["cert"], xmlsec.constants.KeyDataFormatPem)
    context.sign(xmlsec.tree.find_node(element, "Signature"))
    return etree.tostring(element, encoding="unicode")


def subject_of(ready, signer="ORG_SIGN"):
    certificate = x509.load_pem_x509_certificate(Path(ready["clients"][signer]["cert"]).read_bytes())
    return certificate.subject.rfc4514_string(), certificate.public_bytes(Encoding.DER)


def vihf(ready, patient, *, now=None, signer="ORG_SIGN", change=lambda text: text, **values):
    """Write a signed VIHF; `change` alters its text before it is signed."""
    given = {
        "structure": STRUCTURE,
        "sector": "SA01^1.2.250.1.71.4.2.4",
        "version": "4.0",
        "mode_name": "Authentification_Mode",
        "mode": "INDIRECTE",
        "resource": f"{patient.matricule}^^^&{patient.oid}&ISO^NH",
        "conditions": "",
        "issuer": subject_of(ready, signer)[0],
    } | values
    plain = {
        "Identifiant_Structure": given["structure"],
        "Secteur_Activite": given["sector"],
        "urn:oasis:names:tc:xspa:1.0:subject:subject-id": "DPI d'essai",
        "VIHF_Version": given["version"],
        given["mode_name"]: given["mode"],
        "urn:oasis:names:tc:xacml:2.0:resource:resource-id": given["resource"].replace("&", "&amp;"),
        "Ressource_URN": "urn:dmp",
        "LPS_Nom": "DPI",
        "LPS_Version": "1",
    }
    attributes = "".join(
        f'<saml2:Attribute Name="{name}"><saml2:AttributeValue>{value}</saml2:AttributeValue></saml2:Attribute>'
        for name, value in plain.items()
    )
    identifier = f"_{uuid4()}"
    text = f"""<saml2:Assertion xmlns:saml2="urn:oasis:names:tc:SAML:2.0:assertion" Version="2.0" ID="{identifier}"
      IssueInstant="{stamp(now or datetime.now(UTC))}">
      <saml2:Issuer Format="urn:oasis:names:tc:SAML:1.1:nameid-format:X509SubjectName">{given["issuer"]}</saml2:Issuer>
      <Signature xmlns="{DS}"><SignedInfo><CanonicalizationMethod Algorithm="{EXCLUSIVE}"/>
      <SignatureMethod Algorithm="{RSA_SHA256}"/><Reference URI="#{identifier}"><Transforms>
      <Transform Algorithm="{DS}enveloped-signature"/><Transform Algorithm="{EXCLUSIVE}"/></Transforms>
      <DigestMethod Algorithm="{SHA256}"/><DigestValue/></Reference></SignedInfo><SignatureValue/>
      <KeyInfo><X509Data><X509Certificate/></X509Data></KeyInfo></Signature>
      <saml2:Subject><saml2:NameID>899900000001</saml2:NameID></saml2:Subject>{given["conditions"]}
      <saml2:AuthnStatement AuthnInstant="{stamp(now or datetime.now(UTC))}"><saml2:AuthnContext>
      <saml2:AuthnContextClassRef>urn:oasis:names:tc:SAML:2.0:ac:classes:unspecified</saml2:AuthnContextClassRef>
      </saml2:AuthnContext></saml2:AuthnStatement><saml2:AttributeStatement>{attributes}
      <saml2:Attribute Name="urn:oasis:names:tc:xacml:2.0:subject:role"><saml2:AttributeValue>
      <Role xmlns="urn:hl7-org:v3" code="10" codeSystem="1.2.250.1.71.1.2.7"/></saml2:AttributeValue></saml2:Attribute>
      <saml2:Attribute Name="urn:oasis:names:tc:xspa:1.0:subject:purposeofuse"><saml2:AttributeValue>
      <PurposeOfUse xmlns="urn:hl7-org:v3" code="normal" codeSystem="1.2.250.1.213.1.1.4.248"/>
      </saml2:AttributeValue></saml2:Attribute></saml2:AttributeStatement></saml2:Assertion>"""
    return sign(etree.fromstring(change(text)), ready, signer)


def cda(patient, unique_id, *, replaces="", text="JVBERi0xLjQ=", change=lambda text: text):
    """Write a CDA of level 1; `change` alters its text."""
    related = (
        f'<relatedDocument typeCode="RPLC"><parentDocument><id root="{replaces}"/></parentDocument></relatedDocument>'
        if replaces
        else ""
    )
    who = """<addr nullFlavor="UNK"/><telecom nullFlavor="UNK"/>
      <assignedPerson><name><family>LAENNEC</family><given>RENE</given></name></assignedPerson>"""
    doctor = '<id root="1.2.250.1.71.4.2.1" extension="899900000001"/>'
    place = f'<id root="1.2.250.1.71.4.2.2" extension="{STRUCTURE}"/><name>HOPITAL D’ESSAI</name>'
    return change(f"""<?xml version="1.0" encoding="UTF-8"?>
<!-- essai --><ClinicalDocument xmlns="urn:hl7-org:v3"><realmCode code="FR"/>
<typeId root="2.16.840.1.113883.1.3" extension="POCD_HD000040"/><templateId root="2.16.840.1.113883.2.8.2.1"/>
<templateId root="1.2.250.1.213.1.1.1.1"/><templateId root="1.3.6.1.4.1.19376.1.2.20"/><id root="{unique_id}"/>
<code code="11490-0" codeSystem="2.16.840.1.113883.6.1"/><title>Lettre de sortie</title>
<effectiveTime value="20260115103000+0100"/><confidentialityCode code="N" codeSystem="2.16.840.1.113883.5.25"/>
<languageCode code="fr-FR"/><setId root="{unique_id}"/><versionNumber value="1"/>
<recordTarget><patientRole><id root="{patient.oid}" extension="{patient.matricule}"/>
<id root="1.2.250.1.999.7" extension="IPP1"/><addr nullFlavor="UNK"/><telecom nullFlavor="UNK"/><patient><name>
<family qualifier="BR">{patient.family}</family><given>{" ".join(patient.given)}</given>
<given qualifier="BR">{patient.given[0]}</given></name>
<administrativeGenderCode code="{patient.sex}" codeSystem="2.16.840.1.113883.5.1"/><birthTime value="{patient.born}"/>
<birthplace><place><addr><county>{patient.place}</county></addr></place></birthplace></patient></patientRole>
</recordTarget><author><time value="20260115103000+0100"/><assignedAuthor>{doctor}{who}
<representedOrganization>{place}</representedOrganization></assignedAuthor></author>
<custodian><assignedCustodian><representedCustodianOrganization>{place}</representedCustodianOrganization>
</assignedCustodian></custodian><legalAuthenticator><time value="20260115103000+0100"/><signatureCode code="S"/>
<assignedEntity>{doctor}{who}</assignedEntity></legalAuthenticator>
<documentationOf><serviceEvent><effectiveTime><low value="20260110080000+0100"/></effectiveTime>
<performer typeCode="PRF"><assignedEntity>{doctor}<representedOrganization>{place}
<standardIndustryClassCode code="ETABLISSEMENT" codeSystem="1.2.250.1.213.1.1.4.9"/></representedOrganization>
</assignedEntity></performer></serviceEvent></documentationOf>{related}
<componentOf><encompassingEncounter><effectiveTime/><location><healthCareFacility>
<code code="SA01" codeSystem="1.2.250.1.71.4.2.4"/></healthCareFacility></location></encompassingEncounter>
</componentOf>
<component><nonXMLBody><text mediaType="application/pdf" representation="B64">{text}</text></nonXMLBody></component>
</ClinicalDocument>
""").encode()


def digest64(content):
    return base64.b64encode(hashlib.sha256(content).digest()).decode()


def seal(ready, lot_id, documents, *, transformed=False, signer="ORG_SIGN", change=lambda text: text):
    """Sign a lot: `documents` are unique ids with bytes; `transformed`: by their canonical form.

    What is signed is written in its canonical form, so that nothing needs to make it.
    """
    method = f"{CANONICAL}#WithComments"
    digested = f'<DigestMethod Algorithm="{SHA256}"></DigestMethod><DigestValue>{{}}</DigestValue></Reference>'
    listed = [f'<Reference URI="urn:oid:{lot_id}">{digested.format("AA==")}']
    for name, content in documents:
        signed, transforms = content, ""
        if transformed:
            # C14N: no declaration; a comment before the root is followed by an end of line, nothing follows the root
            comment, root = b"<!-- essai -->", content.partition(b"<!-- essai -->")[2].strip()
            signed = comment + b"\n" + etree.tostring(etree.fromstring(root), method="c14n", with_comments=True)
            transforms = f'<Transforms><Transform Algorithm="{method}"></Transform></Transforms>'
        listed.append(f'<Reference URI="urn:oid:{name}">{transforms}{digested.format(digest64(signed))}')
    name, der = subject_of(ready, signer)
    manifest = f'<Manifest xmlns="{DS}" Id="M">{"".join(listed)}</Manifest>'
    properties = (
        '<SignedProperties xmlns="http://uri.etsi.org/01903/v1.1.1#" Id="P"><SignedSignatureProperties>'
        "<SigningTime>2026-01-15T10:00:00Z</SigningTime><SigningCertificate><Cert><CertDigest>"
        f'<DigestMethod Algorithm="{SHA256}"></DigestMethod><DigestValue>{digest64(der)}</DigestValue></CertDigest>'
        "</Cert></SigningCertificate></SignedSignatureProperties></SignedProperties>"
    )
    info = (
        f'<SignedInfo xmlns="{DS}"><CanonicalizationMethod Algorithm="{method}"></CanonicalizationMethod>'
        f'<SignatureMethod Algorithm="{RSA_SHA256}"></SignatureMethod>'
        f'<Reference Type="{DS}Manifest" URI="#M">{digested.format(digest64(manifest.encode()))}'
        '<Reference Type="http://uri.etsi.org/01903/v1.1.1#SignedProperties" URI="#P">'
        f"{digested.format(digest64(properties.encode()))}</SignedInfo>"
    )
    key = load_pem_private_key(Path(ready["clients"][signer]["key"]).read_bytes(), None)
    value = base64.b64encode(key.sign(info.encode(), PKCS1v15(), SHA256Hash())).decode()
    return change(
        f'<Signature xmlns="{DS}" Id="S0">{info}<SignatureValue>{value}</SignatureValue><KeyInfo><X509Data>'
        f"<X509Certificate>{base64.b64encode(der).decode()}</X509Certificate></X509Data></KeyInfo>"
        f'<Object>{manifest}</Object><Object><QualifyingProperties xmlns="http://uri.etsi.org/01903/v1.1.1#"'
        f' Target="#S0">{properties}</QualifyingProperties></Object></Signature>'
    ).encode()


def coded(owner, scheme, code, system):
    return (
        f'<rim:Classification id="c{uuid4()}" classificationScheme="urn:uuid:{scheme}" classifiedObject="{owner}"'
        f' nodeRepresentation="{code}">{slot("codingScheme", system)}<rim:Name><rim:LocalizedString value="{code}"/>'
        "</rim:Name></rim:Classification>"
    )


def slot(name, *values):
    listed = "".join(f"<rim:Value>{value.replace('&', '&amp;')}</rim:Value>" for value in values)
    return f'<rim:Slot name="{name}"><rim:ValueList>{listed}</rim:ValueList></rim:Slot>'


def external(owner, scheme, value):
    value = value.replace("&", "&amp;")
    return (
        f'<rim:ExternalIdentifier id="x{uuid4()}" identificationScheme="urn:uuid:{scheme}" registryObject="{owner}"'
        f' value="{value}"/>'
    )


def link(kind, source, target, *slots):
    return (
        f'<rim:Association id="a{uuid4()}" associationType="{kind}" sourceObject="{source}" targetObject="{target}">'
        f"{''.join(slots)}</rim:Association>"
    )


PERSON = "899900000001^LAENNEC^RENE^^^^^^&1.2.250.1.71.4.2.1&ISO^D^^^IDNPS"
INSTITUTION = f"HOPITAL D’ESSAI^^^^^&1.2.250.1.71.4.2.2&ISO^IDNST^^^{STRUCTURE}"


def author(owner, scheme):
    return (
        f'<rim:Classification id="c{uuid4()}" classificationScheme="urn:uuid:{scheme}" classifiedObject="{owner}"'
        f' nodeRepresentation="">{slot("authorInstitution", INSTITUTION)}{slot("authorPerson", PERSON)}'
        "</rim:Classification>"
    )


def submission(patient, lot_id):
    cx = f"{patient.matricule}^^^&{patient.oid}&ISO^NH"
    return (
        f'<rim:RegistryPackage id="lot">{slot("submissionTime", "20260115101500")}'
        f"{author('lot', 'a7058bb9-b4e4-4307-ba5b-e3f0ab85e12d')}"
        f"{coded('lot', 'aa543740-bdda-424e-8c96-df4873be8500', '03', '1.2.250.1.213.2.2')}"
        f"{external('lot', '554ac39e-e3fe-47fe-b233-965d2a147832', '1.2.250.1.999.2')}"
        f"{external('lot', '96fdda7c-d067-4183-912e-bf5ee74998a8', lot_id)}"
        f"{external('lot', '6b5aea1a-874d-4603-a4bc-96a0a7b38446', cx)}</rim:RegistryPackage>"
        '<rim:Classification id="ss" classifiedObject="lot"'
        ' classificationNode="urn:uuid:a54d6aa5-d40d-43f9-88c5-b4633d873bdd"/>'
    )


def entry(patient, unique_id, content):
    cx = f"{patient.matricule}^^^&{patient.oid}&ISO^NH"
    masks = [("N", "2.16.840.1.113883.5.25")]
    codes = [
        ("41a5887f-8865-4c09-adf7-e362475b143a", "10", "1.2.250.1.213.1.1.4.1"),
        ("f0306f51-975f-434e-a61c-c59651d33983", "11490-0", "2.16.840.1.113883.6.1"),
        ("a09d5840-386c-46f2-b5ad-9c3699a4309d", "urn:ihe:iti:xds-sd:pdf:2008", "1.3.6.1.4.1.19376.1.2.3"),
        ("f33fb8ac-18af-42cc-ae0e-ed0b0bdb91e1", "SA01", "1.2.250.1.71.4.2.4"),
        ("cccf5598-8b07-4b77-a05e-ae952c785ead", "ETABLISSEMENT", "1.2.250.1.213.1.1.4.9"),
        *(("f4f85eac-e6cb-4883-b524-f2705394840f", code, system) for code, system in masks),
    ]
    lines = (f"PID-5|{patient.family}^{patient.given[0]}^^^^^L", f"PID-7|{patient.born}", f"PID-8|{patient.sex}")
    return (
        '<rim:ExtrinsicObject id="doc" mimeType="text/xml"'
        ' objectType="urn:uuid:7edca82f-054d-47f2-a032-9b2a5b5186c1">'
        f"{slot('creationTime', '20260115093000')}{slot('serviceStartTime', '20260110070000')}"
        f"{slot('languageCode', 'fr-FR')}{slot('legalAuthenticator', PERSON)}"
        f"{slot('hash', hashlib.sha1(content).hexdigest())}{slot('size', str(len(content)))}"
        f"{slot('sourcePatientId', 'IPP1^^^&1.2.250.1.999.7&ISO^PI')}{slot('sourcePatientInfo', *lines)}"
        '<rim:Name><rim:LocalizedString value="Lettre de sortie"/></rim:Name>'
        f"{author('doc', '93606bcf-9494-43ec-9b4e-a7748d1a838d')}"
        f"{''.join(coded('doc', *one) for one in codes)}"
        f"{external('doc', '58a6f841-87b3-4a3e-92fd-a8ffeff98427', cx)}"
        f"{external('doc', '2e82c1f6-a085-4c72-9da3-8640a32e42ab', unique_id)}</rim:ExtrinsicObject>"
    )


def signature_entry(patient, unique_id):
    cx = f"{patient.matricule}^^^&{patient.oid}&ISO^NH"
    codes = [
        ("41a5887f-8865-4c09-adf7-e362475b143a", "urn:oid:1.3.6.1.4.1.19376.1.2.1.1.1", "URN"),
        ("f0306f51-975f-434e-a61c-c59651d33983", "E1762", "ASTM"),
        ("a09d5840-386c-46f2-b5ad-9c3699a4309d", DS, "URN"),
        ("2c6b8cb7-8b2a-4051-b291-b1ae6a575ef4", "1.2.840.10065.1.12.1.14", "1.2.840.10065.1.12"),
    ]
    return (
        '<rim:ExtrinsicObject id="sig" mimeType="text/xml"'
        ' objectType="urn:uuid:7edca82f-054d-47f2-a032-9b2a5b5186c1">'
        f"{slot('languageCode', 'art')}{''.join(coded('sig', *one) for one in codes)}"
        f"{external('sig', '58a6f841-87b3-4a3e-92fd-a8ffeff98427', cx)}"
        f"{external('sig', '2e82c1f6-a085-4c72-9da3-8640a32e42ab', unique_id)}</rim:ExtrinsicObject>"
    )


def envelope(action, header, body):
    return f"""<?xml version="1.0" encoding="UTF-8"?><s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"
xmlns:a="http://www.w3.org/2005/08/addressing"><s:Header><a:Action>{action}</a:Action>
<a:MessageID>urn:uuid:{uuid4()}</a:MessageID><w:Security
xmlns:w="http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd">{header}</w:Security>
</s:Header><s:Body>{body}</s:Body></s:Envelope>""".encode()


def question(patient, assertion):
    """Write a TD0.2."""
    body = f"""<PRPA_IN201307UV02 xmlns="urn:hl7-org:v3" ITSVersion="XML_1.0">
<id root="1.2.250.1.999.2" extension="7"/>
<sender><device><id root="1.2.250.1.999.2"/></device></sender><controlActProcess>
<reasonCode code="TEST_EXST" codeSystem="1.2.250.1.213.1.1.4.11"/>
<queryByParameter><queryId root="1.2.3" extension="8"/>
<parameterList><patientIdentifier><value root="{patient.oid}" extension="{patient.matricule}"/></patientIdentifier>
</parameterList></queryByParameter></controlActProcess></PRPA_IN201307UV02>"""
    return envelope(ACTIONS["patients"], assertion, body)


class Answer(SimpleNamespace):
    """An answer read: `status` of HTTP, `codes` of the errors, `success`, `fault` (subcode), `tree`."""


def read_answer(status, headers, body):
    kind = headers.get("Content-Type", "")
    if kind.startswith("multipart/"):
        body = body.split(b"\r\n\r\n", 1)[1].rpartition(b"\r\n--")[0]
    if "xml" not in kind:
        return Answer(status=status, body=body, codes=[], success=False, fault="", tree=None, kind=kind)
    tree = etree.fromstring(body)
    found = tree.find(".//{*}Subcode/{*}Value")
    codes = [one.get("errorCode") for one in tree.iter("{urn:oasis:names:tc:ebxml-regrep:xsd:rs:3.0}RegistryError")]
    success = any((one.get("status") or "").endswith(":Success") for one in tree.iter())
    return Answer(
        status=status,
        body=body,
        codes=codes,
        told=[one.get("codeContext") for one in tree.iter("{urn:oasis:names:tc:ebxml-regrep:xsd:rs:3.0}RegistryError")],
        success=success and not codes,
        fault=found.text if found is not None else "",
        tree=tree,
        kind=kind,
    )


class Caller:
    """A client of the simulator: one connection, opened again after it was cut."""

    def __init__(self, ready, name="ORG_AUTH_CLI"):
        self.ready = ready
        self.tls = ssl.create_default_context(cafile=ready["ca"])
        if name:
            self.tls.load_cert_chain(ready["clients"][name]["cert"], ready["clients"][name]["key"])
        where = urlsplit(ready["url"])
        self.connection = http.client.HTTPSConnection(where.hostname, where.port, context=self.tls, timeout=30)

    def http(self, method, path, body=None, headers=None):
        try:
            self.connection.request(method, path, body, headers or {})
            answer = self.connection.getresponse()
            return SimpleNamespace(status=answer.status, headers=answer.headers, body=answer.read())
        except BaseException:
            self.connection.close()
            raise

    def post(self, service, body, kind=None, path=None):
        action = ACTIONS[service]
        kind = kind or f'application/soap+xml; charset=UTF-8; action="{action}"'
        path = path or f"{SERVICES}/{'registry' if service == 'update' else service}"
        answer = self.http("POST", path, body, {"Content-Type": kind})
        return read_answer(answer.status, answer.headers, answer.body)

    def call(self, service, body, assertion):
        return self.post(service, envelope(ACTIONS[service], assertion, body))

    def exists(self, patient, assertion=None, **values):
        """TD0.2."""
        return self.post("patients", question(patient, assertion or vihf(self.ready, patient, **values)))

    def feed(self, patient, **changes):
        """TD2.1, see `Lot`."""
        lot = Lot(self.ready, patient, **changes)
        answer = self.post("repository", lot.body, lot.kind)
        answer.lot = lot
        return answer

    def find(self, patient, unique_id, assertion=None):
        """TD3.1, by unique id."""
        body = f"""<q:AdhocQueryRequest xmlns:q="urn:oasis:names:tc:ebxml-regrep:xsd:query:3.0"
xmlns:rim="urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0"><q:ResponseOption returnType="LeafClass"/>
<rim:AdhocQuery id="urn:uuid:5c4f972b-d56b-40ac-a5fc-c8ca9b40b9d4">
{slot("$XDSDocumentEntryUniqueId", f"('{unique_id}')")}</rim:AdhocQuery></q:AdhocQueryRequest>"""
        answer = self.call("registry", body, assertion or vihf(self.ready, patient))
        answer.entries = list(answer.tree.iter("{urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0}ExtrinsicObject"))
        return answer

    def delete(self, patient, entry_uuid, original="urn:oasis:names:tc:ebxml-regrep:StatusType:Approved", **values):
        """TD3.3c."""
        slots = slot("OriginalStatus", original), slot("NewStatus", "urn:asip:ci-sis:2010:StatusType:Deleted")
        change = link("urn:ihe:iti:2010:AssociationType:UpdateAvailabilityStatus", "lot", entry_uuid, *slots)
        body = f"""<lcm:SubmitObjectsRequest xmlns:lcm="urn:oasis:names:tc:ebxml-regrep:xsd:lcm:3.0">
<rim:RegistryObjectList xmlns:rim="urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0">{submission(patient, new_oid())}{change}
</rim:RegistryObjectList></lcm:SubmitObjectsRequest>"""
        return self.call("update", body, vihf(self.ready, patient, **values))

    def control(self, method="GET", path="", **change):
        answer = self.http(method, f"/control{path}", json.dumps(change) if change else None)
        return json.loads(answer.body) if answer.body else None

    def documents(self, patient):
        answer = self.http("GET", f"/patients/{patient.oid}%7C{patient.matricule}")
        assert answer.status == 200, answer.body
        return json.loads(answer.body)["documents"]


class Lot:
    """A lot of one document. Changes are functions of text: `in_vihf` and `in_cda` before signing, the others after."""

    def __init__(
        self,
        ready,
        patient,
        *,
        about=None,
        unique_id=None,
        replaces=None,
        in_vihf=lambda text: text,
        in_cda=lambda text: text,
        in_lot=lambda text: text,
        in_seal=lambda text: text,
        other_bytes=None,
        transformed=False,
        signer="ORG_SIGN",
        text="JVBERi0xLjQ=",
        inline=False,
        **values,
    ):
        self.unique_id, self.lot_id, self.signature_id = unique_id or new_oid(), new_oid(), new_oid()
        old = replaces or SimpleNamespace(unique_id="", entry_uuid="")
        self.content = cda(about or patient, self.unique_id, replaces=old.unique_id, text=text, change=in_cda)
        documents = [(self.unique_id, self.content)]
        self.seal = seal(ready, self.lot_id, documents, transformed=transformed, signer=signer, change=in_seal)
        links = [
            link("urn:oasis:names:tc:ebxml-regrep:AssociationType:HasMember", "lot", "doc"),
            link("urn:oasis:names:tc:ebxml-regrep:AssociationType:HasMember", "lot", "sig"),
            link("urn:ihe:iti:2007:AssociationType:signs", "sig", "lot"),
        ]
        if replaces:
            links.append(link("urn:ihe:iti:2007:AssociationType:RPLC", "doc", old.entry_uuid))
        objects = (
            f"{submission(patient, self.lot_id)}{entry(patient, self.unique_id, self.content)}"
            f"{signature_entry(patient, self.signature_id)}{''.join(links)}"
        )
        include = '<x:Include xmlns:x="http://www.w3.org/2004/08/xop/include" href="cid:{}"/>'
        sent = self.content if other_bytes is None else other_bytes
        held = base64.b64encode(sent).decode() if inline else include.format("doc@essai")
        body = f"""<xdsb:ProvideAndRegisterDocumentSetRequest xmlns:xdsb="urn:ihe:iti:xds-b:2007">
<lcm:SubmitObjectsRequest xmlns:lcm="urn:oasis:names:tc:ebxml-regrep:xsd:lcm:3.0"><rim:RegistryObjectList
xmlns:rim="urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0">{in_lot(objects)}</rim:RegistryObjectList>
</lcm:SubmitObjectsRequest><xdsb:Document id="doc">{held}</xdsb:Document>
<xdsb:Document id="sig">{include.format("sig@essai")}</xdsb:Document>
</xdsb:ProvideAndRegisterDocumentSetRequest>"""
        assertion = vihf(ready, patient, change=in_vihf, **values)
        parts = [
            (
                "root@essai",
                'application/xop+xml; charset=UTF-8; type="application/soap+xml"',
                envelope(ACTIONS["repository"], assertion, body),
            ),
            ("doc@essai", "text/xml", sent),
            ("sig@essai", "text/xml", self.seal),
        ]
        self.body = (
            b"".join(
                f"--limite\r\nContent-Type: {kind}\r\nContent-Transfer-Encoding: binary\r\n"
                f"Content-ID: <{name}>\r\n\r\n".encode()
                + content
                + b"\r\n"
                for name, kind, content in parts
            )
            + b"--limite--\r\n"
        )
        self.kind = (
            'multipart/related; boundary="limite"; type="application/xop+xml"; start="<root@essai>";'
            f' start-info="application/soap+xml"; action="{ACTIONS["repository"]}"'
        )


@pytest.fixture(scope="session")
def dmp(tmp_path_factory):
    """A simulated DMP for the whole run; `caller` puts it back in order."""
    with running(SimulatorSettings(tmp_path_factory.mktemp("dmp"))) as started:
        yield started


@pytest.fixture
def caller(dmp):
    """A client with the certificate ORG_AUTH_CLI, on an empty DMP in order, in production mode."""

    def in_order():
        dmp.simulator.control.change(
            Change(mode="production", site=Site(), patients=Patients(), effects=ALL_WELL, clock=0.0)
        )
        dmp.simulator.engine.store.clear()
        dmp.simulator.engine.calls.clear()

    dmp.call(in_order)
    one = Caller(dmp.ready)
    yield one
    one.connection.close()


@pytest.fixture
def patient(dmp):
    """NESSI NATHALIE, one of the official test people."""
    return person_of(dmp.simulator.engine.people.base, "NESSI", "NATHALIE")


@pytest.fixture
def somebody_else(dmp):
    """ADRUN ZOE, another one."""
    return person_of(dmp.simulator.engine.people.base, "ADRUN", "ZOE")


@pytest.fixture
def call_as(dmp):
    """Make a client with the certificate of that common name, or without one (`""`)."""
    made = []

    def make(name, ready=None):
        made.append(Caller(ready or dmp.ready, name))
        return made[-1]

    yield make
    for one in made:
        one.connection.close()


@pytest.fixture
def written():
    """The pieces of calls, for tests that write their own."""
    return SimpleNamespace(
        vihf=vihf,
        Lot=Lot,
        envelope=envelope,
        question=question,
        new_oid=new_oid,
        person_of=person_of,
        services=SERVICES,
    )


@pytest.fixture
def later():
    """Moments around now."""
    return lambda **span: datetime.now(UTC) + timedelta(**span)
