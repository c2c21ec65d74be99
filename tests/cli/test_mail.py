"""`insigne mail list|show`: mails sent and received, for who must look at them."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from insigne.dmp.model import Document, Intent, Sending
from insigne.dmp.mss.mails import Mail
from insigne.registry import events as ev
from insigne.registry.workingset import WorkingSet
from insigne.store import open_store
from insigne.store.moments import rfc3339

NOW = datetime.now(UTC)
DOCTOR, PATIENT_BOX = "paul.martin@cabinet.mssante.fr", "284053726111885@patient.mssante.fr"


def ago(hours):
    return rfc3339(NOW - timedelta(hours=hours))


def received(number, state, kind="documents", **fields):
    return Mail(
        id=f"M{number}", box="pfi", validity=1, uid=number, key=f"pfi/{number}", message_id=f"<{number}@cabinet>",
        received=ago(10 - number), kind=kind, state=state, **fields,
    )  # fmt: skip


def sent(number, channel, state, **fields):
    return Sending(
        f"S{number}", f"D{number}", channel, "feed", "P", state, fields.pop("reason", ""), ago(5 - number), "", **fields
    )


def document(number):
    return Document(
        id=f"D{number}", received=ago(6), source="cli", message="", control_id="", sending="DPI|CH",
        intent=Intent.INITIAL, unique_id=f"1.2.{number}", set_id=f"1.3.{number}", version=1, parent="",
        type_code="11490-0", title="Lettre de Mme Bellanger", confidentiality="N", created=ago(6), identity="P",
        patient=b"[]",
    )  # fmt: skip


@pytest.fixture
def mail(insigne, hospital):
    """The command, on a base with a letter, a mail too large that was settled, one refused by the DPI, and two sent."""
    store = open_store(hospital.url, wait=5)
    with store.begin() as transaction:
        transaction.put_mail(received(1, "for-people", "other"))
        transaction.put_mail(received(2, "for-people", "unreadable", code="mail-size"))
        told = {"code": "902", "text": "Identifiant patient inconnu", "address": DOCTOR, "way": "mdn"}
        transaction.put_mail(received(3, "done", **told))
        changes = WorkingSet(transaction)
        raised = ev.WorkItemRaised("document-mail", "document-mail|M1", (), cause="mail-other")
        changes.add(ev.Recorded("work-item", "W1", 1, ago(9), "dmp", "dmp", "", raised))
        transaction.write(changes, ())
        for number in (1, 2, 3):
            transaction.put_document(document(number))
        refusal = {"reason": "refused", "code": "550 5.1.1", "text": "no such box", "recipient": DOCTOR}
        transaction.put_sending(sent(1, "mss-ps", "refused", **refusal))
        transaction.put_sending(
            sent(2, "mss-patient", "waiting-ins", reason="ins-missing", recipient=PATIENT_BOX, text=PATIENT_BOX)
        )
        transaction.put_sending(sent(3, "dmp", "fed"))
        transaction.commit()
    store.close()

    def run(*options, status=0):
        found = insigne("--data", hospital.folder, "mail", *options)
        assert found.status == status, found.err
        return found

    return run


def listed(mail, *options):
    return [json.loads(line) for line in mail("list", *options, "--json").out.splitlines()]


def test_mails_are_listed_newest_first_with_what_to_do(mail):
    found = listed(mail)
    assert [(one["id"], one["direction"], one["recipient"], one["state"], one["cause"]) for one in found] == [
        ("S2", "out", "patient", "waiting-ins", "ins-missing"),
        ("S1", "out", "professional", "refused", "550 5.1.1"),
        ("M3", "in", "box", "done", "902"),
        ("M2", "in", "box", "for-people", "mail-size"),
        ("M1", "in", "box", "for-people", "other"),
    ]
    letter, large = found[-1], found[-2]
    assert (letter["box"], letter["age_seconds"] // 3600) == ("pfi", 9)
    assert letter["remedy"].endswith("puis clore sa tâche (document-mail)")
    assert (large["why"], large["remedy"]) == ("trop volumineux pour être lu", "rien à faire"), "it was settled"


def test_nothing_of_a_patient_is_listed_nor_shown(mail):
    told = mail("list").out + mail("list", "--json").out
    told += "".join(mail("show", name, "--json").out for name in ("M1", "M3", "S1", "S2"))
    assert "284053726111885" not in told
    assert "Bellanger" not in told


@pytest.mark.parametrize(
    ("options", "ids"),
    [
        (("--direction", "in"), ["M3", "M2", "M1"]),
        (("--direction", "out", "--limit", "1"), ["S2"]),
        (("--state", "for-people"), ["M2", "M1"]),
        (("--state", "refused"), ["S1"]),
        (("--box", "labo"), []),
    ],
)
def test_a_list_is_narrowed(mail, options, ids):
    assert [one["id"] for one in listed(mail, *options)] == ids


def test_a_mail_received_is_shown_with_where_to_find_it(mail):
    shown = json.loads(mail("show", "M3", "--json").out)
    assert (shown["message_id"], shown["uid"], shown["waiting"]) == ("<3@cabinet>", 3, False)
    assert (shown["told"], shown["answer"], shown["address"]) == ("Identifiant patient inconnu", "mdn", DOCTOR)
    assert shown["why_en"] == "its documents were not taken; its sender was told"
    assert "waiting" in mail("show", "M1").out


def test_a_mail_sent_is_shown_with_the_words_of_the_server(mail):
    shown = json.loads(mail("show", "S1", "--json").out)
    assert (shown["text"], shown["address"], shown["document"]) == ("no such box", DOCTOR, "D1")


@pytest.mark.parametrize(
    ("options", "status"),
    [(("show", "M9"), 1), (("show", "S3"), 1), (("list", "--state", "lost"), 2), (("list", "--direction", "up"), 2)],
)
def test_what_does_not_exist_is_exit_1_and_wrong_use_exit_2(mail, options, status):
    mail(*options, status=status)
