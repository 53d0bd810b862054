"""Runs laid side by side: every value enters, only like is held against like, and A beside B has its uncertainty."""

import csv
import json
import math
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reports.compared import spreads, under_conditions
from reports.comparison import compare, write_comparison
from reports.comparison_file import ComparisonFile
from reports.measured_values import Row, measured_values, rows
from reports.words import NOT_FORMAL, SIMULATED
from rig.errors import EvidenceError
from rig.record.files import read_json, write_json
from rig.record.likeness import By, Member
from rig.record.manifest import Plan, Software
from rig.record.reading import read_run
from rig.verdicts.quantities import Quantity
from suites.selftest.compared_runs import LARGEST, MEAN, OTHER_TEST, REFUSED, TEST, Given, boluses_of, stored_run

PLAN = """
name = "two boluses"
purpose = "As short as a run can be."
select = "test_consecutive_boluses"
[[bolus]]
size = "1 U"
count = 2
blank = "5 min"
"""
OVER = Path("fixtures/controller/mutants/over_deliver_10_percent.elf")


def members(*paths: Path) -> list[Member]:
    return [Member(path.name, read_run(path)) for path in paths]


def content(folder: Path) -> ComparisonFile:
    """What was written, read back by its model, strictly."""
    return ComparisonFile.model_validate(read_json(folder / "comparison.json"), extra="forbid")


def as_format_1(run: Path) -> Path:
    """Write a run's manifest and results as the rig of November 2026 did: measurements had names and no quantities."""

    def named(entry: dict[str, Any]) -> dict[str, Any]:
        rest = {key: value for key, value in entry.items() if key not in ("quantity", "attempt")}
        return {"name": entry["quantity"]["name"], "unit": entry["quantity"]["unit"], **rest}

    results = read_json(run / "record" / "results.json")
    results |= {"format": 1, "reported": [named(entry) for entry in results["reported"]]}
    manifest = read_json(run / "record" / "manifest.json") | read_json(run / "record" / "closing.json")
    manifest |= {"format": 1, "software": None, "inputs": {}}
    shutil.rmtree(run / "record")
    write_json(run / "manifest.json", manifest)
    write_json(run / "results.json", results)
    return run


def test_each_test_that_measures_a_quantity_is_a_row_of_its_own_and_named(tmp_path: Path) -> None:
    for name, shift in (("a", 0.0), ("b", 1.0)):
        values: list[Given] = [(TEST, MEAN, 1.0 + shift, 0.1), (OTHER_TEST, MEAN, 5.0 + shift, 0.1)]
        stored_run(tmp_path / name, [*values, (TEST, LARGEST, 2.0 + shift, 0.1)], serial=name)
    pooled, alone = spreads(members(tmp_path / "a", tmp_path / "b"))
    assert {each.row.name: each.values for each in pooled} == {
        "mean bolus error at 1 U (test_bolus.py::test_consecutive_boluses[1 U])": [1.0, 2.0],
        "mean bolus error at 1 U (day.robot::A Day With Breakfast)": [5.0, 6.0],
        "largest bolus error at 1 U": [2.0, 3.0],
    }
    assert [(each.mean, each.sd) for each in pooled] == [
        (1.5, pytest.approx(math.sqrt(0.5))),
        (2.5, pytest.approx(math.sqrt(0.5))),
        (5.5, pytest.approx(math.sqrt(0.5))),
    ]
    assert alone == []


def test_a_second_attempt_is_held_against_second_attempts_and_without_one_it_is_listed(tmp_path: Path) -> None:
    stored_run(tmp_path / "a", [(TEST, MEAN, 1.0, 0.1), (TEST, MEAN, 1.5, 0.1)], serial="A")
    stored_run(tmp_path / "b", [(TEST, MEAN, 2.0, 0.1)], serial="B")
    (pooled,), (alone,) = spreads(members(tmp_path / "a", tmp_path / "b"))
    assert pooled.values == [1.0, 2.0]
    assert (alone.name, alone.occurrence, alone.values[0].attempt) == ("mean bolus error at 1 U, attempt 2", 2, 2)
    assert alone.values[0].value == 1.5


