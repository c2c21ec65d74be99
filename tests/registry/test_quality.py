"""The quality indicators, from hand-made states, events, items and calls whose figures are counted by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from insigne.registry import events as ev
from insigne.registry.quality import CallFact, Happened, quality
from insigne.registry.state import HeldIns, Identity, StayHeader, WorkItem
from insigne.registry.values import Details, Ins, Proof, Traits

SINCE, UNTIL = "2026-03-01T00:00:00.000Z", "2026-04-01T00:00:00.000Z"
INS = Ins("280026912345674", "1.2.250.1.213.1.4.8")
IN_MARCH = "2026-03-10T08:00:00.000Z"


def identity(number, site="A", *, recovered=False, checked=False, **more):
    held = HeldIns(INS, "t") if recovered else None
    return Identity(str(number), site, 1, "t", "t", Traits(), ins=held, checked=checked, **more)


def created(number):
    return Happened(str(number), IN_MARCH, ev.IdentityCreated("A", (), Traits(), Details(), False, (), (), True))


def item(kind, opened, closed="", subject="1"):
    return WorkItem(kind + opened, kind, kind, (subject,), opened, closed=closed)


def figures(identities=(), happened=(), items=(), calls=(), site=""):
    found = quality(identities, happened, items, calls, since=SINCE, until=UNTIL)
    return {one.code: one for one in found if one.site == site}


PEOPLE = [
    identity(1),
    identity(2, checked=True, attributes=("HOMA",)),
    identity(3, recovered=True),
    identity(4, recovered=True, checked=True),
    identity(5, attributes=("DOUT", "HOMA")),
    identity(6, "B", recovered=True, checked=True),
    identity(7, attributes=("FICT",)),
    identity(8, merged_into="4"),
]


def test_the_base_is_counted_by_status_and_attribute_without_merged_identities():
    base = figures(PEOPLE)
    assert base["active"].value == 7
    assert [base[f"status.{code}"].part for code in ("PROV", "RECUP", "VALI", "QUAL")] == [3, 1, 1, 2]
    assert {base[f"status.{code}"].whole for code in ("PROV", "RECUP", "VALI", "QUAL")} == {7}
    assert [base[f"attribute.{code}"].part for code in ("DOUT", "FICT", "HOMA")] == [1, 1, 2]
    assert base["status.QUAL"].value == round(2 / 7, 6)
    assert (base["duplicates"].part, base["duplicates"].whole) == (1, 7)


def test_each_site_has_its_own_figures():
    assert figures(PEOPLE, site="A")["status.QUAL"].part == 1
    assert figures(PEOPLE, site="B")["status.QUAL"].value == 1.0
    assert figures(PEOPLE, site="B")["active"].value == 1


def test_the_qualification_rate_is_of_those_who_came_fictitious_ones_left_out():
    stay = ev.EncounterOpened("4", None, None, StayHeader())
    came = [created(1), created(7), created(8), Happened("stay", IN_MARCH, stay), Happened("stay2", IN_MARCH, stay)]
    found = figures(PEOPLE, came)
    assert found["came"].value == 3
    assert (found["qualified"].part, found["qualified"].whole) == (1, 2)
    assert (found["created-merged"].part, found["created-merged"].whole) == (1, 3)


def test_without_anybody_shares_say_nothing_rather_than_zero():
    found = figures()
    assert found["qualified"].value is None
    assert found["insi.available"].value is None
    assert found["insi.milliseconds"].value is None
    assert found["active"].value == 0


def test_an_identity_lowered_at_once_on_both_axes_is_lowered_once():
    before, after = (True, (), ()), (False, (), ())
    lost = [
        Happened("4", IN_MARCH, ev.InsWithdrawn(INS, "attribute DOUT")),
        Happened("4", IN_MARCH, ev.StatusChanged(before, after, "attribute DOUT")),
        Happened("2", IN_MARCH, ev.StatusChanged(before, after)),
        Happened("2", IN_MARCH, ev.StatusChanged(after, before)),
    ]
    found = figures(PEOPLE, lost)
    assert found["downgrades"].value == 2
    assert (found["downgrade.attribute DOUT"].value, found["downgrade.PID-32"].value) == (1, 1)


def test_documents_are_counted_by_type_when_they_prove_something():
    seen = [
        Happened("1", IN_MARCH, ev.ProofRecorded(Proof(kind, high_trust=trust)))
        for kind, trust in (("PA", True), ("CN", True), ("CN", True), ("CM", False))
    ]
    found = figures(PEOPLE, seen)
    assert (found["documents"].value, found["document.CN"].value, found["document.PA"].value) == (3, 2, 1)
    assert "document.CM" not in found


def test_merges_and_their_undoing_are_counted():
    done = [
        Happened("8", IN_MARCH, ev.IdentityMerged("4", PEOPLE[7])),
        Happened("8", IN_MARCH, ev.MergeUndone("4", "x")),
    ]
    found = figures(PEOPLE, done)
    assert (found["merges"].value, found["unmerges"].value) == (1, 1)


def test_the_backlog_is_what_was_open_at_the_end_with_its_age():
    items = [
        item("no-document", "2026-03-22T00:00:00.000Z"),
        item("no-document", "2026-02-01T00:00:00.000Z", "2026-05-01T00:00:00.000Z"),
        item("no-document", "2026-02-02T00:00:00.000Z", "2026-03-05T00:00:00.000Z"),
        item("no-document", "2026-04-02T00:00:00.000Z"),
    ]
    found = figures(PEOPLE, items=items)
    assert (found["backlog.no-document"].value, found["age.no-document"].value) == (2, 59.0)
    assert found["backlog.overlay"].value == 0
    assert found["age.overlay"].value is None


def test_the_delay_of_duplicates_and_the_ko_treated():
    items = [
        item("same-ins", "2026-03-01T00:00:00.000Z", "2026-03-03T00:00:00.000Z"),
        item("same-ins", "2026-03-02T00:00:00.000Z", "2026-03-08T00:00:00.000Z"),
        item("merge-held", "2026-02-01T00:00:00.000Z", "2026-02-02T00:00:00.000Z"),
        item("verification-ko", "2026-03-01T00:00:00.000Z", "2026-03-02T00:00:00.000Z"),
        item("verification-ko", "2026-03-04T00:00:00.000Z"),
    ]
    found = figures(PEOPLE, items=items)
    assert (found["duplicate-delay"].value, found["duplicate-delay"].part) == (4.0, 2)
    assert found["ko-treated"].value == 0.5


def test_the_calls_of_insi_are_shared_by_code_and_its_availability_is_of_those_answered():
    calls = [
        CallFact("1", "search", code, code == "unreachable", milliseconds)
        for code, milliseconds in (("00", 100), ("00", 200), ("01", 300), ("siram_40", 400), ("unreachable", 30_000))
    ]
    calls += [CallFact("6", "verify", code, False, 50) for code in ("OK", "OK", "KO")]
    found = figures(PEOPLE, calls=calls)
    assert [found[f"insi.{code}"].part for code in ("00", "01", "02", "fault")] == [2, 1, 0, 2]
    assert found["insi.available"].value == 0.8
    assert found["insi.milliseconds"].value == 250.0
    assert found["insi-fault.siram_40"].part == 1
    assert [found[f"verification.{code}"].part for code in ("OK", "KO", "fault")] == [2, 1, 0]
    assert figures(PEOPLE, calls=calls, site="B")["insi.calls"].value == 0


def test_the_calls_of_a_batch_are_no_searches_and_count_only_when_they_fail():
    calls = [
        CallFact("", "verify-deposit", "deposited", False, 20),
        CallFact("", "verify-collect", "collected", False, 20),
    ]
    calls += [CallFact("6", "verify", code, False, 0) for code in ("OK", "KO")]
    found = figures(PEOPLE, calls=[*calls, CallFact("", "verify-deposit", "fault", True, 20)])
    assert (found["insi.calls"].value, found["insi.available"].value) == (0, None)
    assert "insi-fault.deposited" not in found
    assert [(found[f"verification.{code}"].part) for code in ("OK", "KO", "fault")] == [1, 1, 1]


def test_what_is_about_nobody_known_counts_for_the_whole_only():
    found = figures(
        PEOPLE, items=[item("overlay", IN_MARCH, subject="gone")], calls=[CallFact("gone", "search", "00", False, 1)]
    )
    assert (found["backlog.overlay"].value, found["insi.calls"].value) == (1, 1)


statuses = st.tuples(st.sampled_from("ABC"), st.booleans(), st.booleans(), st.booleans())


@given(st.lists(statuses, max_size=30))
def test_sites_add_up_to_the_whole_and_statuses_to_the_base(people):
    states = [
        identity(n, site, recovered=recovered, checked=checked, merged_into="0" if merged else "")
        for n, (site, recovered, checked, merged) in enumerate(people)
    ]
    found = quality(states, (), (), (), since=SINCE, until=UNTIL)
    parts = {(one.site, one.code): one.part for one in found}
    sites = {one.site for one in found} - {""}
    for status in ("PROV", "RECUP", "VALI", "QUAL"):
        assert sum(parts[site, f"status.{status}"] for site in sites) == parts["", f"status.{status}"]
    assert sum(parts["", f"status.{s}"] for s in ("PROV", "RECUP", "VALI", "QUAL")) == parts["", "active"]
    assert all(
        one.value is None or 0 <= one.value <= 1 for one in found if one.unit == "share" and one.code != "duplicates"
    )


@pytest.mark.parametrize("code", ["active", "qualified", "insi.available", "backlog.to-compare", "downgrades"])
def test_every_indicator_is_told_in_both_languages(code):
    one = figures(PEOPLE)[code]
    assert one.label
    assert one.label_fr
    assert one.label != one.label_fr
