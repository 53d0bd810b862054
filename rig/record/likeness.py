"""What must be equal among runs that are laid side by side, and how runs are grouped by the one thing that differs.

Pumps' firmware, test plan, the rig's code and suites: runs of unlike ones are no sample of one population. Simulated
and real runs are never mixed. Not responsible for the numbers (`reports.compared`).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from rig.errors import EvidenceError

if TYPE_CHECKING:
    from rig.record.manifest import Manifest
    from rig.record.reading import Run


class By(StrEnum):
    """What runs may differ in when they are compared by it."""

    FIRMWARE = "firmware"
    PLAN = "plan"
    RIG = "rig"


@dataclass(frozen=True)
class Member:
    """A run of a comparison, and the name by which the comparison calls it."""

    label: str
    run: Run

    @property
    def pump(self) -> str:
        """What tells its pump from others: the serial number, and a simulated one's seed."""
        manifest = self.run.manifest
        serial = manifest.dut.serial_number if manifest.dut else "unknown"
        return serial if manifest.seed is None else f"{serial} (seed {manifest.seed})"


@dataclass(frozen=True)
class Group:
    """Runs that are alike, and what they have in common."""

    title: str
    members: tuple[Member, ...]


def groups(members: Sequence[Member], by: By | None = None) -> list[Group]:
    """Group runs by what they are compared by, in the order in which it is first met; one group where that is nothing.

    Raises:
        EvidenceError: one sentence on what differs that must not, between which runs, and which option compares by it;
            or all runs are of one group.
    """
    if len({member.run.manifest.virtual for member in members}) > 1:
        raise EvidenceError(f"{_examples(members, _kind)}: simulated and real runs are never compared with each other")
    read = {By.FIRMWARE: firmware, By.PLAN: plan, By.RIG: _rig_of(members)}
    unlike = [each for each in By if each is not by and len(_grouped(members, read[each])) > 1]
    if unlike:
        what = " and in ".join(f"{each.value} ({_examples(members, read[each])})" for each in unlike)
        raise EvidenceError(f"the runs differ in {what}: {_remedy(by, unlike)}")
    if by is None:
        return [Group("", tuple(members))]
    found = _grouped(members, read[by])
    if len(found) == 1:
        raise EvidenceError(f"--by {by.value}: all of these runs have the same, {next(iter(found))}")
    return [Group(title, tuple(group)) for title, group in found.items()]


def firmware(manifest: Manifest) -> str:
    """Name the pump's model and firmware, and the image where it is known."""
    device = manifest.dut
    named = f"{device.maker} {device.model} {device.firmware}" if device else "unknown"
    return f"{named}, image {manifest.firmware_sha256[:12]}" if manifest.firmware_sha256 else named


def plan(manifest: Manifest) -> str:
    """Name the test plan with the hash of what it asks for; comments and the layout of its file do not matter."""
    if manifest.plan is None:
        return "no plan"
    content = json.dumps(manifest.plan.content, sort_keys=True, ensure_ascii=False)
    return f"{manifest.plan.name} {hashlib.sha256(content.encode()).hexdigest()[:12]}"


def _kind(manifest: Manifest) -> str:
    return "simulated" if manifest.virtual else "real"


def _rig_of(members: Sequence[Member]) -> Callable[[Manifest], str]:
    """Choose what identifies the rig: the hash of its code and suites where every run has it, else its commit.

    Runs of format 1 knew no hash of the code.
    """
    manifests = [member.run.manifest for member in members]
    if all(manifest.software is not None for manifest in manifests):
        return _code
    if all(manifest.commit for manifest in manifests):
        return _commit
    return _version


def _code(manifest: Manifest) -> str:
    assert manifest.software is not None
    suites = sorted((name, sha256) for name, sha256 in manifest.inputs.items() if name.startswith("suites/"))
    digest = hashlib.sha256(json.dumps([manifest.software.sha256, suites]).encode()).hexdigest()
    return f"{manifest.software.version}, code and suites {digest[:12]}"


def _commit(manifest: Manifest) -> str:
    commit, _, dirty = (manifest.commit or "").partition("-")
    return f"{_version(manifest)}, commit {commit[:12]}{' and changes' if dirty else ''}"


def _version(manifest: Manifest) -> str:
    return manifest.software.version if manifest.software else manifest.versions.get("insulin-pump-rig", "unknown")


def _grouped(members: Sequence[Member], read: Callable[[Manifest], str]) -> dict[str, list[Member]]:
    found: dict[str, list[Member]] = {}
    for member in members:
        found.setdefault(read(member.run.manifest), []).append(member)
    return found


def _examples(members: Sequence[Member], read: Callable[[Manifest], str]) -> str:
    """Name one run of each group: "a has 0.2.0; b has 0.3.0"."""
    found = [f"{group[0].label} has {title}" for title, group in _grouped(members, read).items()]
    return "; ".join(found[:3]) + (f"; {len(found) - 3} more" if len(found) > 3 else "")


def _remedy(by: By | None, unlike: Sequence[By]) -> str:
    if by is not None:
        return f"--by {by.value} needs them equal; name such runs"
    if len(unlike) == 1:
        return f"compare them by it with --by {unlike[0].value}"
    options = " or ".join(f"--by {each.value}" for each in unlike)
    return f"{options} compares by one of them where the others are equal; name such runs"
