"""The pump's supply as its battery: lowered, taken out and put back, and the pump found again afterwards.

What the rig does to the supply makes the pump restart; the watch over unexpected restarts passes that over. Not
responsible for what the pump must do then.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from rig.analysis.budget import Budget
from rig.errors import DeviceError, NoReplyError, RefusedError
from rig.procedures.rest import SAMPLE_EVERY_S
from rig.procedures.sampling import sample_for
from rig.procedures.volume import VolumeScale
from rig.procedures.watch import WatchedBench
from rig.record.taking import Recorder, Series
from rig.roles import Annunciation, Bench, PumpStatus
from rig.roles.pump import Reconnects
from rig.therapy import TherapyState

CURRENT_LIMIT_A = 0.5
"""While a voltage is set: four times what motor and buzzer of a pump draw together."""
START_S = 10.0
"""From the supply to an answer: the self-test takes it."""
ASKED_FOR_S, ASKED_EVERY_S = 60.0, 5.0
"""So long a pump is asked after its supply came back, and how often."""
CONFIRMED_AT_MOST = 20
"""Annunciations are shown one at a time; a pump that raises them again without end is not confirmed for ever."""


END_S = 60.0
"""13 time constants of a line that fades in 4.5 s."""
SILENT = PumpStatus(TherapyState.UNDETERMINED, "unknown", None, reservoir_attached=False)
"""The state of a pump that does not tell it."""
UNKNOWN = -1
"""The id of a bolus that the pump refused."""


def set_voltage(bench: Bench, record: Recorder, voltage_v: float) -> float:
    """Set the supply to a voltage in V; returns when it was done, in s of the bench's clock."""
    bench.supply.set_output(voltage_v=voltage_v, current_limit_a=CURRENT_LIMIT_A)
    record.step("supply set", voltage_v=voltage_v)
    return bench.clock.now()


def take_battery_out(bench: Bench, record: Recorder) -> float:
    """Switch the supply off; returns when that was done, in s of the bench's clock."""
    if isinstance(bench, WatchedBench):
        bench.watch.look()  # while the pump has no supply it is not looked at
    bench.supply.switch(on=False)
    record.step("supply off")
    return bench.clock.now()


def put_battery_in(bench: Bench, record: Recorder) -> PumpStatus:
    """Switch the supply on and find the pump again; returns its state. Raises as `find_again`."""
    bench.supply.switch(on=True)
    record.step("supply on", voltage_v=bench.supply.read_voltage_v())
    bench.clock.sleep(START_S)
    return find_again(bench)


def find_again(bench: Bench) -> PumpStatus:
    """Ask for the pump's state over a new connection, and pass over what its log has gained: the rig caused it.

    Raises:
        NoReplyError: it stays silent for `ASKED_FOR_S`, which is held against it like a hang.
    """
    begun_s = bench.clock.now()
    while True:
        try:
            if isinstance(bench.pump, Reconnects):
                bench.pump.reconnect()
            status = bench.pump.status()
            break
        except NoReplyError:
            if bench.clock.now() > begun_s + ASKED_FOR_S:
                _keep_silent(bench)
                raise
            bench.clock.sleep(ASKED_EVERY_S)
    pass_over(bench)
    return status


def _keep_silent(bench: Bench) -> None:
    """Hold against the pump that it is silent: it answered until the rig changed its supply, and nothing else."""
    if isinstance(bench, WatchedBench):
        bench.watch.restarted(SILENT, cause="silent since its supply was changed", therapy_before="unknown")


def pass_over(bench: Bench) -> None:
    """Let the watch leave out what the pump's log has gained: the rig itself caused it."""
    if isinstance(bench, WatchedBench):
        bench.watch.passed_over()


def shown_kinds(bench: Bench) -> list[Annunciation]:
    """Read what the pump annunciates; nothing where it does not answer, as when its supply is too low."""
    try:
        return bench.pump.annunciations()
    except DeviceError:
        return []


def confirm_what_is_shown(bench: Bench, record: Recorder) -> tuple[str, ...]:
    """Confirm what the pump annunciates, one after the other, until it refuses; returns the kinds in their order."""
    kinds: list[str] = []
    for _ in range(CONFIRMED_AT_MOST):
        pending = bench.pump.annunciations()
        if not pending:
            break
        kinds += [each.kind for each in pending]
        try:
            for each in pending:
                bench.pump.confirm(each.annunciation_id)
        except RefusedError as error:
            record.step("not confirmed", reason=str(error))
            break
    record.step("confirmed", kinds=", ".join(kinds))
    return tuple(kinds)


def commanded(record: Recorder, command: Callable[[], int]) -> int:
    """Command a bolus and return its id; `UNKNOWN` where the pump refuses it, which is its own fault and is weighed."""
    try:
        return command()
    except RefusedError as error:
        record.step("bolus refused", reason=str(error))
        return UNKNOWN


def stop_and_fade(bench: Bench, record: Recorder) -> None:
    """Stop a pump that may still deliver, and give the line its time, before a blank run takes it for draught."""
    bench.pump.stop()
    sample_for(bench, record, "fading at the end", duration_s=END_S, every_s=SAMPLE_EVERY_S)


def weighed_over(scale: VolumeScale, readings: Series) -> Budget:
    """Write the budget in U of what came between the first and the last of these readings."""
    return scale.budget(float(scale.delivered_u(readings)[-1]), float(readings.at_s[-1] - readings.at_s[0]))


def with_dose_unknown(budget: Budget, dose_u: float, source: str) -> Budget:
    """Add what is known of a dose only that it may or may not have come: a rectangle of ± half of it."""
    return budget.plus(source, "B", 0.5 * dose_u / math.sqrt(3.0))
