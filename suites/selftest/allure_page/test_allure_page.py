"""Allure's page in headless Chromium: quiet, alone, and it shows the numbers, marks and history of two runs."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from reports.allure.page import COUNTERS, PAGE
from reports.allure.tests import measured_text
from suites.selftest.recorded import BASAL, framed, measured, results, rig, verified, writable
from suites.selftest.shown import read_all

SIMULATED = "SIMULATED — no evidence about any device"


@dataclass(frozen=True)
class Nights:
    """Two runs, one after the other, the second with a failure; the folder of the second's page, and the history."""

    first: Path
    second: Path
    folder: Path
    history: Path

    def page_of(self, run: Path, name: str) -> Path:
        """Have the command make a page, with the history; returns its folder."""
        out = self.folder.with_name(name)
        done = rig("allure", str(run), "--out", str(out), "--page", "--history", str(self.history))
        assert done.returncode == 0, done.stderr
        assert f"Page: {out / PAGE}" in done.stdout
        return out


@dataclass
class Opened:
    """A page in the browser, what its console said, and what it asked for."""

    page: Page
    console: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def open(self, *texts: str) -> None:
        """Click on one text after the other."""
        for each in texts:
            self.page.get_by_text(each).first.click()


@pytest.fixture(scope="session")
def nights(tmp_path_factory: pytest.TempPathFactory) -> Nights:
    folder = tmp_path_factory.mktemp("nights")
    first = verified(folder)
    second = writable(Path(shutil.copytree(first, folder / "second")))
    measured(second, BASAL, {"basal.mean_error": (12.0, 1.0), "basal.largest_window_error": (14.9, 1.0)})
    framed(second, run_id="the-second-night", started_utc="2030-01-02T03:04:05Z")
    made = Nights(first, second, folder / "page", folder / "history.jsonl")
    made.page_of(first, "first-page")
    made.page_of(second, "page")
    return made


@pytest.fixture
def opened(nights: Nights) -> Iterator[Opened]:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    assert chromium is not None, "Chromium is not installed"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        opened = Opened(browser.new_page(viewport={"width": 1280, "height": 1400}))
        opened.page.on("console", lambda message: opened.console.append(message.text))
        opened.page.on("pageerror", lambda error: opened.console.append(str(error)))
        opened.page.on("request", lambda asked: opened.requests.append(asked.url))
        opened.page.goto((nights.folder / PAGE).as_uri())
        yield opened
        browser.close()


def test_it_shows_the_failed_requirement_with_its_numbers_and_that_it_is_simulated(
    opened: Opened, nights: Nights
) -> None:
    page = opened.page
    expect(page.get_by_text("SIMULATED; NOT FORMAL · the-second-night").first).to_be_visible()
    (value,) = next(row for row in results(nights.second).requirements if row.id == "PR-D1.1").measurements
    title = next(each.title for each in results(nights.second).tests if each.id == BASAL).rstrip(".")
    opened.open(title)
    expect(page.get_by_text(f"PR-D1.1 FAIL: {value.name} {measured_text(value)}").first).to_be_visible()
    expect(page.frame_locator("iframe").first.get_by_text(SIMULATED)).to_be_visible()
    opened.open("Show more")
    expect(page.get_by_text("Mettler-Toledo XPR26, B831204417").first).to_be_visible()
    opened.open("Procedure: basal", "balance.csv")
    expect(page.get_by_text("analysis").first).to_be_visible()
    assert opened.console == []
    asked = [each for each in opened.requests if not each.startswith(("data:", "blob:"))]
    assert asked == [(nights.folder / PAGE).as_uri()]


def test_it_shows_the_night_before(opened: Opened, nights: Nights) -> None:
    title = next(each.title for each in results(nights.second).tests if each.id == BASAL).rstrip(".")
    opened.open(title, "History")
    expect(opened.page.get_by_text("History1").or_(opened.page.get_by_text("History 1")).first).to_be_visible()
    lines = [json.loads(line) for line in nights.history.read_text(encoding="utf-8").splitlines()]
    assert [line["name"].rpartition(" · ")[2] for line in lines][1:] == ["the-second-night"]
    failed = next(each for each in read_all(nights.folder / "allure-results", "result") if each["status"] == "failed")
    kept = [
        [each["status"] for each in line["testResults"].values() if each["fullName"] == failed["fullName"]]
        for line in lines
    ]
    assert kept == [["passed"], ["failed"]]


def test_it_has_every_result(opened: Opened, nights: Nights) -> None:
    count = len(read_all(nights.folder / "allure-results", "result"))
    expect(
        opened.page.get_by_text(f"Total{count}").or_(opened.page.get_by_text(f"Results {count}")).first
    ).to_be_visible()


def test_it_counts_no_visitors_and_a_script_that_asks_for_an_address_is_refused(opened: Opened, nights: Nights) -> None:
    text = (nights.folder / PAGE).read_text(encoding="utf-8")
    assert [each for each in COUNTERS if each in text] == []
    refused = opened.page.evaluate("fetch('http://192.0.2.1/').then(() => 'answered', () => 'refused')")
    assert refused == "refused"
    assert any("Content Security Policy" in line for line in opened.console)


def test_made_again_later_it_has_the_same_history(nights: Nights) -> None:
    before = [json.loads(line) for line in nights.history.read_text(encoding="utf-8").splitlines()]
    again = nights.page_of(nights.first, "again")
    after = [json.loads(line) for line in nights.history.read_text(encoding="utf-8").splitlines()]
    assert [(each["name"], each["timestamp"]) for each in after] == [
        (each["name"], each["timestamp"]) for each in before
    ]
    assert "the-second-night" not in (again / PAGE).read_text(encoding="utf-8")
