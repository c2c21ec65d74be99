"""What any base gives, SQLite and PostgreSQL alike."""

from datetime import UTC, datetime

import pytest

from insigne.access.tokens import Scope, issue
from insigne.exchange.errors import StoreBusy, StoreError
from insigne.registry.events import (
    AccountChanged,
    EncounterOpened,
    EncounterReassigned,
    IdentifierAdded,
    IdentifierRetired,
    InsContested,
    InsRecorded,
    InsWithdrawn,
    Recorded,
    TraitsChanged,
    WorkItemClosed,
    WorkItemRaised,
    WorkItemSnapshot,
    raw_json,
)
from insigne.registry.index import account_key, ins_key, overlay_key, visit_key
from insigne.registry.state import StayHeader
from insigne.registry.values import Authority, Identifier, Ins, Traits
from insigne.registry.workingset import WorkingSet
from insigne.registry.worklist_kinds import WorkFilter
from insigne.store import AuditEntry
from insigne.store.queries import MessageFilter
from insigne.store.tokens import StoredTokens

HOSPITAL = Authority("HOSPITAL", "1.2.250.1.999.1", "ISO")
CLINIC = Authority("CLINIC", "", "")
INS = Ins("284022901900127", "1.2.250.1.213.1.4.8")


def pi(value, authority=HOSPITAL):
    return Identifier("PI", authority, value)


def read(store, question):
    with store.read() as view:
        return question(view)


def test_an_identity_comes_back_as_it_was_written(store, hospital):
    traits = Traits("D'ÉPINAY-LŒUIL", "ÉLOÏSE", "ÉLOÏSE ŽOFIA", "1984", "F", "99999")
    hospital.admit("A", pi("1"), traits=traits, used_name="O'BRIEN \0 日本")
    with store.begin() as transaction:
        written = transaction.identity("A")
    assert written.traits == traits
    assert read(store, lambda view: view.identity("A")) == written


def test_what_does_not_exist_is_none(store):
    with store.begin() as transaction:
        assert transaction.identity("nobody") is None
        assert transaction.encounter("none") is None
        assert transaction.work_item("none") is None
        assert transaction.open_work_item("none") is None
        assert transaction.holders(("PI", "x", "1")) == ()
        assert transaction.previous([("GAM", "1")], "") == {}


def test_holders_are_given_oldest_first_whatever_their_ids(store, hospital):
    hospital.admit("B", pi("7"))
    hospital.admit("A", pi("7"))
    assert read(store, lambda view: view.holders(pi("7").key)) == ("B", "A")
    with store.begin() as transaction:
        assert transaction.holders(pi("7").key) == ("B", "A")


def test_a_retired_identifier_still_finds_its_identity_after_the_present_holder(store, hospital):
    hospital.admit("A", pi("7"))
    hospital.record(("identity", "A", IdentifierRetired(pi("7"), "replaced")))
    hospital.admit("B", pi("7"))
    found = read(store, lambda view: view.find_identity(HOSPITAL.key, "7", {"PI"}))
    assert found == ["B", "A"]


def test_an_identifier_added_later_finds_the_identity_at_once(store, hospital):
    hospital.admit("A", pi("1"))
    with store.begin() as transaction:
        assert transaction.holders(pi("2").key) == ()
        changes = WorkingSet(transaction)
        hospital.add(changes, "identity", "A", IdentifierAdded(pi("2")))
        transaction.write(changes, ())
        assert transaction.holders(pi("2").key) == ("A",)
        transaction.commit()
    assert read(store, lambda view: view.holders(pi("2").key)) == ("A",)


def test_an_identifier_is_found_by_oid_by_namespace_and_only_in_the_types_asked(store, hospital):
    hospital.admit("A", pi("1"), Identifier("NH", HOSPITAL, "1"))
    hospital.admit("B", pi("1", CLINIC))
    with store.read() as view:
        assert view.find_identity("1.2.250.1.999.1", "1", {"PI"}) == ["A"]
        assert view.find_identity("HOSPITAL", "1", {"PI"}) == ["A"]
        assert view.find_identity("CLINIC", "1", {"PI"}) == ["B"]
        assert view.find_identity("CLINIC", "1", {"NH"}) == []


def test_an_ins_is_found_by_its_matricule_until_it_is_withdrawn(store, hospital):
    hospital.admit("A", pi("1"))
    hospital.record(("identity", "A", InsRecorded(INS)))
    with store.read() as view:
        assert view.holders(ins_key(INS.matricule)) == ("A",)
        assert view.find_identity(INS.oid, INS.matricule, {"INS"}) == ["A"]
    hospital.record(("identity", "A", InsContested(INS, contested=True)))
    assert read(store, lambda view: view.holders(ins_key(INS.matricule))) == ("A",)
    hospital.record(("identity", "A", InsWithdrawn(INS, "deleted")))
    assert read(store, lambda view: view.holders(ins_key(INS.matricule))) == ()


