"""The full studies are done one after the other, whatever becomes of one, and each tells what it cost."""

from __future__ import annotations

import re

import typer
from typer.core import TyperGroup

from rig.cli.app import app
from suites.studies.nightly import RIG, STUDIES, Study, do_all


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


def test_every_command_of_the_rig_that_is_done_by_night_exists() -> None:
    group = typer.main.get_command(app)
    assert isinstance(group, TyperGroup)
    for study in STUDIES:
        if study.arguments[:2] == RIG:
            command = group.commands[study.arguments[2]]
            known = {option for parameter in command.params for option in parameter.opts}
            assert {word for word in study.arguments[3:] if word.startswith("--")} <= known
