"""`rig trend`: a quantity over all runs as a control chart. Not responsible for the store itself (`rig.store`)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rig.cli.new_files import asked_file, write_rows
from rig.cli.printing import new_console, print_table, say
from rig.cli.store import SIMULATED, PumpOption, SimulatedOption, StoreOption
from rig.errors import BenchFileError, EvidenceError

if TYPE_CHECKING:
    from rig.analysis.control_chart import ControlChart
    from rig.store.trending import Point

console = new_console()
BASELINE = 20
SHOWN = 100
"""So many of the newest points, and of the rules that are met, stand in the terminal."""


def show_trend(
    quantity: Annotated[str, typer.Argument(help="A quantity, of pumps or of the bench.", metavar="QUANTITY")],
    pump: PumpOption = None,
    bench: Annotated[str | None, typer.Option(help="Only of this bench.", metavar="NAME")] = None,
    instrument: Annotated[
        list[str] | None, typer.Option(help="Only with this instrument; may be repeated.", metavar="SERIAL")
    ] = None,
    condition: Annotated[str | None, typer.Option(help="Only under this condition.", metavar="TITLE")] = None,
    plan: Annotated[str | None, typer.Option(help="Only of this plan.", metavar="NAME")] = None,
    model: Annotated[str | None, typer.Option(help="Only of this model of pump.", metavar="MODEL")] = None,
    baseline: Annotated[
        int | None, typer.Option(help="So many of the first give the limits; 5 or more.", show_default="20, or all")
    ] = None,
    simulated: SimulatedOption = None,
    csv_file: Annotated[
        Path | None, typer.Option("--csv", help="Write the points to a new file.", metavar="FILE")
    ] = None,
    svg: Annotated[Path | None, typer.Option("--svg", help="Draw the chart in a new file.", metavar="FILE")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print points, limits and rules as JSON.")] = False,
    store: StoreOption = None,
) -> None:
    """A quantity over all runs of one kind as a control chart, and which of Nelson's rules it breaks.

    Exit code: 0, whatever the chart says: a trend is no verdict; 2 where the store holds several kinds of runs and none
    was chosen; 3 where a chart was asked for and there are too few values.
    """  # fmt: skip
    from rig.analysis.control_chart import LEAST_BASELINE
    from rig.store.opening import open_store, store_named
    from rig.store.trending import TrendOf, stored_trend

    of = TrendOf(simulated, bench, condition, plan, model, pump, tuple(instrument or ()))
    with open_store(store_named(store), make=False) as engine:
        points = stored_trend(engine, quantity, of)
    chart = _chart(points, baseline)
    if svg is not None and chart is None:
        raise EvidenceError(
            f"--svg {svg}: no chart was drawn: {quantity!r} has {len(points)} values of one kind, and limits need "
            f"{LEAST_BASELINE} or more"
        )
    with ExitStack() as files:  # all of them or none
        written = {path: files.enter_context(asked_file(option, path)) for option, path in
                   (("--csv", csv_file), ("--svg", svg)) if path is not None}  # fmt: skip
        if csv_file is not None:
            write_rows(written[csv_file], ({**asdict(each), "instruments": _listed(each)} for each in points))
        if svg is not None and chart is not None:
            from rig.cli.trend_chart import chart_svg

            written[svg].write(chart_svg(quantity, points, chart))
    if as_json:
        console.print(json.dumps(_told(quantity, points, chart), indent=1), soft_wrap=True)
        return
    _print(quantity, points, chart)
    for path in written:
        say(console, f"Wrote {path}.")


def _chart(points: Sequence[Point], baseline: int | None) -> ControlChart | None:
    """Chart the points; None where they are too few and no baseline was asked for."""
    from rig.analysis.control_chart import LEAST_BASELINE, control_chart

    if baseline is None and len(points) < LEAST_BASELINE:
        return None
    try:
        size = min(BASELINE, len(points)) if baseline is None else baseline
        return control_chart([point.value for point in points], size)
    except ValueError as error:
        raise BenchFileError(f"--baseline: {error}") from error


def _told(quantity: str, points: Sequence[Point], chart: ControlChart | None) -> dict[str, object]:
    limits = chart and {
        "centre": chart.centre, "sigma": chart.sigma, "low": chart.limits[0], "high": chart.limits[1],
        "baseline": chart.baseline,
        "found": [{"rule": each.rule, "meaning": each.meaning, "at": each.at} for each in chart.found],
    }  # fmt: skip
    return {"quantity": quantity, "points": [asdict(point) for point in points], "chart": limits}


def _print(quantity: str, points: Sequence[Point], chart: ControlChart | None) -> None:
    from rig.analysis.control_chart import LEAST_BASELINE

    broken: dict[int, list[int]] = {}
    for found in chart.found if chart else ():
        broken.setdefault(found.at, []).append(found.rule)
    first = points[0]
    if first.simulated:
        say(console, SIMULATED)
    print_table(
        console,
        ("started", "run", "pump", "value", "unit", "rules"),
        [
            (point.started_utc[:16].replace("T", " "), point.run_id, point.pump or "–", f"{point.value:.6g}",
             point.unit, ", ".join(map(str, broken.get(place, []))))
            for place, point in list(enumerate(points))[-SHOWN:]
        ],
        title=quantity if len(points) <= SHOWN else f"{quantity}: the newest {SHOWN} of {len(points)} values",
    )  # fmt: skip
    of = (first.bench, first.pump_model and f"pump {first.pump_model}", first.plan and f"plan {first.plan}",
          first.condition and f"condition {first.condition}", _listed(first))  # fmt: skip
    say(console, f"{'; '.join(each for each in of if each)}.")
    for before, point in pairwise(points):
        if before.plan_sha256 != point.plan_sha256:
            say(console, f"The plan {point.plan} was another one from {point.run_id} on.")
    if chart is None:
        say(console, f"{len(points)} values: limits need {LEAST_BASELINE} or more.")
        return
    low, high = chart.limits
    say(
        console,
        f"Centre {chart.centre:.6g}, limits {low:.6g} to {high:.6g} {first.unit}: 3 sigma of the moving range "
        f"of the first {chart.baseline} values (NIST/SEMATECH e-Handbook 6.3.2.2).",
    )
    for found in chart.found[-SHOWN:]:
        point = points[found.at]
        say(console, f"Rule {found.rule} of Nelson 1984, {found.meaning}: {point.run_id}, {point.started_utc[:10]}")
    if len(chart.found) > SHOWN:
        say(console, f"{len(chart.found) - SHOWN} more were met before: --json tells all.")
    if not chart.found:
        say(console, "No rule of Nelson 1984 is met.")


def _listed(point: Point) -> str:
    return ", ".join(f"{role} {serial}" for role, serial in sorted(point.instruments.items()))
