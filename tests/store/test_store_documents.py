"""Documents, contents and sendings in the base, SQLite and PostgreSQL alike."""

import hashlib
from pathlib import Path

import msgspec
import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import column, insert, table

from insigne.dmp.model import Content, Document, Flags, Intent, Sender, Sending, StayRef
from insigne.dmp.ports import PART_BYTES
from insigne.store import dmp_statements, migrate, statements
from insigne.store.backup import backup, restore
from insigne.store.dmp import SendingFilter, _Personal
from insigne.store.purge import purge
from insigne.store.verify import verify

AT, LATER, LATEST = "2026-03-01T08:00:00.000Z", "2026-03-01T09:00:00.000Z", "2026-03-01T10:00:00.000Z"
BODY = b"a letter " * (PART_BYTES // 4)
DIGEST = hashlib.sha256(BODY).hexdigest()


def document(number, **fields):
    row = {
        "id": f"D{number}",
        "received": AT,
        "source": "mllp:DPI",
        "message": f"M{number}",
        "control_id": f"C{number}",
        "sending": "DPI|CHU",
        "intent": Intent.INITIAL,
        "unique_id": f"1.2.{number}",
        "set_id": f"1.2.{number}",
        "version": 1,
        "parent": "",
        "type_code": "11490-0",
        "title": "Lettre",
        "confidentiality": "N",
        "created": AT,
        "identity": "A",
        "patient": b"[]",
        "content": Content(DIGEST, len(BODY), "application/pdf"),
        "description": b'{"title":"Lettre"}',
        "flags": Flags(ack_read=True, hidden_patient=True),
        "sender": Sender("801234567890", "MARTIN", "Paul"),
        "recipients": ("cabinet@example.mssante.fr",),
        "reply_to": "service@example.mssante.fr",
        "stay": StayRef(visit="V1", patient_class="I"),
        "facility": "750712184",
    }
    return Document(**{**row, **fields})


def sending(number, state="waiting-ins", **fields):
    row = {
        "id": f"S{number}",
        "document": f"D{number}",
        "channel": "dmp",
        "action": "feed",
        "identity": "A",
        "state": state,
        "reason": "ins-missing",
        "since": AT,
        "due": "",
    }
    return Sending(**{**row, **fields})


def parts():
    return [BODY[start : start + PART_BYTES] for start in range(0, len(BODY), PART_BYTES)]


def written(store, *steps):
    with store.begin(5.0) as transaction:
        found = [step(transaction) for step in steps]
        transaction.commit()
    return found


def put(store, *rows):
    def write(transaction):
        for row in rows:
            (transaction.put_document if isinstance(row, Document) else transaction.put_sending)(row)

    written(store, write)


def read(store, ask):
    with store.read() as view:
        return ask(view)


def test_a_document_comes_back_as_it_was_received(store):
    kept, deletion = document(1), document(2, intent=Intent.DELETE, parent="1.2.1", content=None, unique_id="1.2.1")
    put(store, kept, deletion)
    assert read(store, lambda view: (view.document("D1"), view.document("D2"), view.document("D3"))) == (
        kept,
        deletion,
        None,
    )
    assert read(store, lambda view: view.documents_named("1.2.1")) == [kept, deletion]
    assert read(store, lambda view: view.documents_after("1.2.1")) == [deletion]
    assert read(store, lambda view: view.documents_of({"D1", "D9"})) == {"D1": kept}
    assert read(store, lambda view: view.documents_of_message("M1")) == [kept]


def test_a_content_is_kept_once_in_parts(store):
    written(store, lambda t: t.put_content(DIGEST, parts()), lambda t: t.put_content(DIGEST, iter([b"never read"])))
    found = read(store, lambda view: [view.content_part(DIGEST, part) for part in range(len(parts()) + 1)])
    assert found == [*parts(), b""]
    assert max(map(len, found)) == PART_BYTES
    assert read(store, lambda view: (view.has_content(DIGEST), view.has_content("0"))) == (True, False)


def test_a_sending_changes_and_is_listed(store):
    put(store, document(1), document(2), sending(1), sending(2, "ready", channel="mss-ps", recipient="a@b"))
    put(store, sending(1, "fed", reason="fed", entry="urn:uuid:1", ended=LATER))
    assert read(store, lambda view: view.sending("S1")).entry == "urn:uuid:1"
    assert read(store, lambda view: view.sending_known_as("urn:uuid:1")).id == "S1"
    assert read(store, lambda view: view.sending_known_as("")) is None

    def ids(wanted, **page):
        return [one.id for one in read(store, lambda view: view.sendings(wanted, **page))]

    assert ids(SendingFilter()) == ["S2", "S1"]
    assert ids(SendingFilter(), before="S2") == ["S1"]
    assert ids(SendingFilter(state="fed", identity="A", channel="dmp", reason="fed", document="D1")) == ["S1"]
    assert read(store, lambda view: view.sending_states()) == {"fed": (1, AT), "ready": (1, AT)}


def test_what_is_due_goes_by_channel_those_whose_worker_died_first(store):
    put(
        store,
        *(document(number) for number in range(1, 6)),
        sending(1, "ready", due=AT),
        sending(2, "ready", due=LATEST),
        sending(3, "calling", lease=LATER),
        sending(4, "calling", lease=LATEST),
        sending(5, "ready", due=AT, channel="mss-ps"),
    )
    [due] = written(store, lambda t: [one.id for one in t.due_sendings("dmp", LATER, 10)])
    assert due == ["S3", "S1"]
    [due] = written(store, lambda t: [one.id for one in t.due_sendings("dmp", LATER, 1)])
    assert due == ["S3"]


def test_only_patients_with_documents_that_live_are_looked_at_again(store):
    put(store, *(document(number) for number in (1, 2, 3)), sending(1), sending(2, "cancelled", identity="B"))
    put(store, sending(3, "fed", identity="C", reason="fed"))
    [concerned] = written(store, lambda t: sorted(t.with_documents(["A", "B", "C", "X"])))
    assert concerned == ["A", "C"]
    written(store, lambda t: t.ask_review(["A", "C"], LATER), lambda t: t.ask_review(["A"], LATEST))
    [asked] = written(store, lambda t: t.reviews(10))
    assert asked == [("A", ""), ("C", "")]
    written(store, lambda t: t.move_review("A", "S1"), lambda t: t.move_review("C", ""))
    [asked] = written(store, lambda t: t.reviews(10))
    assert asked == [("A", "S1")]
    written(store, lambda t: t.ask_review_of_held(LATEST))
    [asked] = written(store, lambda t: t.reviews(10))
    assert asked == [("A", "")], "what was fed is not looked at because a setting changed"
    assert read(store, lambda view: view.reviews_waiting()) == (1, LATER)


def test_whether_there_are_documents_is_known_whoever_wrote_them(store, url, opened):
    other = opened(url)
    assert written(store, lambda t: t.holds_documents()) == [False]
    with store.begin() as transaction:  # is not committed
        transaction.put_document(document(1))
        transaction.put_sending(sending(1))
        assert transaction.holds_documents()
    assert written(store, lambda t: t.holds_documents()) == [False]
    put(other, document(1), sending(1))
    assert written(store, lambda t: t.holds_documents()) == [True]


def test_those_whose_documents_name_a_stay_are_found_by_its_kind_and_number(store):
    visit, account = StayRef(visit="1.2.3|V7"), StayRef(account="CHU|V7")
    put(store, document(1, stay=visit), sending(1), document(2, stay=account), sending(2, "fed", identity="B"))
    put(store, document(3, stay=visit), sending(3, "cancelled", identity="C"))
    wanted = ([("VN", "V7")], [("AN", "V7")], [("VN", "V7"), ("AN", "V7")], [("VN", "V8")], [("VN", "")])
    assert [written(store, lambda t, one=one: sorted(t.naming_stays(one)))[0] for one in wanted] == [
        ["A"],
        ["B"],
        ["A", "B"],
        [],
        [],
    ]


def test_a_purge_forgets_which_stay_a_document_named(store):
    put(store, document(1, stay=StayRef(visit="1.2.3|V7")), sending(1, "fed", ended=AT))
    purge(store, "claire", documents_before=LATER, now=lambda: LATEST)
    assert written(store, lambda t: t.naming_stays([("VN", "V7")])) == [[]]


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def url_before_stays(request, tmp_path):
    """A base of the revision before documents said which stay they name."""
    url = request.getfixturevalue("new_postgres")() if request.param == "postgresql" else f"sqlite:///{tmp_path}/old.db"
    engine = migrate.engine_of(url)
    with engine.begin() as connection:
        config = Config(attributes={"connection": connection})
        config.set_main_option("script_location", str(Path(migrate.__file__).parent / "migrations"))
        command.upgrade(config, "0011")
        rows = [("1", "1.2.3|V7", "A", "fed"), ("2", "", "B", "fed"), ("3", "1.2.3|V7", "C", "cancelled")]
        for number, visit, identity, state in rows:
            personal = msgspec.json.encode(_Personal(stay=StayRef(visit=visit)))
            old = dict.fromkeys(dmp_statements.DOCUMENT_COLUMNS.split(", "), "")
            old |= {"id": f"D{number}", "version": 1, "size": 0, "personal": personal}
            connection.execute(insert(table("document", *map(column, old))), old)
            sent = msgspec.structs.asdict(sending(number, state, identity=identity))
            connection.execute(insert(table("document_sending", *map(column, sent))), sent)
    engine.dispose()
    return url


def test_upgrading_learns_which_stays_documents_name_and_has_these_looked_at_again(url_before_stays, opened):
    migrate.upgrade(url_before_stays)
    store = opened(url_before_stays)
    assert written(store, lambda t: t.naming_stays([("VN", "V7")]), lambda t: t.reviews(10)) == [["A"], [("A", "")]]


def test_the_documents_of_a_patient_are_walked_in_pages(store):
    put(store, *(document(number) for number in range(1, 4)), *(sending(number) for number in range(1, 4)))
    [page] = written(store, lambda t: [one.id for one in t.live_sendings("A", "S1", 1)])
    assert page == ["S2"]
    [waits] = written(store, lambda t: t.to_confirm("A"))
    assert not waits
    put(store, sending(2, "to-confirm", action="delete"))
    [waits] = written(store, lambda t: t.to_confirm("A"))
    assert waits


def test_a_purge_empties_what_ended_and_keeps_the_contents_that_others_need(store):
    written(store, lambda t: t.put_content(DIGEST, parts()))
    put(store, document(1), document(2), sending(1, "fed", ended=AT, text="about Paul"), sending(2))

    def purged():
        return purge(store, "claire", documents_before=LATER, now=lambda: LATEST)["documents"]

    assert (purged(), purged()) == (1, 0)
    one, two = read(store, lambda view: (view.document("D1"), view.document("D2")))
    assert (one.title, one.patient, one.sender, one.type_code) == ("", b"", Sender(), "11490-0")
    assert (one.erased, one.content) == (True, document(1).content)
    assert two == document(2)
    assert read(store, lambda view: view.sending("S1")).text == ""
    assert read(store, lambda view: view.has_content(DIGEST))
    put(store, sending(2, "cancelled", ended=AT))
    assert purged() == 1
    assert not read(store, lambda view: view.has_content(DIGEST))
    with store.read() as view:
        assert [entry.act for _, entry in view.acts()] == ["documents-erased", "documents-erased"]


def test_a_document_that_waits_is_never_purged(store):
    written(store, lambda t: t.put_content(DIGEST, parts()))
    put(store, document(1), sending(1, "fed", ended=AT), sending(3, "to-confirm", document="D1", action="delete"))
    assert purge(store, "claire", documents_before=LATEST)["documents"] == 0


def test_a_document_that_was_refused_is_purged_only_when_it_was_by_the_patient(store):
    put(store, document(1), sending(1, "refused", reason="content", ended=AT))
    put(store, document(2), sending(2, "refused", reason="opposition", ended=AT))
    assert purge(store, "claire", documents_before=LATER, now=lambda: LATEST)["documents"] == 1
    first, second = read(store, lambda view: (view.document("D1"), view.document("D2")))
    assert (first, second.patient) == (document(1), b"")


def test_verifying_finds_a_content_cut_short_and_a_sending_of_no_document(store, hospital):
    hospital.admit("A")
    written(store, lambda t: t.put_content(DIGEST, parts()))
    put(store, document(1), sending(1))
    assert verify(store).problems == []
    written(store, lambda t: t.execute("DELETE FROM document_content WHERE part = ?", (1,)))
    put(store, sending(2, document="lost"), sending(4, document="D1", identity="nobody"))
    assert verify(store).problems == [
        "document_sending: S4 names identity nobody, which does not exist",
        f"document: D1 has no content {DIGEST}, or not all of it",
        "document_sending: S2 names document lost, which does not exist",
    ]


def test_documents_are_in_a_backup(sqlite_hospital, tmp_path, opened):
    store = sqlite_hospital.store
    sqlite_hospital.admit("A")
    written(store, lambda t: t.put_content(DIGEST, parts()))
    put(store, document(1), sending(1, "ready", due=AT))
    url = f"sqlite:///{tmp_path / 'insigne.db'}"
    copy = Path(tmp_path / "copy.db")
    assert backup(url, copy, "claire").ok
    target = tmp_path / "restored"
    target.mkdir()
    restored = f"sqlite:///{target / 'insigne.db'}"
    assert restore(restored, copy, "claire", target).ok
    again = opened(restored)
    assert read(again, lambda view: (view.document("D1"), view.sending("S1"))) == (
        document(1),
        sending(1, "ready", due=AT),
    )
    assert read(again, lambda view: view.content_part(DIGEST, 0)) == BODY[:PART_BYTES]
    assert verify(again).problems == []


QUERIES = {
    name: getattr(dmp_statements, name)
    for name in (
        "DOCUMENT", "DOCUMENTS_NAMED", "DOCUMENTS_AFTER", "DOCUMENTS_OF_MESSAGE", "HAS_CONTENT", "PART", "SENDING",
        "SENDINGS_OF", "SENDING_KNOWN_AS", "DUE", "LOST", "LIVE_OF", "TO_CONFIRM", "REVIEWS", "OLD",
    )
} | {
    "held": statements.with_rows(dmp_statements.HELD_IDENTITIES, 4, 1),
    "naming stays": statements.with_rows(dmp_statements.NAMING_STAYS, 4, 2),
    "states": dmp_statements.STATES,
    "list": dmp_statements.LIST + dmp_statements.LIST_ORDER,
    "list of a state": dmp_statements.LIST + dmp_statements.FILTERS["state"] + dmp_statements.LIST_ORDER,
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(QUERIES))
def test_a_query_about_documents_finds_its_rows_by_an_index(sqlite_hospital, name):
    sql = QUERIES[name]
    with sqlite_hospital.store.read() as view:
        plan = [row[3] for row in view.select(f"EXPLAIN QUERY PLAN {sql}", (None,) * sql.count("?"))]
    assert not [
        step
        for step in plan
        if step.startswith("SCAN")
        and "USING" not in step
        and "wanted" not in step
        and "bound" not in step
        and "CONSTANT" not in step
    ], plan


def test_the_columns_of_a_sending_are_its_fields():
    assert tuple(dmp_statements.SENDING_COLUMNS.split(", ")) == Sending.__struct_fields__
    kept = {*dmp_statements.DOCUMENT_COLUMNS.split(", ")} - {"personal", "digest", "size", "media"}
    said = {"erased"}  # by personal being null
    assert kept | said | {"content", *_Personal.__struct_fields__} == set(Document.__struct_fields__), "a field is lost"
