"""An audit finds each octet that was changed in a closed run, and names the file, the line or the entry."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from rig.audit.auditing import Against, audit_run
from rig.audit.bound import anchor, held_by_key, read_anchor, refuse_unwritable_anchor
from rig.audit.files import AuditedFiles
from rig.audit.integrity import Alteration, Intact, examine
from rig.cli.app import run as rig_command
from rig.errors import BenchFileError, EvidenceError
from rig.record.closed import CLOSING
from rig.record.files import read_json, write_json
from rig.record.folder import RunFolder
from rig.record.keys import SIGNATURE, bench_key, public_key
from rig.record.seal import SEAL, head
from rig.record.trail import TRAIL, append, read
from rig.run.begin import end_run, start_run
from rig.run.inputs import Sources, read_inputs
from rig.shipped import DEFAULT_BENCH, shipped
from suites.selftest.closed_runs import FIRST, SECOND, attempted, closed_run, key_files, made_anew, reported
from suites.selftest.recorded import manifest, reopened, rig, sealed, writable

BALANCE = "record/tests/a-test_second/2/1-bolus/balance.csv"


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a signed run of the least size, and the keys that signed it: to read, never to change."""
    folder = tmp_path_factory.mktemp("signed")
    private, _ = key_files(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RIG_BENCH_KEY", str(private))
        closed_run(folder / "run")
    return folder


@pytest.fixture
def small(signed: Path, tmp_path: Path) -> Path:
    """A copy of that run, to change."""
    return writable(Path(shutil.copytree(signed / "run", tmp_path / "run")))


def found(run: Path, against: Against | None = None) -> str:
    finding = audit_run(run, against)
    assert isinstance(finding, Alteration), "nothing was found"
    assert "\n" not in str(finding)
    return str(finding)


def intact(run: Path, against: Against | None = None) -> bool:
    return isinstance(audit_run(run, against), Intact)


def examined(run: Path) -> Alteration | Intact:
    return examine(AuditedFiles.of(run))


def test_every_octet_of_a_closed_run_is_watched(signed: Path) -> None:
    files = AuditedFiles.of(signed / "run").held()
    assert isinstance(examine(files), Intact)
    assert {"trail.jsonl", "seal.sig.json", "reports/rev-1/report.pdf", "record/closing.json"} < files.files.keys()
    total = 0
    missed = []
    for name, file in files.files.items():
        data = file.data
        for at, octet in enumerate(data):
            other = data[:at] + bytes([octet ^ (1 << (at % 8))]) + data[at + 1 :]
            finding = examine(files.changed({name: other}))
            total += 1
            if not isinstance(finding, Alteration):
                missed.append((name, at))
    assert 10_000 < total <= 100_000
    assert missed == []


def test_of_a_thousand_changes_in_a_real_run_none_is_missed(recorded: Path) -> None:
    files = AuditedFiles.of(recorded).held()
    assert isinstance(examine(files), Intact)
    dice = random.Random(14)
    names = sorted(name for name, file in files.files.items() if file.sums.size)
    missed = []
    for _ in range(1_000):
        name = dice.choice(names)
        data = bytearray(files.files[name].data)
        at = dice.randrange(len(data))
        data[at] ^= dice.randrange(1, 256)
        finding = examine(files.changed({name: bytes(data)}))
        if not isinstance(finding, Alteration) or not finding.where.startswith(name):
            missed.append((name, at, finding))
    assert missed == []


def test_a_real_run_is_intact(recorded: Path) -> None:
    done = rig("audit", str(recorded))
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"head {head(recorded)}" in done.stdout.replace("\n", " ")


CHANGES: dict[str, Callable[[list[bytes]], list[bytes]]] = {
    "line 3 was altered": lambda rows: [*rows[:2], rows[2].replace(b"10.0", b"10.1"), *rows[3:]],
    "line 3 is missing": lambda rows: [*rows[:2], *rows[3:]],
    "line 3 was added": lambda rows: [*rows[:2], b"0.15,dose,10.0,1\n", *rows[2:]],
    "line 2 and line 4 were swapped": lambda rows: [rows[0], rows[3], rows[2], rows[1], *rows[4:]],
    "line 4 and the 1 after it are missing": lambda rows: rows[:3],
}


@pytest.mark.parametrize("said", CHANGES)
def test_the_line_of_a_table_is_named(small: Path, said: str) -> None:
    path = small / BALANCE
    rows = path.read_bytes().splitlines(keepends=True)
    assert len(rows) == 5
    path.write_bytes(b"".join(CHANGES[said](rows)))
    assert found(small).startswith(f"{BALANCE}: {said}")


def test_a_file_that_is_missing_added_renamed_or_swapped_is_named(small: Path) -> None:
    path = small / BALANCE
    kept = path.read_bytes()
    path.unlink()
    assert found(small) == f"{BALANCE}: the file is missing"
    path.with_name("scales.csv").write_bytes(kept)
    assert found(small) == f"{BALANCE}: the file was renamed to {BALANCE.replace('balance', 'scales')}"
    path.write_bytes(kept)
    assert found(small).endswith("scales.csv: the file was added after the run was closed")


def test_attempts_that_were_swapped_are_named(small: Path) -> None:
    tests = small / "record" / "tests" / "a-test_second"
    for old, new in (("1", "x"), ("2", "1"), ("x", "2")):
        (tests / old).rename(tests / new)
    assert "record/tests/a-test_second/1/" in found(small)
    assert "swapped with record/tests/a-test_second/2/" in found(small)


def test_a_link_in_place_of_a_file_is_named(small: Path) -> None:
    path = small / BALANCE
    path.rename(small / "elsewhere.csv")
    path.symlink_to(small / "elsewhere.csv")
    assert found(small).startswith(f"{BALANCE}: is a symbolic link")


@pytest.mark.parametrize("name", ["reports", "unfinished"])
def test_a_file_in_place_of_a_folder_is_named(small: Path, name: str) -> None:
    shutil.rmtree(small / name, ignore_errors=True)
    (small / name).write_bytes(b"")
    assert found(small) == f"{name}: is a symbolic link, a pipe, a socket, a device, or a file in place of a folder"


def test_an_anchor_file_that_cannot_be_written_is_refused_before_a_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RIG_ANCHOR", str(tmp_path / "nowhere" / "anchor"))
    with pytest.raises(BenchFileError, match=r"RIG_ANCHOR: .*anchor: the anchor file cannot be written"):
        refuse_unwritable_anchor()


@pytest.mark.parametrize("name", ["record/x", "record/tests/a-test_first/2", "reports/rev-2"])
def test_an_empty_folder_that_was_added_is_named(small: Path, name: str) -> None:
    (small / name).mkdir()
    assert found(small).startswith(f"{name}: ")


def test_an_empty_folder_of_a_test_that_was_killed_is_not_called_added(tmp_path: Path) -> None:
    run = RunFolder.create(tmp_path / "run", manifest())
    (run.record / "tests" / "a-test_first" / "1" / "1-bolus").mkdir(parents=True)
    run.end(None, "interrupted")
    assert intact(run.path)


def test_a_name_of_several_lines_is_told_in_one(small: Path) -> None:
    (small / "record" / "a\nb\x1b[2J\udcff").write_bytes(b"")
    assert found(small) == r"record/a\nb\x1b[2J\udcff: the file was added after the run was closed"


def test_a_record_that_was_taken_away_as_a_whole_is_found(small: Path) -> None:
    shutil.rmtree(small / "record")
    assert found(small) == "record: the folder is missing, and the run has been closed"


def test_documents_that_changed_places_are_named(small: Path) -> None:
    first, second = small / "reports/rev-1/report.pdf", small / "reports/rev-2/report.pdf"
    reported(small, "rev-2/report.pdf", b"%PDF-1.7 another report")
    one, other = first.read_bytes(), second.read_bytes()
    first.write_bytes(other)
    second.write_bytes(one)
    assert "is another document, reports/rev-2/report.pdf, than that of entry 2" in found(small)
    second.unlink()
    first.rename(second)
    assert found(small) == ("reports/rev-1/report.pdf: is missing, and entry 2 of the audit trail names it")
    first.write_bytes(one)
    (small / "reports/rev-1/annex.pdf").write_bytes(one)
    assert found(small) == "reports/rev-1/annex.pdf: is no document that the audit trail names: it was added"


@pytest.mark.parametrize("name", [f"record/{CLOSING}", SIGNATURE])
@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (b"{\n", b"{ \n", "is not written as the rig writes it"),
        (b"{\n", b'{\n  "head": "",\n  "head": "",\n', "names the key 'head' twice"),
        (b"{\n", b'{\n  "more": NaN,\n', "holds the number NaN"),
        (b"{\n", b'{\n  "more": 1e999,\n', "holds what no record holds"),
        (b"{\n", b"[" * 100_000, "is no JSON"),
        (b"{\n", b"\xff\n", "is no JSON"),
    ],
)
def test_odd_json_is_one_sentence(small: Path, name: str, old: bytes, new: bytes, said: str) -> None:
    path = small / name
    path.write_bytes(path.read_bytes().replace(old, new, 1))
    assert found(small).startswith(f"{name}: {said}")


