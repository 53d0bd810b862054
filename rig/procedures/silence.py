"""A pump that falls silent: who is to blame, its line or itself.

The port is opened anew; if the pump stays silent, its supply is switched off and on once. A pump that answers then had
hung, which counts as a restart; one that does not may be dead, or its line, and nobody can say which. Not responsible
for asking a harmless question again (`rig.wire`), nor for what was measured before.
"""

from __future__ import annotations

from rig.errors import BadReplyError, DeviceError, NoReplyError, NotConnectedError
from rig.procedures.watch import WatchedBench
from rig.record.taking import Recorder
from rig.roles import PumpStatus
from rig.roles.pump import Reconnects

BY_A_HANG, BY_A_START = 1, 1
"""A frame that a pump which hangs breaks off, and one that a start may put on its line. What more came damaged since it
last answered is a disturbed line."""
ASKED_FOR_S, ASKED_EVERY_S = 60.0, 5.0
"""So long a silent pump is asked, and how often, before its supply is switched. The house's."""
DISTURBED = "its line is disturbed, and nobody can say whether the pump hung"
OFF_S, START_S = 5.0, 10.0
"""Without supply, so that capacitors are empty; and from the supply to an answer, which the self-test takes."""


RESTLESS_S = 2.0
"""A controller that has not rested for so much bench time spins. One that is well rests within milliseconds."""


def look_into(bench: WatchedBench, record: Recorder, error: DeviceError) -> None:
    """Find out whether the pump restarted or hung when it did not do what it was asked.

    Returns when it answers, when its line is disturbed, or when its controller is seen to spin, as on a virtual bench.

    Raises:
        NotConnectedError: its port cannot be opened anew.
        NoReplyError: it stays silent, even after its supply was switched off and on.
    """
    silent = isinstance(error, NoReplyError | NotConnectedError)
    if silent:
        record.incident("pump", f"fell silent: {error}")
    silent_s = bench.clock.now()
    status = _answer(bench)
    if status is None and bench.restless_s is not None and bench.restless_s() >= RESTLESS_S:
        record.incident("pump", "is silent, and its controller does not rest")
        bench.watch.hung("hung; its controller was seen to spin while it did not answer")
        return
    while status is None and bench.clock.now() < silent_s + ASKED_FOR_S:  # a line may come back, a pump that hangs not
        bench.clock.sleep(ASKED_EVERY_S)
        status = _answer(bench)
    if status is not None:
        bench.watch.read_log(status)
        return
    if isinstance(error, BadReplyError) or bench.watch.damaged_frames > BY_A_HANG:
        record.incident("pump", DISTURBED)
        return
    record.incident("pump", "is silent on a new connection too; its supply is switched off and on")
    bench.supply.switch(on=False)
    bench.clock.sleep(OFF_S)
    bench.supply.switch(on=True)
    bench.clock.sleep(START_S)
    status = _answer(bench)
    if status is None:
        raise NoReplyError(
            asked="its state, on a new connection and after its supply was switched off and on",
            of_whom=error.of_whom,
            came_back="nothing: the pump or its line is dead",
            look_at="check the cable and the pump's own display, and measure again",
        ) from error
    disturbed = bench.watch.damaged_frames > BY_A_HANG + BY_A_START
    bench.watch.passed_over()
    if disturbed:
        record.incident("pump", DISTURBED)
        return
    bench.watch.restarted(status, cause="hung; it answers since its supply was switched", therapy_before="unknown")


def _answer(bench: WatchedBench) -> PumpStatus | None:
    """Ask for the pump's state over a new connection where the driver can make one; None when nothing comes back."""
    pump = bench.pump
    try:
        if isinstance(pump, Reconnects):
            pump.reconnect()
        return pump.status()
    except NoReplyError:
        return None
