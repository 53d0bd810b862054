"""The pump's bolus calculator against an oracle: every hour, meal and glucose, with insulin on board that was weighed.

The rig gives boluses, lets time pass and sets the clock; what it did is what the oracle reckons with. Ten proposals
are delivered and weighed. Not responsible for the arithmetic (`rig.therapy`) nor for the comparison (`advice_judged`).
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import replace
from typing import ClassVar

from rig.errors import RefusedError
from rig.procedures.advice_judged import (
    BEFORE,
    KINDS,
    STANDARD_BOLUS_U_PER_MIN,
    Advised,
    ClockWasSet,
    DoseGiven,
    OnBoardTold,
    advice_phase,
    judged_advice,
    rest_after,
)
from rig.procedures.between_blanks import between_blanks, scale_between_blanks
from rig.procedures.calculator_rules import CHANGED, GRID, MINUTES, PROFILES, REFUSED_OR_NOT, TO_DELIVER, Settings
from rig.procedures.preparation import MIDNIGHT, start_therapy
from rig.procedures.procedure import BetweenBlanks, Computed
from rig.procedures.rest import SAMPLE_EVERY_S, wait_for_rest
from rig.procedures.sampling import sample_for
from rig.record.taking import Recorder, Taken
from rig.roles import Bench, Capability, Metrology, require
from rig.therapy import BolusReason, BolusRequest, Meal, Setting
from rig.verdicts.quantities import Quantity

MEAL_U, CORRECTION_U = 4.0, 2.0
"""What is given so that there is insulin on board."""
PASSES_S = 3600.0
"""Between two walks, so that it fades."""
NOON_MIN = 780
"""When what is delivered is asked for."""


class Calculator(BetweenBlanks):
    """Ask the calculator over a grid of meals, glucoses, hours and insulin on board; deliver ten of its proposals."""

    TABLE: ClassVar = "calculator"
    KEYWORD: ClassVar = "Walk The Calculator"
    IN_WORDS: ClassVar = "the bolus calculator"
    KINDS: ClassVar = KINDS

    @property
    def title(self) -> str:
        """What tells it from others: how many questions."""
        return f"{4 * len(MINUTES) * len(GRID)} questions"

    @property
    def needs(self) -> tuple[Capability, ...]:
        """What a pump must be able to do for it."""
        return (
            Capability.CALCULATOR,
            Capability.EXTENDED_BOLUS,
            Capability.INSULIN_ON_BOARD,
            Capability.SETTINGS,
            Capability.CLOCK,
        )

    @property
    def needed_u(self) -> float:
        """Insulin that it takes in U, about."""
        return 40.0

    @property
    def quantities(self) -> tuple[Quantity, ...]:
        """What it measures."""
        return tuple(kind.of() for kind in KINDS)

    @property
    def extent(self) -> Mapping[str, float]:
        """How many questions of the grid it asks."""
        return {"count": 4.0 * len(MINUTES) * len(GRID)}

    def take(self, bench: Bench, record: Recorder) -> None:
        """Set a day's profiles, walk the grid four times with more and more insulin on board, deliver proposals."""
        between_blanks(
            bench, record, rate_u_per_h=0.0, blank_s=self.blank_s, deliver=lambda: _Asking(bench, record).whole()
        )

    def compute(self, taken: Taken, metrology: Metrology) -> Computed:
        """Hold each answer against the oracle, and weigh what was delivered."""
        return judged_advice(taken, scale_between_blanks(taken, metrology, blank_s=self.blank_s))


