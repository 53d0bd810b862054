"""A run and the ledger of its bench: takes its number, tells it which pump answered and how the run ended.

At the end the record gets every run that the ledger has of the pump. Not responsible for the ledger's form
(`rig.run.ledger`), nor for what its lines show (`rig.run.ledger_findings`).
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

from rig.errors import BenchFileError, EvidenceError
from rig.record.files import utc_now, write_json
from rig.record.folder import RunFolder
from rig.record.manifest import Manifest, RunOutcome
from rig.record.pump_runs import PUMP_RUNS, PumpRun, PumpRuns
from rig.record.results import Results
from rig.record.seal import head
from rig.run.inputs import Inputs
from rig.run.ledger import REFUSED, LedgerEntry, add_to_ledger, ledger_of, read_ledger, take_number
from rig.run.ledger_findings import findings_of
from rig.run.ledger_lines import PumpSeen, RunBegun, RunEnded


def numbered(manifest: Manifest, inputs: Inputs, folder: Path) -> Manifest:
    """Take the bench's next number for a run that begins, where its bench has a ledger; returns the manifest with it.

    Raises:
        BenchFileError: the ledger was named on the command line: whoever may choose one for a call has none.
        EvidenceError: it cannot be written.
    """
    if "ledger" in inputs.sources.overrides:
        raise BenchFileError("--set ledger: the run ledger is the bench's, and stands in the bench file alone")
    path = ledger_of(inputs.sources.bench, inputs.spec)
    if path is None:
        return manifest
    begun = RunBegun(
        n=1,
        run_id=manifest.run_id,
        folder="",
        begun_utc=manifest.started_utc.strftime("%Y-%m-%dT%H:%M:%SZ"),
        begun_by=manifest.begun_by,
        operator=manifest.operator,
        serial_number=inputs.spec.pump.serial_number,
        plan=inputs.plan.plan.name,
        selected=manifest.selected,
        formal=manifest.formal,
        resumes=manifest.resumes.run_id if manifest.resumes is not None else None,
        bench=inputs.spec.name,
    )
    number, sha256 = take_number(path, begun, folder)
    return manifest.model_copy(update={"ledger_number": number, "ledger": sha256, "ledger_file": str(path.resolve())})


def note_pump(run: RunFolder, serial_number: str) -> None:
    """Tell the ledger of a run which pump answered."""
    manifest = run.manifest()
    if manifest.ledger_file is not None and manifest.ledger_number is not None:
        add_to_ledger(Path(manifest.ledger_file), PumpSeen(n=manifest.ledger_number, serial_number=serial_number))


def note_refused(manifest: Manifest) -> None:
    """Tell the ledger that a start was given up before anything was measured; a disk that is full stays silent.

    The ledger then has a run without an end, which is a finding.
    """
    if manifest.ledger_file is not None and manifest.ledger_number is not None:
        with suppress(EvidenceError):
            ended = RunEnded(n=manifest.ledger_number, ended_utc=utc_now(), outcome=REFUSED)
            add_to_ledger(Path(manifest.ledger_file), ended)


def note_end(run: RunFolder, manifest: Manifest, results: Results | None, outcome: RunOutcome) -> None:
    """Tell the ledger how a run ended that was closed; where it cannot be written, the missing end is a finding.

    A run has one end there: a copy of a run that was never closed, which is closed too, adds none.
    """
    if manifest.ledger_file is None or manifest.ledger_number is None:
        return
    judged = results.requirements if results is not None else ()
    with suppress(EvidenceError):
        if any(
            each.n == manifest.ledger_number and each.outcome for each in read_ledger(Path(manifest.ledger_file)).runs
        ):
            return
        ended = RunEnded(
            n=manifest.ledger_number,
            ended_utc=utc_now(),
            outcome=outcome,
            verdict=results.verdict.value if results is not None else None,
            requirements={row.id: row.verdict.value for row in judged if row.in_scope},
            head=head(run.path),
        )
        add_to_ledger(Path(manifest.ledger_file), ended)


def keep_pump_runs(run: RunFolder, manifest: Manifest) -> None:
    """Keep every run of this pump that the ledger has, and its findings, in the record of a run that ends."""
    if manifest.ledger_file is None or manifest.ledger_number is None:
        return
    path = Path(manifest.ledger_file)
    known = manifest.dut.serial_number if manifest.dut is not None else _declared(manifest)
    runs: tuple[PumpRun, ...] = ()
    try:
        ledger = read_ledger(path)
    except EvidenceError as error:
        findings = [str(error)]
    else:
        runs = tuple(_frozen(each) for each in ledger.runs if each.serial_number == known)
        findings = [each.what for each in findings_of(ledger, pump=known, unended=manifest.ledger_number)]
        if not any(each.sha256 == manifest.ledger for each in ledger.runs):
            findings.insert(0, f"the ledger does not have run {manifest.ledger_number}, which this is")
    kept = PumpRuns(serial_number=known, number=manifest.ledger_number, runs=runs, findings=tuple(findings))
    write_json(run.record / PUMP_RUNS, kept.model_dump(mode="json"))


def _declared(manifest: Manifest) -> str:
    pump = manifest.bench.get("pump")
    return str(pump.get("serial_number", "")) if isinstance(pump, dict) else ""


def _frozen(run: LedgerEntry) -> PumpRun:
    return PumpRun.model_validate({key: value for key, value in asdict(run).items() if key in PumpRun.model_fields})
