"""Runs laid side by side: a folder with numbers, tables, figures and a PDF.

Not responsible for the numbers (`reports.compared`). SIMULATED is said where any of the runs is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from reports.blocks import Sections, facts, table, text
from reports.compared import Spread, UnderConditions, condition_of, pump_of, spreads, under_conditions
from reports.condition_curve import condition_curve
from reports.content import SIMULATED
from reports.tables import Cell, write_csv
from reports.typesetting import typesetter, write_pdf
from reports.words import NBSP, minus, moment, quantity, value_and_uncertainty
from rig.analysis.conditions import ConditionRow
from rig.errors import EvidenceError
from rig.record.files import utc_now, write_json
from rig.record.reading import Run, read_run

NOT_A_RUN = "Comparison of runs"


def write_comparison(folder: Path, paths: Sequence[Path]) -> list[str]:
    """Compare runs and write a new folder; returns what to print.

    Args:
        folder: to be made.
        paths: run folders, or folders of run folders.

    Raises:
        EvidenceError: a record is missing or damaged, fewer than two runs are finished, they have nothing in common,
            or the folder holds files already.
    """
    if folder.is_dir() and any(folder.iterdir()):
        raise EvidenceError(f"{folder}: holds files already; name another folder by --out, nothing is overwritten")
    runs, left_out = _runs(paths)
    pumps, conditions = spreads(runs), under_conditions(runs)
    if not pumps and not conditions:
        raise EvidenceError(
            f"{len(runs)} finished run{'s' if len(runs) != 1 else ''}{_but(left_out)}: nothing was measured in two "
            "nominal runs, nor under nominal and another condition; name runs that measured the same"
        )
    marks = [NOT_A_RUN, *([SIMULATED] if any(run.manifest.virtual for run in runs) else [])]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        written = _write_numbers(folder, runs, pumps, conditions, marks)
        _write_pdf(folder, runs, left_out, pumps, conditions, marks, written)
    except OSError as error:
        raise EvidenceError(f"{folder}: cannot be written ({error.strerror})") from error
    lines = [f"{run.name} is left out: it was not finished." for run in left_out]
    lines += [_line(each) for each in pumps]
    lines += [line for each in conditions for line in _condition_lines(each)]
    return [*lines, f"Comparison: {folder / 'comparison.pdf'}"]


def _runs(paths: Sequence[Path]) -> tuple[list[Run], list[Path]]:
    """Read the finished runs among `paths` and below them, and name those that were not finished."""
    found: list[Path] = []
    for path in paths:
        if (path / "manifest.json").is_file():
            found.append(path)
            continue
        below = sorted(manifest.parent for manifest in path.glob("*/manifest.json"))
        if not below:
            raise EvidenceError(f"{path}: there is no run in this folder")
        found += below
    finished = [path for path in found if (path / "results.json").is_file()]
    return [read_run(path) for path in finished], [path for path in found if path not in finished]


def _but(left_out: Sequence[Path]) -> str:
    return f" ({len(left_out)} not finished)" if left_out else ""


def _line(spread: Spread) -> str:
    end = f", 95 % of pumps in {spread.tolerance.low:.3g} … {spread.tolerance.high:.3g}" if spread.tolerance else ""
    return (
        f"{spread.name}: mean {spread.mean:.4g}, SD {spread.sd:.2g}, {min(spread.values):.4g} … "
        f"{max(spread.values):.4g} {spread.unit} (n = {len(spread.values)}{end})"
    )


def _condition_lines(compared: UnderConditions) -> list[str]:
    table_ = compared.table
    return [f"{compared.subject}:"] + [
        f"  {_name(row)}: {row.min_percent:+.2f} … {row.max_percent:+.2f} %, mean {row.mean_percent:+.2f} %"
        for row in (table_.nominal, *table_.rows)
    ]


def _name(row: ConditionRow) -> str:
    if row.influence is None:
        return "nominal"
    return minus(f"{row.influence.value[0]} {row.setting:g} {row.influence.unit}")


def _write_numbers(
    folder: Path, runs: Sequence[Run], pumps: Sequence[Spread], conditions: Sequence[UnderConditions], marks: list[str]
) -> list[str]:
    """Write comparison.json and the tables; returns their names."""
    listed = [
        {
            "run": run.folder.name,
            "run_id": run.manifest.run_id,
            "pump": pump_of(run),
            "conditions": run.manifest.conditions,
            "disposables": run.manifest.disposables,
            "verdict": run.results.verdict.value,
        }
        for run in runs
    ]
    content = {"marks": marks, "runs": listed, "pumps": [_plain(each) for each in pumps]}
    write_json(folder / "comparison.json", content | {"conditions": [_plain(each) for each in conditions]})
    spread_rows: list[tuple[Cell, ...]] = [
        (each.name, each.unit, run, value, expanded)
        for each in pumps
        for run, value, expanded in zip(each.runs, each.values, each.expanded_uncertainties, strict=True)
    ]
    columns: tuple[str, ...] = ("name", "unit", "run", "value", "expanded_uncertainty")
    write_csv(folder / "pumps.csv", columns, spread_rows, marks=marks)
    rows: list[tuple[Cell, ...]] = [
        (each.subject, _name(row), row.n, row.min_percent, row.mean_percent, row.max_percent, row.shift_percent)
        for each in conditions
        for row in (each.table.nominal, *each.table.rows)
    ]
    columns = ("subject", "condition", "n", "min_percent", "mean_percent", "max_percent", "shift_percent")
    write_csv(folder / "conditions.csv", columns, rows, marks=marks)
    return ["comparison.json", "pumps.csv", "conditions.csv"]


def _plain(result: Spread | UnderConditions) -> dict[str, Any]:
    def named(value: object) -> object:
        if isinstance(value, dict):
            return {key: named(inner) for key, inner in value.items()}
        if isinstance(value, list | tuple):
            return [named(inner) for inner in value]
        return value if isinstance(value, str | int | float | None) else getattr(value, "name", str(value)).lower()

    plain = named(asdict(result))
    assert isinstance(plain, dict)
    return plain


def _write_pdf(
    folder: Path,
    runs: Sequence[Run],
    left_out: Sequence[Path],
    pumps: Sequence[Spread],
    conditions: Sequence[UnderConditions],
    marks: list[str],
    files: list[str],
) -> None:
    now = datetime.fromisoformat(utc_now())
    drawn = Sections()
    sections = [{"title": "Runs", "blocks": _run_blocks(runs, left_out, now)}]
    if pumps:
        sections.append({"title": "Pumps under nominal conditions", "blocks": _pump_blocks(pumps)})
    sections += [
        {"title": f"Conditions: {each.subject}", "blocks": _condition_blocks(drawn, each)} for each in conditions
    ]
    content = {
        "title": "Comparison of runs",
        "subject": f"{len(runs)} runs of {len({pump_of(run) for run in runs})} pumps",
        "date": [now.year, now.month, now.day],
        "marks": marks,
        "simulated": len(marks) > 1,
        "sections": sections,
    }
    for file, svg in drawn.figures.items():
        (folder / file).write_text(svg, encoding="utf-8")
    with typesetter("comparison.typ", content, drawn.figures, record=folder, files=files) as compiler:
        write_pdf(folder / "comparison.pdf", compiler, now)


def _run_blocks(runs: Sequence[Run], left_out: Sequence[Path], now: datetime) -> list[dict[str, Any]]:
    rows = [
        (run.folder.name, pump_of(run).replace(" ", NBSP), minus(condition_of(run)), run.results.verdict.value)
        for run in runs
    ]
    blocks = [
        facts(("Compared", moment(now))),
        table("Each run has its own evidence and report.", ("Run", "Pump", "Conditions", "Verdict"), rows),
    ]
    if left_out:
        names = ", ".join(run.name for run in left_out)
        blocks.append(text(f"Not finished, and left out: {names}."))
    return blocks


def _pump_blocks(pumps: Sequence[Spread]) -> list[dict[str, Any]]:
    rows = []
    for each in pumps:
        limits = f"{each.tolerance.low:.3g}{NBSP}…{NBSP}{each.tolerance.high:.3g}" if each.tolerance else "–"
        low, high = f"{min(each.values):.3g}", f"{max(each.values):.3g}"
        name = f"{each.name}{NBSP}/{NBSP}{each.unit}"
        spread = (str(len(each.values)), f"{each.mean:.3g}", f"{each.sd:.2g}", low, high, limits)
        rows.append((name, *(minus(cell) for cell in spread)))
    blocks = [
        table(
            "Measured values over runs. Tolerance: holds 95 % of all pumps with 95 % confidence.",
            ("", "n", "Mean", "SD", "Min", "Max", "Tolerance"),
            rows,
        )
    ]
    blocks += [_component_block(each) for each in pumps if each.components is not None]
    reasons = {each.why_no_tolerance for each in pumps} | {each.why_no_components for each in pumps}
    blocks += [text(f"Not computed where nothing stands: {reason}.") for reason in sorted(reasons - {""})]
    return blocks


def _component_block(each: Spread) -> dict[str, Any]:
    assert each.components is not None
    parts = (each.components.pump, each.components.set, each.components.run)
    rows = [(part.level, str(part.degrees_of_freedom), f"{part.share_percent:.0f}{NBSP}%") for part in parts]
    total, _ = value_and_uncertainty(each.components.total_sd, 0.0)
    caption = f"{each.name}: where its variance comes from; SD of a single value {total}{NBSP}{each.unit}."
    return table(caption, ("Level", "ν", "Share of the variance"), rows)


def _condition_blocks(drawn: Sections, each: UnderConditions) -> list[dict[str, Any]]:
    rows = [
        (
            _name(row),
            str(row.n),
            quantity(row.min_percent, "%", 2, signed=True),
            quantity(row.mean_percent, "%", 2, signed=True),
            quantity(row.max_percent, "%", 2, signed=True),
            quantity(row.shift_percent, "", 2, signed=True) if row.influence else "–",
        )
        for row in (each.table.nominal, *each.table.rows)
    ]
    return [
        *drawn.shown([condition_curve(each.table, [row[0] for row in rows], each.subject)]),
        table(
            "Shift: of the mean from the nominal mean, in percentage points.",
            ("Condition", "n", "Min", "Mean", "Max", "Shift"),
            rows,
        ),
    ]