def test_two_changes_of_one_identity_in_two_writes_of_one_transaction_both_count(store, hospital):
    hospital.admit("A", pi("1"))
    with store.begin() as transaction:
        for event in (IdentifierAdded(pi("2")), IdentifierRetired(pi("2"), "error"), IdentifierAdded(pi("3"))):
            changes = WorkingSet(transaction)
            hospital.add(changes, "identity", "A", event)
            transaction.write(changes, [hospital.message(hospital._seconds)])
        transaction.commit()
    with store.read() as view:
        assert [entry.version for entry in view.history("A")] == [1, 2, 3, 4]
        assert view.find_identity(HOSPITAL.key, "3") == ["A"]
        assert len(list(view.messages())) == 3


def test_one_identifier_said_twice_in_a_message_is_kept_once(store, hospital):
    hospital.admit("A", pi("1"), pi("1", Authority("OTHER NAME", HOSPITAL.universal_id, "ISO")))
    assert read(store, lambda view: view.holders(pi("1").key)) == ("A",)


def test_stays_are_found_by_visit_and_account_and_by_identity(store, hospital):
    visit, account = Identifier("VN", HOSPITAL, "V1"), Identifier("AN", HOSPITAL, "D1")
    hospital.admit("A", pi("1"))
    hospital.admit("B", pi("2"))
    hospital.record(("encounter", "S", EncounterOpened("A", visit, account, StayHeader("I"))))
    with store.read() as view:
        assert view.encounters(visit_key(visit)) == ("S",)
        assert view.encounters(account_key(account)) == ("S",)
        assert [stay.id for stay in view.encounters_of("A")] == ["S"]
    other = Identifier("AN", HOSPITAL, "D2")
    hospital.record(
        ("encounter", "S", AccountChanged(account, other)), ("encounter", "S", EncounterReassigned("A", "B"))
    )
    with store.begin() as transaction:
        assert transaction.encounters(account_key(account)) == ()
        assert transaction.encounters(account_key(other)) == ("S",)
        assert transaction.encounter("S").identity == "B"
    with store.read() as view:
        assert view.encounters_of("A") == []
        assert [stay.id for stay in view.encounters_of("B")] == ["S"]


def test_a_work_item_is_open_under_its_key_until_it_is_closed(store, hospital):
    hospital.admit("A", pi("1"))
    hospital.record(("work-item", "W", WorkItemRaised("overlay", "overlay|A", ("A",), held=raw_json(b'{"held":1}'))))
    with store.read() as view:
        assert view.open_work_item("overlay|A") == "W"
        assert [item.id for item in view.work_items()] == ["W"]
        assert bytes(view.work_item("W").held) == b'{"held":1}'
    hospital.record(("work-item", "W", WorkItemClosed("kept")))
    with store.read() as view:
        assert view.open_work_item("overlay|A") is None
        assert view.work_items() == []
        assert [item.outcome for item in view.work_items(WorkFilter(state=""))] == ["kept"]


def test_a_message_comes_back_byte_for_byte(store, hospital):
    message = hospital.message(1, raw=bytes(range(256)) * 8, ack=b"", control_id="n° 7 'x' \"y\" % ?", subject="A")
    hospital.record(messages=[message])
    assert read(store, lambda view: view.message(message.id)) == message
    assert read(store, lambda view: view.message("other")) is None


def test_a_repeated_control_id_finds_the_last_message_accepted_in_the_window(store, hospital):
    first = hospital.message(1, control_id="C")
    second = hospital.message(2, control_id="C")
    refused = hospital.message(3, control_id="C", disposition="rejected", code="AE")
    repeated = hospital.message(4, control_id="C", disposition="duplicate")
    hospital.record(messages=[first, second, refused, repeated])
    with store.begin() as transaction:
        key = (first.sender, "C")
        other = ("OTHER|HOSPITAL", "C")
        assert transaction.previous([key, other], first.time) == {key: second}
        assert transaction.previous([key], refused.time) == {}


def test_messages_are_listed_newest_first_by_pages_and_filters(store, hospital):
    messages = [hospital.message(number, event="ADT^A28" if number % 2 else "ADT^A31") for number in range(1, 8)]
    hospital.record(messages=messages)
    with store.read() as view:
        page = list(view.messages(limit=3))
        assert page == messages[:3:-1]
        assert list(view.messages(limit=10, after=page[-1].id)) == messages[3::-1]
        wanted = MessageFilter(event="ADT^A31", since=messages[1].time, until=messages[5].time)
        assert list(view.messages(wanted)) == [messages[3], messages[1]]


