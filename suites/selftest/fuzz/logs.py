"""Logs by the thousand, each damaged: no traceback, no nonsense taken for a number.

    python -m suites.selftest.fuzz.logs 2000

A damaged log ends in one sentence, or in the value of the whole log within what the damage can honestly change, or in a
value with a finding that names the damage. Not responsible for which damage there is (`damage`).
"""

from __future__ import annotations

import sys
import tempfile
import traceback
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from rig.errors import DataFileError
from rig.offline.analyse import Supplied, analyse_file
from rig.offline.question import Question, ask
from suites.selftest.fuzz.log_damage import DAMAGES, UNKNOWABLE, WHOLE

ASKED = {"kind": "basal", "rate": "1 U/h", "stabilisation": "0 h", "analysis": "rest", "windows": "15 min"}
ANSWERS: tuple[Mapping[str, str], ...] = (
    {},
    {"bad_rows": "skip"},
    {"on_break": "join"},
    {"on_break": "longest"},
    {"bad_rows": "skip", "on_break": "join"},
)
TOLERATED_PERCENT = 5.1
"""One dose at each end of a record of two hours is so much: what a lost sample can honestly change. Of the longest
stretch, which is shorter, twice as much."""

TELLING = frozenset({"implausible", "change of flow", "restart", "rise", "joined", "left out", "clock", "bad row"})
"""Findings that tell of a number that is not that of the whole log."""


@dataclass
class Outcome:
    """What became of the logs.

    Attributes:
        counts: by what happened.
        tracebacks: of logs that ended in none of our own errors.
        nonsense: logs whose value is wrong without a word.
    """

    counts: Counter[str] = field(default_factory=Counter)
    tracebacks: list[str] = field(default_factory=list)
    nonsense: list[str] = field(default_factory=list)


def campaign(count: int, seed: int, folder: Path) -> Outcome:
    """Damage `count` logs and analyse each; what went wrong is kept with how to make it again."""
    outcome = Outcome()
    for number in range(count):
        rng = Random(f"{seed}-{number}")
        name = rng.choice(list(WHOLE))
        damage = rng.choice([each for each in DAMAGES if (name, each) not in UNKNOWABLE])
        answer = rng.choice(ANSWERS)
        form = WHOLE[name]
        path = folder / f"log{form.suffix}"
        path.write_bytes(DAMAGES[damage](rng, form.content))
        case = f"{seed}-{number} {name} {damage} {answer}"
        _judge(outcome, case, path, ask({**ASKED, **form.options, **answer}))
    return outcome


def _judge(outcome: Outcome, case: str, path: Path, asked: Question) -> None:
    try:
        found = analyse_file(path, asked)
    except DataFileError as refused:
        outcome.counts["refused"] += 1
        if "\n" in str(refused):
            outcome.nonsense.append(f"{case}: a sentence of several lines")
        return
    except Exception:  # what a fuzzer looks for
        outcome.tracebacks.append(f"{case}\n{traceback.format_exc()}")
        return
    error = float(found.analysed.content["overall_error_percent"])
    longest = asked.on_break == "longest"
    if abs(error) <= (2.0 if longest else 1.0) * TOLERATED_PERCENT:
        outcome.counts["right"] += 1
    elif _told(found):
        outcome.counts["told"] += 1
    else:
        outcome.nonsense.append(f"{case}: {error:.2f} %")


def _told(found: Supplied) -> bool:
    return any(finding.kind in TELLING for finding in found.analysed.findings)


def main() -> None:
    """Run as many logs as the first argument says, 2000 without one, with the second as seed."""
    count, seed = (int(each) for each in ([*sys.argv[1:], "2000", "1"][:2] if len(sys.argv) < 3 else sys.argv[1:3]))
    with tempfile.TemporaryDirectory() as folder:
        outcome = campaign(count, seed, Path(folder))
    print(f"{count} damaged logs: {dict(outcome.counts)}")
    print(f"{len(outcome.tracebacks)} tracebacks, {len(outcome.nonsense)} wrong without a word")
    for each in (*outcome.tracebacks, *outcome.nonsense):
        print(each)
    sys.exit(1 if outcome.tracebacks or outcome.nonsense else 0)


if __name__ == "__main__":
    main()
