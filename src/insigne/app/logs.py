"""Logs: one JSON object a line on stderr, with ids and codes only, never what a field holds."""

import logging
import sys
from contextlib import suppress
from typing import TextIO, cast

import structlog


def configure(level: str | int = "info") -> None:
    """Write logs from `level` on (debug, info, warning, error, or a number of `logging`) to stderr."""
    lowest = level if isinstance(level, int) else logging.getLevelNamesMapping()[level.upper()]
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(lowest),
        logger_factory=structlog.WriteLoggerFactory(file=cast("TextIO", _Unfailing(sys.stderr))),
        cache_logger_on_first_use=False,  # so that a later configuration counts for every module
    )


class _Unfailing:
    """What structlog asks of a stream. A line that cannot be written is lost, and nothing else.

    Where logs share the disk of the data folder, a full disk refuses both: the sender must still get its AR 207. The
    same holds when whoever read our stderr is gone.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        try:
            return self._stream.write(text)
        except (OSError, ValueError):  # ValueError: the stream is closed
            return 0

    def flush(self) -> None:
        with suppress(OSError, ValueError):
            self._stream.flush()
