"""`rig report RUN --recompute`: what came of computing a run again, in words, and the exit code.

Not responsible for computing (`rig.offline.recheck`).
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from rig.errors import EvidenceError
from rig.record.closed import sums
from rig.record.files import free_folder
from rig.record.trail import append

MOST_SAID = 20
"""Sentences of a kind that are printed; recheck.json holds all."""


def recompute_run(run: Path, out: Path | None, say: Callable[[str], None]) -> int:
    """Compute a run again into a folder beside its record, say what differs and why; returns the exit code.

    Raises:
        DataFileError: the run was never closed, or is of format 1.
        EvidenceError: the record cannot be read, or the folder is there already.
    """
    from rig.offline.recheck import RECHECK_FILE, recheck

    folder = out if out is not None else free_folder(run / "recomputed")
    found = recheck(run, folder)
    say(f"{found.same} of {found.files} computed files are the same, byte for byte.")
    if found.rows:
        say(f"{found.rows} rows of balance.csv were held against what the balance said on the wire.")
    _list(say, "Contradicts itself", found.contradictions)
    _list(say, "Differs", [str(each) for each in found.differences])
    _list(say, "Other verdict", found.verdicts)
    _list(say, "Not computed again", found.not_recomputed)
    if found.differences:
        why = "; ".join(found.because) or "nothing: no version differs; the record was altered, or the machine differs"
        say(f"What may explain it: {why}.")
    elif found.because:
        say(f"Computed with other versions ({'; '.join(found.because)}).")
    say(_IN_SHORT[found.exit_code])
    say(f"Computed again: {folder}")
    try:
        result = sums(folder / RECHECK_FILE).sha256
        append(run, who="rig report", what="recomputed", new=result, reason=_IN_SHORT[found.exit_code])
    except EvidenceError as error:  # a folder that can only be read, or a damaged trail, which rig audit finds
        say(f"Not in the audit trail: {error}")
    return found.exit_code


_IN_SHORT = {
    0: "Every number and verdict follows from what was recorded.",
    4: "Numbers differ by more than 1e-9, or verdicts do; versions differ that may be why.",
    5: "The record was altered: it contradicts itself, or holds numbers that do not follow from it.",
}


def _list(say: Callable[[str], None], title: str, sentences: tuple[str, ...] | list[str]) -> None:
    for sentence in sentences[:MOST_SAID]:
        say(f"{title}: {sentence}")
    if len(sentences) > MOST_SAID:
        say(f"{title}: {len(sentences) - MOST_SAID} more, all in recheck.json")
