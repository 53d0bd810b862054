"""What a night came to: its preflight, its runs, what is new, where its evidence stands, and its one exit code.

Not responsible for making it (`rig.cli.nightly`), nor for its summary (`rig.lab.summary`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rig.errors import EvidenceError
from rig.lab.preflight import PreflightFinding
from rig.lab.trends import RunTrends
from rig.record.folder import RunFolder, read_model
from rig.record.results import Results
from rig.record.seal import head
from rig.run.results import EXIT_CODES
from rig.store.before import SinceBefore
from rig.verdicts.limits import Verdict
from rig.verdicts.rounding import value_text

NOT_RUN = 6
"""Exit code of a night that its preflight has kept from beginning: nothing was measured, and nothing has failed."""

FINE = (Verdict.PASS, Verdict.NOT_APPLICABLE)


@dataclass(frozen=True)
class NightRun:
    """One run of a night, as its record has it.

    Attributes:
        label: what tells it from the night's others; "" for the only one.
        simulated: whether its bench was virtual.
        reason: why it did not come to its end.
        head: of its closed record; "" where it has none.
        not_fine: every requirement in scope that is neither met nor inapplicable, in a line.
        in_short: how many requirements are verified.
        added: what became of it in the store.
    """

    folder: Path
    label: str
    run_id: str
    bench: str
    plan: str
    pump: str
    simulated: bool
    formal: bool
    outcome: str
    verdict: str
    reason: str | None
    head: str
    not_fine: tuple[str, ...]
    in_short: str
    added: str = ""
    since: SinceBefore | None = None
    trends: RunTrends | None = None


@dataclass(frozen=True)
class Night:
    """A night: `ended_by` is a sentence on what kept it from running as asked; `code` is None while it goes on."""

    folder: Path
    bench: str
    started_utc: str
    ended_utc: str | None = None
    preflight: Sequence[PreflightFinding] = ()
    runs: Sequence[NightRun] = ()
    ended_by: str = ""
    code: int | None = None
    interrupted: bool = False
    troubles: Sequence[str] = ()

    @property
    def verdict(self) -> str:
        """The night in one word or two, as its summary's heading has it."""
        if self.code is None:
            return "NOT ENDED"
        if self.interrupted:
            return "INTERRUPTED"
        if len(self.runs) == 1 and EXIT_CODES[Verdict(self.runs[0].verdict)] == self.code:
            return self.runs[0].verdict
        return VERDICTS.get(self.code, f"exit code {self.code}")


VERDICTS = {
    0: "PASS",
    1: "FAIL",
    2: "WRONG INPUT",
    3: "ERROR",
    4: "INCONCLUSIVE",
    NOT_RUN: "NOT RUN",
}


def night_run(folder: Path, label: str) -> NightRun:
    """Read what a run of a night came to.

    Raises:
        EvidenceError: it cannot be read, or has not come as far as results.
    """
    run = RunFolder(folder)
    manifest = run.manifest()
    results = read_model(run.record / "results.json", Results)
    device = manifest.dut
    pump = f"{device.maker} {device.model} {device.serial_number or ''}".strip() if device else "–"
    plan = manifest.plan.name if manifest.plan else "–"
    return NightRun(
        folder, label, manifest.run_id, str(manifest.bench.get("name", "")), plan,
        pump, manifest.virtual, manifest.formal, manifest.outcome, results.verdict.value, manifest.reason,
        _head(folder), tuple(_told(results)), results.in_short,
    )  # fmt: skip


def _head(folder: Path) -> str:
    try:
        return head(folder)
    except EvidenceError:
        return ""


def _told(results: Results) -> list[str]:
    """List the requirements that are due and not met, the worst first, each with the values that decided it."""
    found = []
    for row in results.requirements:
        if not row.in_scope or row.verdict in FINE:
            continue
        values = [
            f"{each.name} {value_text(each.value, each.expanded_uncertainty, each.unit)}, limit {each.limit.limit}"
            for each in row.measurements
            if each.verdict is row.verdict
        ]
        why = "; ".join(dict.fromkeys(values)) or row.reason or row.text
        found.append((row.verdict is not Verdict.FAIL, f"{row.id} {row.verdict.value}: {why}"))
    return [line for _, line in sorted(found, key=lambda each: each[0])]
