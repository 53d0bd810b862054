"""One measurement as it is asked for: its parameters, the quantities that it declares, and its two halves.

A procedure is at once the entry of a test plan, the argument of a pytest test and what a Robot keyword is given. `take`
moves things and writes down what was read; `compute` is pure and derives every number from what it reads back. Not
responsible for any one measurement, nor for limits.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated, ClassVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from rig.analysis.budget import Budget
from rig.analysis.capability import Measurand
from rig.errors import BlockedError, DeviceError, RigError
from rig.procedures.bounds import lasting
from rig.procedures.budgets import budgets_record
from rig.procedures.flows_on import FLOW, flow_found, flow_in
from rig.procedures.gaps import Gap, gaps_in
from rig.procedures.gates import BLANK_S
from rig.procedures.silence import look_into
from rig.procedures.soundness import refuse_disturbed
from rig.procedures.time_limits import LimitedClock, longest_s
from rig.procedures.watch import PumpWatched, WatchOfPump, restarts_in, watch_quantities, watched
from rig.record.analyses import Analysis
from rig.record.folder import keep_computed
from rig.record.taking import Asked, Recorder, Taken, read_taken
from rig.roles import Bench, Capability, Metrology
from rig.toml_files import TimeS
from rig.verdicts.limits import Measurement
from rig.verdicts.quantities import Kind, Quantity
from rig.verdicts.requirements import Requirement

AROUND_S = 180.0
"""Preparing the pump and coming to rest, before a measurement and after it: 2 to 3 min on the virtual bench."""
AT_REST_S = 90.0
"""From the end of a delivery until a minute of readings has shown rest, on the virtual bench."""


@dataclass(frozen=True)
class Computed:
    """What a measurement showed.

    Attributes:
        measured: the values of its declared quantities.
        analyses: computed numbers for the record, by the name of their file.
        budgets: of each weighed number, by its quantity.
        notes: a sentence beside some of the budgets.
        further: budgets of numbers that are no declared quantities, by what they are.
    """

    measured: tuple[Measurement, ...]
    analyses: Mapping[str, Analysis] = field(default_factory=dict)
    budgets: Mapping[Quantity, Budget] = field(default_factory=dict)
    notes: Mapping[Quantity, str] = field(default_factory=dict)
    further: Mapping[str, Budget] = field(default_factory=dict)

    @property
    def values(self) -> dict[Quantity, Measurement]:
        """The measured values by quantity."""
        return {each.quantity: each for each in self.measured}


class Procedure(BaseModel, ABC):
    """A measurement with its parameters, in base units with the unit in the name; people write them without.

    Attributes:
        TABLE: its table in a test plan, the name of its argument in a test, the first part of its kinds' names.
        KEYWORD: its keyword in a protocol; its arguments are the keys of the table, in their order.
        IN_WORDS: what it is called where its table is not said, with its title and fields in braces.
        KINDS: the kinds of quantities that it yields, beside those of every measurement.
        EXPECTED: what the pump is expected to annunciate meanwhile, by its kind.
    """

    model_config = ConfigDict(
        extra="forbid", frozen=True, validate_by_name=True, validate_by_alias=True, serialize_by_alias=False
    )
    TABLE: ClassVar[str]
    KEYWORD: ClassVar[str]
    IN_WORDS: ClassVar[str] = "{title}"
    KINDS: ClassVar[tuple[Kind, ...]]
    EXPECTED: ClassVar[frozenset[str]] = frozenset()

    @property
    @abstractmethod
    def title(self) -> str:
        """What tells it from other measurements of its table."""

    @property
    def in_words(self) -> str:
        """What it is called where its table is not said, such as "boluses of 1 U"."""
        return self.IN_WORDS.format(title=self.title, **dict(self))

    @property
    @abstractmethod
    def needs(self) -> tuple[Capability, ...]:
        """What a pump must be able to do for it."""

    @property
    @abstractmethod
    def quantities(self) -> tuple[Quantity, ...]:
        """What it measures."""

    @property
    def declared(self) -> tuple[Quantity, ...]:
        """What it measures, and what is watched during every measurement."""
        return (*self.quantities, *watch_quantities())

    @property
    def needed_lines(self) -> tuple[str, ...]:
        """Lines of the bench's switch that it energises, by name."""
        return ()

    @property
    def lines_by_hand(self) -> tuple[str, ...]:
        """Those of its lines that an operator's hands stand in for on a bench that lacks them."""
        return ()

    @property
    def needed_roles(self) -> tuple[str, ...]:
        """Instruments that it uses and not every bench has, by role."""
        return ()

    @property
    def needed_programs(self) -> tuple[str, ...]:
        """Programs of other people that it calls, by name (`rig.loop.choice`)."""
        return ()

    @property
    def needed_u(self) -> float:
        """Insulin that it takes of one reservoir, in U."""
        return 0.0

    @property
    def bench_time_s(self) -> float | None:
        """About how long it takes in s on the bench's clock with a pump that does what it should; None: unknown."""
        return None

    @property
    def extent(self) -> Mapping[str, float]:
        """How much it does, in the words of a requirement's `at_least`."""
        return {}

    @property
    def measurands(self) -> Mapping[Quantity, Measurand]:
        """What is weighed for a quantity, as far as that can be told before a run."""
        return {}

    @abstractmethod
    def take(self, bench: Bench, record: Recorder) -> None:
        """Do what is to be measured, and write down what was read."""

    @abstractmethod
    def compute(self, taken: Taken, metrology: Metrology) -> Computed:
        """Derive every number from what was written down and what the bench declares; ValueError when it cannot."""

    def decides(self, requirements: Mapping[str, Requirement]) -> tuple[str, ...]:
        """List the ids of the requirements that ask for one of its quantities, and for no more than it does."""
        declared, extent = frozenset(self.declared), self.extent
        return tuple(
            name
            for name, requirement in requirements.items()
            if any(rule.quantity in declared for rule in requirement.measurement)
            and all(extent.get(what, 0.0) >= least for what, least in requirement.at_least.model_dump().items())
        )

    @property
    def asked(self) -> Asked:
        """What a record says of it."""
        return Asked(table=self.TABLE, parameters=self.model_dump(mode="json"))