@pytest.mark.parametrize("name", [f"record/{CLOSING}", TRAIL, SIGNATURE, "reports/rev-1/report.pdf"])
def test_what_was_cut_off_or_taken_away_is_named(small: Path, name: str) -> None:
    path = small / name
    path.write_bytes(path.read_bytes()[:-1])
    assert found(small).startswith(f"{name}: ")
    path.unlink()
    assert "is missing" in found(small)


def test_entries_of_the_trail_that_were_altered_moved_or_taken_away_are_named(small: Path) -> None:
    path = small / TRAIL
    entries = path.read_bytes().splitlines(keepends=True)
    assert len(entries) == 3
    path.write_bytes(b"".join(entries).replace(b"use as is", b"reject it"))
    assert found(small) == f"{TRAIL}: entry 3 was altered"
    path.write_bytes(entries[0] + entries[2])
    assert found(small) == (f"{TRAIL}: entry 2 does not follow the one before it: one was removed, added or moved")
    path.write_bytes(entries[0] + entries[2] + entries[1])
    assert found(small).startswith(f"{TRAIL}: entry 2 does not follow")
    path.write_bytes(entries[0])
    assert found(small).startswith("reports/rev-1/report.pdf: is no document that the audit trail names")


def test_a_damaged_trail_takes_no_entry(small: Path) -> None:
    (small / TRAIL).write_bytes((small / TRAIL).read_bytes()[:-1])
    before = (small / TRAIL).read_bytes()
    with pytest.raises(EvidenceError, match="entry 3"):
        append(small, who="A. Tester", what="note", new="more")
    assert (small / TRAIL).read_bytes() == before


