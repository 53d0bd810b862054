"""`rig check`: the table of devices, who they are, how they are, and what to do.

Not responsible for the checking, which is `rig.bench.check.check_bench`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from rig.bench.channels import MARK, channels
from rig.bench.check import BenchFinding, check_bench
from rig.bench.file import parse_override, read_bench_file


def print_check(bench: Path, overrides: Sequence[str], *, console: Console) -> int:
    """Check a bench, or each of its channels, and print what was found; 0 when all is fit for use, 3 when not."""
    if names := channels(bench):
        return max(print_check(Path(f"{bench}{MARK}{name}"), overrides, console=console) for name in names)
    spec, _ = read_bench_file(bench, dict(parse_override(text) for text in overrides))
    findings = check_bench(spec)
    table = Table(title=f"{spec.name} ({bench})", title_justify="left")
    for column in ("device", "model", "serial number", "state"):
        table.add_column(column)
    for finding in findings:
        table.add_row(*_cells(finding))
    console.print(table)
    problems = [finding for finding in findings if finding.problem]
    for finding in problems:
        console.print(finding.problem, style="red", soft_wrap=True, markup=False)
    if problems:
        return 3
    console.print("The bench is fit for use.")
    return 0


def _cells(finding: BenchFinding) -> tuple[str, str, str, str]:
    identity = finding.identity
    model = f"{identity.maker} {identity.model}" if identity else "–"
    serial_number = identity.serial_number if identity else "–"
    return finding.role, model, serial_number, "NOT FIT: see below" if finding.problem else finding.health
