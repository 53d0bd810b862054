"""What lies beyond the drivers: the lab's VISA library and wall clock, or the simulated world in their place.

The only module that knows whether a bench is virtual. Not responsible for opening devices (`rig.bench.open`).
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pyvisa
from pyvisa.rname import parse_resource_name

from rig.bench.declared import set_up_world
from rig.bench.device_tables import CalibratedTable, InstrumentTable
from rig.bench.driver_errors import named_errors
from rig.bench.drivers import refuse_missing_lines, refuse_wrong_options, takes, twin_module
from rig.bench.file import BenchFile
from rig.clock import Clock, Heart, WallClock
from rig.errors import BenchFileError
from rig.record.files import read_json, slug, utc_now, write_json
from rig.wire import Radio

if TYPE_CHECKING:
    from rig.virtual.world import World  # a lab bench installs without what it needs

FUNCTIONS, EXECUTED = "functions.json", ".executed"
"""Where the addresses of the firmware's functions stand, and the ending of what a test leaves beside it."""


@dataclass(frozen=True)
class FarSide:
    """What drivers reach from here: a clock, a VISA resource manager, the pump's port, the date there, and a radio.

    `hands` put so many g beside the vessel on a virtual balance, 0 takes them off; on a real one a person does.
    `restless_s` tells for how long an emulated controller of the pump has not rested.
    `radio` is the virtual bench's, for a pump that is reached over Bluetooth LE; in a laboratory the port names one.
    `air` is the same for a sensor that the rig plays: each name that it opens is a dongle on one virtual link.
    """

    clock: Clock
    resources: pyvisa.ResourceManager
    pump_port: str
    today: datetime.date
    radio: Radio | None = None
    hands: Callable[[float], None] | None = None
    restless_s: Callable[[], float] | None = None
    air: Radio | None = None


@contextmanager
def far_side(spec: BenchFile, occasion: str = "", heart: Heart | None = None) -> Iterator[FarSide]:
    """The lab's VISA library and wall clock, by which `heart` beats, or build the simulated world in their place.

    Raises:
        BenchFileError: a driver or one of its options is wrong, or a calibration or the evaporation is of a day to
            come; looked at before any device is opened.
    """
    today = spec.day or datetime.date.fromisoformat(utc_now()[:10])
    _refuse_days_to_come(spec, today)
    if spec.virtual is None:
        refuse_unknown_devices(spec)
        resources = pyvisa.ResourceManager(spec.visa_library)
        try:
            with named_errors():
                clock = WallClock(heart, 1.0 if spec.served is None else spec.served.speed)
                yield FarSide(clock, resources, spec.pump.port, today)
        finally:
            resources.close()
        return
    with open_virtual(spec, occasion) as world:
        resources = pyvisa.ResourceManager(world.visa_library())
        board = world.board
        restless_s = None if board is None else lambda: board.mcu.restless_s
        radio = _radio(spec, world)
        yield FarSide(world.clock, resources, spec.pump.port, today, radio, world.cell.place, restless_s, _air(spec))


def _refuse_days_to_come(spec: BenchFile, today: datetime.date) -> None:
    tables = {role: spec.table(role) for role in spec.roles}
    found = {
        f"{role}.calibrated": (table.calibrated, "instrument was calibrated")
        for role, table in tables.items()
        if isinstance(table, CalibratedTable)
    }
    if spec.fluid.evaporation_date is not None:
        found["fluid.evaporation_date"] = (spec.fluid.evaporation_date, "evaporation was found")
    for key, (day, what) in found.items():
        if day > today:
            raise BenchFileError(
                f"{key} is {day}, and today is {today}: it is the day on which the {what}, today or earlier"
            )


def refuse_unknown_devices(spec: BenchFile) -> None:
    """Check each device's driver, options and kind of port; BenchFileError with a sentence for the first mistake."""
    for role in spec.roles:
        table = spec.table(role)
        refuse_wrong_options(role, table.driver, table.options)
    refuse_missing_lines(spec.switch.driver, spec.switch.lines)
    if spec.pump.port.startswith("ble://") and not takes("pump", spec.pump.driver, "radio"):
        raise BenchFileError(f"pump.port: {spec.pump.driver} is not reached over Bluetooth LE, but on a serial port")


def _radio(spec: BenchFile, world: World) -> Radio | None:
    """Build the radio of a simulated pump that is reached over Bluetooth LE; None for one on a serial line."""
    if not spec.pump.port.startswith("ble://"):
        return None
    from rig.virtual.ble_bridge import BleBridge

    return BleBridge(world.ports["pump"]).open


def _air(spec: BenchFile) -> Radio | None:
    """Build the air between a sensor that the rig plays and who listens to it; None where it plays none."""
    if spec.sensor is None:
        return None
    from rig.virtual.ble_air import VirtualAir

    return VirtualAir().open


@contextmanager
def open_virtual(spec: BenchFile, occasion: str = "") -> Iterator[World]:
    """Build the simulated world of a virtual bench.

    Raises:
        BenchFileError: a driver or one of its options is wrong, or a device cannot be simulated.
    """
    refuse_unknown_devices(spec)
    from rig.virtual.world import TwinPlace, World  # a lab bench installs without what this needs

    virtual = spec.virtual
    assert virtual is not None
    places = []
    for role in spec.roles:
        table = spec.table(role)
        if not isinstance(table, InstrumentTable):
            continue
        try:
            parse_resource_name(table.address)
        except ValueError as error:
            raise BenchFileError(
                f"{role}.address is {table.address!r}: this is no VISA address, such as ASRL1::INSTR or "
                "TCPIP0::balance::5025::SOCKET"
            ) from error
        serial_number = virtual.serial_numbers.get(role, table.serial_number)
        twin = twin_module(role, table.driver)
        if twin is None:
            raise BenchFileError(f"{role}.driver: {table.driver} has no twin, so no virtual bench can have it")
        places.append(TwinPlace(role, table.address, serial_number, twin))
    twin = twin_module("pump", spec.pump.driver)
    if twin is not None:
        serial_number = virtual.serial_numbers.get("pump", spec.pump.serial_number)
        places.append(TwinPlace("pump", spec.pump.port, serial_number, twin))
    elif virtual.firmware is None:
        raise BenchFileError(f"virtual.firmware is missing: the pump {spec.pump.driver!r} is simulated by its firmware")
    with named_errors():
        world = World(
            parameters=set_up_world(virtual.parameters, spec.conditions),
            seed=virtual.seed,
            firmware=None if virtual.firmware is None else virtual.firmware.read_bytes(),
            places=places,
            pump_url=spec.pump.port,
            lines=spec.switch.lines,
            occasion=occasion,
        )
        try:
            for fault in virtual.fault:
                world.schedule_fault(fault.scheduled)
            with _tracing(world, virtual.functions, occasion):
                yield world
        finally:
            world.close()


@contextmanager
def _tracing(world: World, folder: Path | None, occasion: str) -> Iterator[None]:
    """Keep which functions of the firmware are executed meanwhile, where the bench file wants it."""
    if folder is None or world.board is None:
        yield
        return
    named = {int(address) & ~1: name for name, address in read_json(folder / FUNCTIONS).items()}
    executed: set[str] = set()
    world.board.mcu.watch_first(named, lambda address: executed.add(named[address]))
    try:
        yield
    finally:
        write_json(folder / f"{slug(occasion)}{EXECUTED}", {"test": occasion, "executed": sorted(executed)})
