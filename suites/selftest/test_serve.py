"""`rig serve`: the virtual bench in real time, reached by ordinary programs over ptys and sockets."""

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pyvisa
import serial
from pyvisa.resources import MessageBasedResource

DEVICES = ("supply", "switch", "environment", "pressure", "balance", "pump")


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
            rest = process.communicate(timeout=20)[0]
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
