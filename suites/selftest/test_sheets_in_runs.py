"""Requirements, plans, suites and runs that take what is claimed of a pump from its sheet."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from reports.claims import claimed
from rig.bench.open import open_bench
from rig.errors import BenchFileError
from rig.procedures.basal import Basal
from rig.procedures.bolus import Bolus
from rig.procedures.catalogue import KINDS
from rig.procedures.extended import Extended
from rig.procedures.preparation import prepare
from rig.pump_sheet.sheet import PumpSheet, parse_pump_sheet, read_pump_sheet
from rig.record.closed import sums
from rig.record.files import read_json, write_json
from rig.record.folder import RunFolder
from rig.record.results import Results
from rig.run.begin import end_run
from rig.run.collection import Declaration, refuse_unanswered
from rig.run.inputs import PUMP_SHEET, Sources, frozen_inputs, read_inputs
from rig.run.plan import parse_plan
from rig.run.reading import read_whole_run
from rig.run.resuming import read_resumable
from rig.verdicts.limits import Limit, Verdict
from rig.verdicts.requirements import Requirement, parse_requirements
from suites.measuring import recorded as recorded_in
from suites.selftest.recorded import reopened, results, rig, writable
from suites.stands.own_requirements import own_plan, own_requirements, reference_sheet

PATCH_PUMP = Path("fixtures/pumps/patch_pump.toml")
SYRINGE = "fixtures/benches/virtual_ne1000.toml"
SHEET = """
name = "MyPump"
maker = "Me"
capabilities = ["basal profile", "fast bolus"]
[documents.guide]
title = "guide"
revision = "rev. 3"
[dose]
source = "guide"
size = "0.05 U"
[basal]
source = "guide"
intermediate = "2 U/h"
tolerance = "±7 %"
hour_tolerance = "not stated"
[bolus]
source = "guide"
typical = "1 U"
speed = "2 U/min"
small_tolerance = "±0.05 U"
"""
REQUIREMENT = """
[[requirement]]
id = "PR-1.1"
text = "Basal delivery at {{basal.intermediate}} is within ±{{{tolerance}}}."
clause = "c"
hazard = "h"
measurement = [{{ quantity = "basal.mean_error", rate = "{{basal.intermediate}}", unit = "%", {limit} }}]
"""


def sheet(text: str = SHEET) -> PumpSheet:
    return parse_pump_sheet(Path("sheet.toml"), text.encode())


def requirement(tolerance: str, limit: str, claims: PumpSheet | None = None) -> Requirement:
    text = REQUIREMENT.format(tolerance=tolerance, limit=limit)
    [read] = parse_requirements(Path("mine.toml"), text.encode(), KINDS, claims or sheet()).values()
    return read


# ---- requirements -------------------------------------------------------------------------------------------------


def test_a_requirement_is_a_sentence_with_the_claims_of_the_sheet() -> None:
    read = requirement("basal.tolerance", 'low = "-{basal.tolerance}", high = "{basal.tolerance}"')
    assert read.text == "Basal delivery at 2 U/h is within ±7 %."
    assert read.measurement[0].limit == Limit("%", -7.0, 7.0)
    assert str(read.measurement[0].quantity) == "mean basal error at 2 U/h"
    assert read.not_applicable is None


def test_a_limit_is_taken_over_into_the_unit_of_its_quantity() -> None:
    limit = own_requirements()["PR-D9.1"].measurement[2].limit
    assert reference_sheet().claims["priming.tubing_time"].text == "4 min"
    assert limit == Limit("s", None, 240.0)


def test_a_limit_of_another_kind_is_refused() -> None:
    with pytest.raises(BenchFileError) as refused:
        requirement("basal.tolerance", 'high = "{bolus.small_tolerance}"')
    assert str(refused.value) == (
        "mine.toml: requirement.PR-1.1.measurement.0: high is '0.05 U': it is a number in %, or text with a unit such "
        "as '5 %'"
    )


def test_a_placeholder_that_is_none_names_the_requirement_and_the_nearest() -> None:
    with pytest.raises(BenchFileError) as refused:
        requirement("basal.tolerence", "high = 5")
    assert str(refused.value) == (
        "mine.toml: PR-1.1: {basal.tolerence} is no claim of a pump sheet; did you mean {basal.tolerance}?"
    )


def test_a_requirement_that_needs_what_is_not_stated_does_not_apply_and_is_owed_by_nobody() -> None:
    read = requirement("basal.hour_tolerance", 'high = "{basal.hour_tolerance}"')
    assert read.not_applicable == "the pump sheet states no basal.hour_tolerance"
    assert read.text == "Basal delivery at 2 U/h is within ±(basal.hour_tolerance not stated)."
    assert read.measurement == ()
    assert Basal(rate_u_per_h=1.0).decides({read.id: read}) == ()
    refuse_unanswered({read.id: read}, [], every_requirement_due=True)


def test_a_requirement_that_does_not_apply_is_checked_all_the_same() -> None:
    with pytest.raises(BenchFileError, match=r"measurement\.0: hihg is not a known key; did you mean 'high'\?"):
        requirement("basal.hour_tolerance", 'hihg = "{basal.hour_tolerance}"')


def test_a_test_that_does_not_apply_answers_for_the_requirements_it_is_tagged_with() -> None:
    read = requirement("basal.tolerance", "high = 5")
    declared = Declaration.of("t", "T", [], {read.id: read}, not_applicable="no reservoir", tagged=["PR-1.1", "other"])
    assert (declared.requirements, declared.not_applicable) == (("PR-1.1",), "no reservoir")
    refuse_unanswered({read.id: read}, [declared], every_requirement_due=True)


# ---- plans and suites ---------------------------------------------------------------------------------------------

PLAN = """
name = "mine"
purpose = "p"
[[basal]]
rate = "{basal.intermediate}"
[[bolus]]
size = "{2 bolus.typical}"
count = 3
[[bolus]]
size = "{bolus.large}"
count = 3
[[extended]]
size = "{extended.tolerance}"
duration = "2 h"
"""


def test_a_plan_takes_its_values_from_the_sheet_and_leaves_out_what_is_not_claimed() -> None:
    read = parse_plan(Path("mine.toml"), PLAN.encode(), sheet())
    [basal], [bolus] = read.plan.entries["basal"], read.plan.entries["bolus"]
    assert isinstance(basal, Basal)
    assert isinstance(bolus, Bolus)
    assert (basal.rate_u_per_h, bolus.size_u) == (2.0, 2.0)
    assert read.plan.entries["extended"] == ()
    assert read.left_out == (
        "[[bolus]] 2: the pump sheet states no bolus.large",
        "[[extended]] 1: this pump has no extended bolus, by its sheet",
    )


def test_a_key_that_is_left_out_is_what_the_sheet_claims_where_it_claims_it() -> None:
    text = '[[basal]]\nrate = "1 U/h"\n[[bolus]]\nsize = "1 U"\ncount = 3\n[[bolus]]\nsize = "2 U"\ncount = 3\n'
    head = 'name = "mine"\npurpose = "p"\n'
    given = 'speed = "3 U/min"\n'
    plan = parse_plan(Path("mine.toml"), f"{head}{text}{given}".encode(), sheet()).plan
    [basal], [one, other] = plan.entries["basal"], plan.entries["bolus"]
    assert isinstance(basal, Basal)
    assert isinstance(one, Bolus)
    assert isinstance(other, Bolus)
    assert (basal.dose_u, one.speed_u_per_h, other.speed_u_per_h) == (0.05, 120.0, 180.0)
    [without] = parse_plan(Path("mine.toml"), f'{head}[[basal]]\nrate = "1 U/h"\n'.encode()).plan.entries["basal"]
    assert isinstance(without, Basal)
    assert without.dose_u == 0.025


def test_an_entry_that_is_another_one_by_the_sheet_alone_is_left_out_and_one_that_is_written_twice_refused() -> None:
    head, entry = 'name = "mine"\npurpose = "p"\n', '[[bolus]]\nsize = "{}"\ncount = 3\n'
    same = head + entry.format("{bolus.typical}") + entry.format("{20 dose.size}")
    read = parse_plan(Path("mine.toml"), same.encode(), sheet())
    assert read.left_out == ("[[bolus]] 2: by the pump sheet it is the same as one before it",)
    with pytest.raises(BenchFileError, match="bolus 1 U stands twice"):
        parse_plan(Path("mine.toml"), (head + 2 * entry.format("{bolus.typical}")).encode(), sheet())


def test_a_plan_takes_no_more_of_a_reservoir_than_the_pumps_holds() -> None:
    text = 'name = "mine"\npurpose = "p"\n[[bolus]]\nsize = "10 U"\ncount = 25\n'
    assert parse_plan(Path("mine.toml"), text.encode(), reference_sheet()).plan.entries["bolus"]
    with pytest.raises(BenchFileError, match=r"^mine\.toml: bolus 10 U takes 250 U, and a reservoir holds 200 U$"):
        parse_plan(Path("mine.toml"), text.encode(), read_pump_sheet(PATCH_PUMP))


def test_a_pump_is_told_no_more_than_its_reservoir_holds(tmp_path: Path) -> None:
    claims = tmp_path / "small.toml"
    text = reference_sheet().path.read_text(encoding="utf-8")
    claims.write_text(text.replace('value = "300 U"', 'value = "180 U"'), encoding="utf-8")
    with open_bench("fixtures/benches/virtual.toml", overrides={"pump.sheet": str(claims.resolve())}) as bench:
        assert bench.reservoir_u == 180.0
        with recorded_in(tmp_path / "record", bench) as record:
            prepare(bench, record, rate_u_per_h=0.0)
        assert bench.pump.status().reservoir_u == 180.0


@pytest.mark.parametrize("name", ["default", "nightly", "iec_full", "tir101", "label_880_5730", "smoke", "conditions"])
def test_the_plans_of_the_rig_are_whole_for_the_reference_pump(name: str) -> None:
    assert own_plan(name).left_out == ()


def test_the_defaults_of_the_procedures_are_the_reference_pumps() -> None:
    claims = reference_sheet().claims
    assert Basal(rate_u_per_h=1.0).dose_u == claims["dose.size"].values[0]
    assert Bolus(size_u=1.0, count=3).speed_u_per_h == claims["bolus.speed"].values[0]
    assert Extended(size_u=1.0, duration_s=7200.0).speed_u_per_h == claims["bolus.speed"].values[0]


# ---- runs ---------------------------------------------------------------------------------------------------------


def test_the_sheet_is_chosen_by_the_call_then_by_the_bench_file() -> None:
    bench = Path("fixtures/benches/virtual.toml")
    assert read_inputs(Sources(bench, {})).sheet.name == "Reference controller RC-1"
    inputs = read_inputs(Sources(bench, {}, pump_sheet=PATCH_PUMP))
    assert inputs.sheet.path == PATCH_PUMP
    assert inputs.files[PUMP_SHEET] == PATCH_PUMP.read_bytes()
    assert read_inputs(Sources(Path(SYRINGE), {})).sheet.maker == "New Era Pump Systems"


def test_a_real_bench_without_a_sheet_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bench.toml"
    text = Path("fixtures/benches/lab_example.toml").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if not line.startswith("sheet =")]
    path.write_text("\n".join(lines), encoding="utf-8")
    with pytest.raises(BenchFileError) as refused:
        read_inputs(Sources(path, {}))
    assert str(refused.value) == (
        f"{path}: pump.sheet is missing: name the file of what the pump's maker claims, here or with --pump-sheet "
        "(docs/pump-sheets.md)"
    )
    assert read_inputs(Sources(path, {}, pump_sheet=PATCH_PUMP)).sheet.name.startswith("Patch pump")


def test_a_run_keeps_its_sheet_and_the_report_prints_it(recorded: Path) -> None:
    run = read_whole_run(recorded)
    stated = run.manifest.pump_sheet
    assert stated is not None
    assert stated.sha256 == run.manifest.inputs[PUMP_SHEET] == sums(recorded / "record/inputs" / PUMP_SHEET).sha256
    sheet = claimed(run)
    assert sheet is not None
    assert sheet["name"] == "Reference controller RC-1"
    assert {"name": "bolus.maximum", "value": "25 U"}.items() <= next(
        each for each in sheet["claims"] if each["name"] == "bolus.maximum"
    ).items()
    assert sheet["contradictions"] == []
    frozen = frozen_inputs(RunFolder(recorded), run.manifest)
    assert frozen.sheet is not None
    assert frozen.spec.pump.sheet == recorded / "record/inputs" / PUMP_SHEET


def without_sheet(run: Path) -> None:
    """Make a run look like one of a rig that knew no pump sheets."""
    (writable(run) / "record/inputs" / PUMP_SHEET).unlink()
    bench = run / "record/inputs/bench.json"
    content = read_json(bench)
    del content["pump"]["sheet"]
    write_json(bench, content)
    path = run / "record/manifest.json"
    manifest = read_json(path)
    del manifest["pump_sheet"], manifest["inputs"][PUMP_SHEET], manifest["bench"]["pump"]["sheet"]
    manifest["inputs"]["bench.json"] = sums(bench).sha256
    write_json(path, manifest)
    end_run(reopened(run), "complete")


def test_a_run_of_a_rig_that_knew_no_sheets_is_read_and_reported(run: Path) -> None:
    before: Results = results(run)
    without_sheet(run)
    read = read_whole_run(run)
    assert read.manifest.pump_sheet is None
    assert read.results == before
    assert claimed(read) is None
    assert frozen_inputs(RunFolder(run), read.manifest).sheet is None


def test_a_run_goes_on_with_the_sheet_it_was_begun_with(run: Path) -> None:
    end_run(reopened(run), "interrupted")
    _, inputs = read_resumable(run)
    manifest = RunFolder(run).manifest()
    assert manifest.pump_sheet is not None
    assert inputs.sheet.content == read_pump_sheet(run / "record/inputs" / PUMP_SHEET).content
    assert str(inputs.sheet.path) == manifest.pump_sheet.file


def test_a_syringe_pump_is_asked_for_nothing_that_its_sheet_does_not_claim(tmp_path: Path) -> None:
    run = tmp_path / "run"
    select = "Boluses_Above or test_cancelled or test_stopped"
    done = rig("verify", "--bench", SYRINGE, "--select", select, "--out", str(run))
    assert done.returncode == 0, done.stdout + done.stderr
    read = read_whole_run(run).results
    outcomes = {test.id.partition("::")[2]: (test.outcome, test.message) for test in read.tests}
    assert outcomes["Boluses Above The Maximum Are Refused"] == (
        "not applicable",
        "the pump sheet states no bolus.above_maximum",
    )
    assert outcomes["test_cancelled_bolus[5 U after 60 s]"][0] == "not applicable"
    rows = {row.id: row for row in read.requirements}
    assert (rows["PR-L1.1"].verdict, rows["PR-L1.1"].reason) == (
        Verdict.NOT_APPLICABLE,
        "the pump sheet states no bolus.maximum",
    )
    assert rows["PR-D7.1"].verdict is Verdict.PASS


# ---- commands -----------------------------------------------------------------------------------------------------


def test_an_unlike_sheet_is_read_and_plans() -> None:
    shown = rig("pump-sheet", str(PATCH_PUMP))
    assert shown.returncode == 0, shown.stderr
    for words in ("reservoir.reported_below", "50 U", "0.05 U", "30 U/h", "PR-F1.2 is NOT APPLICABLE: the pump sheet "):
        assert words in shown.stdout
    listed = rig("verify", "--list", "--select", "basal or bolus", "--pump-sheet", str(PATCH_PUMP))
    assert listed.returncode == 0, listed.stderr
    assert "Measured by the plan 'default' of Patch pump" in listed.stdout
    assert "PR-D3.2 is NOT APPLICABLE: the pump sheet states no bolus.single_tolerance" in listed.stdout


def test_a_wrong_sheet_is_wrong_usage(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(SHEET.replace("±7 %", "±7 U"), encoding="utf-8")
    for words in (["pump-sheet", str(path)], ["verify", "--pump-sheet", str(path)]):
        done = rig(*words)
        assert done.returncode == 2
        assert done.stderr == (f"rig: {path}: basal.tolerance is '±7 U': '7 U' is not a percent: allowed units are %\n")


def test_a_protocol_in_a_dry_run_takes_the_sheet_that_it_is_told(tmp_path: Path) -> None:
    protocol = tmp_path / "mine.robot"
    protocol.write_text(
        "*** Settings ***\nLibrary    fixtures.robot_library.PumpBench\nTest Setup    Open Bench\n"
        "*** Test Cases ***\nBasal\n    Command Boluses Above The Maximum    {bolus.above_maximun}\n",
        encoding="utf-8",
    )
    command = [sys.executable, "-m", "robot", "--dryrun", "--outputdir", str(tmp_path / "out")]
    done = subprocess.run(
        [*command, "-v", f"PUMP_SHEET:{PATCH_PUMP}", str(protocol)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    said = " ".join(done.stdout.split())
    assert "{bolus.above_maximun} is no claim of a pump sheet; did you mean {bolus.above_maximum}?" in said
