"""The annex of a report shows a delivery beside its programme, with the numbers that the record keeps of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError
from pypdf import PdfReader

from reports.blocks import Sections
from reports.curve.printed import printed
from reports.kinds.day import DAY
from reports.kinds.kind import DrawnLimits
from reports.kinds.profile import profile_curve
from reports.pdf import write_annex_of
from rig.analysis.programme import Started, programmed_course
from rig.errors import EvidenceError
from rig.procedures.contents import Part, profile_content
from rig.procedures.volume import VolumeScale
from rig.record.analyses import DayNumbers, DeliveryProfile
from rig.record.files import write_json
from rig.roles import Air
from rig.run.reading import read_whole_run
from rig.therapy import BolusRequest
from suites.selftest.recorded import BOLUS, computed, sealed, without_further_curves
from suites.studies.coverage.laboratory import declared

SCALE = VolumeScale.in_air(declared(), Air(21.5, 1008.0, 0.48))
LATE = SCALE.budget(1.0, 60.0).linear(1.0, offset=11.0, unit="s")  # 12 s


def content() -> dict[str, Any]:
    """A bolus of 2 U, half of it over 60 min, of which 5 % are missing."""
    bolus = BolusRequest(fast_u=1.0, extended_u=1.0, duration_min=60)
    course = programmed_course([], [Started(0.0, bolus)], 0.0, 60.0, bolus_u_per_min=1.5)
    at_s = np.arange(0.0, 3700.0, 10.0)
    delivered_u = 0.95 * np.interp(at_s, course.at_s, course.insulin_u)
    kept = profile_content(
        "2 U, 50 % extended over 60 min",
        course=course,
        at_s=at_s,
        delivered_u=delivered_u,
        parts=[Part("immediate part", 0.0, 100.0, 1.0, SCALE.budget(0.95, 100.0))],
        moments={"beginning": LATE},
        evaporation=SCALE.evaporation,
    )
    return kept.model_dump(mode="json")


def reported(run: Path, kept: dict[str, Any]) -> str:
    without_further_curves(run)
    write_json(computed(run, BOLUS, "profile-1"), kept)
    sealed(run)
    annex = PdfReader(write_annex_of(read_whole_run(run), run))
    return " ".join(" ".join(page.extract_text().split()) for page in annex.pages)


def test_parts_and_moments_stand_beside_the_course(run: Path) -> None:
    said = reported(run, content())
    assert "2 U, 50 % extended over 60 min" in said
    assert "Delivered insulin beside its programme (dashed), and the difference." in said
    assert "Immediate part 0 s 1 min 40 s 1 U 0.95000 U" in said.replace("\N{NO-BREAK SPACE}", " ")
    assert "−5.00 %" in said.replace("\N{NO-BREAK SPACE}", " ")
    assert "Beginning 12.00000 s" in said.replace("\N{NO-BREAK SPACE}", " ")
    assert "Evaporation, ± u 0.0200 ± 0.0050 mg/h" in said.replace("\N{NO-BREAK SPACE}", " ")


def test_a_part_of_which_nothing_was_programmed_has_no_error_in_percent(run: Path) -> None:
    kept = content()
    kept["parts"][0] |= {"programmed_u": 0.0, "delivered_u": 0.0}
    assert "Immediate part 0 s 1 min 40 s 0 U 0.00000 U" in reported(run, kept).replace("\N{NO-BREAK SPACE}", " ")


def test_the_figure_is_the_same_bytes_each_time() -> None:
    profile = DeliveryProfile.model_validate(content())
    drawing = printed(profile_curve(profile))
    assert printed(profile_curve(profile)) == drawing
    assert "difference / U" in drawing


def test_a_record_that_does_not_agree_with_itself_is_refused_in_one_sentence(run: Path) -> None:
    kept = content()
    kept["trace"]["at_s"] = kept["trace"]["at_s"][:-1]
    with pytest.raises(EvidenceError, match=r"profile-1\.json: .*the arrays of the trace differ in length: 369, 370"):
        reported(run, kept)


def day(weighed_u: tuple[float, ...]) -> DayNumbers:
    return DayNumbers(
        kind="day", title="a day", programmed_u=(0.5, 1.0, 0.0), weighed_u=weighed_u, logged_u=1.5, reservoir_u=298.5
    )


def test_a_day_is_its_sums_and_one_step_an_hour() -> None:
    sums, drawing = Sections().shown(DAY.blocks(day((0.45, 1.1, 0.0)), DrawnLimits()))
    assert dict(sums["rows"])["Weighed"] == "1.550\N{NO-BREAK SPACE}U"
    assert dict(sums["rows"])["Programmed"] == "1.500\N{NO-BREAK SPACE}U"
    assert "1.55 U weighed of 1.50 U programmed" in drawing["alt"]


def test_a_day_with_an_hour_that_was_not_weighed_is_a_damaged_record() -> None:
    with pytest.raises(ValidationError, match="the hours"):
        day((0.45, 1.1))
