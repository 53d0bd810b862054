"""An IEEE 488.2/SCPI message exchange on the far side of a wire: a table of commands in, responses out.

An instrument hands over its command table; this reads messages in any chunks, runs the table's entries, and keeps the
status model. Not responsible for any quantity or channel: the instrument is.
Source: IEEE 488.2-1992 chapters 6, 10 and 12.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from instruments.keysight_e36312a import scpi_syntax as syntax
from instruments.keysight_e36312a.scpi_status import MASTER_SUMMARY_BIT, StatusRegisters
from instruments.keysight_e36312a.scpi_syntax import MessageUnit, ScpiError
from rig.clock import Event, ns_from_s
from rig.virtual.port import Port

INPUT_BUFFER_LENGTH = 4096


class Parameters:
    """The parameters of one message unit, taken one by one, and the numeric suffixes of its header."""

    def __init__(self, texts: tuple[str, ...], suffixes: tuple[str, ...]) -> None:
        self._texts = list(texts)
        self.suffixes = tuple(int(suffix or 1) for suffix in suffixes)  # a suffix left out is 1, SCPI-99 6.2.5.2

    def take(self) -> str:
        """Take the next parameter; ScpiError -109 when there is none."""
        if not self._texts:
            raise ScpiError(-109)
        return self._texts.pop(0)

    def take_choice(self, *choices: str) -> str | None:
        """Take the next parameter if it spells one of `choices`; else leave it and return None."""
        found = syntax.keyword(self._texts[0], choices) if self._texts else None
        if found is not None:
            self._texts.pop(0)
        return found

    def take_channels(self) -> tuple[int, ...] | None:
        """Take a channel list that comes last; None when there is none."""
        if self._texts and syntax.is_channel_list(self._texts[-1]):
            return syntax.channel_list(self._texts.pop())
        return None

    @property
    def left(self) -> int:
        """How many parameters have not been taken."""
        return len(self._texts)

    def end(self) -> None:
        """Make sure that nothing is left; ScpiError -108 otherwise."""
        if self._texts:
            raise ScpiError(-108)


Action = Callable[[Parameters], str | None]


class ScpiExchange:
    """Answers the messages of a port from a table of commands.

    Args:
        port: the line.
        commands: header in the notation of manuals ("?" at the end of a query) to what it does; a query returns its
            response, in which a character stands for an octet (latin-1).
        queue_length: places in the error queue.
        answer_after_s: time between a message and its response.
    """

    def __init__(self, port: Port, commands: Mapping[str, Action], *, queue_length: int, answer_after_s: float) -> None:
        self.status = StatusRegisters(queue_length=queue_length)
        table = {**self._common_commands(), **commands}
        self._commands = [(syntax.spelling(notation), action) for notation, action in table.items()]
        self._found: dict[str, tuple[Action, tuple[str, ...]]] = {}
        self._port = port
        self._answer_after_ns = ns_from_s(answer_after_s)
        self._input = b""
        self._responses: list[str] = []
        self._pending: Event | None = None
        port.on_receive(self._receive)

    def _receive(self, data: bytes) -> None:
        *messages, self._input = (self._input + data).split(b"\n")
        for message in messages:
            self._run(message.decode("latin-1").removesuffix("\r"))
        if len(self._input) > INPUT_BUFFER_LENGTH:
            self._input = b""
            self.status.report(-363)

    def _run(self, message: str) -> None:
        if self._pending is not None and self._pending.callback is not None:
            # IEEE 488.2 section 6.3.2.3: a message before the last response was read interrupts it and loses it.
            self._pending.cancel()
            self.status.report(-410)
        self._responses = []
        try:
            for unit in syntax.message_units(message):
                self._run_unit(unit)
        except ScpiError as error:
            self.status.report(error.number)
        if self._responses:
            answer = ";".join(self._responses).encode("latin-1") + b"\n"  # a block's octets as characters
            due_ns = self._port.clock.now_ns + self._answer_after_ns
            self._pending = self._port.clock.call_at(due_ns, lambda: self._port.send(answer))

    def _run_unit(self, unit: MessageUnit) -> None:
        action, suffixes = self._find(unit.header)
        try:
            response = action(Parameters(unit.parameters, suffixes))
        except ScpiError as error:
            if error.number > -200:
                raise  # a command error ends the message: the parser has lost its place
            self.status.report(error.number)
            return
        if response is not None:
            self._responses.append(response)

    def _find(self, header: str) -> tuple[Action, tuple[str, ...]]:
        if header not in self._found:
            matches = ((pattern.fullmatch(header), action) for pattern, action in self._commands)
            found = next(((action, match.groups()) for match, action in matches if match), None)
            if found is None:
                raise ScpiError(-113)
            self._found[header] = found
        return self._found[header]

    def _common_commands(self) -> dict[str, Action]:
        """The commands of IEEE 488.2 section 10 and SCPI-99 volume 2 chapter 21 that concern status alone."""
        status = self.status
        return {
            "*CLS": _command(status.clear),
            "*ESE": self._enable_events,
            "*ESE?": _query(lambda: f"{status.event_enable:+d}"),
            "*ESR?": _query(lambda: f"{status.take_events():+d}"),
            "*OPC": _command(status.complete),
            "*OPC?": _query(lambda: "1"),
            "*SRE": self._enable_service,
            "*SRE?": _query(lambda: f"{status.service_enable:+d}"),
            "*STB?": _query(lambda: f"{status.status_byte(message_available=bool(self._responses)):+d}"),
            "*WAI": _command(lambda: None),  # nothing overlaps here
            "SYSTem:ERRor[:NEXT]?": _query(status.next_error),
            "SYSTem:VERSion?": _query(lambda: "1999.0"),
        }

    def _enable_events(self, given: Parameters) -> None:
        self.status.event_enable = _byte(given)

    def _enable_service(self, given: Parameters) -> None:
        self.status.service_enable = _byte(given) & ~MASTER_SUMMARY_BIT  # IEEE 488.2 section 11.3.2.3: ignored


def _query(answer: Callable[[], str]) -> Action:
    def action(given: Parameters) -> str:
        given.end()
        return answer()

    return action


def _command(act: Callable[[], None]) -> Action:
    def action(given: Parameters) -> None:
        given.end()
        act()

    return action


def _byte(given: Parameters) -> int:
    value = round(syntax.numeric_value(given.take()))
    given.end()
    if not 0 <= value <= 255:
        raise ScpiError(-222)
    return value
