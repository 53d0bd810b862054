"""Print-outs of balances, logs of flow meters, tables of dispenses, workbooks: the same pump, the same number."""

import datetime
import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
import openpyxl
import pytest
import xlwt

from rig.errors import DataFileError
from rig.offline.analyse import Supplied, analyse_file
from rig.offline.question import ask
from suites.stands.log_files import MG_PER_U, basal_log, bolus_log

ASKED = {"kind": "basal", "rate": "1 U/h", "stabilisation": "0 h", "analysis": "rest", "windows": "15 min"}
ZERO = datetime.datetime(2025, 4, 3, 23, 0)
Line = Callable[[int, float], str]


def samples(hours: float = 2.0) -> list[tuple[float, float]]:
    at_s, mass_mg = basal_log(hours=hours)
    return list(zip(at_s.tolist(), (mass_mg / 1000).tolist(), strict=True))


def supplied(path: Path, content: str | bytes, **options: str) -> Supplied:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return analyse_file(path, ask({**ASKED, **options}))


def error_percent(found: Supplied) -> float:
    value = found.analysed.content["overall_error_percent"]
    assert isinstance(value, float)
    return value


def said(found: Supplied) -> str:
    return " ".join(finding.sentence for finding in (*found.understood, *found.analysed.findings))


# ---------------------------------------------------------------- print-outs

LINES: dict[str, Line] = {
    "MT-SICS": lambda n, g: f"S {'D' if n % 7 == 0 else 'S'} {g:11.6f} g",
    "MT-SICS of an emulator": lambda n, g: f"SI {'D' if n % 7 == 0 else 'S'} {g:11.6f} g",
    "Sartorius, 16 characters": lambda n, g: f"+ {g:9.5f} {'g  ' if n % 7 else '   '}",
    "Sartorius, 22 characters": lambda n, g: f"N     + {g:9.5f} {'g  ' if n % 7 else '   '}",
    "A&D, standard": lambda n, g: f"{'ST' if n % 7 else 'US'},{g:+010.5f}  g",
    "A&D, DP": lambda n, g: f"{'WT' if n % 7 else 'US'}  {g:+9.5f}  g",
    "A&D, BA-T": lambda n, g: f"{'ST' if n % 7 else 'US'},N,{g:+010.5f}  g",
    "A&D, CSV": lambda n, g: f"{'ST' if n % 7 else 'US'},{g:+010.5f},  g",
    "A&D, KF": lambda n, g: f"{g:+10.5f} {'  g' if n % 7 else ''}",
    "Ohaus": lambda n, g: f"{g:10.5f} g {' ' if n % 7 else '?'} N",
    "Radwag": lambda n, g: f"SI {' ' if n % 7 else '?'}  {g:9.5f} g  ",
    "Radwag, print key": lambda n, g: f"{' ' if n % 7 else '?'}   {g:9.5f} g  ",
    "Kern, single letters": lambda n, g: f"  {g:11.5f} {'g  ' if n % 7 else ''}",
    "Kern, SFB": lambda n, g: f"{'ST' if n % 7 else 'US'},GS {g:8.5f}  g",
}
STAMPS: dict[str, Callable[[float], str]] = {
    "none": lambda _: "",
    "ISO": lambda t: f"{(ZERO + datetime.timedelta(seconds=t)).isoformat()} ",
    "clock": lambda t: f"{ZERO + datetime.timedelta(seconds=t):%H:%M:%S} ",
    "brackets": lambda t: f"[{ZERO + datetime.timedelta(seconds=t):%Y-%m-%d %H:%M:%S.%f}] RX: ",
    "American": lambda t: f"{ZERO + datetime.timedelta(seconds=t):%m/%d/%Y %I:%M:%S %p}, ",
    "seconds": lambda t: f"{t:.1f} s;",
}


@pytest.mark.parametrize("maker", list(LINES))
@pytest.mark.parametrize("stamp", list(STAMPS))
def test_print_outs_of_every_maker_with_every_stamp(tmp_path: Path, maker: str, stamp: str) -> None:
    lines = (STAMPS[stamp](t) + LINES[maker](n, g) for n, (t, g) in enumerate(samples()))
    options = {"interval": "30 s"} if stamp == "none" else {}
    found = supplied(tmp_path / "log.txt", "\r\n".join(lines) + "\r\n", **options)
    assert error_percent(found) == pytest.approx(0.0, abs=0.02)
    assert "Of 241 samples the balance marks 35 as not at rest, the first in row 1" in said(found)


