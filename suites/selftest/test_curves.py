"""The curves of a run, printed and interactive: their numbers are those of the record, and what is missing is said."""

from __future__ import annotations

import html.parser
import json
import re
import shutil
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from reports.curve.description import Curve
from reports.curve.interactive import interactive
from reports.curve.printed import printed
from reports.documents import write_documents, write_page
from reports.kinds import curves_of
from reports.kinds.bolus import CLASS_EDGES_PERCENT, HEIGHTS
from reports.kinds.kind import DrawnLimits
from rig.analysis.uncertainty import WeighingUncertainty, delivered_volume
from rig.errors import EvidenceError
from rig.procedures.budgets import budgets_record
from rig.procedures.stopped import DELIVERED
from rig.record.analyses import Analysis, BolusNumbers, Budgets, Stability, Trumpet, model_of
from rig.record.files import read_json, write_json
from rig.record.reading import read_run
from suites.selftest.recorded import (
    BASAL,
    BOLUS,
    OCCLUSION,
    STOPPED,
    blocked,
    change,
    computed,
    ended,
    framed,
    keep,
    sealed,
    without_further_curves,
)
from suites.selftest.test_report import text
from suites.selftest.test_report_profile import content

FloatArray = np.ndarray[Any, np.dtype[np.float64]]
SIMULATED = "SIMULATED — no evidence about any device"
PROFILE = content()
STABILITY = Stability(
    averaging_s=(15.0, 30.0, 90.0, 600.0, 3600.0, 20000.0),
    deviation_u_per_h=(2.0, 1.1, 0.07, 0.05, 0.02, 0.006),
    reading_u=2.4e-4,
)


