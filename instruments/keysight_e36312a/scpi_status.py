"""The status of an IEEE 488.2 instrument: standard event register, status byte, error queue.

Not responsible for the summaries of questionable and operation status: the instrument adds their bits.
Sources: IEEE 488.2-1992 chapter 11, SCPI-99 volume 1 chapter 9 and volume 2 chapter 21.
"""

from __future__ import annotations

from collections import deque

OPERATION_COMPLETE = 1 << 0
QUERY_ERROR = 1 << 2
DEVICE_ERROR = 1 << 3
EXECUTION_ERROR = 1 << 4
COMMAND_ERROR = 1 << 5
POWER_ON = 1 << 7

ERROR_QUEUE_BIT = 1 << 2
MESSAGE_AVAILABLE_BIT = 1 << 4
EVENT_SUMMARY_BIT = 1 << 5
MASTER_SUMMARY_BIT = 1 << 6

QUEUE_OVERFLOW = -350

_TEXTS = {
    0: "No error",
    -101: "Invalid character",
    -102: "Syntax error",
    -104: "Data type error",
    -108: "Parameter not allowed",
    -109: "Missing parameter",
    -113: "Undefined header",
    -114: "Header suffix out of range",
    -123: "Exponent too large",
    -131: "Invalid suffix",
    -138: "Suffix not allowed",
    -171: "Invalid expression",
    -211: "Trigger ignored",
    -213: "Init ignored",
    -222: "Data out of range",
    -224: "Illegal parameter value",
    -230: "Data corrupt or stale",
    -350: "Queue overflow",
    -363: "Input buffer overrun",
    -410: "Query INTERRUPTED",
}

_EVENT_OF_CLASS = {1: COMMAND_ERROR, 2: EXECUTION_ERROR, 3: DEVICE_ERROR, 4: QUERY_ERROR}


class StatusRegisters:
    """Standard event register, its enable, service request enable and the error queue, as after power-on.

    Args:
        queue_length: how many errors the queue holds; the newest place is the overflow's.
    """

    def __init__(self, *, queue_length: int) -> None:
        self.event_enable = 0
        self.service_enable = 0
        self._events = POWER_ON
        self._length = queue_length
        self._errors: deque[int] = deque()

    def report(self, error: int) -> None:
        """Queue an error and set its class's event bit; a full queue loses it and ends in -350 (SCPI-99 21.8.1)."""
        self._events |= _EVENT_OF_CLASS[-error // 100]
        if len(self._errors) < self._length:
            self._errors.append(error)
        elif self._errors[-1] != QUEUE_OVERFLOW:
            self._errors[-1] = QUEUE_OVERFLOW
            self._events |= DEVICE_ERROR

    def next_error(self) -> str:
        """Take the oldest error as `number,"text"`; `+0,"No error"` when there is none."""
        error = self._errors.popleft() if self._errors else 0
        return f'{error:+d},"{_TEXTS[error]}"'

    def complete(self) -> None:
        """Note that every pending operation has finished (*OPC)."""
        self._events |= OPERATION_COMPLETE

    def take_events(self) -> int:
        """Read the standard event register, which clears it (*ESR?)."""
        events, self._events = self._events, 0
        return events

    def clear(self) -> None:
        """Clear events and errors, but no enable register (*CLS, IEEE 488.2 section 10.3)."""
        self._events = 0
        self._errors.clear()

    def status_byte(self, *, message_available: bool, summaries: int = 0) -> int:
        """Compose the status byte with its master summary (*STB?); reading changes nothing."""
        byte = summaries
        byte |= ERROR_QUEUE_BIT if self._errors else 0
        byte |= MESSAGE_AVAILABLE_BIT if message_available else 0
        byte |= EVENT_SUMMARY_BIT if self._events & self.event_enable else 0
        return byte | (MASTER_SUMMARY_BIT if byte & self.service_enable else 0)
