"""A course of commands, each with the answer that it is to get, and what comes of them weighed stretch by stretch.

What is programmed is what the course says, and what came is what was weighed: the pump is asked for neither. Not
responsible for the words of a course (`course_steps`), nor for limits.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, ClassVar

from pydantic import AfterValidator, BeforeValidator, Field

from rig.errors import RefusedError
from rig.procedures.between_blanks import between_blanks, scale_between_blanks
from rig.procedures.bounds import Word
from rig.procedures.budgets import measured
from rig.procedures.course_steps import (
    ACCEPTED,
    Annunciated,
    CancelBolus,
    Command,
    Confirm,
    CourseStep,
    Fill,
    GiveBolus,
    Line,
    Prime,
    Run,
    Set,
    SetClock,
    SetProfile,
    SetTemporary,
    Shows,
    Told,
    Weighed,
    parse_step,
)
from rig.procedures.procedure import BetweenBlanks, Computed
from rig.procedures.sampling import sample_for, take_sample
from rig.record.taking import Fact, Recorder, Taken, joined
from rig.roles import Bench, Capability, Metrology, require
from rig.therapy import BolusRequest
from rig.verdicts.limits import Measurement
from rig.verdicts.quantities import Kind, Parameter, Quantity

COURSE = Parameter("course")
WRONG = Kind(
    "course.wrong_answers",
    "commands answered otherwise than they must be in {course}",
    ("answers",),
    (COURSE,),
    "Commands that were accepted and must be refused, or refused and must be accepted, or refused for another reason.",
)
EXCESS = Kind(
    "course.largest_excess",
    "largest excess over what was programmed in {course}",
    ("U",),
    (COURSE,),
    "Of all weighed stretches of the course, by how much more came than was programmed, at most.",
)
SHORTFALL = Kind(
    "course.largest_shortfall",
    "largest shortfall of what was programmed in {course}",
    ("U",),
    (COURSE,),
    "Of all weighed stretches of the course, by how much less came than was programmed, at most.",
)
MISSING = Kind(
    "course.missing_annunciations",
    "annunciations that did not come in {course}",
    ("annunciations",),
    (COURSE,),
    "What the pump must annunciate and had not, when the course came to where it looks.",
)
BEFORE, FADING = "before the course", "fading"
SHORT_EVERY_S, LONG_EVERY_S, SHORT_S = 2.0, 10.0, 1200.0
"""A stretch up to 20 min is read every 2 s, a longer one every 10 s."""
CLOCK_WITHIN_S = 60.0
FADES_S = 120.0
"""So long the line is given to empty when the course has ended and the pump was stopped."""


class CommandAnswered(Fact):
    """What the pump answered to a command of the course."""

    number: int
    words: str
    expected: str
    answer: str


class AnnunciationLookedFor(Fact):
    """Whether the pump annunciated what it must."""

    number: int
    kind: str
    shown: tuple[str, ...]


def _lines(written: object) -> object:
    """Take "run; bolus 2 U; weigh 3 min: 2 U" apart, as a protocol writes it."""
    return [step.strip() for step in written.split(";") if step.strip()] if isinstance(written, str) else written


def _step(text: str) -> str:
    parse_step(text)
    return text


class Course(BetweenBlanks):
    """Tell the pump one thing after the other, compare what it answers, and weigh what comes of it."""

    TABLE: ClassVar = "course"
    KEYWORD: ClassVar = "Follow A Course"
    KINDS: ClassVar = (WRONG, EXCESS, SHORTFALL, MISSING)
    EXPECTED: ClassVar = frozenset(
        {
            "maximum delivery", "bolus cancelled", "temporary basal rate over", "temporary basal rate cancelled",
            "reservoir low", "reservoir empty", "reservoir issue", "system issue",
        }
    )  # fmt: skip

    called: Word
    steps: Annotated[tuple[Annotated[str, AfterValidator(_step)], ...], BeforeValidator(_lines), Field(min_length=1)]

    @property
    def title(self) -> str:
        """What tells it from others: what it is called."""
        return self.called

    @property
    def parsed(self) -> tuple[CourseStep, ...]:
        """Its steps."""
        return tuple(parse_step(text) for text in self.steps)

    @property
    def needs(self) -> tuple[Capability, ...]:
        """What a pump must be able to do for it."""
        needed: dict[Capability, None] = {}
        for step in self.parsed:
            if isinstance(step, Told):
                needed.update(dict.fromkeys(_needed(step.command)))
        return tuple(needed)

    @property
    def needed_lines(self) -> tuple[str, ...]:
        """Lines of the bench's switch that it energises."""
        return tuple(dict.fromkeys(step.name for step in self.parsed if isinstance(step, Line)))

    @property
    def needed_u(self) -> float:
        """Insulin that it takes in U."""
        return sum(step.expected_u or 0.0 for step in self.parsed if isinstance(step, Weighed))

    @property
    def quantities(self) -> tuple[Quantity, ...]:
        """What it measures: of the steps that it has."""
        steps = self.parsed
        found = [WRONG.of(course=self.called)] if any(isinstance(step, Told | Shows) for step in steps) else []
        if any(isinstance(step, Weighed) and step.expected_u is not None for step in steps):
            found += [EXCESS.of(course=self.called), SHORTFALL.of(course=self.called)]
        if any(isinstance(step, Annunciated) for step in steps):
            found.append(MISSING.of(course=self.called))
        return tuple(found)

    def take(self, bench: Bench, record: Recorder) -> None:
        """Go through the steps, and read the balance from before the first to after the last."""
        between_blanks(
            bench, record, rate_u_per_h=0.0, blank_s=self.blank_s, deliver=lambda: self._follow(bench, record)
        )

    def _follow(self, bench: Bench, record: Recorder) -> None:
        follower = _Follower(bench, record)
        take_sample(bench, record, BEFORE)
        try:
            for number, step in enumerate(self.parsed):
                follower.do(number, step)
        finally:
            for line in self.needed_lines:
                bench.switch.set_line(line, energised=False)
            follower.restore()
        bench.pump.stop()
        sample_for(bench, record, FADING, duration_s=FADES_S, every_s=SHORT_EVERY_S)

    def compute(self, taken: Taken, metrology: Metrology) -> Computed:
        """Compare the answers, and weigh each stretch from the last reading before it to its own last."""
        scale = scale_between_blanks(taken, metrology, blank_s=self.blank_s)
        steps = self.parsed
        stretches = [(_phase(number), step) for number, step in enumerate(steps) if isinstance(step, Weighed)]
        series = [taken.series(phase) for phase in (BEFORE, *(phase for phase, _ in stretches))]
        readings = joined(*series)
        delivered_u = scale.delivered_u(readings)
        begin, end = len(series[0].at_s) - 1, len(series[0].at_s) - 1
        budgets = []
        for each, (_, step) in zip(series[1:], stretches, strict=True):
            end += len(each.at_s)
            if step.expected_u is None:
                continue
            came = scale.budget(
                float(delivered_u[end] - delivered_u[begin]), float(readings.at_s[end] - readings.at_s[begin])
            )
            budgets.append(came.linear(1.0, offset=-step.expected_u, unit="U"))
            begin = end
        answers = taken.facts(CommandAnswered)
        measurements = (
            [Measurement(WRONG.of(course=self.called), float(sum(each.answer != each.expected for each in answers)))]
            if answers
            else []
        )
        named = {}
        if budgets:
            excess = max(budgets, key=lambda budget: budget.value)
            shortfall = min(budgets, key=lambda budget: budget.value).linear(-1.0, unit="U")
            named = {EXCESS.of(course=self.called): excess, SHORTFALL.of(course=self.called): shortfall}
            measurements += [measured(quantity, budget) for quantity, budget in named.items()]
        looked = taken.facts(AnnunciationLookedFor)
        if looked:
            missing = sum(each.kind not in each.shown for each in looked)
            measurements.append(Measurement(MISSING.of(course=self.called), float(missing)))
        return Computed(measured=tuple(measurements), budgets=named)


