"""Selection expressions mean the same to Robot Framework and to pytest; a wrong one is refused in one sentence."""

from __future__ import annotations

import pytest
from _pytest.mark.expression import Expression
from hypothesis import given
from hypothesis import strategies as st

from rig.errors import BenchFileError
from rig.run.selection import parse_selection

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
