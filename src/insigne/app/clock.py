"""The present, for those who may look at a clock."""

from datetime import UTC, datetime


def utc_now() -> datetime:
    """The present, aware."""
    return datetime.now(UTC)


def local_now() -> datetime:
    """The present with the zone of the machine, as HL7 messages carry it."""
    return utc_now().astimezone()


def rfc3339_now() -> str:
    """The present, RFC 3339 UTC with milliseconds."""
    return utc_now().isoformat(timespec="milliseconds").replace("+00:00", "Z")
