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


STORED_RUN = "s2008/sim_results.csv"
ROW_MIN = 3
"""A row of it is the mean of three minutes: what was given in them, and glucose at the end of each."""
MEALS_AT_MIN = (1, 2, 0, 2, 1, 0, 2, 1, 0)
"""In which minute of its row each meal was announced, which the file does not say."""


@dataclass(frozen=True)
class StoredRun:
    """What adolescent#001 was given in each minute, and his glucose below the skin in mg/dL, mean of three minutes."""

    parameters: Mapping[str, str]
    insulin_u_per_h: FloatArray
    carbs_g: FloatArray
    glucose_mg_per_dl: FloatArray


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

    def stored_run(self) -> StoredRun | None:
        """Read the run that simglucose keeps beside its code, `s2008/sim_results.csv`; None where it is not there."""
        if not (self.folder / STORED_RUN).is_file():
            return None
        rows = [row for row in self.table(STORED_RUN) if row["insulin"]]
        glucose = self.column(self.table(STORED_RUN), "BG")[1 : len(rows) + 1]
        carbs_g = np.zeros((len(rows), ROW_MIN))
        meals = [place for place, row in enumerate(rows) if float(row["CHO"])]
        for place, minute in zip(meals, MEALS_AT_MIN, strict=True):
            carbs_g[place, minute] = ROW_MIN * float(rows[place]["CHO"])
        insulin_u_per_h = 60.0 * np.repeat(self.column(rows, "insulin"), ROW_MIN)
        return StoredRun(self.s2008_person("adolescent001_"), insulin_u_per_h, carbs_g.ravel(), glucose)

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
