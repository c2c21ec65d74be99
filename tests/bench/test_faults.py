"""kill -9 under load, in short: `./run bench faults` kills fifty times."""

import pytest

from bench import faults

pytestmark = pytest.mark.slow


def test_no_acknowledged_message_is_lost_or_doubled_by_five_kills():
    report = faults.messages(5, seed=11)
    found = {row[0]: row[1] for row in report.tables[0].rows}
    assert report.notes == []
    assert report.ok
    assert found["messages acknowledged"] > 0
    assert found["as an undisturbed base"] == "yes"