def _phase(number: int) -> str:
    return f"step {number + 1}"


def _needed(command: Command) -> Sequence[Capability]:
    match command:
        case GiveBolus(bolus):
            kinds = [Capability.EXTENDED_BOLUS] if bolus.extended_u else [Capability.FAST_BOLUS]
            kinds += [Capability.MULTIWAVE_BOLUS] if bolus.extended_u and bolus.fast_u else []
            return kinds + ([Capability.DELAYED_BOLUS] if bolus.delay_min else [])
        case CancelBolus():
            return [Capability.CANCEL_BOLUS]
        case SetProfile():
            return [Capability.BASAL_PROFILE]
        case SetTemporary():
            return [Capability.TEMPORARY_BASAL]
        case Prime():
            return [Capability.PRIMING]
        case Fill():
            return [Capability.RESERVOIR_LEVEL]
        case Set():
            return [Capability.SETTINGS]
        case SetClock():
            return [Capability.CLOCK]
        case _:
            return []


class _Follower:
    """Does one step after the other on a bench."""

    def __init__(self, bench: Bench, record: Recorder) -> None:
        self._bench = bench
        self._record = record
        self._bolus_id = 0
        self._before: dict[Set, float] = {}

    def do(self, number: int, step: CourseStep) -> None:
        """Do a step."""
        bench, record = self._bench, self._record
        match step:
            case Told():
                answer = self._answer(step.command)
                record.step(step.words, answer=answer, expected=step.answer)
                record.fact(
                    CommandAnswered(
                        at_s=bench.clock.now(), number=number, words=step.words, expected=step.answer, answer=answer
                    )
                )
            case Line():
                bench.switch.set_line(step.name, energised=step.energised)
                record.step(f"{'energised' if step.energised else 'released'} {step.name}")
            case Weighed():
                every_s = SHORT_EVERY_S if step.duration_s <= SHORT_S else LONG_EVERY_S
                sample_for(bench, record, _phase(number), duration_s=step.duration_s, every_s=every_s)
            case Shows():
                wanted = step.date_time.isoformat(sep=" ", timespec="minutes")
                shown = require(bench.pump, Capability.CLOCK).clock()
                near = abs((shown - step.date_time).total_seconds()) <= CLOCK_WITHIN_S
                answer = wanted if near else shown.isoformat(sep=" ", timespec="minutes")
                fact = CommandAnswered(
                    at_s=bench.clock.now(), number=number, words="shows", expected=wanted, answer=answer
                )
                record.fact(fact)
            case Annunciated():
                kinds = tuple(each.kind for each in bench.pump.annunciations())
                record.fact(AnnunciationLookedFor(at_s=bench.clock.now(), number=number, kind=step.kind, shown=kinds))

    def restore(self) -> None:
        """Set back what the course has set, in case the same pump is measured on."""
        for changed, value in self._before.items():
            require(self._bench.pump, Capability.SETTINGS).set_setting(changed.setting, value)

    def _answer(self, command: Command) -> str:
        try:
            self._tell(command)
        except RefusedError as error:
            return error.meaning or error.came_back
        return ACCEPTED

    def _tell(self, command: Command) -> None:
        pump = self._bench.pump
        match command:
            case Run(therapy):
                told: dict[str, Callable[[], None]] = {"run": pump.run, "stop": pump.stop, "pause": pump.pause}
                told[therapy]()
            case GiveBolus(bolus):
                self._bolus_id = self._given(bolus)
            case CancelBolus():
                require(pump, Capability.CANCEL_BOLUS).cancel_bolus(self._bolus_id)
            case SetProfile(segments):
                require(pump, Capability.BASAL_PROFILE).set_basal_profile(segments)
            case SetTemporary(temporary):
                rates = require(pump, Capability.TEMPORARY_BASAL)
                rates.cancel_temporary_rate() if temporary is None else rates.set_temporary_rate(temporary)
            case Prime(insulin_u):
                require(pump, Capability.PRIMING).prime(insulin_u)
            case Fill(insulin_u):
                require(pump, Capability.RESERVOIR_LEVEL).set_reservoir_level(insulin_u)
            case Confirm():
                for annunciation in pump.annunciations():
                    pump.confirm(annunciation.annunciation_id)
            case Set(setting, value):
                settings = require(pump, Capability.SETTINGS)
                was = settings.setting(setting)
                settings.set_setting(setting, value)
                self._before.setdefault(Set(setting, 0.0), was)
            case SetClock(date_time):
                require(pump, Capability.CLOCK).set_clock(date_time)

    def _given(self, bolus: BolusRequest) -> int:
        pump = self._bench.pump
        if bolus.extended_u or bolus.delay_min:
            return require(pump, Capability.EXTENDED_BOLUS).deliver(bolus)
        return require(pump, Capability.FAST_BOLUS).bolus(bolus.fast_u)
