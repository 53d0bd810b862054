"""What keeps the electronic record, by the controls of 21 CFR Part 11, 11.10, as far as a report can say it.

Not responsible for those controls (`docs/part-11.md`), nor a claim that they are enough.
"""

from __future__ import annotations

from reports.document import Facts, Section
from reports.parts.given import Given
from rig.record.trail import TRAIL

LABORATORY = "the laboratory's own procedures; the rig knows no accounts, and asks the operating system"


def electronic(given: Given) -> Section:
    """Say of copies, protection, audit trail, order of steps, access and documentation how it stands with this run."""
    run, manifest = given.run, given.run.manifest
    trail = (
        f"{TRAIL} beside the record: who, when (UTC), what, old, new, reason, chained by hashes; its notes stand under "
        "Dispositions"
        if (run.folder / TRAIL).is_file()
        else "none beside this record"
    )
    formal = "a formal run" if manifest.formal else "not a formal run"
    return Section(
        2,
        "Electronic record (21 CFR Part 11, 11.10)",
        "electronic",
        (
            Facts(
                (
                    (
                        "Copies",
                        "the record but wire logs and firmware, and the trail so far, are attached to this PDF",
                    ),
                    (
                        "Protection",
                        "SHA-256 of each of its files, chained to the head; rig audit names what was changed",
                    ),
                    ("Audit trail", trail),
                    ("Steps in their order", f"inputs frozen, bench checked, measured, closed; {formal}"),
                    ("Access, training", LABORATORY),
                    ("Documentation", "pages, code and tests of the revision that is named above"),
                )
            ),
        ),
    )
