"""One fault: its cause and hazard, how it is provoked, who observes it, and the response that is expected.

Not responsible for the file that faults stand in (`catalogue`), nor for limits that decide: requirements have them.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from rig.faults.by_probe import ByProbe
from rig.roles import means_by_place
from rig.toml_files import TimeS, VoltageV, WholeNumber, within
from rig.units import dimension_of, parse
from rig.verdicts.requirements import Judge

FdaClass = Literal[
    "operational",
    "environmental",
    "electrical",
    "hardware",
    "software",
    "mechanical",
    "biological and chemical",
    "use",
]
"""Hazard classes of the FDA's guidance "Infusion Pumps Total Product Life Cycle" (2014), tables 3 to 10."""
Pulse = Annotated[TimeS, within("time_s", "0 s", "1 d")]
_CLAIM = re.compile(r"\{[a-z0-9_]+(\.[a-z0-9_]+)+\}")
FAULT_ID, REQUIREMENT_ID = r"^F[0-9]+$", r"^[A-Z]+-[A-Z0-9.]+$"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class RandomPulses(_Strict):
    """So many pulses of a line and pauses between them, each of a random length in s; a seed makes the same again."""

    pulses: WholeNumber = Field(ge=1, le=1000)
    shortest: Pulse
    longest: Pulse
    seed: WholeNumber = Field(ge=0)

    @model_validator(mode="after")
    def _shortest_is_the_shorter(self) -> Self:
        if self.shortest > self.longest:
            raise ValueError("the shortest pulse is longer than the longest")
        return self

    def lengths_s(self) -> tuple[float, ...]:
        """Draw the lengths in s: energised, released, energised and so on, the last energised."""
        drawn = random.Random(self.seed)
        lengths_s = (drawn.uniform(self.shortest, self.longest) for _ in range(2 * self.pulses - 1))
        return tuple(min(max(length_s, self.shortest), self.longest) for length_s in lengths_s)  # but for rounding


class ByHand(_Strict):
    """What a person does in place of a line that a bench lacks: a sentence to do it, and one to undo it."""

    do: str = Field(min_length=1, max_length=200)
    undo: str = Field(min_length=1, max_length=200)

    @model_validator(mode="after")
    def _can_be_told_apart(self) -> Self:
        if self.do == self.undo:
            raise ValueError("what is done by hand and what undoes it are one sentence")
        return self


class Stage(_Strict):
    """A line of the switch that is energised so long in s after a fault began, and stays so until it is cleared."""

    line: str = Field(min_length=1)
    after: Pulse = 0.0


class Provocation(_Strict):
    """How a bench provokes a fault: by lines of its switch, by the supply of the pump, a command to it, or a probe.

    Attributes:
        name: what tells it from other ways of one fault; empty where there is one way.
        line: a line of the switch that is energised while the fault is active, or in pulses.
        lines: lines that are energised one after the other, and are all held until the fault is cleared.
        pulses: for how long in s the line is energised, released, energised and so on; the last is energised.
        random: the same, of random lengths.
        supply: "off".
        voltage: what the supply is set to in V.
        lasts: for how long in s the supply is changed; None until the fault is cleared.
        probe: what a debug probe does to the pump's controller.
        command: what is asked of the pump, in words; whoever injects it gives the command itself.
        by_hand: what an operator does where the bench has no such line.
    """

    name: str = Field(default="", pattern=r"^[a-z0-9 ]*$")
    line: str | None = Field(default=None, min_length=1)
    lines: tuple[Stage, ...] | None = Field(default=None, min_length=1)
    pulses: tuple[Pulse, ...] = ()
    random: RandomPulses | None = None
    supply: Literal["off"] | None = None
    voltage: Annotated[VoltageV, within("voltage_v", "0 V", "60 V")] | None = None
    lasts: Pulse | None = None
    command: str | None = Field(default=None, min_length=1)
    probe: ByProbe | None = None
    by_hand: ByHand | None = None

    @model_validator(mode="after")
    def _is_one_way(self) -> Self:
        every = ("line", "lines", "supply", "voltage", "command", "probe")
        ways = [name for name in every if getattr(self, name) is not None]
        if len(ways) != 1:
            raise ValueError(f"a fault is provoked by one of {', '.join(every)}")
        if (self.pulses or self.random) and ways != ["line"]:
            raise ValueError("only a line has pulses")
        if self.pulses and self.random:
            raise ValueError("pulses are either written out or random")
        if len(self.pulses) % 2 == 0 and self.pulses:
            raise ValueError("pulses begin and end energised, so that their number is odd")
        if self.lasts is not None and ways[0] not in ("supply", "voltage"):
            raise ValueError("only a change of the supply lasts; a line is held until the fault is cleared")
        if self.by_hand is not None and (ways != ["line"] or self.pulses or self.random):
            raise ValueError("by_hand stands in for a line that is held; nobody's hands make pulses")
        if self.lines is not None:
            self._check_order(self.lines)
        return self

    @staticmethod
    def _check_order(lines: Sequence[Stage]) -> None:
        names, afters_s = [stage.line for stage in lines], [stage.after for stage in lines]
        if len(set(names)) < len(names) or sorted(afters_s) != afters_s or afters_s[0] > 0.0:
            raise ValueError("lines stand once each, in the order of their times, the first without one")

    @property
    def pulses_s(self) -> tuple[float, ...]:
        """For how long in s its line is energised, released, energised and so on; empty where it is held."""
        return self.random.lengths_s() if self.random is not None else self.pulses

    @property
    def momentary(self) -> bool:
        """Whether it is over when it has been injected: pulses, a supply that comes back by itself, a command."""
        by_probe = self.probe is not None and not self.probe.hold
        return bool(self.pulses_s) or self.lasts is not None or self.command is not None or by_probe

    @property
    def in_words(self) -> str:
        """How it is done, in words."""
        if self.line is not None:
            if self.pulses_s:
                return f"line {self.line} in {(len(self.pulses_s) + 1) // 2} pulses"
            return f"line {self.line} energised"
        if self.lines is not None:
            then = (f"{stage.line} after {stage.after / 60.0:g} min" for stage in self.lines[1:])
            return "lines " + ", ".join((self.lines[0].line, *then))
        if self.command is not None:
            return f"command: {self.command}"
        if self.probe is not None:
            return f"probe: {self.probe.in_words}"
        done = "supply off" if self.supply is not None else f"supply at {self.voltage:g} V"
        return done if self.lasts is None else f"{done} for {self.lasts:g} s"


