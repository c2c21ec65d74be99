"""What boxes answer, read in a real IMAP box: receipts of delivery, of reading, failures told in words."""

from email import message_from_string, policy

import pytest

from insigne.dmp.model import Flags
from insigne.dmp.mss.causes import reason_of
from insigne.dmp.mss.reading import understand
from insigne.dmp.mss.reports import reports_of

from .mail_world import DOCTOR, OURS, PATIENT_BOX


def dsn(envelope, action="delivered", status="2.0.0", diagnostic="smtp;250 2.0.0 OK", named="m1"):
    """A DSN as an ordinary server writes it (RFC 3464 §2), with the headers of the mail it is about."""
    return f"""Return-Path: <>
From: MAILER-DAEMON@cabinet.mssante.fr
To: {OURS}
Subject: Delivery Status
Message-ID: <{named}@cabinet.mssante.fr>
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="B"

--B
Content-Type: text/plain

Votre message a été remis.
--B
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.cabinet.mssante.fr
Original-Envelope-Id: {envelope}

Original-Recipient: rfc822;{DOCTOR}
Final-Recipient: rfc822;{DOCTOR}
Action: {action}
Status: {status}
Diagnostic-Code: {diagnostic}

--B
Content-Type: text/rfc822-headers

Message-ID: <insigne.0@elsewhere.example>
Subject: XDM/1.0/DDM+Lettre

--B--
"""


def mdn(original, disposition="manual-action/MDN-sent-manually; displayed", subject="Lu : XDM/1.0/DDM+Lettre"):
    """An MDN as a mail client writes it (RFC 8098 §3)."""
    return f"""From: {DOCTOR}
To: {OURS}
Subject: {subject}
Message-ID: <mdn1@cabinet.mssante.fr>
MIME-Version: 1.0
Content-Type: multipart/report; report-type=disposition-notification; boundary="B"

--B
Content-Type: text/plain; charset=utf-8

Lu.
--B
Content-Type: message/disposition-notification

Reporting-UA: cabinet; Messagerie 1
Original-Recipient: rfc822;{DOCTOR}
Final-Recipient: rfc822;{DOCTOR}
Original-Message-ID: {original}
Disposition: {disposition}

--B--
"""


def ko(original, subject="[KO =?utf-8?q?Int=C3=A9gration_syst=C3=A8me_!=5D=5B902=5D?= XDM/1.0/DDM+Lettre"):
    """The ordinary mail of a receiver that could not take the document."""
    return f"""From: {DOCTOR}
To: {OURS}
Subject: {subject}
In-Reply-To: {original}
Message-ID: <ko1@cabinet.mssante.fr>
MIME-Version: 1.0
Content-Type: text/plain; charset=utf-8

902 Identifiant patient inconnu
"""


def parsed(text):
    return message_from_string(text, policy=policy.default)


@pytest.fixture
def sent(world):
    """A document was mailed; the sending, the Message-ID."""
    [sending] = world.take()
    world.work()
    return sending, world.mails(DOCTOR)[0]["Message-ID"]


def told(world, text):
    world.deliver(OURS, text.encode())
    world.reader().read()
    return world.messages("RETOUR")


def test_a_delivery_becomes_a_positive_z02_that_names_the_message_and_the_box(world, sent):
    [zam] = told(world, dsn(sent[1].strip("<>")))
    assert "|ZAM^Z02^ZAM_Z01|" in zam
    assert "OBX|1|CWE|ACK_RECEPTION_MSS^" in zam
    assert "|C42|Y^^" in zam, "OBX-4 is MSH-10 of the message that brought the document"
    assert f"^^X.400^{DOCTOR}" in zam


def test_a_reading_becomes_a_positive_z03(world, sent):
    [zam] = told(world, mdn(sent[1]))
    assert "|ZAM^Z03^ZAM_Z01|" in zam
    assert "|C42|Y^^" in zam


def test_a_mail_that_comes_back_makes_the_sending_refused_with_a_negative_z02_and_a_work_item(world, sent):
    bounce = dsn(sent[1].strip("<>"), "failed", "5.1.1", "smtp;550 5.1.1 no such box")
    [zam] = told(world, bounce)
    assert "|ZAM^Z02^ZAM_Z01|" in zam
    assert "|C42|N^^" in zam
    [sending] = world.sendings()
    assert (sending.state, sending.code, sending.text, sending.ins) == ("refused", "5.1.1", "550 5.1.1 no such box", "")
    assert ("document-refused", "5.1.1") in world.open_items()


OTHER = "secretariat@autre.mssante.fr"


def about(report, original, final):
    """The report, naming these recipients, None for a field that is not there."""
    fields = f"Original-Recipient: rfc822;{DOCTOR}\nFinal-Recipient: rfc822;{DOCTOR}\n"
    said = {"Original-Recipient": original, "Final-Recipient": final}
    assert fields in report
    return report.replace(fields, "".join(f"{name}: rfc822;{one}\n" for name, one in said.items() if one))


