"""`rig coverage`, and what `rig verify` says of it at its end: what is verified of a pump, gaps first.

Not responsible for what covers what (`rig.run.coverage`).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console
from rich.text import Text

from rig.cli.printing import Cell, plain, print_table, say
from rig.cli.pump_sheet import print_inapplicable
from rig.cli.runners import collect
from rig.cli.upfront import beyond_bench, not_to_be_done
from rig.record.files import write_json
from rig.run.begin import start_run
from rig.run.collection import Declaration
from rig.run.coverage import TopicCovered, coverage, covered_in_short
from rig.run.inputs import Inputs, Sources, read_inputs
from rig.shipped import TOPICS, shipped
from rig.verdicts.topics import read_topics

COLUMNS = ("topic", "requirement", "judged by", "tests", "at")


def print_coverage(sources: Sources, out: Path | None, *, console: Console) -> int:
    """Print what a plan covers of this pump on this bench, and measure nothing; returns the exit code.

    Args:
        sources: where the plan, the requirements and the suites stand.
        out: a JSON file to write it to as well.
        console: to print on.

    Raises:
        BenchFileError: as `rig verify`.
        EvidenceError: the file cannot be written.
    """
    inputs = read_inputs(sources)
    with TemporaryDirectory(prefix="rig-coverage-") as folder:
        by_runner = collect(start_run(inputs, out=Path(folder) / "run", measures=False), inputs)
    declared = [each for of_runner in by_runner.values() for each in of_runner]
    print_inapplicable(inputs, declared, console)
    for sentence in not_to_be_done(declared, inputs.spec):
        say(console, sentence, "yellow")
    inapplicable = [each.id for each in inputs.requirements.values() if each.not_applicable is not None]
    covered = covered_by(inputs, declared, {*inapplicable, *beyond_bench(declared, inputs.spec)})
    say_coverage(covered, console)
    if out is not None:
        write_json(out, as_json(covered))
    return 0


def covered_by(inputs: Inputs, declared: Sequence[Declaration], undecided: Collection[str] = ()) -> list[TopicCovered]:
    """Compute what tests cover of the topics that come with the rig."""
    return coverage(read_topics(shipped(TOPICS)), inputs.requirements, declared, undecided)


def say_coverage(covered: Sequence[TopicCovered], console: Console) -> None:
    """Print the topics, those that nothing covers first, and how many there are of each."""
    rows: list[tuple[Cell, ...]] = []
    for each in covered:
        topic = Text.assemble((plain(each.topic.id), "bold red" if each.gap else "bold"), f" {plain(each.topic.text)}")
        rows += [(topic if number == 0 else Text(), *line) for number, line in enumerate(_lines(each))]
    print_table(console, COLUMNS, rows, title="What is covered, gaps first", grouped=True, fold=True)
    for sentence in covered_in_short(covered):
        say(console, sentence, "yellow" if "gaps:" in sentence else "")


def _lines(covered: TopicCovered) -> list[tuple[str, ...]]:
    """Write a line for each requirement of a topic; one of a standard refers to the topics that show it."""
    if not covered.requirements:
        return [("none", "", "", "")]
    if covered.topic.shown_by:
        return [(f"as {', '.join(covered.topic.shown_by)}", "", "", "")]
    return [
        (row.id, ", ".join(row.judge) or "not stated", str(len(row.tests) or "none"), ", ".join(row.range))
        for row in covered.requirements
    ]


def as_json(covered: Sequence[TopicCovered]) -> dict[str, object]:
    """Write the coverage as plain data."""
    return {
        "summary": covered_in_short(covered),
        "topics": [
            {
                "id": each.topic.id,
                "of": each.topic.of,
                "text": each.topic.text,
                "gap": each.gap,
                "requirements": [asdict(row) for row in each.requirements],
            }
            for each in covered
        ],
    }
