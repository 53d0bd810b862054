"""What a pump claims and what its driver can do agree, and a procedure is handed no more than it asks for."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from instruments.ids.driver import IdsPump
from rig.bench.drivers import device_names, refuse_unfit
from rig.bench.open import open_bench
from rig.errors import BenchFileError, DeviceError, UnableError
from rig.procedures.preparation import prepare
from rig.record.appending import DirectAppender
from rig.record.taking import Recorder
from rig.roles import (
    PROTOCOLS,
    Annunciation,
    Bench,
    Capability,
    Identity,
    Instrument,
    Pump,
    PumpStatus,
    lacking,
    require,
)
from rig.therapy import TherapyState

DETECTIONS = {Capability.OCCLUSION_DETECTION, Capability.RESERVOIR_DETECTION, Capability.ALARM_SIGNALS}
"""What is detected is annunciated: no method of its own stands behind them."""

BENCHES = {"ids": "fixtures/benches/virtual.toml", "new_era_ne1000": "fixtures/benches/virtual_ne1000.toml"}
"""A virtual bench for the driver of each pump."""


def methods(protocol: type) -> set[str]:
    return set(lacking(object(), protocol))


@pytest.fixture(params=device_names("pump"))
def pump(request: pytest.FixtureRequest) -> Iterator[Pump]:
    """Open each pump that there is a driver for, on a virtual bench."""
    with open_bench(BENCHES[request.param]) as bench:
        yield bench.pump


def test_a_driver_has_the_methods_of_what_its_pump_claims_and_of_nothing_else(pump: Pump) -> None:
    claimed = {PROTOCOLS[one] for one in pump.capabilities if one in PROTOCOLS}
    fulfilled = {protocol for protocol in PROTOCOLS.values() if not lacking(pump, protocol)}
    assert claimed == fulfilled


def test_a_driver_does_what_every_pump_does(pump: Pump) -> None:
    assert lacking(pump, Pump) == []


def test_a_driver_takes_and_gives_what_the_protocols_say(pump: Pump) -> None:
    fulfilled = [protocol for protocol in (Pump, *PROTOCOLS.values()) if not lacking(pump, protocol)]
    for protocol in fulfilled:
        for name in methods(protocol) - {"capabilities"}:
            offered = inspect.signature(inspect.getattr_static(pump, name))
            assert offered == inspect.signature(inspect.getattr_static(protocol, name)), f"{protocol.__name__}.{name}"


def test_a_simpler_pump_has_no_methods_for_what_it_cannot_do() -> None:
    with open_bench("fixtures/benches/virtual_ne1000.toml") as bench:
        able = {name for protocol in PROTOCOLS.values() for name in methods(protocol) if hasattr(bench.pump, name)}
    assert able == {"set_basal_profile", "bolus", "active_boluses", "cancel_bolus"}


def test_every_capability_has_its_methods_or_is_a_detection() -> None:
    assert set(Capability) - set(PROTOCOLS) == DETECTIONS
    assert all(methods(protocol) for protocol in PROTOCOLS.values())


def test_no_method_belongs_to_two_protocols_or_to_every_pump() -> None:
    protocols = [*set(PROTOCOLS.values()), Pump]
    names = [name for protocol in protocols for name in methods(protocol)]
    assert len(names) == len(set(names))


def test_require_is_typed_as_the_table_of_protocols_says() -> None:
    typed = {}
    for overload in typing.get_overloads(require):
        hints = typing.get_type_hints(overload)
        typed.update(dict.fromkeys(typing.get_args(hints["capability"]), hints["return"]))
    assert typed == PROTOCOLS


class Plunger:
    """A pump that claims to give boluses, and lacks half of what that takes; it has a log that it does not claim."""

    capabilities = frozenset({Capability.FAST_BOLUS})

    def identify(self) -> Identity:
        """Say who it is."""
        return Identity("Maker", "P-1", "0007", "1.0")

    def self_test(self) -> str:
        """Say that it is well."""
        return "well"

    def make_safe(self) -> None:
        """Stand still."""

    def close(self) -> None:
        """Hold no port."""

    def status(self) -> PumpStatus:
        """Stand still."""
        return PumpStatus(TherapyState.STOP, "standing", reservoir_u=None, reservoir_attached=True)

    def run(self) -> None:
        """Stand still."""

    def pause(self) -> None:
        """Stand still."""

    def stop(self) -> None:
        """Stand still."""

    def annunciations(self) -> list[Annunciation]:
        """Annunciate nothing."""
        return []

    def confirm(self, annunciation_id: int) -> None:
        """Know of nothing to confirm."""

    def bolus(self, insulin_u: float) -> int:
        """Do as if."""
        del insulin_u
        return 1

    def history(self, *, since: int = 0) -> list[object]:
        """Remember nothing."""
        del since
        return []


def test_what_a_pump_does_not_claim_is_refused_in_one_sentence_whatever_its_driver_has() -> None:
    with pytest.raises(UnableError) as refused:
        require(Plunger(), Capability.HISTORY)
    assert str(refused.value) == (
        "pump P-1 0007, at history: this is beyond its capabilities; ask for its capabilities first"
    )


def test_a_claim_without_its_methods_is_the_drivers_mistake() -> None:
    with pytest.raises(DeviceError) as refused:
        require(Plunger(), Capability.FAST_BOLUS)
    assert str(refused.value) == (
        "pump P-1 0007, at fast bolus: its driver claims this, but has no active_boluses; "
        "a driver has every method of what it claims (docs/pumps.md)"
    )


def test_what_a_driver_opens_is_refused_when_it_is_not_of_its_role() -> None:
    with pytest.raises(BenchFileError) as refused:
        refuse_unfit("balance", "scale_5", Plunger())
    assert str(refused.value) == (
        "balance.driver is 'scale_5': what it opens is no balance, it has no read, read_stable, tare"
    )


class WithoutProfile:
    """A pump as it is, but for its basal profile."""

    def __init__(self, pump: Pump) -> None:
        self._pump = pump

    def __getattr__(self, name: str) -> object:
        if name == "set_basal_profile":
            raise AttributeError(name)
        return getattr(self._pump, name)

    @property
    def capabilities(self) -> frozenset[Capability]:
        """All but the profiles."""
        return self._pump.capabilities - {Capability.BASAL_PROFILE}


def test_a_pump_without_a_basal_profile_is_prepared_for_boluses_and_for_no_rate(tmp_path: Path) -> None:
    with closing(DirectAppender()) as appender, open_bench("fixtures/benches/virtual.toml") as bench:
        devices: dict[str, Instrument] = {**bench.devices, "pump": typing.cast(Pump, WithoutProfile(bench.pump))}
        without = Bench(clock=bench.clock, metrology=bench.metrology, **typing.cast(dict[str, typing.Any], devices))
        record = Recorder(tmp_path, bench.clock, appender)
        prepare(without, record, rate_u_per_h=0.0, reservoir_u=120.0)
        assert bench.pump.status().reservoir_u == 120.0
        with pytest.raises(
            UnableError, match=r"at basal profile: this is beyond its capabilities; ask for its capabilities first$"
        ):
            prepare(without, record, rate_u_per_h=1.0)


def test_the_narrow_view_of_a_pump_is_the_pump_itself() -> None:
    with open_bench("fixtures/benches/virtual.toml") as bench:
        assert isinstance(bench.pump, IdsPump)
        assert require(bench.pump, Capability.RESERVOIR_LEVEL) is bench.pump
