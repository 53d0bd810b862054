"""The catalogue of hazards: what a file may say, and who names a hazard that is none; a maker's own ids and pages."""

from __future__ import annotations

from pathlib import Path

import pytest

from rig.errors import BenchFileError
from rig.pump_sheet.cited import stated_hazards
from rig.pump_sheet.sheet import PumpSheet, parse_pump_sheet
from rig.run.inputs import Sources, read_inputs
from rig.shipped import DEFAULT_BENCH, DEFAULT_HAZARDS, DEFAULT_REQUIREMENTS, shipped
from rig.toml_files import read_toml
from rig.verdicts.hazards import HAZARDS, parse_hazards, read_hazards

ONE = '[[hazard]]\nid = "H1"\ntext = "Over-infusion"\nsource = "FDA"\n'
WANTED = "a table such as { id = 'HAZ-1', source = 'risk, p. 14' }, or a list of them, is wanted"
SHEET = """
name = "MyPump"
maker = "Me"
capabilities = ["basal profile"]
[documents.risk]
title = "Risk file of MyPump, RF-7"
revision = "rev. 2"
"""


def sheet(text: str) -> PumpSheet:
    return parse_pump_sheet(Path("mine.toml"), f"{SHEET}\n{text}\n".encode())


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (ONE + ONE, "hazards.toml: the id H1 stands twice"),
        (ONE.replace('text = "Over-infusion"\n', ""), "hazards.toml: hazard.H1.text is missing"),
        (ONE.replace("source", "sorce"), "hazards.toml: hazard.H1.sorce is not a known key; did you mean 'source'?"),
        (ONE.replace('"Over-infusion"', "7"), "hazards.toml: hazard.H1.text is 7: input should be a valid string"),
        (ONE.replace("H1", "h 1"), "hazards.toml: hazard.h 1.id is 'h 1': string should match pattern"),
        (ONE.replace("[[hazard]]", "[hazard]"), "hazards.toml: hazard: a list in square brackets is wanted"),
        ("", "hazards.toml: hazard is missing"),
        ("hazard = ", "hazards.toml: is no valid TOML"),
        (ONE + 'severity = "high"\n', "hazards.toml: hazard.H1.severity is not a known key; "),
    ],
)
def test_what_a_catalogue_may_not_say_is_one_sentence_with_file_and_key(text: str, sentence: str) -> None:
    with pytest.raises(BenchFileError) as refused:
        parse_hazards(Path(HAZARDS), text.encode())
    assert str(refused.value).startswith(sentence)
    assert "\n" not in str(refused.value)


def test_every_hazard_that_comes_with_the_rig_has_requirements_or_says_why_not() -> None:
    named = {name for each in read_toml(shipped(DEFAULT_REQUIREMENTS))["requirement"] for name in each["hazards"]}
    for hazard in read_hazards(shipped(DEFAULT_HAZARDS)).values():
        assert (hazard.id in named) == (hazard.not_covered is None), hazard.id


def laboratory(folder: Path, hazards: str | None) -> Sources:
    """A requirements file that names H1, and a catalogue beside it."""
    text = (
        '[[requirement]]\nid = "PR-D7.1"\ntext = "Nothing is delivered."\nclause = "own"\nhazard = "Over-infusion"\n'
        'hazards = ["H1"]\nmeasurement = [{ quantity = "stopped.delivered", unit = "U", high = 0.05 }]\n'
    )
    (folder / "requirements.toml").write_text(text, encoding="utf-8")
    if hazards is not None:
        (folder / HAZARDS).write_text(hazards, encoding="utf-8")
    return Sources(shipped(DEFAULT_BENCH), {}, folder / "requirements.toml")


def test_a_run_freezes_the_catalogue_beside_its_requirements_else_the_rigs_own(tmp_path: Path) -> None:
    assert read_inputs(laboratory(tmp_path, None)).files[HAZARDS] == shipped(DEFAULT_HAZARDS).read_bytes()
    inputs = read_inputs(laboratory(tmp_path, ONE))
    assert inputs.files[HAZARDS] == ONE.encode()
    assert list(inputs.hazards) == ["H1"]


