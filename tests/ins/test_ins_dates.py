"""Birth dates: kept as written, completed by the RNIV's rule."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from insigne.ins.dates import BirthDate, compatible, complete


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("1950", (1950, 0, 0)),
        ("195003", (1950, 3, 0)),
        ("19500300", (1950, 3, 0)),
        ("19500000", (1950, 0, 0)),
        ("19500014", (1950, 0, 14)),
        ("19500314", (1950, 3, 14)),
        ("1950-03-14", (1950, 3, 14)),
        ("1950-00-00", (1950, 0, 0)),
        ("1950-03", (1950, 3, 0)),
        ("195003141530", (1950, 3, 14)),
        ("19500314153012.0042+0100", (1950, 3, 14)),
        ("19501332", (1950, 13, 32)),
    ],
)
def test_a_date_is_read_and_kept_as_written(text, parts):
    birth_date = BirthDate.parse(text)
    assert (birth_date.year, birth_date.month, birth_date.day) == parts
    assert birth_date.text == text


@pytest.mark.parametrize(
    "text", ["", "50", "14/03/1950", "1950314", "1950-3-14", "00000000", "19500336", "19500314T12", "١٩٥٠"]
)
def test_another_shape_an_unknown_year_or_a_day_beyond_lunar_ones_is_refused(text):
    with pytest.raises(ValueError, match=r"^birth date: "):
        BirthDate.parse(text)


@pytest.mark.parametrize(
    ("text", "completed"),
    [
        ("19500300", "19500301"),  # day unknown: the first
        ("19500014", "19500114"),  # month unknown: January
        ("19500000", "19501231"),  # both unknown: the last day of the year
        ("1950", "19501231"),
        ("195003", "19500301"),
        ("19501305", "19500105"),  # lunar month, as an unknown one
        ("19500332", "19500301"),  # lunar day, as an unknown one
        ("19501432", "19501231"),
    ],
)
def test_an_incomplete_date_is_completed_by_the_rule_and_flagged(text, completed):
    day, flag = complete(BirthDate.parse(text))
    assert (day.hl7(), flag) == (completed, True)
    assert day.is_complete


def test_a_complete_date_is_left_as_written_without_flag():
    written = BirthDate.parse("1950-03-14")
    assert complete(written) == (written, False)


@pytest.mark.parametrize(
    ("text", "lunar", "whole"),
    [
        ("19500314", False, True),
        ("19480229", False, True),
        ("19490229", True, False),
        ("19500431", True, False),
        ("19501301", True, False),
        ("19500335", True, False),
        ("195003", False, False),
        ("19500000", False, False),
    ],
)
def test_a_lunar_date_is_told_from_an_incomplete_one(text, lunar, whole):
    birth_date = BirthDate.parse(text)
    assert (birth_date.is_lunar, birth_date.is_complete) == (lunar, whole)
    assert (birth_date.as_date() is not None) == whole


def test_a_date_is_written_with_the_parts_known():
    assert BirthDate.parse("1950-03-14").hl7() == "19500314"
    assert BirthDate.parse("1950-03-00").hl7() == "195003"
    assert BirthDate.parse("19500000").hl7() == "1950"
    assert BirthDate.parse("19501332").hl7() == "19501332"
    assert BirthDate.parse("19500314").iso() == "1950-03-14"
    assert BirthDate.parse("19500332").iso() == "1950-03"
    assert BirthDate.parse("19501301").iso() == "1950"


def test_an_incomplete_date_spans_all_the_days_it_may_be():
    assert BirthDate.parse("1950").span() == (date(1950, 1, 1), date(1950, 12, 31))
    assert BirthDate.parse("194802").span() == (date(1948, 2, 1), date(1948, 2, 29))
    assert BirthDate.parse("19500314").span() == (date(1950, 3, 14), date(1950, 3, 14))
    assert BirthDate.parse("19501305").span() == (date(1950, 1, 1), date(1950, 12, 31))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("19500314", "1950-03-14"),
        ("19500314", "195003"),
        ("19500314", "1950"),
        ("19500314", "19500014"),
        ("19500000", "19501231"),
        ("195003", "19500301"),
        ("19501305", "19500105"),
        ("19500332", "19500314"),
        ("inconnue", "inconnue"),
    ],
)
def test_an_incomplete_date_is_compatible_with_those_it_may_stand_for(one, other):
    assert compatible(one, other)
    assert compatible(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [("19500314", "19500315"), ("19500314", "1951"), ("195003", "195004"), ("19500315", "19500014"), ("x", "19500314")],
)
def test_two_dates_that_contradict_each_other_are_not_compatible(one, other):
    assert not compatible(one, other)
    assert not compatible(other, one)


shapes = st.builds(
    lambda year, month, day: f"{year:04d}{month:02d}{day:02d}",
    st.integers(1, 9999),
    st.integers(0, 99),
    st.integers(0, 35),
)


@given(shapes)
def test_every_date_of_the_shape_is_kept_completed_and_within_its_own_span(text):
    written = BirthDate.parse(text)
    day, flag = complete(written)
    assert written.text == text
    assert flag == (not written.is_complete)
    assert day.is_complete
    assert written.span()[0].year == day.year
    assert compatible(text, day.text)
