"""Logs as laboratories really have them: each gives the right value, or one sentence naming row, column and way out.

The pump behind every log delivers 1 U/h in whole doses of 0.05 U, so the right mean error is 0 % unless said otherwise.
"""

import datetime
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from rig.cli.app import app
from rig.errors import DataFileError
from rig.offline.analyse import Supplied, analyse_file
from rig.offline.question import ask
from suites.stands.log_files import basal_log

Lines = Callable[[], list[str]]
ASKED = {"kind": "basal", "rate": "1 U/h", "stabilisation": "0 h", "analysis": "rest", "windows": "15 min"}
ZERO = datetime.datetime(2025, 4, 3, 23, 0)


def samples(hours: float = 2.0, every_s: float = 30.0) -> list[tuple[float, float]]:
    at_s, mass_mg = basal_log(hours=hours, every_s=every_s)
    return list(zip(at_s.tolist(), mass_mg.tolist(), strict=True))


def supplied(tmp_path: Path, lines: list[str] | bytes, **options: str | bool) -> Supplied:
    path = tmp_path / "log.csv"
    path.write_bytes(lines if isinstance(lines, bytes) else ("\n".join(lines) + "\n").encode())
    return analyse_file(path, ask({**ASKED, **options}))


def error_percent(tmp_path: Path, lines: list[str] | bytes, **options: str | bool) -> float:
    found = supplied(tmp_path, lines, **options).analysed.content["overall_error_percent"]
    assert isinstance(found, float)
    return found


def refusal(tmp_path: Path, lines: list[str] | bytes, **options: str | bool) -> str:
    with pytest.raises(DataFileError) as refused:
        supplied(tmp_path, lines, **options)
    sentence = str(refused.value)
    assert "\n" not in sentence
    return sentence


def said(found: Supplied) -> str:
    return " ".join(finding.sentence for finding in (*found.understood, *found.analysed.findings))


def table(header: str = "time [s],mass [mg]") -> list[str]:
    return [header, *(f"{t:.0f},{m:.3f}" for t, m in samples())]


# ---------------------------------------------------------------- never a wrong number without a word


def sics(every: int = 0) -> list[str]:
    lines = [f"S S {m / 1000:11.6f} g" for _, m in samples()]
    return ["S I" if every and number % every == every - 1 else line for number, line in enumerate(lines)]


def test_a_line_without_a_weight_still_took_its_interval(tmp_path: Path) -> None:
    found = supplied(tmp_path, sics(every=5), interval="30 s", bad_rows="skip")
    assert found.analysed.content["overall_error_percent"] == pytest.approx(0.0, abs=1e-6)
    volume = next(each for each in found.analysed.measured if each.name.startswith("volume in the first 1 h"))
    assert volume.value == pytest.approx(1.0)
    assert "Row 5 says that the balance could not weigh then ('S I'); it was left out as asked." in said(found)
    assert "Each row that was left out still took its 30 s" in said(found)


def dipped(by_mg: float, rows: range) -> list[str]:
    lines = table()
    for row in rows:
        time, mass = lines[row - 1].split(",")
        lines[row - 1] = f"{time},{float(mass) + by_mg:.3f}"
    return lines


@pytest.mark.parametrize("by_mg", [-5000.0, -5.0, -1.2, 1.4, 5.0, 20000.0])
@pytest.mark.parametrize("rows", [range(122, 123), range(60, 63), range(240, 242)])
def test_what_leaves_its_line_and_comes_back_is_a_disturbance(tmp_path: Path, by_mg: float, rows: range) -> None:
    lines = dipped(by_mg, rows)
    first = rows[0]
    sentence = refusal(tmp_path, lines)
    assert f"row {first}" in sentence or f"row {rows[-1] + 1}" in sentence
    found = supplied(tmp_path, lines, on_break="join")
    assert found.analysed.content["overall_error_percent"] == pytest.approx(0.0, abs=1e-6)
    assert f"row {first}" in said(found) or f"rows {first}" in said(found)
    assert f"{len(rows)} " in next(f.sentence for f in found.analysed.findings if f.kind == "left out")


