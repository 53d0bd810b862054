"""`python -m suites.studies.scale`: twenty rigs and a thousand, as tables in Markdown, over several seeds."""

from __future__ import annotations

import argparse
import sys

from rig.clock import ComputingClock
from suites.studies.scale.scenarios import ANSWERS, ScaleAnswer, answers, scenarios

LEAST_SEEDS = 10
RIGS_IN_ALL = 800
"""Over all seeds: a month of few rigs differs more from the next one."""


def main() -> None:
    """Print a table for each size of laboratory."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rigs", type=int, nargs="+", default=[20, 1000], help="sizes of laboratories")
    parser.add_argument(
        "--seeds", type=int, help="simulations of each question, 2 or more; default: 10, of few rigs more"
    )
    asked = parser.parse_args()
    if (asked.seeds is not None and asked.seeds < 2) or min(asked.rigs) < 2:
        parser.error("a spread needs 2 seeds or more, and a laboratory 2 rigs or more")
    clock = ComputingClock()
    for rigs in asked.rigs:
        seeds = range(1, asked.seeds + 1) if asked.seeds else seeds_of(rigs)
        _say(f"\n{rigs} rigs, {len(seeds)} seeds: mean ± standard deviation\n")
        _say(f"| | {' | '.join(ANSWERS)} |")
        _say("|---" * (len(ANSWERS) + 1) + "|")
        for name, lab in scenarios(rigs).items():
            cells = [cell(each) for each in answers(lab, seeds)]
            _say(f"| {name} | {' | '.join(cells)} |")
    _say(f"\n{clock.now():.0f} s of processor time.")


def seeds_of(rigs: int) -> range:
    """The seeds of a laboratory of so many rigs, where nobody says how many."""
    return range(1, max(LEAST_SEEDS, RIGS_IN_ALL // rigs) + 1)


def cell(answer: ScaleAnswer) -> str:
    """Write an answer with digits that are read."""
    digits = 0 if answer.mean >= 100.0 else 1 if answer.mean >= 10.0 else 2
    return f"{answer.mean:.{digits}f} ± {answer.spread:.{digits}f}"


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