def test_what_one_run_alone_measured_is_in_every_file(tmp_path: Path) -> None:
    stored_run(tmp_path / "runs" / "a", [(TEST, MEAN, 1.0, 0.1), (TEST, REFUSED, 100.0, 0.0)], serial="A")
    stored_run(tmp_path / "runs" / "b", [(TEST, MEAN, 2.0, 0.1)], serial="B")
    lines = write_comparison(tmp_path / "out", [tmp_path / "runs"])
    assert "1 measured in one run only: see the comparison." in lines
    (alone,) = content(tmp_path / "out").measured_once
    assert (alone.quantity.kind, alone.test, alone.values[0].run, alone.values[0].value) == (
        "refused.share", TEST, "a", 100.0,
    )  # fmt: skip
    with (tmp_path / "out" / "pumps.csv").open(encoding="utf-8") as file:
        listed = list(csv.DictReader(line for line in file if not line.startswith("#")))
    assert [(row["kind"], row["parameters"], row["run"], row["value"], row["compared"]) for row in listed] == [
        ("bolus.mean_error", "size = 1 U", "a", "1.0", "yes"),
        ("bolus.mean_error", "size = 1 U", "b", "2.0", "yes"),
        ("refused.share", "", "a", "100.0", "no"),
    ]
    assert (tmp_path / "out" / "comparison.pdf").read_bytes().startswith(b"%PDF")


def test_a_printed_name_of_format_1_is_the_quantity_that_is_printed_so(tmp_path: Path) -> None:
    values: list[Given] = [(TEST, MEAN, 1.0, 0.1), (TEST, LARGEST, 3.0, 0.1)]
    old = as_format_1(stored_run(tmp_path / "old", values, serial="A"))
    older = as_format_1(stored_run(tmp_path / "older", values, serial="B"))
    new = stored_run(tmp_path / "new", values, serial="C")
    mixed = rows(members(old, older, new))
    assert [(row.quantity.kind, row.name, len(row.values)) for row in mixed] == [
        ("bolus.mean_error", "mean bolus error at 1 U", 3),
        ("bolus.largest_error", "largest bolus error at 1 U", 3),
    ]
    alone = rows(members(old, older))
    assert [(row.quantity.kind, row.name, len(row.values)) for row in alone] == [
        ("", "mean bolus error at 1 U", 2),
        ("", "largest bolus error at 1 U", 2),
    ]
    twin = Quantity("another.kind", (), "%", MEAN.name)
    ambiguous = stored_run(tmp_path / "ambiguous", [*values, (TEST, twin, 9.0, 0.1)], serial="D")
    unclear = [row for row in rows(members(old, ambiguous)) if row.quantity.name == MEAN.name]
    assert [len(row.values) for row in unclear] == [1, 1, 1], "a name that is printed for two quantities is neither"


def test_runs_of_both_formats_are_pooled_where_nothing_tells_their_rigs_apart(tmp_path: Path) -> None:
    as_format_1(stored_run(tmp_path / "old", [(TEST, MEAN, 1.0, 0.1)], serial="A"))
    stored_run(tmp_path / "new", [(TEST, MEAN, 2.0, 0.1)], serial="B")
    write_comparison(tmp_path / "out", [tmp_path / "old", tmp_path / "new"])
    (pumps,) = content(tmp_path / "out").pumps
    assert (pumps.quantity.kind, pumps.mean) == ("bolus.mean_error", 1.5)


OTHER_RIG = Software(version="0.1.0", commit=None, dirty=None, sha256="cc" * 32)
OTHER_PLAN = Plan(name="other", purpose="", file="other.toml", sha256="ab" * 32, content={"name": "other"})


