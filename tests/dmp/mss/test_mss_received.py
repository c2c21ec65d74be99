"""Documents received in a real IMAP box: to the DPI as MDM, to people when they cannot be, answered when asked."""

import base64
import hashlib
import io
import zipfile
from email import policy
from email.message import EmailMessage
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from insigne.dmp.model import Flags, Intent
from insigne.dmp.mss import mailbox
from insigne.dmp.mss.causes import reason_of
from insigne.dmp.mss.connection import MailFault
from insigne.dmp.mss.reading import understand
from insigne.dmp.settings_mss import MssSettings
from insigne.hl7 import AckError, Message, build_ack

from .mail_world import DOCTOR, OURS, PDF, unique_id


def archive_of(mail):
    return next(
        part.get_payload(decode=True) for part in mail.iter_attachments() if part.get_filename() == "IHE_XDM.zip"
    )


def mail_to_us(world, number=42, *, receipt=False, change=lambda archive: archive, name="n", **fields):
    """The mail that another site's PFI sends: what ours makes, from the box of a doctor."""
    given = {"flags": Flags(to_dmp=False, to_professionals=True, masked_professionals=True)}
    world.take(fields.pop("body", None), number, **{**given, **fields})
    world.work()
    sent = world.mails(DOCTOR)[-1]
    mail = EmailMessage(policy.SMTP)
    mail["From"], mail["To"], mail["Subject"] = DOCTOR, OURS, sent["Subject"]
    mail["Message-ID"] = f"<{name}.{number}@cabinet.mssante.fr>"
    mail["Reply-To"] = "secretariat@cabinet.mssante.fr"
    if receipt:
        mail["Disposition-Notification-To"] = DOCTOR
    mail.set_content("Bonjour, voici la lettre.\n")
    mail.add_attachment(change(archive_of(sent)), maintype="application", subtype="zip", filename="IHE_XDM.zip")
    mail.add_attachment(PDF, maintype="application", subtype="pdf", filename="Lettre.pdf")
    return mail.as_bytes()


@pytest.fixture
def mailed(world):
    return partial(mail_to_us, world)


def holding(archive, document):
    """The same archive with another document, whose metadata measure it rightly."""
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(archive)) as old, zipfile.ZipFile(target, "w") as new:
        former = old.read("IHE_XDM/SUBSET01/DOC0001.XML")
        for name in old.namelist():
            content = old.read(name)
            if name.endswith("METADATA.XML"):
                content = content.replace(*(hashlib.sha1(one).hexdigest().encode() for one in (former, document)))
                content = content.replace(*(f">{len(one)}<".encode() for one in (former, document)))
            new.writestr(name, document if name.endswith("DOC0001.XML") else content)
    return target.getvalue()


def take(world, *raws):
    for raw in raws:
        world.deliver(OURS, raw)
    world.reader().read()


def refused(message, code, text=""):
    errors = [AckError("207", application_code=code, text=text)]
    return build_ack(message.encode(), "AE", time="20260302103000+0100", control_id="A1", errors=errors)


