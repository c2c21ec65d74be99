"""Moments as the base writes them: RFC 3339, UTC, milliseconds, one width, so that they sort as texts."""

from datetime import UTC, datetime


def utc_now() -> str:
    """The present moment."""
    return rfc3339(datetime.now(UTC))


def rfc3339(moment: datetime) -> str:
    """An aware moment as the base writes it."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def moment(text: str) -> datetime:
    """The aware moment of a text of the base."""
    return datetime.fromisoformat(text).astimezone(UTC)
