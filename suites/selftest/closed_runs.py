"""Small closed runs with all that is evidence, written by the record's own code, for tests of what finds a change.

Not responsible for measurements: the readings are nobody's.
"""

from __future__ import annotations

from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from rig.clock import SimClock
from rig.record.closed import CLOSING, listed_files, sums, with_own_hash
from rig.record.drafts import draft_of, enter_document, writing
from rig.record.files import read_json, write_json, write_whole
from rig.record.folder import RunFolder
from rig.record.keys import SIGNATURE
from rig.record.manifest import BenchCheck
from rig.record.results import Outcome, Results
from rig.record.rows import ROWS, row_sums_of
from rig.record.seal import SEAL, Seal, seal_unsealed
from rig.record.taking import Asked
from rig.record.trail import TRAIL, append
from rig.verdicts.limits import Verdict
from suites.selftest.recorded import manifest, writable

FIRST, SECOND = "a.py::test_first", "a.py::test_second"


def key_files(folder: Path, name: str = "bench") -> tuple[Path, Path]:
    """Make a private and a public key in two PEM files."""
    folder.mkdir(parents=True, exist_ok=True)
    key = Ed25519PrivateKey.generate()
    private, public = folder / f"{name}.pem", folder / f"{name}.public.pem"
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    public.write_bytes(
        key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    return private, public


def attempted(run: RunFolder, test: str, outcome: Outcome = "passed", *, readings: int = 4, seal: bool = True) -> None:
    """Have a test attempted: some readings, some octets on a wire, an end; sealed, unless its process was killed."""
    clock = SimClock()
    attempt = run.attempt(test)
    attempt.start(clock)
    recorder = attempt.take(Asked(table="bolus", parameters={"size_u": 1.0}))
    for number in range(readings):
        clock.sleep(0.1)
        recorder.sample("balance", "dose", mass_g=10.0 + 1e-5 * number, stable=True)
        attempt.wires.wire(clock.now(), "balance", "<", b"S S 10.0000%d g" % number)
    recorder.step("weighed")
    attempt.end(outcome)
    attempt.wires.close()
    if seal:
        attempt.seal()


def closed_run(path: Path, *, readings: int = 4) -> Path:
    """Make a run of two tests, the second attempted twice, with a report and a note, signed by whatever key is set."""
    (path / "record" / "inputs").mkdir(parents=True)
    (path / "record" / "inputs" / "plan.toml").write_text('name = "crafted"\n', encoding="utf-8")
    run = RunFolder.create(path, manifest())
    run.checked(BenchCheck(equipment=(), dut=None, problems={}))
    for test in (FIRST, SECOND):
        run.collect(test, test, ("R1",), ())
    attempted(run, FIRST, readings=readings)
    attempted(run, SECOND, "error", readings=readings)
    attempted(run, SECOND, readings=readings)
    run.end(Results(verdict=Verdict.UNSET, outcome="complete", requirements=(), tests=()), "complete")
    reported(path, "rev-1/report.pdf", b"%PDF-1.7 a report")
    append(path, who="A. Tester", what="note", new="The lamp flickered.", test=FIRST, disposition="use as is")
    return path


def reported(run: Path, name: str, data: bytes) -> None:
    """Lay a document into a run, with its entry in the trail."""
    with writing(run):
        write_whole(draft_of(run, f"reports/{name}"), data)
        enter_document(run, f"reports/{name}", "rig report", f"reports/{name} was written")


def made_anew(run: Path) -> None:
    """Make every sum of a changed run anew, as somebody does who knows how: seals, rows, closing, trail."""
    writable(run)
    record = run / "record"
    folder = RunFolder(run)
    order = {each.previous: path.parent for path in record.glob(f"tests/*/*/{SEAL}") for each in [_seal(path)]}
    folders, last = [], None
    while last in order:
        last, path = _seal(order[last] / SEAL).sha256, order[last]
        folders.append(path)
    for path in folders:
        (path / SEAL).unlink()
    last = seal_unsealed(record, folders)
    write_json(record / ROWS, row_sums_of(record).model_dump(mode="json"))
    files = {name: file.model_dump(mode="json") for name, file in listed_files(record).items()}
    write_json(record / CLOSING, with_own_hash(read_json(record / CLOSING) | {"files": files, "last_seal": last}))
    (run / SIGNATURE).unlink(missing_ok=True)
    (run / TRAIL).unlink()
    append(run, who="rig verify", what="closed", new=folder.closing().sha256)  # type: ignore[union-attr]
    for path in sorted((run / "reports").rglob("*.*")):
        name = path.relative_to(run).as_posix()
        append(run, who="rig report", what="report", new=sums(path).sha256, reason=f"{name} was written")


def _seal(path: Path) -> Seal:
    return Seal.model_validate(read_json(path))
