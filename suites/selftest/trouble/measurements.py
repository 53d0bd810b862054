"""What is measured while something fails: quick, and yet the procedures of a real run, judged by the same limits.

Not responsible for faults.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from rig.procedures.basal import Basal
from rig.procedures.bolus import Bolus
from rig.procedures.catalogue import KINDS
from rig.procedures.occlusion import Occlusion
from rig.procedures.procedure import Procedure
from rig.procedures.stopped import Stopped
from rig.verdicts.requirements import Requirement, read_requirements
from suites.stands.own_requirements import own_requirements

_BLANK_S = 300.0

MEASUREMENTS: Mapping[str, Procedure] = {
    "bolus": Bolus(size_u=1.0, count=2, blank_s=_BLANK_S),
    "stopped": Stopped(duration_s=600.0, blank_s=_BLANK_S),
    "basal": Basal(
        rate_u_per_h=2.0,
        stabilisation_s=0.0,
        analysis_s=7200.0,
        interval_s=225.0,
        sample_every_s=7.5,
        windows_s=(3600.0,),
        blank_s=_BLANK_S,
    ),
    "occlusion": Occlusion(rate_u_per_h=6.0, free_s=300.0, watch_s=300.0, blank_s=_BLANK_S),
}


OF_EVERY_MEASUREMENT = "pump."
"""The kinds of what is watched in every measurement begin so; their requirements are those of the rig's own file."""


@cache
def requirements() -> Mapping[str, Requirement]:
    """Those of this campaign, and those of the rig's own that every measurement decides, by id."""
    own = read_requirements(Path(__file__).with_name("requirements.toml"), KINDS)
    everywhere = {
        name: requirement
        for name, requirement in own_requirements().items()
        if all(rule.quantity.kind.startswith(OF_EVERY_MEASUREMENT) for rule in requirement.measurement)
    }
    return {**own, **everywhere}
