"""A battery that runs down: warned in time, alarmed before it ends, and nothing delivered from then on.

The supply stands in for the battery and goes down in steps to either side of the voltages that the pump states. Not
responsible for limits, nor for how long a cell lasts from one step to the next: that is the cell's.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Annotated, ClassVar

import numpy as np
from pydantic import AfterValidator, Field

from rig.errors import BlockedError, RefusedError
from rig.procedures.between_blanks import between_blanks, scale_between_blanks
from rig.procedures.bounds import Rate, lasting
from rig.procedures.budgets import measured
from rig.procedures.power import commanded, find_again, set_voltage, shown_kinds, stop_and_fade, weighed_over
from rig.procedures.preparation import start_therapy
from rig.procedures.procedure import BetweenBlanks, Computed
from rig.procedures.rest import SAMPLE_EVERY_S
from rig.procedures.sampling import sample_for
from rig.record.taking import Fact, Recorder, Taken
from rig.roles import Bench, Capability, Metrology, require
from rig.toml_files import TimeS, VoltageV, within
from rig.verdicts.limits import Measurement
from rig.verdicts.quantities import Kind, Quantity

LOW, EMPTY = "battery low", "battery empty"
POLL_S = 5.0
"""So often the pump's annunciations are read; a delay is known so well."""
LONGEST_LOOK_S = 20.0
"""From look to look: a driver waits 12 s at most. Beyond, this computer stood still, and the delay is its own."""
FADING_S = 60.0
"""13 time constants of a line that fades in 4.5 s: what came before the alarm has arrived."""
DOWN_S, UP_S = 60.0, 300.0
"""At each of the voltages below the last alarm, and after the battery is good again."""
FAILING_V, DEAD_V = 2.5, 1.9
"""Below what pumps run on, and below what their controllers do."""
READ_CURRENT, READ_EVERY_S = 60, 0.35
"""Readings of the current, and how far apart: not a whole share of the seconds in which doses come."""
BOLUS_U = 0.5
AFTER_EMPTY, SHUTDOWN = "after the empty alarm", "around the shutdown"

FALSE = Kind(
    "battery.false_warnings",
    "warnings of a battery that is good, and alarms of one that is only low",
    ("warnings",),
    (),
    "Battery annunciations above the voltages at which they are due.",
)
LOW_DELAY = Kind(
    "battery.low_delay", "time until a low battery is annunciated", ("s",), (), "From the step below the low voltage."
)
EMPTY_DELAY = Kind(
    "battery.empty_delay", "time until an empty battery is alarmed", ("s",), (), "From the step below the empty one."
)
DELIVERED = Kind(
    "battery.delivered_after_empty",
    "delivered after the empty alarm",
    ("U",),
    (),
    "On a battery that is empty, though told to run.",
)
AT_SHUTDOWN = Kind(
    "battery.delivered_at_shutdown",
    "delivered while the pump shuts down and starts again",
    ("U",),
    (),
    "From below the empty alarm through a dead battery to a good one.",
)
SLEEP_CURRENT = Kind("battery.resting_current", "current of the stopped pump", ("mA",), (), "Mean of readings.")
BOLUS_CURRENT = Kind("battery.bolus_current", "current during a bolus", ("mA",), (), "Mean of readings.")


class BatteryStep(Fact):
    """What the pump annunciated of its battery within `held_s` of a step to `voltage_v`: kinds, and when each in s."""

    voltage_v: float
    held_s: float
    kinds: tuple[str, ...]
    seen_s: tuple[float, ...]


class CurrentRead(Fact):
    """Readings of the supply's current in A while the pump did something."""

    doing: str
    current_a: tuple[float, ...]


Cell = Annotated[VoltageV, within("voltage_v", "0.5 V", "6 V")]


def _falling(steps_v: tuple[float, ...]) -> tuple[float, ...]:
    if any(later >= earlier for earlier, later in pairwise(steps_v)):
        raise ValueError("a battery that runs down has falling voltages")
    return steps_v


