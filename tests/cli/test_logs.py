"""Logs: what happens to them never happens to messages."""

import errno
import io
import sys

import pytest
import structlog

from insigne.app.logs import configure


class FullDisk(io.StringIO):
    """A log file on a disk without room."""

    def write(self, text: str) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    def flush(self) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")


def _closed() -> io.StringIO:
    stream = io.StringIO()
    stream.close()
    return stream


@pytest.mark.parametrize("stream", [FullDisk(), _closed()], ids=["full disk", "closed"])
def test_a_log_line_that_cannot_be_written_is_lost_without_a_failure(
    monkeypatch: pytest.MonkeyPatch, stream: io.StringIO
) -> None:
    monkeypatch.setattr(sys, "stderr", stream)
    configure("info")
    try:
        structlog.get_logger("test").info("anything")
    finally:
        structlog.reset_defaults()
