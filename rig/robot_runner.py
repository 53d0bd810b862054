"""Run Robot Framework protocols with the options that pytest understands: `python -m rig.robot_runner suites/pump …`.

Not responsible for keywords (`rig.robot_library`). Exit codes are Robot Framework's.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from _pytest.mark.expression import Expression  # one selection language for both runners: pytest's -k
from robot.api import SuiteVisitor
from robot.run import run as run_robot
from robot.running import TestSuite

REQUIREMENT_TAG = "allure.label.requirement:"
"""Tag that names a requirement, in the form that Allure turns into a label."""


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


def main(arguments: Sequence[str]) -> int:
    """Run the protocols; returns Robot Framework's exit code."""
    parser = argparse.ArgumentParser(prog="rig.robot_runner")
    parser.add_argument("suite", type=Path)
    parser.add_argument("--bench", required=True)
    parser.add_argument("--run", required=True, type=Path)
    parser.add_argument("--requirements", required=True)
    parser.add_argument("--set", action="append", default=[])
    parser.add_argument("-k", dest="expression")
    options = parser.parse_args(arguments)
    return int(
        run_robot(
            str(options.suite),
            outputdir=str(options.run / "robot"),
            listener=[f"allure_robotframework;{options.run / 'allure-results'}"],
            prerunmodifier=[Selection(options.expression)] if options.expression else [],
            variable=[
                f"BENCH:{options.bench}",
                f"RUN:{options.run}",
                f"REQUIREMENTS:{options.requirements}",
                f"SET:{chr(10).join(options.set)}",
            ],
            runemptysuite=True,
            consolecolors="off",
        )
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