def sics() -> list[str]:
    return [f"S S {g:11.6f} g" for _, g in samples()]


def test_answers_that_are_no_weights_are_left_out_and_told(tmp_path: Path) -> None:
    lines = ['I4 A "B000000000"', "Z A", 'I2 A "XPR6 6.1 g"', *sics()]
    found = supplied(tmp_path / "log.txt", "\n".join(lines) + "\n", interval="30 s")
    assert error_percent(found) == pytest.approx(0.0, abs=1e-3)
    assert "3 lines were no samples and took no time" in said(found)


@pytest.mark.parametrize("answer", ["S +", "S -", "S L", "ES", "S S  Error 10b", "Err 54"])
def test_an_answer_without_a_weight_is_a_bad_row_that_took_its_time(tmp_path: Path, answer: str) -> None:
    lines = sics()
    lines[100] = answer
    text = "\n".join(lines) + "\n"
    with pytest.raises(DataFileError, match="row 101 says that the balance"):
        supplied(tmp_path / "log.txt", text, interval="30 s")
    found = supplied(tmp_path / "log.txt", text, interval="30 s", bad_rows="skip")
    assert error_percent(found) == pytest.approx(0.0, abs=1e-3)


def test_a_restart_between_samples_without_times_cannot_be_joined(tmp_path: Path) -> None:
    lines = sics()
    lines.insert(120, 'I4 A "B000000000"')
    text = "\n".join(lines) + "\n"
    with pytest.raises(
        DataFileError, match=r"row 121: the balance was started anew .* no line tells how long that took"
    ):
        supplied(tmp_path / "log.txt", text, interval="30 s")
    with pytest.raises(DataFileError, match="nobody knows, so it cannot be joined"):
        supplied(tmp_path / "log.txt", text, interval="30 s", on_break="join")
    stamped = "\n".join(f"{30 * n} s {line}" for n, line in enumerate(lines))
    assert error_percent(supplied(tmp_path / "log.txt", stamped + "\n")) == pytest.approx(0.0, abs=0.9)


def test_a_tare_that_the_balance_tells_of_is_joined_whatever_its_size(tmp_path: Path) -> None:
    rows = samples()
    tared = [f"S S {g - (rows[119][1] if n >= 120 else 0.0):11.6f} g" for n, (_, g) in enumerate(rows)]
    tared.insert(120, "T S    5.009481 g")
    text = "\n".join(tared) + "\n"
    with pytest.raises(DataFileError, match=r"row 122: the mass falls|row 121: the balance was tared"):
        supplied(tmp_path / "log.txt", text, interval="30 s")
    found = supplied(tmp_path / "log.txt", text, interval="30 s", on_break="join")
    assert error_percent(found) == pytest.approx(0.0, abs=2.6)  # a dose may fall into the step that is lost


# ---------------------------------------------------------------- flow meters


def flow_rows(unit: float, every_s: float = 1.0, hours: float = 2.0) -> list[tuple[float, float]]:
    at_s = np.arange(0.0, hours * 3600.0 + every_s / 2, every_s)
    flow = 10.0 * (1.0 + 0.5 * np.sin(2 * np.pi * at_s / 60.0)) / unit  # µL/h about 10: 1 U/h
    return list(zip(at_s.tolist(), flow.tolist(), strict=True))


@pytest.mark.parametrize(
    ("header", "unit_ul_per_h"),
    [
        ("time [s],flow [µL/h]", 1.0),
        ("Time (s),Flow (ul/min)", 60.0),
        ("t [s],Flow rate [nL/s]", 3.6),
        ("Time [s],Flow [mL/h]", 1000.0),
        ("Time [s],fmeasure [ml/min]", 60000.0),
        ("Time [s],Fluss [µl/min]", 60.0),
        ("Time [s],Mass flow [mg/h]", 1.0 / 0.998),
        ("Time [s],Flow [g/h]", 1000.0 / 0.998),
        ("Time [s],flow [U/h]", 10.0),
    ],
)
def test_a_measured_flow_is_integrated(tmp_path: Path, header: str, unit_ul_per_h: float) -> None:
    rows = "\n".join(f"{t:g},{flow!r}" for t, flow in flow_rows(unit_ul_per_h))
    found = supplied(tmp_path / "flow.csv", f"{header}\n{rows}\n")
    assert error_percent(found) == pytest.approx(0.0, abs=1e-3)
    assert "The flow was integrated along straight lines between samples 1 s apart" in said(found)
    assert "a flow meter's needs --flow-calibration and --flow-zero" in said(found)


