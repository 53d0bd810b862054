"""Which loops of a run pair, and what paper and page show of them: table, profile, bars, each person."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from reports.curve import marks
from reports.curve.interactive import interactive
from reports.curve.printed import printed
from reports.document import Document, Figure, Section, TableBlock, with_numbers
from reports.glucose_profile import glucose_profile_curve, ranges_curve
from reports.html.page import html_page
from reports.paired_loops import PairedLoops, paired_blocks, paired_loops, profiles_of
from reports.parts.given import Given
from reports.parts.paired import paired
from reports.typeset_document import content_of
from rig.record.analyses import LoopNumbers
from rig.record.reading import Run, TestAnalysis

MINUTES = 24 * 60


def loop(person: str, controller: str, level: float, **further: object) -> LoopNumbers:
    """A day at one level of glucose, with a meal at noon and 0.02 U a minute."""
    glucose = tuple(level for _ in range(MINUTES + 1))
    insulin = tuple(0.02 for _ in range(MINUTES))
    return LoopNumbers.model_validate({
        "title": "a day", "person": person, "controller": controller, "called": "day 1", "sensor": "vettoretti-g6",
        "seed": 1, "glucose_mg_per_dl": glucose, "u_mg_per_dl": tuple(1.0 for _ in glucose),
        "commanded_mg_per_dl": glucose, "weighed_u": insulin, "commanded_u": insulin,
        "carbs_g": tuple(60.0 if minute == 720 else 0.0 for minute in range(MINUTES)), "sensor_min": (0,),
        "sensor_mg_per_dl": (level,), "u_weighed_u": 0.1, **further,
    })  # fmt: skip


def cohort() -> PairedLoops:
    """Three persons: high, steady, and low in open loop; all steady in closed loop."""
    lives = zip(("type 1 no. 1", "type 1 no. 2", "type 1 no. 3"), (200.0, 120.0, 60.0), strict=True)
    (pairs,) = paired_loops(
        each for person, level in lives for each in (loop(person, "pid", 120.0), loop(person, "basal-bolus", level))
    )
    return pairs


def test_loops_pair_by_person_day_meals_and_sensor_with_the_open_loop_before() -> None:
    pairs = cohort()
    assert (pairs.before_controller, pairs.after_controller) == ("basal-bolus", "pid")
    assert list(pairs.before) == ["type 1 no. 1", "type 1 no. 2", "type 1 no. 3"]
    assert [each[0].glucose_mg_per_dl[0] for each in pairs.before.values()] == [200.0, 120.0, 60.0]
    assert pairs.of == "3 persons with type 1 diabetes, 3 days on each controller"


@pytest.mark.parametrize(
    "other",
    [
        {"called": "day 2"},
        {"seed": 2},
        {"sensor": "breton"},
        {"disturbed": "waste from 3600 s"},
        {"person": "type 1 no. 2"},
        {"controller": "basal-bolus"},
        {"announced_g": tuple(40.0 if minute == 720 else 0.0 for minute in range(MINUTES))},
        {"lost_from_min": 60},
        {"carbs_g": tuple(60.0 if minute == 725 else 0.0 for minute in range(MINUTES))},
    ],
)
def test_loops_that_differ_by_more_than_the_controller_do_not_pair(other: dict[str, object]) -> None:
    one, two = loop("type 1 no. 1", "basal-bolus", 120.0), loop("type 1 no. 1", "pid", 120.0)
    assert len(paired_loops((one, two))) == 1
    assert paired_loops((one, two.model_copy(update=other))) == ()


def test_a_record_that_does_not_say_who_lived_pairs_with_nothing() -> None:
    one, two = loop("", "", 120.0), loop("", "pid", 120.0)
    assert paired_loops((one, two)) == ()


def test_types_of_diabetes_are_not_pooled_and_each_closed_loop_has_its_own_table() -> None:
    loops = [
        loop(person, controller, 120.0)
        for person in ("type 1 no. 1", "type 2 no. 1")
        for controller in ("basal-bolus", "pid", "another")
    ]
    found = paired_loops(loops)
    assert {(each.diabetes, each.after_controller) for each in found} == {
        (diabetes, controller) for diabetes in ("type 1", "type 2") for controller in ("pid", "another")
    }


def test_the_table_says_means_difference_interval_and_u() -> None:
    blocks = paired_blocks(cohort())
    rows = {row[0]: row[1:] for row in next(each for each in blocks if isinstance(each, TableBlock)).rows}

    def words(name: str) -> list[str]:
        return [cell if isinstance(cell, str) else cell.text for cell in rows[name]]  # type: ignore[union-attr]

    assert words("time below 70 mg/dL / %")[:3] == ["33.3", "0.0", "−33.3"]
    assert words("mean glucose / mg/dL")[:3] == ["126.7", "120.0", "−6.7"]
    assert words("mean glucose / (mmol/L)")[:3] == ["7.03", "6.66", "−0.37"]
    assert words("weighed insulin / U") == ["28.80", "28.80", "+0.00", "+0.00 to +0.00", "0.141"]
    low, high = words("time below 70 mg/dL / %")[3].split(" to ")
    assert (low, high) == ("−100.0", "+0.0")


def test_the_caveats_are_said() -> None:
    said = " ".join(getattr(each, "text", "") for each in paired_blocks(cohort()))
    assert "GMI is meant for 14 days or more, and each person has 24 h on a controller" in said
    assert "It shows nothing of the efficacy of a therapy" in said


def test_the_profile_is_drawn_for_print_and_page_with_gaps_as_gaps() -> None:
    pairs = cohort()
    whole = glucose_profile_curve(profiles_of(pairs), pairs.of)
    assert "<svg" in printed(whole)
    assert "mmol/L" in printed(whole)
    gapped = dict(profiles_of(pairs))
    for profile in gapped.values():
        profile.glucose_mg_per_dl[:, 100:110] = np.nan
    curve = glucose_profile_curve(gapped, pairs.of)
    for panel in curve.panels:
        medians = [mark for mark in panel.marks if isinstance(mark, marks.Line)]
        assert [(each.x[0], each.x[-1]) for each in medians] == [(0.0, 99 * 5 / 60), (110 * 5 / 60, 23 + 55 / 60)]
    assert "NaN" not in interactive(curve).to_json()


def test_the_bars_make_a_whole_and_name_their_shares() -> None:
    (panel,) = ranges_curve(profiles_of(cohort()), "three persons").panels
    bars = [mark for mark in panel.marks if isinstance(mark, marks.Bars)]
    assert np.sum([each.lengths for each in bars], axis=0) == pytest.approx([100.0, 100.0])
    assert [each.lengths[0] for each in bars] == pytest.approx([0.0, 100 / 3, 100 / 3, 100 / 3, 0.0])
    notes = [mark.words for mark in panel.marks if isinstance(mark, marks.Note)]
    assert notes == ["33 %", "33 %", "100 %", "33 %"]


def test_a_run_s_report_has_a_section_of_its_pairs_by_the_last_attempt() -> None:
    def of(attempt: int, analysis: LoopNumbers) -> TestAnalysis:
        return TestAnalysis(f"a test on {analysis.controller}", attempt, analysis)

    first, again = loop("type 1", "pid", 150.0), loop("type 1", "pid", 120.0)
    analyses = of(1, loop("type 1", "basal-bolus", 120.0)), of(1, first), of(2, again)
    nothing: Any = None
    run = Run(Path(), nothing, nothing, analyses, {}, ())
    (section,) = paired(Given(run))
    assert section.title == "Paired loops: type 1, basal-bolus and pid"
    table = next(each for each in section.blocks if isinstance(each, TableBlock))
    assert "120.0" in table.rows[5]
    assert "150.0" not in table.rows[5]
    assert paired(Given(replace(run, analyses=analyses[:1]))) == ()


def test_paper_and_page_take_the_blocks() -> None:
    document = with_numbers(
        Document(
            title="a", kind="b", subject="c", number="d", revision=0, date=(2026, 1, 1), marks=(), simulated=True,
            sections=(Section(1, "Paired", "paired", paired_blocks(cohort())),),
        )
    )  # fmt: skip
    figures = [block for block in document.blocks() if isinstance(block, Figure)]
    assert [each.name for each in figures] == ["glucose_profile", "time_in_ranges"]
    assert len(content_of(document)[1]) == 2
    assert "type 1 no. 3" in html_page(document)
