"""The qualification of a laboratory's PC and bench: what was looked at, what was seen, and an id that is its hash.

`rig qualify` writes one as `qualification.json`; a run that cites it keeps the whole in its record. Not responsible for
looking (`rig.cli.qualify`), nor for whether it still fits (`rig.run.qualified`).
"""

from __future__ import annotations

from typing import Literal

from pydantic import AwareDatetime

from rig.record.manifest import Package, Software
from rig.record.models import Record

QUALIFICATION = "qualification.json"

Outcome = Literal["passed", "failed", "finding"]


class Item(Record):
    """One thing that was looked at: its number, such as IQ-1, what it asks for, what came of it, what was seen.

    A finding is neither: it is stated, and somebody has to judge it.
    """

    id: str
    asks: str
    outcome: Outcome
    seen: str


class Machine(Record):
    """The PC: `id` is a hash of the operating system's own number of this installation, the host's name for people."""

    id: str
    host: str
    system: str
    release: str
    architecture: str
    python: str


class QualifiedDevice(Record):
    """A device of the bench: role, driver, serial number, None for the pump, which is what is tested."""

    role: str
    driver: str
    serial_number: str | None


class QualifiedBench(Record):
    """The bench: its name, whether it is simulated, and its devices."""

    name: str
    virtual: bool
    devices: tuple[QualifiedDevice, ...]


class Qualification(Record):
    """An installation and operational qualification (IQ, OQ).

    Attributes:
        id: SHA-256 of the rest, as JSON in one line with its keys sorted.
        valid_until_utc: from then on no formal run may cite it.
        clock_reference: what the PC's clock was compared with by hand, in the operator's words.
    """

    format: Literal[1] = 1
    id: str
    made_utc: AwareDatetime
    valid_until_utc: AwareDatetime
    operator: str | None
    machine: Machine
    software: Software
    packages: dict[str, Package]
    bench: QualifiedBench
    clock_reference: str | None
    items: tuple[Item, ...]

    @property
    def failed(self) -> list[str]:
        """The numbers of the items that failed."""
        return [each.id for each in self.items if each.outcome == "failed"]

    @property
    def findings(self) -> list[str]:
        """The numbers of the items that are neither passed nor failed."""
        return [each.id for each in self.items if each.outcome == "finding"]
