"""The cells of the campaign: which device, which fault, when it begins, and what is measured meanwhile.

Not responsible for doing them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rig.virtual.faults import DEVICES, KINDS
from suites.selftest.trouble.measurements import MEASUREMENTS

ONSETS = ("opening", "blank", "measuring", "closing")
BRIEF_S = 30.0
ENDING = ("mute", "garbage", "endless", "disconnected", "stuck")
"""Faults that also come and go within `BRIEF_S`."""
_NETWORKED = ("supply", "sound", "probe")
_OF_SERIAL_LINES = ("drop", "flip", "double")


@dataclass(frozen=True)
class Cell:
    """One trouble: `brief` where the fault is over after `BRIEF_S`."""

    device: str
    kind: str
    onset: str
    measurement: str
    brief: bool = False

    @property
    def name(self) -> str:
        """What it is called in print, and on the command line that repeats it."""
        return f"{self.device}-{self.kind}{'.brief' if self.brief else ''}-{self.onset}-{self.measurement}"

    @classmethod
    def named(cls, name: str) -> Cell:
        """Read a name; ValueError with the allowed parts when it is none."""
        parts = name.split("-")
        if len(parts) != 4:
            raise ValueError(
                f"{name!r}: a cell is called device-kind-onset-measurement, such as {every_cell()[0].name}"
            )
        kind, _, brief = parts[1].partition(".")
        cell = cls(parts[0], kind, parts[2], parts[3], brief == "brief")
        if cell not in every_cell(each_measurement=True):
            raise ValueError(f"{name!r} is no cell of this campaign; --list prints them")
        return cell

    def overrides(self, moments: Mapping[str, float]) -> dict[str, Any]:
        """The fault as a bench file has it; `moments` are the onsets in s."""
        at_s = moments[self.onset]
        fault: dict[str, Any] = {"device": self.device, "kind": self.kind, "at": f"{at_s!r} s"}
        if self.brief:
            fault["until"] = f"{at_s + BRIEF_S!r} s"
        return {"virtual.fault": [fault]}


def faults() -> list[tuple[str, str, bool]]:
    """Every device, kind and whether it is brief, in a fixed order."""
    return [
        (device, kind, brief)
        for device in DEVICES
        for kind, of in KINDS.items()
        if device in of.devices and not (kind in _OF_SERIAL_LINES and device in _NETWORKED)
        for brief in ((False, True) if kind in ENDING else (False,))
    ]


def every_cell(*, each_measurement: bool = False) -> list[Cell]:
    """Every fault at every onset: in one measurement, the measurements taking turns, or in each of them."""
    names = list(MEASUREMENTS)
    return [
        Cell(device, kind, onset, measurement, brief)
        for number, (device, kind, brief) in enumerate(faults())
        for turn, onset in enumerate(ONSETS)
        for measurement in (names if each_measurement else [names[(number + turn) % len(names)]])
    ]


def slice_of(cells: Sequence[Cell]) -> list[Cell]:
    """Choose what the self-test does: of each kind of fault one cell, devices and onsets taking turns."""
    chosen = []
    for number, (kind, brief) in enumerate(dict.fromkeys((each.kind, each.brief) for each in cells)):
        own = [each for each in cells if (each.kind, each.brief) == (kind, brief)]
        chosen.append(own[5 * number % len(own)])
    return chosen
