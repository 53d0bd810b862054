"""Signals that ask to stop: the first is obeyed, later ones cut nothing short; the parent's death is one of them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from rig.run.stopping import SIGNALS, StopSignals, attending

NAMES = [signal.Signals(number).name for number in SIGNALS]


@pytest.mark.parametrize("name", NAMES)
def test_each_of_them_is_a_ctrl_c_once(name: str) -> None:
    number = signal.Signals[name]
    with StopSignals() as stop:
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(number)
        for later in SIGNALS:
            signal.raise_signal(later)
        assert stop.asked == name


def test_the_handlers_are_given_back() -> None:
    before = [signal.getsignal(number) for number in SIGNALS]
    with StopSignals() as stop:
        assert attending() is stop
    assert [signal.getsignal(number) for number in SIGNALS] == before
    assert attending() is None


def test_what_must_be_done_whole_is_done_whole_and_then_the_signal_comes() -> None:
    done = []
    with StopSignals() as stop:
        held = stop.held()
        held.__enter__()
        signal.raise_signal(signal.SIGTERM)
        done.append("whole")
        with pytest.raises(KeyboardInterrupt):
            held.__exit__(None, None, None)
    assert done == ["whole"]


def test_a_signal_that_came_while_held_comes_at_once_where_it_is_let_through() -> None:
    done = []
    with StopSignals() as stop, stop.held():
        signal.raise_signal(signal.SIGHUP)
        with pytest.raises(KeyboardInterrupt), stop.let_through():
            done.append("never")
        signal.raise_signal(signal.SIGHUP)
    assert done == []


def test_after_the_end_nothing_is_answered_any_more() -> None:
    with StopSignals() as stop, stop.held():
        signal.raise_signal(signal.SIGTERM)
        stop.finish()
    assert stop.asked == "SIGTERM"


def test_a_handler_that_was_there_before_is_told_once() -> None:
    told: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _: told.append(number))
    try:
        with StopSignals():
            signal.raise_signal(signal.SIGTERM)
            signal.raise_signal(signal.SIGINT)
    finally:
        signal.signal(signal.SIGINT, before)
    assert told == [signal.SIGINT]


def test_another_handler_that_takes_the_place_is_told_once() -> None:
    told: list[int] = []
    with StopSignals() as stop:
        signal.signal(signal.SIGINT, lambda number, _: told.append(number))
        stop.stand_before()
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT):
            signal.raise_signal(number)
    assert (told, stop.asked) == ([signal.SIGINT], "SIGTERM")


CHILD = """
import sys, signal
from rig.run.stopping import StopSignals
with StopSignals() as stop:
    stop.watch_parent()
    try:
        print("ready", flush=True)
        signal.pause()
    except KeyboardInterrupt:
        print(stop.asked, flush=True)
"""
PARENT = f"""
import subprocess, sys, os, signal
from rig.run.stopping import Leash
with Leash() as leash:
    subprocess.Popen([sys.executable, "-c", {CHILD!r}], env=os.environ | leash.environment, pass_fds=leash.pass_fds)
    signal.pause()
"""


def test_a_process_whose_parent_is_killed_hears_of_it_and_stops() -> None:
    environment = {**os.environ, "PYTHONPATH": str(Path.cwd())}
    with subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True, env=environment) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == "ready\n"
        parent.kill()
        assert parent.stdout.read() == "the end of the process that had started it\n"  # to its end: nobody writes on
