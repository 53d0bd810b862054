"""`rig analyse`: known answers, laws, every way to write a log, and the same numbers as a bench run."""

import csv
import datetime
import html.parser
import math
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pypdf import PdfReader
from typer.testing import CliRunner

from rig.bench.open import open_bench
from rig.cli.app import app
from rig.offline.analyse import analyse_files
from rig.offline.analysed import Analysed
from rig.offline.basal import BasalQuestion, analyse_basal
from rig.offline.log import BalanceLog
from rig.offline.question import Question, revised
from rig.offline.scale import Scale, Weighing
from rig.procedures.basal import STABILISATION, Basal
from rig.procedures.bolus import Bolus
from rig.procedures.consecutive import BolusGiven
from rig.procedures.procedure import Computed, Procedure, measure
from rig.record.appending import DirectAppender
from rig.record.files import read_json
from rig.record.taking import Recorder, read_taken
from suites.stands.log_files import BASAL, BOLUS, FloatArray, basal_log, bolus_log, write_log

BENCH = Path("fixtures/benches/virtual.toml")
SAMPLES = Path("fixtures/samples")


def analysed(path: Path, asked: Question) -> Analysed:
    (supplied,) = analyse_files([path], asked)
    return supplied.analysed


# ---------------------------------------------------------------- known answers


def test_a_perfect_pump_shows_the_rhythm_of_its_doses_and_nothing_else(tmp_path: Path) -> None:
    found = analysed(write_log(tmp_path / "log.csv", *basal_log()), BASAL).content
    assert found["windows_min"] == [15, 60, 150, 330, 570, 930]
    assert found["error_max_percent"] == pytest.approx([0.0] * 6, abs=1e-9)
    assert found["error_min_percent"] == pytest.approx([0.0] * 6, abs=1e-9)
    assert found["dose_interval_s"] == pytest.approx(180.0, rel=1e-4)
    assert found["hourly"]["within"]["5"] == 1.0
    assert found["doses_u"] == pytest.approx([0.05] * len(found["doses_u"]))


def test_volumes_count_from_the_start_of_the_pump(tmp_path: Path) -> None:
    path = write_log(tmp_path / "log.csv", *basal_log(rate_u_per_h=0.5))
    measured = {each.name: each for each in analysed(path, revised(BASAL, rate="0.5 U/h")).measured}
    for hours in (1, 6, 12):
        volume = measured[f"volume in the first {hours} h, without warm-up"]
        assert (volume.value, volume.unit) == (pytest.approx(0.5 * hours), "U")
        assert volume.expanded_uncertainty is None


def test_boluses_are_found_and_weighed_one_by_one(tmp_path: Path) -> None:
    sizes_u = [1.0, 0.98, 1.1, 0.6, 1.3]
    found = analysed(write_log(tmp_path / "log.csv", *bolus_log(sizes_u)), revised(BOLUS, duration="40 s"))
    assert found.content["delivered_u"] == pytest.approx(sizes_u)
    assert list(found.content["bins"].values()) == [0, 1, 0, 2, 1, 1, 0, 0]
    assert found.content["u_u"] is None
    assert found.content["tail_percent"] == pytest.approx(0.0, abs=1e-9)
    assert found.findings[-1].sentence.startswith(
        "5 boluses were found from the data, beginning after the rows 102, 202, 302, 402, 502."
    )


def test_a_bolus_that_never_came_counts_when_its_moment_is_given(tmp_path: Path) -> None:
    path = write_log(tmp_path / "log.csv", *bolus_log([1.0, 0.0, 1.0]))
    assert len(analysed(path, BOLUS).content["delivered_u"]) == 2
    told = analysed(path, revised(BOLUS, at=("200 s, 400 s", "10 min")))
    assert told.content["delivered_u"] == pytest.approx([1.0, 0.0, 1.0])
    starts = tmp_path / "starts.csv"
    starts.write_text("start [s]\n200\n400\n600\n", encoding="utf-8")
    assert analysed(path, revised(BOLUS, starts=starts)).content == told.content


