"""The rig's own files, found from anywhere, and names of folders and files that nobody has yet."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from rig.record.files import free_folder, new_file, new_folder
from rig.shipped import DEFAULT_BENCH, DEFAULT_REQUIREMENTS, PLANS, PUMP_SUITES, ROOT, shipped


@pytest.mark.parametrize("name", [DEFAULT_BENCH, DEFAULT_REQUIREMENTS, PLANS, PUMP_SUITES])
def test_a_file_of_the_rigs_is_there_and_is_named_as_short_as_it_can_be(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    assert shipped(name) == Path(name)
    assert shipped(name).exists()
    monkeypatch.chdir(tmp_path)
    assert shipped(name) == ROOT / name


def test_a_folder_that_is_gone_is_no_hindrance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    assert shipped(DEFAULT_BENCH) == ROOT / DEFAULT_BENCH
    monkeypatch.chdir(tmp_path)


def test_those_who_begin_in_the_same_second_get_folders_and_files_of_their_own(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        folders = list(pool.map(lambda _: new_folder(tmp_path / "runs", "12.00-series"), range(20)))
        files = list(pool.map(lambda _: new_file(tmp_path / "runs" / "12.00-test.json"), range(20)))
    ends = ["", *(f"-{number}" for number in range(2, 21))]
    assert {path.name for path in folders} == {f"12.00-series{end}" for end in ends}
    assert {path.name for path in files} == {f"12.00-test{end}.json" for end in ends}


def test_a_default_folder_that_is_taken_is_left_alone(tmp_path: Path) -> None:
    assert free_folder(tmp_path / "a.run-comparison") == tmp_path / "a.run-comparison"
    (tmp_path / "a.run-comparison").mkdir()
    (tmp_path / "a.run-comparison-2").mkdir()
    assert free_folder(tmp_path / "a.run-comparison") == tmp_path / "a.run-comparison-3"
