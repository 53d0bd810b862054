"""Ctrl-C in the middle of emulated firmware: never lost, and nothing is lost by it."""

from __future__ import annotations

import os
import signal
import threading

import pytest

from suites.selftest.test_firmware_wire import COMMAND, SET_BOLUS_1_25_U, run_therapy
from suites.stands.firmware_host import Host


class Interrupting(Host):
    """A host at whose pump somebody presses Ctrl-C during a step of the motor."""

    def _stepped(self, direction: int) -> None:
        super()._stepped(direction)
        if self.steps == 83:
            os.kill(os.getpid(), signal.SIGINT)


def test_ctrl_c_in_a_callback_comes_out_although_another_thread_takes_the_signal() -> None:
    done = threading.Event()
    other = threading.Thread(target=done.wait)
    other.start()
    host = Interrupting()
    host.board.mcu.ctrl_c.attend()
    try:
        host.connect()
        run_therapy(host, 1)
        host.connect()
        host.procedure(COMMAND, SET_BOLUS_1_25_U)
        with pytest.raises(KeyboardInterrupt):
            host.clock.sleep(60.0)
        assert 83 <= host.steps < 88, "it was told too late"
        host.clock.sleep(120.0)
        assert host.steps == 50 * 8
        assert host.board.mcu.faults == []
    finally:
        host.board.mcu.ctrl_c.leave()
        done.set()
        other.join()


def test_ctrl_c_between_two_runs_of_the_engine_comes_at_once_and_the_handler_is_given_back() -> None:
    before = signal.getsignal(signal.SIGINT)
    host = Host()
    host.board.mcu.ctrl_c.attend()
    try:
        host.clock.sleep(1.0)
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
    finally:
        host.board.mcu.ctrl_c.leave()
    assert signal.getsignal(signal.SIGINT) is before
