"""A task in a process of its own, for a worker that has threads and so cannot fork.

Light, since every worker loads it. Not responsible for what the process does (`batch`, or another module).
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from rig.errors import RigError

ONE_THREAD = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
"""A process that forks has one thread: that of numerical libraries are not to be begun."""


BATCH_MODULE = "rig.campaigns.batch"


def performed_apart(task: str, module: str = BATCH_MODULE, noun: str = "a batch") -> str:
    """Perform a task, as JSON, in a process of its own; returns what came of it, one thing a line.

    Args:
        task: to its standard input.
        module: what it runs, as `python -m` does; it ends with 0, or with a sentence on standard error.
        noun: what a task is called in a sentence.

    Raises:
        RigError: the process says why it could not.
        RuntimeError: it was ended from outside: the task may be begun again.
    """
    root = str(Path(__file__).resolve().parents[2])
    path = os.pathsep.join(each for each in (root, os.environ.get("PYTHONPATH", "")) if each)
    environment = {**os.environ, **ONE_THREAD, "PYTHONPATH": path, "PYTHONHASHSEED": "0"}
    command = [sys.executable, "-m", module]
    done = subprocess.run(command, input=task, capture_output=True, text=True, env=environment, check=False)
    if done.returncode == 0:
        return done.stdout
    told = done.stderr.strip().splitlines()
    if done.returncode < 0:
        raise RuntimeError(f"the process of {noun} was ended by signal {-done.returncode}")
    raise RigError(f"{noun} broke off: {told[-1] if told else 'it did not say why'}")
