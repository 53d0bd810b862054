"""The page of recalls names what there is, and claims nothing that no wrong pump shows."""

from __future__ import annotations

from pathlib import Path

import pytest

from rig.errors import BenchFileError
from rig.faults import shipped_faults
from rig.faults.recalls import read_recalls, recalls_page
from rig.shipped import RECALLS, shipped
from rig.toml_files import read_toml
from suites.stands.own_requirements import own_requirements

MUTANTS = Path("fixtures/controller/mutants")
KNOWN = read_recalls(shipped(RECALLS))
ENTRY = """
[[recall]]
number = 1
what = "a"
faults = ["F14"]
found = "no"
why = "b"
"""


def test_every_recall_stands_once_in_its_order() -> None:
    assert [each.number for each in KNOWN] == list(range(1, 17))


def test_every_fault_and_requirement_that_is_named_exists() -> None:
    catalogue, requirements = shipped_faults(), own_requirements()
    faults = {*catalogue.faults, *(each.id for each in catalogue.not_provoked)}
    assert {name for each in KNOWN for name in each.faults} <= faults
    assert {name for each in KNOWN for name in each.requirements} <= set(requirements)


def test_what_is_found_is_provoked_and_shown_by_wrong_pumps_that_must_fail_its_requirements() -> None:
    expected = read_toml(MUTANTS / "expected.toml")
    for recall in KNOWN:
        for name in recall.wrong_pumps:
            assert (MUTANTS / f"{name}.patch").is_file(), name
            assert set(expected[name]) & set(recall.requirements), f"{name} shows nothing of recall {recall.number}"
        if recall.found != "no":
            assert set(recall.faults) & set(shipped_faults().faults), f"recall {recall.number} is provoked by nothing"


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ('found = "no"', 'found = "yes"', "names its faults"),
        ('found = "no"', 'found = "no"\nwrong_pumps = ["x"]', "neither requirements nor wrong pumps"),
        ('found = "no"', 'found = "perhaps"', "found"),
        ('"F14"', '"G14"', "pattern|F"),
    ],
)
def test_a_wrong_entry_is_refused_in_a_sentence(tmp_path: Path, old: str, new: str, sentence: str) -> None:
    path = tmp_path / "recalls.toml"
    path.write_text(ENTRY.replace(old, new), encoding="utf-8")
    with pytest.raises(BenchFileError, match=sentence):
        read_recalls(path)


def test_the_page_of_recalls_is_what_the_file_says() -> None:
    assert Path("docs/recalls.md").read_text(encoding="utf-8") == recalls_page(KNOWN, shipped_faults())
