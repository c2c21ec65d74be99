"""Moments as they are written: fast ways of writing them say what the standard library says."""

import time
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from insigne.app.clock import rfc3339_now
from insigne.exchange.intake import hl7_time


@pytest.mark.parametrize(
    ("nanoseconds", "text"),
    [
        (0, "1970-01-01T00:00:00.000Z"),
        (999_999_999, "1970-01-01T00:00:00.999Z"),
        (1_000_000_000, "1970-01-01T00:00:01.000Z"),
        (1_709_251_199_007_000_000, "2024-02-29T23:59:59.007Z"),
    ],
)
def test_a_moment_is_written_in_utc_with_its_milliseconds(monkeypatch, nanoseconds, text):
    monkeypatch.setattr(time, "time_ns", lambda: nanoseconds)
    assert rfc3339_now() == text


def test_the_present_is_the_present():
    before = datetime.now(UTC) - timedelta(milliseconds=1)  # milliseconds are cut, not rounded
    assert before <= datetime.fromisoformat(rfc3339_now()) <= datetime.now(UTC)


@given(
    moment=st.datetimes(min_value=datetime(1900, 1, 1), max_value=datetime(2199, 12, 31)),
    minutes=st.integers(-14 * 60, 14 * 60),
)
def test_hl7_writes_a_moment_with_its_zone(moment, minutes):
    aware = moment.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    assert hl7_time(aware) == aware.strftime("%Y%m%d%H%M%S%z")
