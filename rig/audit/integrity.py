"""Is each octet of a run's evidence where it was when the run was closed? Names the first that is not.

The record is held against its closing, the closing against its own sum, each attempt against its seal, the seals
against their chain, the trail against its own, the reports against the trail. Nothing in the run is trusted that does
not follow from something else; what was made anew as a whole is found by the bench's key or an anchor alone
(`rig.audit.bound`). Not responsible for what the record says (`rig.audit.auditing`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from rig.audit.files import AuditedFiles, EvidenceFile
from rig.errors import EvidenceError
from rig.record.closed import CLOSING, closing_head, with_own_hash
from rig.record.drafts import CLOSING_PATH, UNFINISHED, Entered, entered_documents
from rig.record.keys import SIGNATURE, SignedHead
from rig.record.manifest import Closing, ListedFile, Manifest
from rig.record.rows import LINES, ROWS, RowSums, first_difference, row_sums
from rig.record.seal import LATER, SEAL, Seal
from rig.record.strict_json import read_exactly
from rig.record.trail import TRAIL, TrailEntry, entries_in

SEALED_SINCE = 3
"""The format since which attempts are sealed and a run has a trail."""
_Model = TypeVar("_Model", bound=BaseModel)
_ATTEMPT = re.compile(r"(tests/[^/]+/[0-9]+)/.+")
_SHA256 = re.compile(r"\b[0-9a-f]{64}\b")


@dataclass(frozen=True)
class Alteration:
    """What is not as it was: where, by the path below the run's folder, and what about it."""

    where: str
    what: str

    def __str__(self) -> str:
        """Say it in a sentence of one line, whatever a file is called."""
        said = f"{self.where}: {self.what}"
        return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in said)


@dataclass(frozen=True)
class Intact:
    """A run whose evidence is what its own sums say: its head, its format, its trail, and its bench's signature.

    `remarks` says what writers that were cut off have left: a sentence each.
    """

    head: str
    format: int
    trail: tuple[TrailEntry, ...]
    signed: SignedHead | None
    remarks: tuple[str, ...] = ()


class AlteredError(Exception):
    """Evidence is not what it was; `finding` says which and how."""

    def __init__(self, finding: Alteration) -> None:
        super().__init__(str(finding))
        self.finding = finding


def examine(files: AuditedFiles) -> Intact | Alteration:
    """Hold the evidence of a closed run against its own sums.

    Returns:
        What is known of an intact run, or the first finding.

    Raises:
        EvidenceError: a file cannot be read.
    """
    try:
        return _examined(files)
    except AlteredError as found:
        return found.finding


def _examined(files: AuditedFiles) -> Intact:
    if files.strange:
        raise _altered(
            files.strange[0], "is a symbolic link, a pipe, a socket, a device, or a file in place of a folder"
        )
    name = f"record/{CLOSING}"
    if name not in files.files:
        _refuse_cut_off(files)
        raise _altered(name, "is missing, and the run has been closed")
    closing = _read(name, files.files[name], Closing)
    record = {each: file for each, file in files.below("record").items() if each != CLOSING}
    _hold_against(closing, record)
    _hold_folders(closing, files)
    manifest = _read("record/manifest.json", record["manifest.json"], Manifest) if "manifest.json" in record else None
    if manifest is None:
        raise _altered("record/manifest.json", "is missing, and no run is without one")
    if manifest.format >= SEALED_SINCE:
        _follow_seals(closing, record)
    trail = _trail(files, closing, manifest.format)
    signed = _signature(files, closing, trail)
    remarks = _documents(files, trail, every=manifest.format >= SEALED_SINCE)
    return Intact(closing.sha256, manifest.format, trail, signed, (*remarks, *_dated_back(trail)))


def _altered(where: str, what: str) -> AlteredError:
    return AlteredError(Alteration(where, what))


def _checked(data: bytes, model: type[_Model]) -> _Model:
    read = _parsed(data, model)
    assert isinstance(read, model)
    return read


@lru_cache(maxsize=64)
def _parsed(data: bytes, model: type[BaseModel]) -> BaseModel:
    """Read a file that must be written as the rig writes it; ValueError with the end of a sentence."""
    content = read_exactly(data)
    if "sha256" in model.model_fields and with_own_hash(content) != content:
        raise ValueError("was altered")
    try:
        return model.model_validate(content)
    except ValidationError as error:
        where = ".".join(str(part) for part in error.errors()[0]["loc"])
        raise ValueError(f"says what no record says, at {where}: {error.errors()[0]['msg']}") from error


def _read(where: str, file: EvidenceFile, model: type[_Model]) -> _Model:
    try:
        return _checked(file.data, model)
    except ValueError as error:
        raise _altered(where, str(error)) from error


