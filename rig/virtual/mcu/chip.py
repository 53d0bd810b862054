"""The microcontroller's parts, put together: peripherals at their addresses, with their clocks and interrupts.

Addresses: RM0090 rev 19, table 1. Interrupt numbers: table 62. Clock gates: sections 7.3.10 to 7.3.14. Not responsible
for running the core.
"""

from __future__ import annotations

from collections.abc import Callable

from rig.clock import SimClock
from rig.errors import RigError
from rig.virtual.mcu.adc import Adc
from rig.virtual.mcu.bus import Bus
from rig.virtual.mcu.crc_unit import CrcUnit
from rig.virtual.mcu.debug import DebugId, Dwt
from rig.virtual.mcu.engine import Engine
from rig.virtual.mcu.exti import Exti, Syscfg
from rig.virtual.mcu.gpio import GpioPort
from rig.virtual.mcu.memory import BACKUP_SRAM, BACKUP_SRAM_SIZE, FLASH, FLASH_SIZE, Memory
from rig.virtual.mcu.nvic import SYSTICK, Nvic
from rig.virtual.mcu.peripheral import Line, Peripheral, Timed
from rig.virtual.mcu.rcc import AHB1ENR, APB1ENR, APB2ENR, FlashInterface, Pwr, Rcc
from rig.virtual.mcu.rtc import Rtc
from rig.virtual.mcu.scs import SystemControl
from rig.virtual.mcu.systick import SysTick
from rig.virtual.mcu.timers import Timer
from rig.virtual.mcu.usart import Usart
from rig.virtual.mcu.watchdog import Watchdog
from rig.virtual.port import Port

_TIMERS = {  # name: (address, counter bits, interrupt, bit in APB1ENR)
    "TIM2": (0x40000000, 32, 28, 0),
    "TIM3": (0x40000400, 16, 29, 1),
    "TIM4": (0x40000800, 16, 30, 2),
    "TIM5": (0x40000C00, 32, 50, 3),
}
_GPIO = {"A": (0x40020000, 0xA8000000, 0x64000000), "B": (0x40020400, 0x280, 0x100), "C": (0x40020800, 0, 0)}
_RTC, _IWDG, _PWR, _USART1, _ADC1 = 0x40002800, 0x40003000, 0x40007000, 0x40011000, 0x40012000
_CRC, _RCC, _FLASH_INTERFACE, _DWT, _SCS, _DBGMCU = (
    0x40023000,
    0x40023800,
    0x40023C00,
    0xE0001000,
    0xE000E000,
    0xE0042000,
)
_SYSCFG, _EXTI = 0x40013800, 0x40013C00
_USART1_IRQ, _ADC_IRQ = 37, 18
_BKPSRAMEN = 18


