"""`rig discover`: each device is recognised by its own driver's questions, none of which moves anything anywhere."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
import tty
from collections.abc import Callable
from pathlib import Path

import pytest

from rig.bench.discover import KnownDevice, LineFinding, ask_line, known_devices, look_at_line
from rig.bench.drivers import package_names, twin_module
from rig.bench.lease import BenchLease, port_keys
from rig.bench.lines import other_users
from rig.cli.discover import DiscoverAsked, bench_lines, discover
from rig.cli.printing import new_console
from rig.clock import SimClock, WallClock
from rig.errors import BenchFileError
from rig.roles.recognition import scpi_recognition
from rig.virtual.port import Port
from suites.stands.pty_host import served_on_pty
from suites.stands.unknown_line import SimulatedLine, WatchedWorld

KNOWN, PROBLEMS = known_devices()
BY_NAME = {each.driver: each for each in KNOWN}
PLATES = {
    "mettler_xpr": "B831204417",
    "keller_33x": "1047213",
    "keysight_e36312a": "MY61001234",
    "keysight_l4532a": "MY51480212",
    "numato_relay": "RLY00042",
    "numato_relay_16": "RLY00042",
    "numato_relay_32": "RLY00042",
    "vaisala_ptu300": "R1250031",
    "operator_terminal": "bench-2",
    "new_era_ne1000": "address 00",
}
EVERY_TWIN = pytest.mark.parametrize("name", sorted(PLATES))


def twin_on(name: str) -> tuple[Port, WatchedWorld]:
    """Put a twin alone on a line, in a world that keeps what it moves."""
    twin = twin_module(BY_NAME[name].role, name)
    assert twin is not None
    port, world = Port(SimClock(), baud=twin.BAUD, bits_per_character=twin.BITS_PER_CHARACTER), WatchedWorld()
    twin.open_twin(port, world, serial_number=PLATES[name])
    port.clock.sleep(1.0)
    world.moved.clear()
    return port, world


def found_on(port: Port, known: list[KnownDevice] = KNOWN) -> LineFinding:
    return ask_line("here", SimulatedLine(port), known, clock=port.clock)


def test_every_driver_says_how_its_device_is_recognised_or_is_named() -> None:
    assert set(BY_NAME) == set(PLATES)
    (said,) = PROBLEMS
    silent = said.removeprefix("Not looked for, since their drivers declare no harmless question: ").removesuffix(".")
    assert {"gdb_remote", "ids"} <= set(silent.split(", ")) == set(package_names()) - set(BY_NAME)


@EVERY_TWIN
def test_a_device_is_recognised_among_all_and_nothing_moves(name: str) -> None:
    port, world = twin_on(name)
    found = found_on(port)
    assert [(each.driver, each.identity.serial_number) for each in found.recognised] == [(name, PLATES[name])]
    assert world.moved == []


@EVERY_TWIN
def test_the_questions_of_all_others_move_nothing_and_recognise_nothing(name: str) -> None:
    port, world = twin_on(name)
    found = found_on(port, [each for each in KNOWN if each.driver != name])
    assert found.recognised == ()
    assert world.moved == []
    port.clock.sleep(60.0)
    assert found_on(port).recognised[0].driver == name


@EVERY_TWIN
def test_a_device_that_answers_late_is_recognised(name: str) -> None:
    port, _ = twin_on(name)
    late_ns, put = round(1.5e9 * BY_NAME[name].recognition.within_s), port.send

    def send(data: bytes) -> None:
        port.clock.call_at(port.clock.now_ns + late_ns, lambda: put(data))

    port.send = send  # type: ignore[method-assign]
    found = found_on(port, [BY_NAME[name]])
    assert [each.identity.serial_number for each in found.recognised] == [PLATES[name]]


def talking(answer: Callable[[bytes], bytes], *, unasked: bytes = b"") -> Port:
    """Put something on a line that answers so, and says something every 0.1 s unasked."""
    port = Port(SimClock(), baud=9600)
    port.on_receive(lambda data: port.send(answer(data)))

    def speak() -> None:
        port.send(unasked)
        port.clock.call_at(port.clock.now_ns + 100_000_000, speak)

    if unasked:
        speak()
    return port


@pytest.mark.parametrize(
    ("port", "says"),
    [
        (talking(lambda _: b""), "mute at 9600 8N1, "),
        (talking(lambda data: data), "echoes what it is told at 9600 8N1, "),
        (talking(lambda _: b"\x00\xffgarbage\r\n"), "speaks, b'"),
        (talking(lambda _: b"", unasked=b"+  12.3407 g  \r\n"), "speaks unasked, b'+  12.3407 g"),
        (talking(lambda _: b"x" * 400), "speaks, b'"),
        (talking(lambda _: b'I4 A "1'), "speaks, b'I4 A"),
        (
            talking(lambda data: b'I4 A "1"\r\n' if b"I4" in data else b"ES\r\n"),
            "answered as a mettler_xpr does, and then not",
        ),
    ],
    ids=["mute", "echo", "garbage", "printing", "flood", "cut off", "half"],
)
def test_what_is_no_known_device_is_a_line_and_no_wrong_identity(port: Port, says: str) -> None:
    found = found_on(port)
    assert found.recognised == ()
    assert found.said.startswith(says)
    assert port.clock.now() < 60.0


def test_a_device_that_says_another_number_each_time_is_not_recognised() -> None:
    count = iter(range(1000))
    port = talking(lambda data: b'I4 A "%d"\r\n' % next(count) if b"I4" in data else b"")
    found = found_on(port)
    assert found.recognised == ()
    assert found.said == """answered 'I4' with b'I4 A "0"\\r\\n', then with b'I4 A "1"\\r\\n'"""


def test_an_instrument_without_a_driver_is_named() -> None:
    port = Port(SimClock(), baud=None)
    port.on_receive(lambda data: port.send(b"KEITHLEY,DMM6500,0431,1.7\n") if b"*IDN?" in data else None)
    found = found_on(port)
    assert found.recognised == ()
    assert found.said == "answers '*IDN?' with b'KEITHLEY,DMM6500,0431,1.7\\n', and no driver here knows it"


def test_a_new_driver_is_looked_for_by_what_it_declares() -> None:
    port = Port(SimClock(), baud=None)
    port.on_receive(lambda data: port.send(b"KEITHLEY,DMM6500,0431,1.7\n") if b"*IDN?" in data else None)
    own = KnownDevice("keithley_dmm6500", "supply", scpi_recognition("DMM6500"))
    assert [each.driver for each in found_on(port, [*KNOWN, own]).recognised] == ["keithley_dmm6500"]


def test_a_port_that_somebody_has_is_asked_nothing() -> None:
    master, slave = pty.openpty()
    try:
        tty.setraw(slave)
        path = os.ttyname(slave)
        assert other_users(path) == []  # this process simulates it
        with BenchLease("rig verify") as held:
            held.take(port_keys(path)[0], "the balance")
            found = look_at_line(path, KNOWN, clock=WallClock())
        assert found.said.startswith("in use: rig verify (process ")
        assert found.said.endswith(": nothing was asked")
        os.set_blocking(master, False)
        with pytest.raises(BlockingIOError):
            os.read(master, 1)
    finally:
        os.close(master)
        os.close(slave)


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("/dev/nowhere", "cannot be had, at opening it: No such file or directory"),
        ("socket://127.0.0.1:9", "cannot be had, at opening it: "),
        ("nonsense", "cannot be had, at opening it: it is no VISA address, serial port or URL of pyserial"),
    ],
)
def test_a_line_that_cannot_be_had_is_a_sentence(address: str, says: str) -> None:
    found = look_at_line(address, KNOWN, clock=WallClock())
    assert (found.recognised, found.said.startswith(says)) == ((), True), found.said


def test_the_lines_of_a_bench_file_come_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    port, _ = twin_on("numato_relay")
    file = tmp_path / "found.toml"
    with served_on_pty(port.clock, port) as path:
        assert discover(DiscoverAsked([f"ASRL{path}::INSTR"], file), console=new_console()) == 0
        text = file.read_text()
        with pytest.raises(BenchFileError, match=r"--write .*is there already"):
            discover(DiscoverAsked([path], file), console=new_console())
    assert text == (
        "# Numato Lab 8 Channel USB Relay Module, firmware 00000008\n"
        "[switch]\n"
        'driver = "numato_relay"\n'
        f'address = "ASRL{path}::INSTR"\n'
        'serial_number = "RLY00042"\n'
        "# lines = …\n"
    )
    assert "8 Channel USB Relay Module" in capsys.readouterr().out


def test_a_second_device_of_a_role_is_a_comment_and_other_settings_are_options() -> None:
    port, _ = twin_on("mettler_xpr")
    port.baud = 19200
    found = found_on(port, [BY_NAME["mettler_xpr"]])
    text = bench_lines([found, found])
    assert "[balance.options]\nbaud = 19200\n" in text
    first, _, second = text.partition("# another balance:\n")
    assert "[balance]" in first
    assert all(line.startswith("#") for line in second.splitlines() if line)


def test_a_port_that_another_program_has_open_is_asked_nothing() -> None:
    """No lock tells of it: a terminal program that takes none is found by its open files."""
    master, slave = pty.openpty()
    try:
        tty.setraw(slave)
        path = os.ttyname(slave)
        holds = "import sys; port = open(sys.argv[1], 'rb', buffering=0); print('open', flush=True); sys.stdin.read()"
        with subprocess.Popen(
            [sys.executable, "-c", holds, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as other:
            assert other.stdout is not None
            assert other.stdout.readline() == "open\n"
            found = look_at_line(path, KNOWN, clock=WallClock())
            other.communicate("")
        assert re.fullmatch(rf"in use by \S+ \(process {other.pid}\): nothing was asked", found.said), found.said
        os.set_blocking(master, False)
        with pytest.raises(BlockingIOError):
            os.read(master, 1)
    finally:
        os.close(master)
        os.close(slave)
