"""The pump driver and the reference firmware together: limits, refusals, replays, and a log that accounts for all.

The firmware runs on the emulated controller of the virtual bench. Limits are those of the reference pump: boluses of
whole doses of 0.025 U up to 25 U, 35 U/h, a reservoir of 300 U.
"""

from collections.abc import Iterator

import pytest
import serial

from rig.errors import RefusedError
from rig.roles import HistoryEvent
from rig.therapy import BasalSegment, TherapyState
from suites.stands.known_pump import IdsBench, open_ids_bench

DOSE_U = 0.025


@pytest.fixture
def bench() -> Iterator[IdsBench]:
    with open_ids_bench("fixtures/benches/virtual.toml") as bench:
        yield bench


@pytest.fixture
def running(bench: IdsBench) -> IdsBench:
    bench.pump.run()
    return bench


def fields(events: list[HistoryEvent], kind: str, name: str) -> list[float | int | str]:
    return [event.fields[name] for event in events if event.kind == kind]


def delivered_u(bench: IdsBench) -> list[float | int | str]:
    return fields(bench.pump.history(), "bolus delivered", "delivered_u")


# ---- boluses -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("insulin_u", [0.025, 2.025, 20.45, 20.5, 25.0])
def test_a_bolus_within_the_limits_is_taken_as_it_is(running: IdsBench, insulin_u: float) -> None:
    bolus_id = running.pump.bolus(insulin_u)
    assert [(bolus.bolus_id, bolus.programmed_u) for bolus in running.pump.active_boluses()] == [(bolus_id, insulin_u)]


@pytest.mark.parametrize("insulin_u", [0.0, 0.001, 0.02, 0.03, 25.1, 30.0, 2000.0, -1.0])
def test_a_bolus_beyond_the_limits_is_refused_and_nothing_delivered(running: IdsBench, insulin_u: float) -> None:
    with pytest.raises(
        RefusedError,
        match=rf"at Set Bolus \(0x114b\) of {insulin_u:g} U: .*'parameter out of range'",
    ):
        running.pump.bolus(insulin_u)
    assert running.pump.active_boluses() == []
    assert fields(running.pump.history(), "bolus programmed", "programmed_u") == []


def test_a_bolus_while_stopped_is_refused(bench: IdsBench) -> None:
    with pytest.raises(RefusedError, match=r"at Set Bolus .* of 1 U: the pump answered 'procedure not applicable'"):
        bench.pump.bolus(1.0)


def test_a_second_bolus_is_refused_and_the_first_goes_on(running: IdsBench) -> None:
    first = running.pump.bolus(0.1)
    with pytest.raises(RefusedError, match=r"'maximum number of boluses reached' \(0x76\)"):
        running.pump.bolus(0.05)
    running.clock.sleep(10.0)
    assert running.pump.active_boluses() == []
    assert delivered_u(running) == [0.1]
    assert running.pump.bolus(0.05) == first + 1


@pytest.mark.parametrize("bolus_id", [0, 2, 0xFFFF])
def test_an_unknown_bolus_cannot_be_cancelled(running: IdsBench, bolus_id: int) -> None:
    running.pump.bolus(1.0)
    with pytest.raises(RefusedError, match=r"at Cancel Bolus \(0x1178\).*'procedure not applicable' \(0x74\)"):
        running.pump.cancel_bolus(bolus_id)
    assert len(running.pump.active_boluses()) == 1


def test_a_finished_bolus_cannot_be_cancelled(running: IdsBench) -> None:
    bolus_id = running.pump.bolus(DOSE_U)
    running.clock.sleep(2.0)
    with pytest.raises(RefusedError, match=r"\(0x74\)"):
        running.pump.cancel_bolus(bolus_id)


def test_cancel_delivers_no_more_than_the_dose_in_motion(running: IdsBench) -> None:
    level_u = running.pump.status().reservoir_u
    assert level_u == 300.0
    bolus_id = running.pump.bolus(5.0)
    running.clock.sleep(20.0)
    (before,) = running.pump.active_boluses()
    running.pump.cancel_bolus(bolus_id)
    running.clock.sleep(60.0)
    (recorded_u,) = delivered_u(running)
    assert isinstance(recorded_u, float)
    assert before.delivered_u <= recorded_u <= before.delivered_u + DOSE_U
    assert fields(running.pump.history(), "bolus delivered, part 2", "end_reason") == ["cancelled"]


# ---- profiles, reservoir, therapy --------------------------------------------------------------------------------


