"""Several runs make one report: each requirement has the worst verdict, and a label its pumps from all of them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from pypdf import PdfReader

from reports.document import Section, TableBlock, TextCell
from reports.joined import join_runs
from reports.joined_report import joined_document, write_joined
from reports.parts.label import label_of
from rig.errors import EvidenceError
from rig.procedures.basal import FIRST_VOLUME
from rig.record.files import read_json
from rig.record.likeness import Member
from rig.record.reading import read_run
from rig.verdicts.quantities import Quantity
from suites.selftest.compared_runs import MEAN, OTHER_TEST, TEST, Given, stored_run
from suites.selftest.recorded import STOPPED, framed, measured, writable


def volume(hours: int) -> Quantity:
    return Quantity(FIRST_VOLUME.name, (("hours", f"{hours} h"), ("rate", "1 U/h")), "U", f"volume of {hours} h")


def pumps(folder: Path, first: dict[str, float]) -> list[Member]:
    """A run for each pump that delivered so much in the first hour, and six and twelve times as much afterwards."""
    found = []
    for serial, u in first.items():
        values: list[Given] = [(TEST, volume(hours), hours * u, 0.02) for hours in (1, 6, 12)]
        run = stored_run(folder / serial, values, serial=serial, run_id=f"run-{serial}")
        found.append(Member(serial, read_run(run)))
    return found


def cells(sections: tuple[Section, ...], section: str) -> list[list[str]]:
    """The words of the first table of a section, row by row."""
    table = next(
        block for each in sections if each.id == section for block in each.blocks if isinstance(block, TableBlock)
    )
    return [
        [cell.text if isinstance(cell, TextCell) else str(cell).replace("\N{NO-BREAK SPACE}", " ") for cell in row]
        for row in table.rows
    ]


def test_a_label_names_the_typical_the_least_and_the_most_delivering_pump(tmp_path: Path) -> None:
    members = pumps(tmp_path, {"A": 0.97, "B": 1.03, "C": 0.99})
    (typical, least, most) = cells(label_of([each.run for each in members], ""), "label-basal")
    assert typical[1:] == ["typical, of 3", "0.990 ± 0.020 U", "5.940 ± 0.020 U", "11.880 ± 0.020 U"]
    assert least[1:3] == ["least delivering", "0.970 ± 0.020 U"]
    assert most[1:3] == ["most delivering", "1.030 ± 0.020 U"]


def test_a_pump_that_was_measured_twice_counts_once_and_another_condition_not_at_all(tmp_path: Path) -> None:
    members = pumps(tmp_path, {"A": 0.97, "B": 1.03})
    cold: list[Given] = [(TEST, volume(1), 0.5, 0.02)]
    for name, serial, conditions in (("again", "A", {}), ("head", "B", {"head": 0.5})):
        run = stored_run(tmp_path / name, cold, serial=serial, run_id=name, conditions=conditions)
        members.append(Member(name, read_run(run)))
    joined = join_runs(members, [each.label for each in members])
    document = joined_document(joined, {each.label: each.label * 8 for each in members})
    assert [row[2] for row in cells(document.sections, "label-basal")] == [
        "0.500 ± 0.020 U",
        "0.500 ± 0.020 U",
        "1.030 ± 0.020 U",
    ]


def test_marks_of_every_run_stand_on_each_page(tmp_path: Path) -> None:
    members = pumps(tmp_path, {"A": 1.0})
    broken = stored_run(tmp_path / "b", [(OTHER_TEST, MEAN, 1.0, 0.1)], serial="B", run_id="b", outcome="interrupted")
    members.append(Member("b", read_run(broken)))
    document = joined_document(join_runs(members, ["1", "2"]), {"A": "1", "b": "2"})
    assert any(mark.startswith("INTERRUPTED") for mark in document.marks)
    assert any(mark.startswith("NOT FORMAL") for mark in document.marks)


@pytest.fixture(scope="module")
def two(recorded: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The session's run, and one of another pump that delivers while it is stopped."""
    other = writable(Path(shutil.copytree(recorded, tmp_path_factory.mktemp("joined") / "other")))
    framed(other, run_id="z", seed=2)
    measured(other, STOPPED, {"stopped.delivered": (0.3, 0.01)})
    return recorded, other


def test_the_worst_verdict_decides_and_each_value_stands_beside_those_of_the_other_run(
    two: tuple[Path, Path], tmp_path: Path
) -> None:
    lines, code = write_joined(tmp_path / "joined", two)
    assert code == 1
    assert {"PR-D7.1: FAIL", "PR-D1.1: PASS", "Verdict over 2 runs: FAIL"} <= set(lines)
    said = " ".join(
        " ".join(page.extract_text() for page in PdfReader(tmp_path / "joined" / "joined.pdf").pages).split()
    )
    assert "With therapy stopped nothing is delivered in 30 min. PASS: R1; FAIL: R2 FAIL" in said
    assert "delivered while stopped R2 0.300 ± 0.010 U ±0.05 U FAIL" in said
    for run in two:
        assert read_json(run / "record" / "closing.json")["sha256"] in said
    assert "(seed 2)" in said
    write_joined(tmp_path / "again", two)
    again = (tmp_path / "again" / "joined.pdf").read_bytes()
    assert again == (tmp_path / "joined" / "joined.pdf").read_bytes()


def test_a_run_counts_once(two: tuple[Path, Path], tmp_path: Path) -> None:
    with pytest.raises(EvidenceError, match="are the same run; each counts once, name it once"):
        write_joined(tmp_path / "joined", (two[0], two[0]))
    assert not (tmp_path / "joined").exists()
