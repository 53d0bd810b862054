"""The composition root: a bench file in, a `Bench` of opened and identified devices out.

Not responsible for finding drivers by name (`rig.bench.drivers`), for what lies beyond them (`rig.bench.far_side`), nor
for what is done with the bench.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from operator import methodcaller
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, TypeVar, overload

import pyvisa
from pyvisa.resources import MessageBasedResource

from rig.bench.declared import metrology
from rig.bench.device_tables import CalibratedTable, InstrumentTable, PumpTable, SensorTable
from rig.bench.driver_errors import driver_error, named_errors
from rig.bench.drivers import (
    driver_module,
    refuse_unfit,
    takes,
)
from rig.bench.far_side import FarSide, far_side
from rig.bench.file import BenchFile, read_bench_file
from rig.bench.guarded import Guard
from rig.bench.lease import take_bench, take_identity
from rig.bench.places import places_of
from rig.errors import (
    BenchFileError,
    BlockedError,
    DeviceError,
    DriverError,
    EvidenceError,
    NotConnectedError,
    RigError,
    WrongIdentityError,
)
from rig.pump_sheet.sheet import read_pump_sheet
from rig.record.folder import read_model
from rig.record.routine_test import RoutineTest
from rig.roles import (
    Balance,
    Bench,
    DebugProbe,
    Environment,
    GlucoseSensor,
    Hands,
    Identity,
    Instrument,
    PowerSupply,
    PressureSensor,
    Pump,
    SoundRecorder,
    Switch,
)
from rig.wire import ByteLog, NoLog, Wire

if TYPE_CHECKING:
    pass  # a lab bench installs without what it needs

CUT_OFFS = {"supply": ("supply",), "relay": ("switch",), "nothing": ()}
"""Which device takes the pump's power, by what the bench file says."""

_Device = TypeVar("_Device", bound=Instrument)


@contextmanager
def open_bench(
    bench: BenchFile | Path | str,
    overrides: Mapping[str, Any] | None = None,
    *,
    log: ByteLog | None = None,
    occasion: str = "",
    purpose: str = "",
    notes: Path | None = None,
    beyond: Callable[[BenchFile, str], AbstractContextManager[FarSide]] | None = None,
) -> Iterator[Bench]:
    """Open every device of a bench file, compare identities and calibration, and hand over the bench.

    On leaving, whatever happened, the pump is stopped, the bench made safe and every port closed. A bench that is not
    virtual has one holder meanwhile, and a guardian that makes it safe when this program dies or hangs.

    Args:
        bench: the bench file, or what was read from one.
        overrides: "table.key" to value, laid over the file.
        log: keeps every byte of every wire.
        occasion: what the bench is opened for, such as a test's id; virtual noise is keyed by seed and occasion.
        purpose: what for, as others are told who want the bench meanwhile; the program's name when it is empty.
        notes: the folder where a guardian that had to act says so; that of the leases when it is None.
        beyond: makes the far side of the wires in place of `far_side`, for a study that looks into the world there.

    Raises:
        BenchFileError: the file is wrong.
        BlockedError: a calibration is overdue, the immersion of the outlet cannot be corrected, or there is no
            guardian.
        LeaseHeldError: somebody else has the bench, a port or a unit of it.
        DeviceError: a device cannot be opened, stays silent, or is not the one that the file names.
        UnguardedError: the guardian has ended; the bench is left safe.
        UnsafeBenchError: the bench could not be left safe.
    """
    spec = bench if isinstance(bench, BenchFile) else read_bench_file(Path(bench), overrides)[0]
    with ExitStack() as stack:
        stack.enter_context(named_errors())
        guard = Guard(spec, notes)
        far = stack.enter_context(beyond(spec, occasion) if beyond else far_side(spec, occasion, guard))
        for role in spec.roles:
            refuse_overdue(spec, role, far.today)
        declared = metrology(spec)
        reservoir_u = read_pump_sheet(spec.pump.sheet).reservoir_u if spec.pump.sheet is not None else None
        held = stack.enter_context(take_bench(spec, purpose=purpose))
        stack.enter_context(guard.on_duty(held))
        places = {} if spec.probe is None else places_of(spec.probe, spec.virtual)
        devices: dict[str, Instrument] = {}
        stack.push(_leaving(spec, devices, guard))
        kept = guard.log(log or NoLog())

        def compared(role: str, device: _Device) -> _Device:
            devices[role] = device
            with named_errors(role, "identify()"):
                guard.keeps(take_identity(held, spec, role, compare_identity(spec, role, device)))
            return device

        supply = compared("supply", open_device(spec, "supply", far, kept))
        power_pump(spec, supply)
        switch = compared("switch", open_device(spec, "switch", far, kept))
        guard.opens_pump()
        feed_pump(spec, switch)
        yield Bench(  # the rest in the order of ROLES
            clock=far.clock,
            metrology=declared,
            supply=supply,
            switch=switch,
            environment=compared("environment", open_device(spec, "environment", far, kept)),
            pressure=compared("pressure", open_device(spec, "pressure", far, kept)),
            balance=compared("balance", open_device(spec, "balance", far, kept)),
            sound=None if spec.sound is None else compared("sound", open_device(spec, "sound", far, kept)),
            hands=None if spec.hands is None else compared("hands", open_device(spec, "hands", far, kept)),
            sensor=None if spec.sensor is None else compared("sensor", open_device(spec, "sensor", far, kept)),
            pump=compared("pump", open_device(spec, "pump", far, kept)),
            probe=None if spec.probe is None else compared("probe", open_device(spec, "probe", far, kept)),
            places=places,
            feeds_pump=spec.cut_off.by != "nothing",
            reservoir_u=reservoir_u,
            restless_s=far.restless_s,
        )


