"""A pump that can do nothing: what a driver of a simpler pump stands on, to write only what its pump can.

Each method raises UnableError. Not responsible for `capabilities`: the driver lists what it overrides.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import NoReturn

from rig.errors import UnableError
from rig.roles import HistoryEvent
from rig.therapy import (
    ActiveBasal,
    BasalSegment,
    Bolus,
    BolusAdvice,
    BolusState,
    DailyTotal,
    InsulinOnBoard,
    Meal,
    ProfileBlock,
    ProfileKind,
    Setting,
    TemporaryRate,
)


class LimitedPump:
    """The part of the role Pump that a pump may lack; `name` says in error sentences who lacks it."""

    def __init__(self, name: str) -> None:
        self.name = name

    def set_reservoir_level(self, insulin_u: float) -> None:
        """Refuse: it keeps no account of a reservoir."""
        self._cannot(f"being told that its reservoir holds {insulin_u:g} U")

    def set_basal_profile(self, segments: Sequence[BasalSegment]) -> None:
        """Refuse: it has no basal profile."""
        self._cannot(f"a basal profile of {len(segments)} segments")

    def write_basal_profile(self, template: int, segments: Sequence[BasalSegment]) -> None:
        """Refuse: it has no numbered profiles."""
        self._cannot(f"writing {len(segments)} segments to basal profile {template}")

    def read_basal_profile(self, template: int) -> list[BasalSegment]:
        """Refuse: it has no numbered profiles."""
        self._cannot(f"reading basal profile {template}")

    def activate_basal_profile(self, template: int) -> None:
        """Refuse: it has no numbered profiles."""
        self._cannot(f"activating basal profile {template}")

    def active_basal(self) -> ActiveBasal:
        """Refuse: it has no basal rate."""
        self._cannot("telling its basal rate")

    def set_temporary_rate(self, temporary: TemporaryRate, *, change: bool = False) -> None:
        """Refuse: it has no temporary rates."""
        self._cannot(f"{'changing' if change else 'starting'} a temporary rate of {temporary.duration_min} min")

    def cancel_temporary_rate(self) -> None:
        """Refuse: it has no temporary rates."""
        self._cannot("cancelling a temporary rate")

    def bolus(self, insulin_u: float) -> int:
        """Refuse: it delivers no boluses."""
        self._cannot(f"a bolus of {insulin_u:g} U")

    def deliver(self, bolus: Bolus) -> int:
        """Refuse: it delivers no such boluses."""
        self._cannot(f"a bolus of {bolus.fast_u:g} U and {bolus.extended_u:g} U over {bolus.duration_min} min")

    def active_boluses(self) -> list[BolusState]:
        """Refuse: it delivers no boluses."""
        self._cannot("telling its boluses")

    def cancel_bolus(self, bolus_id: int) -> None:
        """Refuse: it delivers no boluses."""
        self._cannot(f"cancelling bolus {bolus_id}")

    def set_profile(self, kind: ProfileKind, blocks: Sequence[ProfileBlock]) -> None:
        """Refuse: it has no bolus calculator."""
        self._cannot(f"a profile of {kind.value} in {len(blocks)} blocks")

    def profile(self, kind: ProfileKind) -> list[ProfileBlock]:
        """Refuse: it has no bolus calculator."""
        self._cannot(f"telling its profile of {kind.value}")

    def calculate(self, meal: Meal) -> BolusAdvice:
        """Refuse: it has no bolus calculator."""
        self._cannot(f"calculating a bolus for {meal.carbohydrate_g:g} g")

    def insulin_on_board(self) -> InsulinOnBoard:
        """Refuse: it keeps no account of insulin that acts."""
        self._cannot("telling its insulin on board")

    def daily_total(self) -> DailyTotal:
        """Refuse: it keeps no account of a day."""
        self._cannot("telling the total of the day")

    def prime(self, insulin_u: float) -> None:
        """Refuse: it does not prime by volume."""
        self._cannot(f"priming with {insulin_u:g} U")

    def stop_priming(self) -> None:
        """Refuse: it does not prime."""
        self._cannot("stopping to prime")

    def setting(self, setting: Setting) -> float:
        """Refuse: it has no such settings."""
        self._cannot(f"telling its {setting.value}")

    def set_setting(self, setting: Setting, value: float) -> None:
        """Refuse: it has no such settings."""
        self._cannot(f"setting its {setting.value} to {value:g}")

    def clock(self) -> datetime.datetime:
        """Refuse: it has no clock."""
        self._cannot("telling the time")

    def set_clock(self, date_time: datetime.datetime) -> None:
        """Refuse: it has no clock."""
        self._cannot(f"setting its clock to {date_time:%Y-%m-%d %H:%M:%S}")

    def restart(self) -> None:
        """Refuse: it cannot be restarted over its line."""
        self._cannot("restarting")

    def snooze(self, annunciation_id: int) -> None:
        """Refuse: it cannot be silenced for a while."""
        self._cannot(f"snoozing annunciation {annunciation_id}")

    def history(self, *, since: int = 0) -> list[HistoryEvent]:
        """Refuse: it keeps no log."""
        self._cannot(f"its log since entry {since}")

    def _cannot(self, asked: str) -> NoReturn:
        raise UnableError(asked=asked, of_whom=self.name)