def test_the_uncertainty_of_a_flow_meter_is_its_sensitivity_and_its_zero(tmp_path: Path) -> None:
    rows = "\n".join(f"{t:g},{flow!r}" for t, flow in flow_rows(60.0))
    text = f"time [s],flow [µL/min]\n{rows}\n"
    found = supplied(tmp_path / "flow.csv", text, flow_calibration="2 %", flow_zero="0.05 µL/h")
    mean = next(each for each in found.analysed.measured if each.name == "mean basal error")
    # u of 20 µL in 2 h: 2 % of 20 µL, and 0.05 µL/h × 2 h
    assert mean.expanded_uncertainty == pytest.approx(2.0 * 100.0 * np.hypot(0.4, 0.1) / 20.0, rel=1e-6)


def test_a_flow_that_is_no_flow_of_a_pump_is_refused(tmp_path: Path) -> None:
    rows = "\n".join(f"{t:g},{-flow!r}" for t, flow in flow_rows(60.0))
    with pytest.raises(DataFileError, match="the volume falls all the way"):
        supplied(tmp_path / "flow.csv", f"time [s],flow [µL/min]\n{rows}\n")
    rows = "\n".join(f"{t:g},{flow!r}" for t, flow in flow_rows(60.0))
    with pytest.raises(DataFileError, match="1e\\+03 times what the rate programmes"):
        supplied(tmp_path / "flow.csv", f"time [s],flow [mL/min]\n{rows}\n")


# ---------------------------------------------------------------- one weighing per dispense


def test_a_table_of_dispenses_each_or_running(tmp_path: Path) -> None:
    sizes_u = [1.0, 0.98, 1.1, 0.6, 1.3]
    each = "\n".join(f"{n},{size * MG_PER_U:.4f}" for n, size in enumerate(sizes_u, start=1))
    asked = {"kind": "bolus", "bolus": "1 U"}
    path = tmp_path / "table.csv"
    path.write_text(f"no,mass [mg]\n{each}\n", encoding="utf-8")
    one = analyse_file(path, ask({**asked, "dispenses": "each"}))
    assert one.analysed.content["delivered_u"] == pytest.approx(sizes_u, abs=1e-4)
    shown = np.cumsum([0.0, *sizes_u]) * MG_PER_U + 3000.0
    path.write_text("reading [mg]\n" + "\n".join(f"{value:.4f}" for value in shown) + "\n", encoding="utf-8")
    two = analyse_file(path, ask({**asked, "dispenses": "running"}))
    assert two.analysed.content["delivered_u"] == pytest.approx(sizes_u, abs=1e-4)
    assert "5 dispenses, differences of rows" in said(two)
    tared = [*shown[:3], *(shown[3:] - 3000.0)]
    path.write_text("reading [mg]\n" + "\n".join(f"{value:.4f}" for value in tared) + "\n", encoding="utf-8")
    with pytest.raises(DataFileError, match="row 5: the mass falls, and --dispenses running takes"):
        analyse_file(path, ask({**asked, "dispenses": "running"}))


def test_a_balance_tared_before_each_bolus_loses_none(tmp_path: Path) -> None:
    sizes_u = [1.0, 0.9, 1.1, 1.0]
    at_s, mass_mg = bolus_log(sizes_u)
    for number in range(1, len(sizes_u)):
        mass_mg[at_s >= number * 200.0 + 150.0] -= sizes_u[number - 1] * MG_PER_U
    rows = "\n".join(f"{t:g},{m:.4f}" for t, m in zip(at_s, mass_mg, strict=True))
    path = tmp_path / "log.csv"
    path.write_text(f"time [s],mass [mg]\n{rows}\n", encoding="utf-8")
    with pytest.raises(DataFileError, match="a tare, a restart or a disturbance"):
        analyse_file(path, ask({"kind": "bolus", "bolus": "1 U"}))
    found = analyse_file(path, ask({"kind": "bolus", "bolus": "1 U", "on_break": "join"}))
    assert found.analysed.content["delivered_u"] == pytest.approx(sizes_u, abs=1e-3)


