"""How much room a limit has left for a measured value."""

from __future__ import annotations

import pytest

from rig.record.models import LimitRecord, MeasuredRecord
from rig.record.results import JudgedRecord
from rig.verdicts.limits import Limit, Measurement, Rule, decide
from rig.verdicts.quantities import Quantity


def judged(value: float, u: float, low: float | None, high: float | None) -> JudgedRecord:
    measurement = Measurement(Quantity("basal.mean_error", (), "%", "mean basal error"), value, u)
    limit = Limit("%", low, high)
    return JudgedRecord(
        **dict(MeasuredRecord.of(measurement)),
        limit=LimitRecord(low=low, high=high, unit="%"),
        rule=Rule.GUARD_BAND,
        verdict=decide(measurement, limit).verdict,
        test="a test",
    )


@pytest.mark.parametrize(
    ("value", "u", "low", "high", "left"),
    [
        (0.0, 0.0, -5.0, 5.0, 1.0),
        (4.0, 0.5, -5.0, 5.0, 0.1),
        (-4.0, 0.5, -5.0, 5.0, 0.1),
        (5.0, 0.0, -5.0, 5.0, 0.0),
        (7.0, 0.5, -5.0, 5.0, -0.5),
        (120.0, 0.0, None, 240.0, 0.5),
        (100.0, 0.0, 50.0, None, 1.0),
        (0.0, 0.0, None, 0.0, 1.0),
        (1.0, 0.0, None, 0.0, 0.0),
    ],
)
def test_room_is_the_share_of_the_limit_beyond_value_and_uncertainty(
    value: float, u: float, low: float | None, high: float | None, left: float
) -> None:
    assert judged(value, u, low, high).room_left == pytest.approx(left)
