"""A log that cannot be analysed as asked is refused by one sentence that names row and column; nothing is repaired."""

from pathlib import Path

import numpy as np
import pytest

from rig.errors import DataFileError
from rig.offline.analyse import analyse_files
from rig.offline.question import Question, ask, revised
from suites.stands.log_files import BASAL, BOLUS, basal_log, bolus_log, write_log

SHORT = revised(BASAL, windows="15 min")


def refusal(path: Path, asked: Question = SHORT) -> str:
    with pytest.raises(DataFileError) as refused:
        analyse_files([path], asked)
    sentence = str(refused.value)
    assert "\n" not in sentence
    return sentence


def lines_of_a_good_log(hours: float = 1.0) -> list[str]:
    at_s, mass_mg = basal_log(hours=hours)
    header = ["time [s],mass [mg]"]
    return header + [f"{time:g},{mass:.4f}" for time, mass in zip(at_s, mass_mg, strict=True)]


@pytest.mark.parametrize(
    ("line", "written", "sentence"),
    [
        (41, "1200,nan", "row 41, column 'mass [mg]': holds 'nan', which is no number"),
        (41, "1200,", "row 41, column 'mass [mg]': is empty"),
        (41, "1200,-----", "row 41, column 'mass [mg]': holds '-----', which is no number"),
        (41, "1200,5001 g", "row 41, column 'mass [mg]': is in 'g', where the column is in 'mg'"),
        (41, "1200,1e999", "row 41, column 'mass [mg]': holds '1e999', which is no finite number"),
        (41, "1200,5001,25", "row 41 holds 3 cells, the header 2: is a decimal comma taken for a delimiter?"),
        (41, "20 min,5001.2000", "row 41, column 'time [s]': is in 'min', where the column is in 's'"),
        (41, "1100,5003.3000", "row 41: time goes back by 40 s"),
        (
            41,
            "1170,5003.3",
            "row 41, column 'mass [mg]': holds '5003.3', with fewer decimals than the 4 of all other rows",
        ),
        (41, "9000,5003.3000", "row 41: 7860 s without a sample, more than 900 s"),
        (41, "1170,3.3000", "row 41: at row 41 the mass is 5000 mg below its line and comes back: a disturbance"),
        (41, "1170", "row 41 holds 1 of 2 cells: is the file cut off?"),
    ],
)
def test_a_bad_row_is_named_with_its_column(tmp_path: Path, line: int, written: str, sentence: str) -> None:
    lines = lines_of_a_good_log()
    lines[line - 1] = written
    path = tmp_path / "log.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    assert refusal(path).startswith(f"{path}: {sentence}")


def test_every_bad_row_is_counted_and_left_out_only_when_asked(tmp_path: Path) -> None:
    lines = lines_of_a_good_log()
    lines[40], lines[60] = "1170,", "1770,error"
    path = tmp_path / "log.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    assert "(and 1 more bad row); --bad-rows skip leaves such rows out and reports them" in refusal(path)
    (supplied,) = analyse_files([path], revised(SHORT, bad_rows="skip"))
    found = [(finding.row, finding.kind) for finding in supplied.analysed.findings[:2]]
    assert found == [(41, "bad row"), (61, "bad row")]


@pytest.mark.parametrize(
    ("header", "sentence"),
    [
        ("time [s],mass", "column 'mass' has no unit: write it in the header or say it by --mass-unit"),
        ("time,mass [mg]", "column 'time' has no unit: write it in the header or say it by --time-unit"),
        ("time [s],mass [stone]", "column 'mass [stone]' is in 'stone', which is no unit of mass that this rig knows"),
        ("time [s],mass [s]", "column 'mass [s]' is in 's', which is no unit of mass that this rig knows"),
        ("ticks,mass [mg]", "there is no time column; the header has 'ticks', 'mass [mg]'"),
        ("time [s],reading", "there is no mass, volume or flow column; the header has 'time [s]', 'reading'"),
        ("time [s],mass [gr]", "column 'mass [gr]' is in 'gr', which could be g (gram) or grain"),
    ],
)
def test_a_column_that_is_missing_ambiguous_or_without_unit_is_refused(
    tmp_path: Path, header: str, sentence: str
) -> None:
    path = tmp_path / "log.csv"
    path.write_text("\n".join((header, *lines_of_a_good_log()[1:])) + "\n", encoding="utf-8")
    assert refusal(path).startswith(f"{path}: {sentence}")