@pytest.mark.parametrize(
    ("by", "differs", "sentence"),
    [
        (None, {"firmware": "1.1"}, r"the runs differ in firmware \(a has Open Rig RC-1 1\.0; b has Open Rig RC-1 1\.1"
            r"\): compare them by it with --by firmware"),
        (None, {"firmware_sha256": "ee" * 32}, r"a has Open Rig RC-1 1\.0; b has Open Rig RC-1 1\.0, image eeee"),
        (None, {"plan": OTHER_PLAN}, r"differ in plan \(a has short \w{12}; b has other \w{12}\): .* --by plan"),
        (None, {"software": OTHER_RIG}, r"differ in rig \(a has 0\.1\.0, code and suites \w{12}; b has .* --by rig"),
        (None, {"suite": b"x = 1\n"}, r"differ in rig"),
        (None, {"firmware": "1.1", "plan": OTHER_PLAN}, r"differ in firmware \(.*\) and in plan \(.*\): --by firmware "
            "or --by plan compares by one of them where the others are equal"),
        (By.FIRMWARE, {"firmware": "1.1", "plan": OTHER_PLAN},
            r"differ in plan \(.*\): --by firmware needs them equal"),
        (By.FIRMWARE, {}, r"--by firmware: all of these runs have the same, Open Rig RC-1 1\.0"),
        (None, {"virtual": True, "seed": 1}, "a has real; b has simulated: simulated and real runs are never compared"),
        (By.RIG, {"virtual": True, "seed": 1}, "simulated and real runs are never compared"),
    ],
)  # fmt: skip
def test_unlike_runs_are_refused_with_what_differs_and_the_option_that_compares_by_it(
    tmp_path: Path, by: By | None, differs: dict[str, Any], sentence: str
) -> None:
    stored_run(tmp_path / "a", [(TEST, MEAN, 1.0, 0.1)], serial="A")
    stored_run(tmp_path / "b", [(TEST, MEAN, 2.0, 0.1)], serial="B", **differs)
    with pytest.raises(EvidenceError, match=sentence):
        write_comparison(tmp_path / "out", [tmp_path / "a", tmp_path / "b"], by)
    assert not (tmp_path / "out").exists()


def test_a_and_b_of_one_run_each_share_the_calibration_of_one_balance(tmp_path: Path) -> None:
    for name, value, firmware in (("a", -1.0, "1.0"), ("b", 9.0, "1.1")):
        stored_run(tmp_path / name, [(TEST, MEAN, value, 0.5)], firmware=firmware, calibration_u=0.2)
    compared = compare(members(tmp_path / "a", tmp_path / "b"), By.FIRMWARE)
    (found,) = compared.differences
    assert (found.a, found.b, found.found.difference) == ("Open Rig RC-1 1.0", "Open Rig RC-1 1.1", 10.0)
    # U² = 0.25 each, of which the calibration's (2 · 0.2)² = 0.16 cancels: √(2 · 0.09).
    assert found.found.expanded == pytest.approx(math.sqrt(0.18))
    assert found.sentence == "0 lies outside difference ± U (U of the values)"


def test_several_runs_each_are_held_by_their_scatter_and_more_groups_against_the_first(tmp_path: Path) -> None:
    given_values = {"1.0": (0.0, 2.0), "1.1": (10.0, 12.0), "1.2": (1.0, 3.0)}
    for firmware, values in given_values.items():
        for number, value in enumerate(values):
            stored_run(tmp_path / f"{firmware} {number}", [(TEST, MEAN, value, 0.1)], firmware=firmware)
    lines = write_comparison(tmp_path / "out", [tmp_path / "1.0 0", tmp_path], By.FIRMWARE)
    found = content(tmp_path / "out").differences
    # s² = 2 in each group of 2: ν = 2, s²/n + s²/n = 2, and t(0.97725; 2) = p √(2/(1 − p²)) with p = 0.9545.
    assert [(each.b[-3:], each.difference, each.degrees_of_freedom) for each in found] == [
        ("1.1", 10.0, pytest.approx(2.0)),
        ("1.2", 1.0, pytest.approx(2.0)),
    ]
    assert [each.expanded_uncertainty for each in found] == [pytest.approx(4.526551 * math.sqrt(2.0))] * 2
    assert [each.zero_inside for each in found] == [False, True]
    assert lines[0] == "1.0 0 was named twice; it is compared once."
    assert (
        "mean bolus error at 1 U: B − A = 10.0 ± 6.4 %; 0 lies outside difference ± U (scatter between runs, ν = 2)"
        in (lines)
    )