def test_a_document_received_goes_on_to_the_dpi_as_the_volet_writes_it(world, mailed):
    body = world.cda()
    take(world, mailed(body=body))
    [text] = world.messages("DPI")
    message = Message.parse(text.encode())
    assert message.value("MSH-9.1") + message.value("MSH-9.2") + message.value("MSH-9.3") == "MDMT02MDM_T02"
    assert (message.version, message.value("MSH-11"), message.value("MSH-17")) == ("2.6", "T", "FRA")
    assert (message.value("MSH-21.1"), message.value("MSH-21.2")) == ("1.1", "CISIS_CDA_HL7_LPS")
    identifiers = [one[0][0] + "|" + one[4][0] for one in message.segment("PID").decoded(3)]
    assert identifiers == ["279035121518989|INS", "IPP-A|PI"]
    assert message.value("PID-3.4") == "ASIP-SANTE-INS-NIR-TEST"
    assert message.value("PID-3.4.2") == "1.2.250.1.213.1.4.10"
    assert message.segment("PID").field(5) == "PAT-TROIS^DOMINIQUE^DOMINIQUE MARIE-LOUISE^^^^L"
    assert (message.value("PID-7"), message.value("PID-8"), message.value("PID-11.9")) == ("19790328", "F", "51215")
    assert message.value("PV1-2") == "N"
    assert message.value("ORC-1") == "NW"
    assert (message.value("TXA-2"), message.value("TXA-12"), message.value("TXA-17")) == (
        "11490-0",
        unique_id(42),
        "AU",
    )
    document, mail, *flags = message.segments("OBX")
    assert (document.value(2), document.value(3), document.value(11)) == ("ED", "11490-0", "F")
    assert base64.b64decode(document.value(5, 5)) == body
    assert (mail.value(3), base64.b64decode(mail.value(5, 5)).decode()) == (
        "<n.42@cabinet.mssante.fr>",
        "Bonjour, voici la lettre.\r\n",
    )
    assert [(one.value(1), one.value(3), one.value(5)) for one in flags] == [
        ("3", "MASQUE_PS", "Y"),
        ("4", "INVISIBLE_PATIENT", "N"),
        ("5", "INVISIBLE_REP_LEGAUX", "N"),
        ("6", "MODIF_CONF_CODE", "N"),
    ]
    roles = [(one.value(4), one.value(15, 4)) for one in message.segments("PRT")]
    assert roles == [("SB", DOCTOR), ("RCT", OURS), ("REPLY", "secretariat@cabinet.mssante.fr")]
    assert message.segments("PRT")[0].value(5) == "810012345678"
    assert message.segments("PRT")[0].value(8, 10) == "1750000001"


def test_a_replacement_is_a_t10_and_a_deletion_a_t04(world, mailed):
    first = mailed()
    version = world.cda(43, replaces=unique_id(42), version=2)
    second = mailed(43, body=version, intent=Intent.REPLACE, parent=unique_id(42), version=2)
    world.receive(world.document(version, 43, intent=Intent.DELETE, parent=unique_id(43)), version)
    world.work()
    take(world, first, second, world.raw_mails(DOCTOR)[-1].replace(b"Message-ID: <insigne.", b"Message-ID: <other."))
    found = [Message.parse(text.encode()) for text in world.messages("DPI")]
    told = [(one.trigger, one.value("ORC-1"), one.value("OBX-11"), one.value("TXA-13")) for one in found]
    assert told == [("T02", "NW", "F", ""), ("T10", "RO", "C", unique_id(42)), ("T04", "CA", "D", "")]
    assert len({row.keys for row in world.rows("DPI")}) == 1, "documents of one patient go in order"


def test_nothing_is_read_twice_whatever_the_server_does_with_its_numbers(world, mailed):
    take(world, mailed())
    assert world.reader().read() == 0
    world.begin_anew(OURS)
    world.reader().read()
    assert len(world.messages("DPI")) == 1


def test_what_was_not_committed_is_read_again(world, mailed):
    world.deliver(OURS, mailed())
    reader = world.reader()

    def die(*_):
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("insigne.store.mail.MailWriter.put_mail_place", die)
        with pytest.raises(KeyboardInterrupt):
            reader.read()
    assert world.messages("DPI") == []
    world.reader().read()
    assert len(world.messages("DPI")) == 1


def test_a_mail_that_cannot_be_read_is_flagged_and_the_next_one_read(world, mailed):
    broken = b"Subject: XDM/1.0/DDM+x\r\nContent-Type: multipart/mixed; boundary=\xff\r\n\r\n\xff\xfe"
    take(world, broken, mailed())
    assert len(world.messages("DPI")) == 1
    assert world.flags(OURS) == [{r"\Seen", r"\Flagged"}, {r"\Seen"}]
    assert [kind for kind, _ in world.open_items()] == ["document-mail"]


def test_a_body_of_halves_of_characters_bars_no_mail(world, mailed):
    raw = mailed(name="utf7").replace(b'charset="utf-8"', b'charset="utf-7"', 1)
    raw = raw.replace(b"Bonjour, voici la lettre.", b"Bonjour +2AA-")
    assert b"utf-7" in raw
    assert b"+2AA-" in raw
    take(world, raw, mailed(43))
    assert len(world.messages("DPI")) == 2


