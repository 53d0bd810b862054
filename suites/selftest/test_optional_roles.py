"""Instruments that a bench may have or not: what its file does not name is nowhere, and is asked for by nobody."""

from __future__ import annotations

import re

import pytest

from rig.bench.channels import INSTRUMENT_ROLES, NEEDED_ROLES, OPTIONAL_ROLES, PORT_ROLES
from rig.bench.drivers import ROLES
from rig.bench.file import BenchFile, read_bench_file
from rig.bench.open import open_bench
from rig.errors import BenchFileError
from rig.shipped import shipped
from rig.virtual.faults import DEVICES

VIRTUAL = shipped("fixtures/benches/virtual.toml")
WITHOUT = shipped("fixtures/benches/virtual_ne1000.toml")


def test_every_role_is_needed_or_optional_and_has_its_table() -> None:
    assert (*NEEDED_ROLES, *OPTIONAL_ROLES) == INSTRUMENT_ROLES
    assert set(ROLES) == {*INSTRUMENT_ROLES, *PORT_ROLES}
    assert set(ROLES) - {"hands", "sensor"} == set(DEVICES)  # a person and a sensor's link fail in their own ways
    optional = {name for name in ROLES if not BenchFile.model_fields[name].is_required()}
    assert optional == {*OPTIONAL_ROLES, "sensor"}


def test_a_bench_without_it_opens_the_others_alone() -> None:
    spec = read_bench_file(WITHOUT)[0]
    assert spec.roles == ("supply", "switch", "environment", "pressure", "balance", "pump")
    with open_bench(WITHOUT) as bench:
        assert (bench.sound, bench.hands, bench.sensor) == (None, None, None)
        assert set(bench.devices) == set(spec.roles)


@pytest.mark.parametrize(
    ("overrides", "key"),
    [
        ({"virtual.serial_numbers": {"sound": "MY1"}}, "virtual.serial_numbers.sound"),
        ({"virtual.fault": [{"device": "sound", "kind": "mute", "at": "1 s"}]}, "virtual.fault 'mute'"),
    ],
)
def test_what_a_bench_has_not_cannot_fail(overrides: dict[str, object], key: str) -> None:
    sentence = f"{key} is of the sound, and this bench has none: there is no table [sound]"
    with pytest.raises(BenchFileError, match=re.escape(sentence)):
        read_bench_file(WITHOUT, overrides)
