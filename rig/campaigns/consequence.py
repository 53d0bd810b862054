"""What became of an injection, and its class: judged by volume, sound, vibration and motion, never by the pump's word.

Pure. Not responsible for observing (`observe`).
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict

from rig.campaigns.injection import RandomInjection
from rig.campaigns.kinds import SafeAnswer


class Class(StrEnum):
    """Classes of consequences, the harmless first."""

    MASKED = "masked"
    LATENT = "latent"
    DETECTED = "detected, safe"
    LATE = "detected late"
    SILENT_UNDER = "silent under-delivery"
    SILENT_OVER = "silent over-delivery"
    ALARM_LOST = "alarm lost"
    HANG = "hang"
    NOT_OBSERVED = "not observed"


FINDINGS = (Class.LATE, Class.SILENT_UNDER, Class.SILENT_OVER, Class.ALARM_LOST, Class.HANG)
"""Classes of which each injection is a finding, with its replay."""
UNSAFE = (Class.SILENT_UNDER, Class.SILENT_OVER, Class.ALARM_LOST, Class.HANG)


class Observed(BaseModel):
    """What was observed of an injection beside its fault-free twin.

    Attributes:
        alike_after_s: how long after it the pump stood like its twin again; None: it did not within the window.
        window_s: for how long it was observed at the most.
        deviation_u: delivered more than by the twin (negative: less), when the observation ended.
        steps: of the motor, more than the twin's.
        annunciated_after_s: when buzzer or vibrator first did what the twin's did not, or whoever talks to the pump
            was refused or got no answer; None: never.
        deviation_then_u: the deviation at that moment.
        twin_annunciates: whether the twin's buzzer or vibrator went on within the window.
        annunciates: whether the pump's did.
        restarts: causes of the controller's resets.
        stands_still: why the core stands or spins with its supply on, for longer than its watchdog may take.
        unanswered: how often the pump refused, or did not answer, afterwards.
        failed: why it could not be observed: the emulated controller lacks what the fault led to.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    alike_after_s: float | None = None
    window_s: float
    deviation_u: float = 0.0
    steps: int = 0
    annunciated_after_s: float | None = None
    deviation_then_u: float | None = None
    twin_annunciates: bool = False
    annunciates: bool = False
    restarts: tuple[str, ...] = ()
    stands_still: str | None = None
    unanswered: int = 0
    failed: str | None = None


class Consequence(BaseModel):
    """An injection, what was observed of it, and its class."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    injection: RandomInjection
    observed: Observed
    sort: Class

    def plain(self) -> dict[str, Any]:
        """Give it as data for JSON."""
        return {
            "injection": self.injection.plain(),
            "class": self.sort.value,
            "observed": self.observed.model_dump(exclude_none=True, mode="json"),
        }


def classify(observed: Observed, bounds: SafeAnswer) -> Class:
    """Say of which class a consequence is.

    Args:
        observed: what was observed.
        bounds: within which volume and time the answer to such a fault is safe.
    """
    if observed.failed is not None:
        return Class.NOT_OBSERVED
    if observed.alike_after_s is not None:
        return Class.MASKED
    if observed.stands_still is not None:
        return Class.HANG
    told = observed.annunciated_after_s is not None
    if observed.deviation_u > bounds.volume_u:
        return Class.LATE if told else Class.SILENT_OVER
    if not told:
        if observed.deviation_u < -bounds.volume_u:
            return Class.SILENT_UNDER
        lost = observed.twin_annunciates and not observed.annunciates
        return Class.ALARM_LOST if lost else Class.LATENT
    assert observed.annunciated_after_s is not None
    assert observed.deviation_then_u is not None
    in_time = observed.annunciated_after_s <= bounds.time_s
    return Class.DETECTED if in_time and abs(observed.deviation_then_u) <= bounds.volume_u else Class.LATE
