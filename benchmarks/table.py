"""Table: rows of a report, for the terminal and as Markdown."""

from collections.abc import Collection, Sequence

from rich.console import Console
from rich.table import Table


def show(title: str, names: Sequence[str], rows: Sequence[Sequence[str]], words: Collection[str] = ()) -> None:
    """Print a table; columns named in ``words`` hold words, the others numbers."""
    table = Table(title=title)
    for name in names:
        table.add_column(name, justify="left" if name in words else "right")
    for row in rows:
        table.add_row(*(cell.replace("**", "") for cell in row))
    Console().print(table)


def markdown(names: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table in Markdown."""
    lines = [names, ["---"] * len(names), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