class Chip:
    """All parts; `on_line` hears of changed lines and due times; `after_write` and `interrupt` of stores."""

    def __init__(
        self,
        clock: SimClock,
        uart: Port,
        adc_v: Callable[[int], float],
        on_pin: Callable[[str, bool], None],
        unique_id: bytes,
        on_line: Callable[[], None],
        after_write: Callable[[], None],
        interrupt: Callable[[], None],
    ) -> None:
        self.engine = Engine()
        self.nvic = Nvic()
        self.memory = Memory(self.engine, unique_id)
        self._on_line = on_line
        self._on_pin = on_pin
        self._interrupt = interrupt
        bus = Bus(self.engine, after_write)
        bus.unclaimed = self._memory_write
        self.engine.hook_writes(bus.write)

        self.systick = SysTick(clock, self._pend_systick)
        self.scs = SystemControl(self.nvic, self.systick)
        self._after_write = after_write
        self.engine.map_calls(_SCS, 0x1000, self._read_scs, self._write_scs)

        self.usart = Usart(memoryview(bytearray(64)).cast("I"), uart, self._line(_USART1_IRQ), on_line)
        self.adc = Adc(memoryview(bytearray(128)).cast("I"), adc_v, self._line(_ADC_IRQ))
        bus.attach_readable(_USART1, self.usart)
        bus.attach_readable(_ADC1, self.adc)
        self.timers = {
            name: Timer(bus.words(address), clock, self._line(irq), bits=bits)
            for name, (address, bits, irq, _) in _TIMERS.items()
        }
        self.ports = {
            letter: GpioPort(
                bus.words(address), self._pin_listener(letter), self._connect, reset_moder=moder, reset_pupdr=pupdr
            )
            for letter, (address, moder, pupdr) in _GPIO.items()
        }
        self.watchdog = Watchdog(bus.words(_IWDG), clock)
        self.rtc = Rtc(bus.words(_RTC), clock)
        self.crc = CrcUnit(bus.words(_CRC))
        self.flash = FlashInterface(bus.words(_FLASH_INTERFACE), self.memory.flash)
        self.syscfg = Syscfg(bus.words(_SYSCFG))
        self.exti = Exti(bus.words(_EXTI), self._set_interrupt)
        self._backup_wanted = self._backup_open = False
        self.pwr = Pwr(bus.words(_PWR), self._open_backup)
        self.dwt = Dwt(bus.words(_DWT), clock)
        self.debug_id = DebugId(bus.words(_DBGMCU))
        gates: dict[tuple[int, int], Peripheral] = {
            **{(APB1ENR, bit): self.timers[name] for name, (_, _, _, bit) in _TIMERS.items()},
            **{(AHB1ENR, index): port for index, port in enumerate(self.ports.values())},
            (AHB1ENR, 12): self.crc,
            (APB1ENR, 28): self.pwr,
            (APB2ENR, 4): self.usart,
            (APB2ENR, 8): self.adc,
            (APB2ENR, 14): self.syscfg,
        }
        self.rcc = Rcc(bus.words(_RCC), gates, self._backup_domain, lambda: self.pwr.backup_writable)
        self._attached: list[tuple[int, Peripheral]] = [
            *((address, self.timers[name]) for name, (address, _, _, _) in _TIMERS.items()),
            *((address, self.ports[letter]) for letter, (address, _, _) in _GPIO.items()),
            (_IWDG, self.watchdog),
            (_RTC, self.rtc),
            (_CRC, self.crc),
            (_RCC, self.rcc),
            (_FLASH_INTERFACE, self.flash),
            (_PWR, self.pwr),
            (_SYSCFG, self.syscfg),
            (_EXTI, self.exti),
            (_DWT, self.dwt),
            (_DBGMCU, self.debug_id),
        ]
        self.bus = bus
        for address, peripheral in self._attached:
            bus.attach(address, peripheral)
        self._timed: list[Timed] = [*self.timers.values(), self.systick, self.usart]
        self._shown = [self.rtc.refresh, self.dwt.refresh]
        self.rcc.reset()

    @property
    def parts(self) -> tuple[object, ...]:
        """Everything that has a state of its own, apart from core and memory."""
        return (self.nvic, self.scs, self.systick, self.usart, self.adc, *(part for _, part in self._attached))

    # ---- time ----------------------------------------------------------------------------------------------

    def refresh(self) -> None:
        """Bring all registers up to the present time."""
        for part in self._timed:
            part.refresh()
        for show in self._shown:
            show()

    def due_ns(self) -> int | None:
        """The next moment at which a peripheral raises an enabled interrupt or the watchdog bites."""
        soonest = self.watchdog.due_ns()
        for part in self._timed:
            due_ns = part.due_ns()
            if due_ns is not None and (soonest is None or due_ns < soonest):
                soonest = due_ns
        return soonest

    def reset(self) -> None:
        """Take system-reset values everywhere but in the backup domain."""
        self.nvic.reset()
        self.scs.reset()
        self.systick.reset()
        for _, peripheral in self._attached:
            peripheral.reset()
        self.usart.reset()
        self.adc.reset()
        self._connect()

    # ---- lines and pins ------------------------------------------------------------------------------------

    def _line(self, interrupt: int) -> Line:
        return lambda high: self._set_interrupt(interrupt, high)

    def _set_interrupt(self, interrupt: int, high: bool) -> None:
        if high != bool(self.nvic.lines >> 16 + interrupt & 1):
            self.nvic.set_line(interrupt, high=high)
            if high:
                self._on_line()

    def _pend_systick(self) -> None:
        self.nvic.pending |= 1 << SYSTICK

    def _pin_listener(self, letter: str) -> Callable[[int, bool], None]:
        names = [f"P{letter}{number}" for number in range(16)]
        return lambda number, high: self._on_pin(names[number], high)

    def _port_of(self, pin: str) -> tuple[GpioPort, int]:
        port = self.ports.get(pin[1:2])
        if port is None or not pin.startswith("P") or not pin[2:].isdigit() or int(pin[2:]) > 15:
            raise RigError(f"the controller has no pin {pin!r}: pins are PA0 to PC15")
        return port, int(pin[2:])

    def set_input(self, pin: str, high: bool | None) -> None:
        """Drive a pin from outside; EXTI and the encoder inputs of TIM3 hear its edges."""
        port, number = self._port_of(pin)
        was = port.level(number)
        port.drive(number, high)
        now = port.level(number)
        if was == now:
            return
        if self.syscfg.port(number) == pin[1]:
            self.exti.edge(number, rising=now)
        if pin in ("PB4", "PB5") and port.function(number) == 2:
            other = port.level(9 - number)
            self.timers["TIM3"].edge(number - 3, rising=now, other_high=other)

    def pin(self, name: str) -> bool:
        """The level that a pin is driven to by the controller."""
        port, number = self._port_of(name)
        return port.output(number)

    def _connect(self) -> None:
        """USART1 is at PA9 and PA10 in alternate function 7 (DS8626, table 9); its other pins are not wired."""
        port = self.ports["A"]
        self.usart.tx_connected, self.usart.rx_connected = port.function(9) == 7, port.function(10) == 7

    # ---- the backup domain ---------------------------------------------------------------------------------

    def lose_backup(self, *, calendar_only: bool) -> None:
        """Forget what the backup domain's cell keeps."""
        if not calendar_only:
            self.memory.lose_backup()
        self.rtc.reset_domain()
        self.rtc.start(False)
        self.rcc.lose_backup()

    @property
    def backup_changed(self) -> bool:
        """Whether access to the backup SRAM is to be changed while the engine stands."""
        return self._backup_wanted != self._backup_open

    def apply_backup_access(self) -> None:
        """Open or close the backup SRAM for stores; the engine must stand."""
        self._backup_open = self._backup_wanted
        self.engine.set_writable(BACKUP_SRAM, BACKUP_SRAM_SIZE, writable=self._backup_open)

    def _open_backup(self, writable: bool) -> None:
        self.rtc.writable = writable
        if self._backup_wanted != writable:
            self._backup_wanted = writable
            self._interrupt()

    def _backup_domain(self, bdcr: int) -> None:
        if bdcr >> 16 & 1:
            self.rtc.reset_domain()
        source = bdcr >> 8 & 3  # 1 is LSE, which has to be on; LSI and HSE are taken for running
        self.rtc.start(bool(bdcr >> 15 & 1) and (source > 1 or (source == 1 and bool(bdcr & 1))))

    def _memory_write(self, address: int, size: int, value: int) -> bool:
        """Take a store to the flash; a closed backup domain loses what is written to it."""
        if address < FLASH + FLASH_SIZE:
            self.flash.program(address & FLASH_SIZE - 1, size, value)
            return True
        return BACKUP_SRAM <= address < BACKUP_SRAM + BACKUP_SRAM_SIZE

    # ---- the system control space ---------------------------------------------------------------------------

    def _read_scs(self, address: int, size: int) -> int:
        return self.scs.read(address - _SCS, size)

    def _write_scs(self, address: int, size: int, value: int) -> None:
        self.scs.write(address - _SCS, size, value)
        if self.scs.reset_asked:
            self._interrupt()
        self._after_write()
