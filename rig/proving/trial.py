"""What a run's record says of the pump that was tried: the first FAIL that counts, and the outcome of the trial.

A FAIL is a requirement's verdict over a measured value in the record; the exit code of a runner is none. Not
responsible for running tests.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence

from rig.proving.pumps import TriedPump
from rig.record.proof import Outcome, Tried
from rig.record.results import DISTURBED, TestRecord
from rig.run.first_fail import Fail


def right_fail(fails: Collection[Fail], expected: Collection[str]) -> Fail | None:
    """Choose the first FAIL that counts: of an expected requirement where any are named, else of any."""
    return next((fail for fail in fails if not expected or fail.requirement in expected), None)


def outcome_of(
    pump: TriedPump, fails: Collection[Fail], tests: Sequence[TestRecord], *, trouble: str | None
) -> Outcome:
    """Say how a trial ended; a FAIL counts whatever else went wrong, an escape only where nothing did.

    Args:
        pump: that was tried.
        fails: all that its record holds.
        tests: how each attempt ended, as the results say; none where there are no results.
        trouble: what went wrong with the rig, in words.
    """
    if fails:
        if pump.source == "seed":
            return "false fail"
        return "caught" if right_fail(fails, pump.expected) else "caught elsewhere"
    if trouble is not None or not tests or any(test.outcome in (*DISTURBED, "not run") for test in tests):
        return "error"
    return "clean" if pump.source == "seed" else "escaped"


def tried(
    pump: TriedPump,
    fails: Collection[Fail],
    tests: Sequence[TestRecord],
    *,
    trouble: str | None,
    wall_s: float,
    digest: str,
    remark: str | None = None,
) -> Tried:
    """Sum up a trial; arguments as of `outcome_of`, and the trial's wall time in s and the digest of its inputs.

    `remark` is what else is known of the pump, and no trouble.
    """
    first = right_fail(fails, pump.expected) or next(iter(fails), None)
    ended = [test for test in tests if test.outcome not in (*DISTURBED, "not run")]
    disturbed = [test for test in tests if test.outcome == "error"]
    reason = trouble or next((f"{test.title}: {test.message}" for test in disturbed), remark)
    return Tried(
        name=pump.name,
        source=pump.source,
        outcome=outcome_of(pump, fails, tests, trouble=trouble),
        expected=pump.expected,
        requirement=first.requirement if first else None,
        test=first.test if first else None,
        measured=first.measured if first else None,
        failed=tuple(dict.fromkeys(fail.requirement for fail in fails)),
        tests_run=len(ended),
        wall_s=round(wall_s, 1),
        reason=reason,
        digest=digest,
    )


def digest_of(pump: TriedPump, content: str, inputs: Mapping[str, str]) -> str:
    """Compute what identifies a trial, as SHA-256.

    Args:
        pump: that is tried.
        content: the hash of its image, or of the sources and its patch.
        inputs: the hashes of what every trial reads.
    """
    words = [dict(inputs), content, [list(each) for each in pump.settings], list(pump.expected), pump.source]
    return hashlib.sha256(json.dumps(words, sort_keys=True, default=str).encode()).hexdigest()
