"""`rig verify` as people and CI call it: exit codes, what is kept, and that wrong pumps are caught."""

import json
import os
import resource
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from rig.record.reading import read_run
from suites.selftest.recorded import rig

SHORT = "stopped"  # the shortest test of the pump suite: half an hour of bench time
OF_EVERY_RECORD = ("PR-V1.1", "PR-V1.2", "PR-V1.3")
MUTANTS = Path("fixtures/controller/mutants")


def verify(out: Path, *arguments: str) -> tuple[int, dict[str, Any], str]:
    done = rig("verify", "--out", str(out), *arguments)
    results = out / "record" / "results.json"
    content = json.loads(results.read_text(encoding="utf-8")) if results.exists() else {}
    return done.returncode, content, done.stdout + done.stderr


def verdicts(results: dict[str, Any]) -> dict[str, str]:
    return {row["id"]: row["verdict"] for row in results["requirements"] if row["in_scope"]}


def files(run: Path) -> dict[str, bytes]:
    """Every file of the record but those that hold wall time and paths, and seals, which name the one made before."""
    record = run / "record"
    apart = ("manifest.json", "closing.json", "seal.json")
    paths = [path for path in record.rglob("*") if path.is_file() and path.name not in apart]
    assert len(paths) > 20
    return {str(path.relative_to(run)): path.read_bytes() for path in paths}


def test_a_good_pump_passes_and_leaves_a_whole_record(tmp_path: Path) -> None:
    code, results, output = verify(tmp_path / "run", "--select", SHORT)
    assert (code, verdicts(results)) == (0, dict.fromkeys(("PR-D7.1", "PR-F6.1", *OF_EVERY_RECORD), "PASS")), output
    run = tmp_path / "run"
    manifest = read_run(run, strict=True).manifest
    assert (manifest.format, manifest.virtual, manifest.outcome, manifest.selected) == (3, True, "complete", SHORT)
    assert [equipment.status for equipment in manifest.equipment].count("in date") == 3
    assert manifest.dut is not None
    assert manifest.dut.serial_number == "RC1-000001"
    assert (run / "reports" / "rev-1" / "report.pdf").read_bytes().startswith(b"%PDF")
    assert "PASS" in output
    assert "report.pdf" in output
    assert not list((run / "record" / "inputs").rglob("__pycache__"))


def test_the_same_seed_leaves_the_same_bytes_also_in_another_process_on_a_busy_machine(tmp_path: Path) -> None:
    select = "PR-F1.1 or PR-D5.1"
    with subprocess.Popen([sys.executable, "-c", "while True: pass"]) as load:
        code, _, output = verify(tmp_path / "a", "--select", select)
        load.kill()
    assert code == 0
    assert f"Page: {tmp_path / 'a' / 'reports' / 'rev-1' / 'report.html'}" in output
    assert verify(tmp_path / "b", "--select", select)[0] == 0
    first, second = files(tmp_path / "a"), files(tmp_path / "b")
    assert first.keys() == second.keys()
    assert [name for name in first if first[name] != second[name]] == []


def test_another_seed_is_another_pump(tmp_path: Path) -> None:
    verify(tmp_path / "a", "--select", SHORT)
    verify(tmp_path / "b", "--select", SHORT, "--set", "virtual.seed=2")
    assert files(tmp_path / "a")["record/results.json"] != files(tmp_path / "b")["record/results.json"]


@pytest.mark.parametrize(
    ("mutant", "select", "failing"),
    [
        (
            "over_deliver_10_percent",
            "PR-D1.1 or PR-D3.2 or PR-D3.3 or PR-H3.1",
            {"PR-D1.1", "PR-D3.2", "PR-D3.3", "PR-H3.1"},
        ),
        (
            "over_deliver_10_percent",
            "PR-D4.1 or PR-D4.2 or PR-D2.1 or PR-D6.1",
            {"PR-D4.1", "PR-D4.2", "PR-D2.1", "PR-D6.1"},
        ),
        ("drop_one_pulse_in_twenty", "PR-D1.3", {"PR-D1.3"}),
        ("never_alarm", "PR-F1.1 or PR-F1.2", {"PR-F1.1", "PR-F1.2"}),
        ("never_alarm", "PR-F1.5 or PR-F1.6", {"PR-F1.5", "PR-F1.6"}),
    ],
)
def test_a_wrong_pump_is_caught(tmp_path: Path, mutant: str, select: str, failing: set[str]) -> None:
    image = (MUTANTS / f"{mutant}.elf").resolve()
    code, results, output = verify(tmp_path / "run", "--select", select, "--set", f"virtual.firmware={image}")
    assert code == 1, output
    assert {name for name, verdict in verdicts(results).items() if verdict == "FAIL"} >= failing


