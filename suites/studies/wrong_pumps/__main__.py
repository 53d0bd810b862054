"""Every wrong pump must FAIL the requirement that stands in `expected.toml`: `python -m suites.studies.wrong_pumps`.

Each is built from its patch and verified as anybody would, with the tests of that requirement alone or with the whole
plan. Not responsible for what a wrong pump does (its patch), nor for pumps that are right (`suites.studies.seeds`).
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from rig.clock import WallClock
from rig.record.folder import read_model
from rig.record.results import Results
from rig.toml_files import read_toml
from rig.verdicts.limits import Verdict

CONTROLLER = Path(__file__).parents[3] / "fixtures" / "controller"
EXPECTED = CONTROLLER / "mutants" / "expected.toml"
RIG_TROUBLE = (Verdict.ERROR, Verdict.UNSET)


@dataclass(frozen=True)
class Found:
    """What came of a wrong pump: the verdict of each requirement, and the exit code."""

    name: str
    expected: tuple[str, ...]
    verdicts: dict[str, Verdict]
    exit_code: int
    wall_s: float

    @property
    def bites(self) -> bool:
        """Whether every requirement that it must fail said FAIL, and the run ended as a failure of the pump."""
        return self.exit_code == 1 and all(self.verdicts.get(name) is Verdict.FAIL for name in self.expected)

    def __str__(self) -> str:
        failed = [name for name, verdict in self.verdicts.items() if verdict is Verdict.FAIL]
        trouble = [f"{name} {verdict.value}" for name, verdict in self.verdicts.items() if verdict in RIG_TROUBLE]
        said = f"{self.name}: expected FAIL of {', '.join(self.expected)}; FAIL: {', '.join(failed) or 'none'}"
        said += f"; {', '.join(trouble)}" if trouble else ""
        return f"{'bites ' if self.bites else 'ESCAPES'} {said}; exit code {self.exit_code}, {self.wall_s:.0f} s"


def main(
    names: Annotated[
        list[str] | None, typer.Argument(help="wrong pumps by their patches' names; all by default")
    ] = None,
    plan: Annotated[str, typer.Option(help="test plan")] = "default",
    whole: Annotated[bool, typer.Option(help="run the whole plan, not only the tests of what it must fail")] = False,
    jobs: Annotated[int, typer.Option(min=1, help="so many wrong pumps side by side")] = 2,
) -> None:
    """Verify every wrong pump; ends with 1 when one of them escapes."""
    expected = {name: tuple(ids) for name, ids in read_toml(EXPECTED).items()}
    patches = {path.stem for path in (CONTROLLER / "mutants").glob("*.patch")}
    if patches != set(expected):
        sys.exit(f"{EXPECTED}: patches and entries differ: {', '.join(sorted(patches ^ set(expected)))}")
    unknown = sorted(set(names or ()) - patches)
    if unknown:
        typer.echo(f"there is no wrong pump {unknown[0]!r}; known are {', '.join(sorted(patches))}", err=True)
        sys.exit(2)
    chosen = names or sorted(patches)
    with TemporaryDirectory() as folder:
        subprocess.run([sys.executable, CONTROLLER / "build.py", "--wrong-pumps", folder], check=True)
        with ThreadPoolExecutor(jobs) as pool:
            tried = pool.map(lambda name: _verified(Path(folder), name, expected[name], plan, whole), chosen)
            escaped = [_told(each) for each in tried]
    typer.echo(f"{len(chosen)} wrong pumps, {sum(escaped)} of them escape")
    if any(escaped):
        sys.exit(1)


def _told(found: Found) -> bool:
    typer.echo(str(found))
    return not found.bites


def _verified(folder: Path, name: str, expected: Sequence[str], plan: str, whole: bool) -> Found:
    out, wall = folder / name, WallClock()
    command = [
        sys.executable, "-m", "rig", "verify", "--plan", plan, "--set", f"virtual.firmware={folder / name}.elf",
        "--out", str(out),
    ]  # fmt: skip
    command += [] if whole else ["--select", " or ".join(expected)]
    done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    path = out / "record" / "results.json"
    rows = read_model(path, Results).requirements if path.is_file() else ()
    verdicts = {row.id: row.verdict for row in rows if row.in_scope}
    return Found(name, tuple(expected), verdicts, done.returncode, wall.now())


if __name__ == "__main__":
    typer.run(main)