def test_a_pot_put_on_the_pan_was_not_delivered(tmp_path: Path) -> None:
    lines = dipped(2500.0, range(150, 243))
    assert "row 150: the mass rises by 2500 mg in 30 s, more than the pump can deliver" in refusal(tmp_path, lines)
    assert error_percent(tmp_path, lines, on_break="join") == pytest.approx(0.0, abs=0.1)
    assert error_percent(tmp_path, lines, on_break="longest", windows="15 min") == pytest.approx(0.0, abs=4.0)
    burst = dipped(6.0, range(150, 243))
    assert error_percent(tmp_path, burst, largest_rise="1 U") == pytest.approx(100 * 6.0 / (2 * 9.98), abs=1e-3)


@pytest.mark.parametrize("share", [0.05, 0.5, 0.95, 1.0, 1.05, 3.0])
def test_a_falling_mass_is_refused_at_any_slope_and_analysed_when_told(tmp_path: Path, share: float) -> None:
    lines = ["time [s],mass [g]", *(f"{t:.0f},{205 - share * m / 1000:.6f}" for t, m in samples())]
    assert "the mass falls all the way from row 2 to row 242" in refusal(tmp_path, lines)
    assert "--loss-in-weight" in refusal(tmp_path, lines)
    found = supplied(tmp_path, lines, loss_in_weight=True)
    assert found.analysed.content["overall_error_percent"] == pytest.approx(100.0 * (share - 1.0), abs=1e-3)
    assert "What left the reservoir on the pan counts as delivered." in said(found)


def test_a_reservoir_that_is_none_is_refused(tmp_path: Path) -> None:
    assert "--loss-in-weight says that the mass of a reservoir falls, and it rises" in refusal(
        tmp_path, table(), loss_in_weight=True
    )


def two_fields(header: str = "time") -> list[str]:
    rows = samples(every_s=10.0)
    return [f"{header},mass [mg]", *(f"{int(t) // 60:02}:{int(t) % 60:02},{m:.3f}" for t, m in rows)]


def test_minutes_and_seconds_are_no_hours_and_minutes(tmp_path: Path) -> None:
    sentence = refusal(tmp_path, two_fields())
    assert "column 'time' holds '00:10', which could be minutes and seconds or hours and minutes" in sentence
    assert "--time-format mm:ss or --time-format hh:mm" in sentence
    assert error_percent(tmp_path, two_fields(), time_format="mm:ss") == pytest.approx(0.0, abs=1e-6)
    assert error_percent(tmp_path, two_fields("time [mm:ss]")) == pytest.approx(0.0, abs=1e-6)
    assert "the times are in a unit sixty times smaller" in refusal(tmp_path, two_fields(), time_format="hh:mm")


def test_a_line_that_lost_its_end_is_no_sample(tmp_path: Path) -> None:
    lines = sics()
    lines[100] = lines[100][:10]
    assert "row 101 holds '5.0' without a unit, where other lines have one: is it cut off?" in refusal(
        tmp_path, [*lines[:100], "S S    5.0", *lines[101:]], interval="30 s"
    )
    cut = "\n".join(table()).encode()[:-3]
    assert "with fewer decimals than the 3 of all other rows: is it cut off?" in refusal(tmp_path, cut)


def test_a_file_without_a_header_loses_no_sample(tmp_path: Path) -> None:
    lines = table()[1:]
    options = {"time_unit": "s", "mass_unit": "mg"}
    for columns in ({"time_column": "0", "mass_column": "5000.000"}, {"time_column": "1", "mass_column": "2"}, {}):
        found = supplied(tmp_path, lines, **options, **columns)
        assert "there is no header, row 1 is a sample" in said(found)
        assert "Used: 241 of 241 rows" in said(found)
    sentence = refusal(tmp_path, lines)
    assert "the file has no header" in sentence
    assert "--time-column 1 --time-unit s --mass-column 2 --mass-unit mg" in sentence


