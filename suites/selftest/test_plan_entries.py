"""What an entry of a plan may hold: each field within its bounds, and whatever is taken can be named and asked for."""

from __future__ import annotations

import typing
from pathlib import Path
from typing import Annotated, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from rig.errors import BenchFileError
from rig.procedures.catalogue import PROCEDURES, TABLES, procedure_of
from rig.procedures.procedure import Procedure
from rig.run.plan import parse_plan
from rig.toml_files import Dimensions, validated
from rig.units import units_of

HEAD = 'name = "mine"\npurpose = "to try"\n'

OUT_OF_BOUNDS = [
    ("basal", 'rate = "1e-9 U/h"', "rate is '1e-9 U/h': allowed are 0.001 U/h to 300 U/h"),
    ("basal", 'rate = "1 U/h"\ndose = "1e9 U"', "dose is '1e9 U': allowed are 0.0001 U to 10 U"),
    ("basal", 'rate = "1 U/h"\nanalysis = "59 min"', "analysis is '59 min': allowed are 1 h to 30 d"),
    ("basal", 'rate = "1 U/h"\nstabilisation = "-1 h"', "stabilisation is '-1 h': allowed are 0 h to 30 d"),
    ("basal", 'rate = "1 U/h"\nsample_every = "1e-9 s"', "sample_every is '1e-9 s': allowed are 0.1 s to 1 d"),
    ("basal", 'rate = "1 U/h"\ninterval = "0 s"', "interval is '0 s': allowed are 1 s to 30 d"),
    ("basal", 'rate = "1 U/h"\nwindows = ["0 s"]', "windows.0 is '0 s': allowed are 1 s to 30 d"),
    ("basal", 'rate = "1 U/h"\nwindows = ["1 h", "60 min"]', ": windows has 3600 s twice"),
    ("basal", 'rate = "1 U/h"\nblank = "1e12 h"', "blank is '1e12 h': allowed are 5 min to 30 d"),
    ("bolus", 'size = "0 U"\ncount = 2', "size is '0 U': allowed are 0.001 U to 300 U"),
    ("bolus", 'size = "1 U"\ncount = true', "count is True: input should be a valid integer"),
    ("bolus", 'size = "1 U"\ncount = "25"', "count is '25': input should be a valid integer"),
    ("bolus", 'size = "1 U"\ncount = 2.0', "count is 2.0: input should be a valid integer"),
    (
        "bolus",
        'size = "1 U"\ncount = 2\nspeed = "1e-12 U/h"',
        "speed is '1e-12 U/h': allowed are 0.1 U/min to 100 U/min",
    ),
    ("extended", 'size = "1e-9 U"\nduration = "1 h"', "size is '1e-9 U': allowed are 0.001 U to 300 U"),
    (
        "extended",
        'size = "1 U"\nduration = "1 h"\nextended = "1e-9 %"',
        "extended is '1e-9 %': allowed are 1 % to 100 %",
    ),
    ("extended", 'size = "1 U"\nduration = "25 h"', "duration is '25 h': allowed are 1 min to 1 d"),
    (
        "temporary",
        'rate = "1 U/h"\ntemporary = "50 %"\nduration = "2 h"\ndose = "1e9 U"',
        "dose is '1e9 U': allowed are 0.0001 U to 10 U",
    ),
    (
        "temporary",
        'rate = "1 U/h"\ntemporary = "-50 %"\nduration = "2 h"',
        "temporary is '-50 %': allowed are 0 U/h to 300 U/h, or 0 % to 1000 %",
    ),
    (
        "temporary",
        'rate = "1 U/h"\ntemporary = [0.5, 0.5]\nduration = "2 h"',
        "temporary: a temporary rate is a rate such as '0.5 U/h', or a share of the profile such as '50 %'",
    ),
    ("switch", 'rate = "-1 U/h"\nthen = "1 U/h"', "rate is '-1 U/h': allowed are 0 U/h to 300 U/h"),
    ("cancelled", 'size = "5 U"\nafter = "1e12 h"', "after is '1e12 h': allowed are 1 s to 1 d"),
    ("reservoir", 'filled = "301 U"\nbolus = "1 U"\none_takes = "1 min"', "allowed are 0.001 U to 300 U"),
    ("refused", 'sizes = ["26 U", "0 U"]', "sizes.1 is '0 U': allowed are 0.001 U to 300 U"),
    (
        "day",
        'called = "a day"\nperson = "an adult "\nprofile = ["00:00 1 U/h"]\nsensitivity = "50 mg/dL"\nratio = "10 g"\n'
        'target = "110 mg/dL"',
        "person is 'an adult ': it is a word, with no blank before or after it",
    ),
    (
        "day",
        'called = "a day"\nperson = "an adult"\nprofile = [[0, 1.0]]\nsensitivity = "50 mg/dL"\nratio = "10 g"\n'
        'target = "110 mg/dL"',
        "profile.0: a segment is a time of day with a rate, such as '04:00 1.2 U/h'",
    ),
]


