"""A whole run computed again into a folder of its own, and every file and verdict held against the record.

Numbers come from raw readings, facts and frozen inputs; the balance's readings are held against what it said on the
wire; what was found over all traffic, and the verdicts, are joined again from what was computed. Not responsible for
printing, nor for who changed what (`rig.record.closed`). Nothing is written into the run's record.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from rig.bench.declared import metrology
from rig.bench.file import BenchFile
from rig.errors import BenchFileError, BlockedError, DataFileError, EvidenceError
from rig.offline.numbers_apart import Apart, apart
from rig.offline.wire_masses import RESOLUTION_S, WireMasses, check_masses
from rig.procedures.catalogue import procedure_of
from rig.procedures.procedure import computed_from, kept_analyses
from rig.procedures.sampling import QUICK_S
from rig.record.closed import listed_files, refuse_altered, refuse_altered_closing, refuse_links
from rig.record.files import read_json, write_json
from rig.record.folder import RECORD, Attempt, RunFolder, keep_computed
from rig.record.invariants import INVARIANTS
from rig.record.manifest import Manifest
from rig.record.taking import INCIDENTS, read_taken
from rig.run.inputs import frozen_inputs, frozen_requirements
from rig.run.invariants import looked_through
from rig.run.reading import read_whole_run
from rig.run.results import join_run
from rig.run.software import packages, software

ALTERED = 5
"""Exit code: no version explains a difference, or the record contradicts itself or its list of files."""
OPEN = 4
"""Exit code: something differs by more than 1e-9, and versions differ that may be why."""

FROM_THE_PUMP = (
    "what the pump did and said, as facts.jsonl has it, with the phases of the readings",
    "how each test ended (events.jsonl), and what went wrong meanwhile (incidents.jsonl)",
    "readings of pressure, air and sound, which are held against no octets",
)
"""What is taken as the record has it, since nothing else in it says the same."""

NOTHING_FOLLOWS = "every number, since an input is not the one that the run had"
"""What is not computed again where a frozen input was changed."""

RECHECK_FILE = "recheck.json"
"""What was found, in the folder of what was computed again."""


@dataclass(frozen=True)
class RecomputedDifference:
    """A computed value that is not what the record holds: in which test and file, and what."""

    test: str
    attempt: int
    file: str
    what: Apart

    def __str__(self) -> str:
        """Say it in a sentence."""
        return f"{self.test}, attempt {self.attempt}, {self.file}: {self.what}"


@dataclass(frozen=True)
class Recheck:
    """What came of computing a run again.

    Attributes:
        files: computed files that were held against the record's.
        same: those that are the same byte for byte.
        rows: rows of the balance's tables that were held against its replies on the wire.
        differences: values that differ.
        contradictions: sentences on what contradicts itself whatever the version: octets, the list of files.
        not_recomputed: what is taken as the record has it, and why.
        because: versions that differ, and may explain a difference.
        verdicts: requirements whose verdict is another.
    """

    files: int
    same: int
    rows: int
    differences: tuple[RecomputedDifference, ...]
    contradictions: tuple[str, ...]
    not_recomputed: tuple[str, ...]
    because: tuple[str, ...]
    verdicts: tuple[str, ...] = ()

    @property
    def exit_code(self) -> int:
        """0 the same, or apart by 1e-9 at most and versions differ; 4 apart by more, and versions differ; 5 altered."""
        if self.contradictions or (self.differences and not self.because):
            return ALTERED
        if self.verdicts or not all(each.what.small for each in self.differences):
            return OPEN
        return 0


@dataclass(frozen=True)
class _Attempted:
    files: int = 0
    same: int = 0
    differences: tuple[RecomputedDifference, ...] = ()
    contradictions: tuple[str, ...] = ()
    not_recomputed: tuple[str, ...] = ()
    masses: WireMasses = field(default_factory=lambda: WireMasses(0, ()))


def recheck(folder: Path, out: Path, *, processes: int = 2) -> Recheck:
    """Compute a closed run again into a new folder `out`, and hold every number and verdict against its record.

    Raises:
        DataFileError: the run is of format 1, or was never closed.
        EvidenceError: the record cannot be read, or `out` cannot be written.
    """
    if not (folder / RECORD).is_dir():
        raise DataFileError(f"{folder}: holds no run that can be computed again; a run of format 1 has no phases")
    refuse_links(folder)
    run = RunFolder(folder)
    if run.closing() is None:
        raise DataFileError(f"{folder}: the run was never closed; rig report closes one that was killed")
    manifest = run.manifest()
    attempts = run.attempts()
    if not any(attempt.measurements for attempt in attempts):
        raise EvidenceError(f"{folder}: holds no measurement, so that nothing can be computed again")
    _copy_what_is_taken(run, out)
    altered = tuple(_altered(run))
    try:
        frozen_inputs(run, manifest)
        frozen_requirements(run, manifest)
    except EvidenceError as error:  # with other inputs than those of the run nothing follows from its readings
        checked = Recheck(
            0, 0, 0, (), altered or (str(error),), (NOTHING_FOLLOWS,), tuple(_versions_apart(run, manifest))
        )
        write_json(out / RECHECK_FILE, _plain(checked))
        return checked
    if processes > 1 and len(attempts) > 1:
        with ProcessPoolExecutor(processes, initializer=_begin, initargs=(folder, out)) as pool:
            found = list(pool.map(_next, range(len(attempts))))
    else:
        whole = _Whole.of(folder, out)
        found = [_attempted(whole, number) for number in range(len(attempts))]
    differences = [each for one in found for each in one.differences]
    results, verdicts = _results(run, out, manifest)
    checked = Recheck(
        files=sum(each.files for each in found),
        same=sum(each.same for each in found),
        rows=sum(each.masses.rows for each in found),
        differences=(*differences, *results),
        contradictions=(*altered, *(each for one in found for each in one.contradictions)),
        not_recomputed=tuple(
            dict.fromkeys((*FROM_THE_PUMP, *(sentence for each in found for sentence in each.not_recomputed)))
        ),
        because=tuple(_versions_apart(run, manifest)),
        verdicts=verdicts,
    )
    write_json(out / RECHECK_FILE, _plain(checked))
    return checked


def _altered(run: RunFolder) -> Iterator[str]:
    """Say what was altered since the run was closed, or contradicts other parts of the record: the first such thing."""
    closing = run.closing()
    assert closing is not None
    try:
        refuse_altered_closing(run.record)
        refuse_altered(run.record, closing.files, listed_files(run.record))
        read_whole_run(run.path)
    except EvidenceError as error:
        yield str(error)


def _copy_what_is_taken(run: RunFolder, out: Path) -> None:
    """Copy what results are joined from, and is not computed, so that they are joined from what comes out now."""
    record = out / RECORD
    try:
        record.mkdir(parents=True)
        for name in ("collected.jsonl", "manifest.json"):
            shutil.copyfile(run.record / name, record / name)
        for attempt in run.attempts():
            for path in (attempt.folder / "events.jsonl", attempt.folder / INCIDENTS):
                _copy(run, path, out)
            for measured in attempt.measurements:
                for path in (measured / "asked.json", measured / INCIDENTS):
                    _copy(run, path, out)
    except OSError as error:
        raise EvidenceError(f"{out}: cannot be written ({error.strerror}); name a new folder") from error


def _copy(run: RunFolder, path: Path, out: Path) -> None:
    if path.is_file():
        copy = out / path.relative_to(run.path)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)


@dataclass(frozen=True)
class _Whole:
    """What every attempt is computed with: read once in a process."""

    folder: Path
    out: Path
    manifest: Manifest
    spec: BenchFile
    attempts: tuple[Attempt, ...]

    @classmethod
    def of(cls, folder: Path, out: Path) -> Self:
        run = RunFolder(folder)
        manifest = run.manifest()
        return cls(folder, out, manifest, frozen_inputs(run, manifest).spec, tuple(run.attempts()))


_whole: list[_Whole] = []
"""What this process of a pool works with; one."""


def _begin(folder: Path, out: Path) -> None:
    _whole.append(_Whole.of(folder, out))


def _next(number: int) -> _Attempted:
    return _attempted(_whole[0], number)


def _attempted(whole: _Whole, number: int) -> _Attempted:
    """Compute one attempt again."""
    folder, out, manifest, spec = whole.folder, whole.out, whole.manifest, whole.spec
    attempt = whole.attempts[number]
    known = metrology(spec)
    files = same = 0
    differences: list[RecomputedDifference] = []
    contradictions: list[str] = []
    left: list[str] = []

    def compare(then: Path, now: Path) -> None:
        nonlocal files, same
        files += 1
        if then.is_file() and now.is_file() and then.read_bytes() == now.read_bytes():
            same += 1
            return
        one, other = (read_json(path) if path.is_file() else None for path in (then, now))
        name = then.relative_to(attempt.folder).as_posix()
        found = list(apart(one, other))
        if not found:
            contradictions.append(f"{then}: says the same in other bytes")
        differences.extend(RecomputedDifference(attempt.collected.title, attempt.number, name, each) for each in found)

    for measured in attempt.measurements:
        target = out / measured.relative_to(folder)
        try:
            taken = read_taken(measured)
            procedure = procedure_of(taken.asked())
            computed = computed_from(procedure, taken, known)
        except (EvidenceError, BlockedError, ValueError, KeyError) as error:
            if attempt.outcome in ("passed", "failed"):
                contradictions.append(f"{measured}: cannot be computed again ({error}), and its test came to its end")
            else:
                left.append(f"{measured.relative_to(folder)}: no value can be computed from it ({error})")
                if (measured / "computed").is_dir():
                    shutil.copytree(measured / "computed", target / "computed")
            continue
        keep_computed(target, computed.measured, kept_analyses(procedure, computed))
        if not (measured / "computed" / "measured.json").is_file() and attempt.outcome not in ("passed", "failed"):
            left.append(f"{measured.relative_to(folder)}: the record holds no values, since its test was broken off")
            shutil.rmtree(target / "computed")
            continue
        names = {path.name for place in (measured, target) for path in (place / "computed").glob("*.json")}
        for name in sorted(names):
            compare(measured / "computed" / name, target / "computed" / name)
    if (attempt.folder / INVARIANTS).is_file():
        now = out / attempt.folder.relative_to(folder) / INVARIANTS
        write_json(now, looked_through(attempt, spec).model_dump(mode="json"))
        compare(attempt.folder / INVARIANTS, now)
    try:
        late_s = RESOLUTION_S if manifest.virtual and not manifest.served else QUICK_S * manifest.speed
        masses = check_masses(attempt, manifest.bench.get("balance", {}).get("driver"), late_s)
    except BenchFileError as error:
        masses = WireMasses(0, (), str(error))
    except EvidenceError as error:
        masses = WireMasses(0, (str(error),))
    if masses.not_checked:
        left.append(masses.not_checked)
    return _Attempted(files, same, tuple(differences), (*contradictions, *masses.contradictions), tuple(left), masses)


def _results(run: RunFolder, out: Path, manifest: Manifest) -> tuple[tuple[RecomputedDifference, ...], tuple[str, ...]]:
    """Join the results again from what was computed; what differs, and whose verdict."""
    path = run.record / "results.json"
    if not path.is_file():
        return (), ()
    now = join_run(RunFolder(out), manifest, frozen_requirements(run, manifest)).model_dump(mode="json")
    write_json(out / RECORD / "results.json", now)
    (out / RECORD / "manifest.json").unlink()  # what came out now is no run, and must not be taken for one
    then = read_json(path)
    found = list(apart(_without_reasons(then), _without_reasons(now)))
    verdicts = [f"{each.where} {each.then} → {each.now}" for each in found if each.where.endswith("verdict")]
    return tuple(RecomputedDifference("the run", 1, "results.json", each) for each in found), tuple(verdicts)


def _without_reasons(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    """Take everything but the wording of reasons, which another version may write in other words."""
    if isinstance(value, dict):
        return {key: _without_reasons(inner) for key, inner in value.items() if key != "reason"}
    return [_without_reasons(inner) for inner in value] if isinstance(value, list) else value


def _versions_apart(run: RunFolder, manifest: Manifest) -> Iterator[str]:
    """Name what computes now and is not what computed then: the rig's code, Python, packages."""
    now = software()
    if manifest.software is not None and manifest.software.sha256 != now.sha256:
        yield f"the rig's code: {manifest.software.sha256[:12]} then, {now.sha256[:12]} now"
    path = run.inputs / "packages.json"
    if not path.is_file():
        return
    then = json.loads(path.read_text(encoding="utf-8"))
    installed = packages()
    for name in sorted(NUMERIC & then.keys()):
        version = installed[name].version if name in installed else "not installed"
        if then[name]["version"] != version:
            yield f"{name}: {then[name]['version']} then, {version} now"


NUMERIC = frozenset({"numpy", "scipy", "gtc", "pydantic", "pydantic-core", "pydantic_core", "soundfile"})
"""Packages in which numbers are made or written; no other can change one."""


def _plain(found: Recheck) -> dict[str, Any]:
    return {
        "files": found.files,
        "same": found.same,
        "rows": found.rows,
        "differences": [str(each) for each in found.differences],
        "contradictions": list(found.contradictions),
        "not_recomputed": list(found.not_recomputed),
        "because": list(found.because),
        "verdicts": list(found.verdicts),
        "exit_code": found.exit_code,
    }
