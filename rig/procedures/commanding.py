"""A pump that a controller commands over its line: each command, and what the pump answered.

Not responsible for deciding (`rig.loop`), nor for what comes of a command: that is weighed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from rig.errors import NoReplyError, RefusedError, WhyRefused
from rig.loop.accepted import Accepted
from rig.loop.controllers import LASTS_MIN, Wanted
from rig.record.taking import Fact, Recorder
from rig.roles import Bench
from rig.therapy import BolusRequest, TemporaryRate

NO_REPLY = "no reply"
"""What stands in the place of the pump's word while the rig itself keeps it from answering."""


class Commanded(Fact):
    """What the pump was told at a minute, and its own word where it refused.

    A bolus in U at once, and `extended_u` more evenly over `over_min` minutes; or a rate in U/h for `lasts_min`
    minutes; neither: the temporary rate that runs is to end.
    """

    at_min: int
    bolus_u: float | None = None
    extended_u: float = 0.0
    over_min: int = 0
    rate_u_per_h: float | None = None
    lasts_min: int = LASTS_MIN
    refused: str | None = None

    @property
    def accepted(self) -> Accepted | None:
        """What the pump accepted; None where it refused."""
        if self.refused is not None:
            return None
        return Accepted(self.at_min, self.rate_u_per_h, self.lasts_min, self.bolus_u, self.extended_u, self.over_min)


class PumpCommander:
    """Tells the pump what a controller wants.

    What it believes of the pump may be wrong: a pump that started again runs no temporary rate, and a controller that
    did so does not know of one. So a temporary rate that the pump does not take as told now, is told in the other way.
    """

    def __init__(self, bench: Bench, record: Recorder, pattern: Callable[[float], BolusRequest] = BolusRequest) -> None:
        self._bench, self._record, self._pattern = bench, record, pattern
        self._pump: Any = bench.pump
        self._rate_until_min = 0
        self._silenced = False
        self.boluses: set[int] = set()

    def forget(self) -> None:
        """Know nothing of what was told, as a controller that is begun anew."""
        self._rate_until_min = 0
        self.boluses.clear()

    @contextmanager
    def silenced(self) -> Iterator[None]:
        """Take silence of the pump for a refusal meanwhile: the rig itself keeps it from answering."""
        self._silenced = True
        try:
            yield
        finally:
            self._silenced = False

    def tell(self, minute: int, wanted: Wanted) -> tuple[Accepted, ...]:
        """Tell the pump what is wanted, over its line; returns what it accepted."""
        accepted = []
        if wanted.ends and minute < self._rate_until_min:
            accepted += self._keep(Commanded(at_s=0.0, at_min=minute, lasts_min=0), self._pump.cancel_temporary_rate)
            self._rate_until_min = 0 if accepted else self._rate_until_min
        if wanted.rate_u_per_h is not None:
            rate = TemporaryRate(wanted.lasts_min, wanted.rate_u_per_h)
            told = Commanded(at_s=0.0, at_min=minute, rate_u_per_h=wanted.rate_u_per_h, lasts_min=wanted.lasts_min)
            taken = self._keep(told, lambda: self._set(rate, change=minute < self._rate_until_min))
            self._rate_until_min = minute + wanted.lasts_min if taken else self._rate_until_min
            accepted += taken
        if wanted.bolus_u > 0.0:
            bolus = self._pattern(wanted.bolus_u)
            told = Commanded(
                at_s=0.0, at_min=minute, bolus_u=bolus.fast_u, extended_u=bolus.extended_u, over_min=bolus.duration_min
            )
            accepted += self._keep(told, lambda: self.boluses.add(self._give(bolus)))
        return tuple(accepted)

    def _give(self, bolus: BolusRequest) -> int:
        """Start a bolus; one that comes at once also on a pump that knows no other."""
        given: int = self._pump.deliver(bolus) if bolus.extended_u else self._pump.bolus(bolus.fast_u)
        return given

    def _set(self, rate: TemporaryRate, *, change: bool) -> None:
        """Set a temporary rate, or change the one that runs; where the pump cannot do it now, the other of both."""
        try:
            self._pump.set_temporary_rate(rate, change=change)
        except RefusedError as error:
            if error.refusal is not WhyRefused.NOT_NOW:
                raise
            self._pump.set_temporary_rate(rate, change=not change)

    def _keep(self, told: Commanded, command: Callable[[], None]) -> list[Accepted]:
        """Give a command and keep it with the pump's answer; what it accepted, or nothing."""
        refused: str | None = None
        try:
            command()
        except RefusedError as error:
            refused = error.came_back
        except NoReplyError:
            if not self._silenced:
                raise
            refused = NO_REPLY
        kept = told.model_copy(update={"at_s": self._bench.clock.now(), "refused": refused})
        self._record.fact(kept)
        return [] if kept.accepted is None else [kept.accepted]
