"""Print-outs of balances, captured raw or with a time before each line: Mettler, Sartorius, A&D, Ohaus, Radwag, Kern.

A line is recognised by its marker, sign, number and unit, never by fixed columns, since widths change by model. Not
responsible for the times of lines that have none (`columns` takes `--interval`).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice

import numpy as np
import polars as pl

from rig.errors import DataFileError
from rig.offline.cells import is_measured
from rig.offline.headers import means, split_header
from rig.offline.spellings import unit_of
from rig.offline.table import Happened, LogEvent, Table, blanks_between, shown
from rig.offline.text import LOST, TextFile, ends_with_a_line

HEAD = 400
_UNIT = r"(?P<unit>[a-zA-Zµμ%]{1,5})"
_VALUE = r"(?P<value>(?:[+\-−]\s*)?\d[\d.,]*(?:\s\d)?(?:[eE][+-]?\d+)?(?:\[\d\])?)"

_WEIGHTS: dict[str, re.Pattern[str]] = {
    "MT-SICS": re.compile(
        rf"(?P<command>S|SI|SIR|SR|SNR|SC|SU|SIU|SIRU|SRU|SUM|SIUM)\s+(?P<state>[SDMN])\s+{_VALUE}(?:\s+{_UNIT})?"
    ),
    "A&D": re.compile(rf"(?P<state>ST|US|QT|WT|SD)\s*[,\s]\s*(?:(?P<net>GS|NT|TR|G|N|T)\s*,?\s*)?{_VALUE}\s*{_UNIT}?"),
    "Radwag": re.compile(rf"(?:S|SI|SU|SUI|SIA|UI)(?:\s+(?P<state>[?^v])|\s)\s*{_VALUE}(?:\s+{_UNIT})?"),
    "Sartorius, 22 characters": re.compile(rf"(?P<id>N|G#?|T\d?|Qnt|Prc|nRef|NT)\s+{_VALUE}(?:\s+{_UNIT})?"),
    "number and unit": re.compile(
        rf"{_VALUE}\s+{_UNIT}(?:\s*(?P<state>\?))?(?:\s+(?P<legend>N|G|T|NET|GROSS|B|PT|S|U))?"
    ),
    "Sartorius, 16 characters": re.compile(rf"(?P<value>[+\-−]\s*\d[\d.,]*(?:\[\d\])?)(?:\s+{_UNIT})?"),
    "Kern or Radwag, print key": re.compile(rf"(?:(?P<state>[?^v])\s*)?{_VALUE}(?:\s*{_UNIT})?"),
}
"""A weight line of each maker (MT-SICS reference manual, SBI, A&D standard format, Ohaus, Radwag and Kern manuals)."""

_UNSTABLE_STATES = frozenset({"D", "N", "US", "?", "SD"})
_UNITLESS_IS_UNSTABLE = frozenset(
    {"Sartorius, 22 characters", "Sartorius, 16 characters", "Kern or Radwag, print key", "A&D"}
)
"""Makers whose balances leave the unit away while they are not at rest."""

_NO_WEIGHT = (
    (re.compile(r"(?:S|SI|SIR|SR|SNR|SC|SU|SIU|SUI)\s+(?:I|E)"), " says that the balance could not weigh then"),
    (re.compile(r"(?:S|SI|SIR|SR|SNR|SC|SU|SIU)\s+L"), " says that the balance did not understand the command"),
    (re.compile(r"(?:S|SI|SIR|SR|SNR|SC|SU|SIU|SUI)\s*(?:\+|\^)"), " says that the balance was overloaded"),
    (re.compile(r"(?:S|SI|SIR|SR|SNR|SC|SU|SIU|SUI)\s*(?:-|v)"), " says that the balance was underloaded"),
    (re.compile(r"S\s+[SD]\s+Error.*"), " says that the balance has a fault"),
    (re.compile(r"OL\s*,.*|=?Overload=?|(?:Stat\s+)?(?:High|HH|H)", re.I), " says that the balance was overloaded"),
    (re.compile(r"=?Underload=?|(?:Stat\s+)?(?:Low|LL|L)", re.I), " says that the balance was underloaded"),
    (re.compile(r"(?:Stat\s+)?(?:Cal\.?.*|C|Calibration)", re.I), " says that the balance was adjusting itself"),
    (
        re.compile(r"(?:Stat\s+)?(?:Err(?:or)?\.?\s*\w*|[A-Z]{3}\.ERR|EC,E\d+|-{2,}|E\d\d?)", re.I),
        " says that the balance had an error",
    ),
    (re.compile(r"ES|ET|EL"), " says that the balance did not understand the command"),
    (re.compile(r"(?:N|G|T)\s+(?:-{2,}|Err.*)"), " says that the balance had an error"),
)  # fmt: skip
"""Answers that hold no weight, and why; they stand where a weight was asked for."""

_RESTART = re.compile(r"I[0-5]\s+A\s+.*|@|I4.*")
_ZEROED = re.compile(r"(?:Z|ZI|ZC|T|TI|TC|TA|TAC|OT|UT)\s+(?:[ASD].*|\d.*)|TAC\s+A")
_ASIDE = re.compile(
    r"I\d+\s+[ABIL].*|(?:C[0-4]|M\d+|D|DW|K|UPD|PWR|WS|U|NB|LC|FC|CU[01]|Z|ZI|T|TI|SIA|SI|S|SU|SUI)\s+[ABDIL](?:\s.*)?"
    r"|(?:ID|No|SN|TN|PT)\s*,.*|(?:nRef|Qnt|Prc)\s+.*|\x06|>|OK"
)
"""Answers to other commands, which took no sample's time."""

