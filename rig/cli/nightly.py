"""`rig nightly`: preflight, run, report, JUnit, store, trends and one summary, in one command with one exit code.

Each part is the command that people call by hand; whatever ends the night, the bench is safe and the summary is
written. Not responsible for the preflight (`rig.lab.preflight`), the run (`rig.cli.series`), nor for the summary
(`rig.lab.summary`).
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any, cast

from rich.console import Console

from rig.bench.channels import MARK, channels
from rig.bench.file import BenchFile
from rig.cli.output import LastingOutput
from rig.cli.printing import say
from rig.cli.refusal import EXIT_RIG, say_refusal
from rig.cli.series import verify_all
from rig.cli.settling import settle
from rig.cli.verify import RunAsked
from rig.clock import WallClock
from rig.errors import EvidenceError, RigError
from rig.lab.night import NOT_RUN, Night, NightRun, night_run
from rig.lab.preflight import PreflightFinding, benches_held, look_at_everything, of_error, what_stops
from rig.lab.summary import night_json, night_markdown
from rig.lab.trends import run_trends
from rig.lease import LeaseHeldError
from rig.record.files import new_folder, read_json, utc_now, write_json, write_whole
from rig.run.begin import refuse_unusable
from rig.run.inputs import read_inputs
from rig.run.stopping import StopSignals
from rig.store.adding import Added, add_runs, run_folders
from rig.store.before import since_before
from rig.store.opening import open_store

NIGHTS = "nights"
RUN, JUNIT, SUMMARY, TOLD = "run", "junit.xml", "summary.md", "night.json"


@dataclass(frozen=True)
class NightAsked:
    """What `rig nightly` was asked for.

    `run` is what `rig verify` is asked for, whose folder and JUnit file are the night's own; `out` None makes a folder
    below `nights/`. The disk must have `least_gb`, in GB of 1e9 octets; a night of `at_most_s` is ended, in s.
    """

    run: RunAsked
    store: str
    least_gb: float
    condition: str | None = None
    out: Path | None = None
    at_most_s: float | None = None
    at_most: str = ""


class _Told:
    """A night as it goes on; each change is written down, so that a night that is killed has a summary, too."""

    def __init__(self, night: Night) -> None:
        self.night = night

    def now(self, **changes: Any) -> None:  # noqa: ANN401 - fields of a night
        self.night = replace(self.night, **changes)
        write_whole(self.night.folder / SUMMARY, night_markdown(self.night).encode())
        write_whole(self.night.folder / TOLD, night_json(self.night).encode())


def run_night(asked: NightAsked, *, console: Console) -> int:
    """Make a night; returns the exit code: that of `rig verify`, or 6 where the preflight kept it from beginning.

    Raises:
        EvidenceError: its folder cannot be made or written.
    """
    with StopSignals() as stop, ExitStack() as stack:
        stop.watch_parent()
        console.file = cast(IO[str], LastingOutput(console.file))
        if asked.at_most_s is not None:
            stack.enter_context(stop.end_after(asked.at_most_s, f"its time limit of {asked.at_most}"))
        with stop.held():
            told = _Told(Night(_new_folder(asked.out), str(asked.run.bench), utc_now()))
            told.now()
            try:
                with stop.let_through():
                    _make(asked, told, console)
            except KeyboardInterrupt:
                told.now(code=EXIT_RIG, interrupted=True, ended_by=f"The night was interrupted by {stop.asked}.")
            except RigError as error:
                told.now(code=say_refusal(error), ended_by=str(error))
            told.now(ended_utc=utc_now())
            code = told.night.code
            assert code is not None
            say(console, "\n" + night_markdown(told.night))
            stop.finish()
            return code


def look_ahead(asked: NightAsked, *, console: Console) -> int:
    """Make the preflight of a night alone; returns 0 where it may begin, 6 where it may not.

    Raises:
        RigError: as the preflight.
    """
    with StopSignals() as stop:
        stop.watch_parent()
        benches = _benches(asked.run)
        folder = asked.out or Path(NIGHTS)
        try:
            with benches_held(benches, f"the preflight of a night of {asked.run.bench}") as held:
                found = look_at_everything(benches, held, folder, asked.store, asked.least_gb, None)
        except LeaseHeldError as error:
            found = [of_error(error)]
        except KeyboardInterrupt:
            say(console, f"Interrupted by {stop.asked}.")
            return EXIT_RIG
    _say_preflight(found, console)
    return NOT_RUN if what_stops(found) else 0


def _say_preflight(found: list[PreflightFinding], console: Console) -> None:
    for each in found:
        say(console, f"- {each.what}: {each.said}", "red" if each.stops else "")
    say(console, "NOT RUN: the night may not begin." if what_stops(found) else "The night may begin.")


def _new_folder(out: Path | None) -> Path:
    if out is None:
        return new_folder(Path(NIGHTS), utc_now().replace(":", "-"))
    refuse_unusable(out)
    if out.is_dir() and any(out.iterdir()):
        raise EvidenceError(f"--out {out}: holds files already; name a new folder for each night")
    return out


def _benches(run: RunAsked) -> Mapping[str, BenchFile]:
    """Read all inputs of a run; returns its bench, or those of its channels, by name."""
    paths = [Path(f"{run.bench}{MARK}{name}") for name in channels(run.bench)] or [run.bench]
    every = {path: read_inputs(replace(run, bench=path).sources).spec for path in paths}
    return {f"bench {spec.name}" + (f", {path}" if len(every) > 1 else ""): spec for path, spec in every.items()}


def _make(asked: NightAsked, told: _Told, console: Console) -> None:
    """Make the preflight and, where nothing is in the way, the night."""
    folder = told.night.folder
    benches = _benches(asked.run)
    told.now(bench=", ".join(dict.fromkeys(spec.name for spec in benches.values())))
    _settle_earlier(folder, asked.store, told, console)
    with ExitStack() as stack:
        try:
            held = stack.enter_context(benches_held(benches, f"rig nightly into {folder}"))
            found = look_at_everything(benches, held, folder, asked.store, asked.least_gb, folder)
        except LeaseHeldError as error:
            found = [of_error(error)]
        _say_preflight(found, console)
        if what_stops(found):
            told.now(preflight=found, code=NOT_RUN)
            return
        told.now(preflight=found)
        run = replace(asked.run, out=folder / RUN, junit=folder / JUNIT)
        code = verify_all(run, asked.condition, console=console)
        runs = _runs(folder / RUN, told)
        stopped = [each for each in runs if each.outcome == "interrupted"]
        told.now(code=code, runs=runs, interrupted=code == EXIT_RIG and bool(stopped))
    _remember(asked.store, told)


def _runs(folder: Path, told: _Told) -> list[NightRun]:
    found = []
    for path in run_folders(folder) if folder.is_dir() else ():
        try:
            found.append(night_run(path, path.name if path != folder else ""))
        except EvidenceError as error:
            told.now(troubles=[*told.night.troubles, str(error)])
    return found


def _remember(store: str, told: _Told) -> None:
    """Put the runs into the store and hold them against those before them. Whether that works changes no verdict."""
    try:
        with open_store(store, make=True) as engine:
            for added in add_runs(engine, [run.folder for run in told.night.runs], WallClock()):
                runs = list(told.night.runs)
                at = next(n for n, run in enumerate(runs) if run.folder == added.folder)
                is_there = added.became in (Added.NEW, Added.THERE)
                runs[at] = replace(runs[at], added="in the store" if is_there else f"not in the store: {added.why}")
                if is_there:
                    run_id = runs[at].run_id
                    runs[at] = replace(runs[at], since=since_before(engine, run_id), trends=run_trends(engine, run_id))
                told.now(runs=runs)
    except RigError as error:
        told.now(troubles=[*told.night.troubles, f"The store failed: {error}"])


def _settle_earlier(folder: Path, store: str, told: _Told, console: Console) -> None:
    """Close the run of each night beside this one that was killed, and put it into the store."""
    for path in sorted(folder.absolute().parent.glob(f"*/{TOLD}")):
        earlier = path.parent / RUN
        if path.parent == folder.absolute() or not earlier.is_dir():
            continue
        try:
            content = read_json(path)
            if content.get("code") is not None:
                continue
            settle([earlier], console)
            with open_store(store, make=True) as engine:
                for _ in add_runs(engine, run_folders(earlier), WallClock()):
                    pass
            ended = "It was killed; the next night closed its run."
            write_json(path, content | {"code": EXIT_RIG, "verdict": "INTERRUPTED", "ended_by": ended})
            told.now(troubles=[*told.night.troubles, f"The night in {path.parent} was killed; its run is closed now."])
        except LeaseHeldError:  # it goes on, on another bench
            continue
        except RigError as error:
            told.now(troubles=[*told.night.troubles, f"{path.parent}: {error}"])
