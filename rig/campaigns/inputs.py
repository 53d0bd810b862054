"""What a campaign reads, frozen before its first injection: bench, firmware, pump sheet, catalogue of faults.

Not responsible for what is asked of it (`campaign`).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rig.bench.channels import split
from rig.bench.drivers import twin_module
from rig.bench.far_side import refuse_unknown_devices
from rig.bench.file import BenchFile, parse_bench_file
from rig.campaigns.kinds import SafeAnswer
from rig.errors import BenchFileError, EvidenceError
from rig.faults import Catalogue, parse_faults
from rig.pump_sheet.sheet import PumpSheet, parse_pump_sheet
from rig.record.files import write_whole
from rig.shipped import DEFAULT_FAULTS, DEFAULT_PUMP_SHEET, shipped
from rig.toml_files import read_file

BENCH, FIRMWARE, SHEET, FAULTS = "bench.json", "firmware.elf", "pump_sheet.toml", "faults.toml"
ALARM_LIMITS = (
    "alarms.reservoir_out",
    "alarms.reservoir_low",
    "alarms.battery_low",
    "alarms.temperature",
    "alarms.key_held",
    "keys.stuck_latest",
    "occlusion.bolus_time",
    "battery.annunciated_within",
    "surroundings.annunciated_within",
)
"""Claims of a pump sheet within which time something is annunciated."""
WITHOUT_A_SHEET_S = 200.0
VOLUME_CLAIM, WITHOUT_A_CLAIM_U = "bolus.small_tolerance", 0.05
"""What is delivered differently by no more than this claim is no harm: the error of a small bolus. Without one, two
doses of the reference pump."""


@dataclass(frozen=True)
class CampaignInputs:
    """The inputs of a campaign, read once: their bytes by name, and what stands in them."""

    files: dict[str, bytes]
    spec: BenchFile
    sheet: PumpSheet
    catalogue: Catalogue

    @property
    def sha256(self) -> dict[str, str]:
        """The hash of each file."""
        return {name: hashlib.sha256(data).hexdigest() for name, data in self.files.items()}

    @property
    def longest_alarm_s(self) -> float:
        """The longest time within which the pump's sheet says that something is annunciated."""
        return max((value for name in ALARM_LIMITS for value in self._stated(name)), default=WITHOUT_A_SHEET_S)

    @property
    def bounds(self) -> SafeAnswer:
        """Within what an answer is safe where the catalogue has no limits of its own."""
        return SafeAnswer(max(self._stated(VOLUME_CLAIM), default=WITHOUT_A_CLAIM_U), self.longest_alarm_s)

    def _stated(self, name: str) -> tuple[float, ...]:
        claim = self.sheet.claims.get(name)
        return () if claim is None else claim.values


def read_campaign_inputs(bench: Path, overrides: Mapping[str, Any], pump_sheet: Path | None = None) -> CampaignInputs:
    """Read and check everything that a campaign needs.

    Raises:
        BenchFileError: one sentence on the first file, key or setting that is wrong; or the bench is not virtual, or
            its pump runs no firmware.
    """
    spec, content = parse_bench_file(bench, read_file(split(bench)[0]), overrides)
    refuse_unknown_devices(spec)
    if spec.virtual is None or spec.virtual.firmware is None or twin_module("pump", spec.pump.driver) is not None:
        raise BenchFileError(
            f"{bench}: a campaign needs a virtual bench whose pump is simulated by its firmware (virtual.firmware)"
        )
    sheet = pump_sheet or spec.pump.sheet or shipped(DEFAULT_PUMP_SHEET)
    plain = json.loads(json.dumps(content, default=str))
    plain["pump"]["sheet"], plain["virtual"]["firmware"] = SHEET, FIRMWARE
    plain["balance"].pop("routine_test", None)
    files = {
        BENCH: (json.dumps(plain, indent=2, ensure_ascii=False) + "\n").encode(),
        FIRMWARE: read_file(spec.virtual.firmware),
        SHEET: read_file(sheet),
        FAULTS: read_file(shipped(DEFAULT_FAULTS)),
    }
    return _parsed(bench.parent, files, spec, sheet)


def laid_out(folder: Path, files: Mapping[str, bytes]) -> CampaignInputs:
    """Write the files of frozen inputs into a folder, and read them there."""
    for name, data in files.items():
        write_whole(folder / name, data)
    return frozen_campaign(folder, {})


def frozen_campaign(folder: Path, sha256: Mapping[str, str]) -> CampaignInputs:
    """Read frozen inputs back.

    Raises:
        EvidenceError: one of them is missing, or is not what it was when the campaign began.
    """
    files = {}
    for name in (BENCH, FIRMWARE, SHEET, FAULTS):
        try:
            files[name] = read_file(folder / name)
        except BenchFileError as error:
            raise EvidenceError(f"{error}; it was frozen when the campaign began") from error
    if sha256 and set(sha256) != set(files):
        raise EvidenceError(f"{folder}: its hashes are not of {', '.join(files)}; begin a new campaign")
    for name, digest in sha256.items():
        if hashlib.sha256(files.get(name, b"")).hexdigest() != digest:
            raise EvidenceError(f"{folder / name}: was changed after the campaign began; begin a new campaign")
    spec, _ = parse_bench_file(folder / BENCH, files[BENCH], {}, load=json.loads)
    return _parsed(folder, files, spec)


def _parsed(folder: Path, files: dict[str, bytes], spec: BenchFile, sheet_path: Path | None = None) -> CampaignInputs:
    sheet = parse_pump_sheet(sheet_path or folder / SHEET, files[SHEET])
    return CampaignInputs(files, spec, sheet, parse_faults(folder / FAULTS, files[FAULTS], sheet))
