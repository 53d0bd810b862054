"""The virtual bench as a PyVISA library: resources whose far side is a simulated port.

Reads block by advancing simulated time, so a mute instrument ends in the genuine VI_ERROR_TMO after its virtual
time-out and in no wall time. Serves `ASRLn::INSTR` and `TCPIPn::host::port::SOCKET`. Not responsible for what travels.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from typing import Any

from pyvisa import attributes, constants, errors, highlevel, rname
from pyvisa.constants import ResourceAttribute as Attribute
from pyvisa.constants import StatusCode
from pyvisa.util import LibraryPath

from rig.virtual.port import Port

_numbers = itertools.count(1)  # PyVISA keeps one library for each path: every bench gets a path of its own

_DISCARDS = int(constants.BufferOperation.discard_receive_buffer | constants.BufferOperation.discard_read_buffer)


class _Session:
    """One open resource: its port and its VISA attributes."""

    def __init__(self, name: str, parsed: rname.ResourceName, port: Port) -> None:
        self.port = port
        self._times_plugged = port.times_plugged
        self.kind = (parsed.interface_type_const, parsed.resource_class)
        self.serial = parsed.interface_type_const == constants.InterfaceType.asrl
        self.attributes: dict[int, Any] = {
            Attribute.resource_name: name,
            Attribute.interface_type: parsed.interface_type_const,
            Attribute.resource_class: parsed.resource_class,
        }
        self.timeout_s: float | None = 2.0
        self.end: bytes | None = b"\n" if self.serial else None

    def refuse_dead(self) -> None:
        """Raise VisaIOError where the port has been taken away since it was opened, be it back or not."""
        if self.port.unplugged or self.port.times_plugged != self._times_plugged:
            raise errors.VisaIOError(StatusCode.error_io if self.serial else StatusCode.error_connection_lost)

    def get(self, attribute: int) -> tuple[Any, StatusCode]:
        if attribute == Attribute.asrl_avalaible_number:
            return self.port.host_waiting(), StatusCode.success
        known = attributes.AttributesByID.get(attribute)
        if known is None or not known.in_resource(self.kind):
            return 0, StatusCode.error_nonsupported_attribute
        return self.attributes.get(attribute, known.default), StatusCode.success

    def set(self, attribute: int, value: Any) -> StatusCode:  # noqa: ANN401 - VISA attributes are of any type
        known = attributes.AttributesByID.get(attribute)
        if known is None or not known.in_resource(self.kind):
            return StatusCode.error_nonsupported_attribute
        if not known.write:
            return StatusCode.error_attribute_read_only
        self.attributes[attribute] = value
        if attribute == Attribute.asrl_baud_rate:
            self.port.host_baud = value
        self._recall()
        return StatusCode.success

    def _recall(self) -> None:
        timeout_ms = self.get(Attribute.timeout_value)[0]
        self.timeout_s = None if timeout_ms == constants.VI_TMO_INFINITE else timeout_ms / 1000.0
        if self.serial:  # VPP-4.3 rules 6.1.5 to 6.1.9: ASRL_END_IN decides what ends a read
            by_character = self.get(Attribute.asrl_end_in)[0] == constants.SerialTermination.termination_char
        else:
            by_character = bool(self.get(Attribute.termchar_enabled)[0])
        self.end = bytes([self.get(Attribute.termchar)[0]]) if by_character else None


class CutShortError(errors.VisaIOError):
    """VI_ERROR_TMO; `came` is what viRead has put into its buffer until then, which PyVISA drops."""

    def __init__(self, came: bytes) -> None:
        super().__init__(StatusCode.error_timeout)
        self.came = came


class VirtualVisaLibrary(highlevel.VisaLibraryBase):
    """A VISA library over simulated ports; make one with `over`."""

    PROMPT = True
    """A read ends at its time-out, whatever comes, and `waiting` tells how many bytes wait on any resource."""

    _ports: dict[str, Port]

    @classmethod
    def over(cls, ports: Mapping[str, Port]) -> VirtualVisaLibrary:
        """Make a library whose resources are `ports`, by VISA resource name."""
        library = cls(LibraryPath(f"virtual-bench-{next(_numbers)}"))
        assert isinstance(library, cls)
        library._ports = {str(rname.to_canonical_name(name)): port for name, port in ports.items()}
        return library

    def _init(self) -> None:
        self._ports = {}
        self._sessions: dict[int, _Session] = {}
        self._handles: Iterator[Any] = itertools.count(1)

    def open_default_resource_manager(self) -> tuple[Any, StatusCode]:
        """Open the resource manager (viOpenDefaultRM)."""
        return next(self._handles), self.handle_return_value(None, StatusCode.success)

    def list_resources(self, session: Any, query: str = "?*::INSTR") -> tuple[str, ...]:  # noqa: ANN401
        """List the resources that match the VISA expression `query` (viFindRsrc)."""
        del session
        return tuple(rname.filter(list(self._ports), query))

    def open(
        self,
        session: Any,  # noqa: ANN401
        resource_name: str,
        access_mode: constants.AccessModes = constants.AccessModes.no_lock,
        open_timeout: Any = constants.VI_TMO_IMMEDIATE,  # noqa: ANN401
    ) -> tuple[Any, StatusCode]:
        """Open a resource (viOpen)."""
        del session, access_mode, open_timeout
        parsed = rname.parse_resource_name(resource_name)
        port = self._ports.get(str(parsed))
        if port is None or port.unplugged:
            raise errors.VisaIOError(StatusCode.error_resource_not_found)
        handle = next(self._handles)
        self._sessions[handle] = _Session(str(parsed), parsed, port)
        return handle, self.handle_return_value(handle, StatusCode.success)

    def close(self, session: Any) -> StatusCode:  # noqa: ANN401
        """Close a session (viClose)."""
        self._sessions.pop(session, None)
        return StatusCode.success

    def read(self, session: Any, count: int) -> tuple[bytes, StatusCode]:  # noqa: ANN401
        """Read up to `count` bytes (viRead); VisaIOError VI_ERROR_TMO after the virtual time-out."""
        opened = self._sessions[session]
        opened.refuse_dead()
        data = opened.port.host_read(count, until=opened.end, timeout_s=opened.timeout_s)
        opened.refuse_dead()
        if opened.end is not None and data.endswith(opened.end):
            status = StatusCode.success_termination_character_read
        elif len(data) == count:
            status = StatusCode.success_max_count_read
        else:
            raise CutShortError(data)
        return data, self.handle_return_value(session, status)

    def waiting(self, session: Any) -> int:  # noqa: ANN401
        """The number of bytes that have arrived and are unread."""
        return self._sessions[session].port.host_waiting()

    def write(self, session: Any, data: bytes) -> tuple[int, StatusCode]:  # noqa: ANN401
        """Write bytes (viWrite)."""
        self._sessions[session].refuse_dead()
        self._sessions[session].port.host_write(bytes(data))
        return len(data), self.handle_return_value(session, StatusCode.success)

    def clear(self, session: Any) -> StatusCode:  # noqa: ANN401
        """Discard what waits to be read (viClear)."""
        self._sessions[session].refuse_dead()
        self._sessions[session].port.host_discard()
        return self.handle_return_value(session, StatusCode.success)

    def flush(self, session: Any, mask: constants.BufferOperation) -> StatusCode:  # noqa: ANN401
        """Discard the receive buffer when `mask` says so (viFlush); writes leave at once, so nothing else waits."""
        self._sessions[session].refuse_dead()
        if int(mask) & _DISCARDS:
            self._sessions[session].port.host_discard()
        return self.handle_return_value(session, StatusCode.success)

    def get_attribute(self, session: Any, attribute: Any) -> tuple[Any, StatusCode]:  # noqa: ANN401
        """A VISA attribute (viGetAttribute)."""
        value, status = self._sessions[session].get(attribute)
        return value, self.handle_return_value(session, status)

    def set_attribute(self, session: Any, attribute: Any, attribute_state: Any) -> StatusCode:  # noqa: ANN401
        """Set a VISA attribute (viSetAttribute)."""
        return self.handle_return_value(session, self._sessions[session].set(attribute, attribute_state))

    def disable_event(self, session: Any, event_type: Any, mechanism: Any) -> StatusCode:  # noqa: ANN401
        """Accept: no events are ever raised here, and PyVISA disables them on closing."""
        del event_type, mechanism
        return self.handle_return_value(session, StatusCode.success)

    def discard_events(self, session: Any, event_type: Any, mechanism: Any) -> StatusCode:  # noqa: ANN401
        """Accept: no events are ever raised here, and PyVISA discards them on closing."""
        del event_type, mechanism
        return self.handle_return_value(session, StatusCode.success)
