"""Debug probe at the pump's controller, through whatever serves it by the GDB Remote Serial Protocol over TCP.

`pyocd gdbserver`, OpenOCD, J-Link's server and QEMU are such servers. Not responsible for what an address means, nor
for programming flash.
Source: Debugging with GDB, appendix E "GDB Remote Serial Protocol"; see protocol.md.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Annotated, TypeVar

from pydantic import Field

from instruments.gdb_remote.packets import DEFAULT_NUMBERS, is_packet, numbers_in, packet, payload_of
from rig.clock import Clock
from rig.errors import BadReplyError, DeviceError, NoReplyError, RefusedError
from rig.roles import Identity
from rig.step import Probe
from rig.wire import Wire

Made = TypeVar("Made")

ROLE = "probe"
"""What it does on a bench: the table of a bench file that it belongs into."""

REPLY_TIMEOUT_S = 2.0
CHUNK = 128
"""Octets of memory in one packet: 256 digits, which every server takes."""
XML_CHUNK = 0x200
MOST_OUTPUT = 100
"""Lines that a server may tell of a reset."""
UNIQUE_ID_AT, UNIQUE_ID_SIZE = 0x1FFF7A10, 12
"""Of STM32F2 and STM32F4 (RM0090 rev 19, 39.1): 96 bits, no two alike."""
INTERRUPT = b"\x03"
STOP_REPLY = re.compile(rb"\$[ST][0-9a-fA-F]{2}[^#$]*#[0-9a-fA-F]{2}")
PROBE = Probe(INTERRUPT + packet("?"), STOP_REPLY, is_packet)
"""Halts the core, too, if it runs; nothing else is answered by why it stands."""

_LOOK_AT_SERVER = "is the probe's server running at this address, and the controller powered? (protocol.md, Framing)"

Address = Annotated[int, Field(ge=0, lt=2**32)]


class GdbRemote:
    """Debug probe role over a GDB server. The core runs, but for the time of an exchange and after `halt`."""

    def __init__(self, wire: Wire, *, unique_id: int, words: Mapping[int, int], reset_command: str) -> None:
        self._wire = wire
        self._unique_id = unique_id
        self._words = words
        self._reset_command = reset_command
        self._runs: bool | None = None  # nobody knows: most servers halt the core when somebody connects
        self._held = self._met = False
        self._numbers: Mapping[str, int] = {}
        self._architecture = ""

    def identify(self) -> Identity:
        """Say which controller it reaches: the serial number is the unique id that is in its memory."""

        def learn() -> bytes:
            self._learn()
            return self._read(self._unique_id, UNIQUE_ID_SIZE)

        unique_id = self._read_halted("who it is", learn)
        return Identity("GDB server", self._architecture, unique_id.hex().upper(), "")

    def self_test(self) -> str:
        """Halt the core, read where it stands, and let it go on."""
        return f"reaches the core, which stood at {self.read_register('pc'):#010x} for a moment"

    def halt(self) -> None:
        """Halt the core until `resume`."""
        self._held = True
        self._halted("a halt", lambda: None)

    def resume(self) -> None:
        """Let the core go on."""
        self._held = False
        self._come_in()
        if not self._runs:
            self._wire.command(self._go_on, asked="going on")

    def reset(self) -> None:
        """Reset the controller by the server's own command; RefusedError when it knows none."""
        self._held = False
        self._halted("a reset", self._reset)

    def read_memory(self, address: int, size: int) -> bytes:
        """Read so many octets; RefusedError where the server reads none."""

        def read() -> bytes:
            parts = range(address, address + size, CHUNK)
            return b"".join(self._read(part, min(CHUNK, address + size - part)) for part in parts)

        return self._read_halted(f"memory at {address:#010x}", read)

    def write_memory(self, address: int, data: bytes) -> None:
        """Write octets; RefusedError where the server writes none."""

        def write() -> None:
            for begin in range(0, len(data), CHUNK):
                self._write(address + begin, data[begin : begin + CHUNK])

        self._halted(f"writing memory at {address:#010x}", write)

    def read_register(self, name: str) -> int:
        """Read a register of the core; ValueError when the controller has none of this name."""
        number = self._number(name)

        def read() -> int:
            octets = self._hexadecimal(f"p{number:x}", 4)
            return int.from_bytes(octets, "little")

        return self._read_halted(f"register {name}", read)

    def write_register(self, name: str, value: int) -> None:
        """Write a register of the core, 32 bits; ValueError when the controller has none of this name."""
        number = self._number(name)
        octets = value.to_bytes(4, "little").hex()
        self._halted(f"writing register {name}", lambda: self._order(f"P{number:x}={octets}"))

    def make_safe(self) -> None:
        """Let the core go on: a pump whose controller is halted neither delivers nor alarms."""
        self.resume()

    def close(self) -> None:
        """Release the connection; the core runs."""
        self._wire.close()

    # ---- the core ------------------------------------------------------------------------------------------------

    def _halted(self, asked: str, exchange: Callable[[], None]) -> None:
        """Make an exchange that changes something while the core is halted, and let it go on unless it is held."""
        self._made(exchange, lambda whole: self._wire.command(whole, asked=asked))

    def _read_halted(self, asked: str, exchange: Callable[[], Made]) -> Made:
        """Make an exchange that changes nothing while the core is halted, and let it go on unless it is held."""
        return self._made(exchange, lambda whole: self._wire.ask(whole, asked=asked))

    def _made(self, exchange: Callable[[], Made], on_wire: Callable[[Callable[[], Made]], Made]) -> Made:
        def whole() -> Made:
            try:
                if self._runs:
                    self._stop()
                made = exchange()
                self._go_on()
            except RefusedError:
                self._go_on()
                raise
            except (NoReplyError, BadReplyError):
                self._runs = None  # the way back into step halts it
                raise
            return made

        self._come_in()
        try:
            return on_wire(whole)
        except (NoReplyError, BadReplyError):
            if not self._held:
                with suppress(DeviceError):  # it is not left halted by an answer that went astray
                    self._come_in()
                    self._go_on()
            raise

    def _come_in(self) -> None:
        """Be in step. Where nobody knows whether the core runs, or something came unasked, it is halted by that."""
        if self._runs is not None and not self._wire.waiting():
            return
        self._runs = None
        if not self._met:
            with suppress(NoReplyError, BadReplyError):  # a server that does not halt it then answers no question
                self._wire.command(lambda: self._ask("?"), asked="'?'")
                self._runs = False
        if self._runs is None:
            self._wire.get_into_step()
            self._runs = False
        if not self._met:
            self._met = True
            self._wire.command(self._set_words, asked="setting words")

    def _stop(self) -> None:
        self._wire.write_raw(INTERRUPT)
        came = self._packet("an interrupt")
        if not came.startswith(("S", "T")):
            raise self._bad("an interrupt", came, "expected why the core stopped, such as 'T02'")
        self._runs = False

    def _go_on(self) -> None:
        self._runs = False
        if not self._held:
            self._send("c")
            self._runs = True

    def _reset(self) -> None:
        self._send(f"qRcmd,{self._reset_command.encode().hex()}")
        for _ in range(MOST_OUTPUT):
            came = self._packet(self._reset_command)
            if came == "OK":
                self._set_words()
                return
            if not came.startswith("O"):
                raise self._refused(f"its command {self._reset_command!r}", came)
        raise self._bad(self._reset_command, came, "expected an end of what it tells")

    def _set_words(self) -> None:
        for address, value in self._words.items():
            self._write(address, value.to_bytes(4, "little"))

    # ---- questions -----------------------------------------------------------------------------------------------

    def _learn(self) -> None:
        """Ask what the controller is, and which number each of its registers has; a server may not know."""
        told = self._ask("qSupported")
        if "qXfer:features:read+" not in told.split(";"):
            self._numbers, self._architecture = DEFAULT_NUMBERS, "unknown"
            return
        pages, text = ["target.xml"], ""
        for page in pages:  # a page may name further ones
            part = self._page(page)
            pages += [each for each in re.findall(r'<xi:include href="([^"]+)"', part) if each not in pages]
            text += part
        self._numbers = numbers_in(text) or DEFAULT_NUMBERS
        architecture = re.search(r"<architecture>\s*([^<\s]+)\s*</architecture>", text)
        self._architecture = architecture[1] if architecture is not None else "unknown"

    def _page(self, name: str) -> str:
        text = ""
        while True:
            part = self._ask(f"qXfer:features:read:{name}:{len(text):x},{XML_CHUNK:x}")
            if part[:1] not in ("l", "m"):
                raise self._refused(f"its page {name}", part)
            text += part[1:]
            if part[0] == "l" or len(part) == 1:
                return text

    def _number(self, name: str) -> int:
        if not self._numbers:
            self._read_halted("its registers", self._learn)
        if name not in self._numbers:
            raise ValueError(f"this controller has no register {name!r}; known are {', '.join(self._numbers)}")
        return self._numbers[name]

    def _read(self, address: int, size: int) -> bytes:
        return self._hexadecimal(f"m{address:x},{size:x}", size)

    def _write(self, address: int, data: bytes) -> None:
        self._order(f"M{address:x},{len(data):x}:{data.hex()}")

    def _order(self, text: str) -> None:
        came = self._ask(text)
        if came != "OK":
            raise self._refused(repr(text), came)

    def _hexadecimal(self, text: str, size: int) -> bytes:
        came = self._ask(text)
        if came == "" or (came.startswith("E") and len(came) == 3):
            raise self._refused(repr(text), came)
        try:
            octets = bytes.fromhex(came)
        except ValueError:
            octets = b""
        if len(octets) != size:
            raise self._bad(text, came, f"expected {size} octets in hexadecimal")
        return octets

    def _ask(self, text: str) -> str:
        self._send(text)
        return self._packet(text)

    # ---- packets -------------------------------------------------------------------------------------------------

    def _send(self, text: str) -> None:
        self._wire.write_raw(packet(text))
        came = self._wire.read_bytes(1, asked=repr(text), look_at=_LOOK_AT_SERVER)
        if came != b"+":
            raise self._bad(text, came.decode("latin-1"), "expected '+', that it came whole")

    def _packet(self, asked: str) -> str:
        """Read a packet, acknowledge it, and return what is in it."""
        begun = self._wire.read(asked=repr(asked), look_at=_LOOK_AT_SERVER)
        checksum = self._wire.read_bytes(2, asked=repr(asked), look_at=_LOOK_AT_SERVER)
        payload = payload_of(begun.encode("latin-1") + b"#" + checksum)
        if payload is None:
            raise self._bad(asked, begun, "expected a packet with its checksum")
        self._wire.write_raw(b"+")
        return payload

    def _bad(self, asked: str, came: str, expected: str) -> BadReplyError:
        return BadReplyError(
            asked=repr(asked),
            of_whom=self._wire.device,
            came_back=f"answered {came[:60]!r}",
            look_at=f"{expected}: is something else on this address?",
        )

    def _refused(self, asked: str, came: str) -> RefusedError:
        said = f"answered {came!r}" if came else "does not know it"
        return RefusedError(
            asked=asked,
            of_whom=self._wire.device,
            came_back=said,
            look_at="is there memory at this address, and does the server's own log say more? (protocol.md, Refusals)",
        )


def open_driver(
    wire: Wire,
    *,
    clock: Clock,
    unique_id: Address = UNIQUE_ID_AT,
    words: dict[str, Address] | None = None,
    reset_command: str = "reset",
) -> GdbRemote:
    """Configure the wire for a GDB server and return its driver; nothing is sent yet.

    Args:
        wire: to the server.
        clock: the bench's.
        unique_id: address of the 12 octets that tell one controller from others.
        words: words of memory that are set when it connects and after each reset, by address.
        reset_command: what the server is told by `monitor` to reset the controller.
    """
    del clock
    wire.configure_text(read_end="#", write_end="", timeout_s=REPLY_TIMEOUT_S, encoding="latin-1")
    wire.configure_probe(PROBE)
    by_address = {int(address, 0): value for address, value in (words or {}).items()}
    return GdbRemote(wire, unique_id=unique_id, words=by_address, reset_command=reset_command)
