"""The sensor as a device in the loop: the controller knows what came over the link, and the record keeps both.

Where the bench has no sensor, all stays as it is without one (`test_loop`).
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from rig.bench.check import check_bench
from rig.bench.file import read_bench_file
from rig.bench.open import open_bench
from rig.cli.served_file import served_bench_file
from rig.errors import BenchFileError
from rig.procedures.alive import SensorRead
from rig.procedures.commanding import Commanded
from rig.procedures.loop import Loop
from rig.procedures.sensor_link import GlucoseReceived
from rig.record.taking import Taken, read_taken
from rig.roles import LinkFault
from rig.shipped import shipped
from suites.measuring import VIRTUAL, measured_on, measured_virtually

SENSOR: Mapping[str, Any] = {
    "driver": "cgm_service",
    "port": "ble://air/F0:F1:F2:F3:F4:C6",
    "serial_number": "CGM-0001",
    "options": {"collector": "collector"},
}
HOUR: Mapping[str, Any] = {"called": "an hour", "controller": "pid", "duration": "1 h", "blank": "300 s"}
FAULT: Mapping[str, Any] = {"fault_from": "20 min", "fault_to": "40 min"}
DURING = range(20, 40, 5)


def lived(folder: Path, sensor: Mapping[str, Any] = SENSOR, **further: Any) -> Taken:  # noqa: ANN401 - fields of a loop
    measured_virtually(folder, Loop.model_validate({**HOUR, **further}), {"sensor": sensor})
    return read_taken(folder)


def read(taken: Taken) -> Mapping[int, SensorRead]:
    return {each.at_min: each for each in taken.facts(SensorRead)}


@pytest.fixture(scope="module")
def links(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Taken]:
    folder = tmp_path_factory.mktemp("links")
    failed = {fault.value: lived(folder / fault.name, sensor_fault=fault.value, **FAULT) for fault in LinkFault}
    return {"none": lived(folder / "none"), **failed}


def test_the_controller_is_given_what_came_over_the_link(links: Mapping[str, Taken]) -> None:
    found = read(links["none"])
    assert list(found) == list(range(0, 60, 5))
    for each in found.values():
        assert each.over_link
        assert each.shown_mg_per_dl is not None
        # a tenth is what an SFLOAT of 12 bits leaves below 204.6
        assert each.seen_mg_per_dl == round(each.shown_mg_per_dl, 1) != each.shown_mg_per_dl
    came = links["none"].facts(GlucoseReceived)
    assert [(each.at_min, each.offset_min, each.fresh, each.caught_up) for each in came] == [
        (at_min, at_min, True, False) for at_min in range(0, 60, 5)
    ]
    assert [each.annunciated for each in came[:2]] == [("time not set",), ()]


@pytest.mark.parametrize("fault", [LinkFault.LINK_LOST, LinkFault.BAD_CRC, LinkFault.SESSION_STOPPED])
def test_what_does_not_come_is_missing_though_it_was_shown(links: Mapping[str, Taken], fault: LinkFault) -> None:
    found = read(links[fault.value])
    assert [at_min for at_min, each in found.items() if each.seen_mg_per_dl is None] == list(DURING)
    assert all(each.shown_mg_per_dl is not None for each in found.values())
    rates = [each.at_min for each in links[fault.value].facts(Commanded) if each.rate_u_per_h is not None]
    assert {20, 25}.isdisjoint(rates)  # a missing glucose gets no answer of the PID
    assert {15, 45} <= set(rates)


@pytest.mark.parametrize("fault", [LinkFault.LINK_LOST, LinkFault.BAD_CRC])
def test_what_came_late_is_caught_up_and_not_taken_for_new(links: Mapping[str, Taken], fault: LinkFault) -> None:
    late = [each for each in links[fault.value].facts(GlucoseReceived) if not each.fresh]
    assert [(each.at_min, each.offset_min, each.caught_up) for each in late] == [(40, at, True) for at in DURING]
    shown = read(links[fault.value])
    for each in late:
        told = shown[each.offset_min].shown_mg_per_dl
        assert told is not None
        assert each.glucose_mg_per_dl == round(told, 1)


def test_packets_that_are_lost_alone_are_asked_for_in_time(links: Mapping[str, Taken]) -> None:
    taken = links[LinkFault.PACKETS_LOST.value]
    assert all(each.seen_mg_per_dl is not None for each in taken.facts(SensorRead))
    assert [each.at_min for each in taken.facts(GlucoseReceived) if each.caught_up] == list(DURING)


def test_a_session_that_was_stopped_loses_what_was_not_measured(links: Mapping[str, Taken]) -> None:
    came = links[LinkFault.SESSION_STOPPED.value].facts(GlucoseReceived)
    assert [(each.at_min, each.offset_min) for each in came] == [
        *((at, at) for at in range(0, 20, 5)), *((at, at - 40) for at in range(40, 60, 5)),
    ]  # fmt: skip


def test_a_sensor_that_has_failed_says_so_over_the_link(tmp_path: Path) -> None:
    taken = lived(tmp_path / "failed", sensor_fault="drop-out", **FAULT)
    failed = [each for each in taken.facts(GlucoseReceived) if "sensor malfunction" in each.annunciated]
    assert [(each.at_min, each.glucose_mg_per_dl) for each in failed] == [(at_min, None) for at_min in DURING]
    assert [at for at, each in read(taken).items() if each.seen_mg_per_dl is None] == list(DURING)


def test_the_same_hour_leaves_the_same_bytes(links: Mapping[str, Taken], tmp_path: Path) -> None:
    fault = LinkFault.LINK_LOST
    again = lived(tmp_path / "again", sensor_fault=fault.value, **FAULT)
    for name in ("facts.jsonl", "balance.csv"):
        assert (again.folder / name).read_bytes() == (links[fault.value].folder / name).read_bytes()


def test_where_only_a_pump_listens_the_controller_beside_it_stays_as_it_is(tmp_path: Path) -> None:
    taken = lived(tmp_path / "pump", {**SENSOR, "options": {}}, duration="30 min")
    assert all(not each.over_link and each.seen_mg_per_dl == each.shown_mg_per_dl for each in taken.facts(SensorRead))


def test_a_link_cannot_fail_on_a_bench_that_has_none(tmp_path: Path) -> None:
    loop = Loop.model_validate({**HOUR, "sensor_fault": "link lost", **FAULT})
    assert loop.needed_roles == ("sensor",)
    with open_bench(VIRTUAL) as bench, pytest.raises(Exception, match="this bench, at a sensor's link that fails"):
        measured_on(bench, tmp_path / "none", loop)


def test_a_bench_with_a_sensor_is_checked_like_any_other() -> None:
    spec = read_bench_file(VIRTUAL, {"sensor": SENSOR})[0]
    (found,) = (each for each in check_bench(spec) if each.role == "sensor")
    assert found.identity is not None
    assert (found.identity.serial_number, found.problem) == ("CGM-0001", None)


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"port": "usb:0"}, "sensor: port is 'usb:0', and not ble://transport/address"),
        ({"options": {"collector": "air"}}, "sensor: options.collector is 'air', the sensor's own radio"),
        ({"options": {"speed": 1}}, "sensor.options.speed: cgm_service has no such option; known are collector, crc"),
        ({"options": {"run_time_h": 0}}, "sensor.options.run_time_h is 0: input should be greater than or equal to 1"),
        ({"driver": "ids"}, "sensor.driver is 'ids': that is a driver of a pump, not of a sensor"),
        ({"port": "twin://pump"}, "pump and sensor are both on 'twin://pump'"),
    ],
)
def test_a_sensor_that_is_written_wrongly_is_one_sentence(wrong: Mapping[str, Any], sentence: str) -> None:
    with pytest.raises(BenchFileError) as told, open_bench(VIRTUAL, {"sensor": {**SENSOR, **wrong}}):
        pass
    assert sentence in str(told.value)


def test_a_served_bench_has_every_device_that_has_a_line_and_no_played_sensor() -> None:
    spec, content = read_bench_file(VIRTUAL, {"sensor": SENSOR})
    lines = {role: "TCPIP0::127.0.0.1::5025::SOCKET" for role in spec.roles if role != "sensor"}
    served = tomllib.loads(served_bench_file(spec, content, lines, speed=1.0, lease=Path("lease")))
    assert set(served) & set(spec.roles) == set(lines)


def test_the_virtual_bench_file_offers_the_sensor_as_it_is_tested_here() -> None:
    lines = shipped("fixtures/benches/virtual.toml").read_text(encoding="utf-8").splitlines()
    offered = [line.removeprefix("# ") for line in lines if line.startswith("# ")]
    for key in ("driver", "port", "serial_number"):
        assert f'{key} = "{SENSOR[key]}"' in offered
