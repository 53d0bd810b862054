"""Injecting faults of the catalogue on a bench, and clearing them whatever happens.

Each injection and clearing stands in the record with its second on the bench's clock. Not responsible for what a fault
is (`rig.faults`), nor for what a pump makes of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Literal

from rig.errors import BlockedError
from rig.faults import ByHand, Injection
from rig.faults.means import is_by_hand, lacking_for
from rig.procedures.controller import disturb_controller
from rig.record.taking import Fact, Recorder
from rig.roles import Bench, Hands

CURRENT_LIMIT_A = 0.5
"""Of a supply whose voltage is changed: four times what the motors of small pumps draw. The house's."""


class FaultInjected(Fact):
    """A fault that began at `at_s`, by its name in the catalogue, and how and by whom it was provoked.

    `uncertainty_s` is within how much of it, where a person did it.
    """

    fault: str
    how: str
    by: Literal["bench", "operator"] = "bench"
    uncertainty_s: float = 0.0


class FaultCleared(Fact):
    """A fault that was over at `at_s`."""

    fault: str


class FaultBench:
    """What can be made to go wrong on a bench: `inject`, `clear`, and what is `active`."""

    def __init__(self, bench: Bench, record: Recorder) -> None:
        self._bench, self._record = bench, record
        self._active: dict[str, tuple[Injection, Callable[[], None]]] = {}
        self._due: dict[str, list[tuple[float, str]]] = {}

    @property
    def active(self) -> Sequence[str]:
        """Names of the faults that are injected and not cleared, in the order of their injection."""
        return tuple(self._active)

    def inject(self, injection: Injection, *, command: Callable[[], None] | None = None) -> float:
        """Provoke a fault; returns the second on the bench's clock at which it began.

        One that is over when it has been injected (pulses, a supply that comes back, a command) is cleared at once.

        Args:
            injection: the fault, with the way to provoke it.
            command: gives the command to the pump, where that is how the fault is provoked.

        Raises:
            BlockedError: this bench has no means for it.
            DeviceError: the switch or the supply does not do it, or the pump refuses the command.
            ValueError: it is active already, or `command` is given for another way, or is missing.
        """
        name, way = injection.name, injection.provocation
        if name in self._active:
            raise ValueError(f"fault {name} is active already")
        if (way.command is None) != (command is None):
            raise ValueError(f"fault {name} is provoked by {way.in_words}; only that of a command is given one")
        self._refuse_without_means(injection)
        release = self._release_of(injection)
        self._active[name] = (injection, release)  # before it is done: one that fails half way is cleared, too
        begun_s = self._bench.clock.now()
        if (instruction := self._by_hand(injection)) is not None:
            fact = self._begin_by_hand(name, instruction)
        else:
            if way.lines is not None:
                self._due[name] = [(begun_s + stage.after, stage.line) for stage in way.lines]
                self.advance()
            self._begin(injection, command)
            fact = FaultInjected(at_s=begun_s, fault=name, how=way.in_words)
        begun_s = fact.at_s
        self._record.fact(fact)
        self._record.step("fault injected", fault=name, how=fact.how)
        if way.momentary:
            self.clear(injection)
        return begun_s

    def advance(self) -> None:
        """Energise the lines of active faults whose time has come: whoever holds such a fault calls it at each look."""
        for name, due in self._due.items():
            while due and due[0][0] <= self._bench.clock.now():
                _, line = due.pop(0)
                self._bench.switch.set_line(line, energised=True)
                self._record.step("fault goes on", fault=name, line=line)

    def clear(self, injection: Injection) -> None:
        """End a fault; nothing happens where it is not active."""
        if injection.name not in self._active:
            return
        _, release = self._active[injection.name]
        self._due.pop(injection.name, None)
        release()
        del self._active[injection.name]
        self._record.fact(FaultCleared(at_s=self._bench.clock.now(), fault=injection.name))
        self._record.step("fault cleared", fault=injection.name)

    def clear_all(self) -> None:
        """End every fault, the last first; one that cannot be ended does not keep the others from it."""
        with ExitStack() as each:
            for injection, _ in self._active.values():
                each.callback(self.clear, injection)

    def _refuse_without_means(self, injection: Injection) -> None:
        lacking = lacking_for(injection, lines=self._bench.switch.lines, roles=self._bench.means)
        if lacking:
            raise BlockedError(
                f"rig: fault {injection.name} cannot be provoked: this bench has no {' and no '.join(lacking)}; enter "
                "it in the bench file (docs/benches.md), or leave the test out with --select"
            )

    def _by_hand(self, injection: Injection) -> ByHand | None:
        """Find what a person is told, where the bench has hands and no line for it."""
        lines, roles = self._bench.switch.lines, self._bench.means
        return injection.provocation.by_hand if is_by_hand(injection, lines=lines, roles=roles) else None

    def _begin_by_hand(self, name: str, instruction: ByHand) -> FaultInjected:
        """Let a person provoke a fault; it began when he confirmed it, within what he can tell."""
        assert self._bench.hands is not None
        self._record.step("the operator is asked", fault=name, to=instruction.do)
        done = self._bench.hands.do(instruction.do)
        return FaultInjected(
            at_s=done.at_s, fault=name, how=f"by hand: {instruction.do}", by="operator", uncertainty_s=done.within_s
        )

    def _release_of(self, injection: Injection) -> Callable[[], None]:
        """Find what ends a fault, while the bench is still as it was."""
        way, supply, hands = injection.provocation, self._bench.supply, self._bench.hands
        if hands is not None and (instruction := self._by_hand(injection)) is not None:
            return lambda: _do(hands, instruction.undo)
        if injection.lines:
            return lambda: self._release(injection.lines)
        if way.supply is not None:
            return lambda: supply.switch(on=True)
        if way.probe is not None and way.probe.hold and self._bench.probe is not None:
            return self._bench.probe.resume
        if way.voltage is not None:
            before_v = round(supply.read_voltage_v(), 2)  # a supply does not tell what it was set to
            return lambda: supply.set_output(voltage_v=before_v, current_limit_a=CURRENT_LIMIT_A)
        return lambda: None

    def _release(self, lines: Sequence[str]) -> None:
        """Release lines, the last first; one that cannot be released does not keep the others from it."""
        with ExitStack() as each:
            for line in lines:
                each.callback(self._bench.switch.set_line, line, energised=False)

    def _begin(self, injection: Injection, command: Callable[[], None] | None) -> None:
        way, clock = injection.provocation, self._bench.clock
        if way.line is not None:
            self._move_line(way.line, way.pulses_s)
        elif way.supply is not None:
            self._bench.supply.switch(on=False)
        elif way.voltage is not None:
            self._bench.supply.set_output(voltage_v=way.voltage, current_limit_a=CURRENT_LIMIT_A)
        elif way.probe is not None:
            disturb_controller(self._bench, way.probe)
        elif command is not None:
            command()
        if way.lasts is not None:
            clock.sleep(way.lasts)

    def _move_line(self, line: str, pulses_s: Sequence[float]) -> None:
        """Energise a line, or switch it on and off: each state lasts so long, or as long as the switch takes."""
        clock, switch = self._bench.clock, self._bench.switch
        if not pulses_s:
            switch.set_line(line, energised=True)
        for number, length_s in enumerate(pulses_s):
            begun_s = clock.now()
            switch.set_line(line, energised=number % 2 == 0)
            clock.sleep(max(0.0, begun_s + length_s - clock.now()))


def _do(hands: Hands, instruction: str) -> None:
    hands.do(instruction)


@contextmanager
def provoking(bench: Bench, record: Recorder) -> Iterator[FaultBench]:
    """Let faults be injected, and clear on leaving whatever is still active, the last first.

    One that cannot be cleared does not keep the others from being cleared; its error is raised then.
    """
    faults = FaultBench(bench, record)
    try:
        yield faults
    finally:
        faults.clear_all()
