"""Known inputs through the analyses: what tables and hands say must come out on this PC, too.

The inputs and what must come out stand in `fixtures/known_inputs.toml`, each with its source. Not responsible for the
analyses' own tests, which are many (`suites/selftest`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict

from rig.analysis.flow import period_error_percent
from rig.analysis.gravimetry import air_density_kg_per_m3, water_density_kg_per_m3, z_factor_ul_per_mg
from rig.analysis.success_run import trials_needed
from rig.analysis.tolerance import one_sided_k
from rig.analysis.trumpet import TrumpetCurve, trumpet_curve
from rig.shipped import shipped
from rig.toml_files import parse_toml, read_file, validated
from rig.verdicts.limits import Limit, Measurement, Rule, decide
from rig.verdicts.quantities import Quantity

KNOWN_INPUTS = "fixtures/known_inputs.toml"
HOUR_MIN = 60.0

Analysed = Literal[
    "water_density",
    "air_density",
    "z_factor",
    "one_sided_k",
    "trials_needed",
    "flow_error",
    "trumpet_maximum",
    "trumpet_minimum",
    "verdict",
]


class KnownInput(BaseModel):
    """An input whose result is known: which analysis, what is given, what must come out, how near, and who says so."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    analysis: Analysed
    given: dict[str, Any]
    expected: float | str
    within: float = 0.0
    source: str


class _KnownFile(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    known: tuple[KnownInput, ...]


@dataclass(frozen=True)
class KnownResult:
    """What came out of a known input."""

    known: KnownInput
    found: float | str

    @property
    def agrees(self) -> bool:
        """Whether it is what must come out."""
        if isinstance(self.known.expected, str) or isinstance(self.found, str):
            return self.found == self.known.expected
        return abs(self.found - self.known.expected) <= self.known.within

    def __str__(self) -> str:
        """Say what came out, and what should have."""
        given = ", ".join(f"{key} = {value}" for key, value in self.known.given.items())
        return f"{self.known.analysis}({given}) gave {self.found}, expected {self.known.expected} ({self.known.source})"


def known_results(path: Path | None = None) -> list[KnownResult]:
    """Put every known input through its analysis.

    Args:
        path: the file; None for that which comes with the rig.

    Raises:
        BenchFileError: the file is missing or wrong.
    """
    file = path or shipped(KNOWN_INPUTS)
    known = validated(file, parse_toml(file, read_file(file)), _KnownFile).known
    return [KnownResult(each, _ANALYSES[each.analysis](each.given)) for each in known]


def _masses(given: Mapping[str, Any]) -> list[float]:
    return [0.0, *np.cumsum(given["hourly_g"]).tolist()]


def _flow_error(given: Mapping[str, Any]) -> float:
    masses = _masses(given)
    return period_error_percent(
        masses,
        interval_min=HOUR_MIN,
        rate_ml_per_h=given["rate_ml_per_h"],
        start_min=0.0,
        duration_min=HOUR_MIN * (len(masses) - 1),
    )


def _trumpet(given: Mapping[str, Any]) -> TrumpetCurve:
    return trumpet_curve(
        _masses(given),
        interval_min=HOUR_MIN,
        rate_ml_per_h=given["rate_ml_per_h"],
        windows_min=[given["window_min"]],
    )


def _verdict(given: Mapping[str, Any]) -> str:
    measurement = Measurement(Quantity("known", (), "%", "known"), given["value"], given["expanded_uncertainty"])
    return decide(measurement, Limit("%", given["low"], given["high"]), Rule.GUARD_BAND).verdict.value


_ANALYSES: Mapping[Analysed, Callable[[Mapping[str, Any]], float | str]] = {
    "water_density": lambda given: float(water_density_kg_per_m3(**given)),
    "air_density": lambda given: float(air_density_kg_per_m3(**given)),
    "z_factor": lambda given: float(z_factor_ul_per_mg(**given)),
    "one_sided_k": lambda given: one_sided_k(given["n"], confidence=given["confidence"], coverage=given["coverage"]),
    "trials_needed": lambda given: float(trials_needed(**given)),
    "flow_error": _flow_error,
    "trumpet_maximum": lambda given: float(_trumpet(given).error_max_percent[0]),
    "trumpet_minimum": lambda given: float(_trumpet(given).error_min_percent[0]),
    "verdict": _verdict,
}
