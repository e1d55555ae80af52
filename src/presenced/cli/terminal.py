"""Terminal: what others wrote, made safe to be shown. Nothing a stranger sends may reach a terminal as commands."""

from datetime import UTC, datetime

from rich.markup import escape


def printable(text: str, most: int = 200) -> str:
    """Text without what a terminal would obey (control characters, changes of direction), cut if it is long."""
    shown = "".join(letter if letter.isprintable() else "?" for letter in text[: most + 1])
    return shown if len(shown) <= most else shown[: most - 1] + "…"


def plain(text: str, most: int = 10_000) -> str:
    """The same for a cell of a table: also without rich's markup."""
    return escape(printable(text, most))


def in_words(seconds: float) -> str:
    """A length of time: 45 s, 12 min, 3 h 20 min, 2 d 4 h."""
    seconds = max(round(seconds), 0)
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    if seconds < 60:
        return f"{seconds} s"
    if minutes < 60:
        return f"{minutes} min"
    if hours < 24:
        return f"{hours} h {minutes % 60} min"
    return f"{days} d {hours % 24} h"


def instant(at: float) -> str:
    """An instant, in UTC as everything the server says."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
