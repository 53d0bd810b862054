"""How long a measurement may take at most, and a pump whose controller never rests.

A firmware that spins makes an emulated controller compute for ever. It is asked as soon as its controller has not
rested for some seconds: one that is silent then hangs, and is the pump's fault; one that answers is measured on, until
the time that a measurement is given is over, which is nobody's word on the pump. Not responsible for a silent pump
(`silence`), nor for how long a measurement takes by itself (`Procedure.bench_time_s`).
"""

from __future__ import annotations

import math
from collections.abc import Callable

from rig.clock import Clock, ComputingClock
from rig.errors import BlockedError
from rig.procedures.silence import RESTLESS_S

MARGIN_S, TIMES = 7200.0, 2.0
"""A measurement is given twice the bench time that it says it takes, and two hours."""
LONGEST_COMPUTING_S = 300.0
"""Of processor time for one measurement on a virtual bench; 49 h of basal delivery take 10 to 20 s."""
ASKED_AGAIN_S = 600.0
"""After so much bench time one that answered is looked at again."""
LOOK_EVERY_S = 2.0
"""Longer sleeps are taken apart where a controller is seen into."""


def longest_s(bench_time_s: float | None) -> float:
    """Compute how much bench time a measurement is given in s; no end where it does not say how long it takes."""
    return math.inf if bench_time_s is None else TIMES * bench_time_s + MARGIN_S


class LimitedClock:
    """The bench's clock for one measurement, which ends it when its time is over. Fulfils `rig.clock.Clock`.

    Args:
        clock: the bench's.
        what: the measurement in words, for the sentence.
        longest_s: so much bench time it is given, in s.
        restless_s: tells for how long the pump's controller has not rested; None where nobody can see into it.
        look: looks at the pump, and raises when it does not answer.
    """

    def __init__(
        self,
        clock: Clock,
        what: str,
        *,
        longest_s: float,
        restless_s: Callable[[], float] | None,
        look: Callable[[], None],
    ) -> None:
        self._clock = clock
        self._what = what
        self._longest_s = longest_s
        self._restless_s = restless_s
        self._look = look
        self._since_s = clock.now()
        self._looked_s = -math.inf
        self._computing = ComputingClock()

    def now(self) -> float:
        """The seconds since the bench's clock started."""
        return self._clock.now()

    def sleep(self, seconds: float) -> None:
        """Wait for `seconds` of bench time.

        Raises:
            BlockedError: the measurement's time is over.
            DeviceError: the pump's controller does not rest, and the pump does not answer.
        """
        if self._restless_s is None:
            self._clock.sleep(seconds)
            self._refuse_overdue()
            return
        while seconds >= 0.0:  # a sleep of 0 s is one, too
            self._clock.sleep(min(seconds, LOOK_EVERY_S))
            if (restless_s := self._restless_s()) >= RESTLESS_S:
                self._look_at_restless(restless_s)
            seconds = seconds - LOOK_EVERY_S if seconds > LOOK_EVERY_S else -1.0
        self._refuse_overdue()
        self._refuse_computing(0.0)

    def _look_at_restless(self, restless_s: float) -> None:
        now_s = self._clock.now()
        if now_s - self._looked_s >= ASKED_AGAIN_S:
            self._looked_s = now_s
            self._look()
        self._refuse_computing(restless_s)

    def _refuse_computing(self, restless_s: float) -> None:
        if self._computing.now() > LONGEST_COMPUTING_S:
            rests = f"; the pump's controller has not rested for {restless_s:.0f} s" if restless_s >= 1.0 else ""
            raise BlockedError(
                f"rig: {self._what} broke off after {LONGEST_COMPUTING_S:g} s of computing, of which it is given no "
                f"more on a virtual bench{rests}"
            )

    def _refuse_overdue(self) -> None:
        took_s = self._clock.now() - self._since_s
        if took_s > self._longest_s:
            raise BlockedError(
                f"rig: {self._what} broke off after {took_s / 3600.0:.3g} h of bench time, and is given no more than "
                f"{self._longest_s / 3600.0:.3g} h"
            )
