"""Which functions of the firmware each test executes on the right pump, recorded once and kept beside the proof.

Needs the firmware's build, whose image with symbols has the same code. Not responsible for what becomes of it
(`rig.proving.order`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from rig.bench.far_side import EXECUTED, FUNCTIONS
from rig.cli.runners import LOOK_EVERY_S
from rig.cli.trials import Trial, bouts_of, built_with_symbols, try_all
from rig.clock import WallClock
from rig.errors import EvidenceError, RigError
from rig.proving.pumps import TriedPump
from rig.record.files import read_json, write_json
from rig.run.collection import Declaration
from rig.run.inputs import Inputs

_KEPT = "executed.json"


def executed_functions(
    folder: Path,
    inputs_of: Callable[[TriedPump, Path | None], Inputs],
    declared: Sequence[Declaration],
    runner_of: Mapping[str, str],
    digest: str,
    jobs: int,
) -> dict[str, frozenset[str]]:
    """Run every test once on the right pump, and list the functions that each executes, by test.

    Args:
        folder: of the proof; what was recorded there with the same digest is taken.
        inputs_of: reads the inputs of a run.
        declared: the tests.
        runner_of: their runners.
        digest: of firmware and suites.
        jobs: so many tests at a time.

    Raises:
        RigError: the firmware cannot be built, or is another than the image that the bench runs.
    """
    own = folder.resolve() / "functions"
    own.mkdir(parents=True, exist_ok=True)
    kept = own / _KEPT
    if kept.is_file():
        known = read_json(kept)
        if known["digest"] == digest:
            return {test: frozenset(names) for test, names in known["executed"].items()}
    write_json(own / FUNCTIONS, _symbols(own, inputs_of))
    shares = [[each for number, each in enumerate(declared) if number % jobs == job] for job in range(jobs)]
    trials = [
        Trial(
            TriedPump(f"functions {job}", "seed", None, (("virtual.functions", str(own)),)),
            folder,
            inputs_of,
            share,
            bouts_of([share], runner_of),
            stops=False,
            digest=digest,
        )
        for job, share in enumerate(shares, start=1)
        if share
    ]
    try_all(trials, jobs, lambda _tried: None)
    told = [read_json(path) for path in sorted(own.glob(f"*{EXECUTED}"))]
    if not told:
        raise EvidenceError(f"{own}: no test has left which functions it executed")
    executed = {each["test"]: each["executed"] for each in told}
    write_json(kept, {"digest": digest, "executed": executed})
    return {test: frozenset(names) for test, names in executed.items()}


def _symbols(own: Path, inputs_of: Callable[[TriedPump, Path | None], Inputs]) -> dict[str, int]:
    """Find the address of each function of the firmware that the bench runs."""
    from rig.virtual.mcu.image import read_elf

    image = own / "symbols.elf"
    clock = WallClock()
    for _ in built_with_symbols(image):
        clock.sleep(LOOK_EVERY_S)
    named = read_elf(image.read_bytes())
    firmware = inputs_of(TriedPump("the right pump", "seed"), None).spec.virtual
    assert firmware is not None
    if firmware.firmware is None or read_elf(firmware.firmware.read_bytes()).segments[0] != named.segments[0]:
        raise RigError("the bench's firmware is not what these sources make, so that nobody knows its functions")
    start, code = named.segments[0]
    return {
        name: address
        for name, (address, size) in named.symbols.items()
        if size and address & 1 and start <= address < start + len(code)
    }
