"""The signatures of a run's report, judged and told: for `rig sign --check` and `rig audit RUN --roots DIR`.

Not responsible for judging them (`rig.signing.judging`).
"""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

from rig.cli.printing import say


def say_signatures(console: Console, run: Path, roots: Path) -> bool:
    """Print what each signature of a run's report is worth; returns whether all of them hold.

    Raises:
        BenchFileError: the folder of roots cannot be read.
        EvidenceError: the record is open, or its closing is not as it was written.
    """
    from rig.signing.judging import judge_signatures

    judged = judge_signatures(run, roots)
    if not judged:
        say(console, f"{run}: nobody has signed its report.", "yellow")
    for each in judged:
        what = each.meaning.value if each.meaning is not None else "signatures"
        who = f" by {each.name}, {each.at_utc}" if each.name else ""
        verdict = "holds" if each.holds else "DOES NOT HOLD"
        say(console, f"rev-{each.revision}: {what}{who}: {verdict}", "green" if each.holds else "red")
        for sentence in each.findings or each.notes:
            say(console, f"    {sentence}")
    return all(each.holds for each in judged)