class Battery(BetweenBlanks):
    """Let the battery run down in four steps while basal insulin is delivered, through empty to dead and good again.

    At `good` nothing is to be annunciated, at `low` the warning, at `poor` no more than that, at `empty` the alarm.
    """

    TABLE: ClassVar = "battery"
    KEYWORD: ClassVar = "Run The Battery Down"
    IN_WORDS: ClassVar = "a battery that runs down {title}"
    KINDS: ClassVar = (FALSE, LOW_DELAY, EMPTY_DELAY, DELIVERED, AT_SHUTDOWN, SLEEP_CURRENT, BOLUS_CURRENT)
    EXPECTED: ClassVar = frozenset({LOW, EMPTY, "system issue"})

    steps_v: Annotated[tuple[Cell, ...], AfterValidator(_falling), Field(alias="steps", min_length=4, max_length=4)] = (
        3.45,
        3.35,
        3.25,
        3.15,
    )
    rate_u_per_h: Annotated[Rate, Field(alias="rate")] = 2.0
    hold_s: Annotated[TimeS, lasting("10 s", "1 h"), Field(alias="hold")] = 150.0
    watch_s: Annotated[TimeS, lasting("1 min", "1 d"), Field(alias="watch")] = 600.0

    @property
    def title(self) -> str:
        """What tells it from others: the steps."""
        return "at " + ", ".join(f"{voltage_v:g} V" for voltage_v in self.steps_v)

    @property
    def needs(self) -> tuple[Capability, ...]:
        """What a pump must be able to do for it."""
        return (Capability.BASAL_PROFILE, Capability.FAST_BOLUS)

    @property
    def needed_roles(self) -> tuple[str, ...]:
        """Instruments that it uses."""
        return ("supply",)

    @property
    def needed_u(self) -> float:
        """Insulin that it takes in U, at most."""
        return BOLUS_U + self.rate_u_per_h * (4 * self.hold_s + self.watch_s + 2 * DOWN_S + UP_S + FADING_S) / 3600.0

    @property
    def quantities(self) -> tuple[Quantity, ...]:
        """What it measures."""
        return tuple(kind.of() for kind in self.KINDS)

    @property
    def extent(self) -> Mapping[str, float]:
        """How long it weighs on an empty battery, in s."""
        return {"analysis": self.watch_s}

    def take(self, bench: Bench, record: Recorder) -> None:
        """Lower the supply step by step and look at what the pump annunciates; read the balance from the alarm on."""

        def run_down() -> None:
            nominal_v = bench.supply.read_voltage_v()
            self._read_currents(bench, record)
            for voltage_v in self.steps_v:
                set_voltage(bench, record, voltage_v)
                record.fact(self._looked(bench, record, voltage_v))
            self._ask_to_run(bench, record)
            sample_for(bench, record, "fading", duration_s=FADING_S, every_s=SAMPLE_EVERY_S)
            sample_for(bench, record, AFTER_EMPTY, duration_s=self.watch_s, every_s=SAMPLE_EVERY_S)
            for voltage_v, lasts_s in ((FAILING_V, DOWN_S), (DEAD_V, DOWN_S), (nominal_v, UP_S)):
                set_voltage(bench, record, voltage_v)
                sample_for(bench, record, SHUTDOWN, duration_s=lasts_s, every_s=SAMPLE_EVERY_S)
            status = find_again(bench)
            record.step("battery good again", therapy=status.therapy.value)
            stop_and_fade(bench, record)

        between_blanks(bench, record, rate_u_per_h=self.rate_u_per_h, blank_s=self.blank_s, deliver=run_down)

    def _read_currents(self, bench: Bench, record: Recorder) -> None:
        """Read the current of the stopped pump and of a bolus; basal therapy runs from then on."""

        def read(doing: str) -> None:
            readings = []
            for _ in range(READ_CURRENT):
                readings.append(bench.supply.read_current_a())
                bench.clock.sleep(READ_EVERY_S)
            record.fact(CurrentRead(at_s=bench.clock.now(), doing=doing, current_a=tuple(readings)))

        read("stopped")
        start_therapy(bench, record)
        commanded(record, lambda: require(bench.pump, Capability.FAST_BOLUS).bolus(BOLUS_U))
        read("bolus")

    def _ask_to_run(self, bench: Bench, record: Recorder) -> None:
        """Tell the pump to deliver on its empty battery: that it refuses is weighed, not believed."""
        try:
            bench.pump.run()
        except RefusedError as error:
            record.step("therapy refused", reason=str(error))
        else:
            record.step("therapy runs on an empty battery")

    def _looked(self, bench: Bench, record: Recorder, voltage_v: float) -> BatteryStep:
        """Look for `hold_s` at what the pump annunciates of its battery, from now on."""
        begun_s = bench.clock.now()
        seen: dict[str, float] = {}
        looked_s = begun_s
        while bench.clock.now() < begun_s + self.hold_s:
            sample_for(bench, record, f"at {voltage_v:g} V", duration_s=POLL_S, every_s=POLL_S)
            kinds = shown_kinds(bench)
            if bench.clock.now() - looked_s > LONGEST_LOOK_S:
                raise BlockedError(
                    f"rig: {bench.clock.now() - looked_s:.4g} s passed from look to look at the pump, "
                    f"{LONGEST_LOOK_S:g} s may; find out what held the computer up, and measure again"
                )
            looked_s = bench.clock.now()
            for each in kinds:
                if each.kind in (LOW, EMPTY):
                    seen.setdefault(each.kind, bench.clock.now() - begun_s)
        return BatteryStep(
            at_s=bench.clock.now(),
            voltage_v=voltage_v,
            held_s=bench.clock.now() - begun_s,
            kinds=tuple(seen),
            seen_s=tuple(seen.values()),
        )

    def compute(self, taken: Taken, metrology: Metrology) -> Computed:
        """Tell the delays and weigh what came from the alarm on."""
        scale = scale_between_blanks(taken, metrology, blank_s=self.blank_s)
        good, low, poor, empty = taken.exactly(4, BatteryStep)
        false = len(good.kinds) + len({EMPTY} & set(low.kinds)) + len({EMPTY} & set(poor.kinds))
        after, shutdown = (weighed_over(scale, taken.series(phase)) for phase in (AFTER_EMPTY, SHUTDOWN))
        currents = {fact.doing: 1e3 * float(np.mean(fact.current_a)) for fact in taken.exactly(2, CurrentRead)}
        return Computed(
            measured=(
                Measurement(FALSE.of(), float(false)),
                Measurement(LOW_DELAY.of(), _delay_s(low, LOW)),
                Measurement(EMPTY_DELAY.of(), _delay_s(empty, EMPTY)),
                measured(DELIVERED.of(), after),
                measured(AT_SHUTDOWN.of(), shutdown),
                Measurement(SLEEP_CURRENT.of(), currents["stopped"]),
                Measurement(BOLUS_CURRENT.of(), currents["bolus"]),
            ),
            budgets={DELIVERED.of(): after, AT_SHUTDOWN.of(): shutdown},
        )


def _delay_s(step: BatteryStep, kind: str) -> float:
    """Tell when a kind was seen after a step, in s; as long as it was waited for where it never was."""
    return next((at_s for each, at_s in zip(step.kinds, step.seen_s, strict=True) if each == kind), step.held_s)