@overload
def open_device(spec: BenchFile, role: Literal["supply"], far: FarSide, log: ByteLog) -> PowerSupply: ...
@overload
def open_device(spec: BenchFile, role: Literal["switch"], far: FarSide, log: ByteLog) -> Switch: ...
@overload
def open_device(spec: BenchFile, role: Literal["environment"], far: FarSide, log: ByteLog) -> Environment: ...
@overload
def open_device(spec: BenchFile, role: Literal["pressure"], far: FarSide, log: ByteLog) -> PressureSensor: ...
@overload
def open_device(spec: BenchFile, role: Literal["balance"], far: FarSide, log: ByteLog) -> Balance: ...
@overload
def open_device(spec: BenchFile, role: Literal["sound"], far: FarSide, log: ByteLog) -> SoundRecorder: ...
@overload
def open_device(spec: BenchFile, role: Literal["hands"], far: FarSide, log: ByteLog) -> Hands: ...
@overload
def open_device(spec: BenchFile, role: Literal["sensor"], far: FarSide, log: ByteLog) -> GlucoseSensor: ...
@overload
def open_device(spec: BenchFile, role: Literal["probe"], far: FarSide, log: ByteLog) -> DebugProbe: ...
@overload
def open_device(spec: BenchFile, role: Literal["pump"], far: FarSide, log: ByteLog) -> Pump: ...
@overload
def open_device(spec: BenchFile, role: str, far: FarSide, log: ByteLog) -> Instrument: ...
def open_device(spec: BenchFile, role: str, far: FarSide, log: ByteLog) -> Instrument:
    """Open one device by its role.

    Raises:
        BenchFileError: the driver refuses an option, or what it opens is not what the role takes.
        DeviceError: the port cannot be had.
    """
    device = _opened(spec, role, far, log)
    try:
        refuse_unfit(role, spec.table(role).driver, device)
    except BenchFileError:
        if callable(close := getattr(device, "close", None)):
            close()
        raise
    return device


def _opened(spec: BenchFile, role: str, far: FarSide, log: ByteLog) -> Instrument:
    table = spec.table(role)
    if isinstance(table, PumpTable | SensorTable):
        module = driver_module(role, table.driver)
        port, radio = (far.pump_port, far.radio) if role == "pump" else (table.port, far.air)
        given: dict[str, Any] = {"radio": radio} if radio is not None and takes(role, table.driver, "radio") else {}
        if role == "sensor" and takes(role, table.driver, "serial_number"):
            given["serial_number"] = table.serial_number
        try:
            with _named_but_for_options(role):
                return module.open_driver(port, clock=far.clock, log=log, **given, **table.options)
        except ValueError as error:
            raise BenchFileError(f"{role}: {error}") from error
    assert isinstance(table, InstrumentTable)
    module = driver_module(role, table.driver)
    device = f"{role} {table.driver} on {table.address}"
    try:
        resource = far.resources.open_resource(table.address)
    except (pyvisa.Error, ValueError, OSError) as error:
        raise NotConnectedError(
            asked="opening it",
            of_whom=device,
            came_back=f"the resource cannot be opened ({error})",
            look_at="check the cable, the power and the address in the bench file",
        ) from error
    if not isinstance(resource, MessageBasedResource):
        resource.close()
        raise BenchFileError(f"{role}.address is {table.address!r}: this is no resource that takes messages")
    lines = {"lines": spec.switch.lines} if role == "switch" else {}
    try:
        with _named_but_for_options(role):
            return module.open_driver(Wire(resource, device, far.clock, log), clock=far.clock, **lines, **table.options)
    except ValueError as error:
        resource.close()
        raise BenchFileError(f"{role}: {error}") from error
    except RigError:
        resource.close()
        raise


@contextmanager
def _named_but_for_options(role: str) -> Iterator[None]:
    """Name the errors of `open_driver`; a ValueError is its word on an option that it cannot take, and passes."""
    try:
        yield
    except ValueError:
        raise
    except Exception as error:
        found = driver_error(error, role, "open_driver()")
        if found is None:
            raise
        raise found from error