def test_an_occlusion_of_a_line_of_known_compliance(tmp_path: Path) -> None:
    at_s = np.arange(0.0, 7200.0, 5.0)
    closed, opened = at_s >= 600.0, at_s > 5000.0
    delivered_u = np.where(closed, 600.0, at_s) / 3600.0 + np.where(opened, 3000.0 / 3600.0, 0.0)
    pressure_kpa = np.clip(at_s - 600.0, 0.0, 3000.0) / 25.0 * ~opened
    rows = (f"{t:g}\t{9.98 * u:.6f}\t{p:g}" for t, u, p in zip(at_s, delivered_u, pressure_kpa, strict=True))
    path = tmp_path / "log.tsv"
    path.write_text("\n".join(("time [s]\tmass [mg]\tpressure [kPa]", *rows)), encoding="utf-8")
    asked = Question(kind="occlusion", rate="1 U/h", closed="10 min", alarm="60 min", released="5000 s")
    found = analysed(path, asked).content
    assert found["time_to_alarm_s"] == 3000.0
    assert found["pressure_at_alarm_kpa"] == 120.0
    assert found["missed_u"] == pytest.approx(3000.0 / 3600.0, abs=1e-6)
    assert found["released_u"] == pytest.approx(3000.0 / 3600.0, abs=1e-6)
    assert found["compliance_ul_per_kpa"] == pytest.approx(10.0 / 3600.0 * 25.0)
    silent = analysed(path, revised(asked, alarm=None, released=None)).content
    assert silent["time_to_alarm_s"] is None
    assert silent["released_u"] is None


# ---------------------------------------------------------------- laws


def curve_of(at_s: FloatArray, mass_mg: FloatArray) -> Analysed:
    log = BalanceLog(at_s, mass_mg * 1e-3, None, np.arange(at_s.size), None, is_volume=False)
    asked = BasalQuestion(1.0, stabilisation_h=0.0, analysis_h=None, windows_min=(15.0, 60.0))
    return analyse_basal(log, asked, Scale(Weighing(), is_volume=False))


@settings(max_examples=25, deadline=None)
@given(
    factor=st.floats(0.5, 2.0),
    offset_mg=st.floats(-1e4, 1e4),
    later_s=st.floats(-1e5, 1e5),
    seed=st.integers(0, 1000),
)
def test_scaling_the_mass_scales_the_flow_and_shifts_change_nothing(
    factor: float, offset_mg: float, later_s: float, seed: int
) -> None:
    at_s, mass_mg = basal_log(hours=4.0)
    mass_mg = mass_mg + np.random.default_rng(seed).normal(0.0, 0.003, mass_mg.size)
    plain, scaled = curve_of(at_s, mass_mg).content, curve_of(at_s, factor * mass_mg).content
    assert scaled["flow"]["flow_u_per_h"] == pytest.approx([factor * flow for flow in plain["flow"]["flow_u_per_h"]])
    shifted = curve_of(at_s + later_s, mass_mg + offset_mg).content
    for key in ("error_max_percent", "error_min_percent", "overall_error_percent", "cumulative_error_percent"):
        assert shifted[key] == pytest.approx(plain[key], abs=1e-5)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_a_steady_flow_reads_the_same_however_irregularly_it_is_sampled(seed: int) -> None:
    at_s = np.concatenate([[0.0], np.sort(np.random.default_rng(seed).uniform(0.0, 14400.0, 400)), [14400.0]])
    found = curve_of(at_s, 9.98 * at_s / 3600.0).content
    assert found["error_max_percent"] == pytest.approx([0.0, 0.0], abs=1e-6)
    assert found["error_min_percent"] == pytest.approx([0.0, 0.0], abs=1e-6)


# ---------------------------------------------------------------- ways to write a log


def rows_of(at_s: FloatArray, mass_mg: FloatArray) -> list[tuple[float, float]]:
    return list(zip(at_s.tolist(), mass_mg.tolist(), strict=True))


def as_minutes_and_grams(path: Path, rows: list[tuple[float, float]]) -> None:
    lines = (f"{t / 60:.6f};{m / 1000:.9f}".replace(".", ",") for t, m in rows)
    path.write_text("\n".join(("time (min);mass_g", *lines)), encoding="utf-8")


