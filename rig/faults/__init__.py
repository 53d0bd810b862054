"""Faults: what each is, how a bench provokes it, who observes it, and what a pump is expected to do about it.

Not responsible for provoking one (`rig.procedures.provoking`), nor for judging what a pump did: requirements are.
"""

from rig.faults.catalogue import Catalogue, parse_faults, read_faults, shipped_faults
from rig.faults.fault import ByHand, Injection, NotProvoked, Provocation, PumpFault

__all__ = [
    "ByHand",
    "Catalogue",
    "Injection",
    "NotProvoked",
    "Provocation",
    "PumpFault",
    "parse_faults",
    "read_faults",
    "shipped_faults",
]
