"""USART1 as an asynchronous 8N1 port (RM0090 rev 19, section 30).

Received characters overrun when they are not read, sent ones take their time at the programmed speed, and a speed that
does not fit the line's garbles both. Not responsible for what is refused: 9 data bits, parity, DMA, synchronous modes.
"""

from __future__ import annotations

from collections.abc import Callable

from rig.clock import NS_PER_S
from rig.errors import RigError
from rig.virtual.mcu.peripheral import HSI_HZ, Line
from rig.virtual.port import Port

SR, DR, BRR, CR1, CR2, CR3, GTPR = 0x00, 0x04, 0x08, 0x0C, 0x10, 0x14, 0x18
FE, ORE, IDLE, RXNE, TC, TXE = 1 << 1, 1 << 3, 1 << 4, 1 << 5, 1 << 6, 1 << 7
RE, TE, IDLEIE, RXNEIE, TCIE, TXEIE, UE, OVER8 = 1 << 2, 1 << 3, 1 << 4, 1 << 5, 1 << 6, 1 << 7, 1 << 13, 1 << 15
_REFUSED_CR1 = 1 << 12 | 1 << 10  # M (9 bits), PCE (parity)
_REFUSED_CR3 = 0x7FE  # IrDA, half duplex, smartcard, DMA, flow control

SPEED_TOLERANCE = 0.0333
"""Largest relative difference of speed at which a receiver still reads 8N1 right: OVER8 = 0, ONEBIT = 0, fraction not 0
(RM0090, table 144)."""


