"""One batch of injections into one state of therapy, in a process of its own: `python -m rig.campaigns.batch`.

The process has one thread, so that it can fork: it runs up to each instant once, forks, and the fork injects and
observes. The task comes as JSON on standard input; one consequence a line goes to standard output. Not responsible for
who starts it (`apart`).
"""

from __future__ import annotations

import base64
import json
import os
import pickle
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from pydantic import BaseModel, ConfigDict

from rig.campaigns.consequence import Class, Consequence, Observed, classify
from rig.campaigns.course import TherapyCourse, course
from rig.campaigns.forked import in_a_fork
from rig.campaigns.injection import RandomInjection
from rig.campaigns.inputs import CampaignInputs, laid_out
from rig.campaigns.kinds import SafeAnswer, safe_answer
from rig.campaigns.observe import observe
from rig.campaigns.shrink import shrunk
from rig.campaigns.states import STATES
from rig.campaigns.twin import Twin, latest_end, run_twin
from rig.clock import ns_from_s
from rig.errors import RigError


class Task(BaseModel):
    """What one process does: injections into one state of therapy; or the shrinking of one.

    Attributes:
        files: the frozen inputs, in base 64.
        smaller_within: None; or in so many trials each injection is made as small as it gets.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    files: dict[str, str]
    state: str
    injections: tuple[RandomInjection, ...]
    window_s: float
    smaller_within: int | None = None


def task_of(
    inputs: CampaignInputs,
    state: str,
    injections: Sequence[RandomInjection],
    window_s: float,
    smaller_within: int | None = None,
) -> Task:
    """Make the task of a batch."""
    files = {name: base64.b64encode(data).decode() for name, data in inputs.files.items()}
    return Task(
        files=files, state=state, injections=tuple(injections), window_s=window_s, smaller_within=smaller_within
    )


def performed(task: Task) -> Iterator[Consequence]:
    """Perform a task; consequences come as they are found, not in the order of their numbers.

    Raises:
        RigError: the pump could not be brought into the state, or the fault-free pump could not be observed.
    """
    with TemporaryDirectory(prefix="rig-campaign-") as folder:
        inputs = laid_out(Path(folder), {name: base64.b64decode(data) for name, data in task.files.items()})
        with course(inputs.spec, task.state) as begun:
            lines = begun.world.line_names
            bounds = {
                kind: safe_answer(kind, inputs.catalogue, lines, inputs.bounds)
                for kind in {injection.kind for injection in task.injections}
            }
            if task.smaller_within is None:
                yield from _observed(begun, task, bounds)
            else:
                yield from _made_smaller(begun, task, bounds, task.smaller_within)


def _observed(begun: TherapyCourse, task: Task, bounds: dict[str, SafeAnswer]) -> Iterator[Consequence]:
    in_time = sorted(task.injections, key=lambda injection: (injection.at_ns, injection.number))
    twin = _twin(begun, latest_end(in_time, task.window_s))
    parent = os.getppid()
    for injection in in_time:
        begun.go_on_to(_undisturbed(injection.at_ns, begun.state, twin))
        yield _consequence(begun, injection, twin, task.window_s, bounds)
        if os.getppid() != parent:
            raise RigError("whoever wanted these injections is gone")


def _made_smaller(
    begun: TherapyCourse, task: Task, bounds: dict[str, SafeAnswer], at_most: int
) -> Iterator[Consequence]:
    """Try smaller injections, each in a fork from the beginning of the state."""
    twin = _twin(begun, latest_end(task.injections, task.window_s))
    for injection in task.injections:
        yield shrunk(injection, lambda each: _consequence(begun, each, twin, task.window_s, bounds), at_most)


def _twin(begun: TherapyCourse, end_ns: int) -> Twin:
    given = in_a_fork(lambda: pickle.dumps(run_twin(begun, end_ns)))
    if isinstance(given, str):
        raise RigError(f"the pump without a fault could not be observed in state {begun.state!r}: {given}")
    twin = pickle.loads(given)  # from a fork of this process
    assert isinstance(twin, Twin)
    return twin


def _consequence(
    begun: TherapyCourse, injection: RandomInjection, twin: Twin, window_s: float, bounds: dict[str, SafeAnswer]
) -> Consequence:
    given = in_a_fork(lambda: observe(begun, injection, twin, window_s).model_dump_json().encode())
    if isinstance(given, str):
        last = given.strip().splitlines()[-1] if given.strip() else "nothing came back"
        observed = Observed(window_s=window_s, failed=last)
    else:
        observed = Observed.model_validate_json(given)
    return Consequence(injection=injection, observed=observed, sort=classify(observed, bounds[injection.kind]))


def _undisturbed(at_ns: int, state: str, twin: Twin) -> int:
    """The last moment up to an instant at which the fault-free pump is not just being told something."""
    for (begin_s, _), end_ns in zip(STATES[state].told, twin.ends_ns, strict=False):
        if ns_from_s(begin_s) < at_ns < end_ns:
            return ns_from_s(begin_s)
    return at_ns


def line_of(consequence: Consequence) -> str:
    """Write a consequence as one line of JSON, always the same."""
    return json.dumps(consequence.plain(), ensure_ascii=False, sort_keys=True)


def consequence_of(content: Any) -> Consequence:  # noqa: ANN401 - what a line of JSON holds
    """Read a consequence from what a line of JSON holds."""
    return Consequence(
        injection=RandomInjection.model_validate(content["injection"]),
        observed=Observed.model_validate(content["observed"]),
        sort=Class(content["class"]),
    )


def main() -> int:
    """Perform the task on standard input; exit code 0, or 3 with a sentence on standard error."""
    task = Task.model_validate_json(sys.stdin.buffer.read())
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    try:
        for consequence in performed(task):
            out.write(line_of(consequence) + "\n")
            out.flush()
    except RigError as error:
        sys.stderr.write(f"{error}\n")
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main())
