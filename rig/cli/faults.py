"""`rig faults`: the catalogue of faults on one bench, gaps first, and how each was decided in a run.

Not responsible for what covers what (`rig.run.fault_coverage`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from rich.console import Console
from rich.text import Text

from rig.bench.file import BenchFile
from rig.cli.printing import Cell, plain, print_table, say
from rig.cli.runners import collect
from rig.faults import shipped_faults
from rig.record.files import write_json
from rig.record.reading import read_run
from rig.record.results import Results
from rig.run.begin import start_run
from rig.run.collection import Declaration
from rig.run.fault_coverage import FaultCovered, fault_coverage, fault_summary
from rig.run.inputs import Sources, read_inputs

COLUMNS = ("fault", "provoked here", "judged by", "tests", "verdict")


def print_faults(sources: Sources, run: Path | None, out: Path | None, *, console: Console) -> int:
    """Print what this bench and plan make of each fault, and measure nothing; returns the exit code.

    Args:
        sources: where the bench, the plan, the requirements and the suites stand.
        run: the folder of a run whose verdicts are told.
        out: a JSON file to write it to as well.
        console: to print on.

    Raises:
        BenchFileError: as `rig verify`.
        EvidenceError: the run's record is missing or damaged, or the file cannot be written.
    """
    results = read_run(run).results if run is not None else None
    inputs = read_inputs(sources)
    with TemporaryDirectory(prefix="rig-faults-") as folder:
        by_runner = collect(start_run(inputs, out=Path(folder) / "run", measures=False), inputs)
    covered = faults_covered(inputs.spec, [each for of_runner in by_runner.values() for each in of_runner], results)
    rows: list[tuple[Cell, ...]] = []
    for each in covered:
        name = Text.assemble((each.id, "bold red" if each.gap else "bold"), f" {plain(each.cause)}")
        here = each.gap or "; ".join(way.in_words for way in each.ways)
        verdict = each.verdict.value if each.verdict is not None else "–"
        rows.append((name, here, ", ".join(each.requirements) or "–", str(len(each.tests) or "none"), verdict))
    print_table(console, COLUMNS, rows, title=f"Faults on {inputs.spec.name}, gaps first", grouped=True, fold=True)
    say(console, fault_summary(covered))
    if out is not None:
        write_json(out, {"faults": faults_as_json(covered)})
    return 0


def faults_covered(
    spec: BenchFile, declared: Sequence[Declaration], results: Results | None = None
) -> list[FaultCovered]:
    """Compute what a bench and tests make of the catalogue that comes with the rig, and what a run decided of it."""
    return fault_coverage(
        shipped_faults(),
        lines=spec.switch.lines,
        roles=spec.means,
        tests=[(each.title, each.requirements) for each in declared],
        verdicts={} if results is None else {row.id: row.verdict for row in results.requirements if row.in_scope},
    )


def faults_as_json(covered: Sequence[FaultCovered]) -> dict[str, Any]:
    """Write the coverage of faults as plain data."""
    return {
        "summary": fault_summary(covered),
        "faults": [
            {**asdict(each), "verdict": each.verdict.value if each.verdict is not None else None} for each in covered
        ],
    }
