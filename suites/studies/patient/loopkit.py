"""The exponential insulin curve and momentum beside LoopAlgorithm's own fixtures, where a folder of them is at hand.

The fixtures are not the rig's to hand on: a folder that is named holds them as `loop/`. Not responsible for whole
decisions of that algorithm: carbohydrate absorption, retrospective correction and dosing are not checked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from rig.analysis.checks import FloatArray
from rig.patient.insulin_action import ExponentialAction, NetDose, glucose_effect_mg_per_dl, momentum_mg_per_dl
from suites.studies.patient.reference_data import Reference

TOLERATED: Mapping[str, float] = {"effect_bolus": 1.1e-7, "effect_temp_basal": 1.0, "effect_history": 3.0}
"""In mg/dL. Upstream adds up steps of 5 min where this is exact; 1.0 and 3.0 are its own limits."""
IOB_U, MOMENTUM_MG_PER_DL = 1e-9, 1e-6


def differences(reference: Reference) -> Iterator[tuple[str, float, float, str]]:
    """Compare what the folder holds: what, largest difference, tolerated, unit."""
    folder = reference.folder / "loop"
    if (folder / "iob_bolus.json").is_file():
        asked, minute, told = _content(reference, "iob_bolus")
        left = sum(each["units"] * _action(asked).remaining(minute - each["start_min"]) for each in asked["doses"])
        yield "insulin on board of a bolus", float(np.abs(left - told).max()), IOB_U, "U"
    for name, tolerated in TOLERATED.items():
        if (folder / f"{name}.json").is_file():
            asked, minute, told = _content(reference, name)
            found = glucose_effect_mg_per_dl(
                net_doses(asked["doses"], asked.get("basal_schedule", ())), minute,
                sensitivity_mg_per_dl=asked["isf_mg_dl_per_U"], action=_action(asked),
            )  # fmt: skip
            yield f"glucose effect, {name[7:].replace('_', ' ')}", float(np.abs(found - told).max()), tolerated, "mg/dL"
    if (folder / "momentum.json").is_file():
        worst = 0.0
        for name, case in reference.content("loop/momentum.json").items():
            if name.startswith("_"):
                continue
            read, told = np.array(case["input"]), np.array(case["output"])
            ours = momentum_mg_per_dl(whole_seconds(read[:, 0]), read[:, 1], whole_seconds(told[:, 0]))
            worst = max(worst, float(np.abs(ours - told[:, 1]).max()))
        yield "momentum, four courses", worst, MOMENTUM_MG_PER_DL, "mg/dL"


def net_doses(doses: Sequence[Mapping[str, Any]], schedule: Sequence[Mapping[str, float]]) -> list[NetDose]:
    """Take the scheduled basal rate off doses, part by part where it changes meanwhile; a bolus stays whole."""
    found = []
    for dose in doses:
        start, end = dose["start_min"], dose["end_min"]
        if dose["type"] == "bolus":
            found.append(NetDose(start, dose["units"]))
        elif "net_units" in dose:
            found.append(NetDose(start, dose["net_units"], end - start))
        else:
            rate_u_per_min = dose["units"] / (end - start)
            for part in schedule:
                first, last = max(start, part["start_min"]), min(end, part["end_min"])
                if last > first:
                    net_u = (rate_u_per_min - part["U_per_h"] / 60.0) * (last - first)
                    found.append(NetDose(first, net_u, last - first))
    return found


def _content(reference: Reference, name: str) -> tuple[Any, Any, Any]:
    content = reference.content(f"loop/{name}.json")
    rows = np.array(content["output"], dtype=float)
    return content["input"], whole_seconds(rows[:, 0]), rows[:, 1]


def whole_seconds(minute: FloatArray) -> FloatArray:
    """Undo the rounding of minutes to six places: the fixtures' times are whole seconds."""
    found: FloatArray = np.rint(60.0 * minute) / 60.0
    return found


def _action(asked: Mapping[str, Any]) -> ExponentialAction:
    model = asked["model"]
    return ExponentialAction(model["action_duration_min"], model["peak_min"], model["delay_min"])