def test_two_columns_that_could_be_the_mass_are_refused(tmp_path: Path) -> None:
    rows = [f"{line},{line.split(',')[1]}" for line in lines_of_a_good_log()[1:]]
    path = tmp_path / "log.csv"
    path.write_text("\n".join(("time [s],mass [mg],net [mg]", *rows)) + "\n", encoding="utf-8")
    assert "the columns 'mass [mg]', 'net [mg]' could each be the mass: say which by --mass-column" in refusal(path)
    path.write_text("\n".join(("time [s],mass [mg],mass [mg]", *rows)) + "\n", encoding="utf-8")
    said = refusal(path, revised(SHORT, mass_column="mass [mg]"))
    assert "the columns 2 and 3 are both named 'mass [mg]': say which by its number, --mass-column 2" in said
    (supplied,) = analyse_files([path], revised(SHORT, mass_column="3"))
    assert supplied.analysed.content["overall_error_percent"] == pytest.approx(0.0, abs=1e-6)


def test_a_unit_in_the_header_and_another_by_flag_contradict(tmp_path: Path) -> None:
    path = write_log(tmp_path / "log.csv", *basal_log(hours=1.0))
    assert "column 'mass [mg]' is in 'mg', --mass-unit says 'g': one of them is wrong" in refusal(
        path, revised(SHORT, mass_unit="g")
    )


def test_a_wrong_unit_shows_as_a_volume_that_no_pump_delivers(tmp_path: Path) -> None:
    path = write_log(tmp_path / "log.csv", *basal_log(hours=1.0), header="time [s],mass [g]")
    assert "the record grows by 1e+03 times what the rate programmes: look at the unit of the mass column" in refusal(
        path
    )


def test_two_rates_in_one_file_are_refused_where_the_rate_changes(tmp_path: Path) -> None:
    rows = [f"{line},{'0.5' if number < 50 else '1'}" for number, line in enumerate(lines_of_a_good_log()[1:])]
    path = tmp_path / "log.csv"
    path.write_text("\n".join(("time [s],mass [mg],rate [U/h]", *rows)) + "\n", encoding="utf-8")
    assert "row 52, column 'rate [U/h]': the rate is '1', in the rows before '0.5'" in refusal(path)


def test_a_change_of_rate_that_no_column_tells_is_reported(tmp_path: Path) -> None:
    at_s, mass_mg = basal_log(hours=10.0)
    later = at_s > 18000.0
    mass_mg[later] += mass_mg[later] - mass_mg[~later][-1]
    (supplied,) = analyse_files([write_log(tmp_path / "log.csv", at_s, mass_mg)], SHORT)
    (finding,) = [finding for finding in supplied.analysed.findings if finding.kind == "change of flow"]
    assert finding.row == 602
    assert "the mean flow is 1 times the rate, from there 2 times" in finding.sentence


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "is empty"),
        (b"# only a comment\n", "is empty: it holds no header row"),
        (b"time [s],mass [mg]\n", "holds a header and no row below it"),
        (b"time [s],mass [mg]\n0,1\n", "holds 1 sample; an analysis needs a series of them"),
        (b'time [s],mass [mg]\n0,"1\n', "row 2: unexpected end of data; is the file cut off?"),
        (b"PK\x03\x04no workbook", "cannot be read as an Excel workbook"),
        (b"\x00\x01\x02", "is neither text nor a workbook"),
    ],
)
def test_a_file_that_is_empty_or_damaged_is_refused(tmp_path: Path, content: bytes, sentence: str) -> None:
    path = tmp_path / "log.csv"
    path.write_bytes(content)
    assert refusal(path).startswith(f"{path}: {sentence}")


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    assert refusal(tmp_path / "log.csv").endswith("log.csv: cannot be read (No such file or directory)")


def test_a_record_that_is_too_short_for_the_method_is_refused(tmp_path: Path) -> None:
    path = write_log(tmp_path / "log.csv", *basal_log(hours=30.0))
    assert "the record holds 30 h from the start of the pump; 24 h of stabilisation and 25 h of analysis" in refusal(
        path, Question(kind="basal", rate="1 U/h")
    )


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"kind": "basel"}, "--kind 'basel': it is one of basal, bolus, occlusion"),
        ({"rate": ""}, "--rate: '' is not a number with a unit, such as '1 U/h'"),
        ({"rate": "1"}, "--rate: '1' has no unit: write one of U/h, U/min, µL/h, mL/h"),
        ({"rate": "-1 U/h"}, "--rate '-1 U/h': it must be above 0"),
        ({"bolus": "1 U"}, "--bolus belongs to --kind bolus, not basal"),
        ({"air_pressure": "1000 hPa"}, "--air-temperature and --air-pressure belong together"),
        ({"blank_wander": "12 µg"}, "--blank-wander and --blank-wander-per-hour belong together"),
        ({"air_pressure": "1 bar", "air_temperature": "80 °C"}, "--air-temperature: 80 is outside 0 … 40"),
        ({"start": "2026-01-01T00:00:00"}, "--start '2026-01-01T00:00:00': the log has no timestamps"),
        ({"start": "9 h"}, "--start: 32400 s is outside the record, 0 to 3600 s"),
        ({"on_break": "mend"}, "--on-break 'mend': it is one of refuse, longest, join"),
        ({"interval": "1 s"}, "--interval is for logs without times"),
        ({"date_format": "dd/mm"}, "--date-format 'dd/mm': write the order of day, month and year"),
        ({"header_row": "0"}, "--header-row '0': it is the number of a row from 1, or none"),
    ],
)
def test_wrong_usage_is_one_sentence(tmp_path: Path, options: dict[str, str], sentence: str) -> None:
    path = write_log(tmp_path / "log.csv", *basal_log(hours=1.0))
    with pytest.raises(DataFileError) as refused:
        analyse_files([path], revised(SHORT, **options))
    assert sentence in str(refused.value)


