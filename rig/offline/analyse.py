"""`rig analyse`: logs in, analyses out. Reads, checks, computes; files that must be kept apart stay apart.

Not responsible for documents (the reports room writes them) nor for parsing options (`question`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rig.errors import DataFileError
from rig.offline.analysed import Analysed
from rig.offline.basal import analyse_basal
from rig.offline.bolus import analyse_boluses
from rig.offline.breaks import unbroken, usual_step_s
from rig.offline.cells import timestamp
from rig.offline.columns import checked_log
from rig.offline.findings import Finding
from rig.offline.headers import split_header
from rig.offline.log import Log
from rig.offline.occlusion import analyse_occlusion
from rig.offline.question import (
    Kind,
    Question,
    basal_question,
    bolus_question,
    kind_of,
    layout_of,
    longest_gap_s,
    occlusion_question,
    on_break_of,
    quantity,
    weighing_of,
)
from rig.offline.read import Source, read_table
from rig.offline.scale import Scale
from rig.offline.table import Table

SHORTEST_GAP_S = 60.0
USUAL_STEPS = 10.0
"""Of boluses and occlusions, a gap is longer than a minute and than ten usual steps. Assumption."""


@dataclass(frozen=True)
class Supplied:
    """One file and what became of it."""

    source: Source
    simulated: bool
    analysed: Analysed

    def record(self) -> dict[str, Any]:
        """Get it as plain data."""
        return {
            "source": asdict(self.source),
            "simulated": self.simulated,
            "analysis": {"kind": self.analysed.kind, **self.analysed.content},
            "measured": [asdict(each) for each in self.analysed.measured],
            "findings": [asdict(each) for each in self.analysed.findings],
        }


def analyse_files(paths: Sequence[Path], asked: Question, *, simulated: bool = False) -> list[Supplied]:
    """Analyse each file by itself. A file whose comments say SIMULATED counts as that, whatever is asked.

    Raises:
        DataFileError: one sentence on the first option or file that is wrong.
    """
    kind = kind_of(asked)
    return [_analyse_file(path, kind, asked, simulated) for path in paths]


def _analyse_file(path: Path, kind: Kind, asked: Question, simulated: bool) -> Supplied:
    source, table = read_table(path, asked.sheet)
    log, findings = checked_log(path, table, layout_of(asked), with_pressure=kind is Kind.OCCLUSION)
    findings = [*(Finding("reading", note) for note in table.notes), *findings]
    gap_s = max(SHORTEST_GAP_S, USUAL_STEPS * usual_step_s(log))
    if kind is Kind.BASAL:
        gap_s = basal_question(asked, log).longest_gap_s
    log, breaks = unbroken(path, log, longest_gap_s=longest_gap_s(asked, gap_s), on_break=on_break_of(asked))
    try:
        analysed = _analysed(kind, log, asked)
    except ValueError as error:
        raise DataFileError(f"{path}: {error}") from None
    analysed = Analysed(analysed.kind, analysed.content, analysed.measured, (*findings, *breaks, *analysed.findings))
    return Supplied(source, simulated or _says_simulated(table), analysed)


def _analysed(kind: Kind, log: Log, asked: Question) -> Analysed:
    scale = Scale(weighing_of(asked), log.is_volume)
    if kind is Kind.BASAL:
        return analyse_basal(log, basal_question(asked, log), scale)
    if kind is Kind.BOLUS:
        return analyse_boluses(log, bolus_question(asked, log, lambda path: _moments(path, asked)), scale)
    return analyse_occlusion(log, occlusion_question(asked, log), scale)


def _says_simulated(table: Table) -> bool:
    return any("SIMULATED" in comment for comment in table.comments)


def _moments(path: Path, asked: Question) -> list[str]:
    """Read moments from a second file: its first column, with the unit of its header or of --time-unit."""
    _, table = read_table(path)
    name = table.columns[0]
    unit = split_header(name)[1] or asked.time_unit or ""
    moments = []
    for row, cells in table.rows:
        if timestamp(cells[0]) is not None:
            moments.append(cells[0])
            continue
        moments.append(f"{cells[0].replace(',', '.')} {unit}".strip())
        quantity(f"{path}: row {row}, column {name!r}", moments[-1], "time_s", above_zero=False)
    return moments