@pytest.mark.parametrize(
    ("setting", "sentence"),
    [
        ("balance.calibration_due=2026-11-22", "its calibration was due on 2026-11-22, today is 2026-11-23"),
        ("virtual.serial_numbers.balance=B000000000", "'B831204417' in the bench file"),
        ("virtual.fault=[{device='pump',kind='mute',at='0 s'}]", "no reply within"),
    ],
)
def test_a_bench_that_is_not_fit_blocks_the_run(tmp_path: Path, setting: str, sentence: str) -> None:
    code, results, output = verify(tmp_path / "run", "--select", SHORT, "--set", setting)
    assert code == 3, output
    assert sentence in output
    assert "Traceback" not in output
    assert read_run(tmp_path / "run", strict=True).manifest.outcome == "blocked"
    assert "PASS" not in verdicts(results).values()
    assert not list(tmp_path.rglob("asked.json")), "something was measured"


def test_a_balance_too_coarse_to_decide_is_inconclusive(tmp_path: Path) -> None:
    coarse = "balance.repeatability=1 mg"
    code, results, output = verify(tmp_path / "run", "--select", "PR-D1.2", "--set", coarse)
    assert code == 4, output
    assert verdicts(results)["PR-D1.2"] == "INCONCLUSIVE"


def test_a_disk_that_fills_up_is_a_rig_error_and_data_are_kept(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "rig", "verify", "--out", str(tmp_path / "run"), "--select", "PR-D1.1"],
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, 400_000)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 3
    assert "cannot be written (File too large)" in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert next((tmp_path / "run" / "record").rglob("wire.log")).stat().st_size > 390_000


@pytest.mark.parametrize("kind", ["mute", "garbage"])
@pytest.mark.parametrize("device", ["balance", "pressure", "pump"])
def test_a_device_that_fails_in_mid_run_is_a_rig_error_and_data_are_kept(
    tmp_path: Path, device: str, kind: str
) -> None:
    fault = f"virtual.fault=[{{device='{device}',kind='{kind}',at='20 min'}}]"
    code, results, output = verify(tmp_path / "run", "--select", "test_consecutive_boluses and 0.1", "--set", fault)
    assert (code, verdicts(results)) == (3, dict.fromkeys(("PR-D3.1", "PR-D7.2", "PR-F6.1"), "ERROR")), output
    assert device in next(row["reason"] for row in results["requirements"] if row["id"] == "PR-D3.1")
    samples = next((tmp_path / "run" / "record").rglob("balance.csv")).read_text().splitlines()
    assert len(samples) > 300
    assert "Traceback" not in output


def test_an_interrupted_run_keeps_its_data_and_leaves_the_bench_safe(tmp_path: Path) -> None:
    run = tmp_path / "run"
    command = [sys.executable, "-m", "rig", "verify", "--out", str(run), "--select", "PR-D1.1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True) as process:
        while not list(run.glob("record/tests/*/1/*/balance.csv")):
            assert process.poll() is None
        os.killpg(process.pid, signal.SIGINT)
        output = process.communicate()[0].decode()
    assert process.returncode == 3, output
    assert read_run(run, strict=True).manifest.outcome == "interrupted"
    results = json.loads((run / "record" / "results.json").read_text(encoding="utf-8"))
    assert verdicts(results)["PR-D1.1"] == "ERROR"
    assert (run / "reports" / "rev-1" / "report.pdf").exists()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("verify", "--bench", "nowhere.toml"), "rig: nowhere.toml: cannot be read (No such file or directory)"),
        (("verify", "--set", "virtual.sead=2"), "virtual.sead is not a known key; did you mean 'seed'?"),
        (("verify", "--set", "virtual.seed"), "write it as table.key=value"),
        (("verify", "--requirements", "nowhere.toml"), "nowhere.toml: cannot be read"),
        (("verify", "--set", "balance.driver=scales"), "balance.driver is 'scales': there is no such device"),
        (("verify", "--nonsense"), "No such option"),
        (("verify", "--select", "nonesuch"), "nothing matches 'nonesuch' in the plan 'default'"),
        (("verify", "--select", "basal and"), "the selection 'basal and' has the end where a word, "),
        (("serve", "--bench", "fixtures/benches/lab_example.toml"), "only a virtual one"),
    ],
)
def test_wrong_usage_is_one_sentence_and_exit_code_2(arguments: tuple[str, ...], sentence: str) -> None:
    done = rig(*arguments)
    assert done.returncode == 2, done.stderr
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr


def test_a_report_of_no_run_is_one_sentence_and_exit_code_3(tmp_path: Path) -> None:
    done = rig("report", str(tmp_path))
    assert done.returncode == 3
    assert "manifest.json" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_bench_that_is_not_there_is_said_device_by_device() -> None:
    done = rig("check", "--bench", "fixtures/benches/lab_example.toml")
    assert done.returncode == 3
    for device in ("balance", "pressure", "supply", "switch", "environment", "sound", "pump"):
        assert f"{device} " in done.stdout
    assert done.stdout.count("check the cable") == 7
    assert "Traceback" not in done.stdout + done.stderr


def test_check_names_every_device_and_what_is_wrong() -> None:
    assert rig("check").returncode == 0
    done = rig("check", "--set", "balance.calibration_due=2026-11-22", "--set", "virtual.serial_numbers.supply=MY1")
    assert done.returncode == 3
    assert "have it calibrated" in done.stdout
    assert "connect the instrument that the bench file names" in done.stdout
