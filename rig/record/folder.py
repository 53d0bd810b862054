"""The record of a run: a folder that is complete up to the last line written, whatever happens next.

    record/manifest.json               what is going to be tested, with what, by which software; written once
    record/bench_check.json            the instruments and the pump as they answered before the first measurement
    record/inputs/                     bench file, plan, requirements, suites, firmware: frozen before the first reading
    record/collected.jsonl             the tests that the run is going to do, and the quantities that each measures
    record/tests/<test>/<attempt>/     one attempt at a test: how it began and ended, its wires, its seal, and
        1-<table>/                     one folder a measurement (`taking`)
    record/qualification.json          of PC and bench, where the run cites one (`rig.run.qualified`)
    record/pump_runs.json              every run of this pump by the bench's ledger, where it has one
    record/results.json                verdicts, joined from the rest
    record/rows.json                   a check sum of each line of its tables and logs (`rows`)
    record/closing.json                when and how the run ended, and the hash of every other file; written last
    trail.jsonl                        what happened to the run since (`trail`), and, where the bench has a key,
    seal.sig.json                      its signature under the head of the run (`keys`)
    reports/rev-1/                     documents made from the record
    progress.jsonl                     what a person watching wants to see; no part of the record
    host_clock.jsonl                   the host's clocks at each test's start and end; no part of the record
    lease                              held by the processes of the run as long as one of them lives (`rig.lease`)

Not responsible for verdicts (`rig.run.results`) nor for documents (`reports`). Only manifest, inputs, closing and what
comes from qualification and ledger hold wall time and paths, so that two runs of one virtual bench and seed leave the
same bytes in every other file; seals name the one made before, which may be another where tests are done side by side.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from rig.errors import BenchFileError, EvidenceError
from rig.lease import Lease
from rig.record.analyses import Analysis
from rig.record.appending import Appender, DirectAppender, appender_for
from rig.record.attempt import AttemptRecord, Began, Ended, refuse_copy
from rig.record.closed import (
    CLOSING,
    empty_folders,
    listed_files,
    make_read_only,
    refuse_altered_closing,
    with_own_hash,
)
from rig.record.drafts import CLOSING_PATH, draft_of, settle_drafts
from rig.record.files import read_json, read_json_lines, slug, utc_now, write_json
from rig.record.host_clock import NOTES, ClockNote, clock_steps, read_clock_notes
from rig.record.invariants import INVARIANTS, Invariants
from rig.record.keys import NO_KEY, SIGNATURE, bench_key, sign_head
from rig.record.manifest import BenchCheck, Closing, Manifest, RunOutcome
from rig.record.models import Incident, MeasuredRecord, QuantityRecord, Record
from rig.record.results import UNFINISHED, Outcome, Results
from rig.record.rows import keep_rows
from rig.record.seal import seal_unsealed
from rig.record.taking import INCIDENTS
from rig.record.trail import append
from rig.toml_files import explain
from rig.verdicts.limits import Measurement
from rig.verdicts.quantities import Quantity

RECORD = "record"
LEASE = "lease"
"""The file beside a record whose lock the processes of its run hold."""
_Model = TypeVar("_Model", bound=BaseModel)


class Collected(Record):
    """A line of `collected.jsonl`: a test that a run is going to do, and what it declares.

    Attributes:
        folder: its own, below `tests/`.
        requirements: ids of those that it decides.
        quantities: those that it will measure.
    """

    test: str
    folder: str
    title: str
    requirements: tuple[str, ...]
    quantities: tuple[QuantityRecord, ...] = ()


class MeasuredFile(Record):
    """`computed/measured.json`: the measured values of one measurement."""

    measured: tuple[MeasuredRecord, ...]


@dataclass(frozen=True)
class Attempt:
    """One attempt at a test, read back; `outcome` is None while it has not ended."""

    collected: Collected
    number: int
    folder: Path
    outcome: Outcome | None
    message: str | None
    duration_s: float

    @property
    def ended(self) -> bool:
        """Whether it came to its end, good or bad; False for one that was interrupted."""
        return self.outcome not in UNFINISHED

    @property
    def measurements(self) -> list[Path]:
        """Folders of its measurements, in the order in which they were taken."""
        found = {path: path.name.partition("-")[0] for path in self.folder.glob("*-*") if _holds_a_file(path)}
        return sorted((path for path, number in found.items() if number.isdecimal()), key=lambda path: int(found[path]))

    def incidents(self, *, strict: bool = False) -> list[Incident]:
        """Read what went wrong meanwhile and ended nothing, on wires and in measurements, in the order of time."""
        paths = [folder / INCIDENTS for folder in (self.folder, *self.measurements)]
        found = [checked(path, entry, Incident, strict=strict) for path in paths for entry in read_json_lines(path)]
        return sorted(found, key=lambda each: each.at_s)

    def invariants(self, *, strict: bool = False) -> Invariants | None:
        """Read what was found when its whole record was looked through; None where nobody did."""
        path = self.folder / INVARIANTS
        return read_model(path, Invariants, strict=strict) if path.is_file() else None

    def measured(self, *, strict: bool = False) -> list[MeasuredRecord]:
        """Read its measured values; EvidenceError when one quantity was measured twice, unless all measure it."""
        found: list[MeasuredRecord] = []
        seen: set[Quantity] = set()
        if (invariants := self.invariants(strict=strict)) is not None:
            found += invariants.measured
        for path in (folder / "computed" / "measured.json" for folder in self.measurements):
            if not path.is_file():
                continue
            for each in read_model(path, MeasuredFile, strict=strict).measured:
                if each.quantity.quantity in seen and not each.quantity.quantity.of_every_measurement:
                    raise EvidenceError(f"{path}: {each.name} was measured before in the same attempt")
                seen.add(each.quantity.quantity)
                found.append(each)
        return found


class RunFolder:
    """One run's folder; several processes may append to it one after the other.

    Args:
        path: the folder.
        appender: writes the files that grow; without one they are written at once.
    """

    def __init__(self, path: Path, appender: Appender | None = None) -> None:
        self.path = path
        self.record = path / RECORD
        self.appender: Appender = appender or DirectAppender()
        self.lease: Lease | None = None
        self._process = os.getpid()
        if not (self.record / "manifest.json").is_file():
            raise EvidenceError(f"{path}: there is no {RECORD}/manifest.json, so this is no run folder")

    @classmethod
    def create(cls, path: Path, manifest: Manifest) -> RunFolder:
        """Start a run in a new folder; EvidenceError when it already holds one."""
        if holds_a_run(path):
            raise EvidenceError(f"{path}: holds a run already; name another folder, a record is never overwritten")
        write_json(path / RECORD / "manifest.json", manifest.model_dump(mode="json"))
        return cls(path, appender_for(virtual=manifest.virtual and not manifest.served))

    @property
    def inputs(self) -> Path:
        """The folder of the frozen inputs."""
        return self.record / "inputs"

    def manifest(self, *, strict: bool = False) -> Manifest:
        """Read the manifest, with what the bench answered and how the run ended, where it came that far."""
        manifest = read_model(self.record / "manifest.json", Manifest, strict=strict)
        path = self.record / "bench_check.json"
        if path.is_file():
            manifest = manifest.model_copy(update=dict(read_model(path, BenchCheck, strict=strict)))
        closing = self.closing(strict=strict)
        if closing is not None:
            told = ("ended_utc", "outcome", "reason", "undone", "clock_steps")
            manifest = manifest.model_copy(update={name: getattr(closing, name) for name in told})
        return manifest

    def closing(self, *, strict: bool = False) -> Closing | None:
        """Read how the run ended; None while it was not closed. EvidenceError when that is not as it was written."""
        if not (self.record / CLOSING).is_file():
            return None
        refuse_altered_closing(self.record)
        return read_model(self.record / CLOSING, Closing, strict=strict)

    def refuse_closed(self) -> None:
        """Refuse to add anything to a run that was closed; EvidenceError."""
        if (self.record / CLOSING).exists():
            raise EvidenceError(
                f"{self.path}: the run was closed, and nothing is ever added to a closed record; begin a new run"
            )

    def checked(self, check: BenchCheck) -> None:
        """Keep what the bench answered before the first measurement; EvidenceError when the run was closed."""
        self.refuse_closed()
        write_json(self.record / "bench_check.json", check.model_dump(mode="json"))

    def end(
        self,
        results: Results | None,
        outcome: RunOutcome,
        *,
        reason: str | None = None,
        undone: Mapping[str, str] | None = None,
        changed_inputs: Sequence[str] = (),
    ) -> None:
        """Write the results, where there are any, then how and when the run ended, and the list of its files.

        From then on the files can only be read; EvidenceError when the run was closed before.
        """
        self.refuse_closed()
        self.note_clock("the end of the run")
        if results is not None:
            write_json(self.record / "results.json", results.model_dump(mode="json"))
        last_seal = seal_unsealed(self.record, self._attempt_folders())
        keep_rows(self.record)
        closing = Closing.model_validate(
            {
                "ended_utc": utc_now(),
                "outcome": outcome,
                "reason": reason,
                "undone": dict(undone or {}),
                "clock_steps": clock_steps(read_clock_notes(self.path / NOTES)),
                "changed_inputs": tuple(changed_inputs),
                "last_seal": last_seal,
                "files": listed_files(self.record),
                "empty_folders": empty_folders(self.record),
            }
        )
        content = with_own_hash(closing.model_dump(mode="json"))
        write_json(draft_of(self.path, CLOSING_PATH), content)
        self._seal_run(content["sha256"])
        settle_drafts(self.path)
        make_read_only(self.record)

    def _seal_run(self, sum_of_all: str) -> None:
        """Sign the head with the bench's key, where it has one, and begin the audit trail."""
        manifest = self.manifest()
        try:
            key = bench_key(Path(manifest.key_file) if manifest.key_file is not None else None)
            told = None
        except BenchFileError as error:  # a run that has been measured is closed, whatever became of the key
            key, told = None, str(error)
        (self.path / SIGNATURE).unlink(missing_ok=True)  # of a closing that was cut off before its entry
        if key is not None:
            told = f"signed with the bench's key {sign_head(self.path, sum_of_all, key).fingerprint}"
        who = f"{manifest.begun_by}, operator {manifest.operator or 'not named'}"
        append(self.path, who=who, what="closed", new=sum_of_all, reason=told or f"unsigned: {NO_KEY}", of=sum_of_all)

    def _attempt_folders(self) -> list[Path]:
        declared = [self.record / "tests" / each.folder for each in self.collected()]
        return [path for folder in declared for path in _numbered(folder)]

    def collect(self, test_id: str, title: str, requirements: Sequence[str], quantities: Sequence[Quantity]) -> None:
        """Declare a test that this run is going to do; one that is declared already stays as it is.

        EvidenceError when the run was closed.
        """
        self.refuse_closed()
        known = self.collected()
        if any(each.test == test_id for each in known):
            return
        name = slug(test_id)
        taken = {each.folder for each in known}
        folder = next(
            each for n in range(1, len(taken) + 2) if (each := name if n == 1 else f"{name}~{n}") not in taken
        )
        entry = Collected(
            test=test_id,
            folder=folder,
            title=title,
            requirements=tuple(requirements),
            quantities=tuple(QuantityRecord.of(each) for each in quantities),
        )
        self._append(self.record / "collected.jsonl", entry.model_dump(mode="json"))
        self._tell(test_id, {"title": title})

    def collected(self, *, strict: bool = False) -> list[Collected]:
        """Read which tests this run is going to do, in the order in which they were declared."""
        path = self.record / "collected.jsonl"
        return [checked(path, entry, Collected, strict=strict) for entry in read_json_lines(path)]

    def attempt(self, test_id: str) -> AttemptRecord:
        """Begin an attempt at a test that was declared; each gets a folder of its own.

        EvidenceError when it was not declared, or the run was closed.
        """
        self.refuse_closed()
        refuse_copy(self._process, self.path)
        folder = self.record / "tests" / self.declared(test_id).folder
        number = 1 + max((int(path.name) for path in _numbered(folder)), default=0)
        note = partial(self._note_test, test_id)
        return AttemptRecord(folder / str(number), self.appender, partial(self._tell, test_id), note)

    def attempts(self, *, strict: bool = False) -> list[Attempt]:
        """Read every attempt at every test that was declared, in that order; a test without one is left out."""
        return [
            _read_attempt(collected, path, strict=strict)
            for collected in self.collected(strict=strict)
            for path in _numbered(self.record / "tests" / collected.folder)
        ]

    def declared(self, test_id: str) -> Collected:
        """Read what one test declared; EvidenceError when it did not."""
        for each in self.collected():
            if each.test == test_id:
                return each
        raise EvidenceError(f"{self.path}: the test {test_id} was not declared before it began")

    def tell_titles(self) -> None:
        """Tell a person watching what the tests are called that were declared before."""
        for each in self.collected():
            self._tell(each.test, {"title": each.title})

    def note_clock(self, moment: str) -> None:
        """Note what the host's clocks say at a moment of the run; a disk that does not take it is no matter here."""
        line = f"{ClockNote.now(moment).model_dump_json()}\n"
        with suppress(OSError), (self.path / NOTES).open("a", encoding="utf-8") as file:
            file.write(line)

    def _note_test(self, test_id: str, moment: str) -> None:
        self.note_clock(f"the {moment} of {test_id}")

    def _tell(self, test_id: str, entry: Mapping[str, Any]) -> None:
        self._append(self.path / "progress.jsonl", {"test": test_id, **entry})

    def _append(self, path: Path, entry: Mapping[str, Any]) -> None:
        file = self.appender.open(path)
        file.json(entry)
        file.close()


