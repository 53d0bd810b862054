"""Is a bench fit for use? Every device opened, identified and self-tested, and what is wrong with it.

Not responsible for printing (`rig.cli.check`), nor for what a run keeps of it (`rig.run.begin`).
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from rig.bench.declared import immersion
from rig.bench.driver_errors import named_errors
from rig.bench.far_side import far_side
from rig.bench.file import BenchFile
from rig.bench.guarded import Guard, UnguardedError
from rig.bench.lease import BenchLease, take_bench, take_identity
from rig.bench.open import (
    compare_identity,
    feed_pump,
    leave_safe,
    open_device,
    power_pump,
    refuse_overdue,
    refuse_untested,
)
from rig.errors import RigError
from rig.roles import Capability, Identity, Instrument, PowerSupply, Pump, Switch
from rig.wire import NoLog


@dataclass(frozen=True)
class BenchFinding:
    """What `check_bench` found out about one device: who it is, how it is, and what is wrong with it, if anything.

    `capabilities` are a pump's, by its driver, once it is connected; None of others.
    """

    role: str
    identity: Identity | None
    health: str
    problem: str | None
    capabilities: frozenset[Capability] | None = None


def check_bench(spec: BenchFile, held: BenchLease | None = None, *, notes: Path | None = None) -> list[BenchFinding]:
    """Open, identify and self-test every device; goes on after a failure so that all problems are found at once.

    Args:
        spec: the bench.
        held: the bench's leases, where a run holds them; None takes them for the check alone.
        notes: the folder where a guardian that had to act says so.

    Raises:
        LeaseHeldError: somebody else has the bench; nothing was opened.
        BlockedError: there is no guardian; nothing was opened.
        BenchFileError: a driver or its options are wrong.
        UnsafeBenchError: the bench could not be left safe.
    """
    findings = []
    with ExitStack() as stack:
        guard = Guard(spec, notes)
        far = stack.enter_context(far_side(spec, heart=guard))
        if held is None:
            held = stack.enter_context(take_bench(spec, purpose="rig check"))
        stack.enter_context(guard.on_duty(held))
        log = guard.log(NoLog())
        devices: dict[str, Instrument] = {}
        stack.callback(leave_safe, spec, devices, guard)
        for role in spec.roles:
            identity, health, capabilities = None, "", None
            try:
                if role == "pump":
                    guard.opens_pump()
                device = open_device(spec, role, far, log)
                devices[role] = device
                with named_errors(role, "identify() or self_test()"):
                    identity = device.identify()
                    health = device.self_test()
                    capabilities = cast(Pump, device).capabilities if role == "pump" else None
                    guard.keeps(take_identity(held, spec, role, compare_identity(spec, role, device)))
                    if isinstance(device, PowerSupply):
                        power_pump(spec, device)
                    if role == "switch":
                        feed_pump(spec, cast(Switch, device))
                refuse_overdue(spec, role, far.today)
                if role == "balance":
                    refuse_untested(spec, far.today)
                    immersion(spec)
                problem = None
            except UnguardedError:
                raise
            except RigError as error:
                problem = str(error)
            findings.append(BenchFinding(role, identity, health, problem, capabilities))
    return findings
