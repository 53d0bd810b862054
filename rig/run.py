"""Begin and end a run: check the bench, write the manifest, join the results.

Not responsible for running tests (the runners do) nor for printing (the command line and `reports` do).
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import platform
import subprocess
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rig.bench import (
    ROLES,
    compare_identity,
    far_side,
    leave_safe,
    open_device,
    power_pump,
    refuse_overdue,
    refuse_untested,
)
from rig.bench_file import BenchFile, CalibratedTable, read_bench_file
from rig.channels import split
from rig.decidable import undecidable
from rig.declared import immersion
from rig.errors import RigError
from rig.evidence import RunFolder, read_json, utc_now, write_json
from rig.plan_file import PlanFile
from rig.requirements import read_requirements
from rig.results import join
from rig.roles import Identity
from rig.wire import NoLog

FORMAT = 1
_RECORDED_PACKAGES = ("insulin-pump-rig", "pyvisa", "pyserial", "numpy", "pytest", "robotframework", "unicorn")


@dataclass(frozen=True)
class Finding:
    """What `check_bench` found out about one device: who it is, how it is, and what is wrong with it, if anything."""

    role: str
    identity: Identity | None
    health: str
    problem: str | None


def check_bench(spec: BenchFile) -> list[Finding]:
    """Open, identify and self-test every device; goes on after a failure so that all problems are found at once."""
    findings = []
    with ExitStack() as stack:
        far = stack.enter_context(far_side(spec))
        devices: dict[str, Any] = {}
        stack.callback(leave_safe, devices)
        for role in ROLES:
            identity, health = None, ""
            try:
                device = open_device(spec, role, far, NoLog())
                devices[role] = device
                identity = device.identify()
                health = device.self_test()
                compare_identity(spec, role, device)
                refuse_overdue(spec, role, far.today)
                if role == "balance":
                    refuse_untested(spec, far.today)
                    immersion(spec)
                if role == "supply":
                    power_pump(spec, device)
                problem = None
            except RigError as error:
                problem = str(error)
            findings.append(Finding(role, identity, health, problem))
    return findings


def start_run(
    bench_path: Path,
    overrides: Mapping[str, Any],
    *,
    out: Path | None,
    requirements_path: Path,
    plan: PlanFile,
    findings: list[Finding],
    selected: str | None = None,
) -> RunFolder:
    """Make the run's folder and its manifest.

    Args:
        bench_path: the bench file.
        overrides: "table.key" to value, laid over it.
        out: the folder to make; None makes one below `runs/` named after the time.
        requirements_path: the requirements file.
        plan: the test plan.
        findings: what `check_bench` found.
        selected: the selection expression of a partial run.

    Raises:
        EvidenceError: the folder holds a run already, or cannot be written.
    """
    spec, content = read_bench_file(bench_path, overrides)
    requirements = read_requirements(requirements_path)
    started = utc_now()
    kind = "virtual" if spec.virtual else "bench"
    run_id = f"{started.replace(':', '-')}-{kind}"
    pump = next((finding.identity for finding in findings if finding.role == "pump"), None)
    manifest = {
        "format": FORMAT,
        "run_id": run_id,
        "started_utc": started,
        "ended_utc": None,
        "outcome": "started",
        "virtual": spec.virtual is not None,
        "seed": spec.virtual.seed if spec.virtual else None,
        "bench_file": str(bench_path),
        "bench_sha256": _sha256(split(bench_path)[0]),
        "bench": _plain(content),
        "requirements_file": str(requirements_path),
        "requirements_sha256": _sha256(requirements_path),
        "plan": {
            "name": plan.plan.name,
            "purpose": plan.plan.purpose,
            "file": str(plan.path),
            "sha256": plan.sha256,
            "every_requirement_due": plan.plan.every_requirement_due,
            "content": _plain(plan.content),
        },
        "conditions": spec.conditions.settings,
        "disposables": spec.disposables.model_dump(),
        "routine_test": read_json(tested) if (tested := spec.balance.routine_test) and tested.is_file() else None,
        "undecidable": undecidable(spec, plan.plan, requirements),
        "overrides": _plain(dict(overrides)),
        "selected": selected,
        "versions": _versions(),
        "commit": _commit(bench_path.parent),
        "firmware_sha256": _sha256(spec.virtual.firmware) if spec.virtual and spec.virtual.firmware else None,
        "operator": spec.operator,
        "equipment": [_equipment(spec, finding) for finding in findings if finding.role != "pump"],
        "dut": asdict(pump) if pump else None,
        "problems": {finding.role: finding.problem for finding in findings if finding.problem},
    }
    return RunFolder.create(out or Path("runs") / run_id, manifest)


def end_run(run: RunFolder, outcome: str) -> dict[str, Any]:
    """Join what the run measured with the requirements, write results.json, close the manifest; returns the results."""
    manifest = run.manifest()
    requirements = read_requirements(Path(manifest["requirements_file"]))
    plan = manifest["plan"]
    results = join(
        requirements,
        run.events(),
        selected=manifest["selected"],
        plan=None if plan["every_requirement_due"] else plan["name"],
    )
    write_json(run.path / "results.json", results)
    run.end(outcome)
    return results


def _equipment(spec: BenchFile, finding: Finding) -> dict[str, Any]:
    table = getattr(spec, finding.role)
    calibrated = isinstance(table, CalibratedTable)
    overdue = finding.problem is not None and "calibration was due" in finding.problem
    identity = finding.identity or Identity("", "", "", "")
    return {
        "role": finding.role,
        "driver": table.driver,
        "address": table.address,
        **asdict(identity),
        "calibrated": str(table.calibrated) if calibrated else None,
        "calibration_due": str(table.calibration_due) if calibrated else None,
        "status": "overdue" if overdue else "in date" if calibrated else "not required",
    }


def _versions() -> dict[str, str]:
    installed = {distribution.metadata["Name"].lower() for distribution in importlib.metadata.distributions()}
    packages = {name: importlib.metadata.version(name) for name in _RECORDED_PACKAGES if name in installed}
    return {"python": platform.python_version(), **packages}


def _commit(folder: Path) -> str | None:
    """Get the commit that the software was run from, marked when the tree differs from it; None outside a checkout."""
    try:
        described = subprocess.run(
            ["git", "-C", str(folder), "describe", "--always", "--abbrev=40", "--dirty", "--exclude=*"],
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return described.stdout.strip()


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _plain(value: Any) -> Any:  # noqa: ANN401 - any TOML value
    """Make TOML values fit for JSON: dates become text."""
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    return value if isinstance(value, str | int | float | bool) else str(value)
