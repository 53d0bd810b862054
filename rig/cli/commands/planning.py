"""`rig coverage`, `faults`, `pump-sheet` and `samples`: the options of the commands that measure nothing.

Not responsible for what they print (the modules of their names in `rig.cli`).
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rig.cli.commands.options import BENCH, REQUIREMENTS, BenchOption, PlanOption, RequirementsOption, SetOption
from rig.cli.completion import runs_to_offer
from rig.cli.printing import new_console
from rig.shipped import DEFAULT_PLAN

console = new_console()


def show_coverage(
    requirements: RequirementsOption = REQUIREMENTS,
    plan: PlanOption = DEFAULT_PLAN,
    out: Annotated[Path | None, typer.Option(help="Write it to this JSON file, too.", metavar="FILE")] = None,
    bench: BenchOption = BENCH,
    set_: SetOption = None,
) -> None:
    """Show what a plan verifies of a pump, gaps first: topics, requirements, who judges them, at which rates and sizes.

    Nothing is measured. Exit code: 0; 2 wrong usage or bench file.
    """
    from rig.bench.file import parse_override
    from rig.cli.coverage import print_coverage
    from rig.run.inputs import Sources

    overrides = dict(parse_override(text) for text in set_ or [])
    raise typer.Exit(print_coverage(Sources(bench, overrides, requirements, plan), out, console=console))


def show_faults(
    bench: BenchOption = BENCH,
    set_: SetOption = None,
    plan: PlanOption = DEFAULT_PLAN,
    run: Annotated[
        Path | None, typer.Option(help="Tell how this run decided.", metavar="RUN", autocompletion=runs_to_offer)
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Write it to this JSON file, too.", metavar="FILE")] = None,
) -> None:
    """Show which faults F1 to F36 this bench can provoke, how, and which requirements and tests judge them, gaps first.

    Nothing is measured. Exit code: 0; 2 wrong usage or bench file; 3 the run's record is damaged.
    """
    from rig.bench.file import parse_override
    from rig.cli.faults import print_faults
    from rig.run.inputs import Sources

    overrides = dict(parse_override(text) for text in set_ or [])
    raise typer.Exit(print_faults(Sources(bench, overrides, REQUIREMENTS, plan), run, out, console=console))


def pump_sheet(
    sheet: Annotated[Path, typer.Argument(help="Pump sheet: what the maker claims of a pump.", metavar="FILE")],
    requirements: Annotated[
        Path,
        typer.Option(help="Requirements file.", show_default="those that come with the rig", metavar="FILE"),
    ] = REQUIREMENTS,
) -> None:
    """Read a pump sheet: every claim with its source, and which requirements do not apply to such a pump.

    Exit code: 0 it can be used; 2 it is wrong, with the file, the key, what was found and what is allowed.
    """
    from rig.cli.pump_sheet import print_pump_sheet

    raise typer.Exit(print_pump_sheet(sheet, requirements, console=console))


def samples(
    reliability: Annotated[str | None, typer.Option(help="Share of all that must be good.", metavar='"95 %"')] = None,
    confidence: Annotated[str, typer.Option(help="Confidence of the statement.", metavar='"95 %"')] = "95 %",
    failures: Annotated[int, typer.Option(help="Failures that are allowed.", min=0)] = 0,
    tolerance: Annotated[
        str | None, typer.Option(help="Limit of measured values, with --sd.", metavar='"±5 %"|"≤5 %"')
    ] = None,
    sd: Annotated[str | None, typer.Option(help="Expected standard deviation of them.", metavar='"2 %"')] = None,
    mean: Annotated[str, typer.Option(help="Expected mean error of them.", metavar='"1 %"')] = "0 %",
    bench: BenchOption = BENCH,
    set_: SetOption = None,
    rate: Annotated[str | None, typer.Option(help="Basal rate, with --window.", metavar='"0.1 U/h"')] = None,
    window: Annotated[str | None, typer.Option(help="Length of a window.", metavar='"60 min"')] = None,
    bolus: Annotated[str | None, typer.Option(help="Size of a bolus.", metavar='"0.1 U"')] = None,
    limit: Annotated[str | None, typer.Option(help="Limit to decide.", metavar='"±15 %"|"±0.05 U"')] = None,
    n: Annotated[int, typer.Option("--n", help="So many windows or boluses.", min=1)] = 1,
    of: Annotated[str, typer.Option(help="Does the limit hold for each, or the mean?", metavar="each|mean")] = "each",
    rule: Annotated[str, typer.Option(help="Decision rule of the requirement.", metavar="RULE")] = "guard band",
) -> None:
    """Plan before you measure: how many samples, and whether this bench can decide a limit.

    Success run: --reliability. Measured values: --tolerance and --sd. Capability: --rate and --window, or --bolus, with
    --limit. Exit code: 0 planned; 2 wrong usage; 4 cannot be decided, with what would be needed.
    """
    from rig.cli.samples import SamplesQuestion, print_samples

    question = SamplesQuestion(
        confidence=confidence, reliability=reliability, failures=failures, tolerance=tolerance, sd=sd, mean=mean,
        bench=bench, settings=tuple(set_ or []), rate=rate, window=window, bolus=bolus, limit=limit, n=n, of=of,
        rule=rule,
    )  # fmt: skip
    raise typer.Exit(print_samples(question, console=console))
