"""A port is one port whatever it is called, and a unit is one unit whatever port it is found at."""

from __future__ import annotations

import os
import subprocess
import sys
import tty
from collections.abc import Iterator
from pathlib import Path

import pytest

from rig.bench.file import BenchFile, read_bench_file
from rig.bench.lease import FOLDER, lease_folder, port_keys, take_bench, take_identity
from rig.errors import BenchFileError, BlockedError
from rig.lease import CARRIED, LeaseHeldError
from rig.roles import Identity

LAB = Path("fixtures/benches/lab_example.toml")
VIRTUAL = Path("fixtures/benches/virtual.toml")


@pytest.fixture(autouse=True)
def leases(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of leases of the test's own."""
    monkeypatch.setenv(FOLDER, str(tmp_path / "leases"))
    return tmp_path / "leases"


@pytest.fixture
def terminal() -> Iterator[str]:
    """The path of a terminal that is there."""
    master, slave = os.openpty()
    tty.setraw(slave)
    yield os.ttyname(slave)
    os.close(master)
    os.close(slave)


def lab(**settings: str) -> BenchFile:
    return read_bench_file(LAB, {key.replace("__", "."): value for key, value in settings.items()})[0]


def test_every_name_of_a_terminal_is_the_same_port(terminal: str, tmp_path: Path) -> None:
    link = tmp_path / "usb-Mettler_Toledo-if00-port0"
    link.symlink_to(terminal)
    names = [terminal, str(link), f"ASRL{terminal}::INSTR", f"asrl{link}", f"spy://{terminal}?file=/dev/null"]
    (key,) = {port_keys(name) for name in names}
    number = Path(terminal).stat().st_rdev
    assert key == (f"terminal {os.major(number)} {os.minor(number)}",)


def test_a_terminal_that_is_not_there_is_known_by_its_path() -> None:
    assert (
        port_keys("ASRL/dev/ttyNOWHERE0::INSTR") == port_keys("/dev/../dev/ttyNOWHERE0") == ("port /dev/ttyNOWHERE0",)
    )


@pytest.mark.parametrize(
    ("names", "key"),
    [
        (("TCPIP0::192.0.2.10::5025::SOCKET", "tcpip::192.0.2.10::5025::SOCKET"), ("network 192.0.2.10 5025",)),
        (("socket://192.0.2.10:5025", "rfc2217://192.0.2.10:5025?ign_set_control"), ("network 192.0.2.10 5025",)),
        (("TCPIP::192.0.2.10::INSTR", "TCPIP0::192.0.2.10::inst0"), ("network 192.0.2.10 inst0",)),
        (
            (
                "TCPIP0::localhost::7::SOCKET",
                "socket://127.0.0.1:7",
                "socket://[::1]:7",
                "socket://[::ffff:127.0.0.1]:7",
            ),
            ("network 127.0.0.1 7",),
        ),
        (("USB::0x2A8D::0x1102::MY1::INSTR", "USB0::0x2a8d::0x1102::my1::0"), ("usb0::0x2a8d::0x1102::my1::0::instr",)),
        (
            ("ble://usb:0/F0:F1:F2:F3:F4:F5", "ble://usb:0/f0:f1:f2:f3:f4:f5/P"),
            ("radio usb:0", "radio pump f0:f1:f2:f3:f4:f5"),
        ),
    ],
)
def test_every_way_to_write_a_place_is_the_same_port(names: tuple[str, ...], key: tuple[str, ...]) -> None:
    assert {port_keys(name) for name in names} == {key}


def test_a_bench_has_one_holder_who_is_named_to_others_and_nothing_is_kept_of_what_was_refused() -> None:
    with take_bench(lab(), purpose="rig verify into runs/a"):
        other = lab(balance__address="ASRL/dev/ttyOTHER::INSTR")
        with pytest.raises(LeaseHeldError, match=r"is in use: rig verify into runs/a \(process \d+ of .*, since 20"):
            take_bench(other, purpose="rig check")
        take_bench(other, purpose="rig balance-test", roles=("balance",)).free()
    take_bench(lab(), purpose="rig check").free()


def test_a_unit_that_is_reached_by_another_port_is_in_use_too() -> None:
    unit = Identity("Mettler-Toledo", "XPR26", "B012345678", "1.0")
    elsewhere = lab(balance__address="TCPIP0::192.0.2.77::8001::SOCKET")
    with (
        take_bench(lab(), purpose="rig verify", roles=("balance",)) as held,
        take_bench(elsewhere, purpose="rig check", roles=("balance",)) as second,
    ):
        take_identity(held, lab(), "balance", unit)
        again = Identity("METTLER-TOLEDO", " XPR26", "B012345678", "1.1")
        with pytest.raises(LeaseHeldError, match=r"balance METTLER-TOLEDO  XPR26 B012345678 is in use: rig verify"):
            take_identity(second, elsewhere, "balance", again)


def test_units_whose_number_is_set_by_hand_are_known_by_their_port_alone() -> None:
    unit = Identity("Numato Lab", "8 Channel USB Relay Module", "00000000", "A0")
    with take_bench(lab(), purpose="rig verify", roles=("switch",)) as held:
        assert take_identity(held, lab(), "switch", unit) is None


def test_the_air_of_a_room_is_read_by_several_benches_over_the_network_and_nothing_else_is_shared() -> None:
    place = "TCPIP0::192.0.2.50::10001::SOCKET"
    shared = lab(environment__address=place)
    first = take_bench(shared, purpose="left", roles=("environment",))
    take_bench(shared, purpose="right", roles=("environment",)).free()
    with pytest.raises(LeaseHeldError):
        take_bench(lab(balance__address=place), purpose="right", roles=("balance",))
    first.free()
    with take_bench(lab(), purpose="left", roles=("supply",)), pytest.raises(LeaseHeldError):
        take_bench(lab(), purpose="right", roles=("supply",))


def test_a_virtual_bench_has_no_lease(leases: Path) -> None:
    with take_bench(read_bench_file(VIRTUAL)[0], purpose="one") as held:
        assert held.leases == []
    assert not leases.exists()


def test_every_user_may_take_a_lease_whatever_the_first_ones_umask(leases: Path) -> None:
    before = os.umask(0o077)
    try:
        take_bench(lab(), purpose="one").free()
    finally:
        os.umask(before)
    assert leases.stat().st_mode & 0o7777 == 0o1777
    assert {path.stat().st_mode & 0o777 for path in leases.iterdir()} == {0o666}


def test_a_folder_that_cannot_be_made_blocks_the_bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    monkeypatch.setenv(FOLDER, str(tmp_path / "file" / "leases"))
    with pytest.raises(BlockedError, match=f"cannot be made .*; name another by {FOLDER}"):
        lease_folder()


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"cut_off.by": "relay"}, "line names the relay"),
        ({"cut_off.line": "power"}, "line names the relay"),
        (
            {"cut_off": {"by": "relay", "line": "occluder"}},
            "cut_off.line is 'occluder', which is no line of the switch",
        ),
        ({"guardian.silence": "0.5 s"}, "guardian.silence"),
    ],
)
def test_a_cut_off_that_the_bench_does_not_have_is_refused(settings: dict[str, object], sentence: str) -> None:
    with pytest.raises(BenchFileError, match=sentence):
        read_bench_file(LAB, settings)


def test_what_a_process_keeps_it_shares_with_what_it_opens_and_with_nobody_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(CARRIED, "")
    held = take_bench(lab(), purpose="pytest")
    held.keep()
    take_bench(lab(), purpose="a test").free()
    look = "from suites.selftest.test_bench_lease import lab, take_bench; take_bench(lab(), purpose='rig check')"
    done = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=False)
    assert "is in use: pytest (process" in done.stderr
    held.free()
    take_bench(lab(), purpose="a test").free()
