"""Quantities: one printed form for one thing however it is written, and a sentence for what is none."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.procedures.basal import LARGEST, MEAN
from rig.procedures.bolus import MEAN as MEAN_BOLUS
from rig.procedures.catalogue import KINDS
from rig.procedures.occlusion import LONGEST
from rig.procedures.parameters import DURATION, RATE, TEMPORARY, THRESHOLD
from rig.procedures.temporary import TEMPORARY_DELAYS
from rig.units import dimension_of
from rig.verdicts.quantities import Kind, Parameter, Quantity, nearest, quantity_named

EACH = [pytest.param(kind, id=name) for name, kind in KINDS.items()]
numbers = st.integers(1, 10**6).map(lambda thousandths: thousandths / 1000.0)


@pytest.mark.parametrize(
    ("parameter", "written", "printed"),
    [
        (RATE, ["1.0 U/h", "1 U/h", " 1U/h ", "+1. U/h", "1e0 U/h", 1.0, 1], "1 U/h"),
        (RATE, ["0.025 U/h", ".025 U/h", "2.5e-2 U/h", 0.025], "0.025 U/h"),
        (RATE, ["60 U/h", "1 U/min", 60.0], "60 U/h"),
        (DURATION, ["2 h", "120 min", "7200 s", 7200.0], "120 min"),
        (TEMPORARY, ["0.5 U/h", 0.5], "0.5 U/h"),
        (TEMPORARY, ["50 %", "50.0 %"], "50 %"),
        (THRESHOLD, ["low"], "low"),
    ],
)
def test_what_is_the_same_is_printed_the_same(parameter: Parameter, written: list[str | float], printed: str) -> None:
    assert [parameter.printed(each) for each in written] == [printed] * len(written)


@given(numbers, st.sampled_from(["s", "min", "h", "d"]))
def test_a_number_in_any_unit_is_one_quantity_with_the_same_in_the_base_unit(number: float, unit: str) -> None:
    """And printing what was printed changes nothing."""
    known = dimension_of(unit)
    assert known is not None
    written = DURATION.printed(f"{number!r} {unit}")
    assert written == DURATION.printed(number * known[1]) == DURATION.printed(written)


@given(numbers)
def test_rates_that_differ_are_two_quantities(rate: float) -> None:
    assert MEAN.of(rate=rate) == MEAN.of(rate=f"{rate!r} U/h")
    assert MEAN.of(rate=rate) != MEAN.of(rate=rate + 0.001)
    assert MEAN.of(rate=rate) != LARGEST.of(rate=rate, window="60 min")


@given(st.text(), st.text())
def test_equality_and_hash_know_nothing_of_the_name(one: str, other: str) -> None:
    mean = MEAN.of(rate=1.0)
    renamed = [Quantity(mean.kind, mean.parameters, mean.unit, name) for name in (one, other)]
    assert renamed == [mean, mean]
    assert len({mean, *renamed}) == 1
    assert Quantity(mean.kind, mean.parameters, "U", mean.name) != mean


@pytest.mark.parametrize("kind", EACH)
def test_a_printed_quantity_is_found_again_by_its_printed_parameters(kind: Kind) -> None:
    """As a requirement refers to it, and as the record keeps it."""
    for unit in kind.units:
        values = {
            each.name: each.words[0] if each.words else f"3 {(each.units or ('x',))[0]}" for each in kind.parameters
        }
        quantity = kind.of(unit=unit, **values)
        assert quantity_named(KINDS, kind.name, unit, dict(quantity.parameters)) == quantity
        assert str(quantity) == quantity.name
        assert not re.search(r"[{}\[\]]", quantity.name)
        assert all(printed in quantity.name for _, printed in quantity.parameters)


def test_a_part_in_brackets_stands_only_where_its_parameter_has_a_value() -> None:
    assert str(LONGEST.of(rate="2 U/h")) == "longest time to the alarm at 2 U/h"
    assert str(LONGEST.of(rate="2 U/h", threshold=None)) == "longest time to the alarm at 2 U/h"
    assert str(LONGEST.of(rate="2 U/h", threshold="low")) == "longest time to the alarm at 2 U/h, threshold low"
    assert LONGEST.of(rate="2 U/h") != LONGEST.of(rate="2 U/h", threshold="normal")


def test_a_quantity_is_named_in_the_order_of_its_kind_however_it_is_asked_for() -> None:
    there = TEMPORARY_DELAYS["end"].of(duration="4 h", rate="1 U/h", temporary="50 %")
    assert str(there) == "delay of the end of a temporary rate of 50 % at 1 U/h for 240 min"
    assert there == TEMPORARY_DELAYS["end"].of(temporary="50 %", rate=1.0, duration=14400.0)


@pytest.mark.parametrize(
    ("kind", "unit", "values", "sentence"),
    [
        ("basal.mean_eror", "%", {}, "there is no quantity 'basal.mean_eror'; did you mean 'basal.mean_error'?"),
        ("basal.mean_error", "%", {"rte": "1 U/h"}, "basal.mean_error has no parameter 'rte'; did you mean 'rate'?"),
        ("basal.mean_error", "%", {"zzz": "1"}, "basal.mean_error has no parameter 'zzz'; known are rate"),
        ("log.missing_entries", "entries", {"rate": "1"}, "log.missing_entries has no parameter 'rate'; it has none"),
        ("basal.mean_error", "%", {}, "basal.mean_error needs its rate"),
        ("basal.mean_error", "U", {"rate": "1 U/h"}, "basal.mean_error is measured in %, not in 'U'"),
        ("bolus.mean_error", "s", {"size": "1 U"}, "bolus.mean_error is measured in % or U, not in 's'"),
        ("basal.mean_error", "%", {"rate": "1"}, "rate is '1': it is a number with a unit such as '1 U/h'"),
        ("basal.mean_error", "%", {"rate": "1 U"}, "rate is '1 U': it is a number with a unit such as '1 U/h'"),
        ("basal.mean_error", "%", {"rate": "nan U/h"}, "rate is 'nan U/h': it is a number with a unit such as '1 U/h'"),
        (
            "occlusion.unalarmed", "occlusions", {"rate": "1 U/h", "threshold": "medium"},
            "threshold is 'medium': it is one of low, normal, high",
        ),
        ("day.error", "%", {"person": " "}, "person is ' ': it is a word"),
    ],
)  # fmt: skip
def test_what_is_no_quantity_is_one_sentence(kind: str, unit: str, values: dict[str, str], sentence: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        quantity_named(KINDS, kind, unit, values)


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -float("inf")])
def test_a_number_that_is_none_is_refused(number: float) -> None:
    with pytest.raises(ValueError, match=r"^rate is (nan|-?inf): it is a finite number$"):
        MEAN.of(rate=number)


@given(st.sampled_from(sorted(KINDS)), st.data())
def test_one_wrong_letter_is_answered_with_the_quantity_that_was_meant(name: str, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(name) - 1))
    wrong = name[:place] + "§" + name[place + 1 :]
    with pytest.raises(ValueError, match="there is no quantity") as raised:
        quantity_named(KINDS, wrong, "%", {})
    assert str(raised.value) == f"there is no quantity {wrong!r}; did you mean {name!r}?"


def test_the_nearest_is_of_the_same_kind_where_there_is_one() -> None:
    declared = dict.fromkeys((MEAN.of(rate=0.1), MEAN.of(rate=1.0), MEAN_BOLUS.of(size=10.0)))
    assert nearest(MEAN.of(rate=10.0), declared) in (MEAN.of(rate=0.1), MEAN.of(rate=1.0))
    assert nearest(MEAN.of(rate="0.1 U/h"), declared) == MEAN.of(rate=0.1)
    assert nearest(LARGEST.of(rate=0.1, window="1 h"), declared) is not None
    assert nearest(MEAN.of(rate=1.0), {}) is None
