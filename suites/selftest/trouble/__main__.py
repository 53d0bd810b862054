"""`python -m suites.selftest.trouble`: does every cell, prints what came of them, and ends with 1 where one was wrong.

Not responsible for what is right (`doing`).
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import Annotated, TypeVar

import typer

from rig.clock import WallClock
from suites.selftest.trouble.cells import Cell, every_cell, slice_of
from suites.selftest.trouble.controls import CONTROLS, Control, fails
from suites.selftest.trouble.doing import Came, Ending, do, sound_bench
from suites.selftest.trouble.measurements import MEASUREMENTS
from suites.selftest.trouble.served import troubles

_Asked = TypeVar("_Asked", Cell, Control)


def report(cells: Sequence[Cell], came: Sequence[Came]) -> tuple[list[str], bool]:
    """Count what came of the cells and list what must not be; also says whether nothing of that kind was found."""
    counts = Counter(each.ending for each in came)
    lines = [f"{counts[ending]:5d}  {ending.value}" for ending in Ending]
    lines.append(f"{sum(each.left_running for each in came):5d}  pump running at the end")
    lines.append(f"{sum(map(left_supplied, cells, came)):5d}  pump supplied at the end")
    good = True
    for cell, each in zip(cells, came, strict=True):
        wrong = [each.ending.value] if each.ending in (Ending.WRONG, Ending.TRACEBACK) else []
        wrong += ["pump running at the end"] if each.left_running else []
        wrong += ["pump supplied at the end"] if left_supplied(cell, each) else []
        if wrong:
            good = False
            lines += [f"{', '.join(wrong)}: {each.sentence}", f"    python -m suites.selftest.trouble {cell.name}"]
    return lines, good


def left_supplied(cell: Cell, came: Came) -> bool:
    """Whether the pump had its supply still when the bench was left, though the supply's own line was sound."""
    return came.left_powered and cell.device != "supply"


def _each(asked: Sequence[_Asked], doing: Callable[[_Asked], Came], processes: int) -> Iterator[tuple[_Asked, Came]]:
    """Do all of them, in this process or in several, and yield each in turn as soon as it is done."""
    if processes == 1:
        yield from ((each, doing(each)) for each in asked)
        return
    with ProcessPoolExecutor(processes) as pool:
        yield from zip(asked, pool.map(doing, asked, chunksize=4), strict=True)


def _controlled(processes: int, *, every: bool) -> bool:
    """Measure the wrong pumps, print those that did not FAIL or all, and say whether all of them did."""
    wrong = list(_each(CONTROLS, Control.do, processes))
    failed = sum(fails(each) for _, each in wrong)
    typer.echo(f"{len(CONTROLS)} wrong pumps on a sound bench, {failed} of them FAIL")
    for control, each in wrong:
        if every or not fails(each):
            typer.echo(f"    {control.name}, {control.measurement}: {each.sentence or each.verdicts}")
    return failed == len(CONTROLS)


def _on_real_lines() -> bool:
    """Do the troubles of a served bench, print each, and say whether all of them came out as they must."""
    came = []
    for each in troubles():
        came.append(each)
        typer.echo(f"    {'as it must be' if each.good else 'WRONG'}: {each.name}: {each.sentence}")
    typer.echo(f"{len(came)} troubles on a served bench, {sum(not each.good for each in came)} of them wrong")
    return all(each.good for each in came)


def main(
    names: Annotated[list[str] | None, typer.Argument(help="cells by name; default: all of them")] = None,
    *,
    each_measurement: Annotated[bool, typer.Option(help="each fault and onset in every measurement")] = False,
    only_slice: Annotated[bool, typer.Option("--slice", help="only what the self-test does")] = False,
    matching: Annotated[str, typer.Option(help="only cells whose name holds this")] = "",
    processes: Annotated[int, typer.Option(min=1, help="so many at once")] = 2,
    listed: Annotated[bool, typer.Option("--list", help="print the names of the cells and do nothing")] = False,
    every: Annotated[bool, typer.Option(help="print every cell with what came of it")] = False,
) -> None:
    """Let instruments and lines fail at every moment, and count what the rig makes of it."""
    cells = every_cell(each_measurement=each_measurement)
    cells = [Cell.named(name) for name in names] if names else slice_of(cells) if only_slice else cells
    cells = [cell for cell in cells if matching in cell.name]
    if not cells:
        raise typer.BadParameter(f"no cell's name holds {matching!r}; --list prints the names")
    if listed:
        typer.echo("\n".join(cell.name for cell in cells))
        return
    wall = WallClock()
    for measurement in MEASUREMENTS:
        sound_bench(measurement)
    came = []
    for cell, each in _each(cells, do, 1 if len(cells) == 1 else processes):
        came.append(each)
        if every or names:
            typer.echo(f"{cell.name}: {each.ending.value}: {each.sentence or each.verdicts}")
    lines, good = report(cells, came)
    typer.echo(f"{len(cells)} troubles of instruments and lines")
    typer.echo("\n".join(lines))
    if not (names or matching or only_slice):
        good = _controlled(processes, every=every) and good
        good = _on_real_lines() and good
    typer.echo(f"in {wall.now():.0f} s")
    if not good:
        sys.exit(1)


if __name__ == "__main__":
    typer.run(main)
