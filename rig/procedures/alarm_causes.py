"""What makes a pump alarm on a bench: each cause, how it is brought about and taken away again.

The causes are faults of the catalogue that take no more than minutes to be noticed. Not responsible for what is heard.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

from rig.errors import DeviceError, RefusedError
from rig.faults import Injection, shipped_faults
from rig.procedures.listening import SoundRecorded
from rig.procedures.power import confirm_what_is_shown
from rig.procedures.preparation import PREPARATION, prepare, start_therapy
from rig.procedures.provoking import FaultBench, FaultCleared, FaultInjected, provoking
from rig.procedures.sampling import read_air
from rig.record.taking import Fact, Recorder, Taken
from rig.roles import Bench, Capability, require
from rig.verdicts.quantities import Parameter

RATE_U_PER_H = 0.5
"""Basal rate while a pump is listened to: it delivers, so that there is something to alarm about."""
LEFT_U = 20.0
"""What the pump is told that its reservoir holds, where it is to run low: the bolus after it takes it below."""
BOLUS_U = 0.5
AFTERWARDS = "afterwards"
"""The phase under which the air at the end is kept."""

CauseName = Literal["reservoir out", "temperature", "battery low", "key held", "reservoir low"]
Priority = Literal["high", "medium", "low"]
CAUSE = Parameter("cause", words=("reservoir out", "temperature", "battery low", "key held", "reservoir low"))


@dataclass(frozen=True)
class Cause:
    """A cause of an alarm: the fault, the annunciation that it makes, and what a pump must be able to do for it."""

    fault: str
    kind: str
    needs: tuple[Capability, ...] = ()

    @property
    def injection(self) -> Injection:
        """The fault with the way to provoke it."""
        return shipped_faults().injection(self.fault)

    @property
    def lines(self) -> tuple[str, ...]:
        """Lines of the switch that it needs."""
        return self.injection.lines


CAUSES: Mapping[CauseName, Cause] = {
    "reservoir out": Cause("F14 removed", "reservoir issue", (Capability.RESERVOIR_DETECTION,)),
    "temperature": Cause("F33 hot", "temperature out of range"),
    "battery low": Cause("F22 low", "battery low"),
    "key held": Cause("F31 stuck", "system issue"),
    "reservoir low": Cause("F13", "reservoir low", (Capability.RESERVOIR_LEVEL, Capability.FAST_BOLUS)),
}
ANNUNCIATED = frozenset(cause.kind for cause in CAUSES.values())


class Provoked(Fact):
    """A cause that was brought about between two moments of the bench's clock."""

    cause: str
    from_s: float
    to_s: float


class QuietAgain(Fact):
    """A cause that was taken away, and what the pump still annunciated then; None where it did not answer."""

    annunciated: tuple[str, ...] | None


class Answered(Fact):
    """What was told to the pump about an alarm (snooze, confirm), between two moments, and whether it obeyed."""

    what: str
    from_s: float
    to_s: float
    kinds: tuple[str, ...]
    refused: bool


def needs_of(*causes: CauseName) -> tuple[Capability, ...]:
    """List what a pump must be able to do for these causes: to tell by sounds, and what each of them needs."""
    named = [need for cause in causes for need in CAUSES[cause].needs]
    return (Capability.ALARM_SIGNALS, *dict.fromkeys(named))


def cause_lines(*causes: CauseName) -> tuple[str, ...]:
    """List the lines of the switch that these causes need."""
    return tuple(dict.fromkeys(line for cause in causes for line in CAUSES[cause].lines))


@contextmanager
def delivering(bench: Bench, record: Recorder, *causes: CauseName) -> Iterator[FaultBench]:
    """Let the pump deliver, ready for these causes; on leaving all are gone, confirmed, and the pump is stopped."""
    filled = {"reservoir_u": LEFT_U} if "reservoir low" in causes else {}
    prepare(bench, record, rate_u_per_h=RATE_U_PER_H, **filled)
    start_therapy(bench, record)
    with provoking(bench, record) as faults:
        yield faults
    _leave_quiet(bench, record)


def provoke(bench: Bench, record: Recorder, faults: FaultBench, cause: CauseName) -> None:
    """Bring a cause about, and keep between which moments that was."""
    injection = CAUSES[cause].injection
    from_s = bench.clock.now()
    if injection.provocation.command is not None:
        faults.inject(injection, command=lambda: _bolus(bench))
    else:
        faults.inject(injection)
    record.fact(Provoked(at_s=bench.clock.now(), cause=cause, from_s=from_s, to_s=bench.clock.now()))


def answer(bench: Bench, record: Recorder, what: Literal["snooze", "confirm"]) -> None:
    """Snooze or confirm what the pump annunciates, and keep whether it obeyed; a pump that says nothing was refused."""
    from_s = bench.clock.now()
    kinds: tuple[str, ...] = ()
    refused = False
    try:
        shown = bench.pump.annunciations()
        kinds = tuple(each.kind for each in shown)
        tell: Callable[[int], None] = (
            bench.pump.confirm if what == "confirm" else require(bench.pump, Capability.SNOOZE).snooze
        )
        for each in shown:
            tell(each.annunciation_id)
    except RefusedError as error:
        refused = True
        record.step(f"{what} refused", reason=str(error))
    record.fact(
        Answered(at_s=bench.clock.now(), what=what, from_s=from_s, to_s=bench.clock.now(), kinds=kinds, refused=refused)
    )
    record.step(f"{what} told", annunciated=", ".join(kinds) or "nothing", refused=refused)


def kinds_told(bench: Bench) -> tuple[str, ...] | None:
    """Read the kinds that the pump annunciates; None where it does not answer."""
    try:
        return tuple(each.kind for each in bench.pump.annunciations())
    except DeviceError:
        return None


def refuse_incomplete(taken: Taken, *, causes: int = 1, faults: int = 1, recordings: int = 1) -> None:
    """Refuse a record that lacks what was kept of so many causes, faults and recordings; EvidenceError."""
    taken.values("environment", PREPARATION)
    taken.exactly(faults, FaultInjected)
    taken.exactly(faults, FaultCleared)
    taken.exactly(causes, Provoked)
    taken.exactly(recordings, SoundRecorded)
    taken.the(QuietAgain)


def _bolus(bench: Bench) -> None:
    require(bench.pump, Capability.FAST_BOLUS).bolus(BOLUS_U)


def _leave_quiet(bench: Bench, record: Recorder) -> None:
    """Confirm what is left once no cause holds any more, and stop the pump."""
    bench.pump.stop()
    confirm_what_is_shown(bench, record)
    read_air(bench, record, AFTERWARDS)
    record.fact(QuietAgain(at_s=bench.clock.now(), annunciated=kinds_told(bench)))
