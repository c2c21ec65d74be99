"""The engine under the rules: the catalogue and its page, policies, quick reading against close reading, odd input."""

import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from insigne.hl7 import CONDITIONS, Location, Message
from insigne.hl7.delimiters import STANDARD
from insigne.hl7.segment import Segment
from insigne.pam.editions import EDITIONS
from insigne.pam.findings import Finding, Report, apply_policy, catalogue, make_finding
from insigne.pam.rules.fields import check_fields, is_date_time
from insigne.pam.rules.plan import plan_of
from insigne.pam.validate import validate

DOCUMENTATION = Path(__file__).parents[2] / "docs" / "rules.md"
NEWEST = EDITIONS["2.11.2"]
SEGMENTS = ["MSH", "PID", "PV1", "NK1", "ZBE", "ZFA", "ZFD", "ROL", "MRG"]
BITS = st.sampled_from(
    [
        "",
        "~",
        "^",
        "&",
        "^^^",
        '""',
        "A",
        "U",
        "PI",
        "INS",
        "FRA",
        "99",
        "20250102",
        "20250230",
        "INSERT",
        "HMS",
        "\\F\\",
        "é",
    ]
)


def test_the_page_of_rules_lists_them_all_with_their_words():
    text = DOCUMENTATION.read_text(encoding="utf-8")
    for rule in catalogue().values():
        assert f"## {rule.id} " in text
        for template in rule.variants.values():
            assert template.message in text
            assert template.message_fr in text
            assert template.remedy in text


def test_every_rule_is_complete_in_both_languages():
    for rule in catalogue().values():
        assert rule.title
        assert rule.title_fr
        assert rule.reference
        assert rule.variants
        for template in rule.variants.values():
            assert template.severity in ("error", "warning", "info")
            assert template.condition in CONDITIONS
            for text in (template.message, template.message_fr, template.remedy, template.remedy_fr):
                assert text.endswith("." if not text.endswith("}") else "}")


def test_the_rules_of_the_checklist_are_all_there():
    assert {f"V{number:02d}" for number in range(1, 27)} <= set(catalogue())


def test_the_default_policy_keeps_everything_and_refuses_nothing():
    error = make_finding("V14.missing", NEWEST, Location("PID", field=32))
    assert error is not None
    assert apply_policy([error], {}) == ([error], [])


def test_a_policy_drops_records_or_refuses_by_rule():
    findings = [one for key in ("V14.missing", "V12.key", "V09.field") if (one := make_finding(key, NEWEST, name="x"))]
    kept, refused = apply_policy(findings, {"V14": "reject", "V12": "ignore", "V09": "warn"})
    assert [one.rule for one in kept] == ["V14", "V09"]
    assert [one.rule for one in refused] == ["V14"]


@pytest.mark.parametrize("policy", [{"V99": "warn"}, {"V12": "refuse"}])
def test_a_policy_that_names_nothing_known_is_refused(policy):
    with pytest.raises(ValueError, match="policy"):
        apply_policy([], policy)


def test_an_edition_may_change_or_silence_a_severity():
    assert make_finding("V14.missing", EDITIONS["2.9"]) is None
    before = make_finding("V14.code", EDITIONS["2.9"], code="x")
    assert isinstance(before, Finding)
    assert before.severity == "warning"


@given(name=st.sampled_from(SEGMENTS), fields=st.lists(st.lists(BITS, max_size=6).map("".join), max_size=40))
def test_what_the_quick_reading_accepts_the_close_reading_does_not_reproach(name, fields):
    head = ["MSH", "^~\\&"] if name == "MSH" else [name]
    segment = Segment(name, "|".join([*head, *fields]), STANDARD, 1, 1)
    for key in ("2.11.2", "2.9", "PAM-2.5"):
        plan = plan_of(EDITIONS[key], name)
        if plan is not None and plan.is_clean(segment.text):
            report = Report(EDITIONS[key])
            check_fields(report, segment, plan, standard=False)
            assert report.findings == []


@given(st.text(alphabet='MSHPIDZBE|^~\\&\r\n0123A"é', max_size=300))
def test_no_content_makes_the_validator_fail(text):
    message = Message.parse(f"MSH|^~\\&|A|B|C|D|20250102||ADT^A31^ADT_A05|1|P|2.5^FRA^2.11\r{text}".encode())
    assert all(isinstance(finding, Finding) for finding in validate(message, NEWEST))


@pytest.mark.parametrize("filler", ["^", "~", "&", "A~", "A^", '""~', "0", "^~&", "1^^^A&1.2&ISO^PI~"])
def test_a_hostile_field_costs_no_more_than_its_length(filler):
    raw = "MSH|^~\\&|A|B|C|D|20250102||ADT^A31^ADT_A05|1|P|2.5^FRA^2.11\rEVN||20250102\rPID|||"
    message = Message.parse((raw + filler * (60_000 // len(filler)) + "||X").encode())
    start = time.perf_counter()
    findings = validate(message, NEWEST)
    assert time.perf_counter() - start < 5
    assert len(findings) <= 200


@pytest.mark.parametrize(
    "text", ["2025", "202501", "20250131", "2025013123", "202501312359", "20240229", "20250131235959.1234+0100"]
)
def test_a_time_may_be_as_precise_as_known(text):
    assert is_date_time(text)


@pytest.mark.parametrize(
    "text", ["", "20260231", "20251301", "2025011", "20250101246060", "20250101+9900", "2025-01-01", "00000101"]
)
def test_a_time_that_does_not_exist_is_refused(text):
    assert not is_date_time(text)
