"""Instants: how the control API writes and reads a moment, and which there can be."""

from datetime import UTC, datetime

EARLIEST, LATEST = 0.0, 253402300799.0 - 366 * 86400.0
"""Seconds since 1970: from 1970 to 9998, with a year to spare for what lies ahead of the clock."""


def iso(at: float) -> str:
    """An instant (seconds since 1970 UTC) in ISO 8601, UTC, with microseconds."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def parse_instant(text: str) -> float | None:
    """Seconds since 1970 UTC of an instant in ISO 8601, UTC if it has no offset; None if it is none."""
    try:
        at = datetime.fromisoformat(text)
        return at.replace(tzinfo=at.tzinfo or UTC).timestamp()
    except (ValueError, OverflowError):
        return None
