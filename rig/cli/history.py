"""`rig history`: what was ever measured on a pump, for a requirement, with an instrument. Page by page.

Not responsible for the store itself (`rig.store`).
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from rig.cli.new_files import asked_file, write_rows
from rig.cli.printing import new_console, print_table, say
from rig.cli.store import SIMULATED, PumpOption, StoreOption

console = new_console()
PAGE = 200


def show_history(
    pump: PumpOption = None,
    requirement: Annotated[str | None, typer.Option(help="Only for this requirement.", metavar="ID")] = None,
    instrument: Annotated[str | None, typer.Option(help="Only with this instrument.", metavar="SERIAL")] = None,
    limit: Annotated[
        int | None,
        typer.Option(min=1, help="So many values at most.", show_default=f"{PAGE}; all in a file and as JSON"),
    ] = None,
    after: Annotated[
        str | None, typer.Option(help="Go on after this place, which the page before told.", metavar="PLACE")
    ] = None,
    csv_file: Annotated[Path | None, typer.Option("--csv", help="Write to a new file.", metavar="FILE")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False,
    store: StoreOption = None,
) -> None:
    """What was ever measured on a pump, for a requirement, with an instrument; from a store of runs, newest first."""
    from rig.store.asking import stored_history
    from rig.store.opening import open_store, store_named

    size = limit if limit is not None or as_json or csv_file is not None else PAGE
    with open_store(store_named(store), make=False) as engine:
        rows = stored_history(
            engine, pump=pump, requirement=requirement, instrument=instrument, limit=size, after=after
        )
        if csv_file is not None:
            with asked_file("--csv", csv_file) as file:
                count = write_rows(file, (asdict(row) for row in rows))
            say(console, f"Wrote {count} rows to {csv_file}.")
            return
        if as_json:
            console.print("[", end="")
            for n, row in enumerate(rows):
                console.print("," * bool(n) + "\n" + json.dumps(asdict(row)), end="", soft_wrap=True)
            console.print("\n]")
            return
        found = list(rows)
    if any(row.simulated for row in found):
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
            for row in found
        ],
    )  # fmt: skip
    places = {row.place: None for row in found}
    say(console, f"{len(places)} values of {len({row.run_id for row in found})} runs.")
    if len(places) == size:
        say(console, f"There may be more: --after {found[-1].place}")
