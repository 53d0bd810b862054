"""What must hold over everything that a test's record holds, looked into once the test is over.

The octets on the pump's line are read by a module `traffic` of its device; readings and air come from every measurement
of the test. What a measurement breaks on purpose is left out, and the record says what and why. Not responsible for the
invariants themselves (`rig.analysis.invariants`), nor for verdicts (`rig.run.results`).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

from rig.analysis.invariants import (
    Violation,
    account_findings,
    counter_findings,
    log_findings,
    quiet_spans,
    uncommanded,
)
from rig.bench.declared import metrology
from rig.bench.drivers import traffic_reader
from rig.bench.file import BenchFile
from rig.errors import EvidenceError, RigError
from rig.procedures.catalogue import procedure_of
from rig.procedures.recorded import BROKEN_COUNTERS, UNCOMMANDED, WRONG_NUMBERS
from rig.procedures.volume import VolumeScale
from rig.record.files import write_json
from rig.record.folder import Attempt, RunFolder
from rig.record.invariants import INVARIANTS, Invariants, Looked, ViolationRecord
from rig.record.models import MeasuredRecord
from rig.record.taking import Series, Taken, joined, read_taken
from rig.roles import Air, Metrology
from rig.roles.traffic import LogReading, Traffic, WireLine
from rig.units import u_from_ul
from rig.verdicts.limits import Measurement

KEYS = frozenset({"bolus_key", "confirm_key"})
"""Lines of the switch that press the pump's keys: what is delivered then, nobody commanded over the line."""
HARMLESS = frozenset({"buzzer", "vibrator", "backup_cell"})
"""Lines that change nothing about what is delivered or weighed."""
FORGETS = frozenset({"backup_cell"})
"""Without it the pump may lose what it holds; its log is not held against what it was before."""
APART_PERCENT, APART_U = 5.0, 0.5
"""How far the reservoir's count may be from what was weighed: the tolerance of boluses and basal rates, and what a set
holds back. The house's."""

NOTHING_DELIVERED, LOG, COUNTERS, ACCOUNTS = (
    "nothing is delivered that was not commanded",
    "the numbers of the log have no gap, none is used twice, and its times do not go back",
    "counters rise",
    "the reservoir's count agrees with what was weighed",
)
UNREADABLE = "the record cannot be read"
MOST_KEPT = 20
"""So many violations of one invariant are kept one by one."""
EVERY = (NOTHING_DELIVERED, LOG, COUNTERS, ACCOUNTS)


@dataclass
class _Found:
    measured: list[Measurement] = field(default_factory=list)
    violations: list[ViolationRecord] = field(default_factory=list)
    abstained: list[str] = field(default_factory=list)

    def violated(self, invariant: str, findings: Sequence[Violation]) -> None:
        kept = [*findings[:MOST_KEPT]]
        if len(findings) > MOST_KEPT:
            kept.append(Violation(findings[-1].at_s, f"so it went on, {len(findings)} times until then"))
        self.violations += [ViolationRecord(invariant=invariant, at_s=each.at_s, what=each.what) for each in kept]

    def left_out(self, invariant: str, why: str) -> None:
        self.abstained.append(f"{invariant}: not looked into, {why}")


def keep_invariants(run: RunFolder, spec: BenchFile) -> None:
    """Look through every attempt that was not looked through yet, and keep what was found beside its octets."""
    for attempt in run.attempts():
        if not (attempt.folder / INVARIANTS).exists():
            write_json(attempt.folder / INVARIANTS, looked_through(attempt, spec).model_dump(mode="json"))


def looked_through(attempt: Attempt, spec: BenchFile) -> Invariants:
    """Do as `invariants_of`; a record that cannot be read ends no run, but says so."""
    try:
        return invariants_of(attempt, spec)
    except (RigError, KeyError, ValueError) as error:
        found = _Found()
        for each in EVERY:
            found.left_out(each, f"{UNREADABLE}: {error}")
        return _kept(found, Traffic(), 0, 0.0)


def invariants_of(attempt: Attempt, spec: BenchFile) -> Invariants:
    """Look through what one attempt at a test has recorded; nothing is written.

    Raises:
        EvidenceError: the record is damaged.
        KeyError: it is of a measurement that this rig does not know.
    """
    found = _Found()
    read = traffic_reader(spec.pump.driver)
    if read is None:
        for each in EVERY:
            found.left_out(each, f"the driver {spec.pump.driver} cannot read back what went over its line")
        return _kept(found, Traffic(), 0, 0.0)
    lines = list(wire_lines(attempt.folder / "wire.log", of="pump "))
    traffic = read(lines)
    if not traffic.events:
        for each in EVERY:
            found.left_out(each, "nothing that went over the pump's line could be understood")
        return _kept(found, traffic, len(lines), 0.0)
    taken = [read_taken(folder) for folder in attempt.measurements]
    energised = _energised(taken)
    _look_at_messages(found, traffic, energised, ended=attempt.ended)
    until_s = max(lines[-1].at_s, *(float(each.at_s[-1]) for each in _series(taken) if len(each.at_s)), 0.0)
    quiet_s = _look_at_volumes(found, traffic, taken, energised, metrology(spec), until_s)
    return _kept(found, traffic, len(lines), quiet_s)


