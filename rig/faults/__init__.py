"""Faults: what each is, how a bench provokes it, who observes it, and what a pump is expected to do about it.

Not responsible for provoking one (`rig.procedures.provoking`), nor for judging what a pump did: requirements are.
"""

from rig.faults.catalogue import Catalogue, parse_faults, read_faults, shipped_faults
from rig.faults.fault import Fault, Injection, NotProvoked, Provocation

__all__ = [
    "Catalogue",
    "Fault",
    "Injection",
    "NotProvoked",
    "Provocation",
    "parse_faults",
    "read_faults",
    "shipped_faults",
]
