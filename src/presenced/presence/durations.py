"""Durations: Edm.Duration as clients really send it.

Graph declares ``expirationDuration`` as Edm.Duration, an ISO 8601 duration of days and smaller (setPresence page).
The Go and JavaScript duration types may also write whole weeks (``P1W``), and the Python SDK writes a ``timedelta``
as ``str()`` does: ``1:00:00`` or ``1 day, 0:00:00`` (kiota-python ``write_timedelta_value``). All are accepted, and
so are years and months if they are none (``P0Y0M0DT1H0M0S``, as one formats a PHP DateInterval).
"""

import re
from datetime import timedelta

import msgspec

from presenced.presence.refused import Refused, out_of_range

_WEEKS = re.compile(r"P(\d{1,6})W", re.IGNORECASE | re.ASCII)
_ZERO_YEARS = re.compile(r"(-?P)(?:0{1,9}Y)?(?:0{1,9}M)?(?=.)", re.IGNORECASE | re.ASCII)
_PYTHON = re.compile(r"(?:(\d{1,6}) days?, )?(\d{1,2}):([0-5]\d):([0-5]\d(?:\.\d{1,6})?)", re.ASCII)
_LONGEST = 64


def parse_duration(text: str, field: str) -> float:
    """Seconds in ``text``.

    Raises Refused(InvalidArgument) naming ``field`` when it is no duration.
    """
    if len(text) <= _LONGEST:
        if weeks := _WEEKS.fullmatch(text):
            return int(weeks[1]) * 7 * 86400.0
        if python := _PYTHON.fullmatch(text):
            days, hours, minutes, seconds = python.groups()
            return int(days or 0) * 86400 + int(hours) * 3600 + int(minutes) * 60 + float(seconds)
        try:
            # strict=True would still read ISO text; it only refuses bare numbers such as "300"
            return msgspec.convert(_ZERO_YEARS.sub(r"\1", text, count=1), timedelta).total_seconds()
        except (msgspec.ValidationError, UnicodeError):
            pass
    raise Refused(
        "InvalidArgument",
        f"The provided [{field}] is not a duration. Use an ISO 8601 duration such as PT5M, PT1H30M or P1D.",
    )


def parse_duration_within(text: str, field: str, shortest: float, longest: float) -> float:
    """Seconds in ``text``, which must be from ``shortest`` to ``longest`` (seconds).

    Raises Refused(InvalidArgument).
    """
    seconds = parse_duration(text, field)
    if not shortest <= seconds <= longest:
        raise out_of_range(field)
    return seconds
