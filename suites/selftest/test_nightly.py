"""The full studies are done one after the other, whatever becomes of one, and each tells what it cost."""

from __future__ import annotations

import re

from suites.studies.nightly import STUDIES, Study, do_all


def test_a_study_that_fails_keeps_none_from_being_done_and_the_worst_code_is_the_end() -> None:
    told: list[str] = []
    studies = [Study(name, ("-c", f"raise SystemExit({code})")) for name, code in (("a", 0), ("b", 3), ("c", 1))]
    assert do_all(studies, told.append) == 3
    costs = [re.match(r"([abc]): exit code (\d), \d+ s of wall time, \d+ s of CPU time$", line) for line in told]
    assert [(cost[1], cost[2]) for cost in costs if cost] == [("a", "0"), ("b", "3"), ("c", "1")]
    assert re.match(r"all: \d+ s of wall time", told[-1])


def test_a_study_that_is_killed_has_the_code_that_a_shell_gives_it() -> None:
    assert do_all([Study("k", ("-c", "import os; os.kill(os.getpid(), 9)"))], lambda _: None) == 137


def test_no_study_and_no_name_stands_twice() -> None:
    assert len({study.name for study in STUDIES}) == len(STUDIES)
    assert do_all([], lambda _: None) == 0
