"""What all result files of a run share: what tells it from other runs, its labels, its marks, its place in time.

Times of Allure's are those of the bench's clock: every test begins when its run did, and lasts as long as the bench
says. A record holds no other; a day on a virtual bench lasts a day. Not responsible for a single test
(`reports.allure.tests`).
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import md5
from pathlib import Path
from typing import Any

from reports.marks import in_brief, marks_of
from reports.measured_values import condition_of
from rig.bench.channels import split
from rig.errors import EvidenceError
from rig.record.likeness import Member
from rig.record.reading import Run
from rig.record.seal import head_of
from rig.verdicts.limits import Verdict

Json = dict[str, Any]

STATUSES = {
    Verdict.PASS: "passed",
    Verdict.FAIL: "failed",
    Verdict.INCONCLUSIVE: "broken",
    Verdict.ERROR: "broken",
    Verdict.UNSET: "broken",
    Verdict.NOT_APPLICABLE: "skipped",
}
"""Allure's status for each verdict: `failed` is the pump's alone. What was never begun is `skipped` (`status_of`)."""
_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_DNS, "insulin-pump-rig.allure")


@dataclass(frozen=True)
class AllureRun:
    """A run that is shown.

    Attributes:
        run: as it was read.
        head: the sum that its record is known by; None where it was never closed, or is of format 1.
        told_apart: names and values that are the same each time that this is done again: pump, bench, condition.
        labels: of each of its results.
        marks: what must be seen at each of its results, such as that it is simulated.
        called: what tells it from the other runs that are shown with it; "" where there is none.
    """

    run: Run
    head: str | None
    told_apart: tuple[tuple[str, str], ...]
    labels: tuple[tuple[str, str], ...]
    marks: tuple[str, ...]
    called: str

    @property
    def start_ms(self) -> int:
        """When it began, in ms since 1970 (UTC)."""
        return round(self.run.manifest.started_utc.timestamp() * 1000.0)

    def uuid(self, *of: object) -> str:
        """Name something of this run; the same each time."""
        return str(uuid.uuid5(_NAMESPACE, _sum("\n".join(map(str, (self.run.manifest.run_id, self.head, *of))))))

    def identity(self, case: str) -> Json:
        """Name a case over runs, so that its history can be shown: by what it is of, and what tells its run apart."""
        parameters = [{"name": name, "value": value} for name, value in self.told_apart]
        told = ",".join(f"{name}:{value}" for name, value in sorted(self.told_apart))
        case_id = _sum(case)
        history = f"{case_id}.{_sum(told)}"
        return {"testCaseId": case_id, "historyId": history, "fullName": case, "parameters": parameters}


def _sum(text: str) -> str:
    return md5(text.encode(errors="backslashreplace"), usedforsecurity=False).hexdigest()


def shown_runs(runs: Sequence[Run]) -> list[AllureRun]:
    """Prepare runs to be shown in one tree.

    Raises:
        EvidenceError: a run is given twice.
    """
    heads = [head_of(run.folder) for run in runs]
    known: dict[tuple[str, str | None], Path] = {}
    for run, head in zip(runs, heads, strict=True):
        key = (run.manifest.run_id, head)
        if key in known:
            raise EvidenceError(f"{run.folder}: is the same run as {known[key]}; name each run once")
        known[key] = run.folder
    alike = Counter(_told_apart(run) for run in runs)
    met: Counter[tuple[tuple[str, str], ...]] = Counter()
    told_apart: dict[int, tuple[tuple[str, str], ...]] = {}
    for place in sorted(range(len(runs)), key=lambda each: runs[each].manifest.started_utc):
        told = _told_apart(runs[place])
        met[told] += 1
        number = (("run", f"{met[told]} of {alike[told]}"),) if alike[told] > 1 else ()
        told_apart[place] = (*told, *number)
    every = set.intersection(*(set(each) for each in told_apart.values()))
    shown = []
    for place, run in enumerate(runs):
        told = told_apart[place]
        marks = tuple(marks_of(run))
        called = ", ".join(" ".join(each) if each[0] == "run" else each[1] for each in told if each not in every)
        shown.append(AllureRun(run, heads[place], told, _labels(run, marks), marks, called))
    return shown


def _told_apart(run: Run) -> tuple[tuple[str, str], ...]:
    return (("pump", _pump(run)), ("bench", _bench(run)), ("condition", condition_of(run.manifest)))


def _pump(run: Run) -> str:
    manifest = run.manifest
    if manifest.dut is not None:
        return f"{manifest.dut.maker} {manifest.dut.model}, {Member('', run).pump}"
    return f"{manifest.pump_sheet.name}, not seen" if manifest.pump_sheet is not None else "not seen"


def _bench(run: Run) -> str:
    name = str(run.manifest.bench.get("name") or Path(run.manifest.bench_file).name)
    channel = split(Path(run.manifest.bench_file))[1]
    return f"{name}, channel {channel}" if channel else name


def _labels(run: Run, marks: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """List labels of all results of a run: tags of its marks, pump and firmware, bench and instruments, software."""
    manifest, device = run.manifest, run.manifest.dut
    found = [("tag", in_brief([mark])) for mark in marks]
    found += [("epic", f"{device.maker} {device.model}" if device is not None else _pump(run))]
    if device is not None:
        found += [("pump", _pump(run)), ("firmware", device.firmware)]
    if manifest.firmware_sha256:
        found.append(("firmware SHA-256", manifest.firmware_sha256))
    found.append(("bench", _bench(run)))
    found += [
        (f"instrument {each.role}", f"{each.maker} {each.model}, {each.serial_number}, firmware {each.firmware}")
        for each in manifest.equipment
    ]
    found += [("condition", condition_of(manifest)), ("run", manifest.run_id)]
    if manifest.plan is not None:
        found.append(("plan", manifest.plan.name))
    if manifest.operator:
        found.append(("operator", manifest.operator))
    return tuple(found)


def labels_of(pairs: Sequence[tuple[str, str]]) -> list[Json]:
    """Write labels."""
    return [{"name": name, "value": value} for name, value in pairs]


def parameters_of(values: Mapping[str, object]) -> list[Json]:
    """Write parameters that are shown and tell nothing apart."""
    return [{"name": name, "value": str(value), "excluded": True} for name, value in values.items()]
