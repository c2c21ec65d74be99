"""Documents mailed: what arrives in a real IMAP box through a real SMTP server."""

import hashlib
import io
import socket
import zipfile
from datetime import timedelta

import msgspec
import pytest
from lxml import etree

from insigne.dmp.acts import confirm
from insigne.dmp.model import Flags, Intent
from insigne.dmp.mss.inbound import documents_of
from insigne.dmp.mss.mail import MailError, to_professional
from insigne.registry.values import Authority, Identifier

from .mail_world import DOCTOR, INS, OURS, PATIENT_BOX, PDF, Killed, kill, pi, unique_id

NUMBER = f'<id root="{INS.oid}" extension="{INS.matricule}"/>'.encode()
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


def metadata_of(mail):
    with zipfile.ZipFile(io.BytesIO(attachments(mail)["IHE_XDM.zip"])) as archive:
        return etree.fromstring(archive.read("IHE_XDM/SUBSET01/METADATA.XML")), archive.read(
            "IHE_XDM/SUBSET01/DOC0001.XML"
        )


def slot(metadata, name):
    path = f"//r:ExtrinsicObject/r:Slot[@name='{name}']//r:Value/text()"
    return [str(value) for value in metadata.xpath(path, namespaces=RIM)]


def test_metadata_measure_the_document_and_leave_out_what_only_the_dmp_knows(world):
    world.take()
    world.work()
    metadata, document = metadata_of(world.mails(DOCTOR)[0])
    assert slot(metadata, "hash") == [hashlib.sha1(document).hexdigest()]
    assert slot(metadata, "size") == [str(len(document))]
    assert slot(metadata, "action") == []
    assert len(metadata.xpath("//r:ExtrinsicObject", namespaces=RIM)) == 1, "the signature of the DMP has no place here"
    [kind] = metadata.xpath("//r:Association/@associationType", namespaces=RIM)
    assert kind.endswith("HasMember")


def test_the_server_is_asked_to_report_delivery_and_the_reader_to_report_reading(world):
    [sending] = world.take()
    world.work()
    [mail] = world.mails(DOCTOR)
    [(sender, recipients, parameters)] = world.post.taken
    assert (sender, recipients) == (OURS, (DOCTOR,))
    assert mail["Message-ID"] == f"<insigne.{sending.id}@ch-exemple.mssante.fr>"
    assert parameters["ENVID"] == f"insigne.{sending.id}@ch-exemple.mssante.fr"
    assert parameters["NOTIFY"] == "SUCCESS,FAILURE,DELAY"
    assert parameters["ORCPT"] == f"rfc822;{DOCTOR}"
    assert mail["Disposition-Notification-To"] == OURS


def test_an_address_with_a_plus_is_written_to_and_reported_on(world):
    box = "cabinet+martin@cabinet.mssante.fr"
    world.take(recipients=(box,))
    world.work()
    [(_, recipients, parameters)] = world.post.taken
    assert recipients == (box,)
    assert parameters["ORCPT"] == "rfc822;cabinet+2Bmartin@cabinet.mssante.fr"


def test_nothing_is_asked_that_the_sender_did_not_want(world):
    world.take(flags=Flags(to_dmp=False, to_professionals=True))
    world.work()
    assert world.post.taken[0][2]["NOTIFY"] == "FAILURE,DELAY"
    assert world.mails(DOCTOR)[0]["Disposition-Notification-To"] is None


def test_a_server_without_receipts_takes_the_mail_all_the_same(make_world):
    world = make_world(receipts=False)
    world.take()
    world.work()
    assert len(world.mails(DOCTOR)) == 1
    assert world.sendings()[0].text == "the server reports no delivery (it has no DSN)"


def test_a_patient_is_written_to_at_the_box_their_qualified_ins_names(world):
    flags = Flags(to_dmp=False, to_patient=True, no_reply=True)
    world.take(flags=flags, recipients=(PATIENT_BOX,), mail_patient="Bonjour Dominique,\nvoici votre lettre.")
    world.work()
    [mail] = world.mails(PATIENT_BOX)
    assert mail["X-MSS-MES"] == "FIN"
    assert mail.get_body().get_content().splitlines() == ["Bonjour Dominique,", "voici votre lettre."]


def test_a_patient_who_may_answer_is_not_told_otherwise(world):
    world.take(flags=Flags(to_dmp=False, to_patient=True), recipients=(), reply_to="service@ch-exemple.mssante.fr")
    world.work()
    [mail] = world.mails(PATIENT_BOX)
    assert mail["X-MSS-MES"] is None
    assert mail["Reply-To"] == "service@ch-exemple.mssante.fr"


