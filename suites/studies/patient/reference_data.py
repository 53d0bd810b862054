"""Reference numbers of the virtual person: where they lie, read as arrays. Not responsible for comparing."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from rig.analysis.checks import FloatArray

FOLDER = Path(__file__).parent / "reference"

IGLU_NAMES = {
    "n": "readings", "mean": "mean_mg_per_dl", "sd": "sd_mg_per_dl", "cv": "cv_percent",
    "tir": "time_in_range_percent", "tbr70": "time_below_70_percent", "tbr54": "time_below_54_percent",
    "tar180": "time_above_180_percent", "tar250": "time_above_250_percent", "gmi": "gmi_percent",
    "ea1c": "ea1c_percent", "lbgi": "lbgi", "hbgi": "hbgi", "gri": "gri",
}  # fmt: skip
"""What iglu calls it, and we."""


@dataclass(frozen=True)
class Reference:
    """A folder of reference numbers."""

    folder: Path = FOLDER

    def table(self, name: str) -> list[dict[str, str]]:
        """Read a table by its path below the folder."""
        with (self.folder / name).open(newline="") as file:
            return list(csv.DictReader(file))

    @staticmethod
    def column(rows: list[dict[str, str]], name: str) -> FloatArray:
        """Take a column; an empty cell is NaN."""
        return np.array([float(row[name]) if row[name] else np.nan for row in rows])

    def content(self, name: str) -> Any:  # noqa: ANN401 - whatever the file holds
        """Read a JSON file by its path below the folder."""
        return json.loads((self.folder / name).read_text())

    def s2008_person(self, trace: str) -> Mapping[str, str]:
        """Find the row of parameters of a trace such as `adult003_day3meals.csv`."""
        name = trace.partition("_")[0]
        return next(row for row in self.table("s2008/parameters.csv") if row["Name"].replace("#", "") == name)

    def hovorka_person(self, trace: str) -> Mapping[str, Any]:
        """Find the parameters of a trace such as `c04_day3meals.csv`."""
        found: Mapping[str, Any] = self.content("hovorka/subjects.json")[trace.partition("_")[0]]["params"]
        return found

    def traces(self, model: str) -> list[str]:
        """List the traces of a model by name."""
        paths = (self.folder / model).glob("*.csv")
        return sorted(path.name for path in paths if path.stem.endswith(("_day3meals", "_cut12h")))

    def series(self) -> list[str]:
        """List the series of glucose in mg/dL for the metrics by name."""
        return sorted(path.stem for path in (self.folder / "metrics").glob("*.csv") if "mmol" not in path.stem)