_STAMP = re.compile(
    r"[\[(<{]?\s*(?P<time>"
    r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}[T _,;]+\d{1,2}:\d\d(?::\d\d)?(?:[.,:]\d{1,9})?(?:\s*[AaPp]\.?[Mm]\.?)?"
    r"(?:Z|[+-]\d\d:?\d\d)?"
    r"|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}[ _,;]+\d{1,2}:\d\d(?::\d\d)?(?:[.,:]\d{1,9})?(?:\s*[AaPp]\.?[Mm]\.?)?"
    r"|\d{1,2}[- ][A-Za-z]{3}[- ]\d{2,4}[ _,;]+\d{1,2}:\d\d(?::\d\d)?(?:[.,]\d{1,9})?(?:\s*[AaPp]\.?[Mm]\.?)?"
    r"|\d+:\d\d(?::\d\d(?:[.,:]\d{1,9})?)?(?:\s*[AaPp]\.?[Mm]\.?)?"
    r"|\d+(?:[.,]\d+)?(?=\s*(?:s|ms|sec)?[\]\s,;:>\t]))"
    r"\s*(?P<unit>s|ms|sec)?\s*[\])>}]?[\s,;:|>\t-]*(?:(?:RX|Rx|rx|recv|<-|->|<<|<)[\s:>|-]*)?"
)
_ONLY_STAMP = re.compile(
    r"(?:(?P<what>Date|Time|Datum|Zeit|Uhrzeit)\s*[:.]?\s*)?(?P<text>\d[\d./:\- ]*(?:\s*[AaPp][Mm])?)", re.I
)


@dataclass
class _Lines:
    """What the lines gave so far."""

    number: list[int] = field(default_factory=list)
    time: list[str | None] = field(default_factory=list)
    weight: list[str] = field(default_factory=list)
    unstable: list[bool] = field(default_factory=list)
    damaged: dict[int, str] = field(default_factory=dict)
    events: list[LogEvent] = field(default_factory=list)
    aside: list[int] = field(default_factory=list)
    blanks: list[int] = field(default_factory=list)

    def add(self, number: int, time: str | None, weight: str, unstable: bool = False, why: str | None = None) -> None:
        if why is not None:
            self.damaged[len(self.number)] = why
        self.number.append(number)
        self.time.append(time)
        self.weight.append(weight)
        self.unstable.append(unstable)


def maker_of(file: TextFile) -> str | None:
    """Find whose print-out a file is; None when it is none: fewer than half of its first lines are answers."""
    lines = [line.strip() for line in islice(file.lines(), HEAD) if line.strip() and not line.startswith(("#", LOST))]
    bare = [_stamped(line)[1] for line in lines]
    if any(_is_header(line) for line in bare):
        return None
    asked = [line for line in bare if not _is_aside(line)]
    if not asked:
        return None
    counts = {maker: sum(_weighs(maker, line) for line in asked) for maker in _WEIGHTS}
    counts["MT-SICS"] += sum(pattern.fullmatch(line) is not None for pattern, _ in _NO_WEIGHT[:4] for line in asked)
    maker = max(counts, key=lambda each: counts[each])
    if counts[maker] < 0.5 * len(asked):
        return None
    # A column of bare numbers is a table of one column; and so is one below a header that names it.
    united = sum((match := _WEIGHTS[maker].fullmatch(line)) is not None and bool(match["unit"]) for line in asked)
    return maker if united >= 0.3 * len(asked) else None


