"""What a person sees while a run goes on: which test of how many, its virtual time, flow and pressure, what is left.

Reads the run folder that other processes write; cannot disturb them. Not responsible for results.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from rich.console import Console
from rich.status import Status
from rich.text import Text

from rig.cli.printing import plain
from rig.clock import WallClock
from rig.run.collection import Declaration

_MARKS = {"passed": ("passed", "green"), "failed": ("FAILED", "bold red"), "error": ("ERROR", "magenta")}

LINE_EVERY_S = 60.0
"""Where there is no terminal, a line says so often what is going on."""
KNOWN_FROM = 0.03
"""From this share of the bench time on it is said how long the rest may take."""
UNKNOWN_S = 3600.0
"""For so much bench time a test counts that does not say how long it takes."""


class LineTail:
    """The lines that have been appended to a file since the last look."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._position = 0

    def entries(self) -> list[dict[str, Any]]:
        """Read the JSON objects of the new whole lines."""
        if not self._path.exists():
            return []
        with self._path.open("rb") as file:
            file.seek(self._position)
            new = file.read()
        whole = new[: new.rfind(b"\n") + 1]
        self._position += len(whole)
        return [json.loads(line) for line in whole.splitlines()]


class Remaining:
    """How many of the tests are done, and how long the rest may take, from the bench time that each of them takes.

    Args:
        declared: the tests that are to be done.
    """

    def __init__(self, declared: Sequence[Declaration]) -> None:
        self._expected_s = {each.test: each.bench_time_s or UNKNOWN_S for each in declared}
        self._done_s: dict[str, float] = {}
        self._ended: set[str] = set()

    def told(self, entry: Mapping[str, Any]) -> None:
        """Take in what a test has told."""
        test = entry["test"]
        if test not in self._expected_s:
            return
        if "ended" in entry:
            self._ended.add(test)
        elif "at_s" in entry:
            self._done_s[test] = min(float(entry["at_s"]), self._expected_s[test])

    @property
    def ended(self) -> int:
        """How many tests have ended."""
        return len(self._ended)

    @property
    def tests(self) -> int:
        """How many tests there are."""
        return len(self._expected_s)

    def left_s(self, elapsed_s: float) -> float | None:
        """Estimate the wall time in s that is left after `elapsed_s`, if all goes on as it did; None: too early."""
        whole_s = sum(self._expected_s.values())
        ended_s = sum(self._expected_s[test] for test in self._ended)
        done_s = ended_s + sum(done_s for test, done_s in self._done_s.items() if test not in self._ended)
        if not whole_s or done_s < KNOWN_FROM * whole_s:
            return None
        return elapsed_s * (whole_s - done_s) / done_s


class EndedTests:
    """One line for each test of a run that has ended, with a label before it where several runs go on."""

    def __init__(self, run: Path, console: Console, label: str = "", remaining: Remaining | None = None) -> None:
        self._progress = LineTail(run / "progress.jsonl")
        self._console = console
        self._label = f"{label}: " if label else ""
        self._titles: dict[str, str] = {}
        self._remaining = remaining

    def refresh(self) -> list[dict[str, Any]]:
        """Print which tests have ended since the last look; returns what else was told meanwhile."""
        doing = []
        for entry in self._progress.entries():
            if self._remaining is not None:
                self._remaining.told(entry)
            if "title" in entry:
                self._titles[entry["test"]] = entry["title"]
            elif "ended" in entry:
                outcome = entry["ended"]["outcome"]
                took = elapsed(entry["ended"]["duration_s"])
                title = plain(self.title(entry["test"]))
                line = Text.assemble(
                    plain(self._label),
                    _MARKS.get(outcome, outcome),
                    f"  {title}  ",
                    (f"({took} of bench time{self._counted()})", "dim"),
                )
                self._console.print(line, soft_wrap=True)
            else:
                doing.append(entry)
        return doing

    def _counted(self) -> str:
        return f"; {self._remaining.ended} of {self._remaining.tests}" if self._remaining is not None else ""

    def title(self, test_id: str) -> str:
        """Say what a test is called."""
        return self._titles.get(test_id, test_id)


class ProgressView:
    """One line that is kept up to date on a terminal, or comes once a minute, and one for each test that has ended.

    Args:
        run: the run's folder.
        console: to print on.
        declared: the tests that are to be done.
    """

    def __init__(self, run: Path, console: Console, declared: Sequence[Declaration]) -> None:
        self._remaining = Remaining(declared)
        self._ended = EndedTests(run, console, remaining=self._remaining)
        self._console = console
        self._status = Status(Text("starting the suites"), console=console, spinner="line")  # any encoding has it
        self._clock = WallClock()
        self._said_s = 0.0
        self._last = ""

    def __enter__(self) -> Self:
        self._status.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._status.stop()

    def refresh(self) -> None:
        """Show what has been written since the last look."""
        if doing := self._ended.refresh():
            self._last = plain(self._now(doing[-1]))
            self._status.update(Text(self._last, no_wrap=True, overflow="ellipsis"))
        now_s = self._clock.now()
        if not self._console.is_terminal and self._last and now_s - self._said_s >= LINE_EVERY_S:
            self._said_s = now_s
            self._console.print(Text(self._last), soft_wrap=True)

    def _now(self, entry: dict[str, Any]) -> str:
        title = self._ended.title(entry["test"])
        values = []
        if "flow_u_per_h" in entry:
            values.append(f"{entry['flow_u_per_h']:.3g} U/h")
        if "pressure_kpa" in entry:
            values.append(f"{entry['pressure_kpa']:.1f} kPa")
        left_s = self._remaining.left_s(self._clock.now())
        left = f", about {max(left_s / 60.0, 0.1):.2g} min left" if left_s is not None else ""
        return (
            f"test {min(self._remaining.ended + 1, self._remaining.tests)} of {self._remaining.tests}{left}; {title}: "
            f"{entry['doing']}, bench time {elapsed(entry['at_s'])} {'  '.join(values)}"
        )


def elapsed(seconds: float) -> str:
    """Write seconds as h:mm:ss."""
    whole = round(seconds)
    return f"{whole // 3600}:{whole // 60 % 60:02}:{whole % 60:02} h"