def test_nothing_of_an_abandoned_transaction_stays(store, hospital):
    hospital.admit("A", pi("1"))
    transaction = store.begin()
    changes = WorkingSet(transaction)
    hospital.add(changes, "identity", "A", TraitsChanged(Traits(), Traits("OTHER")))
    hospital.add(changes, "identity", "B", hospital.created(pi("2")))
    transaction.write(changes, [hospital.message(1)])
    assert transaction.identity("B") is not None
    transaction.rollback()
    with store.begin() as after:
        assert after.identity("A").traits.birth_name == "LEGALL"
        assert after.identity("B") is None
        assert after.holders(pi("2").key) == ()
    assert read(store, lambda view: view.counts())["messages"] == 0


def test_an_ended_transaction_refuses_more(store):
    transaction = store.begin()
    transaction.commit()
    with pytest.raises(StoreError, match="has ended"):
        transaction.write(WorkingSet(transaction), ())


def test_a_second_writer_is_told_at_once_that_the_base_is_busy(store, url, opened):
    other = opened(url)
    with store.begin():
        with pytest.raises(StoreBusy):
            other.begin()
        with pytest.raises(StoreBusy):
            store.begin()
        with pytest.raises(StoreBusy):
            other.begin(wait=0.05)
    with other.begin():
        pass


def test_readers_do_not_wait_for_a_writer_and_see_what_is_committed(store, hospital):
    hospital.admit("A", pi("1"))
    with store.begin() as transaction:
        changes = WorkingSet(transaction)
        hospital.add(changes, "identity", "B", hospital.created(pi("2")))
        transaction.write(changes, ())
        assert read(store, lambda view: view.identity("B")) is None
        with store.read() as view:
            transaction.commit()
            assert view.identity("B") is None
    assert read(store, lambda view: view.identity("B")) is not None


def test_two_programs_writing_in_turn_never_work_on_what_they_remember(store, url, opened, hospital, hospital_over):
    other = hospital_over(opened(url))
    hospital.admit("A", pi("1"))
    for turn in range(4):
        writer = (other, hospital)[turn % 2]
        with writer.store.begin() as transaction:
            before = transaction.identity("A")
            assert len(before.identifiers) == turn + 1
            assert transaction.holders(pi(f"new{turn}").key) == ()
            changes = WorkingSet(transaction)
            writer.add(changes, "identity", "A", IdentifierAdded(pi(f"new{turn}")))
            transaction.write(changes, ())
            transaction.commit()
    with store.begin() as transaction:
        assert transaction.holders(pi("new2").key) == ("A",)


def test_a_writer_that_is_alone_knows_who_holds_what_as_well_as_another(store, url, opened, hospital):
    shared, held = pi("1"), ins_key(INS.matricule)
    changes = [
        [("identity", "A", hospital.created(shared))],
        [("identity", "A", InsRecorded(INS)), ("identity", "B", hospital.created(pi("2")))],
        [("identity", "B", InsRecorded(INS)), ("identity", "B", IdentifierAdded(shared))],
        [("identity", "A", InsWithdrawn(INS, "wrong"))],
        [("identity", "C", hospital.created(pi("3"))), ("identity", "C", InsRecorded(INS))],
        [("identity", "B", InsWithdrawn(INS, "wrong")), ("identity", "C", InsWithdrawn(INS, "wrong"))],
        [("identity", "A", InsRecorded(INS)), ("identity", "A", InsWithdrawn(INS, "wrong"))],
    ]
    seen = []
    for steps in changes:
        hospital.record(*steps)
        with store.begin() as ours, opened(url).read() as theirs:
            seen.append(ours.holders(held))
            assert [ours.holders(key) for key in (shared.key, held)] == [
                theirs.holders(key) for key in (shared.key, held)
            ]
    assert seen == [(), ("A",), ("A", "B"), ("B",), ("B", "C"), (), ()]


def test_several_holders_come_in_the_same_order_to_who_wrote_them(store, hospital):
    held = ins_key(INS.matricule)
    since = "2026-03-01T08:00:00.000Z"
    with store.begin() as transaction:
        changes = WorkingSet(transaction)
        for name in "CAB":
            created = hospital.created(pi(name))
            for version, event in enumerate((created, InsRecorded(INS)), 1):
                changes.add(Recorded("identity", name, version, since, "mllp:gam", "message", "M1", event))
        transaction.write(changes, ())
        assert transaction.holders(held) == ("A", "B", "C")
        transaction.commit()
    with store.begin() as transaction:
        assert transaction.holders(held) == read(store, lambda view: view.holders(held)) == ("A", "B", "C")