def test_a_unit_that_the_numbers_contradict_is_refused(tmp_path: Path) -> None:
    grams = ["time [s],mass [mg]", *(f"{t:.0f},{m / 1000:.6f}" for t, m in samples())]
    assert "as when the numbers are in a unit a thousand times larger than was read (mg and g" in refusal(
        tmp_path, grams
    )
    assert error_percent(tmp_path, grams, header_units="ignore", mass_unit="g", time_unit="s") == pytest.approx(
        0.0, abs=1e-3
    )
    assert "is in 'mg', --mass-unit says 'g': one of them is wrong" in refusal(tmp_path, grams, mass_unit="g")
    told = supplied(tmp_path, grams, implausible="accept")
    assert "The record grows by 0.001 times what was programmed" in said(told)


def test_thousands_and_decimals_are_told_apart_by_the_whole_column(tmp_path: Path) -> None:
    english = ["time [s],mass [mg]", *(f'"{t:,.0f}","{m:,.3f}"' for t, m in samples())]
    assert "could be a decimal sign or one of thousands" in refusal(tmp_path, english)
    assert error_percent(tmp_path, english, decimal="point") == pytest.approx(0.0, abs=1e-6)
    swiss = ["time [s];mass [mg]", *(f"{t:.0f};{m:,.3f}".replace(",", "'") for t, m in samples())]
    assert error_percent(tmp_path, swiss) == pytest.approx(0.0, abs=1e-6)
    german = ["Zeit [s];Masse [mg]", *(f"{t:.0f};{m:,.3f}".translate({44: ".", 46: ","}) for t, m in samples())]
    found = supplied(tmp_path, german)
    assert found.analysed.content["overall_error_percent"] == pytest.approx(0.0, abs=1e-6)
    assert "the sign of the decimals is ',', of the thousands '.'" in said(found)
    grams = ["Zeit [s];Masse [g]", *(f"{t:.0f};{m / 1000 + 95:.3f}".replace(".", ",") for t, m in samples(hours=40))]
    assert error_percent(tmp_path, grams) == pytest.approx(0.0, abs=0.5)
    mixed = table("time [s];mass [mg]")
    mixed = [mixed[0], *(line.replace(",", ";") for line in mixed[1:])]
    mixed[50] = mixed[50].replace(".", ",")
    assert "one has a decimal comma, the other a decimal point" in refusal(tmp_path, mixed)


@pytest.mark.parametrize(
    "cell", ["#N/A", "#DIV/0!", "OVERLOAD", "-----", "Err 54", "OL", "+9999999E+19", "inf", "1e400"]
)
def test_a_cell_that_is_an_error_is_named(tmp_path: Path, cell: str) -> None:
    lines = table()
    lines[100] = f"3000,{cell}"
    assert f"row 101, column 'mass [mg]': holds {cell!r}" in refusal(tmp_path, lines)
    assert error_percent(tmp_path, lines, bad_rows="skip") == pytest.approx(0.0, abs=1e-6)


# ---------------------------------------------------------------- never refused without need


def dated(form: str, header: str = "Date", every_s: float = 30.0) -> list[str]:
    lines = [f"{header};Weight (g)"]
    for t, m in samples(every_s=every_s):
        at = ZERO + datetime.timedelta(seconds=t)
        lines.append(f"{at.strftime(form)};{m / 1000:.6f}")
    return lines


@pytest.mark.parametrize(
    "form",
    [
        "%d.%m.%Y %H:%M:%S", "%d/%m/%Y %H:%M:%S", "%m/%d/%y %I:%M:%S %p", "%Y/%m/%d %H:%M:%S", "%Y-%m-%dT%H:%M:%SZ",
        "%Y-%m-%d %H:%M:%S.%f", "%d-%b-%Y %H:%M:%S", "%d %B %Y %H:%M:%S", "%b %d, %Y %I:%M:%S %p", "%Y%m%d %H%M%S",
        "%Y%m%dT%H%M%S", "%a %b %d %H:%M:%S %Y", "%H:%M:%S %d.%m.%Y", "%d.%m.%y %H:%M:%S", "%Y-%m-%d_%H-%M-%S",
        "%d/%m/%Y, %H:%M:%S", "%m/%d/%Y %I:%M:%S%p", "%Y-%m-%d %H:%M:%S+02:00", "%y/%m/%d %H:%M:%S",
        "%d-%m-%Y %H.%M.%S",
        "%H:%M:%S",
    ],
)  # fmt: skip
def test_every_way_to_write_a_date_is_read_over_midnight(tmp_path: Path, form: str) -> None:
    assert error_percent(tmp_path, dated(form)) == pytest.approx(0.0, abs=1e-6)


