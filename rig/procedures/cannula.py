"""A cannula that came out: basal insulin and a bolus beside the vessel, between the same into it.

What can be verified is that the pump's account stays true, and that it raises no false alarm: it cannot know. Not
responsible for limits.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar

import numpy as np
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
from rig.procedures.between_blanks import between_blanks, scale_between_blanks
from rig.procedures.bounds import Size, lasting
from rig.procedures.budgets import measured
from rig.procedures.parameters import RATE
from rig.procedures.procedure import Computed
from rig.procedures.rest import wait_for_rest
from rig.procedures.sampling import sample_for
from rig.record.taking import Recorder, Taken, joined
from rig.roles import Bench, Metrology
from rig.toml_files import TimeS
from rig.verdicts.limits import Measurement
from rig.verdicts.quantities import Kind

DRAINED_S = 120.0
"""What hangs at the needle when the valve moves has dropped by then."""

ARRIVED_U = 0.1
"""So much in the vessel while the needle is beside it is no word on the pump: the valve leaks, or never moved."""

CANNOT_KNOW = (
    "A pump cannot know that insulin does not reach the person: it delivers against no more pressure than usual. While "
    "the cannula was out its log says delivered, and nothing reached the vessel."
)

LOGGED = Kind(
    "cannula.logged_less_programmed",
    "logged less programmed insulin with the cannula out at {rate}",
    ("U",),
    (RATE,),
    "What the pump's account says it delivered beside the vessel, less what its programme asked for.",
)
WEIGHED = Kind(
    "cannula.logged_less_weighed",
    "logged less weighed insulin around a cannula out at {rate}",
    ("U",),
    (RATE,),
    "What the account says of the time before it came out and after it was put back, less what was weighed then.",
)
COUNTED = Kind(
    "cannula.reservoir_less_logged",
    "reservoir less logged insulin with a cannula out at {rate}",
    ("U",),
    (RATE,),
    "What the pump says has left its reservoir, less what its account says it delivered.",
)
ALARMS = Kind(
    "cannula.false_alarms",
    "false alarms with the cannula out at {rate}",
    ("alarms",),
    (RATE,),
    "What the pump annunciates while the needle is beside the vessel: nothing presses.",
)


class CannulaOut(Astray):
    """Deliver basal insulin and a bolus into the vessel, then beside it, then into it again."""

    TABLE: ClassVar = "cannula"
    KEYWORD: ClassVar = "Deliver With The Cannula Out"
    IN_WORDS: ClassVar = "a cannula that came out at {title}"
    KINDS: ClassVar = (LOGGED, WEIGHED, COUNTED, ALARMS)

    bolus_u: Annotated[Size, Field(alias="bolus")] = 2.0
    duration_s: Annotated[TimeS, lasting("30 min", "20 h"), Field(alias="duration")] = 7200.0
    in_place_s: Annotated[TimeS, lasting("10 min", "2 h"), Field(alias="around")] = 1800.0

    @property
    def title(self) -> str:
        """What tells it from others: its rate, its bolus, and how long the cannula is out."""
        return f"{self.rate_u_per_h:g} U/h with {self.bolus_u:g} U, out for {self.duration_s / 3600.0:g} h"

    @property
    def needed_u(self) -> float:
        """Insulin that it takes in U."""
        return self.rate_u_per_h * (self.duration_s + 2.0 * self.in_place_s) / 3600.0 + 3.0 * self.bolus_u

    @property
    def extent(self) -> Mapping[str, float]:
        """For how long the cannula is out, in s."""
        return {"analysis": self.duration_s}

    def take(self, bench: Bench, record: Recorder) -> None:
        """Deliver the same before, while and after the cannula is out; the account is read in between."""

        def deliver() -> None:
            reader = self.begin(bench, record)
            self._stretch(bench, record, IN_PLACE, self.in_place_s)
            reader.keep()
            with beside_the_vessel(bench, record):
                self._stretch(bench, record, ASTRAY, self.duration_s)
                reader.keep()
            self._stretch(bench, record, IN_PLACE, self.in_place_s)
            bench.pump.stop()
            reader.keep()
            wait_for_rest(bench, record, AFTER)

        between_blanks(
            bench, record, rate_u_per_h=self.rate_u_per_h, blank_s=self.blank_s, deliver=deliver,
            reservoir_u=RESERVOIR_U,
        )  # fmt: skip

    def _stretch(self, bench: Bench, record: Recorder, phase: str, duration_s: float) -> None:
        start_s = bench.clock.now()
        give_bolus(bench, record, self.bolus_u)
        sample_for(bench, record, phase, duration_s=duration_s, every_s=SAMPLE_EVERY_S)
        programmed_u = self.rate_u_per_h * (bench.clock.now() - start_s) / 3600.0 + self.bolus_u
        record.fact(
            NeedleStretch(at_s=bench.clock.now(), from_s=start_s, astray=phase == ASTRAY, programmed_u=programmed_u)
        )

    def compute(self, taken: Taken, metrology: Metrology) -> Computed:
        """Hold the pump's account against its programme while the cannula was out, and against the balance around."""
        scale = scale_between_blanks(taken, metrology, blank_s=self.blank_s)
        out = taken.series(ASTRAY)
        readings = joined(taken.series(BEFORE).part(slice(-1, None)), taken.series(IN_PLACE, ASTRAY, AFTER))
        delivered_u = scale.delivered_u(readings)
        began, placed, astray, ended = taken.exactly(4, AccountRead)
        _, while_out, _ = taken.exactly(3, NeedleStretch)
        settled = out.at_s >= out.at_s[0] + DRAINED_S
        arrived_u = float(np.ptp(np.interp(out.at_s[settled][[0, -1]], readings.at_s, delivered_u)))
        if arrived_u > ARRIVED_U:
            raise ValueError(f"{arrived_u:.3g} U reached the vessel while the needle was beside it: look at the valve")
        in_place_u = ended.logged_u - began.logged_u - (astray.logged_u - placed.logged_u)
        whole = scale.budget(float(delivered_u[-1]), float(readings.at_s[-1] - readings.at_s[0]))
        against = whole.linear(-1.0, offset=in_place_u, unit="U")
        logged, weighed, counted, alarms = self.quantities
        counted_u = (began.reservoir_u or 0.0) - (ended.reservoir_u or 0.0)
        new = [kind for kind in astray.annunciated if kind not in self.EXPECTED]
        return Computed(
            measured=(
                Measurement(logged, astray.logged_u - placed.logged_u - while_out.programmed_u),
                measured(weighed, against),
                Measurement(counted, counted_u - (ended.logged_u - began.logged_u)),
                Measurement(alarms, float(len(new))),
            ),
            budgets={weighed: against},
            notes={weighed: CANNOT_KNOW},
        )
