"""What a controller that is begun anew reads from the pump: which commands its log says it accepted, and when.

Not responsible for what the controller makes of it (`rig.loop`).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from rig.loop.accepted import Accepted
from rig.roles import Bench, Capability, require
from rig.roles.pump import HistoryEvent


def accepted_by_log(bench: Bench, minute: float) -> tuple[Accepted, ...]:
    """List what the pump's own log says it accepted, at minutes of the loop, oldest first; `minute` is now.

    A pump that keeps no log or no clock tells nothing.
    """
    able = bench.pump.capabilities
    if Capability.HISTORY not in able or Capability.CLOCK not in able:
        return ()
    events = require(bench.pump, Capability.HISTORY).history()
    return accepted_in(events, require(bench.pump, Capability.CLOCK).clock(), minute)


def accepted_in(events: Iterable[HistoryEvent], shown: datetime, minute: float) -> tuple[Accepted, ...]:
    """Find the accepted commands in log entries; `shown` is what the pump's clock shows at `minute` of the loop.

    The entries' times count from the first date and time that the log names, so only those after one have a date.
    """
    entries = list(events)
    origin = next((str(each.fields["date_time"]) for each in entries if each.kind == "reference time"), None)
    if origin is None:
        return ()
    now_s = (shown - datetime.fromisoformat(origin)).total_seconds()
    found = []
    for each in entries:
        at_min = minute + (each.pump_time_s - now_s) / 60.0
        if each.kind in {"temporary rate started", "temporary rate changed"} and "rate_u_per_h" in each.fields:
            found.append(
                Accepted(
                    at_min,
                    rate_u_per_h=float(each.fields["rate_u_per_h"]),
                    lasts_min=float(each.fields["duration_min"]),
                )
            )
        elif each.kind == "temporary rate ended":
            found.append(Accepted(at_min))
        elif each.kind == "bolus programmed":
            found.append(Accepted(at_min, bolus_u=float(each.fields["programmed_u"])))
    return tuple(found)
