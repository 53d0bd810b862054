"""The catalogue of faults in a report: what this bench provoked, what not and why, and how it was decided.

Not responsible for what covers what (`rig.run.fault_coverage`), nor for layout (`document.typ`).
"""

from __future__ import annotations

from typing import Any

from rig.errors import BenchFileError
from rig.faults import read_faults
from rig.faults.means import SUPPLY
from rig.record.folder import RECORD
from rig.record.reading import Run
from rig.roles import means_by_place
from rig.run.fault_coverage import FaultCovered, fault_coverage, fault_summary
from rig.run.inputs import FAULTS


def faults(run: Run) -> dict[str, Any] | None:
    """Tabulate the faults of a whole run; None of a partial one, or where no catalogue was frozen."""
    path, bench = run.folder / RECORD / "inputs" / FAULTS, run.manifest.bench
    if run.manifest.selected or not path.is_file() or "switch" not in bench:
        return None
    try:
        catalogue = read_faults(path)
    except BenchFileError:  # of another version of the rig, which had other keys
        return None
    probe = bench.get("probe")
    places = probe.get("places", {}) if isinstance(probe, dict) else {}
    fed = bench.get("cut_off", {}).get("by") != "nothing"
    covered = fault_coverage(
        catalogue,
        lines=bench["switch"]["lines"],
        roles=(frozenset(bench) | {means_by_place(name) for name in places}) - (frozenset() if fed else {SUPPLY}),
        tests=[(test.title, test.requirements) for test in run.results.tests],
        verdicts={row.id: row.verdict for row in run.results.requirements if row.in_scope},
    )
    return {"summary": fault_summary(covered), "rows": [_row(each) for each in covered]}


def _row(fault: FaultCovered) -> dict[str, str | None]:
    tests = f"{len(fault.tests)} test{'' if len(fault.tests) == 1 else 's'}"
    return {
        "id": fault.id,
        "cause": fault.cause,
        "gap": fault.gap,
        "how": "; ".join(way.in_words for way in fault.ways),
        "judged": f"{', '.join(fault.requirements)} ({tests})" if fault.requirements else "–",
        "verdict": fault.verdict.value if fault.verdict is not None else None,
    }
