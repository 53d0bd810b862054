"""The pump sheet: what a file may say, in one sentence what it may not, and how placeholders are filled from it."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.errors import BenchFileError
from rig.pump_sheet.claims import CLAIMS, COUNT, OF_CAPABILITY, WORD, ClaimKind
from rig.pump_sheet.described import claims_page
from rig.pump_sheet.placeholders import NotClaimedError, filled, filled_text, filled_where_stated
from rig.pump_sheet.sheet import PumpSheet, parse_pump_sheet, read_pump_sheet
from rig.pump_sheet.stated import stated_claims
from rig.roles import Capability
from rig.roles.pump import OF_THE_BENCH
from rig.units import parse
from suites.stands.own_requirements import reference_sheet

SHEETS = sorted(Path("fixtures/pumps").glob("*.toml"))
HEAD = """
name = "MyPump"
maker = "Me"
capabilities = ["basal profile", "fast bolus"]
[documents.guide]
title = "MyPump user guide"
revision = "rev. 3"
"""


def sheet(text: str, head: str = HEAD) -> PumpSheet:
    return parse_pump_sheet(Path("mine.toml"), f"{head}\n{text}\n".encode())


def test_a_byte_order_mark_before_a_sheet_is_no_mistake() -> None:
    marked = parse_pump_sheet(Path("mine.toml"), HEAD.encode("utf-8-sig"))
    assert marked.name == sheet("").name == "MyPump"


def refusal(text: str, head: str = HEAD) -> str:
    with pytest.raises(BenchFileError) as refused:
        sheet(text, head)
    return str(refused.value)


SMALL = sheet("""
[dose]
source = "guide, p. 12"
size = "0.05 U"
[basal]
source = "guide, p. 12"
intermediate = "1 U/h"
segments = 48
above_maximum = "capped"
tolerance = "±5 %"
hour_tolerance = "not stated"
[bolus]
source = "guide, p. 13"
minimum = "0.05 U"
maximum = { value = "25 U", source = "guide, p. 99" }
above_maximum = "25.5 U, 30 U"
[own]
source = "guide, p. 14"
warm_up = "20 min"
""")


def test_a_claim_has_its_value_and_its_own_source_or_that_of_its_table() -> None:
    claims = SMALL.claims
    assert claims["bolus.maximum"].values == (25.0,)
    assert claims["bolus.maximum"].source == "MyPump user guide, rev. 3, p. 99"
    assert claims["bolus.minimum"].source == "MyPump user guide, rev. 3, p. 13"
    assert (f"{claims['basal.tolerance']}", claims["basal.tolerance"].text) == ("±5 %", "5 %")
    assert claims["bolus.above_maximum"].values == (25.5, 30.0)
    assert claims["own.warm_up"].values == (1200.0,)
    assert not claims["basal.hour_tolerance"].is_stated


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('[bolus]\nmaximum = "25"', "bolus.maximum is '25': '25' has no unit: write one of U"),
        ('[bolus]\nmaximum = "25 U/h"', "bolus.maximum is '25 U/h': '25 U/h' is not a insulin: allowed units are U"),
        (
            "[bolus]\nmaximum = 25",
            "bolus.maximum is 25: a claim needs its unit and quotation marks, such as '0.1 U'",
        ),
        ('[bolus]\nmaximum = "2500 U"', "bolus.maximum is '2500 U': allowed are 0.001 U to 500 U"),
        ('[bolus]\nmaximun = "25 U"', "bolus.maximun is not a known key; did you mean 'maximum'?"),
        ('[bolus]\nmaximum = "±25 U"', "bolus.maximum is '±25 U': a ± belongs to a tolerance; write it without"),
        (
            '[bolus]\nmaximum = { value = "25 U" }',
            "bolus.maximum: a claim with a source of its own is { value = …, source = … }",
        ),
        (
            '[bolus]\nsource = "guide"\nabove_maximum = "30 U, 25 U"',
            "bolus.above_maximum is '30 U, 25 U': several values are written with the smallest first",
        ),
        ("[basal]\nsegments = 1.5", "basal.segments is 1.5: a whole number without quotation marks, such as 1"),
        ("[basal]\nsegments = true", "basal.segments is True: a whole number without quotation marks, such as 1"),
        ("[basal]\nsegments = 1000", "basal.segments is 1000: allowed are 1 to 288"),
        (
            '[basal]\nabove_maximum = "clipped"',
            "basal.above_maximum is 'clipped': allowed are refused, capped, or 'not stated'",
        ),
        ("[bolos]\nx = 1", "bolos is not a known key; did you mean 'bolus'?"),
        (
            '[bolus]\nmaximum = "25 U"',
            'bolus.maximum has no source; write it once for the table, source = "manual, p. 12" in [bolus], or for the '
            "claim alone, maximum = { value = …, source = … }",
        ),
        (
            '[bolus]\nsource = "guid, p. 1"\nmaximum = "25 U"',
            "the source of bolus.maximum is 'guid, p. 1': it begins with the name of a document; did you mean 'guide'?",
        ),
        (
            '[bolus]\nsource = "guide"\nminimum = "30 U"\nmaximum = "25 U"',
            "bolus.minimum, 30 U, must not be more than bolus.maximum, 25 U",
        ),
        ('[[bolus]]\nmaximum = "25 U"', "bolus: one table with keys is wanted, such as [name]"),
        (
            '[temporary]\nsource = "guide"\nmaximum = "200 %"',
            "temporary.maximum is stated, and capabilities does not list 'temporary basal rate'; list it, or leave out "
            "the table [temporary]",
        ),
        (
            "[own]\nwarm_up = 1.5",
            "own: warm_up is 1.5: a claim is a number with a unit such as '5 min', or a whole number",
        ),
        ('[own]\nWarm = "5 min"', "own: 'Warm' is no name of a claim; it is small letters, digits and _"),
    ],
)
def test_a_wrong_claim_is_one_sentence(text: str, sentence: str) -> None:
    assert refusal(text) == f"mine.toml: {sentence}"


@pytest.mark.parametrize(
    ("claims", "sentence"),
    [
        (
            'low_least = "50 kPa"\nnormal_least = "40 kPa"',
            "occlusion.low_least, 50 kPa, must not be more than occlusion.normal_least, 40 kPa",
        ),
        (
            'normal_most = "120 kPa"\nhigh_most = "100 kPa"',
            "occlusion.normal_most, 120 kPa, must not be more than occlusion.high_most, 100 kPa",
        ),
    ],
)
def test_a_lower_threshold_of_occlusion_is_nowhere_above_a_higher_one(claims: str, sentence: str) -> None:
    head = HEAD.replace('"fast bolus"', '"fast bolus", "occlusion detection"')
    assert refusal(f'[occlusion]\nsource = "guide"\n{claims}', head) == f"mine.toml: {sentence}"


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ('name = "MyPump"', "", "mine.toml: name is missing"),
        ('revision = "rev. 3"', "", "mine.toml: documents.guide.revision is missing"),
        (
            'capabilities = ["basal profile", "fast bolus"]',
            'capabilities = "basal profile"',
            "mine.toml: capabilities is 'basal profile': a list in square brackets is wanted, such as [1, 2]",
        ),
        ('"fast bolus"', '"fast bolos"', "input should be 'basal profile', 'numbered basal profiles', 'fast bolus'"),
    ],
)
def test_a_sheet_without_what_every_sheet_has_is_refused(old: str, new: str, sentence: str) -> None:
    assert sentence in refusal("", HEAD.replace(old, new))


@pytest.mark.parametrize("path", SHEETS, ids=lambda path: path.stem)
def test_the_sheets_of_the_rig_are_read_and_say_the_same_to_a_reader(path: Path) -> None:
    read = read_pump_sheet(path)
    told = {each.name: (each.value, each.source) for each in stated_claims(read.content)}
    assert set(told) == set(read.claims)
    for claim in read.claims.values():
        value, source = told[claim.name]
        assert value == f"{claim}"
        assert claim.source in (source, None)


def test_every_claim_that_the_reference_sheet_could_state_is_in_it() -> None:
    assert set(CLAIMS) - set(reference_sheet().claims) == set()


def test_the_page_of_claims_is_up_to_date() -> None:
    assert Path("docs/claims.md").read_text(encoding="utf-8") == claims_page()


QUANTITIES = [kind for kind in CLAIMS.values() if kind.dimension != WORD]


@pytest.mark.parametrize("claim", QUANTITIES, ids=lambda claim: claim.name)
def test_the_bounds_of_a_claim_are_in_its_dimension(claim: ClaimKind) -> None:
    low, high = (
        (float(claim.lowest), float(claim.highest))
        if claim.dimension == COUNT
        else (parse(claim.lowest, claim.dimension), parse(claim.highest, claim.dimension))
    )
    assert low < high


# ---- placeholders ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{bolus.maximum}", "25 U"),
        ("within ±{basal.tolerance} of {2 dose.size}", "within ±5 % of 0.1 U"),
        ("-{basal.tolerance}", "-5 %"),
        ("{0.5 bolus.maximum}", "12.5 U"),
        ("{0.5 × bolus.maximum}", "12.5 U"),
        ("{2 bolus.above_maximum}", "51 U, 60 U"),
        ("{basal.segments}", "48"),
        ("it is {basal.above_maximum}", "it is capped"),
        ("{2 basal.segments}", "96"),
        ("{own.warm_up} {3 own.warm_up}", "20 min 60 min"),
        ("${VARIABLE} @{LIST}", "${VARIABLE} @{LIST}"),
        ("nothing", "nothing"),
    ],
)
def test_a_placeholder_is_the_claim(text: str, expected: str) -> None:
    assert filled_text(text, SMALL, "f") == expected


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{bolus.maximun}", "f: {bolus.maximun} is no claim of a pump sheet; did you mean {bolus.maximum}?"),
        ("{own.warmup}", "f: {own.warmup} is no claim of a pump sheet; did you mean {own.warm_up}?"),
        ("{zzz.qqq}", "f: {zzz.qqq} is no claim of a pump sheet; docs/pump-sheets.md lists them"),
        (
            "{bolus.maximum + 1}",
            "f: {bolus.maximum + 1} is no placeholder; it is the name of a claim such as {bolus.maximum}, or a number "
            "and the name such as {2 dose.size}",
        ),
        ("{-bolus.maximum}", "f: {-bolus.maximum} is no placeholder"),
        ("{}", "f: {} is no placeholder"),
        ("{2 basal.above_maximum}", "{2 basal.above_maximum}: a word has no multiples"),
    ],
)
def test_what_is_no_placeholder_is_refused_with_the_nearest(text: str, sentence: str) -> None:
    with pytest.raises(BenchFileError) as refused:
        filled_text(text, SMALL, "f")
    assert str(refused.value).startswith(sentence)
    assert not isinstance(refused.value, NotClaimedError)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{basal.hour_tolerance}", "the pump sheet states no basal.hour_tolerance"),
        ("{bolus.speed}", "the pump sheet states no bolus.speed"),
        ("{temporary.maximum}", "this pump has no temporary basal rate, by its sheet"),
    ],
)
def test_what_is_not_claimed_has_a_reason(text: str, reason: str) -> None:
    with pytest.raises(NotClaimedError) as refused:
        filled_text(text, SMALL, "f")
    assert str(refused.value) == reason


def test_without_a_sheet_nothing_may_refer_to_one() -> None:
    assert filled({"a": ["b", 1]}, None, "f") == {"a": ["b", 1]}
    with pytest.raises(BenchFileError, match=r"^f: \{bolus\.maximum\} refers to a pump sheet, and there is none$"):
        filled({"a": ["{bolus.maximum}"]}, None, "f")


@given(st.sampled_from([kind.name for kind in QUANTITIES if kind.dimension != COUNT]), st.integers(1, 40))
def test_a_factor_multiplies_every_value_in_the_unit_it_was_stated_in(name: str, quarters: int) -> None:
    claim = reference_sheet().claims[name]
    if not claim.is_stated:
        return
    factor, dimension = quarters / 4.0, CLAIMS[name].dimension
    parts = filled_text(f"{{{factor} {name}}}", reference_sheet(), "f").split(",")
    assert [parse(part, dimension) for part in parts] == pytest.approx([factor * value for value in claim.values])
    assert [part.split()[-1] for part in parts] == [part.split()[-1] for part in claim.text.split(",")]


def _filled_or_refused(text: str) -> str:
    try:
        return filled_text(text, SMALL, "f")
    except BenchFileError as error:
        return str(error)


@given(st.text(alphabet="abc {}$.0123456789-+", max_size=30))
def test_any_text_is_filled_or_refused_in_one_sentence(text: str) -> None:
    said = _filled_or_refused(text)
    assert "\n" not in said
    assert said == text or "{" in text


def test_a_stand_in_says_that_nothing_is_stated_or_has_the_right_dimension() -> None:
    text = "within ±{basal.hour_tolerance} of {bolus.maximum}"
    assert filled_where_stated(text, SMALL, "f", in_words=True) == ("within ±(basal.hour_tolerance not stated) of 25 U")
    assert filled_where_stated("-{basal.hour_tolerance}", SMALL, "f", in_words=False) == "-0.1 %"


# ---- sheet and driver ---------------------------------------------------------------------------------------------


def test_a_sheet_and_a_driver_that_contradict_each_other_are_said_both_ways() -> None:
    driver = frozenset({Capability.FAST_BOLUS, Capability.HISTORY, *OF_THE_BENCH})
    assert SMALL.contradicts(driver) == [
        "the pump sheet claims basal profile, which the pump's driver cannot do: what needs it is NOT APPLICABLE until "
        "the driver can",
        "the pump's driver can do history, which the pump sheet does not claim: what needs it is NOT APPLICABLE",
    ]
    assert SMALL.contradicts(SMALL.capabilities) == []


def test_every_table_that_needs_a_capability_is_a_table() -> None:
    assert set(OF_CAPABILITY) <= {kind.table for kind in CLAIMS.values()}
