"""A duration in words is rounded to the smaller unit that it shows, not cut."""

from __future__ import annotations

import pytest

from reports.words import NBSP, duration


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (59.6, "1 min 00 s"),
        (290.05, "4 min 50 s"),
        (3599.6, "1 h 00 min"),
        (6650.05, "1 h 51 min"),
        (10080.0, "2 h 48 min"),
    ],
)
def test_a_duration_is_rounded_to_what_it_shows(seconds: float, said: str) -> None:
    assert duration(seconds).replace(NBSP, " ") == said