def test_what_a_kind_needs_is_asked_for(tmp_path: Path) -> None:
    path = write_log(tmp_path / "log.csv", *basal_log(hours=1.0))
    assert refusal(path, ask({})).startswith("--kind is missing: say what was measured")
    assert refusal(path, ask({"kind": "basal"})).startswith("--rate is missing: --kind basal needs it, with its unit")
    assert refusal(path, ask({"kind": "bolus"})).startswith("--bolus is missing: --kind bolus needs it")
    assert refusal(path, ask({"kind": "occlusion", "rate": "1 U/h"})).startswith("--closed is missing")


def test_a_bolus_outside_the_record_or_out_of_order_is_refused(tmp_path: Path) -> None:
    path = write_log(tmp_path / "log.csv", *bolus_log([1.0, 1.0]))
    assert "bolus 2 starts at 9000 s, outside the record" in refusal(path, revised(BOLUS, at=("200 s, 9000 s",)))
    assert "bolus 2 starts at 200 s, not after the one before at 400 s" in refusal(
        path, revised(BOLUS, at=("400 s", "200 s"))
    )
    assert "a series needs two boluses or more, there is 1" in refusal(path, revised(BOLUS, at=("200 s",)))


def test_an_occlusion_needs_pressure(tmp_path: Path) -> None:
    path = write_log(tmp_path / "log.csv", *basal_log(hours=1.0))
    asked = Question(kind="occlusion", rate="1 U/h", closed="10 min")
    assert "an occlusion needs a pressure column; the header has 'time [s]', 'mass [mg]'" in refusal(path, asked)


def test_a_break_is_refused_joined_or_avoided_as_asked_and_reported(tmp_path: Path) -> None:
    at_s, mass_mg = basal_log(hours=10.0)
    tared = at_s >= 14400.0
    mass_mg[tared] -= mass_mg[tared][0]
    path = write_log(tmp_path / "log.csv", at_s, mass_mg)
    assert "row 482: the mass falls by" in refusal(path)
    assert (
        "--on-break longest analyses the longest stretch without a break, --on-break join goes on across it"
        in refusal(path)
    )
    (longest,) = analyse_files([path], revised(SHORT, on_break="longest"))
    assert longest.analysed.content["analysis_h"] == 6.0
    assert longest.analysed.content["overall_error_percent"] == pytest.approx(0.0, abs=1e-9)
    assert [finding.kind for finding in longest.analysed.findings[:2]] == ["restart", "left out"]
    assert "Only rows 482 to 1202 were analysed" in longest.analysed.findings[1].sentence
    (joined,) = analyse_files([path], revised(SHORT, on_break="join"))
    assert joined.analysed.content["analysis_h"] == 10.0
    assert [finding.kind for finding in joined.analysed.findings[:2]] == ["restart", "joined"]


def test_a_clock_that_was_set_back_cannot_be_joined(tmp_path: Path) -> None:
    at_s, mass_mg = basal_log(hours=2.0)
    path = write_log(tmp_path / "log.csv", np.where(at_s > 3600.0, at_s - 3600.0, at_s), mass_mg)
    assert "time goes back by 3570 s: how much time passed nobody knows, so it cannot be joined" in refusal(
        path, revised(SHORT, on_break="join")
    )
    (supplied,) = analyse_files([path], revised(SHORT, on_break="longest"))
    assert supplied.analysed.content["analysis_h"] == 1.0


def test_missing_samples_short_of_a_gap_are_reported_with_their_row(tmp_path: Path) -> None:
    at_s, mass_mg = basal_log(hours=2.0)
    kept = (at_s <= 3000.0) | (at_s >= 3300.0)
    (supplied,) = analyse_files([write_log(tmp_path / "log.csv", at_s[kept], mass_mg[kept])], SHORT)
    finding = supplied.analysed.findings[0]
    assert (finding.kind, finding.row) == ("uneven sampling", 103)
    assert "the longest is 300 s, before row 103" in finding.sentence
