"""`rig store`, `rig history` and `rig trend`: all runs in one database, and what they say together.

Not responsible for the store itself (`rig.store`).
"""

from __future__ import annotations

import csv
import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rig.cli.printing import new_console, print_table, say

if TYPE_CHECKING:
    from rig.store.asking import Point, StoredValue

console = new_console()
store_commands = typer.Typer(no_args_is_help=True, help="All runs in one database: add them, compare firmware.")
EXIT_RIG, EXIT_ALTERED = 3, 5
SIMULATED = "SIMULATED — no evidence about any device"

StoreOption = Annotated[
    str | None,
    typer.Option(
        "--store", help="File of SQLite, or URL of a database.", show_default="RIG_STORE, or store.sqlite",
        metavar="FILE|URL",
    ),
]  # fmt: skip
PumpOption = Annotated[str | None, typer.Option(help="Only of this pump.", metavar="SERIAL")]


@store_commands.command("add")
def add(
    runs: Annotated[list[Path], typer.Argument(help="Run folders, or folders of runs.", metavar="RUN|FOLDER…")],
    store: StoreOption = None,
) -> None:
    """Add closed runs, each whole and once; those that were added before are left as they are.

    Exit code: 0 all are in the store; 2 wrong usage; 3 one cannot be read; 5 one was altered since it was closed, or
    has the name of another.
    """
    from rig.clock import WallClock
    from rig.errors import BenchFileError
    from rig.store.adding import Added, add_run, run_folders
    from rig.store.opening import open_store, store_named

    for path in runs:
        if not path.is_dir():
            raise BenchFileError(f"{path}: there is no such folder")
    folders = [folder for path in runs for folder in run_folders(path)]
    if not folders:
        raise BenchFileError(f"{', '.join(map(str, runs))}: holds no run")
    with open_store(store_named(store), make=True) as engine:
        found = [add_run(engine, folder, WallClock()) for folder in folders]
    for each in found:
        if each.why:
            say(console, each.why)
    counts = {kind: sum(each.became is kind for each in found) for kind in Added}
    say(console, ", ".join(f"{count} {kind.value}" for kind, count in counts.items() if count) + ".")
    if counts[Added.ALTERED] or counts[Added.ANOTHER]:
        raise typer.Exit(EXIT_ALTERED)
    raise typer.Exit(EXIT_RIG if counts[Added.DAMAGED] else 0)


@store_commands.command("compare")
def compare_two(
    a: Annotated[str, typer.Argument(help="Firmware: version, or 8 digits or more of its SHA-256.", metavar="A")],
    b: Annotated[str, typer.Argument(help="The other.", metavar="B")],
    store: StoreOption = None,
) -> None:
    """Hold two firmware versions against each other over all their runs."""
    from rig.store.comparing import compare_firmware
    from rig.store.opening import open_store, store_named

    with open_store(store_named(store), make=False) as engine:
        found = compare_firmware(engine, a, b)
    if found.simulated:
        say(console, SIMULATED)
    print_table(
        console,
        ("quantity", "unit", "runs", f"mean of {a}", f"mean of {b}", "difference", "95 % interval", "p, adjusted"),
        [
            (
                each.name, each.unit, f"{each.runs[0]}, {each.runs[1]}", f"{each.means[0]:.4g}", f"{each.means[1]:.4g}",
                f"{each.difference:+.3g}",
                f"{each.interval[0]:+.3g} to {each.interval[1]:+.3g}" if each.interval else "–",
                "–" if each.p_adjusted is None else f"{each.p_adjusted:.3g}",
            )
            for each in found.quantities
        ],
        title="What both measured",
        caption="An interval needs two runs of each that spread. Adjusted by Holm for the number of quantities tested.",
    )  # fmt: skip
    for requirement, one, two in found.changed:
        say(console, f"{requirement}: {one} with {a}, {two} with {b}")
    if not found.changed:
        say(console, "No requirement that both have in scope has another verdict.")


