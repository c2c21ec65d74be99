"""The number of the installation."""

from uuid import UUID

import pytest

from insigne.insi.instance import installation_id


def test_it_is_made_once_and_kept(tmp_path):
    first = installation_id(tmp_path / "data")
    assert UUID(first).version == 4
    assert installation_id(tmp_path / "data") == first
    assert installation_id(tmp_path / "other") != first
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["insi-instance"]


def test_one_that_was_damaged_is_not_replaced(tmp_path):
    (tmp_path / "insi-instance").write_text("oops")
    with pytest.raises(ValueError, match="insi-instance"):
        installation_id(tmp_path)
    assert (tmp_path / "insi-instance").read_text() == "oops"
