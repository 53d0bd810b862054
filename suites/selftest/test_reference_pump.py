"""The reference pump on the virtual bench: what it delivers in each therapy state, seen by the balance."""

from collections.abc import Iterator

import pytest

from rig.errors import RefusedError
from rig.therapy import BasalSegment, TherapyState
from suites.stands.known_pump import IdsBench, open_ids_bench

NOISE_U = 0.003
DOSE_U = 0.025


@pytest.fixture
def pumping() -> Iterator[IdsBench]:
    """A bench whose pump has been delivering 2 U/h for 20 min, and whose line is at rest after its last dose."""
    with open_ids_bench("fixtures/benches/virtual.toml") as bench:
        bench.pump.set_reservoir_level(300.0)
        bench.pump.set_basal_profile([BasalSegment(1440, 2.0)])
        bench.pump.run()
        bench.clock.sleep(1230.0)
        yield bench


def delivered_u(bench: IdsBench, seconds: float) -> float:
    """What arrives on the balance in a while, in U."""
    before_g = bench.balance.read_stable().mass_g
    bench.clock.sleep(seconds)
    return (bench.balance.read_stable().mass_g - before_g) * 100.0


def test_running_therapy_delivers_its_rate(pumping: IdsBench) -> None:
    assert delivered_u(pumping, 1800.0) == pytest.approx(1.0, abs=0.05)


def test_pause_withholds_and_run_makes_up_for_it(pumping: IdsBench) -> None:
    pumping.pump.pause()
    assert pumping.pump.status().therapy is TherapyState.PAUSE
    pumping.clock.sleep(30.0)
    assert delivered_u(pumping, 1770.0) == pytest.approx(0.0, abs=NOISE_U)
    pumping.pump.run()
    assert delivered_u(pumping, 40.0) == pytest.approx(1.0, abs=0.05 + DOSE_U)


def test_stop_drops_what_is_missed(pumping: IdsBench) -> None:
    pumping.pump.stop()
    pumping.clock.sleep(30.0)
    assert delivered_u(pumping, 1770.0) == pytest.approx(0.0, abs=NOISE_U)
    pumping.pump.run()
    assert delivered_u(pumping, 40.0) == pytest.approx(0.0, abs=NOISE_U + DOSE_U)


def test_a_stopped_pump_cannot_pause(pumping: IdsBench) -> None:
    pumping.pump.stop()
    with pytest.raises(RefusedError, match="procedure not applicable"):
        pumping.pump.pause()


def test_a_paused_bolus_goes_on_at_its_own_speed(pumping: IdsBench) -> None:
    bolus_id = pumping.pump.bolus(2.0)
    pumping.clock.sleep(20.0)
    pumping.pump.pause()
    pumping.clock.sleep(1.0)  # the dose in motion is finished
    (paused,) = pumping.pump.active_boluses()
    pumping.clock.sleep(600.0)
    assert pumping.pump.active_boluses() == [paused]
    pumping.pump.run()
    pumping.clock.sleep(20.0)
    (running,) = pumping.pump.active_boluses()
    assert running.bolus_id == bolus_id
    assert running.delivered_u - paused.delivered_u == pytest.approx(0.5, abs=2 * DOSE_U)


def test_a_segment_of_the_profile_switches_at_its_minute(pumping: IdsBench) -> None:
    pumping.pump.stop()
    # The pump's day began at power-on: 20 min have passed, so the second segment begins in 10 min.
    pumping.pump.set_basal_profile([BasalSegment(30, 0.0), BasalSegment(60, 6.0), BasalSegment(1350, 0.0)])
    pumping.pump.run()
    pumping.clock.sleep(1800.0 - pumping.clock.now())
    assert delivered_u(pumping, 0.0) == pytest.approx(0.0, abs=NOISE_U)
    assert delivered_u(pumping, 3600.0) == pytest.approx(6.0, abs=0.2)
    pumping.clock.sleep(60.0)
    assert delivered_u(pumping, 3600.0) == pytest.approx(0.0, abs=NOISE_U)


@pytest.mark.parametrize("after_s", [0.99 + 0.004 * step for step in range(15)])
def test_a_cancelled_bolus_is_logged_with_its_dose_in_motion(after_s: float) -> None:
    with open_ids_bench("fixtures/benches/virtual.toml") as bench:
        pump = bench.pump
        pump.set_reservoir_level(100.0)
        pump.set_basal_profile([BasalSegment(1440, 0.0)])
        pump.set_reservoir_level(1.5)
        pump.run()
        bolus_id = pump.bolus(0.5)
        bench.clock.sleep(after_s)
        pump.cancel_bolus(bolus_id)
        bench.clock.sleep(1.0)
        logged_u = next(event.fields["delivered_u"] for event in pump.history() if event.kind == "bolus delivered")
        assert pump.status().reservoir_u == pytest.approx(1.5 - float(logged_u), abs=1e-9)
        next_id = pump.bolus(0.1)
        bench.clock.sleep(10.0)
        logged = {
            event.fields["bolus_id"]: event.fields["delivered_u"]
            for event in pump.history()
            if event.kind == "bolus delivered"
        }
        assert logged[next_id] == 0.1
        assert pump.status().reservoir_u == pytest.approx(1.4 - float(logged_u), abs=1e-9)
