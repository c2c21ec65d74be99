"""What was read of boxes, on each kind of database."""

import msgspec

from insigne.dmp.mss.mails import Mail, Place
from insigne.registry import events as ev
from insigne.registry.workingset import WorkingSet
from insigne.store.purge import purge


def mail(number, state="done", box="pfi"):
    return Mail(
        id=f"M{number}", box=box, validity=4_294_967_295, uid=number, key=f"{box}/{number}", message_id=f"<{number}@x>",
        received="2026-03-10T08:00:00.000Z", kind="documents", state=state, address="x@y", way="mdn",
    )  # fmt: skip


def test_the_place_reached_in_a_box_is_kept_for_each_box(store):
    with store.begin() as transaction:
        assert transaction.mail_place("pfi") is None
        transaction.put_mail_place("pfi", Place(4_294_967_295, 7))
        transaction.put_mail_place("labo", Place(1, 1))
        transaction.put_mail_place("pfi", Place(4_294_967_295, 8))
        transaction.commit()
    with store.begin() as transaction:
        assert transaction.mail_place("pfi") == Place(4_294_967_295, 8)
        assert transaction.mail_place("labo") == Place(1, 1)


def test_a_mail_is_known_and_found_by_its_state(store):
    with store.begin() as transaction:
        for one in (mail(2, "sent-on"), mail(1, "sent-on"), mail(3), mail(4, "sent-on", box="labo")):
            transaction.put_mail(one)
        assert transaction.has_mail("pfi/2")
        assert not transaction.has_mail("pfi/9")
        transaction.commit()
    with store.read() as view:
        assert [one.id for one in view.mails_in("pfi", "sent-on", 10)] == ["M1", "M2"]
        assert [one.mail.id for one in view.mails("sent-on")] == ["M4", "M2", "M1"]
        assert [one.mail.id for one in view.mails(box="pfi", limit=2)] == ["M3", "M2"]
        assert view.mail("M3") == (mail(3), False)
        assert view.mail("M9") is None
        assert view.mails_in("pfi", "done", 10) == [mail(3)]


def test_what_is_still_to_be_done_of_a_mail_changes(store):
    with store.begin() as transaction:
        transaction.put_mail(mail(1, "sent-on"))
        transaction.put_mail(mail(1, "to-answer"))
        transaction.commit()
    with store.read() as view:
        assert view.mails_in("pfi", "sent-on", 10) == []
        assert [one.id for one in view.mails_in("pfi", "to-answer", 10)] == ["M1"]


AFTER = "2026-04-10T08:00:00.000Z"


def item(mail_id):
    return ev.Recorded(
        "work-item", f"W{mail_id}", 1, "2026-03-10T08:00:00.000Z", "dmp", "dmp", "",
        ev.WorkItemRaised("document-mail", f"document-mail|{mail_id}", (), cause="mail-other"),
    )  # fmt: skip


def test_an_old_mail_keeps_its_trace_and_loses_whose_it_was(store):
    with store.begin() as transaction:
        for one in (mail(1), mail(2, "sent-on"), mail(3, "to-answer"), mail(4, "for-people"), mail(5, "for-people")):
            transaction.put_mail(one)
        changes = WorkingSet(transaction)
        changes.add(item("M5"))
        transaction.write(changes, ())
        transaction.commit()
    assert purge(store, "claire", documents_before="2026-03-10T08:00:00.000Z")["mails"] == 0
    assert purge(store, "claire", documents_before=AFTER)["mails"] == 2
    assert purge(store, "claire", documents_before=AFTER)["mails"] == 0
    with store.read() as view:
        assert view.mails_in("pfi", "done", 10) == [msgspec.structs.replace(mail(1), message_id="", address="")]
        open_one, settled = view.mails("for-people")
        assert (open_one, settled.mail.message_id, settled.waiting) == ((mail(5, "for-people"), True), "", False)
        assert [view.mail(name).mail for name in ("M2", "M3")] == [mail(2, "sent-on"), mail(3, "to-answer")]
        assert view.has_mail("pfi/1"), "read again, it is known"
