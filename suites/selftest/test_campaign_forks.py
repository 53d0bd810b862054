"""A world that was forked goes on as one that never was; and what a fault does in a fork stays there."""

from __future__ import annotations

import hashlib
import pickle
from collections.abc import Iterator

import pytest

from rig.bench.file import read_bench_file
from rig.campaigns.course import TherapyCourse, course
from rig.campaigns.forked import in_a_fork
from rig.campaigns.injection import RandomInjection
from rig.campaigns.observe import observe
from rig.campaigns.standing import standing
from rig.campaigns.twin import run_twin
from rig.clock import NS_PER_S
from rig.shipped import DEFAULT_BENCH, shipped
from rig.virtual.mcu.memory import BACKUP_SRAM, BACKUP_SRAM_SIZE, FLASH, FLASH_SIZE, SRAM, SRAM_SIZE

SPEC = read_bench_file(shipped(DEFAULT_BENCH), {})[0]
LATER_NS = 12 * NS_PER_S


def everything(begun: TherapyCourse) -> bytes:
    """Every byte of the controller's memories, and all that is known of its parts and the fluid."""
    memory = hashlib.sha256()
    for address, size in ((SRAM, SRAM_SIZE), (FLASH, FLASH_SIZE), (BACKUP_SRAM, BACKUP_SRAM_SIZE)):
        memory.update(begun.board.mcu.read_memory(address, size))
    return memory.hexdigest().encode() + repr((standing(begun), begun.clock.now_ns, begun.board.heard)).encode()


def later(begun: TherapyCourse) -> bytes:
    begun.go_on_to(LATER_NS)
    return everything(begun)


def spoiled(begun: TherapyCourse) -> bytes:
    """Overwrite the firmware's variables, and go on as far as that leads."""
    begun.board.mcu.write_memory(SRAM, bytes(4096))
    begun.go_on_to(LATER_NS)
    return b"spoiled"


def test_forks_and_their_parent_go_on_byte_for_byte_as_a_world_that_was_never_forked() -> None:
    with course(SPEC, "commanded") as unforked:
        expected = later(unforked)
    with course(SPEC, "commanded") as begun:
        forks = []
        for at_ns in (0, NS_PER_S // 3, 2 * NS_PER_S, 4 * NS_PER_S):
            begun.go_on_to(at_ns)
            assert in_a_fork(lambda: spoiled(begun)) == b"spoiled"
            forks.append(in_a_fork(lambda: later(begun)))
        assert forks == [expected] * 4
        assert later(begun) == expected


def test_what_goes_wrong_in_a_fork_is_told() -> None:
    def fails() -> bytes:
        raise ValueError("the reason")

    told = in_a_fork(fails)
    assert isinstance(told, str)
    assert "the reason" in told


@pytest.fixture(scope="module")
def basal() -> Iterator[TherapyCourse]:
    with course(SPEC, "basal") as begun:
        yield begun


def test_a_bit_that_flips_twice_at_one_instruction_leaves_the_pump_as_it_was(basal: TherapyCourse) -> None:
    def flipped(*registers: str) -> bytes:
        def flip() -> None:
            for register in registers:
                basal.board.mcu.flip_register(register, 28)

        basal.board.mcu.at_instruction(200, flip)
        return later(basal)

    whole = in_a_fork(lambda: later(basal))
    assert in_a_fork(lambda: flipped("r3", "r3", "apsr", "apsr", "lr", "lr")) == whole
    assert in_a_fork(lambda: flipped("sp")) != whole


def test_a_stopped_clock_ends_with_the_watchdog_and_is_annunciated(basal: TherapyCourse) -> None:
    kept = in_a_fork(lambda: pickle.dumps(run_twin(basal, 60 * NS_PER_S)))
    assert isinstance(kept, bytes)
    twin = pickle.loads(kept)
    stopped = RandomInjection(number=1, kind="clock", state="basal", at_ns=NS_PER_S)
    given = in_a_fork(lambda: observe(basal, stopped, twin, 50.0).model_dump_json().encode())
    assert isinstance(given, bytes)
    assert b'"restarts":["watchdog"]' in given
    assert b'"stands_still":null' in given
    assert b'"annunciates":true' in given