def test_midnight_may_be_left_away(tmp_path: Path) -> None:
    lines = [line.replace(" 00:00:00", "") for line in dated("%d.%m.%Y %H:%M:%S")]
    assert error_percent(tmp_path, lines) == pytest.approx(0.0, abs=1e-6)


def test_a_date_whose_order_is_open_is_refused_only_where_it_matters(tmp_path: Path) -> None:
    rows = [f"0{day}/0{day + 1}/2025 00:00:00;{5 + 0.01 * day:.6f}" for day in range(1, 6)]
    assert "which is the day and which the month is open, and it matters: say it by --date-format" in refusal(
        tmp_path, ["Date;Weight (g)", *rows]
    )
    same_day = dated("%d/%m/%Y %H:%M:%S")[:60]
    told = supplied(tmp_path, same_day)
    assert "Day and month may be the other way round: the durations are the same." in said(told)
    with pytest.raises(DataFileError, match="--date-format"):
        supplied(tmp_path, same_day, start="2025-04-03T23:00:00")


def duration(t: float) -> str:
    return str(datetime.timedelta(seconds=t))


@pytest.mark.parametrize(
    "write",
    [
        duration,
        lambda t: f"{int(t) // 86400} days {int(t) // 3600 % 24:02}:{int(t) // 60 % 60:02}:{int(t) % 60:02}",
        lambda t: f"{int(t) // 86400}.{int(t) // 3600 % 24:02}:{int(t) // 60 % 60:02}:{int(t) % 60:02}",
        lambda t: f"{int(t) // 3600}:{int(t) // 60 % 60:02}:{int(t) % 60:02}.000",
        lambda t: f"{int(t) // 3600}h {int(t) // 60 % 60}m {int(t) % 60}s",
        lambda t: f"{t / 60:.4f} min",
        lambda t: f"{1743721200 + t:.3f}",
    ],
)
def test_durations_of_more_than_a_day(tmp_path: Path, write: Callable[[float], str]) -> None:
    rows = samples(hours=26.0, every_s=300.0)
    lines = ["elapsed;mass [mg]", *(f"{write(t)};{m:.3f}" for t, m in rows)]
    assert error_percent(tmp_path, lines) == pytest.approx(0.0, abs=1e-3)


@pytest.mark.parametrize(
    "header",
    [
        "time [s],mass [mg],Rate (measured) [g/min]", "Time (s),Weight (mg),Flow rate [mL/h]", "t/s,m/mg,comment",
        "seconds,milligrams,x", "Elapsed Time (sec),Net Weight (mg),Status", "Time [s],Balance reading [mg],Temp [°C]",
        "time in s,mass in mg,note", "TIME_S,MASS_MG,N", "Zeit [s],Gewicht [mg],T [°C]", "Zeit (s),Messwert (mg),n",
        "Time since start [Seconds],Mass (net) [mg],rate [U/h]",
    ],
)  # fmt: skip
def test_headers_are_read_as_people_write_them(tmp_path: Path, header: str) -> None:
    lines = [header, *(f"{line},1" for line in table()[1:])]
    assert error_percent(tmp_path, lines) == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize(
    ("unit", "factor"),
    [("g", 1e-3), ("kg", 1e-6), ("mg", 1.0), ("µg", 1e3), ("ug", 1e3), ("grams", 1e-3), ("mcg", 1e3)],
)
def test_masses_in_every_unit(tmp_path: Path, unit: str, factor: float) -> None:
    rows = [f"{t:.0f},{m * factor!r}" for t, m in samples()]
    assert error_percent(tmp_path, [f"time [s],weight ({unit})", *rows]) == pytest.approx(0.0, abs=1e-3)


