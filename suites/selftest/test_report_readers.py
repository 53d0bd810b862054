"""Each reader finds in the report what his document asks for: from a question, by the contents, to a page."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pypdf import PdfReader

from reports.apparatus import LETTER, SIZE, boxes
from reports.document import KINDS, Document, DocumentBlock, Facts, Finder, Section, refuse_unknown
from reports.house import read_house
from reports.parts.finding import FDA, ISO, LABEL, PART_11, QUESTIONS
from reports.parts.given import Given
from reports.parts.summary import verdict_meaning
from reports.pdf import write_report_of
from reports.profile import profile_names, read_reader_profile
from reports.report_document import PARTS, document_of
from reports.typeset_document import content_of
from reports.words import value_and_uncertainty
from rig.errors import BenchFileError
from rig.record.analyses import BolusNumbers, OcclusionSeries
from rig.record.reading import Run
from rig.run.reading import read_whole_run
from rig.verdicts.limits import Verdict
from suites.selftest.recorded import BASAL, STOPPED, measured

HOUSE = """
language = "en"
number = "VR-{run}"
[laboratory]
name = "Pump laboratory"
address = "1 Scale Street, Ulm"
place = "Room 2.14"
[customer]
name = "Maker Ltd"
address = "2 Pump Road, Bern"
[order]
received = 2026-11-02
condition = "sealed, undamaged"
sampling = "drawn by the customer from lot 7"
sample_size = "one pump, to try the method"
final_device = "the unit is a final device of series production"
prototype = "no prototype was used"
external = "No result comes from an external provider."
[people]
authored = "A. Author"
"""

ANSWERS = {
    "a": "Verification of an insulin infusion pump",
    "b": "Pump laboratory, 1 Scale Street, Ulm",
    "c": "Room 2.14",
    "d": "Document number VR-",
    "e": "Maker Ltd, 2 Pump Road, Bern",
    "f": "IEC 60601-2-24:2012",
    "g": "sealed, undamaged",
    "h": "Received 2026-11-02",
    "i": "Run started 20",
    "j": "Date of issue 20",
    "k": "drawn by the customer from lot 7",
    "l": "The results relate only to the item tested",
    "m": "% (±5 %)",
    "n": "Deviations from the method",
    "o": "Authored by A. Author",
    "p": "No result comes from an external provider.",
    "1": "Hazard: Over- or under-infusion of insulin",
    "2": "the unit is a final device of series production",
    "3": "no prototype was used",
    "4": "(±5 %)",
    "5": "The apparatus, drawn from the bench file",
    "6": "How the set-up simulates clinical use.",
    "7": "Value nearest to its limit",
    "8": "Decision rule and its risk",
    "9": "Every requirement in the scope of this run is met.",
}
"""What answers each question of an assessor, in the words of the report."""

OTHER_ANSWERS = {
    (LABEL, "boluses by class of size"): "95 to <105 %",
    (LABEL, "volumes of the first hours"): "Rate Pump First 1 h First 6 h First 12 h",
    (LABEL, "occlusion times"): "Typical time Longest time",
    (PART_11, "a) validation of the system"): "Self-test of this version",
    (PART_11, "b) copies for people and programs"): "attached to this PDF",
    (PART_11, "c) protection of records"): "SHA-256 of each of its files, chained to the head",
    (PART_11, "d) access"): "the rig knows no accounts",
    (PART_11, "e) audit trail"): "who, when (UTC), what, old, new, reason",
    (PART_11, "f) steps in their order"): "inputs frozen, bench checked, measured, closed",
    (PART_11, "g) authority to sign"): "Approved by",
    (PART_11, "h) source of the readings"): "Instrument, serial number",
    (PART_11, "i) who operated the system"): "Operator",
    (PART_11, "j) meaning of signatures"): "Each stands for this report and for the record",
    (PART_11, "k) documentation of the system"): "pages, code and tests of the revision",
}
"""What answers those of the label and of the electronic record."""


@dataclass(frozen=True)
class Read:
    """A report as text, page by page, and the run that it is of."""

    run: Run
    folder: Path
    pages: list[str]


def house_of(folder: Path, content: str = HOUSE) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "house.toml").write_text(content, encoding="utf-8")
    return folder


def said_by(report: Path) -> list[str]:
    return [
        " ".join(page.extract_text().replace("\N{ZERO WIDTH SPACE}", "").split()) for page in PdfReader(report).pages
    ]


@pytest.fixture(scope="module")
def read(recorded: Path, tmp_path_factory: pytest.TempPathFactory) -> Read:
    """The session's run as a report with a laboratory's facts."""
    folder = tmp_path_factory.mktemp("read")
    run_dir = Path(shutil.copytree(recorded, folder / "run"))
    run = read_whole_run(run_dir)
    written = run_dir / "reports" / "rev-7"
    written.mkdir(parents=True)
    return Read(run, written, said_by(write_report_of(run, written, house=read_house(house_of(folder / "house")))))


def page_of(read: Read, of: str, question: str) -> int:
    """Step one: find the question on the page of contents, and the page number behind it."""
    page = next(each for each in read.pages if "Where to find what is asked for" in each)
    found = re.search(re.escape(question) + r"[ .]*(\d+)", page.partition(of)[2])
    assert found is not None, question
    return int(found[1])


@pytest.mark.parametrize(("of", "question"), [(of, question) for of, question, _ in QUESTIONS if of in (ISO, FDA)])
def test_an_assessor_finds_the_answer_on_the_page_that_the_contents_name(read: Read, of: str, question: str) -> None:
    number = page_of(read, of, question)
    # step two: the page itself, or the next where its section goes on
    assert ANSWERS[question[0]] in " ".join(read.pages[number - 1 : number + 1])


@pytest.mark.parametrize(("of", "question"), OTHER_ANSWERS)
def test_label_and_electronic_record_are_found_alike(read: Read, of: str, question: str) -> None:
    number = page_of(read, of, question)
    assert OTHER_ANSWERS[of, question] in " ".join(read.pages[number - 1 : number + 1])


def test_every_line_of_both_lists_is_asked() -> None:
    assert [question[0] for of, question, _ in QUESTIONS if of == ISO] == list("abcdefghijklmnop")
    assert [question[0] for of, question, _ in QUESTIONS if of == FDA] == list("123456789")
    assert [question[0] for of, question, _ in QUESTIONS if of == PART_11] == list("abcdefghijk")
    assert set(OTHER_ANSWERS) == {(of, question) for of, question, _ in QUESTIONS if of in (LABEL, PART_11)}


def test_the_tables_of_the_label_say_what_the_record_holds(read: Read) -> None:
    number = next(
        n for n, page in enumerate(read.pages) if "Boluses by class of size" in page and "Typical time" in page
    )
    label = read.pages[number]
    boluses = [each.analysis for each in read.run.analyses if isinstance(each.analysis, BolusNumbers)]
    assert len(boluses) == 1
    for each in boluses:
        percent = [100.0 * delivered / each.programmed_u for delivered in each.delivered_u]
        inside = sum(95.0 <= share < 105.0 for share in percent)
        mean = next(
            one
            for row in read.run.results.requirements
            for one in row.measurements
            if one.quantity.kind == "bolus.mean_error"
        )
        assert mean.value == pytest.approx(sum(percent) / len(percent) - 100.0)
        said = " ± ".join(value_and_uncertainty(mean.value, mean.expanded_uncertainty))
        row = label.partition(f"{each.programmed_u:g} U {len(percent)} ")[2].partition(f"{said} %")
        assert row[1], label
        assert f"{inside} ({100 * inside / len(percent):.0f} %)" in row[0]
    series = next(each.analysis for each in read.run.analyses if isinstance(each.analysis, OcclusionSeries))
    judged = [one for row in read.run.results.requirements for one in row.measurements]
    every = {one.quantity.kind: one for one in (*read.run.results.reported, *judged)}
    longest, missed = every["occlusion.longest_time"], every["occlusion.largest_missed"]
    assert longest.value == max(each.time_to_alarm_s or 0.0 for each in series.occlusions)
    minutes = " ± ".join(value_and_uncertainty(longest.value / 60.0, longest.expanded_uncertainty / 60.0))
    volume = " ± ".join(value_and_uncertainty(missed.value, missed.expanded_uncertainty))
    assert f"1 U/h {len(series.occlusions)} {minutes} min {minutes} min {volume} U" in label
    assert label.count("not measured") == 5  # boluses of both ends, three volumes, occlusion at bolus speed
    assert "relate only to the item tested" in read.pages[0]


def test_every_page_carries_number_revision_and_page(read: Read) -> None:
    run_id = read.run.manifest.run_id
    assert len(read.pages) <= 20
    for number, page in enumerate(read.pages, start=1):
        assert f"VR-{run_id}, revision 7" in page
        assert f"page {number} of {len(read.pages)}" in page
        assert "SIMULATED — no evidence about any device" in page
        assert len(page) > 600, "a page that is nearly empty"
    assert f"— End of report VR-{run_id} —" in read.pages[-1]
    assert "compliant" not in " ".join(read.pages).lower()


def test_figures_are_numbered_and_listed_with_their_pages(read: Read) -> None:
    document = document_of(read.run)
    figures = [block for block in document.blocks() if block.KIND == "figure"]
    assert [getattr(each, "number", 0) for each in figures] == list(range(1, len(figures) + 1))
    listing = next(page for page in read.pages if "Where to find what is asked for" in page)
    for each in figures:
        number = getattr(each, "number", 0)
        found = re.search(rf"Figure {number}\. [^.]*[ .]+?(\d+)(?= |$)", listing.partition("Figures")[2])
        assert found is not None
        assert any(f"Figure {number}. " in page for page in read.pages if page is not listing)


def test_everything_that_is_no_pass_stands_in_the_results(run: Path) -> None:
    measured(run, BASAL, {"basal.mean_error": (8.0, 0.2), "basal.largest_window_error": (15.1, 0.2)})
    measured(run, STOPPED, {"stopped.delivered": (0.3, 0.01)})
    said = " ".join(said_by(write_report_of(read_whole_run(run), run)))
    assert "mean basal error at 1 U/h 8.00 ± 0.20 % (±5 %) FAIL" in said
    assert "15.10 ± 0.20 % (≤ 15 %) INCONCLUSIVE" in said
    assert "0.300 ± 0.010 U (±0.05 U) FAIL" in said


@pytest.mark.parametrize("name", profile_names())
def test_a_profile_names_sections_that_there_are_each_once(recorded: Path, name: str) -> None:
    profile = read_reader_profile(name)
    assert len(set(profile.sections)) == len(profile.sections)
    assert set(profile.sections) <= set(PARTS)
    document = document_of(Given(read_whole_run(recorded)), profile)
    ids = [section.id for section in document.sections]
    assert len(set(ids)) == len(ids)
    assert content_of(document)[0]["number"] == document.number


def test_a_profile_that_there_is_not_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(BenchFileError, match="--for nobody: there is no such profile; known are 17025, everybody"):
        read_reader_profile("nobody")


def test_a_german_house_reads_its_headings_and_labels_in_german(recorded: Path, tmp_path: Path) -> None:
    house = read_house(house_of(tmp_path / "house", HOUSE.replace('"en"', '"de"')))
    document = document_of(Given(read_whole_run(recorded), house))
    assert document.kind == "PRÜFBERICHT"
    titles = [section.title for section in document.sections]
    assert {"Zusammenfassung", "Ergebnisse je Anforderung", "Unterschriften"} <= set(titles)
    assert document.words["page"] == "Seite"
    assert "Seriennummer" in document.subject
    finder = next(block for block in document.blocks() if isinstance(block, Finder))
    assert (ISO, "e) Auftraggeber", "cover") in finder.rows
    asked = {question for _, question, _ in finder.rows}
    assert not asked & {question for _, question, _ in QUESTIONS}
    said = {cell for block in document.blocks() if isinstance(block, Facts) for row in block.rows for cell in row}
    assert "nicht angegeben" in said
    assert "not stated" not in said


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("[laboratory]\nnmae = 'x'", "nmae"),
        ("language = 'fr'", "language"),
        ("number = 'VR-{year}'", "in braces it may have {run} alone"),
        ('number = "VR\\n{run}"', "it has to be one line of characters that print"),
        ("logo = 'x.svg'", "logo is not a known key"),
    ],
)
def test_a_slip_of_the_pen_in_the_house_is_named(tmp_path: Path, content: str, said: str) -> None:
    with pytest.raises(BenchFileError, match=re.escape(said)):
        read_house(house_of(tmp_path / "house", content))


SVG = '<svg xmlns="http://www.w3.org/2000/svg">{}</svg>'


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("logo.png", "", "logo.png: is not read; the logo is an SVG file named logo.svg"),
        ("logo.svg", "hello", "logo.svg: is no SVG (syntax error"),
        ("logo.svg", "<html><svg/></html>", "logo.svg: is no SVG, its first element is html"),
        ("logo.svg", SVG.format(" " * 1_000_000), "allowed are 1,000,000"),
        ("logo.svg", SVG.format("<script/>"), "has a script that reaches out of the picture"),
        ("logo.svg", SVG.format('<image href="http://a/b.png"/>'), "has a image that reaches out of the picture"),
        ("logo.svg", "<!DOCTYPE svg [<!ENTITY a 'b'>]>" + SVG.format("&a;"), "declares entities"),
    ],
)
def test_a_logo_that_is_no_picture_in_itself_is_refused(tmp_path: Path, name: str, content: str, said: str) -> None:
    folder = house_of(tmp_path / "house")
    (folder / name).write_text(content, encoding="utf-8")
    with pytest.raises(BenchFileError, match=re.escape(said)):
        read_house(folder)


def test_a_logo_is_taken_as_it_is(tmp_path: Path) -> None:
    folder = house_of(tmp_path / "house")
    drawn = SVG.format('<rect id="a" width="9" height="9"/>')
    (folder / "logo.svg").write_text(drawn, encoding="utf-8")
    assert read_house(folder).logo == drawn


def test_a_profile_of_the_house_names_no_section_twice(tmp_path: Path) -> None:
    (tmp_path / "ours.toml").write_text('readers = "we"\nsections = ["cover", "cover"]', encoding="utf-8")
    with pytest.raises(BenchFileError, match="sections has 'cover' more than once; allowed is once"):
        read_reader_profile("ours", tmp_path)


def test_the_words_of_the_apparatus_fit_their_boxes(recorded: Path) -> None:
    bench = read_whole_run(recorded).manifest.bench
    long = dict.fromkeys(bench, "A maker whose name goes on of Donaudampfschifffahrtsgesellschaft, model 12345-67")
    for box in boxes(bench, long).values():
        assert all(len(line) * SIZE * LETTER <= box.width for line in box.lines)
        assert len(box.lines) * SIZE <= box.height


def test_a_renderer_refuses_a_kind_that_it_does_not_know(recorded: Path) -> None:
    @dataclass(frozen=True)
    class Hologram:
        KIND: ClassVar[str] = "hologram"

    block: DocumentBlock = Hologram()  # type: ignore[assignment]
    with pytest.raises(TypeError, match="paper knows no block of the kind 'hologram'"):
        refuse_unknown(block, KINDS, "paper")
    shown = document_of(read_whole_run(recorded))
    strange = Document(**{**vars(shown), "sections": (Section(1, "x", "x", (block,)),)})
    with pytest.raises(TypeError, match="hologram"):
        content_of(strange)


def test_every_verdict_has_its_place_in_the_summary(recorded: Path) -> None:
    block = next(each for each in document_of(read_whole_run(recorded)).blocks() if each.KIND == "verdict")
    assert [verdict for verdict, _ in getattr(block, "counts", ())] == list(Verdict)


@given(
    value=st.floats(-1e12, 1e12, allow_nan=False),
    u=st.one_of(st.just(0.0), st.floats(1e-12, 1e9, allow_nan=False)),
)
def test_value_and_uncertainty_end_at_the_same_digit_without_an_exponent(value: float, u: float) -> None:
    said, beside = value_and_uncertainty(value, u)
    assert re.fullmatch(r"−?\d+(\.\d+)?", said)
    assert u == 0.0 or re.fullmatch(r"\d+(\.\d+)?", beside)
    places = len(beside.partition(".")[2])
    if u:
        assert len(said.partition(".")[2]) == places
        assert abs(float(said.replace("−", "-")) - value) <= 0.5000001 * 10.0**-places + 1e-9 * abs(value)
        assert float(beside) > 0.0
    else:
        assert beside == ""
        assert float(said.replace("−", "-")) == pytest.approx(value, rel=5.1e-4, abs=1e-300)


@pytest.mark.parametrize(
    ("value", "u", "said"),
    [
        (3012.0, 0.0, ("3012", "")),
        (31234.0, 0.0, ("31234", "")),
        (-0.002833, 5.7e-5, ("−0.002833", "0.000057")),
        (0.00001234, 0.0, ("0.00001234", "")),
        (0.0, 0.0, ("0", "")),
    ],
)
def test_numbers_that_were_written_with_an_exponent_are_not(value: float, u: float, said: tuple[str, str]) -> None:
    assert value_and_uncertainty(value, u) == said


def test_a_run_that_broke_off_with_all_decided_does_not_blame_a_requirement(run: Path) -> None:
    results = read_whole_run(run).results
    broken = results.model_copy(update={"verdict": Verdict.ERROR, "outcome": "interrupted"})
    assert verdict_meaning(broken).startswith("This run did not come to its end as it should")