@pytest.mark.parametrize("minutes", [1, 1439, 1441])
def test_a_profile_that_is_not_24_h_long_is_refused_and_the_old_one_runs_on(bench: IdsBench, minutes: int) -> None:
    bench.pump.set_basal_profile([BasalSegment(1440, 6.0)])
    with pytest.raises(RefusedError, match=r"'plausibility check failed' \(0x75\)"):
        bench.pump.set_basal_profile([BasalSegment(minutes, 1.0)])
    bench.pump.run()
    bench.clock.sleep(60.0)
    assert fields(bench.pump.history(), "basal rate changed", "new_rate_u_per_h") == [6.0]


@pytest.mark.parametrize("blocks", [1, 2, 3, 4, 7, 48])
def test_a_profile_of_any_number_of_blocks_is_taken(bench: IdsBench, blocks: int) -> None:
    bench.pump.set_basal_profile([BasalSegment(1440 // blocks, 1.0)] * (blocks - 1) + [last_block(blocks)])
    assert [event.kind for event in bench.pump.history()][-1] == "profile activated"


def last_block(blocks: int) -> BasalSegment:
    return BasalSegment(1440 - 1440 // blocks * (blocks - 1), 1.0)


def test_more_blocks_than_the_pump_holds_are_refused(bench: IdsBench) -> None:
    with pytest.raises(RefusedError, match=r"'parameter out of range' \(0x73\)"):
        bench.pump.set_basal_profile([BasalSegment(1440 // 60, 1.0)] * 60)


@pytest.mark.parametrize("rate_u_per_h", [35.1, 0.01])
def test_a_rate_beyond_the_limits_is_refused(bench: IdsBench, rate_u_per_h: float) -> None:
    with pytest.raises(
        RefusedError, match=rf"of {rate_u_per_h:g} U/h for 1440 min: the pump answered 'parameter out of range'"
    ):
        bench.pump.set_basal_profile([BasalSegment(1440, rate_u_per_h)])


@pytest.mark.parametrize("insulin_u", [0.0, 0.025, 20.45, 100.0, 299.0, 300.0])
def test_a_reservoir_level_comes_back(bench: IdsBench, insulin_u: float) -> None:
    bench.pump.set_reservoir_level(insulin_u)
    assert bench.pump.status().reservoir_u == insulin_u


@pytest.mark.parametrize("insulin_u", [301.0, -1.0])
def test_a_reservoir_that_is_too_large_is_refused(bench: IdsBench, insulin_u: float) -> None:
    with pytest.raises(RefusedError, match=r"at Set Initial Reservoir Fill Level .*\(0x73\)"):
        bench.pump.set_reservoir_level(insulin_u)
    assert bench.pump.status().reservoir_u == 300.0


def test_an_empty_reservoir_does_not_run(bench: IdsBench) -> None:
    bench.pump.set_reservoir_level(0.0)
    with pytest.raises(RefusedError, match=r"at Set Therapy Control State \(0x0f5a\) of run: .*\(0x74\)"):
        bench.pump.run()
    assert bench.pump.status().therapy is TherapyState.STOP


def test_an_annunciation_that_is_not_there_cannot_be_confirmed(bench: IdsBench) -> None:
    assert bench.pump.annunciations() == []
    with pytest.raises(RefusedError, match=r"at Confirm Annunciation \(0x0f99\) of 1: .*\(0x74\)"):
        bench.pump.confirm(1)


# ---- the log -----------------------------------------------------------------------------------------------------


def test_the_log_is_gapless_and_accounts_for_every_bolus(running: IdsBench) -> None:
    pump = running.pump
    amounts_u = [0.1, 0.025, 0.5]
    for insulin_u in amounts_u:
        pump.bolus(insulin_u)
        running.clock.sleep(30.0)
    events = pump.history()
    assert [event.sequence for event in events] == list(range(len(events)))
    assert fields(events, "bolus programmed", "programmed_u") == amounts_u
    assert fields(events, "bolus delivered", "delivered_u") == amounts_u
    assert fields(events, "bolus programmed", "bolus_id") == fields(events, "bolus delivered", "bolus_id") == [1, 2, 3]
    assert fields(events, "bolus delivered, part 2", "end_reason") == ["programmed amount delivered"] * 3
    assert pump.status().reservoir_u == pytest.approx(300.0 - sum(amounts_u), abs=0.5)  # 12 bits show 1 U here


def test_the_log_goes_on_where_it_was_read(running: IdsBench) -> None:
    seen = running.pump.history()
    running.pump.bolus(DOSE_U)
    new = running.pump.history(since=len(seen))
    assert [event.sequence for event in new] == list(range(len(seen), len(seen) + len(new)))
    assert new[0].kind == "bolus programmed"
    assert running.pump.history(since=10_000) == []


def test_pump_time_goes_on_over_a_new_reference_time(running: IdsBench) -> None:
    running.pump.bolus(DOSE_U)
    running.clock.sleep(7200.0)
    running.pump.bolus(DOSE_U)
    first_s, second_s = (event.pump_time_s for event in running.pump.history() if event.kind == "bolus programmed")
    assert second_s - first_s == pytest.approx(7200.0, abs=1.0)


def test_a_long_log_is_read_although_that_takes_longer_than_a_reply_may(running: IdsBench) -> None:
    for _ in range(260):  # a bolus is four records
        running.pump.bolus(DOSE_U)
        running.clock.sleep(0.2)
    begun_s = running.clock.now()
    events = running.pump.history()
    assert running.clock.now() - begun_s > 2.0
    assert len(events) > 4 * 260
    assert [event.sequence for event in events] == list(range(len(events)))


# ---- E2E protection ----------------------------------------------------------------------------------------------


def test_more_than_255_commands_of_one_connection_are_heard(bench: IdsBench) -> None:
    for _ in range(260):
        bench.pump.stop()
    assert bench.pump.status().therapy is TherapyState.STOP


class BolusFrame:
    """Keeps the last frame with Set Bolus (114B) that went to the pump, and where the pump is."""

    device = ""
    bolus = b""

    def wire(self, at_s: float, device: str, direction: str, data: bytes) -> None:
        del at_s
        if direction == ">" and device.startswith("pump"):
            self.device = device
            if b"\x4b\x11" in data:
                self.bolus = data

    def incident(self, at_s: float, of_whom: str, what: str) -> None:
        """Nothing is expected to go wrong."""
        raise AssertionError(f"{of_whom} at {at_s} s: {what}")


def answer_to(bench: IdsBench, log: BolusFrame, frame: bytes) -> bytes:
    """Write a frame past the driver, on the same port, and get what the pump says within 0.5 s."""
    with serial.serial_for_url(log.device.rsplit(" ", 1)[1], baudrate=115200, timeout=0.5) as port:
        for _ in range(5):
            bench.pump.status()  # meanwhile the driver hears and confirms what is indicated unasked
        port.write(frame)
        heard: bytes = port.read(100)
    return heard


@pytest.fixture
def logged() -> Iterator[tuple[IdsBench, BolusFrame]]:
    log = BolusFrame()
    with open_ids_bench("fixtures/benches/virtual.toml", log=log) as bench:
        bench.pump.run()
        yield bench, log


def test_a_replayed_bolus_is_refused_and_delivered_once(logged: tuple[IdsBench, BolusFrame]) -> None:
    bench, log = logged
    bench.pump.bolus(0.1)
    # Error Response to a Write Request, handle 0011: Invalid Counter; FCS by RFC 1662, C.2
    assert answer_to(bench, log, log.bolus) == bytes.fromhex("7e 01 12 11 00 82 b7 46 7e")
    bench.clock.sleep(20.0)
    assert answer_to(bench, log, log.bolus) == bytes.fromhex("7e 01 12 11 00 82 b7 46 7e")
    bench.clock.sleep(20.0)
    assert delivered_u(bench) == [0.1]


def test_a_frame_sent_twice_in_one_breath_is_delivered_once(logged: tuple[IdsBench, BolusFrame]) -> None:
    bench, log = logged
    bench.pump.bolus(0.1)
    bench.clock.sleep(20.0)
    answer_to(bench, log, log.bolus * 2)
    bench.clock.sleep(20.0)
    assert delivered_u(bench) == [0.1]
    bench.pump.bolus(0.05)  # the driver's own counter still counts


def test_a_command_with_a_wrong_crc_is_refused_and_costs_no_counter(logged: tuple[IdsBench, BolusFrame]) -> None:
    bench, log = logged
    # Write Request to handle 0011: Set Bolus of 0.025 U, counter 2, E2E-CRC 0000; FCS by RFC 1662, C.2
    frame = bytes.fromhex("7e 12 11 00 4b 11 00 33 19 d0 00 00 00 00 02 00 00 63 a7 7e")
    assert answer_to(bench, log, frame) == bytes.fromhex("7e 01 12 11 00 81 2c 74 7e")
    assert bench.pump.active_boluses() == []
    assert bench.pump.bolus(0.1) == 1


def test_a_refused_write_costs_no_counter(logged: tuple[IdsBench, BolusFrame]) -> None:
    bench, log = logged
    # Write Requests to the CCCD of the Command Control Point, handle 0012: no indications, indications; after them 13
    assert answer_to(bench, log, bytes.fromhex("7e 12 12 00 00 00 68 97 7e")) == bytes.fromhex("7e 13 62 d2 7e")
    with pytest.raises(RefusedError, match=r"'indications not enabled' \(0xfd\)"):
        bench.pump.bolus(0.1)
    assert answer_to(bench, log, bytes.fromhex("7e 12 12 00 02 00 d8 a4 7e")) == bytes.fromhex("7e 13 62 d2 7e")
    assert bench.pump.bolus(0.1) == 1