def test_what_was_changed_between_a_tests_end_and_the_closing_is_named(tmp_path: Path) -> None:
    run = RunFolder.create(tmp_path / "run", manifest())
    run.collect(FIRST, FIRST, (), ())
    attempted(run, FIRST)
    path = run.record / "tests" / "a-test_first" / "1" / "1-bolus" / "balance.csv"
    path.write_bytes(path.read_bytes().replace(b"10.0", b"10.1", 1))
    run.end(None, "complete")
    assert found(run.path) == (
        "record/tests/a-test_first/1/1-bolus/balance.csv: was altered after the test had ended and was sealed"
    )


def test_an_attempt_whose_runner_was_killed_is_sealed_when_the_run_is_closed(tmp_path: Path) -> None:
    run = RunFolder.create(tmp_path / "run", manifest())
    for test in (FIRST, SECOND):
        run.collect(test, test, (), ())
    attempted(run, SECOND)
    attempted(run, FIRST, "interrupted", seal=False)
    assert not (run.record / "tests" / "a-test_first" / "1" / SEAL).exists()
    run.appender.close()
    run.end(None, "interrupted")
    assert intact(run.path)


def test_a_run_made_anew_as_a_whole_is_found_by_the_key_the_head_and_the_anchor_alone(
    small: Path, signed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = public_key(signed / "bench.public.pem")
    monkeypatch.setenv("RIG_ANCHOR", str(small.parent / "anchor"))
    anchor(small)
    lines = read_anchor(small.parent / "anchor")
    then = head(small)
    (small / "record" / "results.json").unlink()  # which nothing in this run could contradict
    made_anew(small)
    was = head(small)
    assert isinstance(examined(small), Intact)
    path = small / BALANCE
    path.write_bytes(path.read_bytes().replace(b"10.0", b"10.1", 1))
    made_anew(small)
    assert was != head(small)
    assert isinstance(examined(small), Intact)
    said = f"record/{CLOSING}: the head of the run is {head(small)}, and not {then}"
    assert found(small, Against(head=then)) == said
    assert "and was" in found(small, Against(anchor=lines))
    assert found(small, Against(key=key)).startswith(f"{SIGNATURE}: is missing")


def test_a_run_made_anew_and_anchored_anew_is_found_by_its_first_line_in_the_anchor(
    small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = small.parent / "anchor"
    monkeypatch.setenv("RIG_ANCHOR", str(path))
    (small / "record" / "results.json").unlink()
    made_anew(small)
    anchor(small)
    (small / BALANCE).write_bytes(b"")
    made_anew(small)
    append(small, who="A. Tester", what="note", new="Nothing to see.")
    anchor(small)
    assert intact(small)
    assert "and was" in found(small, Against(anchor=read_anchor(path)))


def test_a_run_that_says_it_was_never_closed_is_found_by_what_others_know(
    small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = small.parent / "anchor"
    monkeypatch.setenv("RIG_ANCHOR", str(path))
    anchor(small)
    then = head(small)
    reopened(small)
    with pytest.raises(EvidenceError, match="was not closed"):
        audit_run(small, Against(anchor=()))
    for against in (Against(anchor=read_anchor(path)), Against(head=then)):
        assert found(small, against).startswith(f"record/{CLOSING}: is missing, and the run ")


def test_the_benchs_key_holds_its_run_and_another_does_not(signed: Path, tmp_path: Path) -> None:
    examined_run = examined(signed / "run")
    assert isinstance(examined_run, Intact)
    _, other = key_files(tmp_path, "other")
    assert held_by_key(examined_run, public_key(signed / "bench.public.pem")) is None
    assert "is by the key" in str(held_by_key(examined_run, public_key(other)))


def test_notes_cut_off_at_the_end_are_found_by_an_anchor(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = small.parent / "anchor"
    monkeypatch.setenv("RIG_ANCHOR", str(path))
    (small / "record" / "results.json").unlink()
    made_anew(small)
    append(small, who="A. Tester", what="note", new="A needle was bent.")
    anchor(small)
    lines = (small / TRAIL).read_bytes().splitlines(keepends=True)
    (small / TRAIL).write_bytes(b"".join(lines[:-1]))
    assert intact(small)
    assert found(small, Against(anchor=read_anchor(path))).startswith(f"{TRAIL}: has 2 entries, and had 3")
    assert (small / TRAIL).write_bytes(b"".join(lines))
    assert intact(small, Against(anchor=read_anchor(path)))


def test_a_number_changed_with_all_sums_made_anew_contradicts_the_parts_of_the_record(run: Path) -> None:
    path = run / "record" / "results.json"
    path.write_text(path.read_text(encoding="utf-8").replace('"passed"', '"failed"', 1), encoding="utf-8")
    made_anew(run)
    assert isinstance(examined(run), Intact)
    assert "contradicts the parts of the record" in found(run)


def test_the_exit_code_says_what_was_found(small: Path, tmp_path: Path) -> None:
    (small / BALANCE).write_bytes(b"")
    done = rig("audit", str(tmp_path), str(small))  # what is no run keeps nobody from the next one
    assert (done.returncode, len(done.stderr.splitlines())) == (5, 1)
    assert f"ALTERED: {BALANCE}" in done.stdout.replace("\n", " ")
    done = rig("audit", str(tmp_path))
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1), done.stdout


def test_a_run_that_was_never_closed_cannot_be_audited(run: Path) -> None:
    reopened(run)
    with pytest.raises(EvidenceError, match="was not closed"):
        audit_run(run)
    end_run(RunFolder(run), "complete")
    assert intact(run) or "reports/" in found(run)


def test_a_run_of_format_1_has_no_sums(old_run: Path) -> None:
    with pytest.raises(EvidenceError, match="format 1"):
        audit_run(old_run)


def test_a_bench_key_that_is_none_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "key.pem"
    path.write_text("no key", encoding="utf-8")
    with pytest.raises(BenchFileError, match="is no PEM file of a public key"):
        public_key(path)
    monkeypatch.setenv("RIG_BENCH_KEY", str(path))
    with pytest.raises(BenchFileError, match=r"RIG_BENCH_KEY: .*key\.pem: is no PEM file of a private key"):
        bench_key()


def test_documents_of_a_rig_that_kept_no_trail_are_not_called_altered(tmp_path: Path) -> None:
    run = writable(closed_run(tmp_path / "run"))
    (run / TRAIL).unlink()
    path = run / "record" / "manifest.json"
    write_json(path, read_json(path) | {"format": 2})
    sealed(run)
    examined = examine(AuditedFiles.of(run))
    assert isinstance(examined, Intact), examined


def test_the_bench_file_names_the_key_that_signs_its_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    private, public = key_files(tmp_path)
    other, others = key_files(tmp_path, "other")
    inputs = read_inputs(Sources(shipped(DEFAULT_BENCH), {"key": str(private)}))
    for named, signer in (("", public), (str(other), others)):  # the environment goes before the file
        monkeypatch.setenv("RIG_BENCH_KEY", named)
        run = start_run(inputs, out=tmp_path / signer.stem, measures=False)
        run.end(None, "interrupted")
        assert run.manifest().key_file == str(private.resolve())
        assert intact(run.path, Against(key=public_key(signer)))


def test_a_run_does_not_begin_whose_bench_names_a_key_that_is_none(tmp_path: Path) -> None:
    inputs = read_inputs(Sources(shipped(DEFAULT_BENCH), {"key": str(tmp_path / "no.pem")}))
    with pytest.raises(BenchFileError, match=r"key: .*no\.pem: the bench's key cannot be read"):
        start_run(inputs, out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_note_of_several_lines_is_shown_in_one(
    small: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (small / "record" / "results.json").unlink()
    made_anew(small)
    append(small, who="A. Tester\n  4", what="note", new=f"Well.\n{small}: intact; head {'0' * 64}.")
    monkeypatch.setattr("sys.argv", ["rig", "audit", str(small)])
    with pytest.raises(SystemExit):
        rig_command()
    assert [line for line in capsys.readouterr().out.splitlines() if "0" * 64 in line] == [
        f"  3 {read(small)[2].at_utc} note, A. Tester\\n  4: Well.\\n{small}: intact; head {'0' * 64}."
    ]
