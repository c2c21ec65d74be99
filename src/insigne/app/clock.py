"""The present, for those who may look at a clock."""

import time
from datetime import UTC, datetime
from functools import lru_cache


def utc_now() -> datetime:
    """The present, aware."""
    return datetime.now(UTC)


def local_now() -> datetime:
    """The present with the zone of the machine, as HL7 messages carry it."""
    return utc_now().astimezone()


def rfc3339_now() -> str:
    """The present, RFC 3339 UTC with milliseconds."""
    second, nanoseconds = divmod(time.time_ns(), 1_000_000_000)
    return f"{_second(second)}.{nanoseconds // 1_000_000:03d}Z"


@lru_cache(maxsize=1)
def _second(number: int) -> str:
    """A second since the epoch; many messages come in the same one."""
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(number))