def as_timestamps_and_micrograms(path: Path, rows: list[tuple[float, float]]) -> None:
    zero = datetime.datetime(2026, 3, 28, 22, 0, tzinfo=datetime.UTC)
    lines = (f"{(zero + datetime.timedelta(seconds=t)).isoformat()}\t{1000 * m:.3f}" for t, m in rows)
    path.write_text("\n".join(("Timestamp\tWeight [μg]", *lines)), encoding="utf-16")


def as_hours_minutes_seconds(path: Path, rows: list[tuple[float, float]]) -> None:
    lines = (f"{int(t) // 3600}:{int(t) // 60 % 60:02}:{int(t) % 60:02},{m:.6f} mg" for t, m in rows)
    path.write_text("\n".join(("elapsed,net", *lines)), encoding="utf-8")


def as_volume(path: Path, rows: list[tuple[float, float]]) -> None:
    lines = (f"{t / 3600!r},{m / 0.998!r}" for t, m in rows)
    path.write_text("\n".join(("time [hours],volume [ul]", *lines)), encoding="utf-8")


def as_print_out(path: Path, rows: list[tuple[float, float]]) -> None:
    path.write_text("\r\n".join(f"S S {m / 1000:12.7f} g" for _, m in rows), encoding="ascii")


def as_timed_print_out(path: Path, rows: list[tuple[float, float]]) -> None:
    path.write_text("\n".join(f"{t:g}  S D {m:12.4f} mg" for t, m in rows), encoding="ascii")


def as_workbook(path: Path, rows: list[tuple[float, float]]) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(["time [s]", "mass [mg]", "operator"])
    for row in rows:
        sheet.append([*row, "A"])
    book.save(path)


@pytest.mark.parametrize(
    ("write", "flags"),
    [
        (as_minutes_and_grams, {}),
        (as_timestamps_and_micrograms, {}),
        (as_hours_minutes_seconds, {}),
        (as_volume, {}),
        (as_print_out, {"interval": "30 s"}),
        (as_timed_print_out, {"time_unit": "s"}),
        (as_workbook, {}),
    ],
)
def test_every_way_to_write_a_log_gives_the_same_curve(
    tmp_path: Path, write: Callable[[Path, list[tuple[float, float]]], None], flags: dict[str, str]
) -> None:
    at_s, mass_mg = basal_log(rate_u_per_h=0.98)
    plain = analysed(write_log(tmp_path / "plain.csv", at_s, mass_mg), BASAL).content
    write(tmp_path / "log", rows_of(at_s, mass_mg))
    other = analysed(tmp_path / "log", revised(BASAL, **flags)).content
    for key in ("error_max_percent", "error_min_percent", "overall_error_percent"):
        assert other[key] == pytest.approx(plain[key], abs=2e-3)
    assert plain["overall_error_percent"] == pytest.approx(-2.0, abs=0.3)


def test_moments_are_written_as_timestamps_where_the_log_has_them(tmp_path: Path) -> None:
    at_s, mass_mg = bolus_log([1.0, 0.9])
    as_timestamps_and_micrograms(tmp_path / "log.csv", rows_of(at_s, mass_mg))
    told = revised(BOLUS, at=("2026-03-28T22:03:20+00:00", "2026-03-28T22:06:40+00:00"))
    assert analysed(tmp_path / "log.csv", told).content["delivered_u"] == pytest.approx([1.0, 0.9], abs=1e-4)


# ---------------------------------------------------------------- the same as a bench run


def evaporation_flags(content: dict[str, object]) -> dict[str, Any]:
    evaporation = content["evaporation"]
    assert isinstance(evaporation, dict)
    return {
        "evaporation": f"{evaporation['rate_mg_per_h']!r} mg/h",
        "evaporation_u": f"{evaporation['u_mg_per_h']!r} mg/h",
        "repeatability": "2.5 µg",
        "readability": "1 µg",
        "calibration": "0.01 %",
        "blank_wander": "12.5 µg",
        "blank_wander_per_hour": "9.5 µg",
    }


def air_flags(run: Path) -> dict[str, Any]:
    path = run / "environment.csv"
    with path.open(encoding="utf-8") as file:
        air = next(csv.DictReader(file))
    humidity = 100.0 * float(air["relative_humidity"])
    return {
        "air_temperature": f"{air['temperature_c']} °C",
        "air_pressure": f"{air['pressure_hpa']} hPa",
        "air_humidity": f"{humidity!r} %",
    }


