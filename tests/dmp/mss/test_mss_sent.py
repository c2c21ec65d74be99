"""Documents mailed: what arrives in a real IMAP box through a real SMTP server."""

import io
import zipfile

from lxml import etree

from .mail_world import DOCTOR, OURS, PDF

RIM = {"r": "urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0", "l": "urn:oasis:names:tc:ebxml-regrep:xsd:lcm:3.0"}


def attachments(mail):
    return {part.get_filename(): part.get_payload(decode=True) for part in mail.iter_attachments()}


def test_a_document_arrives_in_the_box_of_a_professional_with_a_readable_archive(world):
    body = world.cda()
    [sending] = world.take(body)
    world.work()
    [mail] = world.mails(DOCTOR)
    assert mail["Subject"] == "XDM/1.0/DDM+Lettre de liaison à la sortie"
    assert mail["From"] == OURS
    found = attachments(mail)
    assert list(found) == ["IHE_XDM.zip", "Lettre de liaison à la sortie.pdf"]
    assert found["Lettre de liaison à la sortie.pdf"] == PDF
    with zipfile.ZipFile(io.BytesIO(found["IHE_XDM.zip"])) as archive:
        assert archive.testzip() is None
        assert archive.read("IHE_XDM/SUBSET01/DOC0001.XML") == body
        metadata = etree.fromstring(archive.read("IHE_XDM/SUBSET01/METADATA.XML"))
    assert metadata.tag == "{urn:oasis:names:tc:ebxml-regrep:xsd:lcm:3.0}SubmitObjectsRequest"
    assert metadata.xpath("//r:ExtrinsicObject/r:Slot[@name='URI']//r:Value/text()", namespaces=RIM) == ["DOC0001.XML"]
    [state] = world.sendings()
    assert (state.id, state.state) == (sending.id, "fed")
