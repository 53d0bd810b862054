"""`rig serve --write`: another process drives the served bench as a laboratory's, and it stays SIMULATED."""

from __future__ import annotations

import selectors
import signal
import socket
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from rig.bench.check import check_bench
from rig.bench.file import parse_override, read_bench_file
from rig.bench.lease import take_bench
from rig.bench.served import noted_as_served
from rig.cli.printing import new_console
from rig.cli.serve import Pace, ServeAsked, serve_bench
from rig.cli.served_file import offered_file, served_bench_file
from rig.clock import NS_PER_S, SimClock, WallClock
from rig.errors import BenchFileError, BlockedError
from rig.record.manifest import Manifest
from rig.run.begin import start_run
from rig.run.inputs import Sources, read_inputs
from rig.shipped import DEFAULT_BENCH, shipped


@contextmanager
def serving(file: Path, *arguments: str, ended_by: signal.Signals = signal.SIGTERM) -> Iterator[None]:
    """Run `rig serve --write` while the block goes on; then it is asked to end, and must end well."""
    command = [sys.executable, "-m", "rig", "serve", "--write", str(file), *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        assert process.stdout is not None
        try:
            told = ""
            while "Bench file: " not in told:
                line = process.stdout.readline()
                assert line, told
                told += line
            yield
        finally:
            process.send_signal(ended_by)
            try:
                rest = process.communicate(timeout=20)[0]
            finally:
                process.kill()
    assert (process.returncode, "Stopped" in rest) == (0, True), rest


def test_another_process_drives_it_and_is_told_when_it_has_gone(tmp_path: Path) -> None:
    file, kept, unsaid = (tmp_path / name for name in ("bench.toml", "kept.toml", "unsaid.toml"))
    with serving(file):
        spec, _ = read_bench_file(file)
        kept.write_bytes(file.read_bytes())
        found = {each.role: each.problem for each in check_bench(spec)}
        assert found == dict.fromkeys(spec.roles)
        unsaid.write_text(file.read_text().partition("[served]")[0])
        with pytest.raises(BenchFileError, match=r"supply, switch are simulated by rig serve of 'Virtual bench'.*"):
            check_bench(read_bench_file(unsaid)[0])
        manifest = start_run(read_inputs(Sources(file, {})), out=tmp_path / "run", measures=False).manifest()
        assert (manifest.virtual, manifest.served, manifest.seed) == (True, True, 1)
    assert not file.exists()
    with pytest.raises(BlockedError, match=r"is not served any more: nobody holds .*its lines may be anybody's"):
        check_bench(read_bench_file(kept)[0])


def test_every_device_has_a_fixed_port_where_that_is_asked_for(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        first = free.getsockname()[1]
    file = tmp_path / "bench.toml"
    with serving(file, "--first-port", str(first), "--speed", "4", ended_by=signal.SIGINT):
        content = tomllib.loads(file.read_text())
        assert content["supply"]["address"] == f"TCPIP0::127.0.0.1::{first}::SOCKET"
        assert content["pump"]["port"] == f"socket://127.0.0.1:{first + 6}"
        assert content["served"]["speed"] == 4.0
        spec, _ = read_bench_file(file)
        assert [each.problem for each in check_bench(spec)] == [None] * len(spec.roles)


@pytest.mark.parametrize("name", ["virtual.toml", "virtual_ne1000.toml", "virtual_channels.toml#left"])
def test_the_file_says_what_the_virtual_bench_says(name: str, tmp_path: Path) -> None:
    spec, content = read_bench_file(shipped("fixtures/benches") / name, dict([parse_override("conditions.head='1 m'")]))
    addresses = {role: f"/dev/pts/{number}" for number, role in enumerate(spec.roles)}
    file = tmp_path / "elsewhere" / "bench.toml"
    file.parent.mkdir()
    file.write_text(served_bench_file(spec, content, addresses, speed=2.0, lease=tmp_path / "lock"))
    served, _ = read_bench_file(file)
    assert served.simulated
    assert spec.virtual is not None
    assert (served.day, served.served and served.served.speed) == (spec.virtual.date, 2.0)
    assert served.pump.port == addresses["pump"]
    assert served.balance.address == f"ASRL{addresses['balance']}::INSTR"
    assert served.pump.sheet is not None
    assert served.pump.sheet.is_file()
    for table in ("fluid", "vessel", "conditions", "cut_off"):
        assert getattr(served, table) == getattr(spec, table)
    assert but_address(served.balance.model_dump()) == but_address(spec.balance.model_dump())


def but_address(table: dict[str, object]) -> dict[str, object]:
    return {**table, "address": None}


def test_nothing_is_written_over(tmp_path: Path) -> None:
    file = tmp_path / "bench.toml"
    file.write_text("mine")
    with pytest.raises(BenchFileError, match=r"--write .*bench.toml: is there already"):
        serve_bench(ServeAsked(shipped(DEFAULT_BENCH), write=file), console=new_console())
    with pytest.raises(BenchFileError, match="is there already"), offered_file(file, "new", tell=print):
        pass
    assert file.read_text() == "mine"


def test_a_file_that_was_changed_meanwhile_is_left(tmp_path: Path) -> None:
    told: list[str] = []
    with offered_file(tmp_path / "bench.toml", "new", tell=told.append):
        (tmp_path / "bench.toml").write_text("new, and mine")
    assert (tmp_path / "bench.toml").read_text() == "new, and mine"
    assert len(told) == 1
    assert [each.name for each in tmp_path.iterdir()] == ["bench.toml"]


def test_a_port_that_another_program_has_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        first = taken.getsockname()[1]
        asked = ServeAsked(shipped("fixtures/benches/virtual_ne1000.toml"), first_port=first)
        with pytest.raises(BenchFileError, match=rf"--first-port {first}: the supply cannot be on port {first} \("):
            serve_bench(asked, console=new_console())


def test_a_bench_is_simulated_here_or_elsewhere() -> None:
    both = dict([parse_override("served.date=2026-11-23")])
    with pytest.raises(BenchFileError, match=r"there are \[virtual\] and \[served\]"):
        read_bench_file(shipped(DEFAULT_BENCH), both)


def test_a_record_that_denies_that_its_bench_was_served_is_refused(tmp_path: Path) -> None:
    manifest = start_run(
        read_inputs(Sources(shipped(DEFAULT_BENCH), {})), out=tmp_path / "run", measures=False
    ).manifest()
    bench = {**{key: value for key, value in manifest.bench.items() if key != "virtual"}, "served": {}}
    plain = {**manifest.model_dump(mode="json"), "bench": bench, "virtual": False, "seed": None}
    with pytest.raises(ValueError, match=r"has a \[served\] table: simulated must say so"):
        Manifest.model_validate(plain)


def test_what_a_killed_server_noted_holds_nobody_up(tmp_path: Path) -> None:
    (tmp_path / "served-dead.lease").write_text("{}")
    (tmp_path / "served-dead.lines").write_text('["network 127.0.0.1 5025"]')
    with noted_as_served(tmp_path, ["port /dev/x"], "rig serve") as lock:
        assert {each.name for each in tmp_path.iterdir()} == {lock.name, lock.with_suffix(".lines").name}
    assert list(tmp_path.iterdir()) == []


def test_two_served_benches_have_units_of_one_name(tmp_path: Path) -> None:
    """Twins of two students tell the same serial numbers; that is no unit on two ports."""
    spec, content = read_bench_file(shipped(DEFAULT_BENCH))
    with noted_as_served(tmp_path, [], "rig serve") as lock:
        addresses = {role: f"/dev/nowhere/{role}" for role in spec.roles}
        file = tmp_path / "bench.toml"
        file.write_text(served_bench_file(spec, content, addresses, speed=1.0, lease=lock))
        with take_bench(read_bench_file(file)[0]) as held:
            assert len(held.leases) == len(spec.roles)


def test_a_clock_of_another_speed_passes_so_much_faster() -> None:
    outside, clock = WallClock(), WallClock(speed=100.0)
    clock.sleep(1.0)
    assert 0.01 <= outside.now() < 1.0 <= clock.now()


class MovedClock:
    """A wall clock that a test moves."""

    def __init__(self) -> None:
        self.at_s = 0.0

    def now(self) -> float:
        return self.at_s

    def sleep(self, seconds: float) -> None:
        self.at_s += seconds


def test_a_bench_that_falls_behind_says_so_and_goes_on_in_small_steps() -> None:
    wall, clock, told = MovedClock(), SimClock(), list[str]()
    pace = Pace(clock, 10.0, wall=wall, tell=told.append)
    with selectors.DefaultSelector() as nothing:
        wall.sleep(0.05)
        pace.go_on(nothing, [])
        assert (clock.now_ns, told, pace.summary) == (round(0.5 * NS_PER_S), [], "")
        wall.sleep(3.0)
        pace.go_on(nothing, [])
        assert clock.now_ns == round(1.5 * NS_PER_S)  # 0.1 s of real time, at ten times real time
        for _ in range(40):
            pace.go_on(nothing, [])
    assert clock.now_ns == round(30.5 * NS_PER_S)
    assert len(told) == 1
    assert told[0].startswith("The bench is 3.0 s behind 10 × real time: this computer is too slow")
    assert pace.summary == "; the bench was up to 3.0 s behind 10 × real time"