def test_a_unit_said_twice_and_a_clock_said_in_brackets(tmp_path: Path) -> None:
    grams = ["time [s],Weight (grams)", *(f"{t:.0f},{m / 1000:.6f}" for t, m in samples())]
    assert error_percent(tmp_path, grams, mass_unit="g") == pytest.approx(0.0, abs=1e-3)
    clock = ["Elapsed [hh:mm:ss],Weight (g)", *(f"{duration(t)},{m / 1000:.6f}" for t, m in samples())]
    assert error_percent(tmp_path, clock) == pytest.approx(0.0, abs=1e-3)
    zone = dated("%Y-%m-%d %H:%M:%S", "Timestamp (UTC)")
    assert error_percent(tmp_path, zone) == pytest.approx(0.0, abs=1e-3)


def test_date_time_flag_and_unit_each_in_a_column(tmp_path: Path) -> None:
    lines = ["no,date,time,flag,weight,unit"]
    for number, (t, m) in enumerate(samples(), start=1):
        at = ZERO + datetime.timedelta(seconds=t)
        flag = "US" if number % 9 == 1 else "ST"
        lines.append(f"{number},{at:%Y/%m/%d,%H:%M:%S},{flag},{m / 1000:+014.6f},  g")
    found = supplied(tmp_path, lines, time_column="time", mass_unit="g")
    assert found.analysed.content["overall_error_percent"] == pytest.approx(0.0, abs=1e-6)
    assert "Of 241 samples the balance marks 27 as not at rest, the first in row 2; they were used" in said(found)
    assert error_percent(tmp_path, lines, unstable="leave-out") == pytest.approx(0.0, abs=3.0)
    assert "row 2" not in refusal(tmp_path, [*lines[:9], lines[9].replace("  g", " kg"), *lines[10:]])


def test_a_gap_is_bridged_when_asked(tmp_path: Path) -> None:
    lines = [line for number, line in enumerate(table()) if not 121 <= number <= 160]
    assert "1230 s without a sample, more than 900 s" in refusal(tmp_path, lines)
    found = supplied(tmp_path, lines, on_break="join")
    assert found.analysed.content["overall_error_percent"] == pytest.approx(0.0, abs=1e-6)
    assert "across 1 gap the mass is taken as a straight line" in said(found)


def test_what_was_delivered_in_a_gap_with_a_tare_nobody_knows(tmp_path: Path) -> None:
    lines = [line for number, line in enumerate(dipped(-5000.0, range(161, 243))) if not 121 <= number <= 160]
    assert "how much was delivered meanwhile nobody knows, so it cannot be joined" in refusal(
        tmp_path, lines, on_break="join"
    )


def test_two_samples_in_one_tick_are_ordinary_and_a_clock_that_stands_is_not(tmp_path: Path) -> None:
    lines = table()
    twice = [*lines[:100], f"{lines[99].split(',')[0]},{lines[100].split(',')[1]}", *lines[101:]]
    found = supplied(tmp_path, twice)
    assert found.analysed.content["overall_error_percent"] == pytest.approx(0.0, abs=1e-6)
    assert "1 sample has the time of the sample before (first: row 101)" in said(found)
    stands = [line if not 100 <= row <= 130 else f"3000,{line.split(',')[1]}" for row, line in enumerate(lines)]
    assert "the clock stood still" in refusal(tmp_path, stands)


def test_what_a_power_cut_leaves_is_named_and_left_out(tmp_path: Path) -> None:
    lines = [line.encode() for line in table()]
    lines.insert(120, bytes(64))
    data = b"\n".join(lines) + b"\n"
    assert "row 121 holds NUL characters, as a logger leaves that lost its power" in refusal(tmp_path, data)
    assert error_percent(tmp_path, data, bad_rows="skip") == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize(
    "above",
    [
        ["Balance: XPR", "Serial number: B000000000", "Operator: nn", ""],
        ["Balance,XPR", "Serial,123", "Interval,30"],
        ["sep=,"],
        ["# made by hand", "# SIMULATED"],
        ["Report", "", "No of samples,241,"],
    ],
)
def test_lines_above_the_header_are_no_samples(tmp_path: Path, above: list[str]) -> None:
    found = supplied(tmp_path, [*above, *table()])
    assert found.analysed.content["overall_error_percent"] == pytest.approx(0.0, abs=1e-6)
    assert "Used: 241 of 241 rows" in said(found)
    assert found.simulated is any("SIMULATED" in line for line in above)