class Usart:
    """The port at the end of `port`; `line` is its interrupt, `on_due` hears that `due_ns` has changed by itself.

    `rx_connected` and `tx_connected` say whether the pins are set to the alternate function.
    """

    def __init__(self, words: memoryview, port: Port, line: Line, on_due: Callable[[], None]) -> None:
        self.words = words
        self.clocked = False
        self.rx_connected = self.tx_connected = False
        self._clock = port.clock
        self._port = port
        self._line = line
        self._on_due = on_due
        self.heard_ns = self.sent_ns = -1
        self.reset()
        port.on_receive(self._receive)

    def reset(self) -> None:
        """Take reset values: silent, transmitter empty (30.6)."""
        self._rx = 0  # receive flags: RXNE, ORE, IDLE, FE
        self._rdr = 0
        self._sr_was_read = False
        self._tx_empty_ns = 0  # when the data register empties into the shift register
        self._tx_done_ns = 0  # when the shift register has sent all
        self._tc_cleared = False
        self._idle_ns: int | None = None  # when the line will have been idle for a character
        for index in range(7):
            self.words[index] = 0
        self._line(False)

    # ---- speed ---------------------------------------------------------------------------------------------

    def baud(self) -> float:
        """The programmed speed in bit/s, 0 when BRR holds no divider (30.3.4)."""
        brr, cr1 = self.words[BRR >> 2], self.words[CR1 >> 2]
        sixteenths = (brr & 0xFFF0) + ((brr & 7) << 1 if cr1 & OVER8 else brr & 15)
        oversampling = 8 if cr1 & OVER8 else 16
        return 0.0 if sixteenths < 16 else HSI_HZ * 16 / (oversampling * sixteenths)

    def _character_ns(self) -> int:
        stop_bits = 2 if self.words[CR2 >> 2] >> 12 & 3 == 2 else 1
        return round((9 + stop_bits) * NS_PER_S / self.baud())

    def _garbled(self) -> bool:
        line_baud = self._port.baud
        return line_baud is not None and abs(self.baud() / line_baud - 1) > SPEED_TOLERANCE

    # ---- receive -------------------------------------------------------------------------------------------

    def _receive(self, data: bytes) -> None:
        if not self.clocked or self.words[CR1 >> 2] & (UE | RE) != UE | RE or not self.rx_connected or not self.baud():
            return
        self.heard_ns = self._clock.now_ns
        for octet in data:
            flags = RXNE
            if self._garbled():
                octet, flags = octet ^ 0x5A, RXNE | FE
            if self._rx & RXNE:
                self._rx |= ORE  # the new character is lost, the old one stays (30.3.3)
            else:
                self._rdr = octet
                self._rx |= flags
        self._idle_ns = self._clock.now_ns + self._character_ns()
        self._update_line()
        if self.words[CR1 >> 2] & IDLEIE:
            self._on_due()

    # ---- registers -----------------------------------------------------------------------------------------

    def _status(self) -> int:
        now_ns = self._clock.now_ns
        status = self._rx
        if now_ns >= self._tx_empty_ns:
            status |= TXE
        if now_ns >= self._tx_done_ns and not self._tc_cleared:
            status |= TC
        return status

    def read(self, offset: int) -> int:
        """Read a register: reading DR takes the character, and after SR also clears ORE, FE and IDLE (30.6.1)."""
        if offset == SR:
            self.refresh()
            self._sr_was_read = True
            return self._status()
        if offset == DR:
            self._rx &= ~(RXNE | ORE | FE | IDLE) if self._sr_was_read else ~RXNE
            self._sr_was_read = False
            self._update_line()
            return self._rdr
        value: int = self.words[offset >> 2] if offset <= GTPR else 0
        return value

    def write(self, offset: int, value: int) -> None:
        """Write a register."""
        words = self.words
        if offset == DR:
            self._transmit(value & 0xFF)
        elif offset == SR:
            if not value & RXNE:
                self._rx &= ~RXNE
            if not value & TC:
                self._tc_cleared = True
        elif offset == CR1:
            if value & _REFUSED_CR1:
                raise RigError("the firmware set USART1 to 9 bits or parity, which the model does not have")
            if value & TE and not words[CR1 >> 2] & TE:
                self._tx_empty_ns = self._tx_done_ns = self._clock.now_ns
            words[CR1 >> 2] = value & 0xBFFF
        elif offset == CR3 and value & _REFUSED_CR3:
            raise RigError("the firmware set USART1 to DMA, flow control or a special mode, which the model lacks")
        elif offset <= GTPR:
            words[offset >> 2] = value & 0xFFFF
        self._update_line()

    def _transmit(self, octet: int) -> None:
        now_ns = self._clock.now_ns
        if self._sr_was_read:
            self._tc_cleared = False
        if self.words[CR1 >> 2] & (UE | TE) != UE | TE or not self.baud():
            return
        if now_ns < self._tx_empty_ns:
            return  # the data register was full: software ignored TXE, and a character is lost (30.3.2)
        self._tc_cleared = False
        self.sent_ns = now_ns
        start_ns = max(now_ns, self._tx_done_ns)
        self._tx_empty_ns = start_ns
        self._tx_done_ns = start_ns + self._character_ns()
        if self.tx_connected:
            self._port.send(bytes([octet ^ 0x5A if self._garbled() else octet]))

    # ---- time ----------------------------------------------------------------------------------------------

    def refresh(self) -> None:
        """Raise IDLE when the line has been silent for a character, and set the interrupt line."""
        if self._idle_ns is not None and self._clock.now_ns >= self._idle_ns:
            self._rx |= IDLE
            self._idle_ns = None
        if self.words[CR1 >> 2] & (TCIE | TXEIE | IDLEIE):
            self._update_line()

    def due_ns(self) -> int | None:
        """When TXE, TC or IDLE will next rise with its interrupt enabled."""
        cr1 = self.words[CR1 >> 2]
        if not cr1 & (TCIE | TXEIE | IDLEIE):
            return None
        now_ns = self._clock.now_ns
        moments = [
            moment
            for bit, moment in ((TXEIE, self._tx_empty_ns), (TCIE, self._tx_done_ns), (IDLEIE, self._idle_ns))
            if cr1 & bit and moment is not None and moment > now_ns
        ]
        return min(moments, default=None)

    def _update_line(self) -> None:
        status, cr1 = self._status(), self.words[CR1 >> 2]
        wanted = cr1 & (TXEIE | TCIE | RXNEIE | IDLEIE)  # the enable bits stand where the flags do in SR
        if cr1 & RXNEIE:
            wanted |= ORE
        self._line(bool(status & wanted and cr1 & UE))
