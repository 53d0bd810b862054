"""The page of requirements says what the requirements file, the reference pump's sheet and the suites say."""

from pathlib import Path

from rig.cli.requirements_page import requirements_page


def test_the_page_of_requirements_is_up_to_date() -> None:
    assert Path("docs/requirements.md").read_text(encoding="utf-8") == requirements_page()
