"""A pump without firmware on a balance without a wire: the virtual bench's fluid and weighing, driven directly.

A dose is so many motor steps of 4 ms, as the reference controller gives them. Not responsible for what is made of
readings.
"""

from __future__ import annotations

from rig.clock import NS_PER_S, SimClock, ns_from_s
from rig.procedures.sampling import Sample
from rig.units import u_from_ul, ul_from_u
from rig.virtual.air import RoomAir
from rig.virtual.fluid import STEP_UL, FluidPath
from rig.virtual.weighing import WeighingCell
from suites.studies.coverage.laboratory import Laboratory

DOSE_U = 0.025
STEP_NS = 4_000_000


class LightBench:
    """Pump and balance of one laboratory.

    Attributes:
        clock: simulated time.
        air: true temperature in °C, pressure in hPa, relative humidity at the start.
        truth_u: what had left the needle at each sample, in U.
    """

    def __init__(self, lab: Laboratory, *, dose_u: float = DOSE_U) -> None:
        self._dose_u, self._steps = dose_u, round(ul_from_u(dose_u) / STEP_UL)
        self.clock = SimClock()
        room = RoomAir(self.clock, lab.parameters.air, lab.seed)
        self._fluid = FluidPath(self.clock, lab.parameters.drive, lab.parameters.fluid, lab.seed)
        self._cell = WeighingCell(self.clock, self._fluid, room, lab.parameters.weighing, lab.seed)
        self._step_g = lab.declares.balance_readability_g
        self.air = room.now()
        self.truth_u: list[float] = []

    @property
    def bias_percent(self) -> float:
        """The pump's error in the long run, when screw and barrel have averaged out."""
        return self._fluid.drive.device.bias_percent

    def delivered_u(self) -> float:
        """What has left the needle, in U: the truth."""
        return u_from_ul(self._fluid.delivered_ul())

    def sample(self) -> Sample:
        """Read the balance, rounded to its readability, and keep the truth beside it."""
        self.truth_u.append(self.delivered_u())
        return Sample(self.clock.now(), round(self._cell.weigh()[0] / self._step_g) * self._step_g, 0.0)

    def dose(self) -> None:
        """Give one dose, beginning now."""
        for _ in range(self._steps):
            self.clock.advance_to(self.clock.now_ns + STEP_NS)
            self._fluid.step(1)

    def basal(
        self, rate_u_per_h: float, *, first_dose_s: float, duration_s: float, sample_every_s: float
    ) -> list[Sample]:
        """Give doses at even distances from `first_dose_s` on, and sample all the while, both ends included.

        Times count from now.
        """
        start_ns = self.clock.now_ns
        every_ns = round(self._dose_u / rate_u_per_h * 3600 * NS_PER_S)
        dose_ns, samples = start_ns + ns_from_s(first_dose_s), []
        for number in range(round(duration_s / sample_every_s) + 1):
            at_ns = start_ns + ns_from_s(number * sample_every_s)
            while dose_ns < at_ns:
                self.clock.advance_to(max(dose_ns, self.clock.now_ns))
                self.dose()
                dose_ns += every_ns
            self.clock.advance_to(max(at_ns, self.clock.now_ns))
            samples.append(self.sample())
        return samples

    def bolus(self, insulin_u: float) -> None:
        """Give a bolus of whole doses, one a second, beginning now."""
        start_ns, doses = self.clock.now_ns, round(insulin_u / self._dose_u)
        for number in range(doses):
            self.clock.advance_to(start_ns + number * NS_PER_S)
            self.dose()
        self.clock.advance_to(start_ns + doses * NS_PER_S)
