"""A night with sensor and pump, and one in which the cannula came out unnoticed: open and closed loop, over the bench.

    python -m suites.studies.patient.overnight FOLDER

Lives four nights on the virtual bench into FOLDER, prints a table and draws a figure there. What the clinic saw
after a lost cannula stands beside (Klonoff 2024, see `rig.patient.ketones`). Not responsible for requirements.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from reports.curve import marks
from reports.curve.description import Axis, Curve, Panel, room
from reports.curve.printed import printed
from reports.style import GREY, ORANGE, RED
from rig.patient.ketones import empirical_bhb_mmol_per_l
from rig.procedures.loop import Loop
from rig.record.analyses import LoopNumbers
from suites.measuring import measured_virtually

NIGHT_H, OUT_AFTER_H = 9.0, 1.0
SIGN_MIN = 60
"""A controller that commands twice the basal rate for so long, at night without a meal, tells that something is off."""


@dataclass(frozen=True)
class Night:
    """What a night showed; hours are since the cannula came out, None what never came.

    Attributes:
        name: of the night.
        highest_mg_per_dl: in plasma.
        hours_to_250, hours_to_300: to these levels in plasma, in mg/dL.
        hours_to_sign: until the controller had commanded twice the basal rate for an hour.
        weighed_u, commanded_u: insulin after the cannula came out.
        ketones_mmol_per_l: at the end, by the empirical line; None where insulin came.
    """

    name: str
    highest_mg_per_dl: float
    hours_to_250: float | None
    hours_to_300: float | None
    hours_to_sign: float | None
    weighed_u: float
    commanded_u: float
    ketones_mmol_per_l: float | None


def night_of(
    name: str, numbers: LoopNumbers, *, basal_u_per_h: float, out_after_min: int | None, since_min: int
) -> Night:
    """Sum up a night; `since_min` is the minute from which hours are counted."""
    glucose = np.array(numbers.glucose_mg_per_dl)
    commanded = np.array(numbers.commanded_u)[since_min:]
    without = None if out_after_min is None else len(numbers.weighed_u) - out_after_min
    return Night(
        name=name,
        highest_mg_per_dl=float(glucose.max()),
        hours_to_250=_hours_to(glucose[since_min:] >= 250.0),
        hours_to_300=_hours_to(glucose[since_min:] >= 300.0),
        hours_to_sign=_hours_to_sign(60.0 * commanded >= 2.0 * basal_u_per_h - 1e-9),
        weighed_u=float(np.sum(numbers.weighed_u[since_min:])),
        commanded_u=float(commanded.sum()),
        ketones_mmol_per_l=None if without is None else float(empirical_bhb_mmol_per_l(without)),
    )


def _hours_to(reached: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> float | None:
    return float(reached.argmax()) / 60.0 if reached.any() else None


def _hours_to_sign(high: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> float | None:
    held = np.convolve(high, np.ones(SIGN_MIN), "valid") > SIGN_MIN - 0.5
    return (float(held.argmax()) + SIGN_MIN) / 60.0 if held.any() else None


def nights() -> Mapping[str, Loop]:
    """The four nights by name."""
    out = {"line": "waste", "energised_after": f"{OUT_AFTER_H:g} h"}
    common = {"duration": f"{NIGHT_H:g} h"}
    return {
        f"{word}, {called}": Loop.model_validate({**common, **further, "called": called, "controller": controller})
        for word, controller in (("open", "basal-bolus"), ("closed", "pid"))
        for called, further in (("in place", {}), ("cannula out", out))
    }


def open_and_closed(lived: Mapping[str, LoopNumbers]) -> Curve:
    """Draw glucose of the four nights, and what the controller commanded below."""
    looks = {
        "open, in place": marks.Look(GREY), "open, cannula out": marks.Look(ORANGE),
        "closed, in place": marks.Look(GREY, dash="dashed"), "closed, cannula out": marks.Look(RED, dash="dashed"),
    }  # fmt: skip
    hours = [minute / 60.0 for minute in range(len(next(iter(lived.values())).glucose_mg_per_dl))]
    x = Axis("time / h", 0.0, hours[-1], every=1.0)
    every = [glucose for each in lived.values() for glucose in each.glucose_mg_per_dl]
    rates = {name: [60.0 * dose for dose in each.commanded_u] for name, each in lived.items()}
    late = round(50.0 * NIGHT_H)
    above, below = "open, cannula out", "closed, cannula out"
    names = (
        marks.Note(
            above, hours[late], lived[above].glucose_mg_per_dl[late], dx=-6.0, dy=6.0, ha="right",
            color=looks[above].color,
        ),
        marks.Note(
            below, hours[late], lived[below].glucose_mg_per_dl[late], dx=6.0, dy=-8.0, color=looks[below].color,
        ),
    )  # fmt: skip
    return Curve(
        name="open_and_closed",
        title="A cannula that came out, unnoticed",
        caption="Glucose of what was weighed, open loop and closed (dashed), with the cannula in place (grey) and out "
        f"from {OUT_AFTER_H:g} h on; below, what was commanded.",
        alt=f"Glucose rises to {max(every):.0f} mg/dL with the cannula out, in both loops.",
        height_in=3.6,
        panels=(
            Panel(
                x,
                Axis("glucose / (mg/dL)", *room(every), grid=True),
                (
                    marks.Shade("y", 70.0, 180.0),
                    *(marks.Line(name, hours, each.glucose_mg_per_dl, looks[name]) for name, each in lived.items()),
                    marks.Across("x", OUT_AFTER_H, marks.MOMENT),
                    *names,
                ),
                share=2.0,
            ),
            Panel(
                x,
                Axis("commanded / (U/h)", *room([0.0, *(rate for each in rates.values() for rate in each)]), grid=True),
                tuple(marks.Steps(name, hours, rate, looks[name]) for name, rate in rates.items()),
            ),
        ),
    )


def printed_table(found: list[Night]) -> Table:
    """Lay the nights out, the clinic's hours beside the model's."""
    table = Table(
        "night", "highest", "250 after", "300 after", "2 × basal for 1 h after", "commanded", "weighed",
        "ketones at the end", title=f"Cannula out after {OUT_AFTER_H:g} h of {NIGHT_H:g} h; hours since then",
    )  # fmt: skip
    for each in found:
        hours = (each.hours_to_250, each.hours_to_300, each.hours_to_sign)
        ketones = each.ketones_mmol_per_l
        table.add_row(
            each.name, f"{each.highest_mg_per_dl:.0f} mg/dL",
            *("never" if at is None else f"{at:.1f} h" for at in hours),
            f"{each.commanded_u:.2f} U", f"{each.weighed_u:.2f} U",
            "" if ketones is None else f"+{ketones:.1f} mmol/L",
        )  # fmt: skip
    table.add_row("clinic, mean (studies)", "", "", "5.8 h (5 to 9)", "", "", "", "1.6 mmol/L after 8.0 h (7 to 12)")
    return table


def main() -> int:
    """Live the nights, print the table, draw the figure; 2 without a new folder."""
    folder = Path(sys.argv[1]) if len(sys.argv) == 2 else None
    if folder is None or folder.exists():
        Console(stderr=True).print("say one folder, which is not there yet")
        return 2
    lived: dict[str, LoopNumbers] = {}
    for name, night in nights().items():
        numbers = measured_virtually(folder / name.replace(", ", "_").replace(" ", "_"), night).analyses["loop"]
        assert isinstance(numbers, LoopNumbers)
        lived[name] = numbers
    since_min = round(60.0 * OUT_AFTER_H)
    found = [
        night_of(
            name,
            numbers,
            basal_u_per_h=nights()[name].rate_u_per_h,
            out_after_min=since_min if name.endswith("out") else None,
            since_min=since_min,
        )
        for name, numbers in lived.items()
    ]
    (folder / "open_and_closed.svg").write_text(printed(open_and_closed(lived)), encoding="utf-8")
    Console(width=150).print(printed_table(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
