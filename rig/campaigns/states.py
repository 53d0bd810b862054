"""States of therapy in which faults are injected: how the pump is brought there, and what it is told from then on.

The pump's own driver does both, over its line. Not responsible for time (`course`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from rig.campaigns.injection import COMMANDED
from rig.roles import Bench, Capability, require
from rig.therapy import BasalSegment, BolusRequest

BASAL_U_PER_H = 1.0
RESERVOIR_U = 200.0

Told = Callable[[Bench], object]


@dataclass(frozen=True)
class State:
    """A state of therapy.

    Attributes:
        in_words: what goes on in it.
        reach: brings a pump there that has been stopped.
        told: what the pump is told, by s since the state began.
    """

    in_words: str
    reach: Told
    told: tuple[tuple[float, Told], ...] = ()


def reach(bench: Bench, name: str) -> None:
    """Bring the pump from its start to a state of therapy."""
    pump = bench.pump
    pump.stop()
    for annunciation in pump.annunciations():
        pump.confirm(annunciation.annunciation_id)
    require(pump, Capability.RESERVOIR_LEVEL).set_reservoir_level(RESERVOIR_U)
    require(pump, Capability.BASAL_PROFILE).set_basal_profile([BasalSegment(1440, BASAL_U_PER_H)])
    STATES[name].reach(bench)


def _nothing(bench: Bench) -> None:
    del bench


def _run(bench: Bench) -> None:
    bench.pump.run()
    bench.clock.sleep(5.0)


def _bolus(bench: Bench) -> None:
    _run(bench)
    require(bench.pump, Capability.FAST_BOLUS).bolus(2.0)


def _extended(bench: Bench) -> None:
    _run(bench)
    require(bench.pump, Capability.EXTENDED_BOLUS).deliver(BolusRequest(extended_u=2.0, duration_min=30))


def _prime(bench: Bench) -> None:
    require(bench.pump, Capability.PRIMING).prime(5.0)


def _alarm(bench: Bench) -> None:
    _run(bench)
    bench.switch.set_line("reservoir", energised=True)
    bench.clock.sleep(5.0)


def _status(bench: Bench) -> None:
    bench.pump.status()


def _command(insulin_u: float) -> Told:
    return lambda bench: require(bench.pump, Capability.FAST_BOLUS).bolus(insulin_u)


STATES: Mapping[str, State] = {
    "idle": State("therapy is stopped", _nothing),
    "basal": State("basal insulin at 1 U/h", _run),
    "bolus": State("a bolus of 2 U, and basal insulin at 1 U/h", _bolus),
    "extended": State("an extended bolus of 2 U over 30 min, and basal insulin at 1 U/h", _extended),
    "prime": State("5 U fill the line", _prime),
    "alarm": State("the reservoir is out, which is annunciated; therapy has stopped", _alarm),
    COMMANDED: State(
        "basal insulin at 1 U/h; the pump is asked every 2 s, and told two boluses, of 0.3 U and 0.2 U",
        _run,
        tuple(
            sorted(
                [
                    *((float(at_s), _status) for at_s in range(1, 30, 2)),
                    (6.0, _command(0.3)),
                    (20.0, _command(0.2)),
                ],
                key=lambda told: told[0],
            )
        ),
    ),
}
"""Every state, by its name."""