@pytest.mark.parametrize(("table", "keys", "sentence"), OUT_OF_BOUNDS)
def test_what_no_measurement_can_be_is_refused_with_what_is_allowed(table: str, keys: str, sentence: str) -> None:
    with pytest.raises(BenchFileError) as refused:
        parse_plan(Path("mine.toml"), f"{HEAD}[[{table}]]\n{keys}\n".encode())
    assert str(refused.value).startswith(f"mine.toml: {table}.0")
    assert str(refused.value).endswith(sentence)


NUMBERS = st.one_of(
    st.floats(allow_nan=False),
    st.floats(0.001, 300.0),
    st.integers(0, 100),
    st.sampled_from([0.0, -1.0, 1e-9, 1e-6, 0.001, 0.025, 0.1, 0.5, 1.0, 2.0, 24.0, 50.0, 100.0, 1e12, 1e300]),
)
ANYTHING = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8), st.just([]))
WORDS = st.sampled_from(["an adult", "a", "", " ", "an adult ", "low", "normal", "high"])


def quantities(dimensions: tuple[str, ...]) -> st.SearchStrategy[str]:
    """Text of a number and a unit of one of the dimensions."""
    units = st.sampled_from([unit for dimension in dimensions for unit in units_of(dimension)])
    return st.builds(lambda number, unit: f"{number!r} {unit}", NUMBERS, units)


def values(field: FieldInfo) -> st.SearchStrategy[Any]:
    """What may stand in a field: mostly of its kind, now and then anything."""
    arguments = typing.get_args(field.annotation)
    several = typing.get_origin(field.annotation) is tuple and arguments[-1] is ...
    marks = [*field.metadata, *(typing.get_args(arguments[0])[1:] if several else ())]
    dimensions = next((mark.names for mark in marks if isinstance(mark, Dimensions)), None)
    if dimensions is not None:
        of_its_kind: st.SearchStrategy[Any] = quantities(dimensions)
        of_its_kind = st.lists(of_its_kind, max_size=3) if several else of_its_kind
    else:
        of_its_kind = st.integers(-1, 1001) if field.annotation is int else WORDS
    return st.one_of(of_its_kind, of_its_kind, of_its_kind, ANYTHING)


def entries(procedure: type[Procedure]) -> st.SearchStrategy[dict[str, Any]]:
    """Entries of a table as people might write them, with any of the keys that need not be there."""
    fields = {field.alias or name: field for name, field in procedure.model_fields.items()}
    needed = {key: values(field) for key, field in fields.items() if field.is_required()}
    others = {key: values(field) for key, field in fields.items() if not field.is_required()}
    if procedure.TABLE == "day":
        segments = st.builds(lambda rate: f"00:00 {rate}", quantities(("rate_u_per_h",)))
        needed["profile"] = st.lists(segments, min_size=1, max_size=1)
    return st.fixed_dictionaries(needed, optional=others)


def read(table: str, written: dict[str, Any]) -> Procedure | str:
    """Read an entry; the sentence that refuses it where it is refused."""
    try:
        return validated("mine.toml", written, TABLES[table])
    except BenchFileError as refused:
        return str(refused)


@pytest.mark.parametrize("table", TABLES)
@given(data=st.data())
def test_whatever_an_entry_holds_is_refused_in_a_sentence_or_can_be_named_and_asked_for(
    table: str, data: st.DataObject
) -> None:
    written = data.draw(entries(TABLES[table]))
    planned = read(table, written)
    if isinstance(planned, str):
        assert planned.startswith("mine.toml: ")
        return
    assert planned.title
    assert planned.in_words
    assert planned.quantities
    assert all(value >= 0.0 for value in planned.extent.values())
    assert planned.needed_u >= 0.0
    assert planned.needs is not None
    assert set(planned.measurands) <= set(planned.quantities)
    assert procedure_of(planned.asked) == planned


@pytest.mark.parametrize("huge", [1e300, -1e300])
def test_every_quantity_of_every_measurement_has_a_lowest_and_a_highest_value(huge: float) -> None:
    checked = 0
    for procedure in PROCEDURES:
        for name, field in procedure.model_fields.items():
            if field.annotation is float:
                with pytest.raises(ValidationError, match="allowed are"):
                    TypeAdapter(Annotated[float, *field.metadata]).validate_python(huge)
                assert name.endswith(("_s", "_u", "_u_per_h", "_percent", "_g", "_mg_per_dl"))
                checked += 1
    assert checked > 40
