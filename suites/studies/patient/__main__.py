"""The virtual person beside the numbers of other people's code: a table of differences, and how long a day takes.

    python -m suites.studies.patient [FOLDER]

FOLDER holds further traces in the layout of `suites/studies/patient/reference`; with LoopAlgorithm's fixtures as
`loop/`, the insulin curve and momentum are compared, too, and with simglucose's own stored run as
`s2008/sim_results.csv`, that. oref0 is compared where it was fetched (`rig oref0`). Not
responsible for the tolerances of the self-tests: those are ten times as narrow.
"""

from __future__ import annotations

import sys
import timeit
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from rig.errors import BenchFileError
from rig.patient import hovorka, metrics, s2008, s2008_cohort, type2
from suites.studies.patient.loopkit import differences
from suites.studies.patient.oref0 import compared, reference_files
from suites.studies.patient.reference_data import FOLDER, IGLU_NAMES, ROW_MIN, Reference
from suites.studies.patient.sensor_noise import PUBLISHED, STEP_MIN, correlation, errors_of


@dataclass(frozen=True)
class Compared:
    """One comparison: what, with whose numbers, the largest difference, and what is tolerated."""

    what: str
    whose: str
    difference: float
    tolerance: float
    unit: str

    @property
    def agrees(self) -> bool:
        """Is the difference tolerated?"""
        return self.difference <= self.tolerance


def comparisons(reference: Reference) -> list[Compared]:
    """Compare all traces and series of a folder."""
    found = []
    for trace in reference.traces("s2008"):
        rows = reference.table(f"s2008/{trace}")
        insulin, carbs = (reference.column(rows, name)[:-1] for name in ("insulin_U_per_h", "cho_announced_g"))
        course = s2008(reference.s2008_person(trace)).simulate(len(insulin), insulin, carbs)
        worst = max(
            np.abs(course.glucose_sub_mg_per_dl - reference.column(rows, "glucose_sub_mg_dl")).max(),
            np.abs(course.glucose_mg_per_dl - reference.column(rows, "glucose_plasma_mg_dl")).max(),
        )
        found.append(Compared(f"S2008 {trace}", "simglucose", float(worst), 0.01, "mg/dL"))
    if (stored := reference.stored_run()) is not None:
        course = s2008(stored.parameters).simulate(stored.carbs_g.size, stored.insulin_u_per_h, stored.carbs_g)
        of_rows = course.glucose_sub_mg_per_dl[1:].reshape(-1, ROW_MIN).mean(axis=1)
        worst = np.abs(of_rows - stored.glucose_mg_per_dl).max()
        found.append(Compared("S2008, its stored run of 48 h", "simglucose", float(worst), 0.01, "mg/dL"))
    for trace in reference.traces("hovorka"):
        rows = reference.table(f"hovorka/{trace}")
        insulin, carbs = (reference.column(rows, name)[:-1] for name in ("insulin_U_per_h", "cho_g_per_min"))
        glucose = hovorka(reference.hovorka_person(trace)).simulate(len(insulin), insulin, carbs).glucose_mg_per_dl
        worst = np.abs(glucose - reference.column(rows, "glucose_plasma_mg_dl")).max()
        found.append(Compared(f"Hovorka {trace}", "LoopInsighT1", float(worst), 0.01, "mg/dL"))
    for name in reference.series():
        expected = reference.content("metrics/expected.json")[name]
        glucose = reference.column(reference.table(f"metrics/{name}.csv"), "glucose_mg_dl")
        summary = metrics.summary(np.arange(glucose.size) * expected["interval_min"], glucose)
        theirs = {ours: expected["metrics"][name]["iglu"] for name, ours in IGLU_NAMES.items()}
        worst = max(abs(getattr(summary, ours) - value) for ours, value in theirs.items())
        found.append(Compared(f"metrics {name}", "iglu", float(worst), 1e-9, "all fourteen"))
    for model, (whose, sd, first, second) in PUBLISHED.items():
        errors = errors_of(model, STEP_MIN, 400_000)
        found += [
            Compared(f"{model}, SD of its noise", whose, abs(float(np.concatenate(errors).std()) / sd - 1.0), 0.01, ""),
            Compared(f"{model}, neighbours", whose, abs(correlation(errors, 1) - first), 0.005, "correlation"),
            Compared(f"{model}, two steps apart", whose, abs(correlation(errors, 2) - second), 0.005, "correlation"),
        ]
    for what, difference, tolerated, unit in differences(reference):
        found.append(Compared(what, "LoopAlgorithm", difference, tolerated, unit))
    return found


def of_oref0(reference: Reference) -> list[Compared]:
    """Compare oref0 through the rig's adapter with its own decisions; BenchFileError where it was never fetched."""
    found = []
    for path in reference_files(reference.folder):
        wrong = compared([path])
        found.append(
            Compared(f"oref0 {path.stem}, {len(wrong)} cases", "oref0", sum(map(bool, wrong.values())), 0, "disagree")
        )
    return found


def _seconds(perform: Callable[[], object]) -> float:
    """The shortest of seven times, in s."""
    return min(timeit.repeat(perform, number=1, repeat=7))


def main() -> int:
    """Print the table; 1 when a difference is not tolerated, 2 when there is nothing to compare."""
    reference = Reference(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)
    found, oref0_left_out = comparisons(reference), ""
    try:
        found += of_oref0(reference)
    except BenchFileError as error:
        oref0_left_out = f"oref0 is not compared: {error}."
    if not found:
        Console(stderr=True).print(f"{reference.folder}: holds no trace of s2008/ or hovorka/, nor metrics/")
        return 2
    table = Table("compared", "with", "largest difference", "tolerated", "", title="The virtual person")
    for each in found:
        verdict = "agrees" if each.agrees else "DIFFERS"
        table.add_row(each.what, each.whose, f"{each.difference:.2g} {each.unit}", f"{each.tolerance:g}", verdict)
    console = Console(width=120)
    console.print(table)
    if oref0_left_out:
        console.print(oref0_left_out, markup=False, soft_wrap=True)
    carbs = np.zeros(1440)
    carbs[[420, 750, 1110]] = 45.0, 70.0, 60.0
    rows = reference.table("s2008/parameters.csv")
    one, many, other, resistant = s2008(rows[0]), s2008_cohort((rows * 100)[:100]), hovorka({}), type2({})
    console.print(
        f"A day of three meals: S2008 {1e3 * _seconds(lambda: one.simulate(1440, None, carbs)):.0f} ms, "
        f"type 2 {1e3 * _seconds(lambda: resistant.simulate(1440, None, carbs)):.0f} ms, "
        f"Hovorka {1e3 * _seconds(lambda: other.simulate(1440, None, carbs)):.0f} ms, "
        f"a cohort of 100 of S2008 {_seconds(lambda: many.simulate(1440, None, carbs)):.2f} s."
    )
    return 0 if all(each.agrees for each in found) else 1


if __name__ == "__main__":
    sys.exit(main())
