"""Campaigns: what is drawn, what becomes of octets, classes of consequences, the smallest form, bounds of a share."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.analysis.proportion import clopper_pearson
from rig.bench.file import read_bench_file
from rig.campaigns.consequence import Class, Consequence, Observed, classify
from rig.campaigns.injection import RAIL_V, SPAN_S, RandomInjection, drawn
from rig.campaigns.kinds import FRAMES, LINK, SafeAnswer, chosen_kinds, kinds_of, safe_answer
from rig.campaigns.link import DamagedLink
from rig.campaigns.shrink import shrunk, smaller
from rig.campaigns.states import STATES
from rig.clock import SimClock
from rig.errors import BenchFileError
from rig.faults import shipped_faults
from rig.shipped import DEFAULT_BENCH, shipped
from rig.virtual.port import Port

LINES = tuple(read_bench_file(shipped(DEFAULT_BENCH), {})[0].switch.lines)
CATALOGUE = shipped_faults()
KINDS = tuple(kinds_of(CATALOGUE, LINES))
FRAME = b"\x7eABCDE\x7e"


# ---- what is injected --------------------------------------------------------------------------------------


def test_faults_are_chosen_by_id_and_by_kind() -> None:
    assert chosen_kinds("F25", CATALOGUE, LINES) == ("ram", "flash", "register")
    assert chosen_kinds("motor, f20,ram", CATALOGUE, LINES) == ("ram", "dip", "motor")
    assert chosen_kinds("F33", CATALOGUE, LINES) == ("hot", "cold")
    assert chosen_kinds("all", CATALOGUE, LINES) == KINDS


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ("F34", "F34 is provoked by nothing that a campaign injects"),
        ("rum", "no fault 'rum'; did you mean 'ram'"),
        ("F99", "no fault 'F99'"),
        ("", "no fault ''; allowed are all, ids such as F20, and ram, flash"),
    ],
)
def test_an_unknown_fault_is_refused_in_a_sentence(asked: str, told: str) -> None:
    with pytest.raises(BenchFileError, match=told):
        chosen_kinds(asked, CATALOGUE, LINES)


def test_the_catalogue_says_within_what_an_answer_is_safe() -> None:
    otherwise = SafeAnswer(0.05, 200.0)
    assert safe_answer("ram", CATALOGUE, LINES, otherwise) == otherwise
    assert safe_answer("hot", CATALOGUE, LINES, otherwise) == SafeAnswer(0.05, 120.0)
    assert safe_answer("motor", CATALOGUE, LINES, otherwise).volume_u == 0.1


@given(number=st.integers(1, 10**6), seed=st.integers(0, 10**6), window_s=st.floats(0.25, 86_400.0))
def test_an_injection_depends_on_seed_and_number_alone_and_stays_within_its_bounds(
    number: int, seed: int, window_s: float
) -> None:
    def draw() -> RandomInjection:
        return drawn(number, seed, KINDS, tuple(STATES), variables=5732, image=33_180, window_s=window_s)

    one = draw()
    assert one == draw()
    assert 0 <= one.at_ns < SPAN_S * 1e9
    assert one.state == "commanded" or one.kind not in LINK
    assert one.lasts_s is None or 0.01 <= one.lasts_s <= max(window_s, 1.0)
    assert one.rail_v is None or 0.0 <= one.rail_v <= RAIL_V
    assert RandomInjection.model_validate(one.plain()) == one


def damaged(kind: str, place: int, bit: int = 0, *, frames: int = 1) -> tuple[bytes, Port]:
    """What arrives of frames that the host sends through a damaged line."""
    clock = SimClock()
    port = Port(clock, baud=115200, bytewise=True)
    heard: list[tuple[int, bytes]] = []
    port.on_receive(lambda data: heard.append((clock.now_ns, data)))
    port.faults.append(DamagedLink(port, kind, place, bit))
    for _ in range(frames):
        port.host_write(FRAME)
        clock.sleep(1.0)
    times = [at_ns for at_ns, _ in heard]
    assert all(later - earlier >= port.character_ns for earlier, later in pairwise(times))
    return b"".join(data for _, data in heard), port


@pytest.mark.parametrize(
    ("kind", "place", "arrives"),
    [
        ("octet dropped", 2, b"\x7eACDE\x7e"),
        ("octet flipped", 2, b"\x7eACCDE\x7e"),
        ("octet inserted", 1, b"\x7e\x01ABCDE\x7e"),
        ("octet doubled", 3, b"\x7eABCCDE\x7e"),
        ("frame cut", 3, b"\x7eAB\x7e"),
        ("frame doubled", 0, FRAME + FRAME),
    ],
)
def test_one_octet_or_frame_is_damaged_and_the_line_is_whole_again(kind: str, place: int, arrives: bytes) -> None:
    arrived, port = damaged(kind, place)
    assert arrived == arrives
    assert port.faults == []
    assert set(FRAMES) >= {kind}


def test_a_frame_is_replayed_after_two_others() -> None:
    assert damaged("replayed", 0, frames=2)[0] == 2 * FRAME
    assert damaged("replayed", 0, frames=4)[0] == 5 * FRAME


# ---- what becomes of it ------------------------------------------------------------------------------------

SAFE = SafeAnswer(volume_u=0.05, time_s=120.0)
TOLD = {"annunciated_after_s": 3.0, "deviation_then_u": -0.025, "annunciates": True}


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        ({"alike_after_s": 0.25}, Class.MASKED),
        ({}, Class.LATENT),
        ({"deviation_u": 0.05}, Class.LATENT),
        ({"deviation_u": 0.0501}, Class.SILENT_OVER),
        ({"deviation_u": -0.0501}, Class.SILENT_UNDER),
        ({**TOLD, "deviation_u": -2.0}, Class.DETECTED),
        ({**TOLD, "annunciated_after_s": 120.1}, Class.LATE),
        ({**TOLD, "deviation_then_u": -0.06, "deviation_u": -2.0}, Class.LATE),
        ({**TOLD, "deviation_u": 0.06}, Class.LATE),
        ({**TOLD, "stands_still": "lock-up"}, Class.HANG),
        ({"twin_annunciates": True}, Class.ALARM_LOST),
        ({"twin_annunciates": True, "annunciates": True}, Class.LATENT),
        ({"failed": "no such register"}, Class.NOT_OBSERVED),
    ],
)
def test_the_class_follows_from_volume_annunciation_and_motion(seen: dict[str, object], expected: Class) -> None:
    assert classify(Observed.model_validate({"window_s": 200.0, **seen}), SAFE) is expected


def test_the_smallest_form_is_sought_by_one_property_after_the_other() -> None:
    found = RandomInjection(number=7, kind="dip", state="bolus", at_ns=9_000_000_000, lasts_s=0.8, rail_v=0.5)

    def attempt(each: RandomInjection) -> Consequence:
        """A pump that loses a bolus at a dip below 2 V for 100 ms and more, from the fourth second on."""
        assert each.lasts_s is not None
        assert each.rail_v is not None
        lost = each.rail_v < 2.0 and each.lasts_s >= 0.1 and each.at_ns >= 4_000_000_000
        consequence = Class.SILENT_UNDER if lost else Class.MASKED
        return Consequence(injection=each, observed=Observed(window_s=1.0), sort=consequence)

    least = shrunk(found, attempt, 100).injection
    assert least == found.model_copy(update={"at_ns": 4_000_000_000, "lasts_s": 0.1})
    assert shrunk(found, attempt, 0).injection == found


@given(number=st.integers(1, 10**6))
def test_whatever_is_smaller_ends_somewhere(number: int) -> None:
    injection = drawn(number, 1, KINDS, tuple(STATES), variables=5732, image=33_180, window_s=200.0)
    for _ in range(200):
        injection = next(iter(smaller(injection)), None) or injection
    assert list(smaller(injection)) == []


@pytest.mark.parametrize(
    ("hits", "of", "low", "high"),
    [
        (0, 10, 0.0, 0.3085),  # 1 − 0.025^(1/10)
        (10, 10, 0.6915, 1.0),
        (1, 10, 0.0025, 0.4450),  # Brown, Cai and DasGupta, Statistical Science 16 (2001) 101
        (0, 0, 0.0, 1.0),
    ],
)
def test_the_safe_answer_a_share_are_exact(hits: int, of: int, low: float, high: float) -> None:
    assert clopper_pearson(hits, of) == pytest.approx((low, high), abs=5e-5)


def test_more_hits_than_trials_have_no_share() -> None:
    with pytest.raises(ValueError, match="from 0 to 3 hits"):
        clopper_pearson(4, 3)