def test_the_box_of_a_patient_is_in_the_domain_that_is_set(make_world):
    world = make_world(mss={"patient_domain": "patient.formation.mssante.fr"})
    world.take(flags=Flags(to_dmp=False, to_patient=True), recipients=())
    world.work()
    assert [recipients for _, recipients, _ in world.post.taken] == [("279035121518989@patient.formation.mssante.fr",)]


def test_a_box_of_the_national_domain_of_patients_is_written_to_under_no_other_domain_that_is_set(make_world):
    world = make_world(mss={"patient_domain": "patient.formation.mssante.fr"})
    with pytest.raises(MailError) as barred:
        to_professional("180017512345628@patient.mssante.fr", world.settings.mss)
    assert barred.value.code == "mail-patient-box"
    world.take(flags=Flags(to_dmp=False, to_patient=True), recipients=("180017512345628@patient.mssante.fr",))
    world.work()
    [sending] = world.sendings()
    assert (sending.state, sending.code) == ("refused", "mail-other-patient")
    assert world.post.taken == []


def test_the_patient_named_by_their_national_box_is_written_to_in_the_domain_that_is_set(make_world):
    world = make_world(mss={"patient_domain": "patient.formation.mssante.fr"})
    world.take(flags=Flags(to_dmp=False, to_patient=True), recipients=(PATIENT_BOX,))
    world.work()
    assert [recipients for _, recipients, _ in world.post.taken] == [("279035121518989@patient.formation.mssante.fr",)]


def test_nothing_leaves_for_a_patient_when_the_message_names_the_box_of_another(world):
    flags = Flags(to_dmp=False, to_patient=True)
    world.take(flags=flags, recipients=("180017512345628@patient.mssante.fr",))
    world.work()
    [sending] = world.sendings()
    assert (sending.state, sending.code) == ("refused", "mail-other-patient")
    assert world.post.taken == []


@pytest.mark.parametrize("box", ["paul.martin@gmail.example", "paul@mssante.fr.example", "paul@notmssante.fr"])
def test_nothing_leaves_for_a_box_outside_mssante(world, box):
    world.take(recipients=(box,))
    world.work()
    [sending] = world.sendings()
    assert (sending.state, sending.code) == ("refused", "mail-outside")
    assert world.post.taken == []


def test_an_address_cannot_smuggle_a_header_or_a_second_recipient(world):
    for box in ("a@b.mssante.fr\r\nBcc: x@y.mssante.fr", "a@b.mssante.fr, x@y.mssante.fr", "<a@b.mssante.fr>"):
        with pytest.raises(MailError):
            to_professional(box, world.settings.mss)


def test_nobody_is_written_to_before_the_ins_is_qualified(make_world):
    world = make_world()
    world.admit("B", ins=None)
    patient = msgspec.json.encode((pi("B"),))
    world.take(world.cda(), identity="B", patient=patient)
    world.work()
    assert [one.state for one in world.sendings()] == ["waiting-ins"]
    assert world.post.taken == []


def test_a_document_that_bears_another_ins_does_not_leave(world):
    other = world.cda().replace(b"279035121518989", b"279035121518888")
    world.take(other)
    world.work()
    [sending] = world.sendings()
    assert (sending.state, sending.code) == ("refused", "904")


def test_a_new_version_says_that_it_replaces_and_a_deletion_that_it_deletes(world):
    world.take()
    world.work()
    version = world.cda(43, replaces=unique_id(42), version=2)
    world.take(version, 43, intent=Intent.REPLACE, parent=unique_id(42), version=2)
    world.work()
    deletion = world.document(version, 43, intent=Intent.DELETE, parent=unique_id(43))
    world.receive(deletion, version)
    world.work()
    actions = [slot(metadata_of(mail)[0], "action") for mail in world.mails(DOCTOR)]
    assert actions == [[], ["C"], ["D"]]
    last = world.mails(DOCTOR)[-1]
    assert "doit être supprimé" in last.get_body().get_content()
    assert list(attachments(last)) == ["IHE_XDM.zip"], "what is to be deleted is not shown once more"


def test_a_box_that_does_not_exist_ends_refused_with_the_words_of_the_server(world):
    world.post.refuse = [("RCPT", "550 5.1.1 no such box")]
    world.take()
    world.work()
    [sending] = world.sendings()
    assert (sending.state, sending.code, sending.text) == ("refused", "550 5.1.1", "5.1.1 no such box")
    [zam] = world.messages("RETOUR")
    assert "ZAM^Z02" in zam
    assert "|N^^expandedYes-NoIndicator|" in zam
    assert ("document-refused", "550 5.1.1") in world.open_items()


@pytest.mark.parametrize("step", ["RCPT", "DATA"])
def test_a_box_that_is_busy_is_tried_again_later(world, step):
    world.post.refuse = [(step, "450 4.2.2 box full")]
    world.take()
    world.work()
    [sending] = world.sendings()
    assert (sending.state, sending.code, sending.attempts) == ("ready", "450 4.2.2", 1)
    world.moment += timedelta(hours=3)
    world.work()
    assert world.sendings()[0].state == "fed"
    assert len(world.mails(DOCTOR)) == 1


