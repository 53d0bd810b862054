"""`rig prove`: does the suite bite? The suites against wrong pumps, and the right pump over seeds.

Says which test caught which pump, which escaped, how long it took; keeps a line a pump, so that a kill loses nothing.
Not responsible for carrying a trial out (`rig.cli.trials`), nor for what a wrong pump does.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from rich.console import Console

from rig.bench.file import parse_override, read_bench_file
from rig.bench.lease import take_bench
from rig.cli.executed import executed_functions
from rig.cli.jobs import longest_first
from rig.cli.printing import print_table, say
from rig.cli.runners import collect
from rig.cli.trials import CONTROLLER, STANDS_STILL_S, Trial, bouts_of, digest_of_sources, overridden, try_all
from rig.cli.upfront import say_simulated
from rig.cli.verify import EXIT_RIG
from rig.clock import WallClock
from rig.errors import BenchFileError
from rig.proving.changed import changed_functions, still_there
from rig.proving.order import in_order
from rig.proving.proof import (
    COLUMNS,
    PAGE,
    TRIED,
    append_tried,
    proof_of,
    read_tried,
    trial_rows,
    write_proof,
)
from rig.proving.pumps import (
    TriedPump,
    found_in,
    named_patches,
    pumps_named,
    seeds,
    with_families,
    with_faults,
    wrong_hardware,
)
from rig.proving.trial import digest_of
from rig.record.files import new_folder, utc_now
from rig.record.proof import Tried, totals
from rig.run.begin import RUNS, refuse_unusable, start_run
from rig.run.collection import Declaration
from rig.run.inputs import FIRMWARE, Inputs, Sources, read_inputs
from rig.run.provoked import held_faults
from rig.run.software import code_sha256, this_version
from rig.run.stopping import StopSignals
from rig.shipped import DEFAULT_BENCH, DEFAULT_PLAN, ROOT, shipped

MUTANTS = "fixtures/controller/mutants"
WRONG_HARDWARE = "fixtures/controller/wrong_hardware.toml"
EXIT_ESCAPED = 1


@dataclass(frozen=True)
class ProofAsked:
    """What `rig prove` was asked for.

    Without any of `patches`, `images`, `parameters` and `seeds` the rig's own wrong pumps are tried, patches and
    hardware. `names` chooses among all. `coverage` records first which functions each test executes.
    `faults` tries the bench's own pump with each fault of the catalogue that the bench can hold, on any bench.
    """

    names: tuple[str, ...] = ()
    plan: str = DEFAULT_PLAN
    jobs: int = 1
    out: Path | None = None
    resume: bool = False
    whole: bool = False
    seeds: int = 0
    parameters: Path | None = None
    patches: Path | None = None
    images: Path | None = None
    coverage: bool = False
    faults: bool = False
    bench: Path = field(default_factory=lambda: shipped(DEFAULT_BENCH))
    settings: tuple[str, ...] = ()

    @property
    def laid_over(self) -> dict[str, Any]:
        """The settings over the bench file."""
        return dict(parse_override(text) for text in self.settings)

    def pumps(self) -> list[TriedPump]:
        """List what is to be tried; BenchFileError where a name, a folder or a file is wrong."""
        found: list[TriedPump] = []
        if self.patches is not None:
            found += found_in(self.patches, "patch")
        if self.images is not None:
            found += found_in(self.images, "image")
        if self.parameters is not None:
            found += wrong_hardware(self.parameters)
        found += seeds(self.seeds)
        if self.faults:
            spec, _ = read_bench_file(self.bench, self.laid_over)
            found += with_faults(held_faults(spec.switch.lines))
            if not found:
                raise BenchFileError(f"{self.bench}: no line of its switch provokes a fault of the catalogue")
        if not found:
            found = named_patches(shipped(MUTANTS)) + wrong_hardware(shipped(WRONG_HARDWARE))
        return pumps_named(found, self.names)


def prove(asked: ProofAsked, *, console: Console) -> int:
    """Try every pump that is asked for; returns the exit code: 0, 1 an escape or a false FAIL, 3 rig trouble.

    Raises:
        BenchFileError: what was asked for is wrong, or the bench is no virtual one.
        EvidenceError: the folder cannot be made or written.
    """
    with StopSignals() as stop:
        stop.watch_parent()
        try:
            return _prove(asked, console)
        except KeyboardInterrupt:
            say(console, f"Interrupted by {stop.asked}; go on with --out FOLDER --resume.")
            return EXIT_RIG


def _prove(asked: ProofAsked, console: Console) -> int:
    pumps = asked.pumps()
    base = _inputs(asked, TriedPump("the right pump", "seed"), None)
    virtual, simulated = base.spec.virtual is not None, base.spec.simulated
    if not virtual and any(pump.source != "fault" for pump in pumps):
        raise BenchFileError(f"{asked.bench}: is no virtual bench; it is tried with --faults, and nothing else")
    if not virtual and asked.jobs > 1:
        raise BenchFileError(f"--jobs {asked.jobs}: this bench is no virtual one; leave --jobs out")
    for pump in pumps:
        if pump.source == "hardware":
            _refuse_settings(asked, pump)
    pumps = with_families(pumps, base.requirements)
    folder = _folder(asked)
    known = read_tried(folder)
    inputs = base.sha256
    read = {**inputs, "rig": code_sha256(ROOT)}
    digests = {pump.name: digest_of(pump, _content(pump), {**read, "whole": str(asked.whole)}) for pump in pumps}
    kept = {
        pump.name: known[pump.name]
        for pump in pumps
        if pump.name in known and known[pump.name].digest == digests[pump.name] and known[pump.name].outcome != "error"
    }
    if kept:
        say(console, f"{len(kept)} pumps were tried before and are not tried again.")
    left = [pump for pump in pumps if pump.name not in kept]

    def inputs_of(pump: TriedPump, image: Path | None) -> Inputs:
        return _inputs(asked, pump, image)

    declared, runner_of = _declared(base) if left else ([], {})
    executed: dict[str, frozenset[str]] = {}
    if asked.coverage and left:
        say(console, "First, which functions of the firmware each test executes.")
        digest = digest_of(TriedPump("functions", "seed"), digest_of_sources(), read)
        executed = executed_functions(folder, inputs_of, declared, runner_of, digest, asked.jobs)
    say(
        console,
        f"{len(left)} pumps to try with {len(declared)} tests of the plan {asked.plan!r}, {asked.jobs} at a time.",
    )
    done = dict(kept)
    clock = WallClock()

    def told(each: Tried) -> None:
        append_tried(folder, each)
        done[each.name] = each
        tried_now = len(done) - len(kept)
        to_do = len(left) - tried_now
        left_s = clock.now() / tried_now * to_do
        row = trial_rows([each])[0]
        say(console, f"{row[1]:16} {row[0]}: {row[2]} ({row[4]}); {to_do} left, about {left_s / 60.0:.0f} min")
        write_proof(folder, proof_of(list(done.values()), asked.plan, this_version(), inputs, simulated=simulated))

    with take_bench(base.spec, purpose=f"rig prove into {folder}") as held:
        trials = [
            Trial(
                pump,
                folder,
                inputs_of,
                declared,
                bouts_of(_stages(pump, declared, executed), runner_of),
                stops=pump.source != "seed" and not asked.whole,
                digest=digests[pump.name],
                leases=held.leases,
                patience_s=STANDS_STILL_S if virtual else None,
                right_firmware=inputs.get(FIRMWARE),
            )
            for pump in left
        ]
        try_all(trials, asked.jobs, told)
    return _conclude(list(done.values()), folder, asked.plan, inputs, console, simulated=simulated)


def _conclude(
    tried: Sequence[Tried], folder: Path, plan: str, inputs: Mapping[str, str], console: Console, *, simulated: bool
) -> int:
    proof = proof_of(tried, plan, this_version(), inputs, simulated=simulated)
    write_proof(folder, proof)
    print_table(console, COLUMNS, trial_rows(proof.tried), title="Does the suite bite?", fold=True)
    say(console, totals(proof))
    if simulated:
        say_simulated(console)
    say(console, f"Proof: {folder / PAGE}")
    if {"escaped", "caught elsewhere", "false fail"} & set(proof.counts):
        return EXIT_ESCAPED
    return EXIT_RIG if "error" in proof.counts else 0


def _stages(
    pump: TriedPump, declared: Sequence[Declaration], executed: dict[str, frozenset[str]]
) -> list[list[Declaration]]:
    """Order the tests for a pump; those of a right pump the longest first, as `rig verify` does."""
    if pump.source == "seed":
        by_id = {each.test: each for each in declared}
        return [[by_id[test] for test in longest_first(declared)]]
    changed: Collection[str] = ()
    if pump.source == "patch" and executed:
        assert pump.path is not None
        texts = {path.name: path.read_text(encoding="utf-8") for path in (shipped(CONTROLLER) / "firmware").iterdir()}
        names = changed_functions(pump.path.read_text(encoding="utf-8"), texts)
        changed = still_there(names, frozenset().union(*executed.values()), texts)
    return in_order(declared, pump.expected, changed, executed)


def _declared(base: Inputs) -> tuple[list[Declaration], dict[str, str]]:
    """Let both runners declare their tests, once for all pumps; returns them, and the runner of each by its id."""
    with TemporaryDirectory(prefix="rig-prove-") as folder:
        by_runner = collect(start_run(base, out=Path(folder) / "run", begun_by="rig prove", measures=False), base)
    runner_of = {each.test: runner for runner, tests in by_runner.items() for each in tests}
    return [each for tests in by_runner.values() for each in tests], runner_of


def _inputs(asked: ProofAsked, pump: TriedPump, image: Path | None) -> Inputs:
    return read_inputs(Sources(asked.bench, overridden(asked.laid_over, pump, image), plan=asked.plan))


def _refuse_settings(asked: ProofAsked, pump: TriedPump) -> None:
    """Refuse settings that the bench file does not know, before anything is tried."""
    try:
        read_bench_file(asked.bench, overridden(asked.laid_over, pump, None))
    except BenchFileError as error:
        raise BenchFileError(f"{pump.told_in}: {pump.name}: {error}") from error


def _content(pump: TriedPump) -> str:
    """Hash what makes a pump: its image, or the firmware's sources with its patch."""
    if pump.path is not None and pump.source == "patch":
        kept = pump.path.with_suffix(".elf")  # an image beside a patch is taken as what the patch makes
        return digest_of_sources(pump.path, *([kept] if kept.is_file() else []))
    return "" if pump.path is None else hashlib.sha256(pump.path.read_bytes()).hexdigest()


def _folder(asked: ProofAsked) -> Path:
    if asked.out is None:
        if asked.resume:
            raise BenchFileError("--resume goes on in the folder that --out names; name it")
        return new_folder(RUNS, f"{utc_now().replace(':', '-')}-prove")
    if (asked.out / TRIED).is_file() and not asked.resume:
        raise BenchFileError(f"{asked.out}: holds a proof already; go on with it with --resume, or name another folder")
    refuse_unusable(asked.out)
    asked.out.mkdir(parents=True, exist_ok=True)
    return asked.out
