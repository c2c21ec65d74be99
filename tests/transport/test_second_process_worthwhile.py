"""A second process is of use where two processors may be used at a time."""

import os

import pytest

from insigne.transport.front import front


@pytest.mark.parametrize(
    ("quota", "expected"),
    [
        ("max 100000\n", True),
        ("200000 100000\n", True),
        ("100000 100000\n", False),
        ("50000 100000\n", False),
        ("", True),
    ],
    ids=["none", "two", "one", "half", "unreadable"],
)
def test_what_a_container_may_use_counts(tmp_path, monkeypatch, quota, expected):
    file = tmp_path / "cpu.max"
    file.write_text(quota, encoding="ascii")
    monkeypatch.setattr(front, "_QUOTA", file)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1, 2, 3}, raising=False)
    assert front.worthwhile() is expected


@pytest.mark.parametrize(("processors", "expected"), [({0}, False), ({0, 1}, True)], ids=["one", "two"])
def test_a_machine_with_one_processor_has_no_second_process(tmp_path, monkeypatch, processors, expected):
    monkeypatch.setattr(front, "_QUOTA", tmp_path / "none")
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: processors, raising=False)
    assert front.worthwhile() is expected