class BetweenBlanks(Procedure, ABC):
    """A measurement between two blank runs of `blank_s`."""

    blank_s: Annotated[TimeS, lasting("5 min"), Field(alias="blank")] = BLANK_S

    @property
    def around_s(self) -> float:
        """What a measurement takes beside its own time, in s: two blank runs, and coming to rest before and after."""
        return 2.0 * self.blank_s + AROUND_S

    @property
    def declared(self) -> tuple[Quantity, ...]:
        """What it measures, what is watched during every measurement, and what flows in the blank run after it."""
        return (*super().declared, FLOW.of())


def measure(bench: Bench, record: Recorder, procedure: Procedure) -> Computed:
    """Take a measurement, compute it from what was written down, and keep what came out.

    The pump is watched meanwhile. Where the measurement breaks off because the pump did not do what it was asked, it is
    looked into who is to blame, and what was found of the pump is kept and judged all the same.

    Raises:
        RigError: as `take`, and as `computed_from`.
        ValueError: it shows a quantity that was not declared.
    """
    taken = _taken(bench, record, procedure)
    try:
        refuse_disturbed(taken, bench.metrology)
        computed = computed_from(procedure, taken, bench.metrology)
    except BlockedError:
        _keep_found(record, taken, bench.metrology)
        raise
    undeclared = [each.name for each in computed.measured if each.quantity not in procedure.declared]
    if undeclared:
        raise ValueError(f"{procedure.TABLE} {procedure.title} measured what it did not declare: {undeclared[0]}")
    keep_computed(record.folder, computed.measured, kept_analyses(procedure, computed))
    return computed


def _taken(bench: Bench, record: Recorder, procedure: Procedure) -> Taken:
    """Take a measurement on a bench that is watched, and read back what was written down."""
    seen = watched(bench, record, procedure.EXPECTED)
    limited = LimitedClock(
        bench.clock,
        procedure.in_words,
        longest_s=longest_s(procedure.bench_time_s),
        restless_s=bench.restless_s,
        look=seen.watch.look,
    )
    try:
        try:
            procedure.take(replace(seen, clock=limited), record)
            seen.watch.end()
        except DeviceError as error:
            if error.of_whom.startswith("pump"):
                look_into(seen, record, error)
            raise
    except RigError:
        _keep_what_the_pump_did(seen.watch, record, bench.metrology)
        raise
    record.sync()
    return read_taken(record.folder)


def _keep_what_the_pump_did(watch: WatchOfPump, record: Recorder, metrology: Metrology) -> None:
    """Keep, of a measurement that broke off, that the pump restarted or flowed on: both are judged all the same."""
    if watch.restarts:
        watch.keep()
    record.sync()
    _keep_found(record, read_taken(record.folder), metrology)


def _keep_found(record: Recorder, taken: Taken, metrology: Metrology) -> None:
    """Keep, of a measurement that came to no value, the restarts that were counted, and what flowed.

    What a balance shows that was disturbed says nothing of a flow.
    """
    seen = taken.facts(PumpWatched)
    restarts = restarts_in(taken) if seen and seen[-1].restarts else ()
    try:
        refuse_disturbed(taken, metrology)
        flow = flow_found(taken)
    except BlockedError:
        flow = ()
    if restarts or flow:
        keep_computed(record.folder, (*restarts, *flow), {})


def computed_from(procedure: Procedure, taken: Taken, metrology: Metrology) -> Computed:
    """Compute a measurement from what was written down, and say in it where readings are missing.

    Raises:
        BlockedError: an analysis refuses the readings, which is no word on the pump; the sentence has its reason.
    """
    try:
        computed = procedure.compute(taken, metrology)
    except ValidationError:  # of this rig's own records, so a mistake in it
        raise
    except ValueError as error:
        raise BlockedError(
            f"rig: the readings of {procedure.in_words} cannot be computed: {error}; they are kept, look at them for "
            "gaps and disturbances, and measure again"
        ) from error
    restarts = restarts_in(taken)
    flow = (flow_in(taken),) if restarts and FLOW.of() in procedure.declared else ()  # earlier versions kept neither
    computed = replace(computed, measured=(*computed.measured, *restarts, *flow))
    return with_gaps_said(computed, gaps_in(taken))


def with_gaps_said(computed: Computed, gaps: Sequence[Gap]) -> Computed:
    """Add to every budget the number of gaps between readings and the longest; nothing where there was none."""
    if not gaps:
        return computed
    longest_s = max(gap.lasted_s for gap in gaps)
    said = f"Readings were missing {len(gaps)} time{'s' if len(gaps) > 1 else ''}, the longest for {longest_s:.4g} s."
    notes = {quantity: " ".join(filter(None, [computed.notes.get(quantity), said])) for quantity in computed.budgets}
    return replace(computed, notes={**computed.notes, **notes})


def kept_analyses(procedure: Procedure, computed: Computed) -> dict[str, Analysis]:
    """Add the budgets to the analyses, as the record keeps them."""
    if not computed.budgets:
        return dict(computed.analyses)
    title = f"Uncertainty of {procedure.in_words}"
    return {
        **computed.analyses,
        "uncertainty": budgets_record(title, computed.budgets, computed.notes, computed.further),
    }
