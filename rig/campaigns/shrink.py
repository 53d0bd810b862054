"""Making a finding as small as it gets: earlier, shorter, shallower, nearer to the first octet, and of the same class.

Not responsible for trying: whoever calls does that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from rig.campaigns.consequence import Consequence
from rig.campaigns.injection import RAIL_V, RandomInjection

SHORTEST_S = 0.010
LEAST_STEP_V = 0.05


def smaller(injection: RandomInjection) -> Iterator[RandomInjection]:
    """List what is smaller than an injection by one property, the smallest of each first."""
    for at_ns in (0, injection.at_ns // 2, injection.at_ns // 1_000_000_000 * 1_000_000_000):
        if at_ns < injection.at_ns:
            yield injection.model_copy(update={"at_ns": at_ns})
    if injection.instruction:
        lowest = 1 if injection.register_name is not None else 0
        for number in (lowest, injection.instruction // 2):
            if lowest <= number < injection.instruction:
                yield injection.model_copy(update={"instruction": number})
    if injection.lasts_s is not None:
        for lasts_s in (SHORTEST_S, round(injection.lasts_s / 2.0, 3)):
            if SHORTEST_S <= lasts_s < injection.lasts_s:
                yield injection.model_copy(update={"lasts_s": lasts_s})
    if injection.rail_v is not None and RAIL_V - injection.rail_v > LEAST_STEP_V:
        yield injection.model_copy(update={"rail_v": round((injection.rail_v + RAIL_V) / 2.0, 3)})
    if injection.place and injection.kind not in ("ram", "flash"):
        for place in (0, injection.place // 2):
            yield injection.model_copy(update={"place": place})


def shrunk(injection: RandomInjection, attempt: Callable[[RandomInjection], Consequence], at_most: int) -> Consequence:
    """Find the smallest injection with the consequence of the given one, in so many attempts at most.

    Each step takes the first smaller one whose consequence is of the same class, until none is, or no attempt is left.
    """
    best = attempt(injection)
    left = at_most
    while True:
        for candidate in smaller(best.injection):
            if left == 0:
                return best
            left -= 1
            tried = attempt(candidate)
            if tried.sort is best.sort:
                best = tried
                break
        else:
            return best
