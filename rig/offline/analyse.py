"""`rig analyse`: logs in, analyses out. Reads, checks, computes; files that must be kept apart stay apart.

Not responsible for documents (the reports room writes them) nor for options (`question`, `asking`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from rig.analysis.alarm_signal import Edition
from rig.errors import DataFileError
from rig.offline.analysed import Analysed
from rig.offline.asking import (
    basal_question,
    bolus_question,
    kind_of_log,
    layout_of,
    meter_of,
    needed,
    number_of,
    occlusion_question,
    on_break_of,
    spoken_of,
    weighing_of,
)
from rig.offline.basal import analyse_basal
from rig.offline.bolus import analyse_boluses
from rig.offline.breaks import unbroken, usual_step_s
from rig.offline.columns import Understood, checked_log
from rig.offline.direction import upwards
from rig.offline.dispenses import analyse_dispenses
from rig.offline.disturbances import Expected
from rig.offline.findings import Finding
from rig.offline.flow import integrated
from rig.offline.headers import split_header
from rig.offline.log import BalanceLog
from rig.offline.moments import moment
from rig.offline.occlusion import analyse_occlusion
from rig.offline.question import LogKind, Question, checked_quantity
from rig.offline.read import Source, read_table
from rig.offline.scale import Scale
from rig.offline.sound import analyse_sound
from rig.units import ml_per_h_from_u_per_h, ul_from_u

SHORTEST_GAP_S = 60.0
USUAL_STEPS = 10.0
"""Of boluses and occlusions, a gap is longer than a minute and than ten usual steps. Assumption."""

G_PER_MG = 1e-3


@dataclass(frozen=True)
class Supplied:
    """One file and what became of it.

    Attributes:
        understood: how the file was read, what was used of it: what stands first.
        options: that say the same, by flag.
    """

    source: Source
    simulated: bool
    analysed: Analysed
    understood: tuple[Finding, ...]
    options: Mapping[str, str]

    def record(self) -> dict[str, Any]:
        """Give it as plain data; what was understood is the first of what was found."""
        return {
            "source": asdict(self.source),
            "simulated": self.simulated,
            "analysis": self.analysed.content,
            "measured": [asdict(each) for each in self.analysed.measured],
            "findings": [asdict(each) for each in (*self.understood, *self.analysed.findings)],
        }


def analyse_files(paths: Sequence[Path], asked: Question, *, simulated: bool = False) -> list[Supplied]:
    """Analyse each file by itself. A file whose comments say SIMULATED counts as that, whatever is asked.

    Raises:
        DataFileError: one sentence on the first option or file that is wrong.
    """
    return [analyse_file(path, asked, simulated=simulated) for path in paths]


def analyse_file(path: Path, asked: Question, *, simulated: bool = False) -> Supplied:
    """Analyse one file.

    Raises:
        DataFileError: one sentence on the option, or the row and column, that is wrong.
    """
    kind = kind_of_log(asked)
    if kind is LogKind.ALARM:
        edition = Edition(asked.edition) if asked.edition is not None else Edition.A2_2020
        source, analysed = analyse_sound(path, edition)
        return Supplied(source, simulated or asked.simulated, analysed, (), {})
    source, table = read_table(path, layout_of(asked))
    simulated = simulated or asked.simulated or any("SIMULATED" in comment for comment in table.comments)
    spoken = spoken_of(asked)
    tabled = asked.dispenses is not None
    log, findings, told = checked_log(
        path, table, spoken, with_pressure=kind is LogKind.OCCLUSION, needs_time=not tabled
    )
    _refuse_open_dates(path, told, asked)
    rows = table.rows
    del table
    read = log
    try:
        if tabled:
            scale = _scale(log, asked)
            analysed = analyse_dispenses(
                log, insulin_u=needed(asked, "bolus"), running=asked.dispenses == "running", scale=scale,
                accept_implausible=asked.implausible == "accept",
            )  # fmt: skip
        else:
            analysed, log, more = _analysed(path, kind, log, asked)
            findings += more
    except ValueError as error:
        raise DataFileError(f"{path}: {error}") from None
    analysed = replace(analysed, findings=(*findings, *analysed.findings))
    return Supplied(source, simulated, analysed, tuple(understood(told, read, log, rows)), told.options)


def _analysed(
    path: Path, kind: LogKind, log: BalanceLog, asked: Question
) -> tuple[Analysed, BalanceLog, list[Finding]]:
    if asked.loss_in_weight:
        log = replace(log, mass_g=-log.mass_g)
    scale = _scale(log, asked)
    if not log.is_flow:
        upwards(
            log, scale.dry_mass_g(_in_order(log)) if log.at_s.size else log.mass_g, loss_in_weight=asked.loss_in_weight
        )
        if kind is LogKind.BASAL and asked.implausible != "accept":
            _refuse_scatter(log, _expected(kind, log, asked, scale))
    default_s = max(SHORTEST_GAP_S, USUAL_STEPS * usual_step_s(log))
    if kind is LogKind.BASAL:
        default_s = basal_question(asked, log).longest_gap_s
    one = unbroken(
        path, log, _expected(kind, log, asked, scale) if not log.is_flow else None,
        longest_gap_s=number_of(asked, "max_gap") or default_s, on_break=on_break_of(asked),
        timed=asked.interval is None,
    )  # fmt: skip
    log, findings = one.log, list(one.findings)
    if log.at_s.size < 3:
        raise ValueError(f"holds {log.at_s.size} samples without a break; an analysis needs a series of them")
    if log.is_flow:
        log, more = integrated(log)
        findings += more
        upwards(log, log.mass_g, loss_in_weight=False)
    if asked.loss_in_weight:
        findings.append(Finding("loss in weight", "What left the reservoir on the pan counts as delivered."))
    if kind is LogKind.BASAL:
        return analyse_basal(log, basal_question(asked, log, one.longest_gap_s), scale), log, findings
    if kind is LogKind.BOLUS:
        question = bolus_question(asked, log, lambda starts: _moments(starts, asked))
        return analyse_boluses(log, question, scale), log, findings
    return analyse_occlusion(log, occlusion_question(asked, log), scale), log, findings


def _refuse_scatter(log: BalanceLog, expected: Expected) -> None:
    """Refuse readings that scatter by more than was programmed in all: no number can be taken from them."""
    low_g, high_g = np.quantile(np.diff(log.mass_g), (0.16, 0.84))
    sd_g = float(high_g - low_g) / 2.0 / float(np.sqrt(2.0))
    programmed_g = expected.rate_g_per_h * float(log.at_s.max() - log.at_s.min()) / 3600.0
    parts = np.array_split(log.mass_g, 20)
    change_g = abs(float(np.median(parts[-1]) - np.median(parts[0]))) if log.mass_g.size >= 40 else np.inf
    if sd_g > programmed_g > 0 and sd_g > change_g:
        raise ValueError(
            f"the readings scatter by {1e3 * sd_g:.4g} mg from sample to sample, and {1e3 * programmed_g:.4g} mg were "
            "programmed in all: are there two balances in one file, or is --rate wrong? (--implausible accept)"
        )


def _in_order(log: BalanceLog) -> BalanceLog:
    """Give the log with times that do not go back, for what only needs a trend."""
    return replace(log, at_s=np.maximum.accumulate(log.at_s))


def _scale(log: BalanceLog, asked: Question) -> Scale:
    meter = meter_of(asked) if log.is_flow else None
    return Scale(weighing_of(asked), log.is_volume, meter, loss=asked.loss_in_weight)


def _expected(kind: LogKind, log: BalanceLog, asked: Question, scale: Scale) -> Expected:
    """Say what the pump may deliver between two samples, in g as the log shows it."""
    u_to_g = ul_from_u(1.0) / scale.z_ul_per_mg * G_PER_MG
    said_u = number_of(asked, "largest_rise")
    largest_g = said_u * u_to_g if said_u is not None else None
    if kind is LogKind.BOLUS:
        return Expected(0.0, needed(asked, "bolus") * u_to_g, largest_g)
    rate_u_per_h = needed(asked, "rate")
    rate_g_per_h = ml_per_h_from_u_per_h(rate_u_per_h) * scale.density_g_per_ml
    if kind is LogKind.OCCLUSION:
        # What a released line gives at once is at most all that was programmed.
        held_g = rate_g_per_h * float(log.at_s.max() - log.at_s.min()) / 3600.0
        return Expected(rate_g_per_h, None, max(largest_g or 0.0, held_g))
    dose_u = number_of(asked, "dose")
    return Expected(rate_g_per_h, dose_u * u_to_g if dose_u is not None else None, largest_g)


def understood(told: Understood, read: BalanceLog, used: BalanceLog, rows: int) -> list[Finding]:
    """Say how the file was read, which sample is the first and the last, and how many were used."""
    sentences = list(told.sentences)
    unit = "mL" if read.is_volume and not read.is_flow else "mL/h" if read.is_flow else "g"
    timed = "--time-column" in told.options or "--interval" in told.options
    ends = [
        f"row {read.row[at]}{_at(read, at) if timed else ''}, {read.mass_g[at]:.9g} {unit}"
        for at in (0, read.at_s.size - 1)
    ]
    sentences.append(f"First sample: {ends[0]}; last sample: {ends[1]}.")
    left = rows - used.at_s.size
    sentences.append(
        f"Used: {used.at_s.size} of {rows} rows"
        + (f"; {left} {'were' if left > 1 else 'was'} left out, for the reasons below." if left else ", all of them.")
    )
    return [Finding("understood", sentence) for sentence in sentences]


def _at(log: BalanceLog, index: int) -> str:
    if log.zero is None:
        return f" at {log.at_s[index]:.10g} s"
    return f" at {log.at_s[index]:.10g} s after {log.zero.isoformat(sep=' ', timespec='milliseconds')}"


def _refuse_open_dates(path: Path, told: Understood, asked: Question) -> None:
    moments = [asked.start, *asked.at, asked.closed, asked.alarm, asked.released]
    if told.order_open and any(text is not None and moment(text) is not None for text in moments):
        raise DataFileError(
            f"{path}: which of day and month is which is open in this file, and a moment was given as a timestamp: say "
            "it by --date-format"
        )


def _moments(path: Path, asked: Question) -> list[str]:
    """Read moments from a second file: its first column, with the unit of its header or of --time-unit."""
    _, table = read_table(path)
    name = table.columns[0]
    unit = split_header(name).unit
    written = unit.name if unit is not None else asked.time_unit or ""
    moments = []
    for row, cell in zip(table.row.tolist(), table.cells[0].to_list(), strict=True):
        text = cell or ""
        if moment(text) is not None:
            moments.append(text)
            continue
        moments.append(f"{text.replace(',', '.')} {written}".strip())
        try:
            checked_quantity(f"{path}: row {row}, column {name!r}", moments[-1], "time_s", zero=True)
        except ValueError as error:
            raise DataFileError(str(error)) from None
    return moments
