"""Does a qualification fit: this PC, this software, this bench, now? And which of those that lie about is the latest.

Not responsible for what was looked at (`rig.cli.qualify`).
"""

from __future__ import annotations

import datetime
import hashlib
import json
import platform
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from rig.bench.file import BenchFile
from rig.errors import BenchFileError
from rig.record.manifest import Package, Software
from rig.record.qualification import QUALIFICATION, Machine, Qualification, QualifiedBench, QualifiedDevice
from rig.toml_files import read_file

QUALIFICATIONS = Path("qualification")
"""Where `rig qualify` writes, below the working directory, and where a run looks."""
MACHINE_ID = Path("/etc/machine-id")
"""The number of an installation of Linux (machine-id(5)), which is to be hashed before it is told."""
QUALIFY = "rig qualify --bench FILE makes one"
_NAMED = 3
"""So many packages are named that differ; the others are counted."""


@dataclass(frozen=True)
class QualificationFile:
    """A qualification as it was written: where, its bytes, and what they say."""

    path: Path
    data: bytes
    qualification: Qualification

    @property
    def id(self) -> str:
        """Its hash."""
        return self.qualification.id


def qualification_id(content: Mapping[str, Any]) -> str:
    """Compute the id of a qualification: the SHA-256 of all but the id, whatever the order of its keys."""
    rest = {key: value for key, value in content.items() if key != "id"}
    return hashlib.sha256(json.dumps(rest, sort_keys=True, ensure_ascii=True, allow_nan=False).encode()).hexdigest()


def this_machine() -> Machine:
    """Identify this PC."""
    try:
        number = MACHINE_ID.read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        number = ""
    if not number:  # no Linux of today: the address of its network card
        number = f"{uuid.getnode():012x}"
    return Machine(
        id=hashlib.sha256(f"insulin-pump-rig {number}".encode()).hexdigest(),
        host=platform.node(),
        system=platform.system(),
        release=platform.release(),
        architecture=platform.machine(),
        python=f"{platform.python_implementation()} {platform.python_version()}",
    )


def qualified_bench(spec: BenchFile) -> QualifiedBench:
    """Identify a bench by its name and devices; dates of calibration, lots and the pump's serial number may change."""
    devices = []
    for role in spec.roles:
        table = spec.table(role)
        serial_number = None if role == "pump" else table.serial_number
        devices.append(QualifiedDevice(role=role, driver=table.driver, serial_number=serial_number))
    return QualifiedBench(name=spec.name, virtual=spec.simulated, devices=tuple(devices))


def read_qualification(path: Path) -> QualificationFile:
    """Read a qualification.

    Raises:
        BenchFileError: there is none, it is none, or it is not as it was written.
    """
    data = read_file(path)
    try:
        content = json.loads(data)
        read = Qualification.model_validate(content)
        unaltered = qualification_id(content) == read.id
    except (ValueError, RecursionError, ValidationError) as error:
        raise BenchFileError(
            f"{path}: is no qualification that rig qualify wrote; make one with rig qualify"
        ) from error
    if not unaltered:
        raise BenchFileError(f"{path}: was changed after it was written; make a new one with rig qualify")
    return QualificationFile(path, data, read)


@dataclass(frozen=True)
class Present:
    """What a qualification must fit now: the PC, the rig's own code, every package, the bench, the moment."""

    machine: Machine
    software: Software
    packages: Mapping[str, Package]
    bench: QualifiedBench
    now: datetime.datetime


def misfits(qualification: Qualification, present: Present) -> list[str]:
    """Say in sentences why a qualification does not hold for what is there now; none where it does."""
    found = []
    if qualification.failed:
        found.append(f"it failed in {', '.join(qualification.failed)}")
    if not qualification.operator:
        found.append("nobody is named who made it; rig qualify --operator NAME does")
    if present.now >= qualification.valid_until_utc:
        found.append(f"it was valid until {qualification.valid_until_utc:%Y-%m-%d}")
    if present.now < qualification.made_utc:
        found.append(f"it was made on {qualification.made_utc:%Y-%m-%d %H:%M} UTC, which is later than now")
    then, now = qualification.machine, present.machine
    if (then.id, then.architecture, then.system) != (now.id, now.architecture, now.system):
        found.append(f"it is of another PC, {then.host} ({then.system}, {then.architecture})")
    if then.python != now.python:
        found.append(f"it is of {then.python}, and this is {now.python}")
    if qualification.software.sha256 != present.software.sha256:
        found.append("it is of other code of the rig")
    if differing := _differing(qualification.packages, present.packages):
        more = f" and {len(differing) - _NAMED} more" if len(differing) > _NAMED else ""
        found.append(f"packages are not those that were qualified: {', '.join(differing[:_NAMED])}{more}")
    if qualification.bench != present.bench:
        found.append(f"it is of another bench or of other instruments, {qualification.bench.name!r}")
    return found


def _differing(then: Mapping[str, Package], now: Mapping[str, Package]) -> list[str]:
    found = []
    for name in sorted(then.keys() | now.keys()):
        was, is_ = then.get(name), now.get(name)
        if was == is_:
            continue
        if was is None or is_ is None:
            found.append(f"{name} {'was added' if was is None else 'is gone'}")
        elif was.version != is_.version:
            found.append(f"{name} {is_.version} instead of {was.version}")
        else:
            found.append(f"{name} {is_.version} has other files")
    return found


def latest_qualification(present: Present, folder: Path = QUALIFICATIONS) -> tuple[QualificationFile | None, str]:
    """Find the latest qualification below a folder that fits.

    Returns:
        It, and ""; or None, and why the latest does not fit or that there is none.
    """
    found = []
    unreadable = ""
    for path in sorted(folder.glob(f"*/{QUALIFICATION}")):
        try:
            found.append(read_qualification(path))
        except BenchFileError as error:
            unreadable = str(error)
    why = ""
    for each in sorted(found, key=lambda file: file.qualification.made_utc, reverse=True):
        if not (reasons := misfits(each.qualification, present)):
            return each, ""
        why = why or f"the latest qualification, {each.path}, does not hold: {'; '.join(reasons)}; {QUALIFY}"
    return None, why or unreadable or f"there is no qualification in {folder}/; {QUALIFY}"
