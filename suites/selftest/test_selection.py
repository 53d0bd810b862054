"""Selection expressions mean one thing to both runners; a wrong one is refused in one sentence."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from _pytest.mark.expression import Expression
from hypothesis import given
from hypothesis import strategies as st

from rig.errors import BenchFileError
from rig.run.selection import family, parse_selection

NAMES = st.lists(
    st.sampled_from(["basal", "Basal_Delivery", "0.5", "PR-D1.1", "day", "occlusion_at_1_u/h"]), max_size=3
)
WORDS = st.sampled_from(["basal", "BASAL", "0.5", "PR-D1.1", "d", "u/h", "nothing", "True", "None", "a:b", "not_this"])


def _combined(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    pairs = st.tuples(inner, st.sampled_from([" and ", " or "]), inner).map("".join)
    return pairs | inner.map("not {}".format) | inner.map("({})".format) | inner.map("( {} )".format)


EXPRESSIONS = st.recursive(WORDS, _combined, max_leaves=8)


def pytests(expression: str, names: list[str]) -> bool:
    lower = [name.lower() for name in names]

    def found(word: str, /, **_: object) -> bool:
        return any(word.lower() in name for name in lower)

    return Expression.compile(expression).evaluate(found)


@given(EXPRESSIONS, NAMES)
def test_an_expression_selects_what_it_selects_in_pytest(expression: str, names: list[str]) -> None:
    assert parse_selection(expression).chooses(names) == pytests(expression, names)


@given(
    st.text(alphabet="ab. ()\t,=%:-", max_size=12)
    | st.lists(WORDS | st.sampled_from(["and", "or", "not", "(", ")"])).map(" ".join)
)
def test_what_pytest_refuses_is_refused_here_and_nothing_else(expression: str) -> None:
    try:
        wanted = pytests(expression, ["basal", "day"])
    except SyntaxError:
        with pytest.raises(BenchFileError):
            parse_selection(expression)
    else:
        assert parse_selection(expression).chooses(["basal", "day"]) == wanted


REQUIREMENTS = ("PR-D5.1", "PR-D5.2", "PR-L1.1", "PR-L10.1", "PR-F1.1")


@pytest.mark.parametrize(
    ("word", "members"),
    [
        ("PR-D5.1", {"PR-D5.1"}),
        ("pr-d5.1", {"PR-D5.1"}),
        ("PR-D5", {"PR-D5.1", "PR-D5.2"}),
        ("PR-L1", {"PR-L1.1"}),
        ("PR-L10", {"PR-L10.1"}),
        ("PR-L", {"PR-L1.1", "PR-L10.1"}),
        ("PR-D5.", set()),
        ("PR", set()),
        ("basal", set()),
    ],
)
def test_a_family_goes_on_after_a_dot(word: str, members: set[str]) -> None:
    assert family(word, REQUIREMENTS) == members


@given(st.sampled_from(REQUIREMENTS), st.sets(st.sampled_from(REQUIREMENTS)))
def test_an_id_selects_what_decides_it_whatever_a_test_is_called(wanted: str, decides: set[str]) -> None:
    chosen = parse_selection(wanted, REQUIREMENTS)
    assert chosen.chooses([wanted, "a test of it"], decides) == (wanted in decides)
    assert parse_selection(f"not {wanted}", REQUIREMENTS).chooses([wanted], decides) == (wanted not in decides)


def test_ids_and_words_of_names_stand_in_one_expression() -> None:
    chosen = parse_selection("(PR-D5 or occlusion_at_1) and not night", REQUIREMENTS)
    assert chosen.chooses(["A Bolus"], ["PR-D5.2"])
    assert chosen.chooses(["Occlusion At 1 U/h"], ["PR-F1.1"])
    assert not chosen.chooses(["A Bolus At Night"], ["PR-D5.2"])
    assert not chosen.chooses(["A Bolus"], ["PR-L1.1"])


def test_an_id_that_no_requirement_has_is_refused_with_the_nearest() -> None:
    with pytest.raises(BenchFileError) as raised:
        parse_selection("basal or pr-d55.1", REQUIREMENTS)
    assert str(raised.value) == (
        "the selection 'basal or pr-d55.1' has 'pr-d55.1', and no requirement has this id; the nearest is PR-D5.1"
    )


def test_nothing_selects_nothing() -> None:
    assert not parse_selection(" ").chooses(["basal"])


@pytest.mark.parametrize(
    ("expression", "sentence"),
    [
        ("basal and", "the selection 'basal and' has the end where a word, 'not' or '(' is wanted"),
        ("basal bolus", "the selection 'basal bolus' has 'bolus' where 'and', 'or' or the end is wanted"),
        ("(basal", "the selection '(basal' has the end where ')', 'and' or 'or' is wanted"),
        ("or", "the selection 'or' has 'or' where a word, 'not' or '(' is wanted"),
        ("basal(rate=1)", "the selection 'basal(rate=1)' has '=', which is no part of a name; allowed are letters, "),
        (
            "50 %",
            "the selection '50 %' has '%', which is no part of a name; allowed are letters, digits and _ : + - . ",
        ),
    ],
)
def test_a_wrong_expression_is_one_sentence(expression: str, sentence: str) -> None:
    with pytest.raises(BenchFileError) as raised:
        parse_selection(expression)
    assert str(raised.value).startswith(sentence)


@pytest.mark.parametrize(
    ("select", "sentence"),
    [
        ("basal and", "rig: the selection 'basal and' has the end where a word, 'not' or '(' is wanted"),
        ("PR-D5.1 or PR-D77", "has 'PR-D77', and no requirement has this id; the nearest is PR-D7."),
        ("nobodys_test", "rig: nothing matches 'nobodys_test' in the plan 'default'; --select takes ids of "),
    ],
)
def test_verify_refuses_what_selects_nothing_as_wrong_usage(tmp_path: Path, select: str, sentence: str) -> None:
    command = [sys.executable, "-m", "rig", "verify", "--select", select, "--out", str(tmp_path / "run")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert sentence in " ".join((done.stdout + done.stderr).split())
    assert not (tmp_path / "run").exists()