def test_counts_without_spread_or_uncertainty_are_printed_as_they_are(tmp_path: Path) -> None:
    for number, firmware in enumerate(("1.0", "1.0", "1.1", "1.1")):
        stored_run(tmp_path / str(number), [(TEST, REFUSED, 100.0, 0.0)], firmware=firmware, serial=str(number))
    write_comparison(tmp_path / "by", [tmp_path], By.FIRMWARE)
    (found,) = content(tmp_path / "by").differences
    assert (found.difference, found.expanded_uncertainty, found.zero_inside) == (0.0, 0.0, True)
    write_comparison(tmp_path / "pooled", [tmp_path / "0", tmp_path / "1"])
    (pooled,) = content(tmp_path / "pooled").pumps
    assert (pooled.mean, pooled.sd) == (100.0, 0.0)


def test_runs_that_take_no_part_are_named_in_a_sentence_each(tmp_path: Path) -> None:
    for name in "abcdef":
        outcome: Any = {"c": "blocked", "d": "interrupted", "e": "started"}.get(name, "complete")
        stored_run(tmp_path / "runs" / name, [(TEST, MEAN, 1.0, 0.1)], serial=name, outcome=outcome)
    shutil.rmtree(tmp_path / "runs" / "f")
    shutil.copytree(tmp_path / "runs" / "a", tmp_path / "runs" / "f")
    lines = write_comparison(tmp_path / "out", [tmp_path / "runs", tmp_path / "runs" / "a"])
    assert lines[:5] == [
        "c is left out: its bench was blocked and nothing was measured.",
        "d is left out: it was not finished, its record ends as 'interrupted'.",
        "e is left out: it was not finished, it was never closed.",
        "f is left out: it is a copy of a.",
        "a was named twice; it is compared once.",
    ]
    assert [run.run for run in content(tmp_path / "out").runs] == ["a", "b"]
    assert content(tmp_path / "out").marks == ("Comparison of runs", NOT_FORMAL), "no run is simulated"


def test_runs_that_cannot_be_compared_are_one_sentence_and_exit_code_3(tmp_path: Path) -> None:
    stored_run(tmp_path / "a", [(TEST, MEAN, 1.0, 0.1)], serial="A")
    stored_run(tmp_path / "b", [(OTHER_TEST, MEAN, 1.0, 0.1)], serial="B")
    stored_run(tmp_path / "damaged", [(TEST, MEAN, 1.0, 0.1)], serial="C")
    (tmp_path / "damaged" / "record" / "results.json").write_text("{", encoding="utf-8")
    for arguments, sentence in (
        (("a", "b"), "2 finished runs: nothing was measured in two runs under the same conditions"),
        (("a", "a"), "1 finished run (a was named twice; it is compared once.): nothing was measured"),
        (("a", "damaged"), "results.json: was changed after the run was closed"),
        (("a", "nowhere"), "there is no run in this folder"),
    ):
        paths = [str(tmp_path / name) for name in arguments]
        with pytest.raises(EvidenceError) as error:
            write_comparison(tmp_path / "out", [Path(path) for path in paths])
        assert sentence in str(error.value)
        assert "\n" not in str(error.value)
    done = rig("compare", str(tmp_path / "a"), str(tmp_path / "b"))
    assert (done.returncode, done.stderr.count("\n")) == (3, 1), done.stderr
    assert rig("compare", str(tmp_path / "a"), "--by", "weather").returncode == 2


def test_runs_of_one_name_are_told_apart_by_their_folders(tmp_path: Path) -> None:
    for day, serial in (("monday", "A"), ("tuesday", "B")):
        stored_run(tmp_path / day / "left", [(TEST, MEAN, 1.0, 0.1)], serial=serial)
    write_comparison(tmp_path / "out", [tmp_path / "monday", tmp_path / "tuesday"])
    assert [run.run for run in content(tmp_path / "out").runs] == ["monday/left", "tuesday/left"]


