"""The report's page in headless Chromium: quiet, alone, readable for all, and its filters show what they should."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

from reports.documents import write_page
from rig.record.reading import read_run
from suites.selftest.recorded import BASAL, measured, verified

SIMULATED = "SIMULATED — no evidence about any device"
LOOKS = {
    "light": (1280, 900, "light"),
    "dark": (1280, 900, "dark"),
    "phone": (390, 800, "light"),
    "small": (320, 640, "dark"),
}
RESULTS = "#results table tbody"


@dataclass
class Shown:
    """A page in the browser, what its console said, and what it asked for."""

    page: Page
    console: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def visible(self) -> list[str]:
        """The requirements that are shown, by the first word of each."""
        return [body.inner_text().split()[0] for body in self.page.query_selector_all(RESULTS) if body.is_visible()]


@pytest.fixture(scope="session")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of a run in which one requirement failed and one is inconclusive."""
    run = verified(tmp_path_factory.mktemp("page"))
    measured(run, BASAL, {"basal.mean_error": (12.0, 1.0), "basal.largest_window_error": (14.9, 1.0)})
    folder = tmp_path_factory.mktemp("written")
    return write_page(read_run(run), folder)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    assert chromium is not None, "Chromium is not installed"
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture(params=LOOKS)
def shown(browser: Browser, report: Path, request: pytest.FixtureRequest) -> Iterator[Shown]:
    """The page in each look."""
    width, height, scheme = LOOKS[request.param]
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if scheme == "dark" else "light",
    )
    shown = Shown(context.new_page())
    shown.page.on("console", lambda message: shown.console.append(message.text))
    shown.page.on("pageerror", lambda error: shown.console.append(str(error)))
    shown.page.on("request", lambda asked: shown.requests.append(asked.url))
    shown.page.goto(report.as_uri())
    yield shown
    context.close()


def draw_all(page: Page) -> int:
    """Bring each curve of the report into sight, and wait until all of them are drawn."""
    places = page.query_selector_all("#curves .curve")
    for place in places:
        place.scroll_into_view_if_needed()
    page.wait_for_function("[...document.querySelectorAll('#curves .curve')].every(e => e.querySelector('.main-svg'))")
    return len(places)


def test_it_is_quiet_asks_for_nothing_and_draws_its_curves(shown: Shown, report: Path) -> None:
    assert draw_all(shown.page) == 3
    assert shown.page.query_selector("#curves .curve .scatterlayer .trace path") is not None
    assert shown.console == []
    outside = [each for each in shown.requests if not each.startswith(("data:", "blob:"))]
    assert outside == [report.as_uri()]


def test_a_script_that_asks_for_an_address_is_refused(shown: Shown) -> None:
    refused = shown.page.evaluate("fetch('http://192.0.2.1/').then(() => 'answered', () => 'refused')")
    assert refused == "refused"
    assert any("Content Security Policy" in line for line in shown.console)


def test_everybody_can_read_it(shown: Shown) -> None:
    draw_all(shown.page)
    found = Axe().run(shown.page).response["violations"]
    assert [(each["id"], [node["html"][:200] for node in each["nodes"]]) for each in found] == []


def test_nothing_is_wider_than_the_screen(shown: Shown) -> None:
    draw_all(shown.page)
    width = shown.page.evaluate("document.documentElement.scrollWidth")
    assert width <= shown.page.evaluate("window.innerWidth")


def test_that_it_is_simulated_stays_in_sight(shown: Shown) -> None:
    for place in ("document.body.scrollHeight / 2", "document.body.scrollHeight"):
        shown.page.evaluate(f"window.scrollTo(0, {place})")
        box = shown.page.get_by_text(SIMULATED).first.bounding_box()
        assert box is not None
        assert box["y"] == 0
        assert shown.page.locator(".mark").inner_text().startswith(SIMULATED)


def test_a_verdict_hides_all_others(shown: Shown) -> None:
    everything = shown.visible()
    form = shown.page.locator("#results form.filter")
    for verdict in ("PASS", "INCONCLUSIVE"):
        form.get_by_label(verdict, exact=True).uncheck()
    assert shown.visible() == ["PR-D1.1"]
    assert form.locator("output").inner_text() == f"1 / {len(everything)}"
    form.get_by_label("FAIL", exact=True).uncheck()
    form.get_by_label("INCONCLUSIVE", exact=True).check()
    assert shown.visible() == ["PR-D1.2"]
    form.get_by_label("PASS", exact=True).check()
    form.get_by_label("FAIL", exact=True).check()
    assert shown.visible() == everything


def test_words_are_all_to_be_found_in_any_case(shown: Shown) -> None:
    search = shown.page.locator("#results form.filter input[type=search]")
    search.fill("PR-d3 BOLUSES")
    assert shown.visible() == ["PR-D3.2"]
    search.fill("no such words")
    assert shown.visible() == []
    search.fill("")
    assert len(shown.visible()) > 3


def test_what_a_filter_hides_is_printed_all_the_same(browser: Browser, report: Path) -> None:
    page = browser.new_page()
    page.goto(report.as_uri())
    page.locator("#results form.filter").get_by_label("FAIL", exact=True).uncheck()
    row = page.locator("#results table tbody").filter(has_text="PR-D1.1").first
    assert not row.is_visible()
    page.emulate_media(media="print")
    assert row.is_visible()
    page.close()


def test_links_of_the_contents_lead_somewhere(shown: Shown) -> None:
    lost = shown.page.evaluate(
        "[...document.querySelectorAll('a[href^=\"#\"]')].map(a => a.getAttribute('href')).filter("
        "h => !document.getElementById(decodeURIComponent(h.slice(1))))"
    )
    assert lost == []
    twice = shown.page.evaluate(
        "[...document.querySelectorAll('[id]')].map(e => e.id).filter((id, n, all) => all.indexOf(id) !== n)"
    )
    assert [each for each in twice if not each.startswith(("clip", "legend", "g"))] == []


def test_print_says_simulated_on_every_page_and_leaves_the_annex_out(browser: Browser, report: Path) -> None:
    from io import BytesIO

    from pypdf import PdfReader

    page = browser.new_page()
    page.goto(report.as_uri())
    draw_all(page)
    pages = [" ".join(each.extract_text().split()) for each in PdfReader(BytesIO(page.pdf(format="A4"))).pages]
    page.close()
    assert len(pages) > 3
    assert [number for number, said in enumerate(pages) if SIMULATED not in said] == []
    assert "Annex to a test report" not in " ".join(pages[1:]).split("Results per requirement")[-1]