class _Asking:
    """One walk through all questions on a bench."""

    def __init__(self, bench: Bench, record: Recorder) -> None:
        self._bench, self._record = bench, record
        self._calculator = require(bench.pump, Capability.CALCULATOR)
        self._settings = Settings()
        self._doses = 0

    def whole(self) -> None:
        """Ask everything, in one order."""
        self._set_up()
        start_therapy(self._bench, self._record)
        wait_for_rest(self._bench, self._record, BEFORE)
        self._walk()
        self._give(BolusRequest(fast_u=MEAL_U, reason=BolusReason.MEAL))
        self._walk()
        self._give(BolusRequest(fast_u=CORRECTION_U, reason=BolusReason.CORRECTION))
        self._walk()
        self._pass(PASSES_S)
        self._walk()
        self._set_clock(NOON_MIN)
        for carbohydrate_g, glucose in REFUSED_OR_NOT:
            self._ask("limits", carbohydrate_g, glucose)
        self._change_settings()
        for carbohydrate_g, glucose in TO_DELIVER:
            self._set_clock(NOON_MIN)
            self._deliver(carbohydrate_g, glucose)
        self._tell_on_board()

    def _set_up(self) -> None:
        for kind, blocks in PROFILES.items():
            self._calculator.set_profile(kind, blocks)
        for setting, value in _values(self._settings).items():
            self._set(setting, value)

    def _set(self, setting: Setting, value: float) -> None:
        """Change a setting; what a pump does that refuses it shows in its proposals."""
        try:
            require(self._bench.pump, Capability.SETTINGS).set_setting(setting, value)
            self._record.step("setting", name=setting.value, value=value)
        except RefusedError as error:
            self._record.step("setting refused", name=setting.value, value=value, reason=str(error))

    def _set_clock(self, minute: float) -> None:
        shown = MIDNIGHT + datetime.timedelta(minutes=minute)
        try:
            require(self._bench.pump, Capability.CLOCK).set_clock(shown)
        except RefusedError as error:  # its proposals are then those of another hour
            self._record.step("clock not set", reason=str(error))
        self._record.fact(ClockWasSet(at_s=self._bench.clock.now(), date_time=shown))

    def _walk(self) -> None:
        self._record.step("walk over the grid", hours=len(MINUTES), questions=len(GRID))
        for minute in MINUTES:
            self._set_clock(minute)
            self._tell_on_board()
            for carbohydrate_g, glucose in GRID:
                self._ask("grid", carbohydrate_g, glucose)

    def _ask(self, stage: str, carbohydrate_g: float, glucose: float | None) -> Advised:
        told: dict[str, float] = {}
        refused = None
        try:
            advice = self._calculator.calculate(Meal(carbohydrate_g, glucose))
            told = {"meal_u": advice.meal_u, "correction_u": advice.correction_u}
        except RefusedError as error:
            refused = str(error)
        advised = Advised(
            at_s=self._bench.clock.now(),
            stage=stage,
            carbohydrate_g=carbohydrate_g,
            glucose_mg_per_dl=glucose,
            refused=refused,
            action_min=self._settings.action_min,
            curvilinear=self._settings.curvilinear,
            reverse_correction=self._settings.reverse_correction,
            min_glucose_mg_per_dl=self._settings.min_glucose_mg_per_dl,
            **told,
        )
        self._record.fact(advised)
        return advised

    def _tell_on_board(self) -> None:
        told = require(self._bench.pump, Capability.INSULIN_ON_BOARD).insulin_on_board()
        self._record.fact(OnBoardTold(at_s=self._bench.clock.now(), insulin_u=told.insulin_u))

    def _pass(self, duration_s: float) -> None:
        sample_for(self._bench, self._record, "time passes", duration_s=duration_s, every_s=60.0)

    def _change_settings(self) -> None:
        usual = self._settings
        for setting, value, questions in CHANGED:
            self._set(setting, value)
            self._settings = _changed(usual, setting, value)
            for carbohydrate_g, glucose in questions:
                self._ask("settings", carbohydrate_g, glucose)
            self._set(setting, _values(usual)[setting])
            self._settings = usual

    def _deliver(self, carbohydrate_g: float, glucose: float | None) -> None:
        advised = self._ask("delivered", carbohydrate_g, glucose)
        correction_u, meal_u = advised.correction_u or 0.0, advised.meal_u or 0.0
        reason = BolusReason.CORRECTION if not carbohydrate_g else BolusReason.MEAL_AND_CORRECTION
        self._give(
            BolusRequest(
                fast_u=round(meal_u + correction_u, 3),
                reason=BolusReason.MEAL if glucose is None else reason,
                recommended=True,
            ),
            correction_u=correction_u,
        )

    def _give(self, bolus: BolusRequest, correction_u: float | None = None) -> None:
        """Give a bolus to its rest; what a pump refuses is a dose of nothing."""
        bench, record = self._bench, self._record
        self._doses += 1
        start_s, accepted = bench.clock.now(), False
        if bolus.fast_u > 0.0:
            try:
                require(bench.pump, Capability.EXTENDED_BOLUS).deliver(bolus)
                accepted = True
            except RefusedError as error:
                record.step("bolus refused", insulin_u=bolus.fast_u, reason=str(error))
        planned_s = max(60.0 * bolus.fast_u / STANDARD_BOLUS_U_PER_MIN, SAMPLE_EVERY_S) if accepted else SAMPLE_EVERY_S
        if correction_u is None:
            correction_u = bolus.fast_u if bolus.reason is BolusReason.CORRECTION else 0.0
        record.fact(
            DoseGiven(
                at_s=bench.clock.now(),
                number=self._doses,
                commanded_at_s=start_s,
                planned_s=planned_s,
                asked_u=bolus.fast_u,
                correction_u=correction_u,
                proposed=bolus.recommended,
                accepted=accepted,
            )
        )
        record.step("bolus", number=self._doses, insulin_u=bolus.fast_u, reason=bolus.reason.value)
        sample_for(bench, record, advice_phase(self._doses), duration_s=planned_s, every_s=SAMPLE_EVERY_S)
        wait_for_rest(bench, record, rest_after(self._doses))


def _values(settings: Settings) -> dict[Setting, float]:
    return {
        Setting.INSULIN_ACTION_MIN: float(settings.action_min),
        Setting.CURVILINEAR_ON_BOARD: float(settings.curvilinear),
        Setting.REVERSE_CORRECTION: float(settings.reverse_correction),
        Setting.MIN_GLUCOSE_MG_PER_DL: settings.min_glucose_mg_per_dl,
    }


def _changed(usual: Settings, setting: Setting, value: float) -> Settings:
    if setting is Setting.INSULIN_ACTION_MIN:
        return replace(usual, action_min=int(value))
    if setting is Setting.CURVILINEAR_ON_BOARD:
        return replace(usual, curvilinear=int(value))
    if setting is Setting.REVERSE_CORRECTION:
        return replace(usual, reverse_correction=int(value))
    return replace(usual, min_glucose_mg_per_dl=value)