def test_a_mail_that_meets_a_defect_waits_for_people_and_the_next_one_is_read(world, mailed):
    first, second = mailed(), mailed(43)
    written = mailbox.write_mdm

    def fail_once(received, envelope):
        if received.cda.unique_id == unique_id(42):
            raise UnicodeEncodeError("utf-8", "", 0, 1, "defect")
        return written(received, envelope)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mailbox, "write_mdm", fail_once)
        take(world, first, second)
    assert len(world.messages("DPI")) == 1
    assert world.flags(OURS) == [{r"\Seen", r"\Flagged"}, {r"\Seen"}]
    assert world.open_items() == [("document-mail", "mail-unreadable")]


def test_an_author_cannot_add_a_segment(world, mailed):
    """What ends a segment for some receivers."""
    injected = "PID|1||4072"

    def change(archive):
        out = io.BytesIO()
        with zipfile.ZipFile(io.BytesIO(archive)) as old, zipfile.ZipFile(out, "w") as new:
            for name in old.namelist():
                content = old.read(name)
                if name.endswith("METADATA.XML"):
                    content = content.replace(b"LEROUX", b"LEROUX\n" + injected.encode())
                new.writestr(name, content)
        return out.getvalue()

    take(world, mailed(change=change))
    [message] = world.messages("DPI")
    assert "LEROUX" in message
    assert "\n" not in message
    assert injected not in message


def test_a_mail_beyond_the_size_is_not_even_fetched(make_world):
    world = make_world(box={"max_bytes": 10_000})
    world.deliver(OURS, b"Subject: x\r\n\r\n" + b"a" * 20_000)
    world.reader().read()
    assert world.open_items() == [("document-mail", "mail-size")]


def test_a_letter_that_somebody_wrote_waits_for_people(world):
    world.deliver(OURS, f"From: {DOCTOR}\r\nSubject: Question\r\n\r\nBonjour".encode())
    world.deliver(OURS, f"From: {DOCTOR}\r\nSubject: Absence\r\nAuto-Submitted: auto-replied\r\n\r\nAbsent".encode())
    world.reader().read()
    assert world.flags(OURS) == [{r"\Seen", r"\Flagged"}, {r"\Seen"}]


def test_who_answers_a_mail_of_ours_is_read_by_people_and_told_no_failure(world):
    world.take()
    world.work()
    [sent] = world.mails(DOCTOR)
    reply = f"From: {DOCTOR}\r\nIn-Reply-To: {sent['Message-ID']}\r\nSubject: Re: XDM/1.0/DDM+Lettre\r\n\r\nMerci."
    take(world, reply.encode())
    assert world.open_items() == [("document-mail", "mail-other")]
    assert world.answering().answer() == 0
    assert len(world.mails(DOCTOR)) == 1


def altered(archive):
    """The same archive, with one letter of the document changed."""
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(archive)) as source, zipfile.ZipFile(target, "w") as copy:
        for name in source.namelist():
            content = source.read(name)
            copy.writestr(
                name, content.replace(b"CH Exemple", b"CH Exempla") if name.endswith("DOC0001.XML") else content
            )
    return target.getvalue()


def test_a_document_changed_on_its_way_goes_back_to_its_sender(world, mailed):
    take(world, mailed(change=altered))
    assert world.messages("DPI") == []
    world.answering().answer()
    answer = world.mails(DOCTOR)[-1]
    assert answer["Subject"] == "[KO Intégration système !][906] XDM/1.0/DDM+Lettre de liaison à la sortie"
    assert answer["In-Reply-To"] == "<n.42@cabinet.mssante.fr>"
    assert "empreinte" in answer.get_body().get_content()
    names = [part.get_filename() for part in answer.iter_attachments()]
    assert names == ["message_original.eml", "IHE_XDM.zip", "Lettre.pdf"]


