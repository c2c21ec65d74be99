"""What reports on the DMP read of a base, on each kind of database."""

import pytest

from insigne.dmp.indicators.figures import Count, Kind, Outcome, Passage
from insigne.dmp.indicators.targets import Received
from insigne.dmp.migration.legacy import INS_C_OID, Legacy
from insigne.dmp.model import Content, Document, Intent, Sending
from insigne.registry import events as ev
from insigne.registry.state import StayHeader
from insigne.registry.values import Authority, Identifier, Ins, Traits
from insigne.store.verify import verify

CLINIC = "350000113"
INS = Ins("284022901900127", "1.2.250.1.213.1.4.8")
MARCH = ("2026-03-01T00:00:00.000Z", "2026-04-01T00:00:00.000Z")


def document(number, identity, *, received="2026-03-10T08:00:00.000Z", type_code="11490-0", **fields):
    return Document(
        id=f"D{number}", received=received, source="mllp:DPI", message="", control_id="", sending="DPI|CH",
        intent=Intent.INITIAL, unique_id=f"1.2.{number}", set_id=fields.pop("set_id", f"1.3.{number}"), version=1,
        parent="", type_code=type_code, title="", confidentiality="N", created="2026-03-10T06:00:00.000Z",
        identity=identity, patient=b"[]", facility=CLINIC, **fields,
    )  # fmt: skip


def sending(number, identity, state, reason="", **fields):
    row = {
        "id": f"S{number}", "document": f"D{number}", "channel": "dmp", "action": "feed", "identity": identity,
        "state": state, "reason": reason, "since": "2026-03-10T08:00:00.000Z", "due": "",
    } | fields  # fmt: skip
    return Sending(**row)


def legacy(identifier, identity, *, source="v1.csv", kind="ins-c"):
    return Legacy(
        identifier, kind, INS_C_OID, "0123456789", "CH", "4071", identity, "identifier" if identity else "nobody",
        "2019-03-01", source, "2026-03-01T00:00:00.000Z", "cli:claire", Traits("LEGALL", birth_date="19840229"),
    )  # fmt: skip


@pytest.fixture
def fed(hospital):
    """Q is qualified, R has an INS that nobody checked, C only an INS-C, L only one of former times, N nothing."""
    for name, checked in (("Q", True), ("R", False), ("C", False), ("L", False), ("N", False)):
        created = hospital.created(Identifier("PI", Authority("CH", "1.2.250.1.999.1", "ISO"), name))
        identifiers = created.identifiers
        if name == "C":
            identifiers = (*identifiers, Identifier("INS-C", Authority("INS-C", INS_C_OID, "ISO"), "9876543210"))
        made = ev.IdentityCreated(
            domain=created.domain, identifiers=identifiers, traits=created.traits, details=created.details,
            checked=checked, attributes=(), reliability=(), trusted=True,
        )  # fmt: skip
        hospital.record(("identity", name, made))
    hospital.record(("identity", "Q", ev.InsRecorded(INS)))
    hospital.record(("identity", "R", ev.InsRecorded(Ins("284022901900128", INS.oid))))
    with hospital.store.begin(5.0) as transaction:
        transaction.put_legacy([legacy("a" * 32, "L")])
        for number, (identity, state, reason, fields) in enumerate(SENDINGS):
            transaction.put_document(document(number, identity, set_id=fields.get("set_id", f"1.3.{number}")))
            transaction.put_sending(
                sending(number, identity, state, reason, **{k: v for k, v in fields.items() if k != "set_id"})
            )
        transaction.put_document(document(90, "Q", received="2026-04-01T00:00:00.000Z"))
        transaction.put_sending(sending(90, "Q", "fed", ins="x|y", ended="2026-04-01T01:00:00.000Z"))
        transaction.put_sending(sending(91, "Q", "fed", document="D0", channel="mss-ps"))
        transaction.commit()
    return hospital.store


ACCEPTED = {"ins": f"{INS.oid}|{INS.matricule}", "ended": "2026-03-10T09:30:00.000Z"}
SENDINGS = (
    ("Q", "fed", "", ACCEPTED),
    ("Q", "replaced", "", ACCEPTED | {"set_id": "1.3.99"}),
    ("Q", "fed", "", ACCEPTED | {"set_id": "1.3.99", "action": "replace"}),
    ("Q", "deleted", "", ACCEPTED),
    ("Q", "waiting-consent", "consent-unknown", {}),
    ("R", "waiting-ins", "ins-not-qualified", {}),
    ("C", "waiting-ins", "ins-missing", {}),
    ("L", "waiting-ins", "ins-missing", {}),
    ("N", "waiting-ins", "ins-missing", {}),
    ("N", "refused", "opposition", {}),
    ("N", "waiting-identity", "doubtful", {"action": "delete"}),
)


