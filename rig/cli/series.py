"""`rig verify` where one run is not enough: every channel of a bench side by side, under every condition of a plan.

Each part is an ordinary run in a process and a folder of its own, with evidence of its own; a comparison joins them.
Not responsible for a single run (`rig.cli.verify`) nor for comparing (`reports.comparison`).
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, cast

from rich.console import Console
from rich.text import Text

from rig.bench.channels import MARK, channels
from rig.bench.conditions import NOMINAL, Conditions
from rig.bench.file import parse_override, read_bench_file
from rig.cli.jobs import cores
from rig.cli.output import LastingOutput
from rig.cli.printing import plain, say
from rig.cli.progress import EndedTests
from rig.cli.runners import LOOK_EVERY_S, STOPPED_S, started, stop_processes
from rig.cli.settling import settle
from rig.cli.upfront import say_simulated
from rig.cli.verify import EXIT_RIG, STYLES, RunAsked, say_junit, verify_pump
from rig.clock import Deadline, WallClock
from rig.errors import BenchFileError, EvidenceError, RigError
from rig.lease import is_held
from rig.procedures.catalogue import KINDS
from rig.pump_sheet.sheet import PumpSheet, read_pump_sheet
from rig.record.files import new_folder, slug, utc_now, write_json
from rig.record.folder import LEASE, RunFolder, holds_a_run, read_model
from rig.record.results import Results
from rig.run.begin import refuse_unusable
from rig.run.inputs import pump_sheet_of, read_inputs
from rig.run.plan import TestPlan, read_plan
from rig.run.results import EXIT_CODES
from rig.run.stopping import Leash, StopSignals
from rig.verdicts.limits import Verdict, worst
from rig.verdicts.requirements import read_requirements


@dataclass(frozen=True)
class SeriesRun:
    """One run of a series."""

    channel: str | None
    condition: str
    asked: RunAsked

    @property
    def label(self) -> str:
        """What tells it from the others."""
        return f"{self.channel}, {self.condition}" if self.channel else self.condition


CHANNEL_STOPPED_S = 2.0 * STOPPED_S
"""For so long a channel that was told to stop is waited for: it stops its runner, closes its run, writes its report."""


def verify_all(asked: RunAsked, condition: str | None, *, console: Console) -> int:
    """Verify every channel under every condition, or under the one that is named; returns the worst exit code.

    Whatever asks this process to stop ends with exit code 3, when its benches are safe and its runs are closed.

    Raises:
        BenchFileError: the bench file, a setting, the plan, the requirements file or the condition's name is wrong.
        EvidenceError: a folder cannot be made or written.
    """
    with StopSignals() as stop:
        stop.watch_parent(CHANNEL_STOPPED_S)
        console.file = cast(IO[str], LastingOutput(console.file))
        try:
            return _verify_all(asked, condition, console, stop)
        except KeyboardInterrupt:  # before there was anything to close
            console.print(f"Interrupted by {stop.asked} before anything was measured.", soft_wrap=True)
            return EXIT_RIG


def _verify_all(asked: RunAsked, condition: str | None, console: Console, stop: StopSignals) -> int:
    names = channels(asked.bench)
    sheet = _pump_sheet(asked, names)
    read_requirements(asked.requirements, KINDS, sheet)
    chosen = _conditions(read_plan(asked.plan, sheet).plan, condition)
    if not names and len(chosen) == 1:
        return verify_pump(_under(asked, chosen[0]), console=console, stop=stop)
    for part in (_part(asked, Path(), name, each) for each in chosen for name in names or (None,)):
        if _needs_a_person(part) and not console.is_interactive:
            raise BenchFileError(
                f"condition {part.condition}: nobody is there to set it up; set it up, then run it by itself with "
                f"--condition {part.condition!r}, and join the runs with rig compare"
            )
    if asked.formal:
        for part in (_part(asked, Path(), name, each) for each in chosen for name in names or (None,)):
            part.asked.formality(read_inputs(part.asked.sources))
    if asked.out is not None:
        refuse_unusable(asked.out)
    folder = asked.out or new_folder(Path("runs"), f"{utc_now().replace(':', '-')}-series")
    rounds = [[_part(asked, folder, name, each) for name in names or (None,)] for each in chosen]
    parts = [part for together in rounds for part in together]
    _begin(folder, parts)
    with stop.held():
        try:
            with stop.let_through():
                for together in rounds:
                    if _needs_a_person(together[0]):
                        console.input(Text(f"Set up: {together[0].condition}. Then press Enter. "))
                    _run_side_by_side(_sharing_cores(together), console)
        except KeyboardInterrupt:
            sentence = f"The series was interrupted by {stop.asked}; what was measured before is kept in {folder}."
            say(console, sentence)
            say_junit(asked.junit, {part.label: _folder(part) for part in parts}, EXIT_RIG, console)
            stop.finish()
            return EXIT_RIG
        code = _conclude(folder, parts, console)
        code = say_junit(asked.junit, {part.label: _folder(part) for part in parts}, code, console)
        stop.finish()
        return code if stop.asked is None else EXIT_RIG


def _pump_sheet(asked: RunAsked, names: Sequence[str]) -> PumpSheet:
    """Read the pump sheet of the bench, or of its first channel."""
    bench = Path(f"{asked.bench}{MARK}{names[0]}") if names else asked.bench
    spec, _ = read_bench_file(bench, asked.sources.overrides)
    return read_pump_sheet(pump_sheet_of(bench, spec, asked.pump_sheet))


def _conditions(plan: TestPlan, wanted: str | None) -> Sequence[Conditions]:
    known = {each.title: each for each in (Conditions(), *plan.condition)}
    if wanted is None:
        return list(known.values())
    if wanted not in known:
        raise BenchFileError(
            f"--condition {wanted!r}: the plan {plan.name!r} has no such condition; known are {'; '.join(known)}"
        )
    return [known[wanted]]


def _under(asked: RunAsked, condition: Conditions) -> RunAsked:
    settings = [f"{key}={value}" for key, value in condition.overrides().items()]
    return replace(asked, settings=(*asked.settings, *settings))


def _part(asked: RunAsked, folder: Path, channel: str | None, condition: Conditions) -> SeriesRun:
    part = SeriesRun(channel, condition.title, _under(asked, condition))
    bench = Path(f"{asked.bench}{MARK}{channel}") if channel else asked.bench
    return replace(part, asked=replace(part.asked, bench=bench, out=folder / slug(part.label)))


def _begin(folder: Path, parts: Sequence[SeriesRun]) -> None:
    """Write what the series is going to be; EvidenceError when the folder holds anything already."""
    if folder.is_dir() and any(folder.iterdir()):
        raise EvidenceError(f"{folder}: holds files already; name another folder, a record is never overwritten")
    listed = [
        {"run": part.asked.out.name if part.asked.out else "", "channel": part.channel, "condition": part.condition}
        for part in parts
    ]
    write_json(folder / "series.json", {"format": 1, "started_utc": utc_now(), "parts": listed})


def _needs_a_person(part: SeriesRun) -> bool:
    """Say whether somebody has to set up the condition; a virtual bench does it itself."""
    return not _is_virtual(part) and part.condition != NOMINAL


def _run_side_by_side(parts: Sequence[SeriesRun], console: Console) -> None:
    """Run parts at the same time, each in a process of its own; those of which nothing is left are closed after them.

    Raises:
        KeyboardInterrupt: this process was asked to stop; the parts have stopped, too.
    """
    clock = WallClock()
    views = [EndedTests(_folder(part), console, part.label) for part in parts]
    try:
        with ExitStack() as stack:
            leash = stack.enter_context(Leash())
            processes = []
            for part in parts:
                output = stack.enter_context(_folder(part).with_suffix(".log").open("wb"))
                command = ["-m", "rig", *_command(part)]
                channel = started(command, leash, output=output, patience_s=CHANNEL_STOPPED_S)
                processes.append(stack.enter_context(channel))
            try:
                while any(process.poll() is None for process in processes):
                    clock.sleep(LOOK_EVERY_S)
                    for view in views:
                        view.refresh()
            except BaseException:  # all of them at once, before each is waited for
                stop_processes(processes, CHANNEL_STOPPED_S)
                raise
    finally:
        for view in views:
            view.refresh()
        for part in parts:
            _settle(part, console)


def _settle(part: SeriesRun, console: Console) -> None:
    """Close a part that was killed, once its runner has heard of it and ended, too."""
    clock, deadline = WallClock(), Deadline(WallClock(), STOPPED_S)
    while is_held(_folder(part) / LEASE) and not deadline.expired:
        clock.sleep(LOOK_EVERY_S)
    try:
        settle([_folder(part)], console)
    except RigError as error:  # the other parts stand by themselves
        console.print(f"{part.label}: {error}", soft_wrap=True, markup=False)


def _sharing_cores(parts: Sequence[SeriesRun]) -> list[SeriesRun]:
    """Divide the cores among parts that run at the same time, where nobody has said how many jobs each has."""
    shared = max(1, cores() // len(parts))
    return [
        replace(part, asked=replace(part.asked, jobs=part.asked.jobs or (shared if _is_virtual(part) else None)))
        for part in parts
    ]


def _is_virtual(part: SeriesRun) -> bool:
    spec, _ = read_bench_file(part.asked.bench, dict(parse_override(text) for text in part.asked.settings))
    return spec.virtual is not None


def _folder(part: SeriesRun) -> Path:
    assert part.asked.out is not None
    return part.asked.out


def _command(part: SeriesRun) -> list[str]:
    asked = part.asked
    return [
        "verify", "--bench", str(asked.bench), "--out", str(asked.out), "--condition", NOMINAL,
        "--requirements", str(asked.requirements), "--plan", asked.plan,
        "--suites", str(asked.suites),
        *(["--select", asked.select] if asked.select else []),
        *(["--pump-sheet", str(asked.pump_sheet)] if asked.pump_sheet else []),
        *(["--jobs", str(asked.jobs)] if asked.jobs else []),
        *(["--stop-at-fail"] if asked.stop_at_fail else []),
        *(["--formal"] if asked.formal else []),
        *(["--operator", asked.operator] if asked.operator else []),
        *(["--qualification", str(asked.qualification)] if asked.qualification else []),
        *(word for text in asked.settings for word in ("--set", text)),
    ]  # fmt: skip


def _conclude(folder: Path, parts: Sequence[SeriesRun], console: Console) -> int:
    """Print each part's verdict and compare the parts; returns the worst exit code."""
    verdicts = []
    for part in parts:
        assert part.asked.out is not None
        verdict, why = _verdict(part.asked.out)
        verdicts.append(verdict)
        verdict_of = Text.assemble(f"{plain(part.label)}: ", (verdict.value, STYLES[verdict.value]), plain(why))
        console.print(verdict_of, soft_wrap=True)
    from reports.comparison import write_comparison  # takes a second, which no wrong usage has to wait for

    try:
        for line in write_comparison(folder / "comparison", [folder]):
            console.print(line, soft_wrap=True, markup=False)
    except EvidenceError as error:  # the runs stand by themselves, and so do their verdicts
        console.print(f"No comparison: {error}", soft_wrap=True, markup=False)
    overall = worst(verdicts)
    console.print(f"Verdict over {len(parts)} runs: {overall.value}", style=STYLES[overall.value])
    if any(_is_virtual(part) for part in parts):
        say_simulated(console)
    return EXIT_RIG if Verdict.ERROR in verdicts else EXIT_CODES[overall]


def _verdict(folder: Path) -> tuple[Verdict, str]:
    """Read a run's verdict; an ERROR where it was not finished, with where to look."""
    look = f"see {folder.with_suffix('.log')}"
    if not holds_a_run(folder):
        return Verdict.ERROR, f"  ({look})"
    run = RunFolder(folder)
    if run.manifest().outcome != "complete":
        return Verdict.ERROR, f"  (not finished; {look})"
    return read_model(run.record / "results.json", Results).verdict, ""
