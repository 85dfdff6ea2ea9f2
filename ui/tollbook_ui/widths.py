"""How wide a table is printed: as wide as the terminal, or as it must be to keep all of its columns. Pure."""

from rich.cells import cell_len
from rich.console import RenderableType
from rich.table import Column, Table
from rich.text import Text

READABLE = 12
"""Columns of a terminal that a broken word takes at least, such as an id."""

BETWEEN = 3
"""Columns of a terminal between two of a table."""


def of(part: RenderableType, terminal: int) -> int:
    """Columns that a part of an answer takes.

    In a terminal too narrow for it a table would lose whole columns without a word; longer lines the terminal breaks, and keeps.
    """
    return max(terminal, sum(_least(column) + BETWEEN for column in part.columns)) if isinstance(part, Table) else terminal


def _least(column: Column) -> int:
    """Of the widest cell where it is never broken, else of its longest word, or as much of it as one can read."""
    texts = [Text.from_markup(str(cell)) for cell in (column.header, *column.cells)]
    if column.no_wrap:
        return max(text.cell_len for text in texts)
    return min(READABLE, max((cell_len(word) for text in texts for word in text.plain.split()), default=0))
