"""Keywords for Robot Framework protocols: one for each procedure of the catalogue, and those that plan a day.

Quantities are written with their unit ("1 U/h", "30 min"). Limits are not arguments: the requirements that a test
decides follow from the quantities that its keywords declare. Not responsible for any step itself.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic.fields import FieldInfo
from robot import result, running
from robot.api import SkipExecution
from robot.api.deco import keyword, library

from rig.bench import open_bench
from rig.errors import BenchFileError, EvidenceError
from rig.inputs import frozen_inputs
from rig.procedures.catalogue import PROCEDURES
from rig.procedures.day import Day
from rig.procedures.procedure import Procedure
from rig.record.folder import AttemptRecord
from rig.record.results import Outcome
from rig.run import open_run
from rig.validation import validated
from rig.verification import NotApplicableError, RequirementNotMetError, Verification


@dataclass
class PlannedDay:
    """What keywords have planned of a day so far, as it was written."""

    words: dict[str, Any] = field(default_factory=dict)

    def plan(self, **words: object) -> None:
        """Plan one thing that a day has once."""
        self.words |= words

    def add(self, key: str, words: dict[str, str]) -> None:
        """Plan one thing more that a day has several of; what was left empty is left out."""
        self.words.setdefault(key, []).append({name: value for name, value in words.items() if value})

    def lived(self, called: str, person: str) -> Day:
        """Make the day; BenchFileError with what is missing or wrong."""
        return validated(f"Live The Day {called!r}", {"called": called, "person": person, **self.words}, Day)


@library(scope="GLOBAL", auto_keywords=False)
class PumpBench:
    """The bench, for protocols. `Open Bench` is a test's set-up, `Leave Bench Safe` its teardown.

    Args:
        run: run folder to append to; "" while a protocol is only read.
    """

    ROBOT_LISTENER_API_VERSION = 3

    def __init__(self, run: str = "") -> None:
        self.ROBOT_LIBRARY_LISTENER = self
        self._run = open_run(Path(run)) if run else None
        if self._run is not None:
            self._frozen = frozen_inputs(self._run, self._run.manifest())
        self._test_id = ""
        self._open = ExitStack()
        self._attempt: AttemptRecord | None = None
        self._verification: Verification | None = None
        self.day = PlannedDay()

    # ---- the run: which test is going on, and how it ended -----------------------------------------------------

    def start_test(self, data: running.TestCase, result: result.TestCase) -> None:
        """Remember which test is running."""
        del result
        self._test_id, self.day = test_id(data), PlannedDay()

    def end_test(self, data: running.TestCase, result: result.TestCase) -> None:
        """Judge what was measured and record how the test ended; an unmet requirement fails it."""
        if self._run is None:
            return
        verification, self._verification = self._verification, None
        attempt, self._attempt = self._attempt or self._run.attempt(test_id(data)), None
        outcome: Outcome = "passed" if result.passed else "not applicable" if result.skipped else "error"
        if result.passed and verification is not None:
            try:
                verification.conclude()
            except RequirementNotMetError as unmet:
                result.status, result.message, outcome = "FAIL", str(unmet), "failed"
        attempt.end(outcome, result.message or None)

    def close(self) -> None:
        """Bring the record to the disk when all suites are done."""
        if self._run is not None:
            self._run.appender.close()

    # ---- set-up and teardown ----------------------------------------------------------------------------------

    @keyword
    def open_bench(self) -> None:
        """Open the bench for this test."""
        if self._run is None:
            raise EvidenceError("a protocol is run by rig verify, which makes the run that it records to")
        attempt = self._attempt = self._run.attempt(self._test_id)
        self._open.callback(attempt.wires.close)
        bench = self._open.enter_context(open_bench(self._frozen.spec, log=attempt.wires, occasion=self._test_id))
        attempt.start(bench.clock)
        declared = self._run.declared(self._test_id)
        self._verification = Verification(bench, attempt, self._frozen.requirements, declared)

    @keyword
    def leave_bench_safe(self) -> None:
        """Stop the pump, release the valves, switch the supply off, close every port."""
        self._open.close()

    # ---- a day ------------------------------------------------------------------------------------------------

    @keyword
    def plan_basal_profile(self, *segments: str) -> None:
        """Plan the basal profile of a day: from when on which rate, such as "04:00 1.2 U/h"; the first is at 00:00."""
        self.day.plan(profile=list(segments))

    @keyword
    def plan_calculator(self, sensitivity: str, ratio: str, target: str) -> None:
        """Plan what a unit does: glucose such as "50 mg/dL", carbohydrates such as "10 g", and the glucose aimed at."""
        self.day.plan(sensitivity=sensitivity, ratio=ratio, target=target)

    @keyword
    def eat(self, at: str, carbohydrates: str = "", glucose: str = "", extended: str = "", over: str = "") -> None:
        """Plan a meal, or a correction without carbohydrates; a share of the meal's insulin may be extended."""
        meal = {"at": at, "carbohydrates": carbohydrates, "glucose": glucose, "extended": extended, "over": over}
        self.day.add("eat", meal)

    @keyword
    def exercise(self, at: str, rate: str, duration: str) -> None:
        """Plan a temporary basal rate: a share of the profile such as "50 %", or a rate such as "0.2 U/h"."""
        self.day.add("exercise", {"at": at, "rate": rate, "duration": duration})

    @keyword
    def live_the_day(self, called: str, person: str) -> None:
        """Live what was planned from midnight to midnight, and judge each hour and the accounts."""
        self.measure(self.day.lived(called, person))

    def measure(self, procedure: Procedure) -> None:
        """Measure what a keyword asks for."""
        if self._verification is None:
            raise EvidenceError("the bench is not open: begin the test with 'Open Bench'")
        try:
            self._verification.measure(procedure)
        except NotApplicableError as reason:
            raise SkipExecution(f"NOT APPLICABLE: {reason}") from reason