def compare_identity(spec: BenchFile, role: str, device: Instrument) -> Identity:
    """Refuse a device whose serial number is not the bench file's; WrongIdentityError prints both."""
    expected = spec.table(role).serial_number
    identity = device.identify()
    if identity.serial_number != expected:
        raise WrongIdentityError(
            asked=f"checking its serial number, {expected!r} in the bench file",
            of_whom=f"{role} {identity.maker} {identity.model}",
            came_back=f"it answered {identity.serial_number!r}",
            look_at="connect the instrument that the bench file names, or correct the file",
        )
    return identity


def refuse_overdue(spec: BenchFile, role: str, today: datetime.date) -> None:
    """Refuse an instrument whose calibration has run out; BlockedError."""
    table = spec.table(role)
    if isinstance(table, CalibratedTable) and today > table.calibration_due:
        raise BlockedError(
            f"{role} {table.driver} {table.serial_number}: its calibration was due on {table.calibration_due}, "
            f"today is {today}; have it calibrated and enter the new dates in the bench file"
        )


def power_pump(spec: BenchFile, supply: PowerSupply) -> None:
    """Give the pump its supply voltage; BenchFileError when the supply has no such output."""
    try:
        supply.set_output(voltage_v=spec.supply.voltage, current_limit_a=spec.supply.current_limit)
    except ValueError as error:
        raise BenchFileError(f"supply.voltage and supply.current_limit: {error}") from error
    supply.switch(on=True)


def feed_pump(spec: BenchFile, switch: Switch) -> None:
    """Close the relay through which the pump is fed, where the bench has one as its cut-off."""
    if spec.cut_off.line is not None:
        switch.set_line(spec.cut_off.line, energised=True)


def _leaving(
    spec: BenchFile, devices: Mapping[str, Instrument], guard: Guard
) -> Callable[[type[BaseException] | None, BaseException | None, TracebackType | None], None]:
    """Leave the bench safe; a driver that breaks off meanwhile is told of, unless the bench is left by an error."""

    def leave(_: object, ended_by: BaseException | None, __: object) -> None:
        broken = [error for error in leave_safe(spec, devices, guard) if isinstance(error, DriverError)]
        if broken and ended_by is None:
            raise broken[0]

    return leave


def leave_safe(spec: BenchFile, devices: Mapping[str, Instrument], guard: Guard) -> list[RigError]:
    """Stop the pump, then release and switch off everything, whatever fails on the way; returns what failed.

    Where the pump may run on, because neither it nor its cut-off did what it was told, the guardian goes on trying.
    """
    guard.leaves()
    failed: dict[str, RigError] = {}
    for role in reversed([role for role in spec.roles if role in devices]):
        for action in ("make_safe", "close"):
            try:
                with named_errors(role, f"{action}()"):
                    _despite_full_disk(methodcaller(action), devices[role])
            except (DeviceError, DriverError) as error:
                failed.setdefault(role, error)
    needed = [role for role in ("pump", *CUT_OFFS[spec.cut_off.by]) if role in devices]
    if "pump" in devices and all(role in failed for role in needed):
        guard.could_not_leave_safe("; ".join(str(failed[role]) for role in needed))
    return list(failed.values())


def _despite_full_disk(action: Callable[[Instrument], None], device: Instrument) -> None:
    """Do it again when the record could not be written: the command is due.

    Each of the log's two files, of bytes and of incidents, gives up at its first failure.
    """
    for _ in range(2):
        try:
            action(device)
        except EvidenceError:
            continue
        return
    action(device)


def refuse_untested(spec: BenchFile, today: datetime.date) -> None:
    """Refuse a balance without the routine test that the bench file asks for, if it asks for one.

    Raises:
        BlockedError: the test is missing, of another balance, too old, or was not passed.
    """
    path = spec.balance.routine_test
    if path is None:
        return
    remedy = f"test the balance with rig balance-test --out {path}"
    if not path.is_file():
        raise BlockedError(f"balance: there is no routine test {path}; {remedy}")
    try:
        test = read_model(path, RoutineTest)
    except EvidenceError as error:
        raise BlockedError(f"balance: this is no routine test: {error}; {remedy}") from error
    serial = test.balance.serial_number
    days = spec.balance.routine_test_every / 86400.0
    if serial != spec.balance.serial_number:
        raise BlockedError(f"balance: {path} is of the balance {serial}, not {spec.balance.serial_number}; {remedy}")
    if not 0 <= (today - test.date).days < max(1.0, days):
        raise BlockedError(f"balance: {path} is of {test.date}, today is {today}, and it holds {days:g} d; {remedy}")
    if not test.passed:
        raise BlockedError(f"balance: {path} was not passed: {'; '.join(test.problems)}")
