"""What a run reads, frozen before it measures: bench, plan, pump sheet, requirements, hazards, faults, suites, image.

Everything is read once, checked, and copied into the run's `record/inputs/`; whoever goes on with the run reads those
copies, whose hashes stand in the manifest. Not responsible for the run (`rig.run.begin`).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from rig.bench.channels import split
from rig.bench.far_side import refuse_unknown_devices
from rig.bench.file import BenchFile, parse_bench_file
from rig.errors import BenchFileError, EvidenceError
from rig.faults import parse_faults
from rig.procedures.catalogue import KINDS
from rig.pump_sheet.sheet import PumpSheet, parse_pump_sheet
from rig.record.files import write_whole
from rig.record.folder import RunFolder
from rig.record.manifest import Manifest
from rig.record.proof import parse_proof
from rig.run.plan import PlanFile, TestPlan, parse_plan, read_plan
from rig.run.software import SUITE_SUFFIXES, packages
from rig.shipped import (
    DEFAULT_FAULTS,
    DEFAULT_HAZARDS,
    DEFAULT_PLAN,
    DEFAULT_PUMP_SHEET,
    DEFAULT_REQUIREMENTS,
    PUMP_SUITES,
    shipped,
)
from rig.toml_files import read_file
from rig.verdicts.hazards import HAZARDS, Hazard, hazards_beside, parse_hazards, refuse_unknown_hazards
from rig.verdicts.requirements import Requirement, parse_requirements

BENCH, PLAN, REQUIREMENTS, FIRMWARE = "bench.json", "plan.toml", "requirements.toml", "firmware.elf"
SYMBOLS = "symbols.elf"
PUMP_SHEET, FAULTS = "pump_sheet.toml", "faults.toml"
ROUTINE_TEST, PACKAGES, SUITES = "routine_test.json", "packages.json", "suites/pump"
PROOF = "proof.json"


@dataclass(frozen=True)
class Sources:
    """Where a run's inputs stand: a bench file and settings over it, requirements, a plan by file or name, suites.

    `pump_sheet` None takes the one that the bench file names. `proof` is what `rig prove` wrote of these suites; None
    takes none.
    """

    bench: Path
    overrides: Mapping[str, Any]
    requirements: Path = field(default_factory=partial(shipped, DEFAULT_REQUIREMENTS))
    plan: str = DEFAULT_PLAN
    suites: Path = field(default_factory=partial(shipped, PUMP_SUITES))
    pump_sheet: Path | None = None
    proof: Path | None = None


@dataclass(frozen=True)
class Inputs:
    """The inputs of a run, read once.

    Attributes:
        sources: where they stood.
        spec: the bench; its files are those of the sources until they are frozen.
        bench: the same as plain data, with the channel's tables and the settings laid over it.
        sheet: what is claimed of the pump; its file is that of the source.
        plan: the test plan.
        requirements: by id, in their order.
        hazards: by id, in their order.
        files: what is frozen, by its path below `inputs/`.
    """

    sources: Sources
    spec: BenchFile
    bench: dict[str, Any]
    sheet: PumpSheet
    plan: PlanFile
    requirements: dict[str, Requirement]
    hazards: dict[str, Hazard]
    files: dict[str, bytes]

    @property
    def sha256(self) -> dict[str, str]:
        """The hash of each file that is frozen."""
        return {name: hashlib.sha256(data).hexdigest() for name, data in self.files.items()}


@dataclass(frozen=True)
class Frozen:
    """The inputs of a run as it reads them back, and the hash of each file that they were read from.

    `sheet` is None in a run of a rig that knew no pump sheets.
    """

    spec: BenchFile
    sheet: PumpSheet | None
    plan: TestPlan
    requirements: dict[str, Requirement]
    sha256: Mapping[str, str]


def read_inputs(sources: Sources) -> Inputs:
    """Read and check everything that a run needs.

    Raises:
        BenchFileError: one sentence on the first file, key or setting that is wrong.
    """
    bench_data = read_file(split(sources.bench)[0])
    spec, bench = parse_bench_file(sources.bench, bench_data, sources.overrides)
    refuse_unknown_devices(spec)
    sheet_path = pump_sheet_of(sources.bench, spec, sources.pump_sheet)
    sheet_data = read_file(sheet_path)
    sheet = parse_pump_sheet(sheet_path, sheet_data)
    sheet.refuse_placeless()
    plan = read_plan(sources.plan, sheet)
    requirements_data = read_file(sources.requirements)
    requirements = parse_requirements(sources.requirements, requirements_data, KINDS, sheet)
    hazards_path = hazards_beside(sources.requirements, shipped(DEFAULT_HAZARDS))
    hazards_data = read_file(hazards_path)
    hazards = parse_hazards(hazards_path, hazards_data)
    refuse_unknown_hazards(sources.requirements, hazards, requirements.values())
    sheet.refuse_unknown_hazards(hazards)
    faults = shipped(DEFAULT_FAULTS)
    faults_data = read_file(faults)
    parse_faults(faults, faults_data, sheet)
    files = {"bench.toml": bench_data, PUMP_SHEET: sheet_data, PLAN: plan.data}
    files |= {REQUIREMENTS: requirements_data, HAZARDS: hazards_data, FAULTS: faults_data}
    frozen = fit_for_json(bench)
    frozen["pump"]["sheet"] = PUMP_SHEET
    if spec.virtual is not None and spec.virtual.firmware is not None:
        files[FIRMWARE] = read_file(spec.virtual.firmware)
        frozen["virtual"]["firmware"] = FIRMWARE
    if spec.probe is not None and spec.probe.symbols is not None:
        files[SYMBOLS] = read_file(spec.probe.symbols)
        frozen["probe"]["symbols"] = SYMBOLS
    if spec.balance.routine_test is not None and spec.balance.routine_test.is_file():
        files[ROUTINE_TEST] = read_file(spec.balance.routine_test)
        frozen["balance"]["routine_test"] = ROUTINE_TEST
    files[BENCH] = _json(frozen)
    files[PACKAGES] = _json({name: package.model_dump() for name, package in packages().items()})
    files |= _suite_files(sources.suites)
    if sources.proof is not None:
        files[PROOF] = read_file(sources.proof)
        parse_proof(sources.proof, files[PROOF])
    return Inputs(sources, spec, fit_for_json(bench), sheet, plan, requirements, hazards, files)


def pump_sheet_of(path: Path, spec: BenchFile, wanted: Path | None) -> Path:
    """Choose the pump sheet: the one that is wanted, else the bench file's; a virtual bench has the reference pump's.

    Raises:
        BenchFileError: a bench that is not virtual names none.
    """
    if wanted is not None:
        return wanted
    if spec.pump.sheet is not None:
        return spec.pump.sheet
    if spec.virtual is None:
        raise BenchFileError(
            f"{path}: pump.sheet is missing: name the file of what the pump's maker claims, here or with --pump-sheet "
            "(docs/pump-sheets.md)"
        )
    return shipped(DEFAULT_PUMP_SHEET)


def freeze(inputs: Inputs, folder: Path) -> None:
    """Write the frozen inputs; EvidenceError when the disk does not take them."""
    for name, data in inputs.files.items():
        write_whole(folder / name, data)


def frozen_inputs(run: RunFolder, manifest: Manifest) -> Frozen:
    """Read back the inputs of a run.

    Raises:
        EvidenceError: one of them is not what it was when the run began, or has come since.
    """
    data = refuse_changed_inputs(run, manifest.inputs)
    try:
        bench_path = run.inputs / BENCH
        spec, _ = parse_bench_file(bench_path, data[BENCH], {}, load=json.loads)
        sheet = parse_pump_sheet(run.inputs / PUMP_SHEET, data[PUMP_SHEET]) if PUMP_SHEET in data else None
        plan = parse_plan(run.inputs / PLAN, data[PLAN], sheet).plan
        requirements = parse_requirements(run.inputs / REQUIREMENTS, data[REQUIREMENTS], KINDS, sheet)
    except KeyError as error:
        raise EvidenceError(f"{run.path}: the manifest names no frozen input {error}") from error
    return Frozen(spec, sheet, plan, requirements, manifest.inputs)


def refuse_changed_inputs(run: RunFolder, sha256: Mapping[str, str]) -> dict[str, bytes]:
    """Read the frozen inputs, by their path below `inputs/`.

    Raises:
        EvidenceError: one of them has not the hash that it had when the run began, or has come since.
    """
    data = {}
    for name in [*sha256, *_added(run, sha256)]:
        data[name], problem = _read_frozen(run, name, sha256)
        if problem is not None:
            raise EvidenceError(f"{problem}; begin a new run")
    return data


def refuse_other_faults(sha256: Mapping[str, str]) -> None:
    """Refuse a catalogue of faults that is not the one that a run froze: what is injected comes from the rig's own.

    Raises:
        EvidenceError: it was changed after the run began.
    """
    path = shipped(DEFAULT_FAULTS)
    frozen = sha256.get(FAULTS)  # runs of earlier versions have none
    if frozen is not None and hashlib.sha256(read_file(path)).hexdigest() != frozen:
        raise EvidenceError(f"{path}: the catalogue of faults was changed after the run began; begin a new run")


def changed_inputs(run: RunFolder, sha256: Mapping[str, str]) -> dict[str, str]:
    """Find the frozen inputs that are not what they were when the run began; a sentence by the path of each."""
    problems = {name: _read_frozen(run, name, sha256)[1] for name in [*sha256, *_added(run, sha256)]}
    return {name: problem for name, problem in problems.items() if problem is not None}


def frozen_requirements(run: RunFolder, manifest: Manifest) -> dict[str, Requirement]:
    """Read the frozen requirements, with the claims of the frozen pump sheet.

    Raises:
        EvidenceError: one of the two is not what it was when the run began.
    """
    if REQUIREMENTS not in manifest.inputs:
        return {}
    data: dict[str, bytes] = {}
    for name in (REQUIREMENTS, PUMP_SHEET):
        if name in manifest.inputs:
            data[name], problem = _read_frozen(run, name, manifest.inputs)
            if problem is not None:
                raise EvidenceError(problem)
    sheet = parse_pump_sheet(run.inputs / PUMP_SHEET, data[PUMP_SHEET]) if PUMP_SHEET in data else None
    return parse_requirements(run.inputs / REQUIREMENTS, data[REQUIREMENTS], KINDS, sheet)


def _added(run: RunFolder, sha256: Mapping[str, str]) -> list[str]:
    paths = [path for path in sorted(run.inputs.rglob("*")) if path.is_file()]
    return [name for path in paths if (name := path.relative_to(run.inputs).as_posix()) not in sha256]


def _read_frozen(run: RunFolder, name: str, sha256: Mapping[str, str]) -> tuple[bytes, str | None]:
    """Read one of the frozen inputs, and say what is wrong with it."""
    path = run.inputs / name
    if name not in sha256:
        return b"", f"{path}: was put among the frozen inputs after the run began"
    try:
        data = path.read_bytes()
    except OSError as error:
        return b"", f"{path}: the frozen input cannot be read ({error.strerror})"
    same = hashlib.sha256(data).hexdigest() == sha256[name]
    return data, None if same else f"{path}: the frozen input was changed after the run began"


def _suite_files(folder: Path) -> dict[str, bytes]:
    if not folder.is_dir():
        raise BenchFileError(f"{folder}: there is no such folder of suites")
    paths = sorted(
        path
        for path in folder.rglob("*")
        if path.is_file() and path.suffix in SUITE_SUFFIXES and "__pycache__" not in path.parts
    )
    return {f"{SUITES}/{path.relative_to(folder).as_posix()}": read_file(path) for path in paths}


def _json(content: Mapping[str, Any]) -> bytes:
    return (json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode()


def fit_for_json(value: Any) -> Any:  # noqa: ANN401 - any TOML value
    """Make TOML values fit for JSON: dates become text."""
    if isinstance(value, dict):
        return {key: fit_for_json(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [fit_for_json(inner) for inner in value]
    return value if isinstance(value, str | int | float | bool) else str(value)
