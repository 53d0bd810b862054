"""An E36312A twin with a resistor on its rail, for the tests of the supply.

Not responsible for any expectation: the tests are.
"""

from __future__ import annotations

import pyvisa

from instruments.keysight_e36312a import driver, twin
from rig.clock import SimClock
from rig.virtual.port import Port
from rig.virtual.visa import VirtualVisaLibrary
from rig.wire import NoLog, Wire
from suites.stands.deaf_world import DeafWorld

SUPPLY = "TCPIP0::supply::5025::SOCKET"


class Resistor(DeafWorld):
    """A load on the rail: a resistance in ohm."""

    def __init__(self, resistance_ohm: float = 50.0) -> None:
        self.resistance_ohm = resistance_ohm
        self.rail_v: list[float] = []

    def set_rail(self, voltage_v: float) -> None:
        self.rail_v.append(voltage_v)

    def rail_current_a(self) -> float:
        return self.rail_v[-1] / self.resistance_ohm


class Rack:
    """A twin on a simulated network, its load, and a SCPI client."""

    def __init__(self) -> None:
        self.clock = SimClock()
        self.load = Resistor()
        self.port = Port(self.clock, baud=None, latency_s=0.0002)
        self.twin = twin.open_twin(self.port, self.load, serial_number="MY59002391")
        resource = pyvisa.ResourceManager(VirtualVisaLibrary.over({SUPPLY: self.port})).open_resource(SUPPLY)
        assert isinstance(resource, pyvisa.resources.MessageBasedResource)
        self.resource = resource
        self.wire = Wire(resource, f"supply keysight_e36312a on {SUPPLY}", self.clock, NoLog())
        self.supply = driver.open_driver(self.wire, clock=self.clock)

    def ask(self, message: str) -> str:
        return str(self.resource.query(message))

    def tell(self, message: str) -> None:
        self.resource.write(message)
        self.clock.sleep(0.001)  # arrives

    def errors(self) -> list[int]:
        numbers: list[int] = []
        while (number := int(self.ask("SYST:ERR?").partition(",")[0])) != 0:
            numbers.append(number)
        return numbers