def measured(folder: Path, procedure: Procedure) -> Computed:
    """Take a measurement on the virtual bench, and leave its readings in a folder."""
    with closing(DirectAppender()) as appender, open_bench(BENCH) as bench:
        return measure(bench, Recorder(folder, bench.clock, appender), procedure)


def test_the_log_of_a_basal_run_gives_the_numbers_of_the_run(tmp_path: Path) -> None:
    run = tmp_path / "basal"
    plan = Basal(rate_u_per_h=1.0, stabilisation_s=3600.0, analysis_s=6 * 3600.0, windows_s=(900.0, 3600.0, 9000.0))
    result = measured(run, plan)
    own = result.analyses["trumpet"].model_dump(mode="json")
    start_s = float(read_taken(run).series(STABILISATION).at_s[0])
    asked = Question(
        kind="basal", rate="1 U/h", dose="0.025 U", start=f"{start_s!r} s",
        stabilisation="1 h", analysis="6 h", windows="15 min, 60 min, 150 min",
        **evaporation_flags(own), **air_flags(run),
    )  # fmt: skip
    found = analysed(run / "balance.csv", asked)
    assert found.content["density_g_per_ml"] == pytest.approx(own["density_g_per_ml"], rel=1e-12)
    for key in ("error_max_percent", "error_min_percent", "overall_error_percent"):
        assert found.content[key] == pytest.approx(own[key], abs=0.01)  # grids apart by the time of a reading
    assert found.content["missed_doses"] == own["missed_doses"]
    assert found.content["dose_interval_found_s"] == pytest.approx(own["dose_interval_found_s"], rel=1e-4)
    assert own["dose_interval_found_s"] == pytest.approx(90.0, rel=1e-3)
    assert found.content["start_up"]["flow_u_per_h"] == pytest.approx(own["start_up"]["flow_u_per_h"], abs=5e-3)
    assert found.content["doses_u"] == pytest.approx(own["doses_u"], abs=2e-3)
    assert found.content["strokes"]["sd_u"] == pytest.approx(own["strokes"]["sd_u"], abs=1e-4)
    assert found.content["dose_expanded_u"] == pytest.approx(own["dose_expanded_u"], rel=0.1)
    reading_mg = math.hypot(2.5e-3, 1e-3 / math.sqrt(12.0))  # repeatability, and a step of 1 µg
    assert found.content["stability"]["reading_u"] == pytest.approx(reading_mg / own["density_g_per_ml"] / 10.0)
    assert found.content["stability"]["averaging_s"] == pytest.approx(own["stability"]["averaging_s"])
    assert found.content["stability"]["deviation_u_per_h"] == pytest.approx(
        own["stability"]["deviation_u_per_h"], rel=0.05, abs=1e-3
    )
    assert found.content["hourly"]["mean_percent"] == pytest.approx(own["hourly"]["mean_percent"], abs=0.01)
    expanded = {each.name: each.expanded_uncertainty or 0.0 for each in found.measured}
    assert expanded["mean basal error"] == pytest.approx(result.measured[0].expanded_uncertainty, rel=1e-4)
    assert not [finding for finding in found.findings if "--blank-wander" in finding.sentence]
    unsaid = revised(asked, blank_wander=None, blank_wander_per_hour=None)
    less = analysed(run / "balance.csv", unsaid)
    assert [finding.kind for finding in less.findings if "--blank-wander" in finding.sentence] == ["uncertainty"]
    assert (less.measured[0].expanded_uncertainty or math.inf) < expanded["mean basal error"]


def test_the_log_of_a_bolus_run_gives_the_numbers_of_the_run(tmp_path: Path) -> None:
    run = tmp_path / "bolus"
    result = measured(run, Bolus(size_u=1.0, count=6))
    own = result.analyses["bolus"].model_dump(mode="json")
    at = tuple(f"{given.commanded_at_s!r} s" for given in read_taken(run).facts(BolusGiven))
    asked = revised(BOLUS, at=at, duration="40 s", **evaporation_flags(own), **air_flags(run))
    found = analysed(run / "balance.csv", asked).content
    assert found["delivered_u"] == pytest.approx(own["delivered_u"], abs=2e-4)  # a fifth of their U
    assert found["mean_error_percent"] == pytest.approx(own["mean_error_percent"], abs=0.01)
    assert found["bins"] == own["bins"]


