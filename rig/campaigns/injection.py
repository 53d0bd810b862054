"""One injection: a fault, the therapy's state, and the instant; drawn from a seed, in whatever order.

Not responsible for doing it (`inject`).
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from rig.campaigns.kinds import FRAMES, LINK

SPAN_S = 30.0
"""Instants are drawn from so many s of a state of therapy."""
INSTRUCTIONS = 1000
STRIKES_WITHIN_S = 40.0
"""A core that mostly rests executes so many instructions in two or three of its wake-ups, 15 s apart."""
STACK_OCTETS = 512
RAIL_V = 3.7
SHORTEST_DIP_S, LONGEST_DIP_S = 0.010, 1.0
"""As catalogue F20 has them: dips of 10 ms to 1 s."""
FRAME_OCTETS = 24
"""A command is about so long on the pump's line, with its frame."""
REGISTERS = (*(f"r{number}" for number in range(13)), "sp", "lr", "pc", "apsr")
HELD = {"reservoir": ("alarm",)}
"""States of therapy that hold a line energised already: it is not energised in them as a fault."""
COMMANDED = "commanded"
"""The state of therapy in which somebody talks to the pump; faults of the link have an effect in no other."""


class RandomInjection(BaseModel):
    """A fault at an instant of a state of therapy; what a kind does not need is None.

    Attributes:
        number: from 1 on.
        at_ns: the instant, since the state of therapy began.
        instruction: of the core from there on, before which a bit flips; 0: at the instant itself.
        place: octet of variables and stack, or of the image; or the octet or frame of what is sent.
        bit: which flips.
        register_name: of the core.
        lasts_s: how long a line is energised, the supply low, or the link lost.
        rail_v: what the supply falls to.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    number: int = Field(ge=1)
    kind: str
    state: str
    at_ns: int = Field(ge=0)
    instruction: int = 0
    place: int | None = None
    bit: int | None = None
    register_name: str | None = None
    lasts_s: float | None = None
    rail_v: float | None = None

    def plain(self) -> dict[str, Any]:
        """Give it as data for JSON."""
        return self.model_dump(exclude_none=True)


def drawn(
    number: int,
    seed: int,
    kinds: Sequence[str],
    states: Sequence[str],
    *,
    variables: int,
    image: int,
    window_s: float,
) -> RandomInjection:
    """Draw the injection of a number: always the same from one seed and one set of kinds and states.

    Args:
        number: from 1 on.
        seed: of the campaign.
        kinds: to choose from.
        states: of therapy, to choose from; faults of the link take that in which somebody talks. Each kind is
            `possible` in one of them.
        variables: bytes of RAM that the firmware's variables take.
        image: bytes of flash that its image takes.
        window_s: a line is energised for no longer.
    """
    chance = random.Random(f"{seed} {number}")
    kind = chance.choice(kinds)
    state = COMMANDED if kind in LINK else chance.choice([each for each in states if each not in HELD.get(kind, ())])
    at_ns = chance.randrange(round(SPAN_S * 1e9))
    more: dict[str, Any] = {}
    if kind in ("ram", "flash"):
        octets = variables + STACK_OCTETS if kind == "ram" else image
        instruction = chance.choice((0, chance.randint(1, INSTRUCTIONS)))
        more = {"place": chance.randrange(octets), "bit": chance.randrange(8), "instruction": instruction}
    elif kind == "register":
        name = chance.choice(REGISTERS)
        bit = chance.randint(28, 31) if name == "apsr" else chance.randrange(32)
        more = {"register_name": name, "bit": bit, "instruction": chance.randint(1, INSTRUCTIONS)}
    elif kind == "dip":
        more = {
            "rail_v": round(chance.uniform(0.0, RAIL_V), 3),
            "lasts_s": round(chance.uniform(SHORTEST_DIP_S, LONGEST_DIP_S), 3),
        }
    elif kind in FRAMES:
        more = {"place": chance.randrange(FRAME_OCTETS), "bit": chance.randrange(8)}
    elif kind != "clock":  # a line of the switch, or the link: for a while, short ones as likely as long ones
        more = {"lasts_s": round(0.01 * (window_s / 0.01) ** chance.random(), 3)}
    return RandomInjection(number=number, kind=kind, state=state, at_ns=at_ns, **more)


def possible(kind: str, states: Sequence[str]) -> bool:
    """Whether a kind of fault can be injected into one of these states."""
    return kind in LINK or any(state not in HELD.get(kind, ()) for state in states)
