"""Keywords for Robot Framework protocols: typed, each one call into `rig.procedures`.

Quantities are written with their unit ("1 U/h", "30 min"). Limits are not arguments: the tags of a test name its
requirements, and what was measured is judged against the requirements file when the test ends. Not responsible for
any step itself.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from robot import result, running
from robot.api import SkipExecution
from robot.api.deco import keyword, library

from rig.bench import open_bench
from rig.bench_file import parse_override
from rig.evidence import RunFolder
from rig.limits import Measurement
from rig.plan_occlusions import OcclusionEntry, UnoccludedEntry
from rig.plan_profiles import ExtendedEntry, SwitchEntry, TemporaryEntry, read_temporary
from rig.procedures.day import DayPlan, Eating, Moment, Person, live_a_day, read_profile
from rig.procedures.extended import measure_extended
from rig.procedures.occlusion import OcclusionTest
from rig.procedures.occlusion_series import measure_free_delivery, measure_occlusions
from rig.procedures.rate_change import RateChangePlan, measure_rate_change
from rig.procedures.reservoir import count_missing_log_entries, deliver_until_reservoir_low
from rig.procedures.safety import measure_refused_boluses
from rig.requirements import read_requirements
from rig.robot_runner import REQUIREMENT_TAG
from rig.roles import Bench, Capability
from rig.therapy import BasalSegment, Meal, TemporaryRate
from rig.units import parse, parse_time_of_day
from rig.validation import validated
from rig.verification import NotApplicableError, RequirementNotMetError, Verification


@library(scope="GLOBAL", auto_keywords=False)
class PumpBench:
    """The bench, for protocols. `Open Bench` is a test's set-up, `Leave Bench Safe` its teardown.

    Args:
        bench: bench file.
        run: run folder to append to.
        requirements: requirements file.
        settings: lines of table.key=value, laid over the bench file.
    """

    ROBOT_LISTENER_API_VERSION = 3

    def __init__(self, bench: str, run: str, requirements: str, settings: str = "") -> None:
        self.ROBOT_LIBRARY_LISTENER = self
        self._bench_file = Path(bench)
        self._overrides = dict(parse_override(text) for text in settings.splitlines())
        self._run = RunFolder(Path(run))
        self._requirements = read_requirements(Path(requirements))
        self._test_id = ""
        self._ids: list[str] = []
        self._open = ExitStack()
        self._verification: Verification | None = None
        self._bench: Bench | None = None
        self._occlusion: OcclusionTest | None = None
        self._day = _Day()

    # ---- the run: what is going to be tested, and how it ended ------------------------------------------------

    def start_suite(self, data: running.TestSuite, result: result.TestSuite) -> None:
        """Declare the suite's tests in the run."""
        del result
        for test in data.tests:
            title = (test.doc or test.name).splitlines()[0]
            self._run.collected(_test_id(test), title, _requirement_ids(test))

    def start_test(self, data: running.TestCase, result: result.TestCase) -> None:
        """Remember which test is running."""
        del result
        self._test_id, self._ids = _test_id(data), _requirement_ids(data)

    def end_test(self, data: running.TestCase, result: result.TestCase) -> None:
        """Judge what was measured and record how the test ended; an unmet requirement fails it."""
        del data
        verification, self._verification = self._verification, None
        if verification is None:
            self._run.failed_before_start(self._test_id, result.message)
            return
        outcome = "passed" if result.passed else "not applicable" if result.skipped else "error"
        if result.passed:
            try:
                verification.conclude()
            except RequirementNotMetError as unmet:
                result.status, result.message, outcome = "FAIL", str(unmet), "failed"
        verification.record.end(outcome, result.message or None)

    # ---- set-up and teardown ----------------------------------------------------------------------------------

    @keyword
    def open_bench(self, *needed: Capability) -> None:
        """Open the bench for this test; it is NOT APPLICABLE when the pump lacks one of the needed capabilities."""
        log = self._run.wire_log(self._test_id)
        self._open.callback(log.close)
        bench = self._open.enter_context(open_bench(self._bench_file, self._overrides, log=log))
        self._bench = bench
        record = self._run.test(self._test_id, bench.clock)
        self._verification = Verification(record, self._requirements, self._ids)
        try:
            self._verification.need(bench.pump, *needed)
        except NotApplicableError as reason:
            raise SkipExecution(f"NOT APPLICABLE: {reason}") from reason

    @keyword
    def leave_bench_safe(self) -> None:
        """Stop the pump, release the valves, switch the supply off, close every port."""
        self._bench = self._occlusion = None
        self._day = _Day()
        self._open.close()

    # ---- occlusion --------------------------------------------------------------------------------------------

    @keyword
    def deliver_basal_freely(self, rate: str, duration: str) -> None:
        """Deliver at a basal rate such as "1 U/h" with the outlet open, for a duration such as "30 min"."""
        bench, verification = self._now()
        self._occlusion = OcclusionTest(bench, verification.record, rate_u_per_h=parse(rate, "rate_u_per_h"))
        self._occlusion.deliver_freely(parse(duration, "time_s"))

    @keyword
    def close_outlet(self) -> None:
        """Occlude the line with the occluder valve."""
        self._occlusion_now().close_outlet()

    @keyword
    def wait_for_occlusion_alarm(self, giving_up_after: str) -> None:
        """Wait for the pump's occlusion alarm; give up when so much insulin, such as "7 U", has been missed."""
        self._occlusion_now().wait_for_alarm(giving_up_after_u=parse(giving_up_after, "insulin_u"))

    @keyword
    def watch_after_alarm(self, duration: str) -> None:
        """Go on sampling with the outlet closed, to see whether the pump really stopped."""
        self._occlusion_now().watch_after_alarm(parse(duration, "time_s"))

    @keyword
    def open_outlet_and_weigh_release(self) -> None:
        """Open the outlet, weigh what is released, and judge the whole occlusion."""
        occlusion = self._occlusion_now()
        occlusion.open_outlet()
        self._verify(occlusion.evaluate())

    @keyword
    def provoke_occlusions(self, rate: str, threshold: str, times: int, giving_up_after: str) -> None:
        """Occlude so many times at a rate, the pump set to a threshold (low, normal, high), and judge them all."""
        asked = {"rate": rate, "threshold": threshold, "count": times, "giving_up_after": giving_up_after}
        bench, verification = self._now()
        plan = validated(Path("Provoke Occlusions"), asked, OcclusionEntry).procedure()
        self._verify(measure_occlusions(bench, verification.record, plan))

    @keyword
    def deliver_without_an_occlusion(self, rate: str, over: str, threshold: str) -> None:
        """Deliver at a basal rate with the outlet open and the pump set to a threshold, and look for false alarms."""
        asked = {"rate": rate, "duration": over, "threshold": threshold}
        bench, verification = self._now()
        plan = validated(Path("Deliver Without An Occlusion"), asked, UnoccludedEntry).procedure()
        self._verify(measure_free_delivery(bench, verification.record, plan))

    # ---- boluses, reservoir, log ------------------------------------------------------------------------------

    @keyword
    def command_boluses_above_the_maximum(self, *sizes: str, watching: str) -> None:
        """Command boluses that the pump must refuse, such as "25.5 U", then weigh for a while what comes."""
        bench, verification = self._now()
        too_large_u = tuple(parse(size, "insulin_u") for size in sizes)
        watch_s = parse(watching, "time_s")
        self._verify(measure_refused_boluses(bench, verification.record, too_large_u=too_large_u, watch_s=watch_s))

    @keyword
    def empty_reservoir_until_warned(self, filled: str, bolus: str, one_takes: str) -> None:
        """Tell the pump that its reservoir holds so much, and give boluses until it warns."""
        bench, verification = self._now()
        self._verify(
            deliver_until_reservoir_low(
                bench,
                verification.record,
                filled_u=parse(filled, "insulin_u"),
                bolus_u=parse(bolus, "insulin_u"),
                bolus_s=parse(one_takes, "time_s"),
            )
        )

    @keyword
    def count_missing_log_entries(self) -> None:
        """Read the pump's log and count the gaps in its numbering."""
        bench, verification = self._now()
        self._verify(count_missing_log_entries(bench, verification.record))

    # ---- the course of a delivery -----------------------------------------------------------------------------

    @keyword
    def weigh_extended_bolus(self, size: str, over: str, extended: str = "100 %", slices: int = 4) -> None:
        """Give a bolus of which a share is extended evenly over a duration, and judge its course, also in slices."""
        asked = {"size": size, "duration": over, "extended": extended, "slices": slices}
        bench, verification = self._now()
        plan = validated(Path("Weigh Extended Bolus"), asked, ExtendedEntry).procedure()
        self._verify(measure_extended(bench, verification.record, plan).measurements)

    @keyword
    def weigh_temporary_rate(self, temporary: str, at: str, duration: str, before: str, after: str) -> None:
        """Deliver at a rate, then at a share of it or another rate for a duration, then as before; judge all three."""
        asked = {"temporary": temporary, "rate": at, "duration": duration, "before": before, "after": after}
        self._weigh_change(validated(Path("Weigh Temporary Rate"), asked, TemporaryEntry).procedure())

    @keyword
    def weigh_profile_switch(self, rate: str, then: str, before: str, after: str) -> None:
        """Deliver by a profile that switches from one rate to another, and judge both and when it switched."""
        asked = {"rate": rate, "then": then, "before": before, "after": after}
        self._weigh_change(validated(Path("Weigh Profile Switch"), asked, SwitchEntry).procedure())

    def _weigh_change(self, plan: RateChangePlan) -> None:
        bench, verification = self._now()
        self._verify(measure_rate_change(bench, verification.record, plan).measurements)

    # ---- a day ------------------------------------------------------------------------------------------------

    @keyword
    def plan_basal_profile(self, *segments: str) -> None:
        """Plan the basal profile of a day: from when on which rate, such as "04:00 1.2 U/h"; the first is at 00:00."""
        self._day.profile = read_profile(segments)

    @keyword
    def plan_calculator(self, sensitivity: str, ratio: str, target: str) -> None:
        """Plan what a unit does: glucose such as "50 mg/dL", carbohydrates such as "10 g", and the glucose aimed at."""
        self._day.sensitivity_mg_per_dl = parse(sensitivity, "glucose_mg_per_dl")
        self._day.ratio_g = parse(ratio, "mass_g")
        self._day.target_mg_per_dl = parse(target, "glucose_mg_per_dl")

    @keyword
    def eat(
        self, at: str, carbohydrates: str = "0 g", glucose: str = "", extended: str = "0 %", over: str = "0 min"
    ) -> None:
        """Plan a meal, or a correction without carbohydrates; a share of the meal's insulin may be extended."""
        measured = round(parse(glucose, "glucose_mg_per_dl")) if glucose else None  # as a meter shows it
        meal = Meal(parse(carbohydrates, "mass_g"), measured)
        eating = Eating(meal, parse(extended, "percent") / 100.0, round(parse(over, "time_s") / 60.0))
        self._day.moments.append(Moment(parse_time_of_day(at), eating))

    @keyword
    def exercise(self, at: str, rate: str, duration: str) -> None:
        """Plan a temporary basal rate: a share of the profile such as "50 %", or a rate such as "0.2 U/h"."""
        temporary = TemporaryRate(round(parse(duration, "time_s") / 60.0), *read_temporary(rate))
        self._day.moments.append(Moment(parse_time_of_day(at), temporary))

    @keyword
    def live_the_day(self, called: str) -> None:
        """Live what was planned from midnight to midnight, and judge each hour and the accounts."""
        bench, verification = self._now()
        self._verify(live_a_day(bench, verification.record, self._day.plan(called)))

    def _verify(self, measurements: tuple[Measurement, ...]) -> None:
        self._now()[1].verify(measurements)

    def _now(self) -> tuple[Bench, Verification]:
        if self._bench is None or self._verification is None:
            raise RuntimeError("the bench is not open: begin the test with 'Open Bench'")
        return self._bench, self._verification

    def _occlusion_now(self) -> OcclusionTest:
        if self._occlusion is None:
            raise RuntimeError("nothing is being delivered: begin with 'Deliver Basal Freely'")
        return self._occlusion


@dataclass
class _Day:
    """What the keywords have planned so far."""

    profile: tuple[BasalSegment, ...] = ()
    sensitivity_mg_per_dl: float = 0.0
    ratio_g: float = 0.0
    target_mg_per_dl: float = 0.0
    moments: list[Moment] = field(default_factory=list)

    def plan(self, name: str) -> DayPlan:
        if not self.profile or not self.sensitivity_mg_per_dl:
            raise RuntimeError("a day needs 'Plan Basal Profile' and 'Plan Calculator' first")
        person = Person(self.profile, self.sensitivity_mg_per_dl, self.ratio_g, self.target_mg_per_dl)
        return DayPlan(name, person, tuple(sorted(self.moments, key=lambda moment: moment.at_min)))


def _test_id(test: Any) -> str:  # noqa: ANN401 - running or result test
    source = Path(str(test.source))
    return f"suites/pump/{source.name}::{test.name}"


def _requirement_ids(test: running.TestCase) -> list[str]:
    return [str(tag).removeprefix(REQUIREMENT_TAG) for tag in test.tags if str(tag).startswith(REQUIREMENT_TAG)]