@pytest.fixture(scope="module")
def whole(recorded: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run with a delivery profile beside its boluses, and with a budget whose shares are known."""
    run = Path(shutil.copytree(recorded, tmp_path_factory.mktemp("whole") / "run"))
    write_json(computed(run, BOLUS, "profile-1"), PROFILE)
    volume = delivered_volume(
        0.0, 0.010, hours=1.0, z_ul_per_mg=1.0029, uncertainty=WeighingUncertainty(3e-6, 1e-6, 0.005, 0.02, 0.01)
    )
    further = {"the mean": volume.plus("scatter of 25", "A", 0.02, 24)}
    keep(run, BOLUS, "uncertainty", budgets_record("Uncertainty of 1 U", {DELIVERED.of(): volume}, {}, further))
    trumpet: Trumpet = analysis(run, BASAL, "trumpet")
    keep(run, BASAL, "trumpet", trumpet.model_copy(update={"stability": STABILITY}))
    for path in (computed(run, test, "uncertainty") for test in (BASAL, STOPPED, OCCLUSION)):
        path.unlink()
    sealed(run)
    return run


@pytest.fixture
def run(whole: Path, tmp_path: Path) -> Path:
    """A copy of it, to change."""
    return Path(shutil.copytree(whole, tmp_path / "changed"))


@pytest.fixture(scope="module")
def page(whole: Path) -> Page:
    """The interactive page of it."""
    return page_of(whole)


def curve(analysis: Analysis, name: str, limits: DrawnLimits | None = None) -> Curve:
    """The one curve of an analysis that has this name."""
    (found,) = (each for each in curves_of(analysis, limits or DrawnLimits()) if each.name == name)
    return found


def trumpet_json(run: Path) -> Path:
    return computed(run, BASAL, "trumpet")


def analysis(run: Path, test: str, name: str) -> Any:  # noqa: ANN401 - the model of what the file holds
    content = read_json(computed(run, test, name))
    return model_of(content["kind"]).model_validate(content)


# ---------------------------------------------------------------- printed

POINTS = 0.12
"""Matplotlib moves the corners of a line by up to a ninth of a point to save some."""


def points(svg: str, name: str) -> FloatArray:
    """The places (x, y) of what a figure calls `name`: of its markers, else of the corners of its path."""
    (group,) = (each for each in ET.fromstring(svg).findall(".//{*}g") if each.get("id") == name)
    marks = [(each.get("x"), each.get("y")) for each in group.findall(".//{*}use")]
    if marks:
        return np.array(marks, dtype=float)
    path = group.findall(".//{*}path")[0].get("d") or ""
    return np.array(re.findall(r"[-\d.]+", path), dtype=float).reshape(-1, 2)


def shows(places: FloatArray, values: Any) -> None:  # noqa: ANN401 - any numbers
    """Assert that places on the page are the values on a linear scale; upwards is downwards in SVG."""
    numbers = np.asarray(values, dtype=float)
    assert places.shape == numbers.shape
    slope, offset = np.polyfit(numbers, places, 1)
    assert slope < 0.0
    assert places == pytest.approx(slope * numbers + offset, abs=POINTS)


def steps(places: FloatArray, count: int) -> FloatArray:
    """The heights of a line of so many steps of one width, in the middle of each."""
    x, y = places.T
    middles = x[0] + (x[-1] - x[0]) * (np.arange(count) + 0.5) / count
    heights: FloatArray = np.interp(middles, x, y)
    return heights


def test_the_trumpet_shows_the_extremes_of_the_record(whole: Path) -> None:
    basal: Trumpet = analysis(whole, BASAL, "trumpet")
    svg = printed(curve(basal, "trumpet", DrawnLimits(windows_percent={60.0: (-15.0, 15.0)})))
    both = np.concatenate([points(svg, "largest-error")[:, 1], points(svg, "smallest-error")[:, 1]])
    shows(both, [*basal.error_max_percent, *basal.error_min_percent])
    assert "limit +15" in svg
    assert "limit −15" in svg


def test_flow_start_up_and_cumulative_error_are_those_of_the_record(whole: Path) -> None:
    basal: Trumpet = analysis(whole, BASAL, "trumpet")
    assert basal.start_up is not None
    assert len(basal.flow.at_h) == 12  # means of 15 min over 3 h
    assert len(basal.start_up.at_h) == 4  # likewise over 1 h of stabilisation
    shows(steps(points(printed(curve(basal, "flow")), "flow"), 12), basal.flow.flow_u_per_h)
    shows(steps(points(printed(curve(basal, "start-up")), "flow"), 4), basal.start_up.flow_u_per_h)
    svg = printed(curve(basal, "cumulative-error", DrawnLimits(whole_percent=(-5.0, 5.0))))
    shows(points(svg, "cumulative-error")[:, 1], basal.cumulative_error_percent)
    assert "limit of the whole period +5" in svg


def test_every_dose_stands_in_a_bar(whole: Path) -> None:
    basal: Trumpet = analysis(whole, BASAL, "trumpet")
    assert basal.doses_u is not None
    assert 119 <= len(basal.doses_u) <= 120  # 3 U of 0.025 U each
    svg = printed(curve(basal, "doses"))
    counts, _ = np.histogram(basal.doses_u, bars_of(basal))
    bars = [points(svg, f"doses-{number}")[:, 1] for number in range(len(counts))]
    heights = np.array([corners.max() - corners.min() for corners in bars])
    assert heights / heights.sum() == pytest.approx(counts / len(basal.doses_u), abs=1e-4)
    assert f"{len(basal.doses_u)} doses" in svg
    assert basal.dose_expanded_u is not None
    assert f"U of one dose, {100.0 * basal.dose_expanded_u / 0.025:.2g}" in svg


def bars_of(basal: Trumpet) -> int:
    """How many bars the doses of the run stand in."""
    return len(re.findall(r'id="doses-\d+"', printed(curve(basal, "doses"))))


def test_steadiness_is_drawn_beside_what_the_balance_alone_makes(whole: Path) -> None:
    svg = printed(curve(analysis(whole, BASAL, "trumpet"), "stability"))
    balance = [np.sqrt(3.0) * 3600.0 * 2.4e-4 / tau for tau in STABILITY.averaging_s]
    places = np.concatenate([points(svg, "stability")[:, 1], points(svg, "balance")[[0, -1], 1]])
    shows(places, np.log10([*STABILITY.deviation_u_per_h, balance[0], balance[-1]]))
    assert "dose interval 90 s" in svg


def test_without_the_scatter_of_readings_there_is_no_line_for_the_balance(run: Path) -> None:
    change(trumpet_json(run), stability=STABILITY.model_copy(update={"reading_u": None}).model_dump())
    svg = printed(curve(analysis(run, BASAL, "trumpet"), "stability"))
    assert "balance" not in svg


def test_boluses_stand_in_the_bands_of_their_classes(whole: Path) -> None:
    percent = (10.0, 50.0, 80.0, 97.0, 103.0, 110.0, 150.0, 200.0, 260.0)
    boluses: BolusNumbers = analysis(whole, BOLUS, "bolus").model_copy(
        update={
            "delivered_u": tuple(each / 100.0 for each in percent),
            "u_u": None,
            "bins": dict(zip(analysis(whole, BOLUS, "bolus").bins, (1, 1, 1, 2, 1, 1, 1, 1), strict=True)),
        }
    )
    svg = printed(curve(boluses, "bolus-classes"))
    bands = np.concatenate([[0.0], np.cumsum(HEIGHTS)])
    shows(points(svg, "boluses")[:, 1], np.interp(percent, [0.0, *CLASS_EDGES_PERCENT, 400.0], bands))
    for words in ("1 in <25", "2 in 95–<105", "1 in >250"):
        assert words in svg.replace("&lt;", "<").replace("&gt;", ">")


def test_bars_are_as_wide_as_the_shares_of_the_budget(whole: Path) -> None:
    budgets: Budgets = analysis(whole, BOLUS, "uncertainty")
    svg = printed(curve(budgets, "uncertainty"))
    for budget in budgets.budgets:
        widths, shares = [], []
        for source in ("evaporation", "repeatability", "readability", "calibration of the balance"):
            corners = points(svg, f"{budget.quantity}: {source}")[:, 0]
            widths.append(corners.max() - corners.min())
            shares.append(sum(row.share_percent for row in budget.rows if row.source.startswith(source)))
        assert np.array(widths) / sum(widths) == pytest.approx(np.array(shares) / sum(shares), abs=1e-4)
    assert "scatter of 25" in svg
    assert "U = 0.022" in svg


# ---------------------------------------------------------------- interactive


class Page(html.parser.HTMLParser):
    """What a page asks the browser for, its policy, and its words outside scripts."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.source = path.read_text(encoding="utf-8")
        self.addresses: list[str] = []
        self.policy = ""
        self.words: list[str] = []
        self.figures: dict[str, list[dict[str, Any]]] = {}
        self.drawn = self.watermarks = 0
        self._in_script = False
        self.feed(self.source)
        self._read_figures()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._in_script = tag in ("script", "style")
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href", "srcset", "data")]
        if tag == "meta" and ("http-equiv", "Content-Security-Policy") in attrs:
            self.policy = dict(attrs)["content"] or ""

    def handle_endtag(self, _: str) -> None:
        self._in_script = False

    def handle_data(self, data: str) -> None:
        if not self._in_script:
            self.words += data.split()

    def _read_figures(self) -> None:
        """Read the traces of each figure by its title, in the order of the page."""
        for written in re.findall(r'<script type="application/json"[^>]*>(.*?)</script>', self.source, re.DOTALL):
            figure = json.loads(written)
            self.figures[figure["layout"]["title"]["text"]] = figure["data"]
            self.drawn += 1
            notes = figure["layout"].get("annotations", ())
            self.watermarks += any(note["text"] == "SIMULATED" for note in notes)


def page_of(run: Path) -> Page:
    folder = run.with_name(f"{run.name}, drawn")
    folder.mkdir(exist_ok=True)
    return Page(write_page(read_run(run), folder))


def test_the_page_shows_the_numbers_of_the_record(whole: Path, page: Page) -> None:
    figures = page.figures
    basal: Trumpet = analysis(whole, BASAL, "trumpet")
    largest, smallest, *limits = figures["Trumpet curve"]
    assert (largest["y"], smallest["y"]) == (list(basal.error_max_percent), list(basal.error_min_percent))
    assert [limit["y"][0] for limit in limits] == [-15.0, 15.0]
    assert figures["Flow over the analysis period"][0]["y"][1:] == list(basal.flow.flow_u_per_h)
    assert figures["Flow over the analysis period"][0]["x"][:2] == [0.0, 0.25]
    assert basal.start_up is not None
    assert figures["Start-up"][0]["y"][1:] == list(basal.start_up.flow_u_per_h)
    assert figures["Cumulative error"][0]["y"] == list(basal.cumulative_error_percent or ())
    counts, edges = np.histogram(np.array(basal.doses_u) / 0.025 * 100.0, bars_of(basal))
    assert figures["Single doses"][0]["y"] == counts.tolist()
    assert figures["Single doses"][0]["x"] == pytest.approx((edges[:-1] + edges[1:]) / 2.0)
    assert figures["Single doses"][0]["width"] == pytest.approx(np.diff(edges))
    assert figures["Steadiness of flow"][0]["y"] == list(STABILITY.deviation_u_per_h)
    boluses: BolusNumbers = analysis(whole, BOLUS, "bolus")
    (weighed,) = figures["Boluses as weighed"]
    assert (weighed["y"], weighed["error_y"]["array"]) == (list(boluses.delivered_u), list(boluses.u_u or ()))
    assert figures["Classes of size (21 CFR 880.5730 labels)"][1]["x"] == list(boluses.bins.values())
    occlusion = analysis(whole, OCCLUSION, "occlusion-1")
    trace = occlusion.trace
    pressure, weighed, due = figures["Occlusion"]
    assert (pressure["y"], weighed["y"]) == (list(trace.pressure_kpa), list(trace.delivered_u))
    alarm_h = occlusion.time_to_alarm_s / 3600.0
    at_closing_u = np.interp(occlusion.occluded_at_s, trace.at_s, trace.delivered_u)
    assert due["x"] == pytest.approx([0.0, 60.0 * alarm_h])  # min
    assert due["y"] == pytest.approx([at_closing_u, at_closing_u + alarm_h])  # at 1 U/h
    delivered, programmed, difference = figures["Delivery beside its programme"]
    assert delivered["y"] == PROFILE["trace"]["delivered_u"]
    assert programmed["y"] == PROFILE["course"]["insulin_u"]
    assert difference["y"] == pytest.approx([-u / 19.0 for u in delivered["y"]])  # a twentieth of the programme
    (budget,) = map(interactive, curves_of(analysis(whole, BOLUS, "uncertainty"), DrawnLimits()))
    shares = {each["name"]: each["x"] for each in budget.data}
    assert [sum(column) for column in zip(*shares.values(), strict=True)] == pytest.approx([100.0, 100.0])
    assert shares["evaporation"][0] == pytest.approx(84.4, abs=0.05)


def test_the_page_loads_nothing(page: Page) -> None:
    assert all(address.startswith(("#", "data:image/svg+xml;base64,")) for address in page.addresses)
    assert page.policy.startswith("default-src 'none'; script-src 'unsafe-inline';")
    assert "http" not in page.policy


def test_the_page_and_every_figure_of_a_simulated_run_say_so(page: Page) -> None:
    assert SIMULATED in " ".join(page.words)
    assert page.watermarks == page.drawn == 13  # ten in the annex, three of them in the report, too


def test_the_page_of_a_real_bench_does_not_call_itself_simulated(run: Path) -> None:
    framed(run, run_id="a", virtual=False, seed=None, bench={"name": "Lab"})
    page = page_of(run)
    assert page.figures
    assert page.watermarks == 0
    assert "SIMULATED" not in " ".join(page.words)


def test_the_page_of_an_interrupted_run_says_so(run: Path) -> None:
    ended(run, "interrupted")
    page = page_of(run)
    assert "INTERRUPTED — this run was stopped before its end" in " ".join(page.words)


def test_titles_are_text_and_never_run(run: Path) -> None:
    change(trumpet_json(run), title="<script>alert(1)</script>")
    page = page_of(run)
    assert "<script>alert" not in page.source
    assert "&lt;script&gt;alert" in page.source


def test_the_same_run_folder_gives_the_same_page_also_elsewhere(run: Path, page: Page) -> None:
    assert page_of(run).source == page.source


def test_a_page_that_cannot_be_written_is_one_sentence(run: Path) -> None:
    (run / "report.html").mkdir()
    with pytest.raises(EvidenceError, match=r"report\.html: cannot be written \(Is a directory\)"):
        write_page(read_run(run), run)


# ---------------------------------------------------------------- what a record does not hold


def test_an_older_run_leaves_curves_out_and_says_which(run: Path) -> None:
    without_further_curves(run)
    sentence = (
        "Not drawn, because the record does not hold it: start-up flow, cumulative error, single doses and Allan "
        "deviation of flow."
    )
    page = page_of(run)
    assert sentence in " ".join(page.words)
    assert {"Start-up", "Cumulative error", "Single doses", "Steadiness of flow"}.isdisjoint(page.figures)
    assert sentence in text(run)


def test_doses_that_nobody_could_tell_apart_are_left_out_with_the_reason(run: Path) -> None:
    change(trumpet_json(run), doses_u=None, strokes=None, no_doses_because="the delivery has no rhythm of 60 s or less")
    sentence = (
        "Not drawn, because the record does not hold it: single doses (the delivery has no rhythm of 60 s or less)."
    )
    assert sentence in text(run)
    page = page_of(run)
    assert sentence in " ".join(page.words)
    assert "Single doses" not in page.figures


def test_what_is_known_of_single_doses_stands_above_the_curve(run: Path) -> None:
    basal: Trumpet = analysis(run, BASAL, "trumpet")
    assert basal.strokes is not None
    strokes = basal.strokes.model_copy(update={"mean_u": 0.0251, "cv_percent": 7.97})
    keep(run, BASAL, "trumpet", basal.model_copy(update={"dose_interval_found_s": 90.02, "strokes": strokes}))
    said = text(run)
    assert "Dose interval as found 90.02 s" in said
    assert "Mean and SD of a dose 0.0251 U, 8.0 %" in said
    assert "Not drawn" not in said


def test_a_run_without_any_curve_has_a_page_all_the_same(run: Path) -> None:
    shutil.rmtree(run / "reports")
    blocked(run, {"pump": "no reply within 2 s; is it powered?"})
    written = write_documents(run)
    assert list(written) == ["Report", "Annex", "Page"]
    page = Page(written["Page"])
    assert page.drawn == 0
    assert "no reply within 2 s; is it powered?" in " ".join(page.words)


def test_a_run_of_format_1_has_its_curves(old_run: Path) -> None:
    page = page_of(old_run)
    (trumpet,) = (each.analysis for each in read_run(old_run).analyses if isinstance(each.analysis, Trumpet))
    assert page.figures["Trumpet curve"][0]["y"] == list(trumpet.error_max_percent)
    assert page.watermarks == page.drawn == 12


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"cumulative_error_percent": [0.0]}, "the cumulative error"),
        ({"start_up": {"at_h": [1.0, 2.0], "flow_u_per_h": [1.0]}}, "the start-up flow"),
        (
            {"stability": {"averaging_s": [1.0, 2.0], "deviation_u_per_h": [1.0], "reading_u": None}},
            "the stability",
        ),
    ],
)
def test_arrays_that_do_not_belong_together_give_no_report(run: Path, values: dict[str, Any], named: str) -> None:
    change(trumpet_json(run), **values)
    with pytest.raises(EvidenceError, match=f"the arrays of {named} differ in length"):
        read_run(run)