class ResponseLimit(_Strict):
    """A limit of the expected response: of what, and within how much, as text with its unit or as a claim's name."""

    what: str = Field(min_length=1)
    within: str

    @model_validator(mode="after")
    def _is_a_quantity_or_a_claim(self) -> Self:
        if _CLAIM.fullmatch(self.within) is not None:
            return self
        _, _, unit = self.within.partition(" ")
        dimension = dimension_of(unit)
        if dimension is None:
            raise ValueError(
                f"{self.within!r} is neither a quantity with its unit, such as '0.1 U', nor a claim, such as "
                "'{occlusion.missed}'"
            )
        parse(self.within, dimension[0])
        return self


class PumpFault(_Strict):
    """One fault of the catalogue.

    Attributes:
        id: such as "F14".
        cause: what goes wrong, in words.
        hazard: what that does to a person.
        fda_class: its class of hazards.
        provocation: the ways in which a bench provokes it.
        observers: which instruments, or which comparison, show what the pump did.
        annunciated: what a pump annunciates of it, in the words of `rig.roles.Annunciation`; any word where empty.
        expected: the safe response, as a sentence.
        limits: of that response, in time, volume and pressure.
        requirements: ids of those that judge it.
    """

    id: str = Field(pattern=FAULT_ID)
    cause: str = Field(min_length=1)
    hazard: str = Field(min_length=1)
    fda_class: FdaClass
    provocation: tuple[Provocation, ...] = Field(min_length=1)
    observers: tuple[Judge, ...] = Field(min_length=1)
    annunciated: tuple[str, ...] = ()
    expected: str = Field(min_length=1)
    limits: tuple[ResponseLimit, ...] = ()
    requirements: tuple[Annotated[str, Field(pattern=REQUIREMENT_ID)], ...] = ()

    @model_validator(mode="after")
    def _ways_can_be_told_apart(self) -> Self:
        names = [way.name for way in self.provocation]
        if len(set(names)) < len(names) or ("" in names and len(names) > 1):
            raise ValueError("several ways to provoke one fault each have a name of their own")
        return self

    @property
    def injections(self) -> Sequence[Injection]:
        """Each way to provoke it, ready to be injected."""
        return tuple(Injection(self, way) for way in self.provocation)


class NotProvoked(_Strict):
    """A fault that this rig does not provoke, and why."""

    id: str = Field(pattern=FAULT_ID)
    cause: str = Field(min_length=1)
    reason: str = Field(min_length=1)


@dataclass(frozen=True)
class Injection:
    """A fault with one way to provoke it: what a bench injects and clears."""

    fault: PumpFault
    provocation: Provocation

    @property
    def name(self) -> str:
        """What it is called: the fault's id, and the way where there are several, such as "F33 hot"."""
        return f"{self.fault.id} {self.provocation.name}".strip()

    @property
    def lines(self) -> tuple[str, ...]:
        """Lines of the switch that it needs."""
        if self.provocation.lines is not None:
            return tuple(stage.line for stage in self.provocation.lines)
        return () if self.provocation.line is None else (self.provocation.line,)

    @property
    def lines_by_hand(self) -> tuple[str, ...]:
        """Those of its lines that an operator's hands stand in for on a bench that lacks them."""
        return () if self.provocation.by_hand is None else self.lines

    @property
    def roles(self) -> tuple[str, ...]:
        """What it needs and not every bench has: a supply that feeds the pump; a probe, and a place that it reaches."""
        way = self.provocation
        if way.probe is not None:
            place = way.probe.place
            return ("probe",) if place is None else ("probe", means_by_place(place))
        return ("supply",) if way.supply is not None or way.voltage is not None else ()