def test_what_holds_a_nul_is_found_again(store, hospital):
    odd, again = pi("12\0003"), hospital.message(1, control_id="C\0001", sender="G\0AM|HOSPITAL")
    hospital.record(("identity", "A", hospital.created(odd)), messages=[again])
    store.forget()  # as after a restart
    with store.begin() as transaction:
        transaction.prefetch([odd.key, pi("4").key], ())
        assert (transaction.holders(odd.key), transaction.holders(pi("4").key)) == (("A",), ())
        key = (again.sender, again.control_id)
        found = transaction.previous([key, ("GAM|HOSPITAL", "C2")], "2026-01-01")
        assert {one: row.id for one, row in found.items()} == {key: again.id}


def test_the_overlay_of_an_identity_that_another_program_opens_or_closes_is_known(
    store, url, opened, hospital, hospital_over
):
    other = hospital_over(opened(url))
    hospital.admit("A", pi("1"))

    def known():
        with store.begin() as transaction:
            transaction.prefetch({pi("1").key}, ())
            found = transaction.open_work_item(overlay_key("A"))
            transaction.commit()
        return found

    assert known() is None
    other.record(("work-item", "V", WorkItemRaised("same-ins", "same-ins|A|B", ("A", "B"))))
    assert known() is None
    other.record(("work-item", "W", WorkItemRaised("overlay", "overlay|A", ("A",))))
    assert known() == "W"
    hospital.record(("work-item", "W", WorkItemClosed("seen")))
    assert known() is None


def test_an_open_item_is_known_after_a_purge_wrote_the_closed_one_of_the_same_key_again(store, hospital):
    hospital.admit("A", pi("1"))
    hospital.record(("work-item", "V", WorkItemRaised("overlay", overlay_key("A"), ("A",))))
    hospital.record(("work-item", "V", WorkItemClosed("seen")))
    hospital.record(("work-item", "W", WorkItemRaised("overlay", overlay_key("A"), ("A",))))
    with store.begin() as transaction:
        closed = transaction.work_item("V")
        transaction.commit()
    hospital.record(("work-item", "V", WorkItemSnapshot(closed)))  # another transaction may follow at once
    with store.begin() as transaction:
        assert transaction.open_work_item(overlay_key("A")) == "W"


def test_a_writer_that_is_alone_does_not_read_the_same_state_again(store, hospital):
    hospital.admit("A", pi("1"))
    with store.begin() as transaction:
        remembered = transaction.identity("A")
        transaction.commit()
    hospital.admit("B", pi("2"))
    with store.begin() as transaction:
        assert transaction.identity("A") is remembered


def test_an_act_is_sealed_with_the_events_of_its_transaction(store, hospital):
    entry = AuditEntry("claire", "message-replayed", "M1", hospital.time(), {"reason": "corrigé"})
    with store.begin() as transaction:
        changes = WorkingSet(transaction)
        hospital.add(changes, "identity", "A", hospital.created(pi("1")))
        transaction.write(changes, ())
        transaction.record(entry)
        transaction.record(entry)
        transaction.commit()
    with store.read() as view:
        assert view.acts() == [(2, entry), (3, entry)]
        assert view.acts(after=2) == [(3, entry)]
        assert (view.head().number, view.head().count) == (1, 3)


def test_a_transaction_without_event_makes_no_seal(store, hospital):
    hospital.record(messages=[hospital.message(1)])
    assert read(store, lambda view: view.head()) is None


def test_tokens_are_kept_listed_and_revoked_once(store):
    now = datetime(2026, 3, 1, 8, 30, tzinfo=UTC)
    tokens = StoredTokens(store, "claire")
    _, token = issue("portail", [Scope.FHIR_READ, Scope.API_READ], random_bytes=bytes(range(40)), now=now)
    tokens.add(token)
    assert tokens.get(token.id) == token
    assert tokens.get("0" * 16) is None
    assert tokens.revoke(token.id, now)
    assert tokens.revoke(token.id, datetime(2027, 1, 1, tzinfo=UTC))
    assert not tokens.revoke("0" * 16, now)
    assert [(kept.id, kept.revoked) for kept in tokens.list()] == [(token.id, now)]
    acts = read(store, lambda view: [(entry.act, entry.author, entry.object) for _, entry in view.acts()])
    assert acts == [("token-created", "claire", token.id), ("token-revoked", "claire", token.id)]


def test_an_installation_has_an_identifier_of_its_own(store):
    uuid, created = read(store, lambda view: view.installation())
    assert len(uuid) == 36
    assert created.endswith("Z")


def test_a_store_opened_for_reading_does_not_write(url, opened):
    with pytest.raises(StoreError, match="reading only"):
        opened(url, read_only=True).begin()
