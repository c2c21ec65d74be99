"""kill -9 at work on the queue of INSi, in short: `./run bench faults` kills twenty times."""

import pytest

from bench import insi_faults

pytestmark = pytest.mark.slow


def test_no_question_is_lost_and_no_answer_applied_twice_by_three_kills():
    outcome = insi_faults.run(3, seed=7)
    found = {row[0]: row[1] for row in outcome.table.rows}
    assert outcome.problems == []
    assert outcome.ok
    assert found["questions taken up again"] > 0
    assert found["every verdict applied once"] == "yes"
