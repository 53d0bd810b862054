"""`rig serve`: the virtual bench in real time, reached by ordinary programs over ptys and sockets."""

import re
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pyvisa
import serial
from pyvisa.resources import MessageBasedResource

DEVICES = ("supply", "switch", "environment", "pressure", "balance", "sound", "pump", "probe")


@contextmanager
def served() -> Iterator[dict[str, str]]:
    """Run `rig serve` and yield the address of every device; Ctrl-C must end it with exit code 0."""
    command = [sys.executable, "-m", "rig", "serve"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        assert process.stdout is not None
        addresses: dict[str, str] = {}
        output = ""
        while len(addresses) < len(DEVICES):
            line = process.stdout.readline()
            assert line, output
            output += line
            for device in DEVICES:
                if match := re.search(rf"│ {device} +│ \S+ +│ (\S+)", line):
                    addresses[device] = match[1]
        try:
            yield addresses
        finally:
            process.send_signal(signal.SIGINT)
            try:
                rest = process.communicate(timeout=20)[0]
            finally:
                process.kill()  # one that Ctrl-C does not end must not keep the tests
    assert process.returncode == 0, rest
    assert "Stopped." in rest


def test_every_device_answers_ordinary_programs_and_ctrl_c_ends_it() -> None:
    with served() as addresses:
        manager = pyvisa.ResourceManager("@py")
        supply = manager.open_resource(addresses["supply"])
        assert isinstance(supply, MessageBasedResource)
        supply.read_termination = supply.write_termination = "\n"
        assert "E36312A" in supply.query("*IDN?")
        assert abs(float(supply.query("MEAS:VOLT? (@1)")) - 3.7) < 0.01
        supply.close()
        manager.close()
        with serial.Serial(addresses["balance"], 9600, timeout=3.0) as balance:
            balance.write(b"SI\r\n")
            assert re.fullmatch(rb"S [SD] +\d+\.\d{6} g\r\n", balance.readline())
        with serial.Serial(addresses["switch"], 9600, timeout=3.0) as relay:
            relay.write(b"relay read 0\r")
            assert b"off" in relay.read_until(b">")
        with serial.Serial(addresses["pump"], 115200, timeout=3.0) as pump:
            pump.write(bytes.fromhex("7e 10 01 00 ff ff 00 28 f9 93 7e"))  # Read By Group Type, primary services
            pump.read_until(b"\x7e")
            assert bytes.fromhex("3a 18") in pump.read_until(b"\x7e")


def socket_of(address: str) -> tuple[str, int]:
    _, host, port, _ = address.split("::")
    return host, int(port)


def test_a_reply_that_a_client_did_not_fetch_is_gone_for_the_next() -> None:
    with served() as addresses:
        with socket.create_connection(socket_of(addresses["supply"])) as first:
            first.sendall(b"*IDN?\n")
        with socket.create_connection(socket_of(addresses["supply"]), timeout=3.0) as second:
            second.sendall(b"MEAS:VOLT? (@1)\n")
            assert abs(float(second.makefile("rb").readline()) - 3.7) < 0.01
        with Path(addresses["balance"]).open("r+b", buffering=0) as unfetched:
            unfetched.write(b"I3\r\n")
            assert select.select([unfetched], [], [], 3.0)[0] == [unfetched]  # the reply begins, and is left there
        with serial.Serial(addresses["balance"], 9600, timeout=3.0) as terminal:  # which drops what has come so far
            terminal.write(b"I2\r\n")
            assert terminal.readline().startswith(b'I2 A "')


def test_a_client_that_does_not_read_stops_nobody() -> None:
    with served() as addresses, socket.create_connection(socket_of(addresses["supply"])) as slow:
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        slow.settimeout(0.2)
        with suppress(OSError):  # as much as there is room for, or until it is hung up on
            for _ in range(3000):
                slow.sendall(b";".join([b"*IDN?"] * 300) + b"\n")
        with serial.Serial(addresses["balance"], 9600, timeout=3.0) as balance:
            for _ in range(3):
                balance.write(b"SI\r\n")
                assert re.fullmatch(rb"S [SD] +-?\d+\.\d{6} g\r\n", balance.readline())
