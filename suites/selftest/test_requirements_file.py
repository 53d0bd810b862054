"""A requirements file: every mistake in it is one sentence with requirement, key, what was found, what is allowed."""

from pathlib import Path

import pytest

from rig.errors import BenchFileError
from rig.procedures.catalogue import KINDS
from rig.verdicts.requirements import Requirement, parse_requirements
from suites.stands.own_requirements import own_requirements

RATE = 'quantity = "basal.mean_error", unit = "%", rate = "1 U/h"'
PERSON = 'quantity = "day.largest_hour_error", unit = "%"'


def requirement(limit: str, at_least: str = "count = 2") -> Requirement:
    """Read the one requirement of a file."""
    text = (
        f'[[requirement]]\nid = "PR-1.1"\ntext = "It pumps."\nclause = "none"\nhazard = "none"\n'
        f"at_least = {{ {at_least} }}\nmeasurement = [{{ {limit} }}]\n"
    )
    [read] = parse_requirements(Path("mine.toml"), text.encode(), KINDS).values()
    return read


def test_a_whole_number_is_a_limit() -> None:
    assert str(requirement(f"{RATE}, low = -5, high = 5").measurement[0].limit) == "±5 %"


@pytest.mark.parametrize(
    ("limit", "sentence"),
    [
        (f"{RATE}, high = true", ".high is True: input should be a valid number"),
        (f'{RATE}, high = "5"', ": high is '5': it is a number in %, or text with a unit such as '5 %'"),
        (f'{RATE}, high = "5 U"', ": high is '5 U': it is a number in %, or text with a unit such as '5 %'"),
        (f"{RATE}, high = nan", ".high is nan: input should be a finite number"),
        (f"{RATE}, low = -inf", ".low is -inf: input should be a finite number"),
        (f"{RATE}, hihg = 5", ": hihg is not a known key; did you mean 'high'?"),
        (f'{RATE}, hihg = "5"', ": hihg is not a known key; did you mean 'high'?"),
        (f'{RATE}, zzz = "5"', ": zzz is not a known key; allowed are quantity, unit, low, high, rate"),
        (RATE, ": a limit needs at least one finite end, got low None and high None"),
        (
            'quantity = "basal.mean_error", unit = "%", rate = 1, high = 5',
            ": rate is 1: a parameter of a quantity is text in quotation marks",
        ),
        (
            'quantity = "basal.mean_error", unit = "%", rate = "-1 U/h", high = 5',
            ": rate is '-1 U/h': it is not below 0 U/h",
        ),
        ('quantity = "basal.mean_error", unit = "%", high = 5', ": basal.mean_error needs its rate"),
        (f'{PERSON}, person = "an adult ", high = 5', ": person is 'an adult ': it has no blank before or after it"),
    ],
)
def test_a_wrong_limit_is_one_mistake_in_one_sentence(limit: str, sentence: str) -> None:
    with pytest.raises(BenchFileError) as refused:
        requirement(limit)
    assert str(refused.value) == f"mine.toml: requirement.PR-1.1.measurement.0{sentence}"


@pytest.mark.parametrize(
    ("at_least", "sentence"),
    [
        ("count = true", "count is True: input should be a valid integer"),
        ('count = "25"', "count is '25': input should be a valid integer"),
        ("count = 2.0", "count is 2.0: input should be a valid integer"),
        ("count = -1", "count is -1: input should be greater than or equal to 0"),
        ('analysis = "-1 h"', "analysis is '-1 h': input should be greater than or equal to 0"),
        ('stabilisation = "-1 h"', "stabilisation is '-1 h': input should be greater than or equal to 0"),
        ('anlysis = "1 h"', "anlysis is not a known key; did you mean 'analysis'?"),
    ],
)
def test_a_wrong_at_least_is_one_mistake_in_one_sentence(at_least: str, sentence: str) -> None:
    with pytest.raises(BenchFileError) as refused:
        requirement(f"{RATE}, high = 5", at_least)
    assert str(refused.value) == f"mine.toml: requirement.PR-1.1.at_least.{sentence}"


def test_several_mistakes_are_counted() -> None:
    with pytest.raises(BenchFileError, match=r"count is -1: input should be greater .* \(and 1 more mistake\)$"):
        requirement(f'{RATE}, high = "5"', "count = -1")


def test_every_requirement_of_the_rig_says_who_judges() -> None:
    assert [each.id for each in own_requirements().values() if not each.judge] == []
