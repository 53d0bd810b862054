"""Whatever is changed in a signed report is found by the judgement of its signatures, offline and years later.

Not responsible for what is refused when a report is signed (`test_signing`).
"""

from __future__ import annotations

import datetime
import io
import shutil
from pathlib import Path

import pytest
from pyhanko.pdf_utils.generic import pdf_name, pdf_string
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter

from rig.record.seal import head
from rig.signing.certificates import utc_moment
from rig.signing.judging import judge_file, judge_signatures
from rig.signing.key_file import read_key
from rig.signing.keys import revoke
from rig.signing.meaning import ORDER
from suites.selftest.signed import (
    ADA,
    AUTHORITY_PASSPHRASE,
    BEA,
    PASSPHRASE,
    Keys,
    laboratory_keys,
    missed_changes,
    reported_run,
    sign_as,
    signed_run,
)

DAY = datetime.timedelta(days=1)
REPORT, SIGNED = Path("reports/rev-1/report.pdf"), Path("reports/rev-1/report.signed.pdf")


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    """A laboratory's keys; its folder of roots is to read alone."""
    return laboratory_keys(tmp_path_factory.mktemp("keys"))


@pytest.fixture(scope="module")
def whole(keys: Keys, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run whose report is signed three times, to read alone."""
    return signed_run(tmp_path_factory.mktemp("whole") / "run", keys)


@pytest.fixture
def signed(whole: Path, tmp_path: Path) -> Path:
    """A copy of it, to change."""
    return Path(shutil.copytree(whole, tmp_path / "run"))


def findings(run: Path, roots: Path) -> set[str]:
    """What is found in the signatures of a run."""
    return {sentence for each in judge_signatures(run, roots) for sentence in each.findings}


def test_each_changed_byte_is_found(signed: Path, keys: Keys) -> None:
    assert missed_changes(signed, keys, n=20) == []
    assert findings(signed, keys.roots) == set()


def test_changed_byte_of_what_is_signed_is_found_without_the_trail(whole: Path, keys: Keys) -> None:
    data, report, laboratory = (whole / SIGNED).read_bytes(), (whole / REPORT).read_bytes(), keys.laboratory()
    for at in range(20, len(report), len(report) // 10):
        changed = data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]
        judged = judge_file(changed, report, head(whole), laboratory)
        assert not any(each.holds for each in judged), at


def test_increment_after_the_last_signature_is_found_by_the_file_alone(whole: Path, keys: Keys) -> None:
    writer = IncrementalPdfFileWriter(io.BytesIO((whole / SIGNED).read_bytes()))
    writer.root[pdf_name("/Lang")] = pdf_string("de")
    writer.update_root()
    out = io.BytesIO()
    writer.write(out)
    judged = judge_file(out.getvalue(), (whole / REPORT).read_bytes(), head(whole), keys.laboratory())
    assert [each.holds for each in judged] == [False, False, False]
    assert "the file was changed after it, by more than a further signature" in judged[2].findings
    assert "it does not cover the whole file" in judged[2].findings


def test_removed_signature_is_found(keys: Keys, tmp_path: Path) -> None:
    run = reported_run(tmp_path / "run")
    sign_as(run, keys, ORDER[0])
    once = (run / SIGNED).read_bytes()
    sign_as(run, keys, ORDER[1])
    (run / SIGNED).write_bytes(once)
    assert [(each.meaning, each.holds) for each in judge_signatures(run, keys.roots)] == [
        (ORDER[0], False),
        (ORDER[1], False),
    ]
    assert any(f"the signature of {BEA} (reviewed) was removed" in each for each in findings(run, keys.roots))
    (run / SIGNED).unlink()
    assert any("was removed; the audit trail names 2 signatures" in each for each in findings(run, keys.roots))


def test_removed_report_is_found(signed: Path, keys: Keys) -> None:
    (signed / REPORT).unlink()
    assert any("report.pdf: cannot be read" in each for each in findings(signed, keys.roots))


def test_signatures_do_not_move_to_another_run(signed: Path, keys: Keys, tmp_path: Path) -> None:
    other = reported_run(tmp_path / "other", "another report")
    shutil.copy(signed / SIGNED, other / SIGNED)
    found = findings(other, keys.roots)
    assert "it is of another report than the one beside it" in found
    assert any("is not in the audit trail" in each for each in found)
    shutil.copy(signed / REPORT, other / REPORT)
    assert any("is not in the audit trail" in each for each in findings(other, keys.roots))


def test_signatures_do_not_move_to_a_record_with_another_head(whole: Path, keys: Keys) -> None:
    data, report = (whole / SIGNED).read_bytes(), (whole / REPORT).read_bytes()
    judged = judge_file(data, report, "0" * 64, keys.laboratory())
    assert [each.findings for each in judged] == [("it is of a record with another head than this run's",)] * 3


def test_exchanged_reports_are_found(signed: Path, keys: Keys, tmp_path: Path) -> None:
    other = signed_run(tmp_path / "other", keys, "another report")
    for name in (REPORT, SIGNED):
        mine, its = (signed / name).read_bytes(), (other / name).read_bytes()
        (signed / name).write_bytes(its)
        (other / name).write_bytes(mine)
    for run in (signed, other):
        assert any(f"was changed since {BEA} signed it" in each for each in findings(run, keys.roots))


def test_another_laboratorys_roots_do_not_trust_them(signed: Path, tmp_path: Path) -> None:
    other = laboratory_keys(tmp_path / "other")
    assert findings(signed, other.roots) == {"its certificate does not lead to a root of the laboratory"}


def test_signature_holds_after_its_certificate_has_expired_and_says_whose_clock(signed: Path, keys: Keys) -> None:
    judged = judge_signatures(signed, keys.roots, utc_moment() + 1500 * DAY)
    assert [each.findings for each in judged] == [(), (), ()]
    assert all("its time is that of the signer's own computer" in each.notes for each in judged)
    assert all(any(note.startswith("its certificate expired on") for note in each.notes) for each in judged)


def test_signature_without_a_time_stamp_falls_with_its_certificate(tmp_path: Path) -> None:
    keys = laboratory_keys(tmp_path / "keys")
    run = signed_run(tmp_path / "run", keys)
    folder = keys.folder / "ca"
    of_ada = read_key(keys.key(ADA), PASSPHRASE).certificate
    authority = read_key(folder / "authority.p12", AUTHORITY_PASSPHRASE)
    revoke(authority, folder, folder / "issued" / f"{of_ada.serial_number:x}.pem", utc_moment() + DAY)
    judged = judge_signatures(run, keys.roots)
    assert [each.holds for each in judged] == [False, True, True]
    assert judged[0].findings[0].startswith("its certificate was revoked on")


def test_roles_are_held_against_what_was_signed(tmp_path: Path) -> None:
    keys = laboratory_keys(tmp_path / "keys")
    run = signed_run(tmp_path / "run", keys)
    (keys.roots / "roles.toml").write_text(f'authored = ["{ADA}"]\nreviewed = ["{BEA}"]\n', encoding="utf-8")
    assert [each.findings for each in judge_signatures(run, keys.roots)] == [
        (),
        (),
        (f"roles.toml does not name {BEA} among those by whom a report is approved",),
    ]


@pytest.mark.parametrize("data", [b"", b"%PDF-1.7\n", b"no PDF at all"])
def test_what_is_no_pdf_is_a_finding(whole: Path, keys: Keys, data: bytes) -> None:
    judged = judge_file(data, b"", head(whole), keys.laboratory())
    assert [each.holds for each in judged] == [False]
