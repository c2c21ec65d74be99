"""The VIHF: a SAML 2.0 assertion that says who calls the DMP, from where and for which patient, signed by ORG_SIGN.

Attributes as in the ANS volet « Transmission d'un document CDA-R2 en HL7v2 » (v2.1.3) and the example assertions of
the GIE SESAM-Vitale; where they disagree (version, case of an attribute), `VihfForm` says which is written.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from lxml import etree

from insigne.dmp.wire import names
from insigne.dmp.wire.build import add, root
from insigne.dmp.wire.lexical import cx, instant
from insigne.dmp.wire.model import Coded, Ins, VihfContext, WireError
from insigne.dmp.wire.sign import Algorithm, SigningKey, sign_enveloped
from insigne.insi.wire.xml import child, content

STRUCTURE: Final = "Identifiant_Structure"
SECTOR: Final = "Secteur_Activite"
SUBJECT: Final = "urn:oasis:names:tc:xspa:1.0:subject:subject-id"
ROLE: Final = "urn:oasis:names:tc:xacml:2.0:subject:role"
VERSION: Final = "VIHF_Version"
MODES: Final = ("Authentification_Mode", "Authentification_mode")
RESOURCE: Final = "urn:oasis:names:tc:xacml:2.0:resource:resource-id"
RESOURCE_URN: Final = "Ressource_URN"
PURPOSE: Final = "urn:oasis:names:tc:xspa:1.0:subject:purposeofuse"
CONFIDENTIALITY: Final = "urn:oasis:names:tc:xspa:1.0:resource:patient:hl7:confidentiality-code"
SUBJECT_NAME: Final = "urn:oasis:names:tc:SAML:1.1:nameid-format:X509SubjectName"
DIRECT: Final = "DIRECTE"

_TYPE: Final = f"{{{names.XSI}}}type"


@dataclass(frozen=True, slots=True)
class VihfForm:
    """What is the same in every assertion of a site, and how it is written where sources disagree."""

    version: str
    mode: str
    mode_attribute: str
    authn_context: str
    purpose: str
    purpose_label: str
    hidden_code: str
    validity_seconds: int
    software: Mapping[str, str]
    """LPS_ID, LPS_Nom, LPS_Version, LPS_ID_HOMOLOGATION_DMP; those without a value are left out."""


@dataclass(frozen=True, slots=True)
class Assertion:
    """An assertion as read, nothing of it controlled. Texts as written; `attributes` are those with a plain text.

    `references` are the URIs its signature covers, `certificates` the texts (base64) of its KeyInfo.
    """

    id: str
    version: str
    issued: str
    issuer: str
    issuer_format: str
    name_id: str
    authn_context: str
    attributes: Mapping[str, str]
    roles: tuple[Coded, ...]
    purpose: Coded | None
    not_before: str
    not_on_or_after: str
    audience: str
    references: tuple[str, ...]
    certificates: tuple[str, ...]

    @property
    def mode(self) -> str:
        """The mode of authentication, under either spelling of its attribute."""
        return next((self.attributes[name] for name in MODES if name in self.attributes), "")


def build_assertion(
    form: VihfForm, context: VihfContext, ins: Ins, key: SigningKey, algorithm: Algorithm, now: datetime, uuid: str
) -> etree._Element:
    """Write a signed assertion about a patient. Raises WireError for what it cannot say."""
    for field, value in (("name_id", context.name_id), ("structure", context.structure), ("name", context.name)):
        if not value.strip():
            raise WireError(f"VIHF: {field} is missing: the message or dmp.service.caller gives it")
    if not context.roles:
        raise WireError("VIHF: a role is missing: dmp.service.caller gives it")
    assertion = root("saml2:Assertion", Version="2.0", ID=f"_{uuid}", IssueInstant=instant(now))
    add(assertion, "saml2:Issuer", key.subject, Format=SUBJECT_NAME)
    add(assertion, "ds:Signature", Id="placeholder")
    add(add(assertion, "saml2:Subject"), "saml2:NameID", context.name_id)
    if form.validity_seconds:
        span = timedelta(seconds=form.validity_seconds)
        add(assertion, "saml2:Conditions", NotBefore=instant(now - span), NotOnOrAfter=instant(now + span))
    authn = add(add(assertion, "saml2:AuthnStatement", AuthnInstant=instant(now)), "saml2:AuthnContext")
    add(authn, "saml2:AuthnContextClassRef", form.authn_context)
    _attributes(add(assertion, "saml2:AttributeStatement"), form, context, ins)
    return sign_enveloped(assertion, key, algorithm)


def read_assertion(assertion: etree._Element) -> Assertion:
    """Read an assertion, tolerantly."""
    saml = names.SAML
    issuer = child(assertion, saml, "Issuer")
    statement = child(assertion, saml, "AuthnStatement")
    conditions = child(assertion, saml, "Conditions")
    audience = child(child(conditions, saml, "AudienceRestriction"), saml, "Audience")
    attributes: dict[str, str] = {}
    roles: tuple[Coded, ...] = ()
    purpose = None
    for attribute in assertion.iterfind(f"{{{saml}}}AttributeStatement/{{{saml}}}Attribute"):
        name = attribute.get("Name", "")
        for value in attribute.iterchildren(f"{{{saml}}}AttributeValue"):
            code = next(iter(value.iterchildren(f"{{{names.HL7}}}*")), None)
            if code is None:
                attributes.setdefault(name, content(value))
            elif name == ROLE:
                roles = (*roles, _coded(code))
            elif name == PURPOSE:
                purpose = _coded(code)
            else:
                attributes.setdefault(name, code.get("code", ""))
    signature = child(assertion, names.DSIG, "Signature")
    signed = [] if signature is None else signature.iterfind(f"{{{names.DSIG}}}SignedInfo/{{{names.DSIG}}}Reference")
    shown = [] if signature is None else signature.iter(f"{{{names.DSIG}}}X509Certificate")
    return Assertion(
        assertion.get("ID", ""),
        assertion.get("Version", ""),
        assertion.get("IssueInstant", ""),
        content(issuer),
        "" if issuer is None else issuer.get("Format", ""),
        content(child(child(assertion, saml, "Subject"), saml, "NameID")),
        content(child(child(statement, saml, "AuthnContext"), saml, "AuthnContextClassRef")),
        attributes,
        roles,
        purpose,
        "" if conditions is None else conditions.get("NotBefore", ""),
        "" if conditions is None else conditions.get("NotOnOrAfter", ""),
        content(audience),
        tuple(one.get("URI", "") for one in signed),
        tuple("".join((one.text or "").split()) for one in shown),
    )


def _attributes(statement: etree._Element, form: VihfForm, context: VihfContext, ins: Ins) -> None:
    _text(statement, STRUCTURE, context.structure)
    _text(statement, SECTOR, f"{context.sector.code}^{context.sector.system}")
    if form.mode != DIRECT:
        _text(statement, SUBJECT, context.name)
    roles = add(statement, "saml2:Attribute", Name=ROLE)
    for role in context.roles:
        _code(add(roles, "saml2:AttributeValue"), "Role", role)
    _text(statement, VERSION, form.version)
    _text(statement, form.mode_attribute, form.mode)
    _text(statement, RESOURCE, cx(ins))
    _text(statement, RESOURCE_URN, "urn:dmp")
    purpose = add(add(statement, "saml2:Attribute", Name=PURPOSE), "saml2:AttributeValue")
    system, name = names.PURPOSES
    _code(purpose, "PurposeOfUse", Coded(form.purpose, system, form.purpose_label), name)
    if context.secret:
        _text(statement, CONFIDENTIALITY, form.hidden_code)
    for attribute, value in form.software.items():
        if value:
            _text(statement, attribute, value)


def _text(statement: etree._Element, name: str, value: str) -> None:
    attribute = add(statement, "saml2:Attribute", Name=name)
    element = etree.SubElement(
        attribute, f"{{{names.SAML}}}AttributeValue", {_TYPE: "xs:string"}, nsmap={"xs": names.XSD, "xsi": names.XSI}
    )
    try:
        element.text = value
    except ValueError:
        raise WireError(f"VIHF: {name} holds a control character") from None


def _code(parent: etree._Element, element: str, code: Coded, system_name: str = "") -> None:
    written = etree.SubElement(parent, f"{{{names.HL7}}}{element}", nsmap={None: names.HL7, "xsi": names.XSI})
    written.set(_TYPE, "CE")
    for name, value in (
        ("code", code.code),
        ("codeSystem", code.system),
        ("codeSystemName", system_name),
        ("displayName", code.label),
    ):
        if value:
            written.set(name, value)


def _coded(element: etree._Element) -> Coded:
    return Coded(element.get("code", ""), element.get("codeSystem", ""), element.get("displayName", ""))
