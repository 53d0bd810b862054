"""What is measured of everything that a test's record holds, whatever the test is about: the kinds of its quantities.

No procedure takes them: they are read out of the record once the test is over (`rig.run.invariants`).
"""

from __future__ import annotations

from rig.verdicts.quantities import Kind

UNCOMMANDED = Kind(
    "recorded.uncommanded",
    "delivered in a whole test while nothing was commanded",
    ("U",),
    (),
    "What was weighed while therapy was stopped, or ran with no basal rate and no bolus, in all of a test's record.",
)
WRONG_NUMBERS = Kind(
    "recorded.wrong_numbers",
    "numbers of the log that are missing, used twice or out of time in a whole test",
    ("entries",),
    (),
    "In every reading of the pump's log over its line in a test.",
)
BROKEN_COUNTERS = Kind(
    "recorded.broken_counters",
    "messages of the pump that came again or out of their order in a whole test",
    ("messages",),
    (),
    "By the counters of every protected message that came over the line in a test.",
)
OF_THE_RECORD: tuple[Kind, ...] = (UNCOMMANDED, WRONG_NUMBERS, BROKEN_COUNTERS)