def test_a_requirement_that_names_a_hazard_which_is_none_is_refused_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(BenchFileError) as refused:
        read_inputs(laboratory(tmp_path, ONE.replace('"H1"', '"H11"')))
    assert str(refused.value) == (f"{tmp_path / 'requirements.toml'}: PR-D7.1: hazards names 'H1'; did you mean 'H11'?")


def test_a_requirement_that_names_a_hazard_twice_is_refused(tmp_path: Path) -> None:
    sources = laboratory(tmp_path, ONE)
    path = sources.requirements
    path.write_text(path.read_text(encoding="utf-8").replace('["H1"]', '["H1", "H1"]'), encoding="utf-8")
    with pytest.raises(BenchFileError, match=r"requirement\.PR-D7\.1: the hazard H1 stands twice"):
        read_inputs(sources)


def test_a_sheet_gives_hazards_the_makers_ids_with_document_revision_and_page() -> None:
    text = """
[hazards]
H1 = { id = "HAZ-0042", source = "risk, p. 14", severity = "critical" }
H2 = [{ id = "HAZ-1", source = "risk, p. 2" }, { id = "HAZ-2", source = "risk, p. 3" }]
"""
    makers = sheet(text).hazards
    assert [(each.hazard, each.id, f"{each.cited}", each.severity) for each in makers] == [
        ("H1", "HAZ-0042", "Risk file of MyPump, RF-7, rev. 2, p. 14", "critical"),
        ("H2", "HAZ-1", "Risk file of MyPump, RF-7, rev. 2, p. 2", None),
        ("H2", "HAZ-2", "Risk file of MyPump, RF-7, rev. 2, p. 3", None),
    ]
    assert (makers[0].cited.document, makers[0].cited.revision, makers[0].cited.place) == (
        "Risk file of MyPump, RF-7", "rev. 2", "p. 14",
    )  # fmt: skip
    assert stated_hazards(sheet(text).content) == makers
    assert stated_hazards(sheet("").content) == ()


@pytest.mark.parametrize(
    ("entry", "sentence"),
    [
        ('H1 = { id = "HAZ-1" }', "mine.toml: hazards.H1: source is missing"),
        ('H1 = "HAZ-1"', f"mine.toml: hazards.H1 is 'HAZ-1': {WANTED}"),
        ("H1 = []", f"mine.toml: hazards.H1 is []: {WANTED}"),
        (
            'H1 = { id = "HAZ-1", source = "rsk, p. 1" }',
            "mine.toml: the source of hazards.H1 is 'rsk, p. 1': it begins with the name of a document; "
            "did you mean 'risk'?",
        ),
        (
            'H1 = { id = "HAZ-1", source = "risk, p. 1", severty = "high" }',
            "mine.toml: hazards.H1: severty is not a known key; did you mean 'severity'?",
        ),
    ],
)
def test_what_a_sheet_may_not_say_of_hazards_is_one_sentence(entry: str, sentence: str) -> None:
    with pytest.raises(BenchFileError) as refused:
        sheet(f"[hazards]\n{entry}")
    assert str(refused.value) == sentence


def test_a_sheet_that_speaks_of_a_hazard_which_is_none_is_refused_with_the_nearest() -> None:
    named = sheet('[hazards]\nH11 = { id = "HAZ-1", source = "risk, p. 1" }')
    with pytest.raises(BenchFileError) as refused:
        named.refuse_unknown_hazards(["H1", "X2"])
    assert str(refused.value) == "mine.toml: hazards.H11 is no hazard of the catalogue; did you mean 'H1'?"


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ('[basal]\nsource = "risk"\nsegments = 48', "basal.segments"),
        ('[hazards]\nH1 = { id = "HAZ-1", source = "risk" }', "hazards.H1"),
    ],
)
def test_a_source_without_a_page_is_refused_before_a_run(text: str, what: str) -> None:
    with pytest.raises(BenchFileError) as refused:
        sheet(text).refuse_placeless()
    assert str(refused.value) == (
        f"mine.toml: the source of {what} names 'Risk file of MyPump, RF-7' and no page in it; write the page, section "
        'or heading behind a comma, such as source = "guide, p. 12"'
    )


def test_the_sheets_that_come_with_the_rig_name_a_place_for_every_claim() -> None:
    for path in sorted(shipped("fixtures/pumps").glob("*.toml")):
        parse_pump_sheet(path, path.read_bytes()).refuse_placeless()