def test_documents_are_counted_by_identity_and_by_what_became_of_them(fed):
    with fed.read() as view:
        rows = view.fed_counts("2026-03", *MARCH)
        assert {(one.month, one.establishment, one.type_code) for one in rows} == {("2026-03", CLINIC, "11490-0")}
        found = {}
        for one in rows:
            found[one.identity, one.outcome] = found.get((one.identity, one.outcome), 0) + one.documents
    assert found == {
        (Kind.QUALIFIED, Outcome.FED): 3,
        (Kind.QUALIFIED, Outcome.WITHDRAWN): 1,
        (Kind.QUALIFIED, Outcome.HELD): 1,
        (Kind.OTHER, Outcome.HELD): 1,
        (Kind.INS_C, Outcome.HELD): 2,
        (Kind.NONE, Outcome.HELD): 1,
        (Kind.NONE, Outcome.REFUSED): 1,
    }


def test_versions_of_one_document_are_received_once_and_a_deleted_one_is_not_accepted(fed):
    with fed.read() as view:
        # eleven documents: one set of two versions, and one that only asks for a deletion
        assert view.received_for_dmp(*MARCH) == [Received(CLINIC, "11490-0", 9, 2)]


def test_the_time_to_the_dmp_is_that_of_what_it_holds(fed):
    with fed.read() as view:
        passage = Passage(CLINIC, "11490-0", "2026-03-10T06:00:00.000Z", "2026-03-10T09:30:00.000Z")
        assert list(view.passages(*MARCH)) == [passage, passage]


def test_what_is_held_or_refused_is_measured_with_its_reason(fed):
    with fed.read() as view:
        assert view.blocked() == [
            ("waiting-ins", "ins-missing", 3),
            ("refused", "opposition", 1),
            ("waiting-consent", "consent-unknown", 1),
            ("waiting-ins", "ins-not-qualified", 1),
        ]
        assert view.fed_since("2026-03-10T00:00:00.000Z") == 3
        assert view.fed_since("2026-03-15T00:00:00.000Z") == 1
        assert view.active_since("2026-03-01T00:00:00.000Z") == (5, 1)
        assert view.active_since("2026-03-02T00:00:00.000Z") == (0, 0)


def test_who_waits_is_told_with_how_many_documents(fed):
    with fed.read() as view:
        assert {one.identity: one.documents for one in view.waiting_patients()} == {"R": 1, "C": 1, "L": 1, "N": 1}


def test_a_stay_of_the_period_makes_a_patient_active(fed, hospital):
    before = hospital.time()
    hospital.record(("encounter", "E1", ev.EncounterOpened("N", None, None, StayHeader())))
    with fed.read() as view:
        [opened] = view.all_stays()
        assert opened.identity == "N"
        assert view.active_since(before) == (1, 0)
        assert view.active_since(hospital.time()) == (0, 0)


def test_the_last_contents_are_named_with_their_sender(hospital):
    with hospital.store.begin(5.0) as transaction:
        for number in range(3):
            transaction.put_document(document(number, "Q", content=Content(f"{number}" * 64, 3, "application/pdf")))
        transaction.put_document(document(8, "Q"))
        transaction.commit()
    with hospital.store.read() as view:
        assert [(one.document, one.sending) for one in view.last_contents(2)] == [("D2", "DPI|CH"), ("D1", "DPI|CH")]


def test_past_figures_are_kept_once_and_corrected_by_a_later_import(store):
    first = [Count("2019-03", CLINIC, "", Kind.INS_C, Outcome.FED, 120, past=True)]
    second = [first[0]._replace(documents=130), Count("2026-03", "", "", Kind.QUALIFIED, Outcome.FED, 1, past=True)]
    for counts in (first, first, second):
        with store.begin(5.0) as transaction:
            transaction.put_past_figures(counts, "past.csv", "2026-03-01T00:00:00.000Z", "cli:claire")
            transaction.commit()
    with store.read() as view:
        assert view.past_figures("2026-03") == second
        assert view.past_figures("2026-02") == second[:1]
    with store.begin(5.0) as transaction:
        assert transaction.forget_past_figures("past.csv") == 2
        transaction.commit()


def test_former_identifiers_are_kept_once_and_find_their_owner_later(hospital):
    store = hospital.store
    hospital.admit("Q", Identifier("PI", Authority("CH", "1.2.250.1.999.1", "ISO"), "4071"))
    line = legacy("a" * 32, "")
    for lines in ([line, legacy("b" * 32, "")], [line], [legacy("a" * 32, "Q")], [line]):
        with store.begin(5.0) as transaction:
            transaction.put_legacy(lines)
            transaction.commit()
    with store.read() as view:
        assert view.legacy_of("Q") == [legacy("a" * 32, "Q")]
        assert view.legacy_of_nobody() == [legacy("b" * 32, "")]
        assert view.legacy_of_nobody(after="b" * 32) == []
        assert view.legacy("c" * 32) is None
        identity = view.identity("Q")
        assert (identity.ins, identity.ins_history) == (None, ())
    assert verify(store).problems == []
    with store.begin(5.0) as transaction:
        assert transaction.forget_legacy("v1.csv") == 2
        transaction.commit()


def test_a_former_identifier_of_nobody_that_exists_is_a_problem(store):
    with store.begin(5.0) as transaction:
        transaction.put_legacy([legacy("a" * 32, "GHOST")])
        transaction.commit()
    assert any("legacy_identifier" in one for one in verify(store).problems)
