"""A program that has a bench open while its pump delivers, and says on its output how it goes on.

    python -m suites.stands.bench_holder BENCH HOW

Prints "delivering" once the pump runs, then does as it is told: `waits` on the bench's clock and prints "alive" every
half second; `hangs` in a wait that no clock knows; `asks` a person and waits for a line. A line on its input ends it;
then it prints the pump's therapy state and leaves the bench. Not responsible for what its guardian does meanwhile.
"""

from __future__ import annotations

import select
import signal
import sys

from rig.bench.open import open_bench
from rig.clock import waiting_for_person
from rig.errors import RigError
from rig.roles import Bench, Capability, require
from rig.therapy import BasalSegment

EXIT_RIG = 3


def hold(bench: Bench, how: str) -> None:
    """Let the pump deliver, and do as told until a line comes."""
    require(bench.pump, Capability.BASAL_PROFILE).set_basal_profile([BasalSegment(1440, 1.0)])
    bench.pump.run()
    require(bench.pump, Capability.FAST_BOLUS).bolus(20.0)
    _say("delivering")
    if how == "hangs":
        signal.pause()
    if how == "asks":
        with waiting_for_person(bench.clock):
            sys.stdin.readline()
    else:
        while not select.select([sys.stdin], [], [], 0.0)[0]:
            bench.clock.sleep(0.5)
            _say("alive")
    _say(bench.pump.status().therapy.value)


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main() -> int:
    """Open the bench and hold it; 3 with a sentence when the rig could not."""
    _, file, how = sys.argv
    try:
        with open_bench(file, purpose="a test of the guardian") as bench:
            hold(bench, how)
    except RigError as error:
        _say(str(error))
        return EXIT_RIG
    return 0


if __name__ == "__main__":
    sys.exit(main())
