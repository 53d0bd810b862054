"""The page of measurements is written from the catalogue, and up to date."""

from pathlib import Path

import pytest

from rig.procedures.alarm_answered import AlarmAnswered
from rig.procedures.catalogue import KINDS, TABLES
from rig.procedures.described import quantities_page
from rig.procedures.keys import Keys
from rig.procedures.procedure import Procedure


def test_the_page_in_the_docs_is_what_the_catalogue_says() -> None:
    assert Path("docs/quantities.md").read_text(encoding="utf-8") == quantities_page()


def test_each_kind_is_named_after_the_table_that_measures_it() -> None:
    for table, procedure in TABLES.items():
        assert all(kind.name.startswith(f"{table}.") for kind in procedure.KINDS)


def test_each_kind_says_what_it_means_and_prints_its_parameters() -> None:
    for kind in KINDS.values():
        assert kind.meaning.endswith("."), kind.name
        for parameter in kind.parameters:
            assert f"{{{parameter.name}}}" in kind.sentence, kind.name


@pytest.mark.parametrize(
    "procedure",
    [
        AlarmAnswered.model_validate({"cause": "temperature", "due": "65 s"}),
        AlarmAnswered.model_validate(
            {"cause": "temperature", "due": "65 s", "set": "2 min", "meanwhile": "reservoir low", "comes": "again"}
        ),
        Keys.model_validate({"sequence": "press"}),
        Keys.model_validate({"sequence": "press", "maximum": "3 U"}),
    ],
    ids=lambda procedure: procedure.title,
)
def test_a_measurement_is_the_same_when_it_is_read_back_from_its_record(procedure: Procedure) -> None:
    """What was left out is written down as nothing, and nothing is no time and no amount."""
    written = procedure.model_dump(mode="json")
    assert type(procedure).model_validate(written, by_alias=False, by_name=True) == procedure
