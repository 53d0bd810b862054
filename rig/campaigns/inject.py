"""Doing an injection to a simulated pump, at its instant.

Called within an event of the simulated clock. Not responsible for which injection it is (`injection`), nor for the
bench's way to provoke a fault for a measurement (`rig.procedures.provoking`).
"""

from __future__ import annotations

from collections.abc import Callable

from rig.campaigns.course import TherapyCourse
from rig.campaigns.injection import RAIL_V, RandomInjection
from rig.campaigns.kinds import FRAMES, LINK
from rig.campaigns.link import DamagedLink, MuteLink
from rig.clock import ns_from_s
from rig.virtual.mcu.memory import FLASH, SRAM, SRAM_SIZE


def inject(course: TherapyCourse, injection: RandomInjection, struck: Callable[[], None]) -> None:
    """Do it now, or at its instruction; what lasts for a while ends by itself.

    Args:
        course: of the pump.
        injection: what is done.
        struck: is called when it has been done.
    """
    if injection.instruction:

        def flip() -> None:
            _flip(course, injection)
            struck()

        course.board.mcu.at_instruction(injection.instruction, flip)
        return
    _begin(course, injection)
    struck()


def _begin(course: TherapyCourse, injection: RandomInjection) -> None:
    if injection.kind in ("ram", "flash", "register"):
        _flip(course, injection)
    elif injection.kind == "clock":
        course.board.mcu.stop_clock()
    elif injection.kind == "dip":
        assert injection.rail_v is not None
        course.board.set_rail(injection.rail_v)
        _afterwards(course, injection, lambda: course.board.set_rail(RAIL_V))
    elif injection.kind in LINK:
        _damage_link(course, injection)
    else:
        course.world.set_line(injection.kind, energised=True)
        _afterwards(course, injection, lambda: course.world.set_line(injection.kind, energised=False))


def _flip(course: TherapyCourse, injection: RandomInjection) -> None:
    mcu = course.board.mcu
    assert injection.bit is not None
    if injection.register_name is not None:
        mcu.flip_register(injection.register_name, injection.bit)
        return
    assert injection.place is not None
    if injection.kind == "flash" and not injection.instruction:
        mcu.flip_bit(FLASH + injection.place, injection.bit)
        return
    if injection.kind == "flash":  # code that is being executed is fetched anew when the core next rests
        mcu.flip_ram_bit(FLASH + injection.place, injection.bit)
        return
    variables = len(mcu.ram_in_use()[0])
    below_top = injection.place - variables
    address = SRAM + (injection.place if below_top < 0 else SRAM_SIZE - 1 - below_top)
    mcu.flip_ram_bit(address, injection.bit)


def _damage_link(course: TherapyCourse, injection: RandomInjection) -> None:
    port = course.world.ports["pump"]
    if injection.kind in FRAMES:
        assert injection.place is not None
        assert injection.bit is not None
        port.faults.append(DamagedLink(port, injection.kind, injection.place, injection.bit))
        return
    fault = MuteLink(both_ways=injection.kind == "link lost")
    port.faults.append(fault)
    _afterwards(course, injection, lambda: port.faults.remove(fault))


def _afterwards(course: TherapyCourse, injection: RandomInjection, end: Callable[[], None]) -> None:
    assert injection.lasts_s is not None
    course.clock.call_at(course.clock.now_ns + ns_from_s(injection.lasts_s), end)
