"""Run Robot Framework protocols for a run: `python -m rig.robot_runner --run RUN`, or only declare what they measure.

Not responsible for keywords (`rig.robot_library`). Exit codes are Robot Framework's.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from _pytest.mark.expression import Expression  # one selection language for both runners: pytest's -k
from robot.api import SuiteVisitor
from robot.errors import DataError
from robot.libraries.BuiltIn import BuiltIn
from robot.run import run as run_robot
from robot.running import LibraryKeyword, TestCase, TestSuite

from rig.collection import Declaration, write_declarations
from rig.errors import BenchFileError, RigError
from rig.inputs import SUITES, frozen_inputs
from rig.procedures.catalogue import PROCEDURES
from rig.procedures.procedure import Procedure
from rig.requirements import Requirement
from rig.robot_library import PlannedDay, PumpBench, asked, test_id
from rig.run import open_run

REQUIREMENT_TAG = "allure.label.requirement:"
"""Tag that names a requirement, in the form that Allure turns into a label."""
INVALID_DATA = 252
"""Robot Framework's exit code for what it cannot run."""


class Selection(SuiteVisitor):
    """Keeps the tests that match an expression, as pytest's -k does; drops suites left empty."""

    def __init__(self, expression: str) -> None:
        self._expression = Expression.compile(expression)

    def start_suite(self, suite: TestSuite) -> None:
        """Keep the matching tests of one suite."""
        suite.tests = [test for test in suite.tests if self._matches(suite, test.name, [str(tag) for tag in test.tags])]

    def end_suite(self, suite: TestSuite) -> None:
        """Drop inner suites without tests."""
        suite.suites = [inner for inner in suite.suites if inner.test_count > 0]

    def _matches(self, suite: TestSuite, name: str, tags: Sequence[str]) -> bool:
        words = [suite.name, name, *(tag.removeprefix(REQUIREMENT_TAG) for tag in tags)]
        haystack = [word.lower().replace(" ", "_") for word in words]

        def found(wanted: str, /, **_: object) -> bool:
            return any(wanted.lower() in word for word in haystack)

        return self._expression.evaluate(found)


class Declaring:
    """A listener of a dry run: collects what each test's keywords would measure.

    A requirement that a test is tagged with and does not decide is a false claim, and refused.
    """

    ROBOT_LISTENER_API_VERSION = 3

    def __init__(self, requirements: Mapping[str, Requirement]) -> None:
        self.declared: list[Declaration] = []
        self.refused: str | None = None
        self._requirements = requirements
        self._procedures: list[Procedure] = []
        self._day = PlannedDay()

    def message(self, message: Any) -> None:  # noqa: ANN401 - Robot's objects
        """Refuse what Robot passes over with a complaint, such as a part of a file that it cannot read."""
        if message.level == "ERROR":
            self._refuse(str(message.message))

    def start_test(self, data: Any, result: Any) -> None:  # noqa: ANN401 - Robot's objects
        """Begin with nothing."""
        del data, result
        self._procedures, self._day = [], PlannedDay()

    def start_library_keyword(self, data: Any, implementation: LibraryKeyword, result: Any) -> None:  # noqa: ANN401
        """Note the procedure that a keyword asks for."""
        del result
        if not isinstance(implementation.owner.instance, PumpBench):
            return
        try:
            given, named = _arguments(data.args)
            if implementation.name in _BY_KEYWORD:
                self._procedures.append(asked(_BY_KEYWORD[implementation.name], given, named))
            elif implementation.name in _OF_A_DAY:
                day = _OF_A_DAY[implementation.name](self._day, *given, **named)
                self._procedures += [day] if isinstance(day, Procedure) else []
        except (RigError, TypeError) as error:
            self._refuse(f"{test_id(data.parent)}: {error}" if isinstance(data.parent, TestCase) else str(error))

    def end_test(self, data: Any, result: Any) -> None:  # noqa: ANN401 - Robot's objects
        """Declare the test."""
        if not result.passed:
            self._refuse(f"{test_id(data)}: {' '.join(result.message.split())}")
        if any(declared.test == test_id(data) for declared in self.declared):
            self._refuse(f"{test_id(data)}: two tests have this name; each needs one of its own")
        title = (data.doc or data.name).splitlines()[0]
        try:
            declared = Declaration.of(test_id(data), title, self._procedures, self._requirements)
        except BenchFileError as error:
            self._refuse(str(error))
            return
        for tag in (str(tag) for tag in data.tags):
            name = tag.removeprefix(REQUIREMENT_TAG)
            if tag != name and name in self._requirements and name not in declared.requirements:
                self._refuse(f"{test_id(data)} is tagged with {name}, and measures nothing that decides it")
        self.declared.append(declared)

    def _refuse(self, sentence: str) -> None:
        self.refused = self.refused or sentence


