"""One `query()` through the virtual bench, beside the same through pyvisa-sim and through pyvisa-py on loopback."""

from __future__ import annotations

import socket
import statistics
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import pyvisa
from pyvisa.resources import MessageBasedResource

from rig.clock import SimClock, WallClock
from rig.virtual.port import Port
from rig.virtual.visa import VirtualVisaLibrary

REQUEST, REPLY = "SI", "S S     1.234567 g"
REPEATS, QUERIES = 15, 400

SIM_DEVICES = f"""
spec: "1.1"
devices:
  balance:
    eom:
      TCPIP SOCKET:
        q: "\\r\\n"
        r: "\\r\\n"
    dialogues:
      - q: "{REQUEST}"
        r: "{REPLY}"
resources:
  TCPIP0::balance::5025::SOCKET:
    device: balance
"""


def prepared(resource: object) -> MessageBasedResource:
    """Set the line ends of an opened resource."""
    assert isinstance(resource, MessageBasedResource)
    resource.read_termination = resource.write_termination = "\r\n"
    return resource


def virtual() -> MessageBasedResource:
    """Open a resource of the virtual bench that answers at once."""
    port = Port(SimClock(), baud=None)
    port.on_receive(lambda _: port.send((REPLY + "\r\n").encode()))
    name = "TCPIP0::balance::5025::SOCKET"
    return prepared(pyvisa.ResourceManager(VirtualVisaLibrary.over({name: port})).open_resource(name))


def simulated(folder: Path) -> MessageBasedResource:
    """Open the same resource in pyvisa-sim."""
    path = folder / "devices.yaml"
    path.write_text(SIM_DEVICES, encoding="utf-8")
    return prepared(pyvisa.ResourceManager(f"{path}@sim").open_resource("TCPIP0::balance::5025::SOCKET"))


def loopback() -> MessageBasedResource:
    """Open a socket of this machine through pyvisa-py; a thread answers."""
    server = socket.create_server(("127.0.0.1", 0))

    def answer() -> None:
        connection, _ = server.accept()
        with connection, server:
            while connection.recv(4096):
                connection.sendall((REPLY + "\r\n").encode())

    threading.Thread(target=answer, daemon=True).start()
    name = f"TCPIP0::127.0.0.1::{server.getsockname()[1]}::SOCKET"
    return prepared(pyvisa.ResourceManager("@py").open_resource(name))


def microseconds(query: Callable[[], str]) -> float:
    """The wall time of one query in µs."""
    clock = WallClock()
    for _ in range(QUERIES):
        if query() != REPLY:
            raise RuntimeError("a query brought another reply than it should")
    return clock.now() / QUERIES * 1e6


def main() -> None:
    """Print the medians and the ratios, the three taken in turn."""
    with TemporaryDirectory() as folder:
        peers = {"virtual bench": virtual(), "pyvisa-sim": simulated(Path(folder)), "pyvisa-py loopback": loopback()}
        times: dict[str, list[float]] = {name: [] for name in peers}
        for _ in range(REPEATS):
            for name, resource in peers.items():
                times[name].append(microseconds(partial(resource.query, REQUEST)))
        for resource in peers.values():
            resource.close()
    own = times.pop("virtual bench")
    print(f"one query() through the virtual bench: {statistics.median(own):.1f} µs (median of {REPEATS})")
    for name, other in times.items():
        ratios = sorted(a / b for a, b in zip(own, other, strict=True))
        print(
            f"  beside {name}: {statistics.median(other):.1f} µs, "
            f"ratio {statistics.median(ratios):.2f} ({ratios[0]:.2f} … {ratios[-1]:.2f})"
        )
