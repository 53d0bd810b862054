"""Protocol pages are true: what they say is said by the twin and understood by the driver."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import pytest

from rig.bench.channels import PORT_ROLES
from suites.stands.transcript_players import play_to_driver, play_to_twin
from suites.stands.transcripts import Transcript, read_page

ROOT = Path(__file__).parents[2]
NAMES = [page.parent.name for page in sorted(ROOT.glob("instruments/*/protocol.md"))]
WIRED = [name for name in NAMES if import_module(f"instruments.{name}.driver").ROLE not in PORT_ROLES]
"""Devices on a wire; the page of a device with a port has a test of its own."""
PAGES = {name: read_page(ROOT / "instruments" / name / "protocol.md") for name in WIRED}
TALKS = [(name, talk) for name, talks in PAGES.items() for talk in talks]


@pytest.mark.parametrize(("name", "talk"), [pytest.param(*it, id=it[1].where) for it in TALKS if it[1].has_calls])
def test_the_driver_understands_what_the_page_says(name: str, talk: Transcript) -> None:
    play_to_driver(talk, import_module(f"instruments.{name}.driver"))


@pytest.mark.parametrize(("name", "talk"), [pytest.param(*it, id=it[1].where) for it in TALKS if not it[1].driver_only])
def test_the_twin_answers_as_the_page_says(name: str, talk: Transcript) -> None:
    play_to_twin(talk, import_module(f"instruments.{name}.twin"))


@pytest.mark.parametrize("name", PAGES)
def test_every_page_talks_to_both_sides(name: str) -> None:
    assert any(talk.has_calls for talk in PAGES[name]), f"{name}/protocol.md calls its driver nowhere"
    assert any(not talk.driver_only for talk in PAGES[name]), f"{name}/protocol.md says nothing to its twin"
