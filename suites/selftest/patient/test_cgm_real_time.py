"""The played sensor in real time, as on a laboratory's bench: bumble's own transports, and a thread.

In place of two dongles stand two controllers of another process, reached by HCI over TCP.
"""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest

from instruments.cgm_service.driver import open_driver
from rig.clock import WallClock
from rig.errors import NotConnectedError
from rig.wire import NoLog

ADDRESS = "F0:F1:F2:F3:F4:C6"
WITHIN_S = 30.0


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


def is_there(port: int) -> bool:
    with socket.socket() as tried:
        return tried.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture
def dongles() -> Iterator[tuple[str, str]]:
    """Two names of transports whose controllers hear each other."""
    ports = free_port(), free_port()
    served = [f"tcp-server:127.0.0.1:{port}" for port in ports]
    with subprocess.Popen(
        [sys.executable, "-m", "bumble.apps.controllers", *served], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        try:
            clock = WallClock()
            while not all(is_there(port) for port in ports):
                assert clock.now() < WITHIN_S, "the other process does not start"
                clock.sleep(0.2)
            yield f"tcp-client:127.0.0.1:{ports[0]}", f"tcp-client:127.0.0.1:{ports[1]}"
        finally:
            process.kill()


def test_on_real_time_the_sensor_is_found_and_read_over_transports_of_bumble(dongles: tuple[str, str]) -> None:
    clock = WallClock()
    service = open_driver(
        f"ble://{dongles[0]}/{ADDRESS}", clock=clock, log=NoLog(), serial_number="1", collector=dongles[1]
    )
    assert service.self_test() == f"is found as {ADDRESS}"
    service.show(123.4)
    (reading,) = service.received() or ()
    assert (reading.offset_min, reading.glucose_mg_per_dl) == (0, 123.4)
    assert reading.measured_at_s is not None
    assert clock.now() - reading.measured_at_s < 5.0
    service.show_nothing()
    assert service.received() == []  # nothing is measured before 5 min are over
    service.close()


def test_a_dongle_that_is_not_there_is_one_sentence() -> None:
    service = open_driver(
        f"ble://tcp-client:127.0.0.1:{free_port()}/{ADDRESS}", clock=WallClock(), log=NoLog(), serial_number="1"
    )
    with pytest.raises(NotConnectedError, match="check the radios in \\[sensor\\]"):
        service.self_test()