def test_a_server_that_takes_no_mail_from_us_makes_no_document_refused(world):
    world.post.refuse = [("MAIL", "550 5.7.1 not allowed to send as this box")]
    world.take()
    world.work()
    [sending] = world.sendings()
    assert (sending.state, sending.code) == ("ready", "550 5.7.1")


def test_a_mail_that_no_server_was_there_to_take_is_nowhere(make_world):
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    world = make_world(mss={"smtp": {"host": "127.0.0.1", "port": port, "encryption": "none"}})
    world.take()
    world.work()
    [sending] = world.sendings()
    assert (sending.state, sending.ins, sending.attempts) == ("ready", "", 1)


def test_a_mail_larger_than_the_server_says_it_takes_ends_refused(world):
    world.post.refuse = [("MAIL", "552 5.3.4 too large")]
    world.take()
    world.work()
    assert [(one.state, one.code) for one in world.sendings()] == [("refused", "552 5.3.4")]


def test_a_mail_repeated_after_a_kill_has_the_same_message_id(world):
    world.take()
    world.carrier.after_send = kill
    with pytest.raises(Killed):
        world.work()
    world.die()
    world.work()
    first, second = world.mails(DOCTOR)
    assert first["Message-ID"] == second["Message-ID"]
    assert [one.state for one in world.sendings()] == ["fed"]


def test_a_mail_beyond_the_size_that_is_sent_ends_refused(make_world):
    world = make_world(mss={"max_bytes": 20_000})
    world.take()
    world.work()
    [sending] = world.sendings()
    assert (sending.state, sending.code) == ("refused", "mail-size")


def test_the_subject_names_the_patient_only_where_the_site_says_so(make_world):
    world = make_world(mss={"name_in_subject": True})
    world.take()
    world.work()
    expected = "XDM/1.0/DDM+Lettre de liaison à la sortie PAT-TROIS DOMINIQUE 28/03/1979"
    assert world.mails(DOCTOR)[0]["Subject"] == expected


def test_a_mail_is_of_lines_that_any_server_takes(world):
    world.take(mail_professionals="Très long : " + "é" * 5000)
    world.work()
    [raw] = world.raw_mails(DOCTOR)
    assert raw.isascii()
    assert max(map(len, raw.splitlines())) <= 998


def test_the_archive_received_is_read_back_by_our_own_reader(world):
    body = world.cda()
    world.take(body, flags=Flags(to_dmp=False, to_professionals=True, masked_professionals=True))
    world.work()
    [received] = documents_of(attachments(world.mails(DOCTOR)[0])["IHE_XDM.zip"], world.settings.mss)
    assert received.content == body
    assert received.entry.confidentiality == {"N", "MASQUE_PS"}
    assert received.entry.patient == INS


def test_a_document_without_ins_is_given_it_on_its_way(world):
    body = world.cda()
    assert NUMBER in body
    world.take(body.replace(NUMBER, b""))
    world.work()
    document = metadata_of(world.mails(DOCTOR)[0])[1]
    assert b"279035121518989" in document


def test_a_document_without_ins_is_not_given_another_than_its_message_said(world):
    body = world.cda().replace(NUMBER, b"")
    said = Identifier("INS", Authority("", INS.oid, "ISO"), "180017512345628")
    world.take(body, patient=msgspec.json.encode((pi("A"), said)))
    world.work()
    [sending] = world.sendings()
    assert (sending.state, sending.code) == ("refused", "904")
    assert world.post.taken == []


def test_the_traits_of_a_patient_are_not_mailed_with_an_ins_they_lost(world):
    """A document that bears no INS cannot be deleted by mail under the one that was lost: a person is told."""
    world.take(world.cda().replace(NUMBER, b""))
    world.work()
    world.lose_ins("A")
    world.work()
    [deletion] = [one for one in world.sendings() if one.action == "delete"]
    world.act(confirm, deletion.id)
    world.work()
    assert len(world.post.taken) == 1
    assert [(one.state, one.code) for one in world.sendings() if one.id == deletion.id] == [("refused", "904")]


def test_a_deletion_without_a_body_carries_the_document_it_deletes(world):
    world.take()
    world.work()
    deletion = world.document(b"", 42, intent=Intent.DELETE, parent=unique_id(42), content=None)
    world.receive(deletion, b"")
    world.work()
    metadata, document = metadata_of(world.mails(DOCTOR)[-1])
    assert slot(metadata, "action") == ["D"]
    assert unique_id(42).encode() in document
    assert [one.state for one in world.sendings()] == ["deleted", "deleted"]
