"""What `rig prove` makes of what people hand it: ledgers that a kill cut off, wrong folders and files, idle patches."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import pytest
from rich.console import Console

from rig.bench.open import open_bench
from rig.cli.prove import ProofAsked, prove
from rig.errors import BenchFileError
from rig.procedures.preparation import prepare
from rig.proving.proof import TRIED, append_tried, read_tried
from rig.proving.pumps import TriedPump, found_in, pumps_named, with_families, wrong_hardware
from rig.proving.trial import tried
from rig.record.proof import Tried
from rig.record.results import TestRecord
from rig.shipped import shipped
from suites.measuring import VIRTUAL, recorded

BUILD = shipped("fixtures/controller") / "build.py"


def test_a_ledger_that_a_kill_cut_off_goes_on(tmp_path: Path) -> None:
    append_tried(tmp_path, Tried(name="a", source="patch", outcome="caught"))
    with (tmp_path / TRIED).open("a", encoding="utf-8") as file:
        file.write('{"name": "b", "sou')
    append_tried(tmp_path, Tried(name="c", source="patch", outcome="caught"))
    append_tried(tmp_path, Tried(name="d", source="patch", outcome="escaped"))
    assert list(read_tried(tmp_path)) == ["a", "c", "d"]


def test_a_file_of_expectations_that_names_no_pump_of_its_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "slow.patch").write_text("", encoding="utf-8")
    (tmp_path / "expected.toml").write_text('solw = ["PR-D1.1"]', encoding="utf-8")
    said = f"{tmp_path / 'expected.toml'}: solw: there is no file solw.patch beside it"
    with pytest.raises(BenchFileError, match=re.escape(said)):
        found_in(tmp_path, "patch")


def test_an_unknown_requirement_is_told_with_its_file(tmp_path: Path) -> None:
    (tmp_path / "slow.elf").write_bytes(b"")
    (tmp_path / "expected.toml").write_text('slow = ["PR-X1"]', encoding="utf-8")
    said = f"{tmp_path / 'expected.toml'}: slow: no requirement has the id 'PR-X1'"
    with pytest.raises(BenchFileError, match=re.escape(said)):
        with_families(found_in(tmp_path, "image"), ["PR-D1.1"])


def test_no_parameters_are_not_taken_for_those_of_the_rig(tmp_path: Path) -> None:
    path = tmp_path / "h.toml"
    path.write_text("# nothing yet\n", encoding="utf-8")
    with pytest.raises(BenchFileError, match=re.escape(f"{path}: holds no set of parameters")):
        wrong_hardware(path)


def test_settings_that_no_bench_knows_are_refused_before_anything_is_tried(tmp_path: Path) -> None:
    path = tmp_path / "h.toml"
    path.write_text('[soft]\nmust_fail = ["PR-F1.1"]\nset = { "parameters.fluid.softness" = 2 }\n', encoding="utf-8")
    with pytest.raises(BenchFileError, match=re.escape(f"{path}: soft: ") + ".*virtual.parameters.fluid.softness"):
        prove(ProofAsked(parameters=path, plan="smoke", out=tmp_path / "proof"), console=Console())
    assert not (tmp_path / "proof").exists()


@pytest.mark.parametrize("names", [("a b", "a_b"), ("a", "A"), ("a", "a")])
def test_two_pumps_whose_runs_would_share_a_folder_are_refused(names: tuple[str, str]) -> None:
    with pytest.raises(BenchFileError, match="a name belongs to one"):
        pumps_named([TriedPump(name, "image") for name in names], [])


@pytest.mark.parametrize("where", ["../escaped.c", "../../escaped.c"])
def test_a_patch_writes_nowhere_but_in_a_copy_of_the_sources(tmp_path: Path, where: str) -> None:
    patch = tmp_path / "beyond.patch"
    patch.write_text(f"--- /dev/null\n+++ b/{where}\n@@ -0,0 +1 @@\n+int x;\n", encoding="utf-8")
    (tmp_path / "of" / "build").mkdir(parents=True)
    with pytest.raises(SystemExit, match="does not fit the sources"):
        runpy.run_path(str(BUILD))["sources"](patch, tmp_path / "of" / "build")
    assert not list(tmp_path.rglob("escaped.c"))


def test_a_pump_that_is_right_escapes_and_is_told() -> None:
    passed = TestRecord(
        id="t", title="t", outcome="passed", message=None, duration_s=0.0, requirements=(), quantities=()
    )
    said = "its image is that of the right pump, octet for octet"
    each = tried(TriedPump("p", "image"), [], [passed], trouble=None, remark=said, wall_s=1.0, digest="")
    assert (each.outcome, each.reason) == ("escaped", said)


def test_a_measurement_begins_though_what_is_shown_cannot_be_confirmed(tmp_path: Path) -> None:
    with open_bench(VIRTUAL) as bench, recorded(tmp_path / "m", bench) as record:
        bench.switch.set_line("hot", energised=True)
        bench.clock.sleep(180.0)
        prepare(bench, record, rate_u_per_h=1.0)
        assert [each.kind for each in bench.pump.annunciations()] == ["temperature out of range"]
        bench.pump.run()
    assert "not confirmed" in (tmp_path / "m" / "steps.jsonl").read_text(encoding="utf-8")