def _is_header(line: str) -> bool:
    """Tell whether a line names columns, as no balance does."""
    cells = [cell.strip() for cell in re.split(r"[,;\t|]", line)]
    if len(cells) < 2 or any(is_measured(cell) for cell in cells):
        return False
    headers = [split_header(cell) for cell in cells]
    return any(means(header, "time") for header in headers) and any(
        means(header, what) for header in headers for what in ("mass", "volume")
    )


def _weighs(maker: str, line: str) -> bool:
    match = _WEIGHTS[maker].fullmatch(line)
    return match is not None and (not match["unit"] or unit_of(match["unit"]) is not None)


def _stamped(line: str) -> tuple[str | None, str]:
    """Cut the time from before a line; None beside the whole line when there is none."""
    match = _STAMP.match(line)
    if match is None or not line[match.end() :]:
        return None, line
    rest = line[match.end() :].strip()
    bare_number = re.fullmatch(r"\d+(?:[.,]\d+)?", match["time"]) is not None
    first = rest.split(" ", 1)[0]
    known = unit_of(first)
    if bare_number and known is not None and known.dimension == "mass_g" and first not in ("G", "T"):
        return None, line  # it is the weight itself
    return f"{match['time']} {match['unit'] or ''}".strip(), rest


def _is_aside(line: str) -> bool:
    if any(pattern.fullmatch(line) for pattern, _ in _NO_WEIGHT):
        return False
    return any(pattern.fullmatch(line) for pattern in (_RESTART, _ZEROED, _ASIDE)) and not any(
        _weighs(maker, line) for maker in ("MT-SICS", "Radwag")
    )


def read_printout(file: TextFile, maker: str) -> Table:
    """Read a print-out; columns are `time` (when lines have one) and `weight` with the unit in each cell.

    Lines between the samples that tell of a restart or of a tare become events; answers without a weight stay as
    damaged rows, since the time of a sample passed.

    Raises:
        DataFileError: no line holds a weight, or times stand on some lines only.
    """
    found = _Lines()
    pattern = _WEIGHTS[maker]
    comments: list[str] = []
    for number, line in _filled(file):
        if not line:
            found.blanks.append(len(found.number))
            continue
        if line.startswith("#"):
            comments.append(line.lstrip("#").strip())
            continue
        if line.startswith(LOST):
            found.add(number, None, "", why=" holds NUL characters, as a logger leaves that lost its power")
            continue
        time, bare = _stamped(line)
        _take(found, number, time, bare, line, maker, pattern)
    weights = [index for index in range(len(found.number)) if index not in found.damaged]
    if not weights:
        raise DataFileError(f"{file.path}: no line holds a weight")
    _judge_units(found, weights, maker)
    return _table(file, found, weights, maker, comments)


def without_markers(table: Table) -> Table:
    """Read a column of answers such as `S S  12.3407 g`, which a logger wrote beside its own time, as weights."""
    for index, cells in enumerate(table.cells):
        sample = [cell for cell in cells.head(HEAD).to_list() if cell]
        for maker in ("MT-SICS", "A&D", "Radwag", "Sartorius, 22 characters"):
            if sample and sum(_weighs(maker, cell) for cell in sample) > 0.8 * len(sample):
                return _unmarked(table, index, maker)
    return table


def _unmarked(table: Table, index: int, maker: str) -> Table:
    found = _Lines(damaged=dict(table.damaged))
    for place, text in enumerate(table.cells[index].to_list()):
        if text is None or place in table.damaged:
            found.number.append(place)
            found.weight.append(text or "")
            found.unstable.append(False)
            continue
        before = len(found.number)
        _take(found, place, None, text, text, maker, _WEIGHTS[maker])
        if len(found.number) == before:  # an answer to another command
            found.add(place, None, text, why=f" holds {shown(text)}, which is no weight")
    cells = list(table.cells)
    cells[index] = pl.Series(found.weight, dtype=pl.String)
    return replace(
        table,
        form=f"{table.form}, answers of a balance ({maker}) in column {table.columns[index]!r}",
        cells=tuple(cells),
        damaged=found.damaged,
        unstable=np.array(found.unstable, dtype=np.bool_),
    )