# ---------------------------------------------------------------- pressures


@pytest.mark.parametrize(
    ("unit", "kpa"),
    [("kPa", 1.0), ("mbar", 0.1), ("hPa", 0.1), ("bar", 100.0), ("psi", 6.894757293168), ("mmHg", 0.133322387415),
     ("cmH2O", 0.0980665), ("Pa", 1e-3), ("MPa", 1e3)],
)  # fmt: skip
def test_pressures_in_every_unit(tmp_path: Path, unit: str, kpa: float) -> None:
    at_s = np.arange(0.0, 3600.0, 5.0)
    delivered_u = np.minimum(at_s, 600.0) / 3600.0
    pressure_kpa = np.clip(at_s - 600.0, 0.0, 3000.0) / 25.0
    rows = (f"{t:g};{9.98 * u:.6f};{p / kpa:.9g}" for t, u, p in zip(at_s, delivered_u, pressure_kpa, strict=True))
    path = tmp_path / "log.csv"
    path.write_text("\n".join((f"time [s];mass [mg];Line pressure [{unit}]", *rows)) + "\n", encoding="utf-8")
    found = analyse_file(path, ask({"kind": "occlusion", "rate": "1 U/h", "closed": "10 min", "alarm": "50 min"}))
    assert found.analysed.content["pressure_at_alarm_kpa"] == pytest.approx(96.0, rel=1e-6)


# ---------------------------------------------------------------- workbooks


def write_xlsx(path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.title = "Info"
    book.active.append(["made by hand"])
    sheet = book.create_sheet("Data")
    sheet.append(["Zeit", "Gewicht [g]", "n"])
    for number, (t, g) in enumerate(samples()):
        sheet.append([ZERO + datetime.timedelta(seconds=t), g, number])
    book.save(path)


def write_xls(path: Path) -> None:
    book = xlwt.Workbook()
    sheet = book.add_sheet("Data")
    style = xlwt.easyxf(num_format_str="YYYY-MM-DD HH:MM:SS")
    for column, name in enumerate(("Time", "Weight (g)")):
        sheet.write(0, column, name)
    for row, (t, g) in enumerate(samples(), start=1):
        sheet.write(row, 0, ZERO + datetime.timedelta(seconds=t), style)
        sheet.write(row, 1, g)
    book.save(str(path))


@pytest.mark.parametrize(("name", "write"), [("log.xlsx", write_xlsx), ("log.xls", write_xls)])
def test_workbooks_old_and_new(tmp_path: Path, name: str, write: Callable[[Path], None]) -> None:
    write(tmp_path / name)
    found = analyse_file(tmp_path / name, ask(ASKED))
    assert error_percent(found) == pytest.approx(0.0, abs=1e-3)


def value_or_sentence(path: Path) -> float | str:
    try:
        return error_percent(analyse_file(path, ask(ASKED)))
    except DataFileError as refused:
        return str(refused)


@pytest.mark.parametrize(("name", "write"), [("log.xlsx", write_xlsx), ("log.xls", write_xls)])
def test_a_damaged_workbook_ends_in_a_sentence_or_in_the_right_number(
    tmp_path: Path, name: str, write: Callable[[Path], None]
) -> None:
    write(tmp_path / name)
    whole = (tmp_path / name).read_bytes()
    rng = random.Random(3)
    for _ in range(40):
        damaged = bytearray(whole)
        for _ in range(rng.randint(1, 30)):
            damaged[rng.randrange(len(damaged))] ^= 1 << rng.randrange(8)
        (tmp_path / name).write_bytes(damaged[: rng.choice([len(damaged), rng.randrange(len(damaged))])])
        value = value_or_sentence(tmp_path / name)
        assert "\n" not in value if isinstance(value, str) else value == pytest.approx(0.0, abs=6.0)