def show_history(
    pump: PumpOption = None,
    requirement: Annotated[str | None, typer.Option(help="Only for this requirement.", metavar="ID")] = None,
    instrument: Annotated[str | None, typer.Option(help="Only with this instrument.", metavar="SERIAL")] = None,
    csv_file: Annotated[Path | None, typer.Option("--csv", help="Write all rows here.", metavar="FILE")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print all rows as JSON.")] = False,
    store: StoreOption = None,
) -> None:
    """What was ever measured on a pump, for a requirement, with an instrument; from a store of runs."""
    from rig.store.asking import stored_history
    from rig.store.opening import open_store, store_named

    with open_store(store_named(store), make=False) as engine:
        rows = stored_history(engine, pump=pump, requirement=requirement, instrument=instrument)
    if csv_file is not None:
        _write_csv(csv_file, rows)
    if as_json:
        console.print(json.dumps([asdict(row) for row in rows], indent=1), soft_wrap=True)
        return
    if any(row.simulated for row in rows):
        say(console, f"{SIMULATED}, where it says so")
    print_table(
        console,
        ("started", "run", "pump", "firmware", "quantity", "value", "U", "unit", "requirement", "verdict", ""),
        [
            (
                row.started_utc[:16].replace("T", " "), row.run_id, row.pump_serial or "–", row.pump_firmware or "–",
                row.name, f"{row.value:.5g}",
                "–" if row.expanded_uncertainty is None else f"{row.expanded_uncertainty:.2g}", row.unit,
                row.requirement or "–", row.verdict or "–", "simulated" if row.simulated else "",
            )
            for row in rows
        ],
    )  # fmt: skip
    say(console, f"{len(rows)} values of {len({row.run_id for row in rows})} runs.")


def show_trend(
    quantity: Annotated[str, typer.Argument(help="A quantity, of pumps or of the bench.", metavar="QUANTITY")],
    pump: PumpOption = None,
    baseline: Annotated[
        int | None, typer.Option(help="So many of the first give the limits; 5 or more.", show_default="20, or all")
    ] = None,
    simulated: Annotated[
        bool | None, typer.Option("--simulated/--real", help="Which runs, where the store holds both.")
    ] = None,
    csv_file: Annotated[Path | None, typer.Option("--csv", help="Write the points here.", metavar="FILE")] = None,
    svg: Annotated[Path | None, typer.Option("--svg", help="Draw the chart here.", metavar="FILE")] = None,
    store: StoreOption = None,
) -> None:
    """A quantity over all runs as a control chart, and which of Nelson's rules it breaks.

    Exit code: 0, whatever the chart says: a trend is no verdict.
    """
    from rig.analysis.control_chart import LEAST_BASELINE, control_chart
    from rig.errors import BenchFileError
    from rig.store.asking import stored_trend
    from rig.store.opening import open_store, store_named

    with open_store(store_named(store), make=False) as engine:
        points = stored_trend(engine, quantity, pump=pump, simulated=simulated)
    if not points:
        raise BenchFileError(f"the store holds no {quantity!r} of such runs")
    if points[0].simulated:
        say(console, SIMULATED)
    if csv_file is not None:
        _write_csv(csv_file, points)
    chart = None
    if len(points) >= LEAST_BASELINE:
        size = min(20, len(points)) if baseline is None else baseline
        try:
            chart = control_chart([point.value for point in points], size)
        except ValueError as error:
            raise BenchFileError(f"--baseline: {error}") from error
    broken: dict[int, list[int]] = {}
    for found in chart.found if chart else ():
        broken.setdefault(found.at, []).append(found.rule)
    print_table(
        console,
        ("started", "run", "of", "value", "unit", "rules"),
        [
            (point.started_utc[:16].replace("T", " "), point.run_id, point.of, f"{point.value:.6g}", point.unit,
             ", ".join(map(str, broken.get(place, []))))
            for place, point in enumerate(points)
        ],
        title=quantity,
    )  # fmt: skip
    if chart is None:
        say(console, f"{len(points)} values: limits need {LEAST_BASELINE} or more.")
        return
    low, high = chart.limits
    say(
        console,
        f"Centre {chart.centre:.6g}, limits {low:.6g} to {high:.6g} {points[0].unit}: 3 sigma of the moving range "
        f"of the first {chart.baseline} values (NIST/SEMATECH e-Handbook 6.3.2.2).",
    )
    for found in chart.found:
        point = points[found.at]
        say(console, f"Rule {found.rule} of Nelson 1984, {found.meaning}: {point.run_id}, {point.started_utc[:10]}")
    if not chart.found:
        say(console, "No rule of Nelson 1984 is met.")
    if svg is not None:
        from rig.cli.trend_chart import draw

        draw(svg, quantity, points, chart)


def _write_csv(path: Path, rows: list[StoredValue] | list[Point]) -> None:
    from rig.errors import BenchFileError
    from rig.record.files import cannot_write

    try:
        with path.open("x", newline="", encoding="utf-8") as file:
            if rows:
                writer = csv.DictWriter(file, list(asdict(rows[0])))
                writer.writeheader()
                writer.writerows(asdict(row) for row in rows)
    except FileExistsError as error:
        raise BenchFileError(f"--csv {path}: is there already; name a new file") from error
    except OSError as error:
        raise cannot_write(path, error) from error
    say(console, f"Wrote {len(rows)} rows to {path}.")