def _hold_against(closing: Closing, record: Mapping[str, EvidenceFile]) -> None:
    """Find the first file that is not the one which the closing lists."""
    listed = closing.files
    if record.keys() == listed.keys() and all(file.sums == listed[name] for name, file in record.items()):
        return
    by_sum = {file.sha256: name for name, file in listed.items()}
    for name, then in listed.items():
        where = f"record/{name}"
        if name not in record:
            twin = next((each for each in record if each not in listed and record[each].sums == then), None)
            how = "the file is missing"
            raise _altered(where, how if twin is None else f"the file was renamed to record/{twin}")
        now = record[name].sums
        if now == then:
            continue
        other = by_sum.get(now.sha256)
        if other is not None and other in record and record[other].sums == then:
            raise _altered(where, f"the file was swapped with record/{other}")
        raise _altered(where, _how(name, then, now, closing, record))
    added = next(name for name in sorted(record) if name not in listed)
    raise _altered(f"record/{added}", "the file was added after the run was closed")


def _hold_folders(closing: Closing, files: AuditedFiles) -> None:
    """Find the first empty folder that was none when the run was closed, where that was looked at."""
    if closing.empty_folders is None:
        return
    then = {f"record/{each}" for each in closing.empty_folders}
    for each in files.empty:
        if each.startswith("record/") and each not in then:
            raise _altered(each, "the empty folder was added after the run was closed")


def _refuse_cut_off(files: AuditedFiles) -> None:
    """Refuse a run whose closing was cut off in its last step: its draft is what trail and signature speak of.

    Raises:
        EvidenceError: it is one.
    """
    draft = files.files.get(f"{UNFINISHED}/{CLOSING_PATH}")
    head = None if draft is None else closing_head(draft.data)
    if head is None:
        return
    try:
        entries = _entries(files.files[TRAIL].data) if TRAIL in files.files else ()
        signed = _checked(files.files[SIGNATURE].data, SignedHead).head if SIGNATURE in files.files else head
    except ValueError:
        return
    if signed == head and {entry.head for entry in entries} <= {head}:
        raise EvidenceError(f"record/{CLOSING}: the run's closing was cut off in its last step; rig report closes it")


def _how(name: str, then: ListedFile, now: ListedFile, closing: Closing, record: Mapping[str, EvidenceFile]) -> str:
    """Say what became of a file, down to its line where the record has a sum of each."""
    size = "" if then.size == now.size else f", {then.size} bytes then and {now.size} now"
    if name.endswith(LINES) and ROWS in record and record[ROWS].sums == closing.files.get(ROWS):
        rows = RowSums.model_validate(read_exactly(record[ROWS].data)).rows
        if name in rows:
            return f"{first_difference(rows[name], row_sums(record[name].lines()))} after the run was closed{size}"
    return f"the file was altered after the run was closed{size}"


def _follow_seals(closing: Closing, record: Mapping[str, EvidenceFile]) -> None:
    """Hold each attempt against its seal, and the seals against their order and the last that the closing names."""
    attempts: dict[str, dict[str, ListedFile]] = {}
    for name, listed in closing.files.items():
        if (match := _ATTEMPT.fullmatch(name)) is not None:
            attempts.setdefault(match[1], {})[name.removeprefix(f"{match[1]}/")] = listed
    seals: dict[str, Seal] = {}
    for folder, files in attempts.items():
        where = f"record/{folder}/{SEAL}"
        if SEAL not in files:
            raise _altered(where, "is missing, and each attempt at a test is sealed")
        seals[folder] = seal = _read(where, record[f"{folder}/{SEAL}"], Seal)
        found = {name: file for name, file in files.items() if name not in LATER}
        for name in sorted(found.keys() | seal.files.keys()):
            if found.get(name) != seal.files.get(name):
                how = "added" if name not in seal.files else "taken away" if name not in found else "altered"
                raise _altered(f"record/{folder}/{name}", f"was {how} after the test had ended and was sealed")
    _follow_order(closing, seals)


def _follow_order(closing: Closing, seals: Mapping[str, Seal]) -> None:
    """Go along the chain of the seals, from the one that names none before it to the one that the closing names."""
    after: dict[str | None, str] = {}
    for folder, seal in seals.items():
        if seal.previous in after:
            raise _altered(f"record/{folder}/{SEAL}", f"follows the same seal as that of record/{after[seal.previous]}")
        after[seal.previous] = folder
    last, followed = None, 0
    while last in after:
        last, followed = seals[after.pop(last)].sha256, followed + 1
    if after:
        folder = next(iter(after.values()))
        raise _altered(f"record/{folder}/{SEAL}", "names a seal before it that is not in the run: the chain is broken")
    if last != closing.last_seal:
        raise _altered(f"record/{CLOSING}", "names another last seal than the chain of the attempts has")