def test_a_condition_is_held_against_the_same_pump_only(tmp_path: Path) -> None:
    for name, serial, factor, conditions in (
        ("a", "A", 1.0, {}),
        ("a cold", "A", 1.02, {"temperature": 5.0}),
        ("b", "B", 1.5, {}),
    ):
        run = stored_run(tmp_path / name, [(TEST, MEAN, 1.0, 0.1)], serial=serial, conditions=conditions)
        boluses_of(run, tuple(factor * each for each in (0.98, 1.0, 1.02)))
    runs = members(*(tmp_path / name for name in ("a", "a cold", "b")))
    (boluses,) = under_conditions(runs)
    nominal, (cold,) = boluses.table.nominal, boluses.table.rows
    assert (nominal.n, nominal.mean_percent) == (3, pytest.approx(0.0, abs=1e-9))
    assert (cold.setting, cold.shift_percent) == (5.0, pytest.approx(2.0))
    pooled, alone = spreads(runs)
    assert [(each.row.conditions, each.values) for each in pooled] == [("nominal", [1.0, 1.0])]
    assert [row.conditions for row in alone] == ["temperature 5 °C"]


def test_runs_of_one_pump_make_no_statement_about_pumps(tmp_path: Path) -> None:
    for number, serial in enumerate(("A", "A", "B")):
        stored_run(tmp_path / str(number), [(TEST, MEAN, float(number), 0.1)], serial=serial)
    (spread,), _ = spreads(members(*(tmp_path / name for name in "012")))
    assert spread.tolerance is None
    assert spread.why_no_tolerance == "runs of one pump are not independent"
    assert "which infusion set" in spread.why_no_components


def test_three_pumps_have_the_exact_tolerance_interval(tmp_path: Path) -> None:
    for number in range(3):
        stored_run(tmp_path / str(number), [(TEST, MEAN, float(number), 0.1)], serial=str(number))
    write_comparison(tmp_path / "out", [tmp_path])
    (spread,) = content(tmp_path / "out").pumps
    assert spread.tolerance is not None
    # n = 3, 95/95: exact k = 9.7888 (Monte Carlo of 4 million: 95.0 %); Howe's approximation is 9.916. Mean 1, SD 1.
    assert spread.tolerance.low == pytest.approx(-8.7888, abs=1e-3)
    assert spread.tolerance.high == pytest.approx(10.7888, abs=1e-3)


def test_infusion_sets_that_are_named_make_components_of_variance(tmp_path: Path) -> None:
    cases = [(serial, each, run) for serial in "AB" for each in "12" for run in "xy"]
    for serial, each, run in cases:
        sets = {"infusion_set": f"lot {each}"}
        stored_run(tmp_path / (serial + each + run), [(TEST, MEAN, 1.0, 0.1)], serial=serial, disposables=sets)
    (spread,), _ = spreads(members(*(tmp_path / "".join(case) for case in cases)))
    assert spread.components is not None
    assert spread.components.total_sd == 0.0, "eight runs with the same numbers"


measured = st.lists(
    st.tuples(
        st.sampled_from([TEST, OTHER_TEST]),
        st.sampled_from([MEAN, LARGEST, REFUSED]),
        st.integers(-50, 50).map(lambda n: n / 10),
        st.sampled_from([0.0, 0.1]),
    ),
    min_size=1,
    max_size=5,
)
made_up = st.lists(st.tuples(measured, st.sampled_from(["1.0", "1.1"]), st.booleans()), min_size=2, max_size=4)