def keep_computed(folder: Path, measured: Sequence[Measurement], analyses: Mapping[str, Analysis]) -> None:
    """Keep what was computed from the readings in a measurement's folder: analyses by name, and the measured values."""
    for name, analysis in analyses.items():
        write_json(folder / "computed" / f"{name}.json", analysis.model_dump(mode="json"))
    file = MeasuredFile(measured=tuple(MeasuredRecord.of(each) for each in measured))
    write_json(folder / "computed" / "measured.json", file.model_dump(mode="json"))


def holds_a_run(path: Path) -> bool:
    """Say whether a folder holds a run, of any format."""
    return (path / RECORD / "manifest.json").exists() or (path / "manifest.json").exists()


def read_model(path: Path, model: type[_Model], *, strict: bool = False) -> _Model:
    """Read a JSON file of a record; EvidenceError with file, key, what was found and what is allowed."""
    return checked(path, read_json(path), model, strict=strict)


def checked(path: Path, content: Mapping[str, Any], model: type[_Model], *, strict: bool = False) -> _Model:
    """Check what a file of a record holds; EvidenceError with file, key, what was found and what is allowed.

    `strict` refuses keys that the model does not know, too.
    """
    try:
        return model.model_validate(content, extra="forbid" if strict else None)
    except ValidationError as error:
        raise EvidenceError(explain(path, error, model, content)) from error


def _holds_a_file(folder: Path) -> bool:
    """Say whether a measurement left more than a file that was being written when its process was killed."""
    return any(path.is_file() and path.suffix != ".partial" for path in folder.rglob("*"))


def _numbered(folder: Path) -> list[Path]:
    """List the folders of attempts in their order; a copy that somebody has put beside them is none."""
    return sorted((path for path in folder.glob("*") if path.name.isdecimal()), key=lambda path: int(path.name))


def _read_attempt(collected: Collected, folder: Path, *, strict: bool) -> Attempt:
    path = folder / "events.jsonl"
    found = [
        checked(path, event, Ended if event.get("event") == "end" else Began, strict=strict)
        for event in read_json_lines(path)
    ]
    ends = [event for event in found if isinstance(event, Ended)]
    later = next((each.outcome for each in ends[1:] if each.outcome not in ("error", "interrupted")), None)
    if later is not None:
        raise EvidenceError(
            f"{path}: the test ended as {ends[0].outcome}, and once more as {later}, which no test does"
        )
    end = ends[-1] if ends else None
    if end is None:
        return Attempt(collected, int(folder.name), folder, None, None, 0.0)
    return Attempt(collected, int(folder.name), folder, end.outcome, end.message, end.duration_s)