@pytest.mark.parametrize(("action", "status"), [("failed", "5.1.1"), ("delivered", "2.0.0")])
@pytest.mark.parametrize("original", [None, OTHER])
def test_a_delivery_report_that_names_somebody_else_changes_nothing_and_waits_for_people(
    world, sent, action, status, original
):
    before = world.sendings()
    assert told(world, about(dsn(sent[1].strip("<>"), action, status), original, OTHER)) == []
    assert world.sendings() == before
    assert world.open_items() == [("document-mail", "mail-recipient")]
    [mail] = world.kept("for-people")
    assert (mail.kind, mail.code) == ("report", "mail-recipient")
    assert world.flags(OURS) == [{r"\Seen", r"\Flagged"}]
    reason = reason_of(mail, waiting=True)
    assert "was not sent to" in reason.text


@pytest.mark.parametrize(
    ("original", "final"),
    [(DOCTOR, OTHER), (None, DOCTOR), (None, DOCTOR.upper()), (None, f"<{DOCTOR}>"), (OTHER, DOCTOR), (None, None)],
)
def test_a_failure_counts_when_either_recipient_is_ours_or_none_is_named(world, sent, original, final):
    told(world, about(dsn(sent[1].strip("<>"), "failed", "5.1.1"), original, final))
    assert [one.state for one in world.sendings()] == ["refused"]


def test_of_a_report_about_several_recipients_ours_counts_and_the_other_is_shown(world, sent):
    other = f"Final-Recipient: rfc822;{OTHER}\nAction: failed\nStatus: 5.1.1\n\n--B\nContent-Type: text/rfc822"
    report = dsn(sent[1].strip("<>")).replace("--B\nContent-Type: text/rfc822", other)
    [zam] = told(world, report)
    assert "|C42|Y^^" in zam
    assert [one.state for one in world.sendings()] == ["fed"]
    assert world.open_items() == [("document-mail", "mail-recipient")]


def test_a_failure_for_a_box_with_a_plus_counts_however_the_server_writes_it(world):
    box = "paul+lettres@cabinet.mssante.fr"
    world.take(recipients=(box,))
    world.work()
    envelope = world.mails(box)[0]["Message-ID"].strip("<>")
    told(world, about(dsn(envelope, "failed", "5.1.1"), "paul+2Blettres@cabinet.mssante.fr", None))
    assert [one.state for one in world.sendings()] == ["refused"]


def test_a_failure_for_the_box_of_the_patient_counts_and_one_for_another_patient_does_not(world):
    world.take(flags=Flags(to_dmp=False, to_patient=True), recipients=())
    world.work()
    envelope = world.mails(PATIENT_BOX)[0]["Message-ID"].strip("<>")
    other = PATIENT_BOX.replace("279", "180", 1)
    told(world, about(dsn(envelope, "failed", "5.1.1", named="m1"), other, None))
    assert [one.state for one in world.sendings()] == ["fed"]
    told(world, about(dsn(envelope, "failed", "5.1.1", named="m2"), PATIENT_BOX, None))
    assert [one.state for one in world.sendings()] == ["refused"]


def test_a_second_failure_for_the_box_of_the_patient_is_no_news(world):
    world.take(flags=Flags(to_dmp=False, to_patient=True, ack_reception=True), recipients=())
    world.work()
    envelope = world.mails(PATIENT_BOX)[0]["Message-ID"].strip("<>")
    first = told(world, about(dsn(envelope, "failed", "5.1.1", named="m1"), PATIENT_BOX, None))
    assert told(world, about(dsn(envelope, "failed", "5.1.1", named="m2"), PATIENT_BOX, None)) == first
    assert world.open_items() == [("document-refused", "5.1.1")]


def test_a_delay_on_the_way_to_another_box_is_no_news_yet(world, sent):
    assert told(world, about(dsn(sent[1].strip("<>"), "delayed", "4.4.1"), None, OTHER)) == []
    assert world.open_items() == []


@pytest.mark.parametrize(("original", "final"), [(OTHER, DOCTOR), (None, DOCTOR.upper()), (DOCTOR, OTHER)])
def test_the_box_told_to_the_sender_is_the_one_that_was_mailed_to(world, sent, original, final):
    [zam] = told(world, about(dsn(sent[1].strip("<>")), original, final))
    assert f"^^X.400^{DOCTOR}" in zam


def test_a_delay_is_no_news_yet(world, sent):
    assert told(world, dsn(sent[1].strip("<>"), "delayed", "4.4.1")) == []
    assert [one.state for one in world.sendings()] == ["fed"]


def test_a_document_that_the_receiver_could_not_take_becomes_a_negative_z03_with_its_code(world, sent):
    disposition = "automatic-action/MDN-sent-automatically; processed/Error: 902^Identifiant de patient inconnu^x|E"
    [zam] = told(world, mdn(sent[1], disposition))
    assert "|ZAM^Z03^ZAM_Z01|" in zam
    assert "|C42|N^^" in zam
    assert "|902^Identifiant de patient inconnu^applicationErrorCondition" in zam


def test_a_failure_told_by_an_ordinary_mail_is_understood_too(world, sent):
    [zam] = told(world, ko(sent[1]))
    assert "|C42|N^^" in zam
    assert "|902^" in zam