def asked(procedure: type[Procedure], given: tuple[str, ...], named: dict[str, str]) -> Procedure:
    """Make the procedure that a keyword asks for; BenchFileError naming the keyword and what is wrong."""
    needed = [key for key in keys_of(procedure) if _field(procedure, key).is_required()]
    if len(given) > len(needed):
        raise BenchFileError(f"{procedure.KEYWORD}: {given[len(needed)]!r} has no name; write it as name=value")
    words = dict(zip(needed, given, strict=False)) | named
    return validated(procedure.KEYWORD, words, procedure)


def _field(procedure: type[Procedure], key: str) -> FieldInfo:
    return next(field for name, field in procedure.model_fields.items() if key in (name, field.alias))


def keys_of(procedure: type[Procedure]) -> list[str]:
    """List a procedure's keys as people write them: its own first, then those that it shares with others."""
    own = [name for name in procedure.model_fields if name in procedure.__annotations__]
    names = [*own, *(name for name in procedure.model_fields if name not in own)]
    return [procedure.model_fields[name].alias or name for name in names]


def _keyword_of(procedure: type[Procedure]) -> Callable[..., None]:
    """Make the keyword of a procedure: its arguments are the keys of its table, as text with units."""

    def perform(self: PumpBench, *given: str, **named: str) -> None:
        self.measure(asked(procedure, given, named))

    keys = keys_of(procedure)
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    needed = [inspect.Parameter(key, kind) for key in keys if _field(procedure, key).is_required()]
    others = [
        inspect.Parameter(key, inspect.Parameter.KEYWORD_ONLY, default=None)
        for key in keys
        if not _field(procedure, key).is_required()
    ]
    perform.__doc__ = inspect.getdoc(procedure)
    perform.__annotations__ = dict.fromkeys(keys, str)
    signature = inspect.Signature([inspect.Parameter("self", kind), *needed, *others])
    setattr(perform, "__signature__", signature)  # noqa: B010 - a function's type knows no such attribute
    return perform


for _procedure in PROCEDURES:
    if _procedure.KEYWORD:
        _name = _procedure.KEYWORD.lower().replace(" ", "_")
        setattr(PumpBench, _name, keyword(_procedure.KEYWORD)(_keyword_of(_procedure)))


def test_id(test: running.TestCase) -> str:
    """Name a test by its file below the suites and its own name."""
    return f"suites/pump/{Path(str(test.source)).name}::{test.name}"