def _trail(files: AuditedFiles, closing: Closing, format_number: int) -> tuple[TrailEntry, ...]:
    """Read the audit trail, each entry of which carries the head and the sum of the one before it."""
    if TRAIL not in files.files:
        if format_number >= SEALED_SINCE:
            raise _altered(TRAIL, "is missing, and each closed run has an audit trail")
        return ()
    try:
        entries = _entries(files.files[TRAIL].data)
    except ValueError as error:
        raise _altered(TRAIL, str(error)) from error
    if format_number >= SEALED_SINCE and (not entries or entries[0].what != "closed"):
        raise _altered(TRAIL, "entry 1 does not say that the run was closed: it is missing or another")
    for entry in entries:
        if entry.what == "closed" and entry.n > 1:
            raise _altered(TRAIL, f"entry {entry.n} says once more that the run was closed, which happens once")
        if entry.head != closing.sha256 or (entry.what == "closed" and entry.new != closing.sha256):
            raise _altered(TRAIL, f"entry {entry.n} is of a run with another head")
    return entries


def _dated_back(trail: tuple[TrailEntry, ...]) -> list[str]:
    """Say which entries are dated before the one that they follow: a clock was set, or somebody dated them back."""
    return [
        f"{TRAIL}: entry {then.n}, of {then.at_utc}, follows one of {first.at_utc}: a clock was set"
        for first, then in pairwise(trail)
        if then.at_utc < first.at_utc
    ]


@lru_cache(maxsize=8)
def _entries(data: bytes) -> tuple[TrailEntry, ...]:
    return entries_in(data)


def _signature(files: AuditedFiles, closing: Closing, trail: tuple[TrailEntry, ...]) -> SignedHead | None:
    """Hold the bench's signature against the head, with the public key that lies beside it."""
    told = next((_SHA256.search(each.reason or "") for each in trail if each.what == "closed"), None)
    if SIGNATURE not in files.files:
        if told is not None:
            raise _altered(SIGNATURE, "is missing, and by the audit trail the run was signed")
        return None
    signed = _read(SIGNATURE, files.files[SIGNATURE], SignedHead)
    if signed.head != closing.sha256:
        raise _altered(SIGNATURE, "signs another head than that of the record")
    if not _holds(signed):
        raise _altered(SIGNATURE, "the signature is not that of its key under the head")
    if trail and (told is None or told[0] != signed.fingerprint):
        raise _altered(SIGNATURE, "is not by the key that the audit trail names")
    return signed


@lru_cache(maxsize=8)
def _holds(signed: SignedHead) -> bool:
    return signed.holds


def _documents(files: AuditedFiles, trail: tuple[TrailEntry, ...], *, every: bool) -> tuple[str, ...]:
    """Find the first document that is not the one which the trail names last in its place; what was cut off is told.

    Unless `every` document is named, as those of a rig that kept no trail are not, one that no entry names is none of
    its business. What was computed again is no document, and may lie anywhere.
    """
    entered = entered_documents(trail)
    cut_off = []
    for name, made in entered.items():
        now = files.files[name].sums.sha256 if name in files.files else None
        if now == made.sha256:
            continue
        draft = files.files.get(f"{UNFINISHED}/{name}")
        if draft is not None and draft.sums.sha256 == made.sha256 and now == made.old:
            cut_off.append(f"{UNFINISHED}/{name}: is that of entry {made.n}, whose writing was cut off at its end")
            continue
        raise _altered(name, _what_became(made, now, entered, files))
    found = [f"reports/{name}" for name in files.below("reports")] + [f"{each}/" for each in files.empty]
    for name in found if every else ():
        if name.startswith("reports/") and not any(each == name or each.startswith(name) for each in entered):
            what = "folder" if name.endswith("/") else "document"
            raise _altered(name.rstrip("/"), f"is no {what} that the audit trail names: it was added")
    known = {each.partition(":")[0] for each in cut_off}
    left = [f"{UNFINISHED}/{name}" for name in files.below(UNFINISHED) if f"{UNFINISHED}/{name}" not in known]
    return (*cut_off, *(f"{name}: is left of a writing that was cut off, and no evidence" for name in left))


def _what_became(made: Entered, now: str | None, entered: Mapping[str, Entered], files: AuditedFiles) -> str:
    """Say what became of a document that is not the one which the trail names."""
    entry = f"entry {made.n} of the audit trail"
    if now is None:
        twin = next((each for each, file in files.files.items() if file.sums.sha256 == made.sha256), None)
        return f"is missing, and {entry} names it" + (f"; {twin} is the same" if twin is not None else "")
    if now == made.old:
        return f"is the document as it was before {entry}"
    twin = next((each for each, other in entered.items() if other.sha256 == now), None)
    if twin is not None:
        return f"is another document, {twin}, than that of {entry}"
    return f"is not the document that {entry} names: it was altered"
