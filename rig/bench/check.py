"""Is a bench fit for use? Every device opened, identified and self-tested, and what is wrong with it.

Not responsible for printing (`rig.cli.check`), nor for what a run keeps of it (`rig.run.begin`).
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass

from rig.bench.declared import immersion
from rig.bench.driver_errors import named_errors
from rig.bench.file import BenchFile
from rig.bench.open import (
    ROLES,
    compare_identity,
    far_side,
    leave_safe,
    open_device,
    power_pump,
    refuse_overdue,
    refuse_untested,
)
from rig.errors import RigError
from rig.roles import Identity, Instrument, PowerSupply
from rig.wire import NoLog


@dataclass(frozen=True)
class BenchFinding:
    """What `check_bench` found out about one device: who it is, how it is, and what is wrong with it, if anything."""

    role: str
    identity: Identity | None
    health: str
    problem: str | None


def check_bench(spec: BenchFile) -> list[BenchFinding]:
    """Open, identify and self-test every device; goes on after a failure so that all problems are found at once."""
    findings = []
    with ExitStack() as stack:
        far = stack.enter_context(far_side(spec))
        devices: dict[str, Instrument] = {}
        stack.callback(leave_safe, devices)
        for role in ROLES:
            identity, health = None, ""
            try:
                device = open_device(spec, role, far, NoLog())
                devices[role] = device
                with named_errors(role, "identify() or self_test()"):
                    identity = device.identify()
                    health = device.self_test()
                    compare_identity(spec, role, device)
                    if isinstance(device, PowerSupply):
                        power_pump(spec, device)
                refuse_overdue(spec, role, far.today)
                if role == "balance":
                    refuse_untested(spec, far.today)
                    immersion(spec)
                problem = None
            except RigError as error:
                problem = str(error)
            findings.append(BenchFinding(role, identity, health, problem))
    return findings