@settings(max_examples=20, deadline=None)
@given(made_up, st.data())
def test_every_value_enters_once_whatever_the_order_of_the_runs(
    runs: list[tuple[list[Given], str, bool]], data: st.DataObject
) -> None:
    """Rows, groups and what has no partner hold each value of each run, pooled or grouped."""
    with tempfile.TemporaryDirectory() as name:
        made = []
        for number, (values, firmware, cold) in enumerate(runs):
            conditions = {"temperature": 5.0} if cold else {}
            path = Path(name) / f"run {number}"
            stored_run(path, values, serial=str(number), firmware=firmware, conditions=conditions)
            made.append(Member(path.name, read_run(path)))
    expected = Counter((m.label, e.test, e.attempt, e.name, e.value) for m in made for e in measured_values(m))
    assert sum(expected.values()) == sum(len(values) for values, *_ in runs)
    shuffled = data.draw(st.permutations(made))
    assert rows(shuffled) == rows(made)
    assert entries(rows(made)) == expected
    pooled, alone = spreads(made)
    assert entries([*(each.row for each in pooled), *alone]) == expected
    assert spreads(shuffled) == (pooled, alone)
    firmwares = {firmware for _, firmware, _ in runs}
    if len(firmwares) == 1:
        return
    first = next(m for m in made)
    again = [first, *(m for m in shuffled if m is not first)]
    by_group = {firmware: {of_row(row) for row in rows(own)} for firmware, own in grouped(made).items()}
    if by_group["1.0"].isdisjoint(by_group["1.1"]):
        with pytest.raises(EvidenceError, match="no quantity was measured by one test in two groups"):
            compare(made, By.FIRMWARE)
        return
    compared = compare(made, By.FIRMWARE)
    assert entries([*(each.row for each in compared.differences), *compared.alone]) == expected
    assert compare(again, By.FIRMWARE).differences == compared.differences
    for each in compared.differences:
        both = [*each.values_a, *each.values_b]
        assert sorted(value.member.label for value in both) == [value.member.label for value in each.row.values]


def grouped(made: list[Member]) -> dict[str, list[Member]]:
    firmwares = [member.run.manifest.dut.firmware for member in made if member.run.manifest.dut]
    return {each: [m for m, own in zip(made, firmwares, strict=True) if own == each] for each in firmwares}


def of_row(row: Row) -> tuple[str, str, str, int]:
    return row.conditions, row.quantity.kind, row.test, row.occurrence


def entries(listed: Iterable[Row]) -> Counter[tuple[str, str, int, str, float]]:
    return Counter(
        (each.member.label, row.test, each.attempt, row.quantity.name, each.value)
        for row in listed
        for each in row.values
    )


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of the right firmware and one of a pump that delivers 10 % too much, measured at the same time."""
    folder = tmp_path_factory.mktemp("images")
    (folder / "plan.toml").write_text(PLAN, encoding="utf-8")
    settings_of = {"good": [], "over": ["--set", f"virtual.firmware={OVER.resolve()}"]}
    processes = [
        subprocess.Popen(
            [
                sys.executable, "-m", "rig", "verify", "--plan", str(folder / "plan.toml"), "--out", str(folder / name),
                *more,
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        for name, more in settings_of.items()
    ]  # fmt: skip
    for process in processes:
        output = process.communicate()[0].decode()
        assert "Verdict:" in output, output
    return folder


def test_a_pump_that_delivers_ten_percent_too_much_shows_it_beside_the_right_one(images: Path, tmp_path: Path) -> None:
    paths = [images / "good", images / "over"]
    done = rig("compare", *map(str, paths), "--out", str(tmp_path / "pooled"))
    assert (done.returncode, done.stderr.count("\n")) == (3, 1), done.stderr
    assert "the runs differ in firmware (good has Open Rig RC-1 0.2.0, image " in done.stderr
    done = rig("compare", *map(str, paths), "--by", "firmware", "--out", str(tmp_path / "out"))
    assert done.returncode == 0, done.stderr
    found = {each.quantity.kind: each for each in content(tmp_path / "out").differences}
    mean = found["bolus.mean_error"]
    assert mean.difference == pytest.approx(10.0, abs=0.5)
    assert not mean.zero_inside
    assert mean.expanded_uncertainty < 0.05, "0 is two hundred times U away"
    assert found["bolus.logged_less_weighed"].difference == pytest.approx(-9.4, abs=0.6)  # the log knows nothing of it
    assert content(tmp_path / "out").marks == ("Comparison of runs", SIMULATED, NOT_FORMAL)
    own = [read_run(path).results for path in paths]
    values = [next(e.value for r in run.reported for e in [r] if e.quantity.kind == "bolus.mean_error") for run in own]
    assert mean.difference == values[1] - values[0]
    assert math.hypot(*(v.expanded_uncertainty for v in (*mean.values_a, *mean.values_b))) > mean.expanded_uncertainty
    assert json.loads((tmp_path / "out" / "comparison.json").read_text(encoding="utf-8"))["by"] == "firmware"


def rig(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "rig", *arguments], capture_output=True, text=True, check=False)