def test_units_may_stand_in_a_row_of_their_own(tmp_path: Path) -> None:
    assert error_percent(tmp_path, ["time,mass", "s,mg", *table()[1:]]) == pytest.approx(0.0, abs=1e-6)
    assert error_percent(tmp_path, ["Time,Weight", "[s],[mg]", *table()[1:]]) == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252", "utf-32"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_encoding_and_end_of_line(tmp_path: Path, encoding: str, end: str) -> None:
    lines = ["time [s],mass [mg],room °C", *(f"{line},21 °C" for line in table()[1:])]
    data = (end.join(lines) + end).encode(encoding)
    assert error_percent(tmp_path, data) == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|", "   ", " "])
def test_every_delimiter(tmp_path: Path, delimiter: str) -> None:
    lines = [line.replace(",", delimiter) for line in table("time_s,mass_mg")]
    assert error_percent(tmp_path, lines) == pytest.approx(0.0, abs=1e-6)


def test_a_record_one_second_short_says_so(tmp_path: Path) -> None:
    rows = [f"{t:.0f},{m:.3f}" for t, m in samples(hours=49.0, every_s=300.0)]
    rows[-1] = f"{49 * 3600 - 1},{rows[-1].split(',')[1]}"
    path = tmp_path / "log.csv"
    path.write_text("\n".join(["time [s],mass [mg]", *rows]) + "\n", encoding="utf-8")
    with pytest.raises(DataFileError, match="24 h of stabilisation and 25 h of analysis do not fit, 1 s is missing"):
        analyse_file(path, ask({"kind": "basal", "rate": "1 U/h"}))


def test_a_rate_in_millilitres_and_the_methods_of_volumetric_pumps(tmp_path: Path) -> None:
    assert error_percent(tmp_path, table(), rate="0.01 mL/h", method="volumetric") == pytest.approx(0.0, abs=1e-6)
    assert error_percent(tmp_path, table(), rate="10 µL/h") == pytest.approx(0.0, abs=1e-6)


def test_the_newest_sample_may_stand_first(tmp_path: Path) -> None:
    lines = table()
    found = supplied(tmp_path, [lines[0], *lines[:0:-1]])
    assert found.analysed.content["overall_error_percent"] == pytest.approx(0.0, abs=1e-6)
    assert "The newest sample stands first" in said(found)


# ---------------------------------------------------------------- on the terminal


def test_brackets_are_no_markup_and_what_was_understood_stands_first(tmp_path: Path) -> None:
    lines = table()
    lines[101] = "3030,[/dev/ttyUSB0] timeout\x1b[31m"
    path = tmp_path / "log.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    flags = [part for name, value in ASKED.items() for part in (f"--{name}", value)]
    out = tmp_path / "out [v2]"
    result = CliRunner().invoke(app, ["analyse", str(path), *flags, "--bad-rows", "skip", "--out", str(out)])
    assert result.exit_code == 0
    assert "Row 102, column 'mass [mg]': holds '[/dev/ttyUSB0] timeout[31m'" in result.output
    assert f"{out}/report.pdf" in result.output
    assert "\x1b" not in result.output
    printed = result.output.splitlines()
    assert printed[0] == "log.csv: Read as delimited text (commas between cells)."
    assert printed[1] == "log.csv: Time: column 'time [s]', numbers in s."
    assert printed[2] == "log.csv: Mass: column 'mass [mg]', in mg (said in the file), decimal point."
    assert printed[3] == "log.csv: First sample: row 2 at 0 s, 5 g; last sample: row 242 at 7200 s, 5.01996 g."
    assert printed[4] == "log.csv: Used: 240 of 241 rows; 1 was left out, for the reasons below."
    written = (out / "log" / "findings.csv").read_text(encoding="utf-8")
    assert "[/dev/ttyUSB0] timeout" in written
    assert written.index("Read as delimited text") < written.index("Row 102")


