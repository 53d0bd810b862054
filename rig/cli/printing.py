"""What the commands print: lines as they are, and tables that become lists where they do not fit.

Nothing is markup: brackets in a name, a path or a requirement stand as they were written. Control characters, which a
bench file or an instrument may hold, are shown as escapes. Not responsible for encodings (`rig.cli.streams`), nor for
what is said.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from itertools import zip_longest

from rich.console import Console, ConsoleDimensions
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

LOG_COLUMNS = 140
"""Width of a table in a log file or a pipe, which fold nothing."""

Cell = str | Text


def new_console() -> Console:
    """Make the console of a command: plain words stay plain words, and a log file folds nothing."""
    console = Console(highlight=False, markup=False, emoji=False)
    if not console.is_terminal:
        console.width = LOG_COLUMNS
    elif console.is_dumb_terminal:  # taken for 80 columns wide, whatever it is
        columns, lines = shutil.get_terminal_size()
        console.size = ConsoleDimensions(columns, lines)
    return console


def plain(text: str) -> str:
    """Write control characters as escapes, but for the ends of lines."""
    return "".join(each if each.isprintable() or each == "\n" else repr(each)[1:-1] for each in text)


def one_line(text: str) -> str:
    """Write all control characters as escapes, the ends of lines too."""
    return plain(text).replace("\n", "\\n")


def say(console: Console, text: str, style: str = "") -> None:
    """Print lines as they are, folded by the terminal alone."""
    console.print(Text(plain(text), style=style), soft_wrap=True)


def print_table(
    console: Console,
    columns: Sequence[str],
    rows: Sequence[Sequence[Cell]],
    *,
    title: str | None = None,
    caption: str | None = None,
    grouped: bool = False,
    fold: bool = False,
) -> None:
    """Print a table; where the terminal is too narrow for its words, print each row as a list of its cells instead.

    Args:
        console: to print on.
        columns: their heads.
        rows: their cells, text as it is.
        title: stands over it.
        caption: stands below it.
        grouped: a row with an empty first cell belongs to the one above it; draw a line where it does not.
        fold: long words may be cut, as those of paths and keys.
    """
    cells = [[each if isinstance(each, Text) else Text(plain(each)) for each in row] for row in rows]
    table = Table(
        title=Text(plain(title)) if title else None,
        title_justify="left",
        caption=Text(caption) if caption else None,
    )
    for column in columns:
        table.add_column(Text(column), overflow="fold")
    for row, below in zip_longest(cells, cells[1:]):
        table.add_row(*row, end_section=grouped and below is not None and bool(below[0].plain))
    if (fold and console.width >= LOG_COLUMNS // 2) or _fits(console, table):
        console.print(table)
        return
    if title:
        say(console, title)
    for row in cells:
        for column, cell in zip(columns, row, strict=True):
            if cell.plain.strip():
                console.print(_labelled(column, cell), soft_wrap=True)
        console.print()
    if caption:
        say(console, caption)


def _fits(console: Console, table: Table) -> bool:
    """Say whether the longest word of every column has its place."""
    return Measurement.get(console, console.options.update(width=100_000), table).minimum <= console.width


def _labelled(column: str, cell: Text) -> Text:
    return Text.assemble(f"{column}: ", cell)
