"""The debug probe's driver against QEMU's own GDB server, and its twin against GDB: neither knows this rig."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import pyvisa
from pyvisa.resources import MessageBasedResource

from instruments.gdb_remote.driver import GdbRemote, open_driver
from rig.clock import Deadline, WallClock
from rig.errors import RefusedError, RigError
from rig.procedures.controller import LOOP, flip_bit, send_into_loop
from rig.virtual.mcu.image import read_elf
from rig.wire import NoLog, Wire
from suites.selftest.emulator.image import CONTROLLER
from suites.selftest.emulator.qemu import MACHINE, QEMU
from suites.stands.served_bench import served_bench

GDB = "gdb-multiarch"
FLASH, SRAM = 0x08000000, 0x20010000
STARTS_WITHIN_S = 30.0


def installed(program: str, package: str) -> str:
    path = shutil.which(program)
    if path is None:
        raise RigError(f"{program} is not installed: on Debian and Ubuntu, apt-get install {package}")
    return path


@contextmanager
def qemu_gdb_server() -> Iterator[str]:
    """Run the firmware on QEMU, and its GDB server; gives the VISA address."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [installed(QEMU, QEMU), "-M", MACHINE, "-kernel", str(CONTROLLER), "-display", "none", "-monitor", "none"]
    with subprocess.Popen([*command, "-serial", "null", "-gdb", f"tcp:127.0.0.1:{port}"]) as process:
        try:
            deadline = Deadline(WallClock(), STARTS_WITHIN_S)
            while not listens(port) and not deadline.expired:
                assert process.poll() is None, "QEMU ended"
            yield f"TCPIP0::127.0.0.1::{port}::SOCKET"
        finally:
            process.terminate()


def listens(port: int) -> bool:
    """Whether something listens at a port, by the kernel's own table: a connection would be the server's only one."""
    listening = f":{port:04X} 00000000:0000 0A"
    return listening in Path("/proc/net/tcp").read_text(encoding="ascii")


@pytest.fixture(scope="module")
def probe() -> Iterator[GdbRemote]:
    with qemu_gdb_server() as address:
        resource = pyvisa.ResourceManager("@py").open_resource(address)
        assert isinstance(resource, MessageBasedResource)
        clock = WallClock()
        wire = Wire(resource, "probe", clock, NoLog())
        driver = open_driver(wire, clock=clock, unique_id=FLASH, reset_command="system_reset")
        yield driver
        driver.make_safe()
        driver.close()


def flash() -> bytes:
    return b"".join(data for _, data in read_elf(CONTROLLER.read_bytes()).segments)


def test_qemu_tells_who_it_is(probe: GdbRemote) -> None:
    assert probe.identify().serial_number == flash()[:12].hex().upper()
    assert probe.identify().model == "arm"


def test_memory_is_what_the_image_has(probe: GdbRemote) -> None:
    assert probe.read_memory(FLASH, 1000) == flash()[:1000]


def test_a_bit_flips_in_qemus_memory(probe: GdbRemote) -> None:
    probe.write_memory(SRAM, bytes(range(256)) * 2)
    flip_bit(probe, SRAM + 300, 7)
    expected = bytearray(bytes(range(256)) * 2)
    expected[300] ^= 0x80
    assert probe.read_memory(SRAM, 512) == expected


def test_registers_keep_what_they_are_given_while_the_core_is_halted(probe: GdbRemote) -> None:
    probe.halt()
    for name, value in {"r0": 0, "r12": 0xFFFFFFFF, "lr": 0x12345678}.items():
        probe.write_register(name, value)
        assert probe.read_register(name) == value
    assert probe.read_register("xpsr") >> 24 & 1 == 1  # Thumb
    probe.resume()
    probe.reset()


def test_a_core_is_sent_into_a_loop_and_stays_there_until_it_is_reset(probe: GdbRemote) -> None:
    send_into_loop(probe, SRAM)
    assert probe.read_memory(SRAM, len(LOOP)) == LOOP
    assert {probe.read_register("pc") for _ in range(5)} <= {SRAM + 2}
    probe.reset()
    assert FLASH <= probe.read_register("pc") < FLASH + 0x100000


def test_where_there_is_no_memory_it_refuses(probe: GdbRemote) -> None:
    with pytest.raises(RefusedError, match="answered 'E"):
        probe.read_memory(0x60000000, 4)


def test_gdb_debugs_the_twin(tmp_path: Path) -> None:
    gdb = installed(GDB, GDB)
    with served_bench(tmp_path) as bench:
        port = re.fullmatch(r"TCPIP0::127\.0\.0\.1::(\d+)::SOCKET", bench.addresses["probe"])
        assert port is not None
        steps = [
            f"target remote 127.0.0.1:{port[1]}",
            r'printf "pc %d\n", $pc != 0',
            "set var *(unsigned int *)0x20010000 = 0x89abcdef",
            "x/1xw 0x20010000",
            "set $r5 = 0x12345678",
            r'printf "r5 %08x\n", $r5',
            "x/12xb 0x1fff7a10",
            "monitor reset",
            "detach",
        ]
        command = [gdb, "-batch", "-nx", str(CONTROLLER), *(part for step in steps for part in ("-ex", step))]
        said = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout
    assert "pc 1" in said
    assert "0x20010000:\t0x89abcdef" in said
    assert "r5 12345678" in said
    assert "0x3a\t0x00\t0x24\t0x00\t0x0d\t0x47\t0x33\t0x31" in said
    assert "detached" in said
