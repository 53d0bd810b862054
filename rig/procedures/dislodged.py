"""A set dislodged by sport: random losses beside the vessel under a temporary rate, and what of the insulin was missed.

Not responsible for limits.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from functools import partial
from typing import Annotated, ClassVar

from pydantic import Field

from rig.procedures.astray import (
    AFTER,
    ASTRAY,
    BEFORE,
    IN_PLACE,
    RESERVOIR_U,
    SAMPLE_EVERY_S,
    AccountRead,
    Astray,
    NeedleStretch,
    beside_the_vessel,
    give_bolus,
)
from rig.procedures.at_once import at_once
from rig.procedures.between_blanks import between_blanks, scale_between_blanks
from rig.procedures.bounds import Minutes, Share, Size, lasting
from rig.procedures.budgets import measured
from rig.procedures.parameters import RATE
from rig.procedures.procedure import Computed
from rig.procedures.rest import wait_for_rest
from rig.procedures.sampling import sample_for
from rig.record.taking import Recorder, Taken, joined
from rig.roles import Bench, Capability, Metrology, require
from rig.therapy import TemporaryRate
from rig.toml_files import TimeS
from rig.verdicts.limits import Measurement
from rig.verdicts.quantities import Kind

MISSED = Kind(
    "dislodged.missed",
    "insulin missed with a set dislodged by sport at {rate}",
    ("U",),
    (RATE,),
    "What the pump's account says it delivered, less what was weighed.",
)
UNEXPLAINED = Kind(
    "dislodged.missed_less_lost",
    "missed less lost insulin with a set dislodged by sport at {rate}",
    ("U",),
    (RATE,),
    "What was missed, less what was programmed while the valve led to waste.",
)
FALSE_ALARMS = Kind(
    "dislodged.false_alarms",
    "false alarms with a set dislodged by sport at {rate}",
    ("alarms",),
    (RATE,),
    "What the pump annunciates while the set comes off and is put back.",
)


class SetDislodged(Astray):
    """A temporary rate for sport during which the set comes off again and again, and is put back at its end."""

    TABLE: ClassVar = "dislodged"
    KEYWORD: ClassVar = "Dislodge The Set By Sport"
    IN_WORDS: ClassVar = "a set dislodged by sport at {title}"
    KINDS: ClassVar = (MISSED, UNEXPLAINED, FALSE_ALARMS)

    share_percent: Annotated[Share, Field(alias="share")] = 50.0
    duration_s: Annotated[Minutes, Field(alias="duration", ge=1800.0)] = 4500.0
    in_place_s: Annotated[TimeS, lasting("10 min", "2 h"), Field(alias="around")] = 1200.0
    bolus_u: Annotated[Size, Field(alias="bolus")] = 1.0
    losses: Annotated[int, Field(ge=1, le=20)] = 4
    draw: Annotated[int, Field(ge=0)] = 1

    @property
    def title(self) -> str:
        """What tells it from others: its rate, its sport, and which draw of losses."""
        return (
            f"{self.rate_u_per_h:g} U/h, {self.share_percent:g} % for {self.duration_s / 60.0:g} min, draw {self.draw}"
        )

    @property
    def needs(self) -> tuple[Capability, ...]:
        """What a pump must be able to do for it."""
        return (*super().needs, Capability.TEMPORARY_BASAL)

    @property
    def needed_u(self) -> float:
        """Insulin that it takes in U."""
        return (
            self.rate_u_per_h * (self.share_percent / 100.0 * self.duration_s + 2.0 * self.in_place_s) / 3600.0
            + self.bolus_u
        )

    @property
    def extent(self) -> Mapping[str, float]:
        """For how long sport lasts, in s."""
        return {"analysis": self.duration_s}

    @property
    def lost_s(self) -> tuple[tuple[float, float], ...]:
        """From when to when the needle is beside the vessel, in s since the temporary rate began: drawn, never equal.

        Each of equal parts of the time holds one loss, of a quarter to three quarters of it; the last lasts until the
        set is put back, at the end.
        """
        drawn = random.Random(self.draw)
        part_s = self.duration_s / self.losses
        spans = []
        for number in range(self.losses):
            lasts_s = drawn.uniform(0.25, 0.75) * part_s
            begins_s = number * part_s + drawn.uniform(0.05, 0.95) * (part_s - lasts_s)
            spans.append((begins_s, begins_s + lasts_s))
        spans[-1] = (spans[-1][0], self.duration_s)
        return tuple(spans)

    def take(self, bench: Bench, record: Recorder) -> None:
        """Deliver, begin the temporary rate, lead the needle beside the vessel as drawn, put it back, give a bolus."""

        def deliver() -> None:
            reader = self.begin(bench, record)
            sample_for(bench, record, IN_PLACE, duration_s=self.in_place_s, every_s=SAMPLE_EVERY_S)
            sport = TemporaryRate(round(self.duration_s / 60.0), None, self.share_percent / 100.0)
            change = require(bench.pump, Capability.TEMPORARY_BASAL).set_temporary_rate
            at_once(bench.clock, "starting a temporary rate", partial(change, sport))
            start_s = bench.clock.now()
            record.step("sport", factor=self.share_percent / 100.0, losses=self.losses)
            for from_s, to_s in self.lost_s:
                self._until(bench, record, start_s + from_s)
                with beside_the_vessel(bench, record):
                    began_s = bench.clock.now()
                    self._until(bench, record, start_s + to_s)
                    now_s = bench.clock.now()
                    programmed_u = self.rate_u_per_h * self.share_percent / 100.0 * (now_s - began_s) / 3600.0
                    record.fact(NeedleStretch(at_s=now_s, from_s=began_s, astray=True, programmed_u=programmed_u))
            give_bolus(bench, record, self.bolus_u)
            sample_for(bench, record, IN_PLACE, duration_s=self.in_place_s, every_s=SAMPLE_EVERY_S)
            bench.pump.stop()
            reader.keep()
            wait_for_rest(bench, record, AFTER)

        between_blanks(
            bench, record, rate_u_per_h=self.rate_u_per_h, blank_s=self.blank_s, deliver=deliver,
            reservoir_u=RESERVOIR_U,
        )  # fmt: skip

    def _until(self, bench: Bench, record: Recorder, at_s: float) -> None:
        left_s = max(at_s - bench.clock.now(), 0.0)
        sample_for(bench, record, ASTRAY, duration_s=left_s, every_s=SAMPLE_EVERY_S)

    def compute(self, taken: Taken, metrology: Metrology) -> Computed:
        """Hold the pump's account against the balance, and the difference against what went beside the vessel."""
        scale = scale_between_blanks(taken, metrology, blank_s=self.blank_s)
        readings = joined(taken.series(BEFORE).part(slice(-1, None)), taken.series(AFTER))
        whole = scale.budget(
            float(scale.delivered_u(readings)[-1]), float(readings.at_s[-1] - readings.at_s[0])
        )  # fmt: skip
        began, ended = taken.exactly(2, AccountRead)
        lost_u = sum(each.programmed_u for each in taken.facts(NeedleStretch))
        missed = whole.linear(-1.0, offset=ended.logged_u - began.logged_u, unit="U")
        unexplained = missed.linear(1.0, offset=-lost_u, unit="U")
        of_missed, of_unexplained, of_alarms = self.quantities
        new = [kind for kind in ended.annunciated if kind not in self.EXPECTED]
        return Computed(
            measured=(
                measured(of_missed, missed),
                measured(of_unexplained, unexplained),
                Measurement(of_alarms, float(len(new))),
            ),
            budgets={of_missed: missed, of_unexplained: unexplained},
            notes={
                of_missed: f"{lost_u:.3g} U were programmed while the needle was beside the vessel. The person missed "
                "them; the pump, which cannot know, counts them as delivered."
            },
        )