ANOTHER_PATIENT = (
    b"<recordTarget><patientRole><id root='1.2.250.1.999.1' extension='IPP-B'/></patientRole></recordTarget>"
)
ANOTHER_ROLE = b"<patientRole><id root='1.2.250.1.213.1.4.10' extension='279035121518989'/></patientRole>"
ANOTHER_INS = b"<id root='1.2.250.1.213.1.4.10' extension='207058575627097'/>"


@pytest.mark.parametrize(
    ("mark", "more"),
    [(b"<recordTarget", ANOTHER_PATIENT), (b"<patientRole", ANOTHER_ROLE), (b"</patientRole>", ANOTHER_INS)],
    ids=["patients", "roles", "INS"],
)
def test_a_document_of_two_patients_is_handed_on_to_nobody(world, mailed, mark, more):
    whole = world.cda()
    changed = whole.replace(mark, more + mark, 1)
    assert changed != whole
    take(world, mailed(change=lambda archive: holding(archive, changed), receipt=True))
    assert world.messages("DPI") == []
    [mail] = world.kept("to-answer")
    assert mail.code == "904"


def test_what_the_dpi_refuses_is_told_with_its_code_by_the_mdn_that_was_asked_for(world, mailed):
    take(world, mailed(receipt=True))
    assert world.answering().conclude() == 0
    [row] = world.rows("DPI")
    world.end(row, "held", refused(world.messages("DPI")[0], "902"))
    assert world.answering().conclude() == 1
    world.answering().answer()
    answer = world.mails(DOCTOR)[-1]
    assert answer.get_content_type() == "multipart/report"
    assert answer.get_param("report-type") == "disposition-notification"
    assert answer["Subject"].startswith("[KO Intégration système !][902] XDM/1.0/DDM+")
    [fields] = [part.get_payload()[0] for part in answer.walk() if part.get_content_type().endswith("notification")]
    assert fields["Original-Message-ID"] == "<n.42@cabinet.mssante.fr>"
    assert fields["Final-Recipient"] == f"rfc822;{OURS}"
    assert fields["Disposition"].startswith("automatic-action/MDN-sent-automatically; processed/Error: 902^")
    assert world.answering().answer() == 0, "told once"


def test_what_the_dpi_takes_is_told_only_to_who_asked(world, mailed):
    take(world, mailed(receipt=True, name="asked"), mailed(44, name="silent"))
    for row in world.rows("DPI"):
        world.end(row, "delivered")
    before = len(world.mails(DOCTOR))
    world.answering().conclude()
    world.answering().answer()
    [answer] = world.mails(DOCTOR)[before:]
    assert answer["In-Reply-To"] == "<asked.42@cabinet.mssante.fr>"
    [fields] = [part.get_payload()[0] for part in answer.walk() if part.get_content_type().endswith("notification")]
    assert fields["Disposition"] == "automatic-action/MDN-sent-automatically; processed"


def test_our_own_answers_are_reports_and_never_answered(world, mailed):
    take(world, mailed(receipt=True))
    world.end(world.rows("DPI")[0], "held", refused(world.messages("DPI")[0], "904"))
    world.answering().conclude()
    world.answering().answer()
    before = len(world.mails(DOCTOR))
    take(world, world.raw_mails(DOCTOR)[-1])
    world.answering().conclude()
    world.answering().answer()
    assert len(world.mails(DOCTOR)) == before


def test_a_receipt_to_another_address_is_not_sent_by_itself(world, mailed):
    raw = mailed(receipt=True).replace(
        b"Disposition-Notification-To: " + DOCTOR.encode(), b"Disposition-Notification-To: x@y.mssante.fr"
    )
    take(world, raw)
    world.end(world.rows("DPI")[0], "delivered")
    world.answering().conclude()
    assert world.kept("to-answer") == []


def test_an_answer_that_cannot_leave_now_leaves_later_under_the_same_message_id(world, mailed):
    take(world, mailed(change=altered))
    world.post.refuse = [("RCPT", "450 4.2.2 later")]
    with pytest.raises(MailFault):
        world.answering().answer()
    assert len(world.kept("to-answer")) == 1
    world.answering().answer()
    assert world.kept("to-answer") == []