# ---------------------------------------------------------------- what is written


class _Addresses(html.parser.HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.policy = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value or "" for name, value in attrs if name in ("src", "href", "srcset", "data")]
        if tag == "meta" and ("http-equiv", "Content-Security-Policy") in attrs:
            self.policy = dict(attrs)["content"] or ""


def run_cli(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["analyse", *arguments])
    return result.exit_code, result.output


def test_the_samples_become_tables_figures_a_page_and_a_report_marked_simulated(tmp_path: Path) -> None:
    out = tmp_path / "out"
    code, said = run_cli(str(SAMPLES / "basal.csv"), "--kind", "basal", "--rate", "0.2 U/h", "--out", str(out))
    assert code == 0
    assert "basal.csv: The dose interval of 450 s was found from the data." in said
    for name in ("trumpet", "flow", "start-up", "hourly", "doses", "measured", "findings"):
        lines = (out / "basal" / f"{name}.csv").read_text(encoding="utf-8").splitlines()
        assert lines[:2] == [
            "# Analysis of supplied data: no verification run",
            "# SIMULATED — no evidence about any device",
        ]
    drawn = {path.name.split("-", 1)[1] for path in (out / "basal").glob("*.svg")}
    assert drawn == {"trumpet.svg", "flow.svg", "start-up.svg", "cumulative-error.svg", "doses.svg", "stability.svg"}
    assert all(">SIMULATED</text>" in path.read_text(encoding="utf-8") for path in (out / "basal").glob("*.svg"))
    numbers = read_json(out / "basal" / "analysis.json")
    assert numbers["simulated"] is True
    pages = [" ".join(page.extract_text().split()) for page in PdfReader(out / "report.pdf").pages]
    for page in pages:
        assert "Analysis of supplied data: no verification run" in page
        assert "SIMULATED — no evidence about any device" in page
    assert numbers["source"]["sha256"] in pages[0].replace(" ", "")
    assert "not known" in " ".join(pages)


def test_the_interactive_page_holds_all_it_needs_and_may_load_nothing(tmp_path: Path) -> None:
    out = tmp_path / "out"
    run_cli(str(SAMPLES / "bolus.csv"), "--kind", "bolus", "--bolus", "1 U", "--out", str(out))
    page = _Addresses()
    page.feed((out / "interactive.html").read_text(encoding="utf-8"))
    assert page.found == ["#content", "#part-1"]
    assert page.policy.startswith("default-src 'none'; script-src 'unsafe-inline';")
    assert "http" not in page.policy


def test_data_that_nobody_calls_simulated_are_not(tmp_path: Path) -> None:
    path = write_log(tmp_path / "log.csv", *bolus_log([1.0, 1.0]))
    assert run_cli(str(path), "--kind", "bolus", "--bolus", "1 U", "--out", str(tmp_path / "real"))[0] == 0
    text = " ".join(page.extract_text() for page in PdfReader(tmp_path / "real" / "report.pdf").pages)
    assert "simulated" not in text.lower()
    assert not any("SIMULATED" in figure.read_text(encoding="utf-8") for figure in (tmp_path / "real").rglob("*.svg"))
    run_cli(str(path), "--kind", "bolus", "--bolus", "1 U", "--out", str(tmp_path / "told"), "--simulated")
    assert "SIMULATED" in PdfReader(tmp_path / "told" / "report.pdf").pages[0].extract_text()


def test_nothing_is_overwritten_and_files_of_one_name_stay_apart(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    logs = [str(write_log(tmp_path / name / "log.csv", *bolus_log([1.0, 1.0]))) for name in ("a", "b")]
    asked = ("--kind", "bolus", "--bolus", "1 U", "--out", str(tmp_path / "out"))
    assert run_cli(*logs, *asked)[0] == 0
    assert (tmp_path / "out" / "log" / "boluses.csv").is_file()
    assert (tmp_path / "out" / "log-2" / "boluses.csv").is_file()
    result = CliRunner().invoke(app, ["analyse", *logs, *asked])
    assert "holds files already" in str(result.exception)
