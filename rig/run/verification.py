"""One test and the requirements it decides: every measurement is declared, taken, recorded and judged as it is made.

Not responsible for measuring; not for the run's results, which `rig.run.results` joins from the record alone.
"""

from __future__ import annotations

from collections.abc import Mapping

from rig.bench.driver_errors import named_errors
from rig.errors import BenchFileError
from rig.faults.means import lacking_of_bench
from rig.procedures.procedure import Computed, Procedure, measure
from rig.pump_sheet.sheet import PumpSheet
from rig.record.attempt import AttemptRecord
from rig.record.folder import Collected
from rig.roles import Bench, Capability
from rig.roles.pump import OF_THE_BENCH
from rig.verdicts.limits import Measurement, Verdict, decide
from rig.verdicts.quantities import Quantity
from rig.verdicts.requirements import Requirement
from rig.verdicts.rounding import value_text


class NotApplicableError(Exception):
    """The pump cannot do what this test is about, or this bench has no means to provoke it."""


class RequirementNotMetError(AssertionError):
    """A measured value does not meet its requirement."""


class Verification:
    """The requirements that one test decides, and the record it leaves.

    Args:
        bench: the open bench.
        record: of this attempt.
        requirements: all of them, by id.
        collected: the test as the run declared it before its first measurement.
        sheet: what is claimed of the pump; None where nobody says.
    """

    def __init__(
        self,
        bench: Bench,
        record: AttemptRecord,
        requirements: Mapping[str, Requirement],
        collected: Collected,
        sheet: PumpSheet | None = None,
    ) -> None:
        self.bench = bench
        self.record = record
        self._sheet = sheet
        self._requirements = [requirements[name] for name in collected.requirements]
        self._declared = frozenset(each.quantity for each in collected.quantities)
        self._unmet: list[str] = []
        self._measured: set[Quantity] = set()

    def measure(self, procedure: Procedure) -> Computed:
        """Take, compute and record a measurement, and judge each value by this test's requirements that ask for it.

        Raises:
            NotApplicableError: the pump cannot do it, or the bench lacks what it takes.
            BenchFileError: the test has not declared one of its quantities, or has measured it already.
            RigError: as the procedure's `take`.
        """
        self.need(*procedure.needs)
        self._need_of_bench(procedure)
        undeclared = [each for each in procedure.quantities if each not in self._declared]
        if undeclared:
            raise BenchFileError(
                f"{procedure.TABLE} {procedure.title}: {undeclared[0]} was not declared before the run; a pytest test "
                "is given its procedures as arguments, a protocol writes the values of its keywords out"
            )
        twice = [each for each in procedure.quantities if each in self._measured]
        if twice:
            raise BenchFileError(
                f"{procedure.TABLE} {procedure.title}: {twice[0]} was measured before in this test; "
                "one test measures a quantity once"
            )
        self._measured.update(procedure.quantities)
        with named_errors():
            computed = measure(self.bench, self.record.take(procedure.asked), procedure)
        for measurement in computed.measured:
            for requirement in self._requirements:
                if requirement.asks_for(measurement.quantity):
                    self._decide(requirement, measurement)
        return computed

    def need(self, *capabilities: Capability) -> None:
        """End the test as NOT APPLICABLE when the pump lacks one of `capabilities`, by its driver or its sheet."""
        lacking = [each.value for each in capabilities if each not in self.bench.pump.capabilities]
        if lacking:
            raise NotApplicableError(f"this pump has no {' and no '.join(lacking)}")
        if self._sheet is not None:
            claimed = self._sheet.capabilities | OF_THE_BENCH
            unclaimed = [each.value for each in capabilities if each not in claimed]
            if unclaimed:
                raise NotApplicableError(f"this pump has no {' and no '.join(unclaimed)}, by its sheet")

    def _need_of_bench(self, procedure: Procedure) -> None:
        """End the test as NOT APPLICABLE when this bench lacks what it is provoked or observed by."""
        if not procedure.needed_lines and not procedure.needed_roles:
            return
        lacking = lacking_of_bench(
            procedure.needed_lines,
            procedure.needed_roles,
            procedure.lines_by_hand,
            lines=self.bench.switch.lines,
            roles=self.bench.means,
        )
        if lacking:
            raise NotApplicableError(f"this bench has no {' and no '.join(lacking)}")

    def conclude(self) -> None:
        """Raise RequirementNotMetError with every measurement that did not pass."""
        if self._unmet:
            raise RequirementNotMetError("; ".join(self._unmet))

    def _decide(self, requirement: Requirement, measurement: Measurement) -> None:
        limit = requirement.measurement_rule(measurement.quantity).limit
        decision = decide(measurement, limit, requirement.rule)
        if decision.verdict is not Verdict.PASS:
            reason = f" ({decision.reason})" if decision.reason else ""
            value = value_text(measurement.value, measurement.expanded_uncertainty, measurement.unit)
            self._unmet.append(
                f"{requirement.id} {decision.verdict.value}: {measurement.name} is {value}, limit {limit}{reason}"
            )
