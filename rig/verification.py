"""One test and the requirements it decides: every measurement is recorded and judged as it is made.

Not responsible for measuring; not for the run's results, which `rig.results` joins from the record alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from rig.errors import BenchFileError
from rig.evidence import TestRecorder
from rig.limits import Measurement, Verdict, decide
from rig.requirements import Requirement
from rig.roles import Capability, Pump


class NotApplicableError(Exception):
    """The pump cannot do what this test is about."""


class RequirementNotMetError(AssertionError):
    """A measured value does not meet its requirement."""


class Verification:
    """The requirements that one test decides, and the record it leaves."""

    def __init__(self, record: TestRecorder, requirements: Mapping[str, Requirement], ids: Sequence[str]) -> None:
        unknown = [name for name in ids if name not in requirements]
        if unknown:
            raise BenchFileError(f"{record.test_id}: there is no requirement {unknown[0]!r} in the requirements file")
        self.record = record
        self._requirements = [requirements[name] for name in ids]
        self._unmet: list[str] = []

    def verify(self, measurements: Iterable[Measurement]) -> None:
        """Record each measurement, and judge it by each of this test's requirements that asks for it."""
        for measurement in measurements:
            asking = [each for each in self._requirements if each.asks_for(measurement.name)]
            for requirement in asking:
                self._decide(requirement, measurement)
            if not asking:
                self.record.measure(None, measurement)

    def need(self, pump: Pump, *capabilities: Capability) -> None:
        """End the test as NOT APPLICABLE when the pump lacks one of `capabilities`."""
        lacking = [capability.value for capability in capabilities if capability not in pump.capabilities]
        if lacking:
            raise NotApplicableError(f"this pump has no {' and no '.join(lacking)}")

    def conclude(self) -> None:
        """Raise RequirementNotMetError with every measurement that did not pass."""
        if self._unmet:
            raise RequirementNotMetError("; ".join(self._unmet))

    def _decide(self, requirement: Requirement, measurement: Measurement) -> None:
        self.record.measure(requirement.id, measurement)
        limit = requirement.measurement_rule(measurement.name).limit
        decision = decide(measurement, limit, requirement.rule)
        if decision.verdict is not Verdict.PASS:
            reason = f" ({decision.reason})" if decision.reason else ""
            self._unmet.append(
                f"{requirement.id} {decision.verdict.value}: {measurement.name} is {measurement.value:.4g} "
                f"± {measurement.expanded_uncertainty:.2g} {measurement.unit}, limit {limit}{reason}"
            )