def test_without_a_destination_a_document_received_waits_for_people(make_world):
    world = make_world(box={"destination": ""})
    world.take()
    world.work()
    world.deliver(OURS, world.raw_mails(DOCTOR)[0])
    world.reader().read()
    assert world.open_items() == [("document-mail", "mail-documents")]
    assert len(world.kept("for-people")) == 1


def test_an_answer_that_is_put_off_bars_no_other(world, mailed):
    take(world, mailed(change=altered, name="first"), mailed(44, change=altered, name="second"))
    world.post.refuse = [("RCPT", "450 4.2.2 later")]
    assert world.answering().answer() == 1
    assert [mail.message_id for mail in world.kept("to-answer")] == ["<first.42@cabinet.mssante.fr>"]


def test_answers_that_are_put_off_take_turns_with_the_others(make_world):
    world = make_world(box={"batch": 1})
    take(world, mail_to_us(world, change=altered, name="first"))
    take(world, mail_to_us(world, 44, change=altered, name="second"))
    world.post.refuse = [("RCPT", "450 4.2.2 later")]
    answering = world.answering()
    with pytest.raises(MailFault):
        answering.answer()
    assert answering.answer() == 1
    assert [mail.message_id for mail in world.kept("to-answer")] == ["<first.42@cabinet.mssante.fr>"]
    assert answering.answer() == 1
    assert world.kept("to-answer") == []


@pytest.mark.parametrize("header", [b'To: "', b"To: <@", b"To: =?utf-7?q?+2AA-?= <x@y.mssante.fr>"])
def test_a_mail_with_a_header_that_nobody_can_read_is_answered_all_the_same(world, mailed, header):
    take(world, mailed(change=altered).replace(b"To: " + OURS.encode(), header, 1), mailed(44, change=altered))
    assert world.answering().answer() == 2
    assert world.kept("to-answer") == []


def test_a_failure_that_its_sender_cannot_be_told_of_waits_for_people(world, mailed):
    take(world, mailed(receipt=True))
    world.end(world.rows("DPI")[0], "held", refused(world.messages("DPI")[0], "902"))
    world.answering().conclude()
    world.post.refuse = [("RCPT", "550 5.1.1 no such box")]
    assert world.answering().answer() == 1
    assert world.open_items() == [("document-mail", "mail-answer")]
    [mail] = world.kept("for-people")
    assert (mail.code, reason_of(mail, waiting=True).text) == (
        "902", "its documents were not taken; its sender could not be told: do so"
    )  # fmt: skip


def test_a_box_told_of_each_failure_is_told(make_world):
    world = make_world(mss={"failures_to": "erreurs@ch-exemple.mssante.fr", "answer_failures": False})
    world.deliver(OURS, f"From: {DOCTOR}\r\nSubject: XDM/1.0/DDM+Lettre\r\n\r\nSans archive".encode())
    world.reader().read()
    world.answering().answer()
    [notice] = world.mails("erreurs@ch-exemple.mssante.fr")
    assert notice["Subject"] == "[KO Intégration système !][906] XDM/1.0/DDM+Lettre"


def test_an_answer_gives_back_the_mail_even_when_the_folder_was_numbered_anew(world, mailed):
    take(world, mailed(change=altered))
    world.begin_anew(OURS)
    world.answering().answer()
    names = [part.get_filename() for part in world.mails(DOCTOR)[-1].iter_attachments()]
    assert "IHE_XDM.zip" in names


def test_an_answer_leaves_without_the_mail_once_somebody_erased_it(world, mailed):
    take(world, mailed(change=altered))
    world.erase(OURS)
    world.answering().answer()
    answer = world.mails(DOCTOR)[-1]
    assert answer["Subject"] == "[KO Intégration système !][906] XDM/1.0/DDM+"
    assert list(answer.iter_attachments()) == []


@given(st.binary(max_size=600), st.sampled_from(["", "multipart/report", "message/delivery-status", "application/zip"]))
def test_no_mail_whatsoever_stops_the_reading(body, kind):
    head = f"Subject: XDM/1.0/DDM+x\r\nContent-Type: {kind}; boundary=b\r\n" if kind else ""
    understand(head.encode() + body, MssSettings())
