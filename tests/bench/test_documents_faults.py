"""kill -9 of the PFI and of the DMP, in short: `./run bench faults` kills twenty times."""

import pytest

from bench import documents_faults

pytestmark = pytest.mark.slow


def test_every_document_ends_where_its_truth_says_through_three_kills():
    outcome = documents_faults.run(3, seed=7)
    found = {row[0]: row[1] for row in outcome.table.rows}
    assert outcome.problems == []
    assert outcome.ok
    assert found["documents"] > 0
    assert found["kill -9 of ours"] + found["kill -9 of the DMP"] >= 3
    assert found["none fed before its patient was qualified"] == "yes"
