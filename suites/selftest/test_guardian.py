"""A bench that is not virtual: one holder, and a pump that nobody leaves running, in real time on a served bench."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from instruments.ids.driver import open_driver
from rig.bench.file import read_bench_file
from rig.bench.lease import FOLDER
from rig.bench.making_safe import MadeSafe, Rescuer, is_safe
from rig.bench.open import open_bench
from rig.clock import Deadline, WallClock
from rig.lease import is_held
from rig.record.folder import RunFolder
from rig.run.abandoned import close_abandoned
from rig.shipped import DEFAULT_BENCH, shipped
from rig.therapy import TherapyState
from rig.wire import NoLog
from suites.stands.forwarded_line import forwarded
from suites.stands.served_bench import ServedBench, served_bench

SILENCE_S = 2.0
SAFE_WITHIN_S = 5.0
PATIENCE_S = 60.0
"""For what is no subject of a test, such as starting a program on a busy machine."""

VIRTUAL = shipped(DEFAULT_BENCH)
LAB = Path("fixtures/benches/lab_example.toml")
CLOCK = WallClock()


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[ServedBench]:
    with served_bench(tmp_path, more=f'[guardian]\nsilence = "{SILENCE_S:g} s"\n') as served:
        yield served


class Holder:
    """A program that has the bench open while the pump delivers, and its guardian's process."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        assert self.hears() == "delivering"
        (child,) = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text(encoding="ascii").split()
        self.guardian = int(child)

    def hears(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def end(self) -> tuple[int, list[str]]:
        """Ask it to end; its exit code and what it said since."""
        said = self.process.communicate("end\n", timeout=PATIENCE_S)[0]
        return self.process.returncode, said.split("\n")[:-1]


@contextmanager
def held(bench: ServedBench, how: str = "waits", **environment: str) -> Iterator[Holder]:
    with subprocess.Popen(
        [sys.executable, "-m", "suites.stands.bench_holder", str(bench.file), how],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=bench.environment | environment,
        start_new_session=True,
    ) as process:
        limit = threading.Timer(2 * PATIENCE_S, process.kill)  # whatever happens, a line is not waited for in vain
        limit.start()
        try:
            holder = Holder(process)
            yield holder
            wait_until(lambda: not is_there(holder.guardian))  # none outlives its bench
        finally:
            limit.cancel()
            process.kill()


def wait_until(what: Callable[[], bool], within_s: float = PATIENCE_S) -> float:
    """Wait for what can be seen; returns after how many s."""
    deadline = Deadline(CLOCK, within_s)
    while not what():
        assert not deadline.expired, f"not within {within_s:g} s"
        CLOCK.sleep(0.02)
    return within_s - deadline.remaining_s


def is_kept(bench: ServedBench) -> bool:
    (lease,) = bench.leases.glob("open-*.lease")
    return is_held(lease)


def told(bench: ServedBench) -> list[dict[str, Any]]:
    """What guardians have written down."""
    return [json.loads(line) for line in (bench.leases / "guardian.jsonl").read_text(encoding="utf-8").splitlines()]


def noted(bench: ServedBench) -> dict[str, Any]:
    (note,) = told(bench)
    return note


def is_there(process: int) -> bool:
    """Whether a process lives; one that nobody has collected yet does not."""
    try:
        return Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(") ")[2][0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def therapy(port: str) -> TherapyState:
    pump = open_driver(port, clock=WallClock(), log=NoLog())
    try:
        return pump.status().therapy
    finally:
        pump.close()


def test_a_holder_that_is_killed_leaves_a_supply_that_is_off_within_5_s_and_nobody_behind(bench: ServedBench) -> None:
    with held(bench) as holder:
        holder.process.kill()
        assert wait_until(lambda: not is_kept(bench)) < SAFE_WITHIN_S
        assert not bench.supply_is_on()
    note = noted(bench)
    assert (note["safe"], note["steps"]["supply"]["problem"], note["steps"]["switch"]["problem"]) == (True, None, None)
    assert list(note["steps"]) == ["supply", "pump", "switch"]
    assert note["what"].startswith(
        "a test of the guardian died without leaving it safe; its guardian acted, and the pump can deliver no more: "
        "the supply's output is off ("
    )
    assert "; the pump gave no answer once it had no power; the relays are released (" in note["what"]


def refusal(bench: ServedBench) -> str:
    """What `rig check` says on a bench that it may not have."""
    command = [sys.executable, "-m", "rig", "check", "--bench", str(bench.file)]
    done = subprocess.run(command, env=bench.environment, capture_output=True, text=True, check=False)
    assert done.returncode == 3, done.stdout
    assert done.stdout == ""
    return done.stderr


def test_a_check_beside_a_holder_is_refused_with_his_name_and_the_pump_delivers_on(bench: ServedBench) -> None:
    with held(bench) as holder:
        assert f"is in use: a test of the guardian (process {holder.process.pid} of " in refusal(bench)
        code, said = holder.end()
        assert (code, said[-1]) == (0, "run")


def test_a_holder_that_hangs_is_killed_after_the_time_of_the_bench_file_and_its_bench_is_safe(
    bench: ServedBench,
) -> None:
    with held(bench) as holder:
        holder.process.send_signal(signal.SIGSTOP)
        silent_s = wait_until(lambda: holder.process.poll() is not None)
        assert silent_s > SILENCE_S - 0.5
        assert holder.process.returncode == -signal.SIGKILL
        assert wait_until(lambda: not is_kept(bench)) < SAFE_WITHIN_S
        assert not bench.supply_is_on()
    assert noted(bench)["what"].startswith("a test of the guardian gave no sign of life for 2 s and was killed; ")


def test_a_wait_that_no_clock_knows_is_a_hang(bench: ServedBench) -> None:
    with held(bench, "hangs") as holder:
        assert holder.process.wait(PATIENCE_S) == -signal.SIGKILL
        assert wait_until(lambda: not is_kept(bench)) < SAFE_WITHIN_S


def test_a_machine_that_stood_still_for_longer_goes_on_undisturbed(bench: ServedBench) -> None:
    with held(bench) as holder:
        holder.process.send_signal(signal.SIGSTOP)
        os.kill(holder.guardian, signal.SIGSTOP)
        CLOCK.sleep(2 * SILENCE_S)  # the time itself is what is tested
        os.kill(holder.guardian, signal.SIGCONT)
        holder.process.send_signal(signal.SIGCONT)
        assert [holder.hears() for _ in range(4)] == ["alive"] * 4
        code, said = holder.end()
        assert (code, said[-1]) == (0, "run")
    assert not (bench.leases / "guardian.jsonl").exists()


def test_whoever_leaves_the_bench_sends_its_guardian_home(bench: ServedBench) -> None:
    with held(bench) as holder:
        assert holder.end()[0] == 0
        assert not is_there(holder.guardian)
        assert not is_kept(bench)
        assert not bench.supply_is_on()
    assert not (bench.leases / "guardian.jsonl").exists()


def test_a_person_may_take_any_time(bench: ServedBench) -> None:
    with held(bench, "asks") as holder:
        CLOCK.sleep(2 * SILENCE_S)  # the time itself is what is tested
        assert holder.end() == (0, ["run"])


def test_a_guardian_that_dies_ends_the_holder_with_a_sentence_and_a_safe_bench(bench: ServedBench) -> None:
    with held(bench) as holder:
        os.kill(holder.guardian, signal.SIGKILL)
        said = holder.process.communicate(timeout=PATIENCE_S)[0].splitlines()
        assert holder.process.returncode == 3
        assert said[-1].startswith(f"the guardian of the bench 'Virtual bench' (process {holder.guardian}) has ended, ")
        assert not bench.supply_is_on()


def test_a_guardian_that_is_halted_ends_the_holder_with_a_sentence_and_a_safe_bench(bench: ServedBench) -> None:
    with held(bench) as holder:
        os.kill(holder.guardian, signal.SIGSTOP)
        assert holder.process.wait(PATIENCE_S) == 3
        said = holder.process.communicate()[0].splitlines()
        assert said[-1].startswith(f"the guardian of the bench 'Virtual bench' (process {holder.guardian}) is halted, ")
        assert not bench.supply_is_on()
        assert not is_kept(bench)


def guardians_of(process: int) -> list[int]:
    children = Path(f"/proc/{process}/task/{process}/children").read_text(encoding="ascii").split()
    return [int(each) for each in children if b"rig.bench.guardian" in Path(f"/proc/{each}/cmdline").read_bytes()]


def test_ctrl_c_while_a_guardian_begins_leaves_neither_guardian_nor_lease(bench: ServedBench) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "suites.stands.bench_holder", str(bench.file), "waits"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=bench.environment,
    ) as process:
        wait_until(lambda: bool(guardians_of(process.pid)))
        (guardian,) = guardians_of(process.pid)
        process.send_signal(signal.SIGINT)  # it takes half a second to begin
        said, complained = process.communicate(timeout=PATIENCE_S)
    assert said == ""
    assert complained.endswith("KeyboardInterrupt\n")
    wait_until(lambda: not is_there(guardian))
    assert not is_kept(bench)
    assert not (bench.leases / "guardian.jsonl").exists()


def test_a_guardian_is_in_no_terminal_and_deaf_to_what_ends_jobs(bench: ServedBench) -> None:
    with held(bench, RUNNER_TRACKING_ID="a job", JENKINS_NODE_COOKIE="another") as holder:
        assert os.getsid(holder.guardian) == holder.guardian
        environment = Path(f"/proc/{holder.guardian}/environ").read_bytes()
        assert b"RUNNER_TRACKING_ID" not in environment
        assert b"JENKINS_NODE_COOKIE" not in environment
        for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
            os.kill(holder.guardian, number)
        holder.process.kill()
        assert wait_until(lambda: not is_kept(bench)) < SAFE_WITHIN_S
        assert not bench.supply_is_on()


def test_a_pump_whose_supply_is_mute_is_stopped_over_its_own_line(bench: ServedBench) -> None:
    with forwarded(bench.addresses["supply"]) as supply:
        instead(bench, bench.addresses["supply"], f"TCPIP0::127.0.0.1::{supply.port}::SOCKET")
        with held(bench) as holder:
            supply.go_mute()
            holder.process.kill()
            assert wait_until(lambda: not is_kept(bench)) < SAFE_WITHIN_S
            assert therapy(bench.addresses["pump"]) is TherapyState.STOP
    steps = noted(bench)["steps"]
    assert "no reply within 2 s" in steps["supply"]["problem"]
    assert (steps["pump"]["problem"], steps["switch"]["problem"]) == (None, None)


def test_a_pump_whose_line_is_mute_loses_its_power(bench: ServedBench) -> None:
    with forwarded(bench.addresses["pump"]) as pump:
        instead(bench, bench.addresses["pump"], f"socket://127.0.0.1:{pump.port}")
        with held(bench) as holder:
            pump.go_mute()
            holder.process.kill()
            assert wait_until(lambda: not is_kept(bench)) < SAFE_WITHIN_S
            assert not bench.supply_is_on()
    assert noted(bench)["safe"] is True


def patient(bench: ServedBench) -> None:
    """Let the bench file allow the silence that it does by default: longer than any device is waited for."""
    text = bench.file.read_text(encoding="utf-8")
    bench.file.write_text(text.partition("[guardian]")[0], encoding="utf-8")


def instead(bench: ServedBench, address: str, other: str) -> None:
    """Let the bench file name another address."""
    text = bench.file.read_text(encoding="utf-8")
    assert f'"{address}"' in text
    bench.file.write_text(text.replace(f'"{address}"', f'"{other}"'), encoding="utf-8")


def test_a_bench_that_cannot_be_left_safe_is_kept_by_its_guardian_until_it_is(bench: ServedBench) -> None:
    patient(bench)
    with forwarded(bench.addresses["supply"]) as supply, forwarded(bench.addresses["pump"]) as pump:
        instead(bench, bench.addresses["supply"], f"TCPIP0::127.0.0.1::{supply.port}::SOCKET")
        instead(bench, bench.addresses["pump"], f"socket://127.0.0.1:{pump.port}")
        with held(bench) as holder:
            supply.go_mute()
            pump.go_mute()
            code, said = holder.end()
            assert code == 3
            assert said[-1].startswith("the bench 'Virtual bench' could not be left safe: pump ids on socket://")
            assert f"its guardian (process {holder.guardian}) goes on trying and keeps the bench" in said[-1]
            assert is_kept(bench)
            assert "is in use: guardian making the bench safe, as a test of the guardian could not" in refusal(bench)
            pump.speak_again()
            wait_until(lambda: not is_kept(bench))
            assert therapy(bench.addresses["pump"]) is TherapyState.STOP
    first, *_, last = told(bench)
    assert (first["safe"], last["safe"]) == (False, True)
    assert "THE BENCH IS NOT SAFE, take the pump's power away by hand" in first["what"]


@contextmanager
def measuring(bench: ServedBench, run: Path) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A run on a bench that measures by now, and the process of its runner."""
    command = [sys.executable, "-m", "rig", "verify", "--bench", str(bench.file), "--out", str(run)]
    patient(bench)
    with subprocess.Popen(
        [*command, "--select", "stopped"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=bench.environment,
    ) as process:
        steps = "record/tests/*/*/1-*/steps.jsonl"
        wait_until(lambda: process.poll() is not None or bool(list(run.glob(steps))), 2 * PATIENCE_S)
        assert process.poll() is None, process.communicate()[0]
        (runner,) = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text(encoding="ascii").split()
        yield process, int(runner)


def reason_of(run: Path) -> str:
    """Why a run ended, its guardian's part included."""
    reason = RunFolder(run).manifest().reason
    assert reason is not None
    said = "the test suites/pump/test_stopped.py::test_stopped_pump[30 min] of the run in "
    assert said in reason
    assert "died without leaving it safe; its guardian acted, and the pump can deliver no more: " in reason
    return reason


def test_a_run_whose_runner_is_killed_says_what_its_guardian_did(bench: ServedBench, tmp_path: Path) -> None:
    run = tmp_path / "run"
    with measuring(bench, run) as (process, runner):
        assert f"is in use: rig verify into {run} (process {process.pid} of " in refusal(bench)
        os.kill(runner, signal.SIGKILL)
        output = process.communicate(timeout=PATIENCE_S)[0]
        assert process.returncode == 3, output
    assert not bench.supply_is_on()
    reason = reason_of(run)
    assert reason.startswith("pytest was killed by SIGKILL; the test ")
    assert reason in output.replace("\n", "")


def test_a_killed_run_that_is_closed_at_once_says_what_its_guardian_did(
    bench: ServedBench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = tmp_path / "run"
    monkeypatch.setenv(FOLDER, str(bench.leases))
    with measuring(bench, run) as (process, runner):
        process.kill()
        os.kill(runner, signal.SIGKILL)
        process.wait()
    wait_until(lambda: not is_held(run / "lease"))
    assert close_abandoned(run)
    assert not bench.supply_is_on()
    assert reason_of(run).startswith("the run was never closed: its process ended without a word; the test ")


def test_a_relay_that_feeds_the_pump_is_released_first(bench: ServedBench) -> None:
    power = {"switch.lines": {"occluder": 0, "pump_power": 3}, "cut_off": {"by": "relay", "line": "pump_power"}}
    spec, _ = read_bench_file(bench.file, power)
    steps = Rescuer(spec, CLOCK).attempt()
    assert list(steps) == ["switch", "supply", "pump"]
    assert is_safe(spec, steps)


def test_opening_a_bench_closes_the_relay_that_feeds_the_pump_and_leaving_it_releases_it() -> None:
    lines = {"occluder": 0, "pump_power": 3}
    power = {"switch.lines": lines, "cut_off": {"by": "relay", "line": "pump_power"}}
    with open_bench(VIRTUAL, power) as virtual:
        assert [virtual.switch.is_energised(line) for line in lines] == [False, True]


@pytest.mark.parametrize(
    ("by", "made_safe", "safe"),
    [
        ("supply", {"supply"}, True),
        ("supply", {"pump"}, True),
        ("supply", {"switch"}, False),
        ("relay", {"switch"}, True),
        ("relay", {"supply"}, False),
        ("nothing", {"supply", "switch"}, False),
        ("nothing", {"pump"}, True),
    ],
)
def test_a_bench_is_safe_when_its_pump_was_stopped_or_has_no_power(by: str, made_safe: set[str], safe: bool) -> None:
    line = {"cut_off.line": "power"} if by == "relay" else {}
    spec, _ = read_bench_file(LAB, {"switch.lines": {"occluder": 0, "power": 1}, "cut_off.by": by, **line})
    steps = {role: MadeSafe(role, 0.0, None if role in made_safe else "no") for role in ("supply", "switch", "pump")}
    assert is_safe(spec, steps) is safe