def _filled(file: TextFile) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(file.lines(), start=1):
        yield number, line if line.startswith(LOST) else line.strip()


def _take(
    found: _Lines, number: int, time: str | None, bare: str, line: str, maker: str, pattern: re.Pattern[str]
) -> None:
    match = pattern.fullmatch(bare)
    if match is not None and (not match["unit"] or unit_of(match["unit"]) is not None):
        groups = match.groupdict()
        identity = groups.get("id") or groups.get("net") or groups.get("legend") or "N"
        if identity not in ("N", "NT", "NET", "G", "G#", "GS", "GROSS", "B", "S", "U"):
            found.aside.append(number)
            return
        unstable = (groups.get("state") or "") in _UNSTABLE_STATES or groups.get("legend") == "U"
        found.add(number, time, f"{match['value']} {match['unit'] or ''}".strip(), unstable)
        return
    for no_weight, why in _NO_WEIGHT:
        if no_weight.fullmatch(bare):
            found.add(number, time, bare, why=f"{why} ({shown(bare)})")
            return
    if _RESTART.fullmatch(bare):
        _note(found, number, Happened.RESTARTED, f"row {number}: the balance was started anew ({shown(bare)})")
    elif _ZEROED.fullmatch(bare):
        _note(found, number, Happened.ZEROED, f"row {number}: the balance was tared or zeroed ({shown(bare)})")
    elif not _ASIDE.fullmatch(bare):
        found.add(number, time, bare, why=f" holds {shown(line)}, which is no answer of this balance ({maker})")
        return
    found.aside.append(number)


def _note(found: _Lines, number: int, happened: Happened, sentence: str) -> None:
    found.events.append(LogEvent(len(found.number), number, happened, sentence))


def _judge_units(found: _Lines, weights: Sequence[int], maker: str) -> None:
    """A weight without its unit where others have one is cut off, or from a balance that leaves it away in motion."""
    bare = [
        index
        for index in weights
        if not re.search(r"[a-zA-Zµ%]", found.weight[index].replace("E", "").replace("e", ""))
    ]
    if not bare or len(bare) == len(weights):
        return
    usual = Counter(_decimals(found.weight[index]) for index in weights if index not in set(bare)).most_common(1)[0][0]
    for index in bare:
        text = found.weight[index]
        if maker in _UNITLESS_IS_UNSTABLE and _decimals(text) == usual:
            found.unstable[index] = True
        else:
            found.damaged[index] = f" holds {shown(text)} without a unit, where other lines have one: is it cut off?"


def _decimals(text: str) -> int:
    match = re.search(r"[.,](\d+)", text.replace("[", "").replace("]", ""))
    return len(match[1]) if match is not None else 0


def _table(file: TextFile, found: _Lines, weights: Sequence[int], maker: str, comments: Sequence[str]) -> Table:
    timed = [index for index in weights if found.time[index] is not None]
    if timed and len(timed) != len(weights):
        first = next(index for index in weights if found.time[index] is None)
        raise DataFileError(f"{file.path}: row {found.number[first]}: some lines have a time and some have none")
    columns: list[str] = ["weight"]
    cells = [pl.Series(found.weight, dtype=pl.String)]
    if timed:
        columns.insert(0, "time")
        cells.insert(0, pl.Series(found.time, dtype=pl.String))
    ignored = {"answers of the balance that are no weights": tuple(found.aside)} if found.aside else {}
    return Table(
        form=f"print-out of a balance ({maker})",
        columns=tuple(columns),
        cells=tuple(cells),
        row=np.array(found.number, dtype=np.int64),
        damaged=found.damaged,
        blanks=blanks_between(found.blanks, len(found.number)),
        comments=tuple(comments),
        notes=file.notes,
        cut=not ends_with_a_line(file.path),
        events=tuple(found.events),
        unstable=np.array(found.unstable, dtype=np.bool_),
        ignored=ignored,
    )
