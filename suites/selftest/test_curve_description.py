"""A curve is described once: what is printed is what the interactive page shows, at the same places."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.curve import marks
from reports.curve.description import Axis, Classes, Curve, Panel, log_room, room
from reports.curve.interactive import interactive
from reports.curve.printed import printed
from reports.documents import write_page
from reports.kinds import KINDS, curves_of, kind_of
from reports.kinds.kind import DrawnLimits
from rig.record.analyses import (
    Analysis,
    BolusNumbers,
    DayNumbers,
    Flow,
    OcclusionNumbers,
    Other,
    Stability,
    Trace,
    Trumpet,
)
from rig.record.folder import read_model
from rig.record.reading import read_run
from suites.selftest.recorded import BASAL, BOLUS, computed, keep, without_further_curves

DAY = DayNumbers(
    kind="day", title="a day", programmed_u=(0.5, 1.0, 0.0), weighed_u=(0.45, 1.1, 0.0), logged_u=1.5, reservoir_u=None
)
NUMBERS = st.floats(-1e6, 1e6).map(lambda number: round(number, 6))


def test_every_kind_of_the_record_has_a_module_and_every_other_is_shown_as_its_numbers() -> None:
    models = {model: model.model_fields["kind"].annotation for model in get_args(Analysis) if model is not Other}
    assert {kind for annotation in models.values() for kind in get_args(annotation)} == set(KINDS)
    leak = Other.of({"kind": "leak", "title": "Leak", "leak_ul_per_h": 0.25})
    (block,) = kind_of(leak).blocks(leak, DrawnLimits())
    assert block == {"block": "facts", "rows": (("leak ul per h", "0.25"),)}


def test_the_page_shows_every_curve_that_the_report_prints_and_no_other(run: Path) -> None:
    without_further_curves(run)
    keep(run, BASAL, "day", DAY)
    page = write_page(read_run(run), run).read_text(encoding="utf-8")
    assert [re.sub(r"^\d+-([\d]+-)*", "", name) for name in re.findall(r'id="annex-numbers-([^"]+)"', page)] == [
        "day",
        "trumpet",
        "flow",
        "boluses",
        "bolus-classes",
        "occlusion",
    ]
    assert re.findall(r'id="numbers-\d+-([^"]+)"', page) == ["trumpet", "boluses", "occlusion"]


def test_a_day_stands_on_the_page_hour_by_hour() -> None:
    (curve,) = curves_of(DAY, DrawnLimits())
    weighed, programmed, difference = interactive(curve).data
    assert tuple(weighed.x) == tuple(programmed.x) == (0, 1, 2, 3)
    assert tuple(weighed.y) == (0.45, 0.45, 1.1, 0.0)  # each hour's value stands at its end
    assert tuple(programmed.y) == (0.5, 0.5, 1.0, 0.0)
    assert tuple(difference.x) == (0.5, 1.5, 2.5)
    assert tuple(difference.y) == pytest.approx((-0.05, 0.1, 0.0))


@given(values=st.lists(NUMBERS, min_size=1, max_size=20), share=st.floats(0.01, 0.5))
def test_room_is_left_at_both_ends_alike(values: list[float], share: float) -> None:
    low, high = room(values, share)
    assert low < min(values) <= max(values) < high
    assert min(values) - low == pytest.approx(high - max(values), rel=1e-6, abs=1e-6)


@given(values=st.lists(st.floats(1e-6, 1e6), min_size=2, max_size=20))
def test_room_on_a_logarithmic_axis_is_the_same_factor_at_both_ends(values: list[float]) -> None:
    low, high = log_room(values)
    assert min(values) / low == pytest.approx(high / max(values), rel=1e-6)
    assert low < min(values)


def test_a_value_on_a_scale_of_classes_stands_at_the_same_place_in_print_and_on_the_page() -> None:
    percent = (10.0, 60.0, 97.0, 100.0, 104.0, 170.0, 390.0)
    scale = Classes((0.0, 25.0, 95.0, 105.0, 250.0, 400.0), (0.0, 1.0, 2.0, 5.0, 6.0, 7.0))
    y = Axis("delivered / %", 0.0, 400.0, scale, ((25.0, "25"), (105.0, "105")))
    points = marks.Points("each", range(7), percent)
    curve = Curve("classes", "Classes", "", "", (Panel(Axis("number", -1.0, 7.0), y, (points,)),), height_in=2.0)
    figure = interactive(curve)
    (trace,) = figure.data
    assert tuple(trace.customdata) == percent  # what a reader is told is the value, not its place
    assert tuple(figure.layout.yaxis.range) == (0.0, 7.0)
    assert tuple(figure.layout.yaxis.tickvals) == (1.0, 5.0)
    (group,) = (each for each in ET.fromstring(printed(curve)).findall(".//{*}g") if each.get("id") == "each")
    heights = np.array([float(mark.get("y") or "nan") for mark in group.findall(".//{*}use")])
    slope, offset = np.polyfit(trace.y, heights, 1)
    assert slope < 0.0
    assert heights == pytest.approx(slope * np.asarray(trace.y) + offset, abs=0.01)


def test_marks_of_a_logarithmic_axis_stand_where_plotly_wants_them() -> None:
    drawn: tuple[marks.Mark, ...] = (
        marks.Line("line", (1.0, 100.0), (1.0, 2.0)),
        marks.Across("x", 10.0),
        marks.Note("ten", 10.0, 1.0),
        marks.Note("above", 10.0, 1.0, of_panel="y"),
    )
    panel = Panel(Axis("time / s", 1.0, 1000.0, "log"), Axis("flow", 0.0, 4.0), drawn)
    layout = interactive(Curve("log", "Log", "", "", (panel,), height_in=2.0)).layout
    assert tuple(layout.xaxis.range) == (0.0, 3.0)
    assert (layout.shapes[0].x0, layout.shapes[0].yref) == (10.0, "y domain")
    assert [(note.x, note.yref) for note in layout.annotations] == [(1.0, "y"), (1.0, "y domain")]


def test_every_mark_has_a_place_in_both_drawings_and_the_print_is_the_same_bytes_each_time() -> None:
    drawn: tuple[marks.Mark, ...] = (
        marks.Steps("steps", (0.0, 1.0, 2.0), (1.0, 2.0)),
        marks.Points("points", (0.5, 1.5), (1.0, 2.0), u=(0.1, 0.2)),
        marks.Line("how well it is known", (0.75, 1.25), (2.5, 2.5), marker=5.0, symbol="|"),
        marks.Bars("bars", (0.0, 1.0), (0.5, 1.5), (1.0, 2.0), bases=(0.5, 0.0), names=("first", "second")),
        marks.Shade("y", 1.0, 1.5),
        marks.DoubleArrow(1.0, 0.5, 1.5),
    )
    axis = Axis("value", 0.0, 3.0)
    curve = Curve("all", "All", "", "", (Panel(axis, axis, drawn, heading="words above"),), height_in=2.0, legend=1)
    svg = printed(curve)
    assert printed(curve) == svg
    for name in ("steps", "points", "first", "second", "words above"):
        assert name in svg
    figure = interactive(curve)
    assert [trace.name for trace in figure.data] == ["steps", "points", "how well it is known", "bars"]
    bars = figure.data[3]
    assert (tuple(bars.x), tuple(bars.y), tuple(bars.base)) == ((0.25, 1.25), (1.0, 2.0), (0.5, 0.0))
    assert tuple(figure.data[1].error_y.array) == (0.1, 0.2)
    assert (tuple(figure.data[2].x), figure.data[2].marker.symbol) == ((0.75, 1.25), "line-ns-open")
    (arrow,) = figure.layout.annotations
    assert (arrow.x, arrow.ay, arrow.y) == (1.0, 0.5, 1.5)
    assert figure.layout.title.subtitle.text == "words above"


def test_no_name_stands_twice_in_a_file(recorded: Path) -> None:
    run = read_run(recorded)
    limits = DrawnLimits({60.0: (-15.0, 15.0)}, (-5.0, 5.0), (0.9, 1.1), 240.0)
    for curve in (curve for each in run.analyses for curve in curves_of(each.analysis, limits)):
        ids = [each.get("id") for each in ET.fromstring(printed(curve)).iter() if each.get("id")]
        assert len(ids) == len(set(ids))


TRUMPET = Trumpet(
    kind="trumpet", title="an hour", rate_u_per_h=1.0, interval_min=60.0, windows_min=(60.0,), error_max_percent=(0.0,),
    error_min_percent=(0.0,), overall_error_percent=0.0, density_g_per_ml=1.0, stabilisation_h=0.0, analysis_h=1.0,
    dose_interval_s=None, flow=Flow(at_h=(1.0,), flow_u_per_h=(1.0,)), hourly=None, cumulative_error_percent=(0.0,),
    start_up=Flow(at_h=(1.0,), flow_u_per_h=(1.0,)), doses_u=(0.05, 0.05),
    stability=Stability(averaging_s=(2.0,), deviation_u_per_h=(0.0,), reading_u=None),
)  # fmt: skip
BOLUSES = BolusNumbers(
    kind="bolus", title="one", programmed_u=1.0, delivered_u=(1.0,), u_u=None, mean_error_percent=0.0, sd_percent=0.0,
    worst_error_percent=0.0, bins=dict.fromkeys("abcdefg", 0) | {"h": 1}, tail_percent=None,
)  # fmt: skip
OCCLUSION = OcclusionNumbers(
    kind="occlusion", title="never alarmed", rate_u_per_h=1.0, occluded_at_s=0.0, alarm_at_s=None, released_at_s=None,
    time_to_alarm_s=None, pressure_at_alarm_kpa=0.0, missed_u=0.0, released_u=0.0, compliance_ul_per_kpa=None,
    trace=Trace(at_s=(0.0, 60.0), pressure_kpa=(0.0, 0.0), delivered_u=(0.0, 0.0)),
)  # fmt: skip
SMALL_DAY = DayNumbers(
    kind="day", title="an hour", programmed_u=(0.0,), weighed_u=(0.0,), logged_u=0.0, reservoir_u=None
)


@pytest.mark.parametrize(
    ("smallest", "count"), [(TRUMPET, 6), (BOLUSES, 2), (OCCLUSION, 1), (SMALL_DAY, 1)], ids=lambda each: str(each)[:16]
)
def test_the_smallest_record_is_drawn_in_print_and_on_the_page(smallest: Analysis, count: int) -> None:
    curves = curves_of(smallest, DrawnLimits())
    assert len(curves) == count
    for curve in curves:
        assert printed(curve).endswith("</svg>\n")
        for axis in (panel_axis for panel in curve.panels for panel_axis in (panel.x, panel.y)):
            assert axis.low != axis.high
        assert interactive(curve).layout.title.text == curve.title


def test_boluses_of_unknown_uncertainty_have_no_bars_of_it(recorded: Path) -> None:
    boluses = read_model(computed(recorded, BOLUS, "bolus"), BolusNumbers)
    known, _ = curves_of(boluses, DrawnLimits())
    unknown, _ = curves_of(boluses.model_copy(update={"u_u": None}), DrawnLimits())
    assert interactive(known).data[0].error_y.array == boluses.u_u
    assert interactive(unknown).data[0].error_y.array is None
    assert "its uncertainty is not known" in unknown.caption
