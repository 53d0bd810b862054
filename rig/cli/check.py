"""`rig check`: the table of devices, who they are, how they are, and what to do.

Not responsible for the checking, which is `rig.bench.check.check_bench`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from rig.bench.channels import MARK, channels
from rig.bench.check import BenchFinding, check_bench
from rig.bench.file import parse_override, read_bench_file
from rig.cli.printing import print_table, say
from rig.pump_sheet.sheet import read_pump_sheet


def print_check(bench: Path, overrides: Sequence[str], *, console: Console) -> int:
    """Check a bench, or each of its channels, and print what was found; 0 when all is fit for use, 3 when not.

    Where its pump sheet and the pump's driver contradict each other, that is said and makes nothing unfit.
    """
    if names := channels(bench):
        return max(print_check(Path(f"{bench}{MARK}{name}"), overrides, console=console) for name in names)
    spec, _ = read_bench_file(bench, dict(parse_override(text) for text in overrides))
    sheet = read_pump_sheet(spec.pump.sheet) if spec.pump.sheet is not None else None
    findings = check_bench(spec)
    columns = ("device", "model", "serial number", "state")
    print_table(console, columns, [_cells(finding) for finding in findings], title=f"{spec.name} ({bench})")
    for able in (finding.capabilities for finding in findings if finding.role == "pump"):
        for sentence in sheet.contradicts(able) if sheet is not None and able is not None else ():
            say(console, sentence, "yellow")
    problems = [finding for finding in findings if finding.problem]
    for finding in problems:
        say(console, finding.problem or "", "red")
    if problems:
        return 3
    say(console, f"The bench is fit for use{' (SIMULATED)' if spec.served is not None else ''}.")
    return 0


def _cells(finding: BenchFinding) -> tuple[str, str, str, str]:
    identity = finding.identity
    model = f"{identity.maker} {identity.model}" if identity else "–"
    serial_number = identity.serial_number if identity else "–"
    return finding.role, model, serial_number, "NOT FIT: see below" if finding.problem else finding.health