def test_a_report_received_twice_is_told_once(world, sent):
    text = dsn(sent[1].strip("<>"))
    world.deliver(OURS, text.encode())
    world.deliver(OURS, ("Received: from elsewhere\n" + text).encode())
    assert world.reader().read() == 2
    assert len(world.messages("RETOUR")) == 1


def test_a_report_about_a_mail_that_is_not_ours_changes_nothing(world, sent):
    assert told(world, dsn("insigne.99999999999999999999999999@ch-exemple.mssante.fr")) == []
    assert told(world, mdn("<somebody@else.example>")) == []


def test_a_report_about_a_letter_that_answers_ours_is_not_about_ours(world, sent):
    """Somebody writes from our box in the same conversation: that this letter was read does not say that ours was."""
    thread = f"References: {sent[1]}\nIn-Reply-To: {sent[1]}\nFrom: "
    assert told(world, mdn("<lettre@ch-exemple.mssante.fr>").replace("From: ", thread, 1)) == []
    assert told(world, dsn("autre-lettre").replace("<insigne.0@", "<lettre@").replace("From: ", thread, 1)) == []
    assert told(world, mdn("").replace("Original-Message-ID: \n", "").replace("From: ", thread, 1)) != []


@pytest.mark.parametrize("report", [lambda: dsn("other.1@x", "failed", "5.1.1"), lambda: mdn("<other@x>")])
def test_what_a_report_returns_is_no_document_received(world, sent, report):
    """A server that gives back the whole mail gives back its archive: we sent it, or the DPI refused it before."""
    returned = world.raw_mails(DOCTOR)[0].decode().replace("\r\n", "\n").replace("<insigne.", "<other.")
    told(
        world,
        report()
        .replace("<insigne.0@", "<other.0@")
        .replace("\n--B--", "\n--B\nContent-Type: message/rfc822\n\n" + returned + "\n--B--"),
    )
    assert world.messages("DPI") == []
    assert world.open_items() == []


def test_an_answer_that_comes_back_waits_for_people(world):
    for action, status, named in (("failed", "5.1.1", "m1"), ("delayed", "4.2.2", "m2")):
        report = dsn("answer.00000000000000000007000000", action, status, named=named)
        told(world, report.replace("<insigne.0@", "<insigne.answer.00000000000000000007000000@"))
        assert world.open_items() == [("document-mail", "mail-other")]


@pytest.mark.parametrize(
    ("disposition", "fate"),
    [
        ("manual-action/MDN-sent-manually; displayed", "read"),
        ("automatic-action/MDN-sent-automatically;processed", "processed"),
        ("automatic-action/MDN-sent-automatically; dispatched", "processed"),
        ("automatic-action/MDN-sent-automatically; deleted", "not-read"),
        ("Automatic-Action/MDN-sent-automatically; Processed/error", "not-taken"),
        ("automatic-action/MDN-sent-automatically;processed/Error:902^inconnu", "not-taken"),
    ],
)
def test_dispositions_are_read_whatever_their_capitals_and_spaces(disposition, fate):
    [report] = reports_of(parsed(mdn("<insigne.01ABC@ch.mssante.fr>", disposition)))
    assert (report.sending, report.fate) == ("01ABC", fate)


@pytest.mark.parametrize(
    ("action", "fate"),
    [("delivered", "delivered"), ("relayed", "relayed"), ("expanded", "delivered"), ("failed", "failed")],
)
def test_actions_of_a_delivery_report_are_read(action, fate):
    [report] = reports_of(parsed(dsn("insigne.01ABC@ch.mssante.fr", action)))
    assert (report.sending, report.fate, report.recipient) == ("01ABC", fate, DOCTOR)


def test_a_delivery_report_without_envelope_id_is_known_by_the_headers_it_returns():
    text = dsn("").replace("Original-Envelope-Id: \n", "").replace("insigne.0@elsewhere.example", "insigne.7@ch.fr")
    [report] = reports_of(parsed(text))
    assert report.sending == "7"


def test_a_report_sent_along_in_another_mail_is_not_that_mail():
    inner = dsn("insigne.01ABC@ch.mssante.fr")
    outer = (
        'From: a@b\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary="OUT"\n\n'
        f"--OUT\nContent-Type: message/rfc822\n\n{inner}\n--OUT--\n"
    )
    assert reports_of(parsed(outer)) == []


@pytest.mark.parametrize(
    "text",
    [
        "Content-Type: message/disposition-notification\n\n",
        "Content-Type: message/delivery-status\n\nAction",
        "Content-Type: multipart/report; boundary=\n\n--\n",
        "Subject: [KO\n\n",
        "From: =?x?q?=\nTo: <<<>>>\nContent-Type: message/rfc822\n\nFrom",
        'Content-Type: multipart/mixed; boundary="a"\n\n--a\nContent-Type: application/zip\n\nnot base64\n--a--',
    ],
)
def test_a_broken_mail_breaks_nothing(world, text):
    assert understand(text.encode(), world.settings.mss).kind in {"other", "unreadable", "documents"}