def _look_at_messages(found: _Found, traffic: Traffic, energised: frozenset[str], *, ended: bool) -> None:
    if not ended:  # what the line was giving when the stop came is in no record, and the log was read again since
        found.left_out(LOG, "the test was stopped, perhaps while the log was on the line")
    elif energised & FORGETS:
        found.left_out(LOG, f"the measurement takes away what keeps it: {_listed(energised & FORGETS)}")
    elif any(isinstance(each, LogReading) for each in traffic.events):
        wrong = log_findings(traffic)
        found.measured.append(Measurement(WRONG_NUMBERS.of(), float(len(wrong))))
        found.violated(LOG, wrong)
    else:
        found.left_out(LOG, "the log was never read")
    if traffic.counted:
        broken = counter_findings(traffic)
        found.measured.append(Measurement(BROKEN_COUNTERS.of(), float(len(broken))))
        found.violated(COUNTERS, broken)
    else:
        found.left_out(COUNTERS, "no message had a counter")


def _look_at_volumes(
    found: _Found,
    traffic: Traffic,
    taken: Sequence[Taken],
    energised: frozenset[str],
    known: Metrology,
    until_s: float,
) -> float:
    """Look at what was weighed; returns how long nothing was to be delivered and was looked at, in s."""
    meddled = energised - KEYS - HARMLESS
    air = next((found_air for each in taken if (found_air := _air(each)) is not None), None)
    series = _series(taken)
    if not series or air is None:
        for each in (NOTHING_DELIVERED, ACCOUNTS):
            found.left_out(each, "nothing was weighed")
        return 0.0
    readings = joined(*series)
    scale = VolumeScale.in_air(known, air)
    volume_u = scale.delivered_u(readings)
    u_per_mg = u_from_ul(scale.z_ul_per_mg)
    spans = quiet_spans(traffic, until_s)
    quiet_s = 0.0
    if energised - HARMLESS:
        found.left_out(NOTHING_DELIVERED, f"the bench itself intervenes by {_listed(energised - HARMLESS)}")
    else:
        came = uncommanded(
            spans,
            readings.at_s,
            volume_u,
            readings.pressure_kpa,
            u_reading_u=1e3 * known.balance_repeatability_g * u_per_mg,
            u_flow_u_per_h=1e3 * known.evaporation_uncertainty_g_per_h * u_per_mg,
        )
        if came is None:
            found.left_out(NOTHING_DELIVERED, "there was no span without a command in which the balance was read")
        else:
            quiet_s = came.looked_s
            found.measured.append(Measurement(UNCOMMANDED.of(), came.volume_u, came.expanded_u))
            found.violated(NOTHING_DELIVERED, came.findings)
    if meddled:
        found.left_out(ACCOUNTS, f"the bench itself intervenes by {_listed(meddled)}")
    else:
        apart = account_findings(
            traffic,
            spans,
            readings.at_s,
            volume_u,
            readings.pressure_kpa,
            tolerance_percent=APART_PERCENT,
            within_u=APART_U,
        )
        found.violated(ACCOUNTS, apart)
    return quiet_s


def wire_lines(path: Path, *, of: str) -> Iterator[WireLine]:
    """Read the octets to and from the device whose name begins so; a last line that was cut off is left out.

    Raises:
        EvidenceError: the file cannot be read.
    """
    mark = f"\t{of}"
    try:
        with path.open(encoding="utf-8") as file:
            for line in file:
                if mark not in line or not line.endswith("\n"):
                    continue
                at_s, device, direction, octets = line[:-1].split("\t")
                if device.startswith(of) and not octets.startswith("["):
                    if direction not in ("<", ">") or not math.isfinite(float(at_s)):
                        raise ValueError(f"{at_s!r} {direction!r} is no time in s with a direction, < or >")
                    yield WireLine(float(at_s), direction, bytes.fromhex(octets))
    except (OSError, ValueError) as error:
        raise EvidenceError(f"{path}: cannot be read as what went over wires: {error}") from error


def _series(taken: Sequence[Taken]) -> list[Series]:
    return [each.series(*each.phases) for each in taken if each.every("balance") and each.every("pressure")]


def _air(taken: Taken) -> Air | None:
    every = taken.every("environment")
    if every is None or not len(every["temperature_c"]):
        return None
    return Air(*(float(every[name][0]) for name in ("temperature_c", "pressure_hpa", "relative_humidity")))


def _energised(taken: Sequence[Taken]) -> frozenset[str]:
    """List the lines of the switch by which the measurements of a test intervene."""
    return frozenset(chain.from_iterable(procedure_of(each.asked()).needed_lines for each in taken))


def _listed(names: frozenset[str]) -> str:
    return ", ".join(sorted(names))


def _kept(found: _Found, traffic: Traffic, lines: int, quiet_s: float) -> Invariants:
    return Invariants(
        looked=Looked(
            lines=lines,
            counted=traffic.counted,
            logs=sum(isinstance(each, LogReading) for each in traffic.events),
            quiet_s=quiet_s,
        ),
        measured=tuple(MeasuredRecord.of(each) for each in found.measured),
        findings=tuple(sorted(found.violations, key=lambda each: each.at_s)),
        abstained=tuple(found.abstained),
    )
