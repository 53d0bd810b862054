"""Which packages a run says that it was made with."""

from pathlib import Path

import pytest

from rig.run.software import packages


@pytest.mark.parametrize(("folder", "gained"), [("setuptools/_vendor", []), ("site-packages", ["some-package"])])
def test_copies_that_setuptools_puts_on_the_path_are_no_installed_packages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: str, gained: list[str]
) -> None:
    """As it does when it is imported, so that two processes of one environment would seem to differ."""
    before = packages()
    metadata = tmp_path / folder / "some_package-1.0.dist-info" / "METADATA"
    metadata.parent.mkdir(parents=True)
    metadata.write_text("Metadata-Version: 2.1\nName: some-package\nVersion: 1.0\n", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path / folder)
    assert sorted(packages().keys() - before.keys()) == gained
