"""Quantities that people write carry their unit and are parsed once."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig import units


@pytest.mark.parametrize(
    ("text", "dimension", "value"),
    [
        ("2.5 U/h", "rate_u_per_h", 2.5),
        ("1.5U/min", "rate_u_per_h", 90.0),
        ("30 min", "time_s", 1800.0),
        ("-.5 kPa", "pressure_kpa", -0.5),
        ("1e2 mmHg", "pressure_kpa", 13.3322387415),
        ("2.5 µg", "mass_g", 2.5e-6),
        ("3 mL", "volume_ul", 3000.0),
    ],
)
def test_text_with_a_unit_becomes_the_base_unit(text: str, dimension: str, value: float) -> None:
    assert units.parse(text, dimension) == pytest.approx(value, rel=1e-15)


@pytest.mark.parametrize(
    ("text", "dimension", "sentence"),
    [
        ("2.5", "rate_u_per_h", "'2.5' has no unit: write one of U/h, U/min"),
        ("2.5 kPa", "rate_u_per_h", "'2.5 kPa' is not a rate: allowed units are U/h, U/min"),
        ("fast", "rate_u_per_h", "'fast' is not a number with a unit, such as '1 U/h'"),
        ("nan U", "insulin_u", "'nan U' is not a number with a unit"),
        ("1e999 U", "insulin_u", "'1e999 U' is not a finite number"),
    ],
)
def test_other_text_is_refused_with_a_sentence(text: str, dimension: str, sentence: str) -> None:
    with pytest.raises(ValueError) as raised:
        units.parse(text, dimension)
    assert str(raised.value).startswith(sentence)


@given(st.floats(-1e6, 1e6))
def test_conversions_of_insulin_go_there_and_back(insulin_u: float) -> None:
    assert units.u_from_ul(units.ul_from_u(insulin_u)) == pytest.approx(insulin_u, rel=1e-15)


def test_u_100_insulin() -> None:
    assert units.ul_from_u(2.5) == 25.0
    assert units.ml_per_h_from_u_per_h(1.0) == 0.01
