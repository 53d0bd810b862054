"""What measurements on a tapped line share: commands taken off it, and whether the pump still answers.

Not responsible for what is done to the line.
"""

from __future__ import annotations

from collections.abc import Callable

from rig.errors import BadReplyError, DeviceError, NoReplyError, RefusedError
from rig.line_tap import nothing
from rig.procedures.consecutive import logged_bolus_u
from rig.record.taking import Recorder
from rig.roles import Bench, Capability, KeepsHistory, require
from rig.roles.capabilities import HasTappedLine
from rig.roles.pump import Reconnects

HEARD_S = 0.05
"""So long what a pump says to a frame that was not its driver's is taken off the line: ten times what it takes."""

CONNECTIONS = 2
"""How often a new connection is tried before a pump is said not to answer."""


def tapped(bench: Bench) -> HasTappedLine:
    """Hand over the pump as one whose line is tapped."""
    return require(bench.pump, Capability.TAPPED_LINE)


def command_of(frames: list[bytes]) -> bytes:
    """Choose, of what a driver sent for one command, the command: the longest; what else it sends confirms.

    Raises:
        ValueError: nothing was sent.
    """
    if not frames:
        raise ValueError("a command was given, and its driver sent nothing")
    return max(frames, key=len)


def captured(bench: Bench, command: Callable[[], object]) -> tuple[bytes, bool]:
    """Give a command and note its frame; returns it, and whether the pump refused or did not answer."""
    with tapped(bench).line_tap().capturing() as frames:
        try:
            command()
        except (NoReplyError, RefusedError):
            return command_of(frames), True
    return command_of(frames), False


def held_back(bench: Bench, command: Callable[[], object]) -> bytes:
    """Give a command whose frame never leaves; returns the frame, which is the one that the pump expects next."""
    with tapped(bench).line_tap().sending(nothing):
        return captured(bench, command)[0]


def answers(bench: Bench, record: Recorder, *, of: str) -> bool:
    """Say whether the pump answers what its driver asks; what went wrong is kept as a step."""
    try:
        bench.pump.status()
    except DeviceError as error:
        record.step("no answer", after=of, what=str(error))
        return False
    return True


def reached(bench: Bench, record: Recorder) -> bool:
    """Begin a new connection, and say whether the pump answers.

    It is tried twice: the first words on a line that was opened a moment ago may find it not yet free.
    """
    for _ in range(CONNECTIONS):
        try:
            if isinstance(bench.pump, Reconnects):
                bench.pump.reconnect()
        except (NoReplyError, BadReplyError) as error:
            record.step("no connection", what=str(error))
        else:
            return answers(bench, record, of="a new connection")
    return False


def logged_boluses(log: KeepsHistory, *, since: int) -> int:
    """Count the boluses that a log says were programmed, in its entries from a number on."""
    return sum(event.kind == "bolus programmed" for event in log.history(since=since))


def last_number(log: KeepsHistory) -> int:
    """Read the number of a log's last entry; −1 of an empty one."""
    return max((event.sequence for event in log.history()), default=-1)


def result_of(log: KeepsHistory, bolus_id: int) -> float | None:
    """Read what a log says of a bolus by its id, in U; None where it says nothing, or the log cannot be read."""
    try:
        known = any(
            event.kind == "bolus delivered" and event.fields.get("bolus_id") == bolus_id for event in log.history()
        )
        return logged_bolus_u(log, bolus_id) if known else None
    except DeviceError:
        return None
