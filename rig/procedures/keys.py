"""The keys of a pump, pressed by relays: a quick bolus comes when it was asked for and confirmed, and never else.

Not responsible for a key that stays down (`annunciated`), nor for limits.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field

from rig.errors import BlockedError
from rig.faults import Injection, shipped_faults
from rig.procedures.answers import ask_pump
from rig.procedures.bounds import Size, lasting
from rig.procedures.budgets import measured
from rig.procedures.parameters import KEYS
from rig.procedures.preparation import start_therapy
from rig.procedures.procedure import Computed
from rig.procedures.provoking import FaultBench, provoking
from rig.procedures.rest import SAMPLE_EVERY_S
from rig.procedures.sampling import sample_for
from rig.procedures.settings import setting_set
from rig.procedures.under_fault import TAIL_S, FaultName, UnderFault, came, known_fault, scale_of_bench, without_blanks
from rig.record.taking import Recorder, Taken
from rig.roles import Bench, Capability, Metrology
from rig.therapy import Setting
from rig.toml_files import TimeS
from rig.verdicts.quantities import Kind, Parameter, Quantity

FAULT_OF_KEYS = "F31"
WATCHED = "keys pressed"
SETTLED_S, BETWEEN_S = 10.0, 1.0
"""Before the first key, and between one and the next."""
WAITS_S: Mapping[str, float] = {"wait": 15.0, "pause": 6.0}
"""Longer than a pump waits for a confirmation, and shorter, but longer than 0.1 U take."""
LONGEST_BOUNCE_S = 0.050
"""A contact that is closed for longer is no bounce, but a press."""
STEP = Parameter("step", ("U",))
THERAPY = Parameter("therapy", words=("running", "stopped"))
DELIVERED = Kind(
    "keys.delivered",
    "delivered by the keys {keys} at {step} a press, therapy {therapy}",
    ("U",),
    (KEYS, STEP, THERAPY),
    "What came of what was done to the keys.",
)


def _known(sequence: str) -> str:
    for word in _words(sequence):
        if word not in WAITS_S:
            known_fault(f"{FAULT_OF_KEYS} {word}")
    return ", ".join(_words(sequence))


def _words(sequence: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in sequence.split(","))


def _injection(word: str) -> Injection:
    return shipped_faults().injection(f"{FAULT_OF_KEYS} {word}")


class Keys(UnderFault):
    """Do something to the keys of a pump, one after the other, and weigh what comes of it.

    `sequence` has ways of the catalogue's fault F31, "wait" (15 s) and "pause" (6 s), such as "press, wait, confirm".
    """

    TABLE: ClassVar = "keys"
    KEYWORD: ClassVar = "Press Keys"
    IN_WORDS: ClassVar = "the keys {title}"
    KINDS: ClassVar = (DELIVERED,)

    sequence: Annotated[str, AfterValidator(_known)]
    fault: FaultName = "F31 press"
    therapy: Literal["running", "stopped"] = "running"
    step_u: Annotated[Size, Field(alias="step")] = 0.5
    maximum_u: Annotated[Size | None, Field(alias="maximum")] = None
    watch_s: Annotated[TimeS, lasting("10 s", "1 d"), Field(alias="watch")] = 120.0

    @property
    def title(self) -> str:
        """What tells it from others: what is done to the keys, whether therapy runs, and what is the most."""
        most = "" if self.maximum_u is None else f", {self.maximum_u:g} U at most"
        return f"{self.sequence}, therapy {self.therapy}{most}"

    @property
    def needs(self) -> tuple[Capability, ...]:
        """What a pump must be able to do for it."""
        return (Capability.FAST_BOLUS, Capability.SETTINGS)

    @property
    def needed_lines(self) -> tuple[str, ...]:
        """Lines of the bench's switch that hang on the keys."""
        return tuple(dict.fromkeys(line for each in self._injections() for line in each.lines))

    def _injections(self) -> tuple[Injection, ...]:
        """What is done to the keys, without the waits."""
        return tuple(_injection(word) for word in _words(self.sequence) if word not in WAITS_S)

    @property
    def needed_u(self) -> float:
        """Insulin that it takes in U, at most."""
        return self.step_u * sum(len(each.provocation.pulses_s) + 1 for each in self._injections())

    @property
    def quantities(self) -> tuple[Quantity, ...]:
        """What it measures."""
        return (DELIVERED.of(keys=self.sequence, step=self.step_u, therapy=self.therapy),)

    def take(self, bench: Bench, record: Recorder) -> None:
        """Press the keys, and weigh until what was asked for has come."""

        def deliver() -> None:
            if self.therapy == "running":
                start_therapy(bench, record)
            sample_for(bench, record, WATCHED, duration_s=SETTLED_S, every_s=SAMPLE_EVERY_S)
            with provoking(bench, record) as faults:
                for word in _words(self.sequence):
                    if word not in WAITS_S:
                        _press(bench, faults, _injection(word))
                    pause_s = WAITS_S.get(word, BETWEEN_S)
                    sample_for(bench, record, WATCHED, duration_s=pause_s, every_s=BETWEEN_S)
            sample_for(bench, record, WATCHED, duration_s=self.watch_s, every_s=SAMPLE_EVERY_S)
            ask_pump(bench, record, "stopping", bench.pump.stop)
            sample_for(bench, record, WATCHED, duration_s=TAIL_S, every_s=SAMPLE_EVERY_S)

        with (
            setting_set(bench, record, Setting.QUICK_BOLUS_U, self.step_u),
            setting_set(bench, record, Setting.MAX_BOLUS_U, self.maximum_u),
        ):
            without_blanks(bench, record, rate_u_per_h=0.0, deliver=deliver)

    def compute(self, taken: Taken, metrology: Metrology) -> Computed:
        """Weigh what came."""
        scale = scale_of_bench(taken, metrology)
        budget = came(scale, taken.series(WATCHED))
        (quantity,) = self.quantities
        return Computed((measured(quantity, budget),), budgets={quantity: budget})


def _press(bench: Bench, faults: FaultBench, injection: Injection) -> None:
    """Move a key's line in its pulses; BlockedError when the switch is too slow for them."""
    began_s = faults.inject(injection)
    refuse_slow(injection, bench.clock.now() - began_s)


def refuse_slow(injection: Injection, took_s: float) -> None:
    """Refuse pulses that a switch made in so many s, where they were to be as short as it can.

    Raises:
        BlockedError: what was to be a bounce was so slow that a pump would rightly take it for presses.
    """
    pulses_s = injection.provocation.pulses_s
    shortest = sum(length_s < LONGEST_BOUNCE_S for length_s in pulses_s)
    each_s = (took_s - sum(pulses_s)) / max(1, shortest)
    if shortest and each_s > LONGEST_BOUNCE_S:
        raise BlockedError(
            f"rig: the switch takes {each_s:.2g} s to move the line of {injection.name} once, {LONGEST_BOUNCE_S:g} s "
            "may be: so slow a contact is no bounce; connect a switch that answers faster, or leave the test out"
        )
