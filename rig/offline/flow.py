"""Flows against time to the volume that passed. Not responsible for the flow meter's uncertainty (`scale`)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from rig.offline.breaks import usual_step_s
from rig.offline.findings import Finding
from rig.offline.log import BalanceLog

NEGATIVE = 0.01


def integrated(log: BalanceLog) -> tuple[BalanceLog, list[Finding]]:
    """Integrate flows, held as g/h of a liquid of 1 g/mL, by trapezia to volumes since the first sample; and say so."""
    steps_h = np.diff(log.at_s) / 3600.0
    volumes_g = np.concatenate([[0.0], np.cumsum(steps_h * (log.mass_g[1:] + log.mass_g[:-1]) / 2.0)])
    found = [
        Finding(
            "integrated",
            f"The flow was integrated along straight lines between samples {usual_step_s(log):.4g} s apart: what "
            "happened between two of them, such as a stroke of the pump, is not seen.",
        )
    ]
    negative = int(np.count_nonzero(log.mass_g < 0))
    if negative > NEGATIVE * log.mass_g.size:
        found.append(
            Finding("backwards", f"{negative} of {log.mass_g.size} samples flow backwards; they count as that.")
        )
    return replace(log, mass_g=volumes_g), found
