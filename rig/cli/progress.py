"""What a person sees while a run goes on: which test, its virtual time, flow and pressure.

Reads the run folder that other processes write; cannot disturb them. Not responsible for results.
"""

from __future__ import annotations

import json
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from rich.console import Console
from rich.status import Status
from rich.text import Text

from rig.cli.printing import plain

_MARKS = {"passed": ("passed", "green"), "failed": ("FAILED", "bold red"), "error": ("ERROR", "magenta")}


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


class EndedTests:
    """One line for each test of a run that has ended, with a label before it where several runs go on."""

    def __init__(self, run: Path, console: Console, label: str = "") -> None:
        self._progress = LineTail(run / "progress.jsonl")
        self._console = console
        self._label = f"{label}: " if label else ""
        self._titles: dict[str, str] = {}

    def refresh(self) -> list[dict[str, Any]]:
        """Print which tests have ended since the last look; returns what else was told meanwhile."""
        doing = []
        for entry in self._progress.entries():
            if "title" in entry:
                self._titles[entry["test"]] = entry["title"]
            elif "ended" in entry:
                outcome = entry["ended"]["outcome"]
                took = elapsed(entry["ended"]["duration_s"])
                title = plain(self.title(entry["test"]))
                line = Text.assemble(
                    plain(self._label), _MARKS.get(outcome, outcome), f"  {title}  ", (f"({took} of bench time)", "dim")
                )
                self._console.print(line, soft_wrap=True)
            else:
                doing.append(entry)
        return doing

    def title(self, test_id: str) -> str:
        """Say what a test is called."""
        return self._titles.get(test_id, test_id)


class ProgressView:
    """One line that is kept up to date on a terminal, and one line for each test that has ended."""

    def __init__(self, run: Path, console: Console) -> None:
        self._ended = EndedTests(run, console)
        self._status = Status(Text("starting the suites"), console=console, spinner="line")  # any encoding has it

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
            self._status.update(Text(plain(self._now(doing[-1])), no_wrap=True, overflow="ellipsis"))

    def _now(self, entry: dict[str, Any]) -> str:
        title = self._ended.title(entry["test"])
        values = []
        if "flow_u_per_h" in entry:
            values.append(f"{entry['flow_u_per_h']:.3g} U/h")
        if "pressure_kpa" in entry:
            values.append(f"{entry['pressure_kpa']:.1f} kPa")
        return f"{title}: {entry['doing']}, bench time {elapsed(entry['at_s'])} {'  '.join(values)}"


def elapsed(seconds: float) -> str:
    """Write seconds as h:mm:ss."""
    whole = round(seconds)
    return f"{whole // 3600}:{whole // 60 % 60:02}:{whole % 60:02} h"