def _arguments(written: Sequence[object]) -> tuple[tuple[str, ...], dict[str, str]]:
    """Take a keyword's arguments apart, as Robot does where names are followed by an equals sign.

    Raises:
        BenchFileError: a variable has no value before the test runs.
    """
    texts = [_known_now(str(each)) for each in written]
    named = dict(text.split("=", 1) for text in texts if "=" in text)
    return tuple(text for text in texts if "=" not in text), named


def _known_now(text: str) -> str:
    """Put in the values of a protocol's variables."""
    try:
        return str(BuiltIn().replace_variables(text))
    except DataError as error:
        raise BenchFileError(
            f"{text!r} is not known before the test runs ({error}); what is measured must be: write it out, or in the "
            "protocol's table of variables"
        ) from error


def _lived(day: PlannedDay, called: str, person: str) -> Procedure:
    return day.lived(called, person)


def _eaten(day: PlannedDay, at: str, **words: str) -> None:
    day.add("eat", {"at": at, **words})


_BY_KEYWORD = {procedure.KEYWORD: procedure for procedure in PROCEDURES if procedure.KEYWORD}
_OF_A_DAY: Mapping[str, Callable[..., Procedure | None]] = {
    "Plan Basal Profile": lambda day, *segments: day.plan(profile=list(segments)),
    "Plan Calculator": lambda day, **words: day.plan(**words),
    "Eat": _eaten,
    "Exercise": lambda day, at, **words: day.add("exercise", {"at": at, **words}),
    "Live The Day": _lived,
}


def main(arguments: Sequence[str]) -> int:
    """Run the protocols of a run, or write what they would measure; returns Robot Framework's exit code."""
    parser = argparse.ArgumentParser(prog="rig.robot_runner")
    parser.add_argument("--run", required=True, type=Path)
    parser.add_argument("--declare", type=Path)
    options = parser.parse_args(arguments)
    try:
        return _run(options.run, options.declare)
    except RigError as error:
        return _refused(str(error))


def _refused(sentence: str) -> int:
    print(f"ERROR: {sentence}", file=sys.stderr)  # noqa: T201 - the process's answer
    return INVALID_DATA


def _run(folder: Path, declare: Path | None) -> int:
    run = open_run(folder)
    manifest = run.manifest()
    requirements = frozen_inputs(run, manifest).requirements
    common: dict[str, Any] = {
        "name": "pump",
        "prerunmodifier": [Selection(manifest.selected)] if manifest.selected else [],
        "runemptysuite": True,
        "consolecolors": "off",
    }
    suites = str(run.inputs / SUITES)
    if declare is None:
        return int(
            run_robot(
                suites,
                outputdir=str(folder / "robot"),
                listener=[f"allure_robotframework;{folder / 'allure-results'}"],
                variable=[f"RUN:{folder}"],
                **common,
            )
        )
    declaring = Declaring(requirements)
    code = int(
        run_robot(
            suites,
            dryrun=True,
            output=None,
            log=None,
            report=None,
            console="none",
            listener=[declaring],
            variable=["RUN:"],
            **common,
        )
    )
    if declaring.refused is not None:
        return _refused(declaring.refused)
    write_declarations(declare, declaring.declared)
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
