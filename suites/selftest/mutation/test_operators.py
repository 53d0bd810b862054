"""Which mistakes are made in a C source by rule, and what they are called."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from fixtures.controller.mutation.operators import mutants_of
from fixtures.controller.mutation.sampling import sampled, score_interval

TINY = b"""#define LIMIT 3U /* of 4 */
static int calls;
int add(int one, int two)
{
    if (one < two && two != 0) {
        calls++;
        note(one, two);
    }
    return one + two;
}
"""


def made(operator: str) -> list[str]:
    return [each.made_in(TINY).decode() for each in mutants_of("tiny.c", TINY) if each.operator == operator]


def changed_lines(operator: str) -> list[str]:
    before = TINY.decode().splitlines()
    return [line for text in made(operator) for line, was in zip(text.splitlines(), before, strict=True) if line != was]


def test_a_sum_becomes_a_difference() -> None:
    assert changed_lines("arithmetic") == ["    return one - two;"]


def test_a_comparison_takes_its_boundary_in_and_is_turned_round() -> None:
    assert changed_lines("relational") == [
        "    if (one <= two && two != 0) {",
        "    if (one >= two && two != 0) {",
        "    if (one < two && two == 0) {",
    ]


def test_and_becomes_or() -> None:
    assert changed_lines("logical") == ["    if (one < two || two != 0) {"]


def test_a_condition_is_negated_as_a_whole() -> None:
    assert changed_lines("negated condition") == ["    if (!(one < two && two != 0)) {"]


def test_a_statement_is_left_out_but_not_the_one_that_returns_a_value() -> None:
    assert changed_lines("deleted statement") == ["        ;", "        ;"]


def test_arguments_change_places() -> None:
    assert "        note(two, one);" in changed_lines("swapped arguments")


def test_a_constant_is_one_more_one_less_and_none_also_behind_define_but_not_in_a_comment() -> None:
    assert changed_lines("constant") == [
        "#define LIMIT 0U /* of 4 */",
        "#define LIMIT 2U /* of 4 */",
        "#define LIMIT 4U /* of 4 */",
        "    if (one < two && two != 1) {",
    ]


def test_counting_up_becomes_counting_down() -> None:
    assert changed_lines("assignment") == ["        calls--;"]


def test_each_mistake_has_a_name_of_its_own_and_its_function() -> None:
    found = mutants_of("tiny.c", TINY)
    assert len({each.id for each in found}) == len({each.stem for each in found}) == len(found)
    (sum_,) = (each for each in found if each.operator == "arithmetic")
    assert (sum_.id, sum_.function) == ("tiny.c:9:16:arithmetic", "add")
    assert {each.function for each in found if each.line == 1} == {""}


def test_a_draw_is_the_same_for_the_same_seed_and_another_for_another() -> None:
    found = mutants_of("tiny.c", TINY)
    assert sampled(found, 5, seed=1) == sampled(found, 5, seed=1) != sampled(found, 5, seed=2)
    assert sampled(found, 10_000, seed=1) == found


def test_the_interval_of_a_share_is_that_of_clopper_and_pearson() -> None:
    low, high = score_interval(8, 10)
    assert (round(low, 4), round(high, 4)) == (0.4439, 0.9748)  # Newcombe, Statistics in Medicine 17 (1998) 857
    assert score_interval(0, 10)[0] == 0.0
    assert score_interval(10, 10)[1] == 1.0


@given(st.integers(1, 400).flatmap(lambda tried: st.tuples(st.integers(0, tried), st.just(tried))))
def test_the_interval_holds_the_share(share: tuple[int, int]) -> None:
    noticed, tried = share
    low, high = score_interval(noticed, tried)
    assert low <= noticed / tried <= high
