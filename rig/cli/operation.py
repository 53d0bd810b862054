"""Does the rig work on this PC and bench? The numbered items of the operational qualification, OQ-1 and on.

Known inputs through the analyses, a right pump that must PASS, a wrong one that must FAIL, a changed record that must
be found, the bench that must be fit. Not responsible for the installation (`rig.cli.installation`), nor for proof that
the whole suite bites, which takes hours (`rig prove`).
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console

from rig.bench.check import check_bench
from rig.bench.file import BenchFile
from rig.cli.installation import Seen, item_of, passed_if
from rig.cli.printing import one_line
from rig.cli.runners import python, this_rig
from rig.errors import EvidenceError
from rig.record.folder import RunFolder, read_model
from rig.record.qualification import Item
from rig.record.reading import read_run
from rig.record.results import Results
from rig.run.known_inputs import known_results
from rig.shipped import shipped

BENCH = "fixtures/benches/virtual_ne1000.toml"
"""The bench of the trial runs: a syringe pump's twin, which needs no emulator."""
PLAN = "fixtures/plans/qualification.toml"
WRONG = "virtual.parameters.fluid.reservoir_ul=400"
"""A pump that runs dry after 40 U of the 49 that it says to deliver, which it does not know."""
BROKEN = "PR-D1.1"
"""The requirement that it breaks: basal delivery over 25 h."""
LONGEST_S = 300.0
"""A trial run takes some seconds; one that takes this long hangs."""


def operation(spec: BenchFile, console: Console) -> list[Item]:
    """Try the rig; trial runs are made in a folder that is taken away, and in the ledger of no bench."""
    with TemporaryDirectory(prefix="rig-qualify-") as name:
        right, wrong = Path(name) / "right", Path(name) / "wrong"
        with ThreadPoolExecutor() as side_by_side:
            of_right = side_by_side.submit(_verify, right)
            of_wrong = side_by_side.submit(_verify, wrong, "--set", WRONG)
        asked = [
            ("known inputs through the analyses give the known values", recompute_all),
            ("a right pump passes (simulated)", lambda: _right(right, *of_right.result())),
            ("a wrong pump fails by the requirement that it breaks (simulated)",
             lambda: _wrong(wrong, *of_wrong.result())),
            ("the report of a run is written", lambda: report_is_written(right)),
            ("one octet that is changed in a closed record is found", lambda: changed_record_is_found(right)),
            ("each instrument of the bench answers, is the one that the bench file names, and is in date",
             lambda: _bench(spec)),
        ]  # fmt: skip
        items = []
        for number, (asks, look) in enumerate(asked, start=1):
            items.append(item_of(f"OQ-{number}", asks, look))
            console.print(f"OQ-{number} {items[-1].outcome}", soft_wrap=True, markup=False)
        return items


def recompute_all() -> Seen:
    """Put every known input through its analysis."""
    found = known_results()
    wrong = [each for each in found if not each.agrees]
    seen = "; ".join(str(each) for each in wrong) if wrong else f"{len(found)} of {len(found)} agree"
    return passed_if(not wrong, seen)


def _right(folder: Path, code: int, said: str) -> Seen:
    verdict = _verdict(folder)
    return passed_if(code == 0 and verdict == "PASS", f"verdict {verdict}, exit code {code}{said if code else ''}")


def _wrong(folder: Path, code: int, said: str) -> Seen:
    verdict = _verdict(folder)
    broken = _failed(folder)
    failed = ", ".join(broken) or "none"
    seen = f"verdict {verdict}, exit code {code}, failed: {failed}{said if code != 1 else ''}"
    return passed_if(code == 1 and verdict == "FAIL" and BROKEN in broken, seen)


def _verify(folder: Path, *more: str) -> tuple[int, str]:
    """Make a trial run as a person would; returns its exit code and its last words."""
    arguments: Sequence[str] = [
        "-m", "rig", "verify", "--bench", str(shipped(BENCH)), "--plan", str(shipped(PLAN)),
        "--out", str(folder), "--jobs", "1", *more,
    ]  # fmt: skip
    try:
        done = subprocess.run(
            python(*arguments), env=this_rig(), capture_output=True, text=True, timeout=LONGEST_S, check=False
        )
    except subprocess.TimeoutExpired:
        return 3, f": it has not ended within {LONGEST_S:g} s"
    return done.returncode, f": {one_line((done.stderr or done.stdout).strip()[-300:])}"


def _results(folder: Path) -> Results | None:
    try:
        return read_model(RunFolder(folder).record / "results.json", Results)
    except EvidenceError:
        return None


def _verdict(folder: Path) -> str:
    results = _results(folder)
    return results.verdict.value if results is not None else "none"


def _failed(folder: Path) -> list[str]:
    results = _results(folder)
    return [row.id for row in results.requirements if row.verdict.value == "FAIL"] if results is not None else []


def report_is_written(run: Path) -> Seen:
    """Look for a run's report."""
    written = sorted(run.glob("reports/rev-*/report.pdf"))
    good = bool(written) and all(path.read_bytes().startswith(b"%PDF-") for path in written)
    return passed_if(good, f"report.pdf of {written[-1].stat().st_size} octets" if good else "no report.pdf")


def changed_record_is_found(run: Path) -> Seen:
    """Change one bit of a copy of a closed run, beside it, and read it."""
    copy = Path(shutil.copytree(run, run.with_name("changed")))
    read_run(copy)  # as it was written, it is read
    tables = sorted((copy / "record" / "tests").rglob("*.csv"))
    file = tables[0] if tables else copy / "record" / "results.json"
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.chmod(0o644)
    file.write_bytes(data)
    try:
        read_run(copy)
    except EvidenceError as error:
        return "passed", f"found: {file.name} {str(error).rpartition(': ')[2]}"
    return "failed", f"one bit of {file.name} was changed, and the record was read as if it were true"


def _bench(spec: BenchFile) -> Seen:
    findings = check_bench(spec)
    problems = [finding.problem for finding in findings if finding.problem]
    simulated = "SIMULATED: " if spec.simulated else ""
    return passed_if(not problems, simulated + ("; ".join(problems) or f"{len(findings)} devices are fit for use"))
