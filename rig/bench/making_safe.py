"""A bench made safe by somebody who has not opened it: cut-off first, then the pump's own stop, then the valves.

Each device is opened, told, and let go in a thread of its own and in a bounded time, so that one that hangs keeps no
other from being made safe. Not responsible for when that is due (`rig.bench.guardian`).
"""

from __future__ import annotations

import datetime
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

import pyvisa

from rig.bench.driver_errors import named_errors
from rig.bench.drivers import driver_module
from rig.bench.far_side import FarSide
from rig.bench.file import BenchFile
from rig.bench.open import CUT_OFFS, open_device
from rig.clock import Clock, Deadline
from rig.errors import RigError
from rig.record.files import utc_now
from rig.wire import NoLog

ORDERS: Mapping[str, Sequence[str]] = {
    "supply": ("supply", "pump", "switch"),
    "relay": ("switch", "supply", "pump"),
    "nothing": ("pump", "switch", "supply"),
}
"""What is made safe one after the other, by what cuts off the pump's power."""

PATIENCE_S: Mapping[str, float] = {"supply": 1.0, "switch": 1.0, "pump": 1.7}
"""So long the next one waits for each. Together less than the 5 s that a pump may run on."""

ALL_WITHIN_S = 4.5

DONE: Mapping[str, str] = {
    "supply": "the supply's output is off",
    "switch": "the relays are released",
    "pump": "the pump was stopped over its line",
}


@dataclass(frozen=True)
class MadeSafe:
    """What became of one device, so many s after the guardian began; `problem` is None where it was made safe."""

    role: str
    after_s: float
    problem: str | None

    def __str__(self) -> str:
        """Say it, as the record does."""
        return f"{DONE[self.role]} ({self.after_s:.1f} s)" if self.problem is None else self.problem


def is_safe(spec: BenchFile, steps: Mapping[str, MadeSafe]) -> bool:
    """Say whether the pump can deliver no more: its power was cut off, or it was stopped."""
    return any(steps[role].problem is None for role in ("pump", *CUT_OFFS[spec.cut_off.by]))


def in_words(spec: BenchFile, steps: Mapping[str, MadeSafe]) -> str:
    """Say what became of each device, in the order in which they were made safe."""
    has_no_power = any(steps[role].problem is None for role in CUT_OFFS[spec.cut_off.by])
    said = {role: str(step) for role, step in steps.items()}
    if has_no_power and "no reply within" in (steps["pump"].problem or ""):
        said["pump"] = "the pump gave no answer once it had no power"
    return "; ".join(said.values())


class Rescuer:
    """Makes a bench safe, as often as it takes.

    Args:
        spec: the bench.
        clock: real time.

    Raises:
        BenchFileError: a driver cannot be found or imported; nothing is opened.
    """

    def __init__(self, spec: BenchFile, clock: Clock) -> None:
        self._spec = spec
        self._clock = clock
        self._order = ORDERS[spec.cut_off.by]
        for role in self._order:
            driver_module(role, getattr(spec, role).driver)
        today = datetime.date.fromisoformat(utc_now()[:10])
        self._far = FarSide(clock, pyvisa.ResourceManager(spec.visa_library), spec.pump.port, today)
        self._at_work: dict[str, threading.Thread] = {}

    def attempt(self) -> dict[str, MadeSafe]:
        """Try each device once; returns what became of them within 4.5 s.

        A device at which an earlier attempt still hangs is not opened again.
        """
        found: dict[str, MadeSafe] = {}
        everything = Deadline(self._clock, ALL_WITHIN_S)
        begun_s = self._clock.now()

        def note(role: str, problem: str | None) -> None:
            found[role] = MadeSafe(role, self._clock.now() - begun_s, problem)

        for role in self._order:
            if role not in self._at_work or not self._at_work[role].is_alive():
                self._at_work[role] = threading.Thread(target=self._make_safe, args=(role, note), daemon=True)
                self._at_work[role].start()
            self._at_work[role].join(min(PATIENCE_S[role], everything.remaining_s))
        for role in self._order:
            self._at_work[role].join(everything.remaining_s)
        late = f"no answer within {ALL_WITHIN_S:g} s"
        return {role: found.get(role) or MadeSafe(role, ALL_WITHIN_S, f"{role}: {late}") for role in self._order}

    def _make_safe(self, role: str, note: Callable[[str, str | None], None]) -> None:
        try:
            with named_errors(role, "make_safe()"):
                device = open_device(self._spec, role, self._far, NoLog())
                try:
                    device.make_safe()
                    note(role, None)
                finally:
                    with suppress(Exception):  # what is safe stays so
                        device.close()
        except RigError as error:
            note(role, str(error))
        except Exception as error:  # a thread of its own: nobody else would hear of it
            note(role, f"{role}: {type(error).__name__}: {error}")