def test_a_moment_may_be_a_time_of_day_on_a_clock_over_midnight(tmp_path: Path) -> None:
    lines = ["time,mass [mg]", *(f"{ZERO + datetime.timedelta(seconds=t):%H:%M:%S},{m:.3f}" for t, m in samples())]
    found = supplied(tmp_path, lines, start="00:00:00")
    volume = next(each for each in found.analysed.measured if each.name.startswith("volume in the first 1 h"))
    assert found.analysed.content["analysis_h"] == 1.0
    assert volume.value == pytest.approx(1.0)


# ---------------------------------------------------------------- found by looking for silent wrong numbers


def test_two_balances_in_one_file_give_no_number(tmp_path: Path) -> None:
    rows = [f"{t:.0f},{mass:.3f}" for t, m in samples() for mass in (m, 0.3 * m)]
    assert "the readings scatter by" in refusal(tmp_path, ["time [s],mass [mg]", *rows])


def test_a_column_that_tells_another_rate_contradicts(tmp_path: Path) -> None:
    rows = [f"{line},{{}}" for line in table()[1:]]
    two = ["time [s],mass [mg],rate [U/h]", *(row.format("2") for row in rows)]
    assert "the rate is 2 U/h, --rate says 1 U/h: one of them is wrong" in refusal(tmp_path, two)
    same = ["time [s],mass [mg],Rate (mL/h)", *(row.format("0.0100") for row in rows)]
    assert error_percent(tmp_path, same) == pytest.approx(0.0, abs=1e-6)
    other = ["time [s],mass [mg],rate [U/h]", *(row.format("1" if n < 60 else "2") for n, row in enumerate(rows))]
    assert "row 62, column 'rate [U/h]': the rate is '2', in the rows before '1'" in refusal(tmp_path, other)


def test_a_name_and_a_unit_of_two_quantities_contradict(tmp_path: Path) -> None:
    assert "column 'mass [µl]' is in 'µL', which is no unit of mass" in refusal(tmp_path, table("time [s],mass [µl]"))


@pytest.mark.parametrize("blank", ["", "err", "#N/A"])
def test_a_reading_that_failed_took_its_interval_even_when_the_line_is_blank(tmp_path: Path, blank: str) -> None:
    lines = ["mass [mg]", *(f"{m:.3f}" if n % 10 else blank for n, (_, m) in enumerate(samples()))]
    assert "--bad-rows skip" in refusal(tmp_path, lines, interval="30 s")
    assert error_percent(tmp_path, lines, interval="30 s", bad_rows="skip") == pytest.approx(0.0, abs=1e-3)
    printed = [f"S S {m / 1000:11.6f} g" if n % 10 else "" for n, (_, m) in enumerate(samples())]
    assert error_percent(tmp_path, printed, interval="30 s", bad_rows="skip") == pytest.approx(0.0, abs=1e-3)


def test_double_spacing_is_no_missing_sample(tmp_path: Path) -> None:
    data = "\r\r\n".join(sics()).encode()
    assert error_percent(tmp_path, data, interval="30 s") == pytest.approx(0.0, abs=1e-3)


@pytest.mark.parametrize("names", ["time [s],mass [mg],comment", "time [s],mass [mg],temp [°C],x"])
def test_decimal_commas_taken_for_delimiters_are_seen_in_wider_tables(tmp_path: Path, names: str) -> None:
    form = "{:.0f},{:.3f}" if names.endswith("comment") else "{:.1f},{:.3f}"
    lines = [names, *(form.format(t, m).replace(".", ",") for t, m in samples())]
    assert "is a decimal comma taken for a delimiter?" in refusal(tmp_path, lines)


def test_a_small_tare_and_a_small_rise_are_seen_in_a_quiet_log(tmp_path: Path) -> None:
    assert "the mass is 0.499 mg above its line and comes back" in refusal(tmp_path, dipped(-0.4, range(150, 243)))
    assert "row 150: the mass rises by 2" in refusal(tmp_path, dipped(2.0, range(150, 243)))


def test_a_gap_in_which_far_too_little_came_is_told(tmp_path: Path) -> None:
    lines = ["time [s],mass [mg]", *(f"{t + (3600 if t > 3600 else 0):.0f},{m:.3f}" for t, m in samples())]
    found = supplied(tmp_path, lines, on_break="join")
    assert "where the rate gives 10.06 mg: was a clock set, or did the pump stand still?" in said(found)
