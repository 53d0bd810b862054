"""Insulin beside the vessel: the account of the right pump stays true, and the report says what no pump can know."""

import itertools
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.bench.open import open_bench
from rig.errors import BlockedError
from rig.procedures.cannula import ALARMS, CANNOT_KNOW, COUNTED, LOGGED, WEIGHED, CannulaOut
from rig.procedures.dislodged import SetDislodged
from rig.roles import Switch
from suites.measuring import VIRTUAL, measured_on, measured_virtually


@given(draw=st.integers(0, 10_000), losses=st.integers(1, 20), minutes=st.integers(30, 600))
def test_a_set_comes_off_as_often_as_asked_and_is_out_at_the_end_of_sport(draw: int, losses: int, minutes: int) -> None:
    sport = SetDislodged(rate_u_per_h=1.0, duration_s=60.0 * minutes, losses=losses, draw=draw)
    spans = sport.lost_s
    assert len(spans) == losses
    edges = list(itertools.chain.from_iterable(spans))
    assert edges == sorted(edges)
    assert edges[0] > 0.0
    assert edges[-1] == sport.duration_s
    assert spans == SetDislodged(rate_u_per_h=1.0, duration_s=60.0 * minutes, losses=losses, draw=draw).lost_s


def test_another_draw_loses_at_other_times() -> None:
    one, other = (SetDislodged(rate_u_per_h=1.0, draw=draw).lost_s for draw in (1, 2))
    assert one != other


def test_the_account_stays_true_while_nothing_reaches_the_vessel(tmp_path: Path) -> None:
    out = CannulaOut(rate_u_per_h=1.0, bolus_u=1.0, duration_s=1800.0, in_place_s=600.0)
    computed = measured_virtually(tmp_path / "cannula", out)
    values = {quantity.kind: each.value for quantity, each in computed.values.items()}
    assert values[LOGGED.name] == pytest.approx(0.0, abs=0.05)
    assert values[WEIGHED.name] == pytest.approx(0.0, abs=0.1)  # 2.3 U that were weighed, ±5 %
    assert values[COUNTED.name] == pytest.approx(0.0, abs=0.11)  # its steps are 0.1 U
    assert values[ALARMS.name] == 0.0
    assert CANNOT_KNOW in computed.notes.values()


def test_a_valve_that_does_not_move_is_no_word_on_the_pump(tmp_path: Path) -> None:
    out = CannulaOut(rate_u_per_h=1.0, bolus_u=1.0, duration_s=1800.0, in_place_s=600.0)
    with open_bench(VIRTUAL) as bench:
        stuck = replace(bench, switch=_Stuck(bench.switch))
        with pytest.raises(BlockedError, match="reached the vessel while the needle was beside it: look at the valve"):
            measured_on(stuck, tmp_path / "cannula", out)


class _Stuck:
    """The bench's switch, of which the line `waste` moves nothing."""

    def __init__(self, switch: Switch) -> None:
        self._switch = switch

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the switch has
        return getattr(self._switch, name)

    def set_line(self, line: str, *, energised: bool) -> None:
        """Do it, for every other line."""
        if line != "waste":
            self._switch.set_line(line, energised=energised)
