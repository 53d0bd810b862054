"""The page of measurements is written from the catalogue, and up to date."""

from pathlib import Path

from rig.procedures.catalogue import KINDS, TABLES
from rig.procedures.described import quantities_page


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
