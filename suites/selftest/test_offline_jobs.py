"""Formats, jobs, folders, `--explain`, and large files: described once, read alike every time."""

import csv
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from fixtures.samples import make_logs
from rig.cli.app import app
from rig.errors import BenchFileError, DataFileError
from rig.offline import rows as rows_module
from rig.offline.analyse import analyse_file
from rig.offline.delimited import read_delimited
from rig.offline.formats import OWN, merged, read_format, read_job
from rig.offline.question import Question, ask, flags
from rig.offline.text import opened
from suites.stands.log_files import basal_log, write_log

LOGS = Path("fixtures/samples/logs")
ASKED = {"kind": "basal", "rate": "0.2 U/h", "stabilisation": "2 h", "analysis": "rest", "windows": "15 min"}
FLAGS = [part for name, value in ASKED.items() for part in (f"--{name}", value)]


def run_cli(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["analyse", *arguments])
    return result.exit_code, result.output


def error_percent(path: Path, **options: str) -> float:
    found = analyse_file(path, ask({**ASKED, **options})).analysed.content["overall_error_percent"]
    assert isinstance(found, float)
    return found


# ---------------------------------------------------------------- five kinds of logs


def test_the_logs_of_the_five_minutes_page_are_those_of_the_script(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(make_logs, "LOGS", tmp_path)
    make_logs.main()
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(path.name for path in LOGS.iterdir())
    for path in LOGS.iterdir():
        assert (tmp_path / path.name).read_bytes() == path.read_bytes()


def test_three_ways_to_write_one_record_give_one_number_without_a_flag_about_the_file() -> None:
    plain = error_percent(Path("fixtures/samples/basal.csv"), analysis="10 h")
    for name in ("mettler-printout.txt", "and-logger.csv", "german-export.csv"):
        assert error_percent(LOGS / name) == pytest.approx(plain, abs=0.15)


def test_a_flow_meter_and_a_table_of_dispenses() -> None:
    flow = analyse_file(LOGS / "flow-meter.csv", ask({**ASKED, "rate": "1 U/h", "stabilisation": "0 h"}))
    assert flow.analysed.content["overall_error_percent"] == pytest.approx(-2.0, abs=0.1)
    table = analyse_file(LOGS / "dispenses.csv", ask({"kind": "bolus", "bolus": "1 U", "dispenses": "each"}))
    with (LOGS / "dispenses.csv").open(encoding="utf-8") as file:
        rows = list(csv.reader(line for line in file if not line.startswith("#")))[1:]
    mean_u = sum(float(mass) for _, mass in rows) / len(rows) / 9.98
    assert table.analysed.content["mean_error_percent"] == pytest.approx(100.0 * (mean_u - 1.0))


# ---------------------------------------------------------------- formats and jobs


@pytest.mark.parametrize("path", sorted(OWN.glob("*.toml")), ids=lambda path: path.stem)
def test_every_format_of_the_rig_is_valid(path: Path) -> None:
    assert read_format(path.stem) == read_format(str(path))


def test_a_format_says_what_flags_would_and_flags_outweigh_it(tmp_path: Path) -> None:
    rows = "".join(f"{t:g}\t{m / 1000:.6f}\t{'g' if t % 210 else ''}\n" for t, m in zip(*basal_log(), strict=True))
    (tmp_path / "kern.txt").write_text(rows, encoding="utf-8")
    asked = {**ASKED, "rate": "1 U/h"}
    told = analyse_file(tmp_path / "kern.txt", merged(read_format("kern-logger"), asked))
    assert told.analysed.content["overall_error_percent"] == pytest.approx(0.0, abs=0.1)
    wrong = {**read_format("kern-logger"), "mass_unit": "mg"}
    with pytest.raises(DataFileError, match="one of them is wrong"):
        analyse_file(tmp_path / "kern.txt", merged(wrong, asked))


def test_a_wrong_format_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(DataFileError, match="--as and-loger: there is no such format; did you mean 'and-logger'"):
        read_format("and-loger")
    path = tmp_path / "own.toml"
    path.write_text('mass_colum = "w"\n', encoding="utf-8")
    with pytest.raises(DataFileError, match="mass_colum is not a known key; did you mean 'mass_column'"):
        read_format(str(path))
    path.write_text('rate = "1 U/h"\n', encoding="utf-8")
    with pytest.raises(DataFileError, match="rate is not a known key"):
        read_format(str(path))
    path.write_text('interval = "fast"\n', encoding="utf-8")
    with pytest.raises(DataFileError, match="--interval: 'fast' is not a number with a unit"):
        read_format(str(path))
    path.write_text("interval = \n", encoding="utf-8")
    with pytest.raises(BenchFileError, match="is no valid TOML"):
        read_format(str(path))


def test_a_job_file_asks_what_flags_ask(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_log(tmp_path / f"{name}.csv", *basal_log())
    job = tmp_path / "job.toml"
    job.write_text(
        'files = ["*.csv"]\nout = "out"\nkind = "basal"\nrate = "1 U/h"\nstabilisation = "0 h"\nanalysis = "rest"\n'
        'windows = ["15 min", "60 min"]\n',
        encoding="utf-8",
    )
    assert [path.name for path in read_job(job).files] == ["a.csv", "b.csv"]
    code, said = run_cli("--job", str(job))
    assert code == 0, said
    with (tmp_path / "out" / "comparison.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(line for line in file if not line.startswith("#")))
    means = {row["file"]: float(row["value"]) for row in rows if row["quantity"] == "mean basal error"}
    assert means == {"a.csv": pytest.approx(0.0, abs=1e-6), "b.csv": pytest.approx(0.0, abs=1e-6)}
    job.write_text('kind = "basal"\nrate = 1.0\n', encoding="utf-8")
    with pytest.raises(DataFileError, match=r"job\.toml: rate: input should be a valid string"):
        read_job(job)


def test_a_folder_is_compared_and_what_is_refused_is_told(tmp_path: Path) -> None:
    logs = tmp_path / "logs"
    logs.mkdir()
    for name in ("a", "c"):
        write_log(logs / f"{name}.csv", *basal_log())
    (logs / "b.csv").write_text("time [s],mass [mg]\n0,1\n1,x\n", encoding="utf-8")
    (logs / "notes.md").write_text("no log\n", encoding="utf-8")
    code, _ = run_cli(str(logs), *FLAGS, "--rate", "1 U/h", "--out", str(tmp_path / "out"))
    assert code == 2
    text = (tmp_path / "out" / "comparison.csv").read_text(encoding="utf-8")
    assert "a.csv,mean basal error" in text
    assert "c.csv,mean basal error" in text
    assert "row 3, column 'mass [mg]': holds 'x', which is no number" in text
    empty = tmp_path / "empty"
    empty.mkdir()
    assert "holds no log" in str(CliRunner().invoke(app, ["analyse", str(empty), *FLAGS]).exception)


def test_every_option_is_a_flag_with_its_help() -> None:
    code, said = run_cli("--help")
    assert code == 0
    shown = "".join(said.split())
    for name in Question.model_fields:
        assert f"--{name.replace('_', '-')}" in shown
    assert all(flag.help.endswith(".") or flag.help.endswith(")") for flag in flags().values())


# ---------------------------------------------------------------- explained


def test_explain_says_how_a_file_is_understood_and_its_format_reads_it_again(tmp_path: Path) -> None:
    code, said = run_cli(str(LOGS / "german-export.csv"), "--explain")
    assert code == 0
    assert "Time: column 'Zeit', timestamps (day, month, year), from 2026-03-09 16:30:00." in said
    assert "--time-column Zeit --mass-column 'Gewicht [mg]' --mass-unit mg --decimal comma" in said
    toml = said.split("for --as NAME:\n")[1]
    path = tmp_path / "own.toml"
    path.write_text("\n".join(line.strip() for line in toml.splitlines()) + "\n", encoding="utf-8")
    asked = merged(read_format(str(path)), ASKED)
    found = analyse_file(LOGS / "german-export.csv", asked).analysed.content["overall_error_percent"]
    assert found == error_percent(LOGS / "german-export.csv")


def test_explain_shows_the_columns_of_a_file_that_it_does_not_understand(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text("1,2,3\n4,5,6\n", encoding="utf-8")
    code, said = run_cli(str(path), "--explain")
    assert code == 2
    assert "column 2 'column 2': numbers, as '2', '5'" in said
    assert "Not understood" in said


# ---------------------------------------------------------------- large files


@settings(max_examples=20, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    delimiter=st.sampled_from([",", ";", "\t"]),
    blanks=st.booleans(),
    end=st.sampled_from(["\n", "\r\n"]),
    spoilt=st.sampled_from(["", "1", '"1";2', "1;2;3;4", "\0", " ", "# remark", "nan;inf"]),
)
def test_the_fast_reader_and_the_careful_one_give_the_same_table(
    tmp_path_factory: pytest.TempPathFactory, seed: int, delimiter: str, blanks: bool, end: str, spoilt: str
) -> None:
    rng = np.random.default_rng(seed)
    pad = " " if blanks else ""
    lines = [f"{t}{delimiter}{pad}{m:.3f}{delimiter}x" for t, m in enumerate(rng.normal(5000.0, 1.0, 60))]
    if spoilt:
        lines.insert(30, spoilt.replace(";", delimiter))
    path = tmp_path_factory.mktemp("fast") / "log.csv"
    header = delimiter.join(("time [s]", "mass [mg]", "note"))
    path.write_bytes((end.join((header, *lines)) + end).encode())
    careful = read_delimited(opened(path))
    least, block = rows_module.LARGE_BYTES, rows_module.BLOCK
    rows_module.LARGE_BYTES, rows_module.BLOCK = 1, 200
    try:
        fast = read_delimited(opened(path))
    finally:
        rows_module.LARGE_BYTES, rows_module.BLOCK = least, block
    assert fast.columns == careful.columns
    assert fast.row.tolist() == careful.row.tolist()
    assert fast.damaged == careful.damaged
    for one, other in zip(fast.cells, careful.cells, strict=True):
        assert one.to_list() == other.to_list()


def test_a_large_log_is_read_and_its_bad_cell_named(tmp_path: Path) -> None:
    at_s = np.arange(400_000) * 0.5
    mass_mg = 5000.0 + 0.499 * np.floor(at_s / 180.0 + 0.5)
    path = tmp_path / "large.csv"
    pl.DataFrame({"time [s]": at_s, "mass [mg]": mass_mg}).write_csv(path, float_precision=3)
    assert path.stat().st_size > rows_module.LARGE_BYTES
    asked = ask({**ASKED, "rate": "1 U/h"})
    found = analyse_file(path, asked)
    assert found.analysed.content["overall_error_percent"] == pytest.approx(0.0, abs=0.1)
    lines = path.read_bytes().split(b"\n")
    lines[300_000] = b"150000.000,OVERLOAD"
    path.write_bytes(b"\n".join(lines))
    with pytest.raises(DataFileError, match="row 300001, column 'mass \\[mg\\]': holds 'OVERLOAD', which is no number"):
        analyse_file(path, asked)
