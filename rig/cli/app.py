"""The command line, `rig …`: verify, coverage, resume, check, pump-sheet, balance-test, samples, serve and more.

Turns errors into one sentence and an exit code. Not responsible for the work itself.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from rig.cli.analyse import analyse
from rig.cli.audit import audit
from rig.cli.keys import keys
from rig.cli.ledger import ledger
from rig.cli.note import note
from rig.cli.packages import refuse_shared_packages
from rig.cli.printing import new_console, one_line
from rig.cli.qualify import qualify
from rig.cli.report import report
from rig.cli.sign import sign
from rig.cli.store import show_history, show_trend, store_commands
from rig.cli.trace import trace
from rig.errors import BenchFileError, DataFileError, RigError
from rig.record.files import free_folder
from rig.record.likeness import By
from rig.shipped import DEFAULT_BENCH, DEFAULT_REQUIREMENTS, shipped

QUESTION = ("faults", "n", "seed", "states", "window", "out", "bench", "set_", "pump_sheet")
"""Options of `rig campaign` that say what is asked: a campaign that was begun has its answers to them."""
BESIDE_NO_REPLAY = (*QUESTION, "resume", "workers", "scheduler", "batch", "shrink")
BENCH, REQUIREMENTS = shipped(DEFAULT_BENCH), shipped(DEFAULT_REQUIREMENTS)
EXIT_USAGE = 2
EXIT_RIG = 3


def _refuse_beside(given: typer.Context, option: str, others: Sequence[str]) -> None:
    """Refuse options that would be passed over beside another, rather than let somebody believe that they counted."""
    for name in others:
        source = given.get_parameter_source(name)
        if source is not None and source.name == "COMMANDLINE":
            raise BenchFileError(
                f"{option} takes everything from the folder; leave --{name.strip('_').replace('_', '-')} out"
            )


class Interrupted(Exception):
    """Ctrl-C, or the end of the input where an answer was wanted."""


class Commands(TyperGroup):
    """The commands, whose ends keep their own exit codes: Typer's for Ctrl-C, no input and a lost pipe say others."""

    def invoke(self, ctx: Any) -> Any:  # noqa: ANN401 - Typer's own
        """Perform the command that was asked for."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt as error:
            raise Interrupted from error
        except EOFError as error:
            raise RigError("the input ended where an answer was wanted; call it from a terminal") from error
        except BrokenPipeError as error:
            raise RigError(f"a line was closed from its far end ({error})") from error


app = typer.Typer(
    cls=Commands,
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    help="Test rig for insulin pumps: drives the bench, verifies the pump, writes the report.",
)
console = new_console()

BenchOption = Annotated[
    Path,
    typer.Option(
        "--bench",
        help="Bench file: which instruments, where.",
        show_default="the virtual bench that comes with the rig",
        metavar="FILE",
    ),
]
SetOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        help="Change one key of the bench file for this call, such as virtual.seed=2.",
        metavar="table.key=value",
    ),
]


def _print_version(asked: bool) -> None:
    if not asked:
        return
    from rig.run.software import this_version

    print(this_version())  # noqa: T201 - plain, for scripts
    raise typer.Exit


@app.callback()
def before_any_command(
    version: Annotated[
        bool,
        typer.Option("--version", help="Print version, commit and Python.", callback=_print_version, is_eager=True),
    ] = False,
) -> None:
    """Refuse to work with packages that another distribution has overwritten."""
    del version


@app.command()
def verify(
    bench: BenchOption = BENCH,
    out: Annotated[
        Path | None, typer.Option(help="New folder for the run; default: runs/<time>.", metavar="DIR")
    ] = None,
    select: Annotated[
        str | None,
        typer.Option(
            help="Only tests whose name or requirement matches, such as 'occlusion' or 'basal or PR-L1.1'.",
            metavar="EXPR",
        ),
    ] = None,
    set_: SetOption = None,
    requirements: Annotated[
        Path,
        typer.Option(
            help="Requirements file: the acceptance limits.",
            show_default="those that come with the rig",
            metavar="FILE",
        ),
    ] = REQUIREMENTS,
    plan: Annotated[
        str,
        typer.Option(help="Test plan: a TOML file, or the name of one that comes with the rig.", metavar="FILE|NAME"),
    ] = "default",  # rig.run.plan.DEFAULT_PLAN
    pump_sheet: Annotated[
        Path | None,
        typer.Option(
            help="Pump sheet: what the maker claims of the pump.",
            show_default="the one that the bench file names",
            metavar="FILE",
        ),
    ] = None,
    proof: Annotated[
        Path | None,
        typer.Option(help="What rig prove wrote of these suites, for the report's annex.", metavar="FILE"),
    ] = None,
    condition: Annotated[
        str | None,
        typer.Option(help="Only this condition of the plan, or 'nominal'.", metavar="NAME"),
    ] = None,
    jobs: Annotated[
        int | None,
        typer.Option(
            help="So many tests at a time, on a virtual bench.", min=1, show_default="as suits the machine", metavar="N"
        ),
    ] = None,
    stop_at_fail: Annotated[
        bool, typer.Option("--stop-at-fail", help="Stop when the first requirement has FAILed; rig resume goes on.")
    ] = False,
    formal: Annotated[
        bool, typer.Option("--formal", help="Make it a formal run, or refuse with everything that is in the way.")
    ] = False,
    operator: Annotated[
        str | None, typer.Option(help="Who makes the run, over the bench file's operator.", metavar="NAME")
    ] = None,
    qualification: Annotated[
        Path | None,
        typer.Option(
            help="What rig qualify wrote of this PC and bench.",
            show_default="the latest in qualification/ that holds",
            metavar="FILE",
        ),
    ] = None,
    junit: Annotated[
        Path | None,
        typer.Option(help="Write this JUnit file, too: a case a test, for a server that builds.", metavar="FILE"),
    ] = None,
    list_: Annotated[
        bool, typer.Option("--list", help="Only list what would be measured, for which requirements.")
    ] = False,
) -> None:
    """Run the pump suites and write the report; on every channel, and under every condition of the plan.

    Exit code: 0 every requirement passed or does not apply; 1 one failed; 2 wrong usage or bench file; 3 the rig
    failed, was blocked or was interrupted; 4 inconclusive and nothing worse.
    """
    from rig.cli.series import verify_all
    from rig.cli.verify import RunAsked, list_quantities

    asked = RunAsked(
        bench,
        tuple(set_ or []),
        out=out,
        select=select,
        jobs=jobs,
        requirements=requirements,
        plan=plan,
        pump_sheet=pump_sheet,
        proof=proof,
        stop_at_fail=stop_at_fail,
        formal=formal,
        operator=operator,
        qualification=qualification,
        junit=junit,
    )
    if junit is not None:
        from reports.junit import refuse_unwritable

        refuse_unwritable(junit)
    if list_:
        raise typer.Exit(list_quantities(asked, console=console))
    raise typer.Exit(verify_all(asked, condition, console=console))


@app.command("coverage")
def show_coverage(
    requirements: Annotated[
        Path,
        typer.Option(
            help="Requirements file: the acceptance limits.",
            show_default="those that come with the rig",
            metavar="FILE",
        ),
    ] = REQUIREMENTS,
    plan: Annotated[
        str,
        typer.Option(help="Test plan: a TOML file, or the name of one that comes with the rig.", metavar="FILE|NAME"),
    ] = "default",  # rig.run.plan.DEFAULT_PLAN
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


@app.command("faults")
def show_faults(
    bench: BenchOption = BENCH,
    set_: SetOption = None,
    plan: Annotated[
        str,
        typer.Option(help="Test plan: a TOML file, or the name of one that comes with the rig.", metavar="FILE|NAME"),
    ] = "default",  # rig.run.plan.DEFAULT_PLAN
    run: Annotated[Path | None, typer.Option(help="Tell how this run decided.", metavar="RUN")] = None,
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


@app.command()
def prove(
    names: Annotated[
        list[str] | None, typer.Argument(help="Pumps by name; all when none is named.", metavar="[NAME]…")
    ] = None,
    plan: Annotated[
        str,
        typer.Option(help="Test plan: a TOML file, or the name of one that comes with the rig.", metavar="FILE|NAME"),
    ] = "default",  # rig.run.plan.DEFAULT_PLAN
    jobs: Annotated[int, typer.Option(min=1, help="So many pumps at a time.", metavar="N")] = 1,
    out: Annotated[
        Path | None, typer.Option(help="Folder of the proof; default: runs/<time>-prove.", metavar="DIR")
    ] = None,
    go_on: Annotated[bool, typer.Option("--resume", help="Go on with the proof in --out.")] = False,
    whole: Annotated[bool, typer.Option(help="Run every test on every pump; do not stop at the first FAIL.")] = False,
    seeds: Annotated[
        int, typer.Option(min=0, help="Try the right pump with so many seeds: none may FAIL.", metavar="N")
    ] = 0,
    parameters: Annotated[
        Path | None, typer.Option(help="Wrong hardware: sets of bench settings, in TOML.", metavar="FILE")
    ] = None,
    patches: Annotated[
        Path | None, typer.Option(help="Folder of .patch files against the firmware.", metavar="DIR")
    ] = None,
    images: Annotated[Path | None, typer.Option(help="Folder of .elf images of firmware.", metavar="DIR")] = None,
    coverage: Annotated[
        bool,
        typer.Option(help="First run the plan once on the right pump, to try those tests first that cover a patch."),
    ] = False,
    faults: Annotated[
        bool,
        typer.Option(help="Try the bench's own pump with each fault of the catalogue that a line of it provokes."),
    ] = False,
    bench: BenchOption = BENCH,
    set_: SetOption = None,
) -> None:
    """Run the suites against wrong pumps: which test caught which, which escaped; without a source, the rig's own.

    Exit code: 0 all were caught; 1 one escaped or was caught elsewhere than named, or a right pump FAILed; 2 wrong
    usage; 3 the rig failed or was interrupted.
    """
    from rig.cli.prove import ProofAsked
    from rig.cli.prove import prove as prove_pumps

    asked = ProofAsked(
        tuple(names or ()), plan, jobs, out, go_on, whole, seeds, parameters, patches, images, coverage, faults, bench,
        tuple(set_ or ()),
    )  # fmt: skip
    raise typer.Exit(prove_pumps(asked, console=console))


@app.command()
def resume(
    run: Annotated[Path, typer.Argument(help="Run folder of a run that did not come to its end.", metavar="RUN")],
    out: Annotated[Path | None, typer.Option(help="New folder; default: <RUN>-resumed.", metavar="DIR")] = None,
    jobs: Annotated[
        int | None,
        typer.Option(
            help="So many tests at a time, on a virtual bench.", min=1, show_default="as suits the machine", metavar="N"
        ),
    ] = None,
) -> None:
    """Go on with an interrupted run, as a new run that keeps its finished tests; refused when anything has changed.

    Exit code: as verify.
    """
    from rig.cli.resume import resume_run

    raise typer.Exit(resume_run(run, out, jobs, console=console))


@app.command()
def check(bench: BenchOption = BENCH, set_: SetOption = None) -> None:
    """Open, identify and self-test every instrument; say what is wrong and what to do."""
    from rig.cli.check import print_check

    raise typer.Exit(print_check(bench, set_ or [], console=console))


@app.command("pump-sheet")
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


@app.command()
def invariants(
    run: Annotated[Path, typer.Argument(help="Run folder that was closed.", metavar="RUN")],
) -> None:
    """Look through everything that the tests of a run have recorded, again: what must always hold, and does not.

    Exit code: 0 all of it holds; 1 something does not; 3 the record is damaged, or says otherwise than is found now.
    """
    from rig.cli.invariants import say_invariants

    raise typer.Exit(say_invariants(run, console=console))


@app.command("balance-test")
def balance_test(
    mass: Annotated[str, typer.Option(help="Conventional mass of the reference.", metavar='"1 g"')],
    mass_u: Annotated[str, typer.Option(help="Its standard uncertainty.", metavar='"10 µg"')] = "0 g",
    count: Annotated[int, typer.Option(help="How often it is weighed.", min=3, max=100)] = 10,
    out: Annotated[
        Path | None, typer.Option(help="New file; default: runs/<time>-balance-test.json.", metavar="FILE")
    ] = None,
    bench: BenchOption = BENCH,
    set_: SetOption = None,
) -> None:
    """Test the balance with a reference mass before measurements, and keep what was found.

    Exit code: 0 fit for use; 2 wrong usage or bench file; 3 not fit, or the balance cannot be had.
    """
    from rig.cli.balance_test import RoutineTestAsked, run_balance_test

    asked = RoutineTestAsked(bench, tuple(set_ or []), mass=mass, mass_u=mass_u, count=count, out=out)
    raise typer.Exit(run_balance_test(asked, console=console))


@app.command()
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


@app.command()
def campaign(
    context: typer.Context,
    faults: Annotated[
        str,
        typer.Option(
            help="Kinds of faults, and ids of the catalogue: 'all', 'F20,F25' or 'ram,flash,dip'.", metavar="FAULTS"
        ),
    ] = "all",
    n: Annotated[int, typer.Option("--n", help="So many injections.", min=1, max=10_000_000)] = 1000,
    seed: Annotated[int, typer.Option(help="Draws faults, states of therapy and instants.", min=0)] = 1,
    states: Annotated[
        str, typer.Option(help="States of therapy: 'all', or some, such as 'idle,bolus'.", metavar="STATES")
    ] = "all",
    window: Annotated[
        str | None,
        typer.Option(
            help="Observe each for no longer.",
            show_default="the longest alarm limit of the pump's sheet",
            metavar='"1 s"',
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder of the campaign; one that is there goes on.", metavar="DIR")
    ] = None,
    resume: Annotated[Path | None, typer.Option(help="Go on with the campaign of this folder.", metavar="DIR")] = None,
    replay: Annotated[
        Path | None, typer.Option(help="Perform this finding again, and compare.", metavar="FILE")
    ] = None,
    workers: Annotated[
        int | None, typer.Option(help="So many at a time.", min=1, show_default="one a core", metavar="N")
    ] = None,
    scheduler: Annotated[
        str | None,
        typer.Option(help="Dask scheduler of a laboratory's machines.", metavar="tcp://HOST:PORT"),
    ] = None,
    batch: Annotated[int, typer.Option(help="So many injections a process.", min=1, max=10_000)] = 100,
    shrink: Annotated[int, typer.Option(help="Seek the smallest form of so many findings.", min=0)] = 20,
    bench: BenchOption = BENCH,
    set_: SetOption = None,
    pump_sheet: Annotated[
        Path | None,
        typer.Option(
            help="Pump sheet: what the maker claims of the pump.",
            show_default="the one that the bench file names",
            metavar="FILE",
        ),
    ] = None,
) -> None:
    """Inject random faults at random instants into the simulated pump, and sort what becomes of each.

    Exit code: 0 nothing unsafe; 1 insulin too much or too little in silence, an alarm lost, or a hang; 2 wrong usage;
    3 the rig failed, or a replay came out otherwise.
    """
    from rig.cli.campaign import CampaignAsked, Means, replay_finding, resume_campaign, run_campaign

    if resume is not None or replay is not None:
        _refuse_beside(
            context, "--resume" if replay is None else "--replay", QUESTION if replay is None else BESIDE_NO_REPLAY
        )
    if replay is not None:
        raise typer.Exit(replay_finding(replay, console=console))
    means = Means(workers, scheduler, batch, shrink)
    if resume is not None:
        raise typer.Exit(resume_campaign(resume, means, console=console))
    asked = CampaignAsked(faults, states, n, seed, window, bench, tuple(set_ or []), pump_sheet, out)
    raise typer.Exit(run_campaign(asked, means, console=console))


@app.command()
def serve(bench: BenchOption = BENCH, set_: SetOption = None) -> None:
    """Run the virtual bench in real time, its instruments on TCP sockets and ptys, until Ctrl-C."""
    from rig.cli.serve import serve_bench

    serve_bench(bench, set_ or [], console=console)


@app.command("operator")
def sit_at_operators_terminal(
    listen: Annotated[
        str, typer.Option(help="Where the rig finds it; a port of 0 takes a free one.", metavar="HOST:PORT")
    ] = "127.0.0.1:5055",
    name: Annotated[str, typer.Option(help="The bench file's serial_number of [hands].", metavar="NAME")] = "operator",
) -> None:
    """Be the hands of a bench: show what is to be done while tests run, and confirm it with Enter."""
    from rig.cli.operator import sit_at_terminal

    sit_at_terminal(listen, name, sys.stdin, console=console)


@app.command("console")
def open_console(bench: BenchOption = BENCH, set_: SetOption = None) -> None:
    """Try the pump and the instruments by hand; reads commands from a pipe, too.

    Exit code: 0; 1 when a command of a pipe failed; 2 wrong bench file; 3 a device cannot be opened.
    """
    from rig.cli.console import run_console

    raise typer.Exit(run_console(bench, set_ or [], console=console))


@app.command()
def compare(
    runs: Annotated[list[Path], typer.Argument(help="Run folders, or folders of them.", metavar="RUN…")],
    out: Annotated[
        Path | None, typer.Option(help="New folder; default: <first folder>-comparison.", metavar="DIR")
    ] = None,
    by: Annotated[
        By | None,
        typer.Option(help="Compare runs that differ in this, each group against that of the first run."),
    ] = None,
) -> None:
    """Lay runs side by side: pumps with their spread and errors under each condition; or, --by, A beside B.

    Without --by the runs must have one firmware, test plan and rig; with it they may differ in what it names alone.
    Exit code: 0 compared; 2 wrong usage; 3 a record is missing or damaged, or the runs are unlike or have nothing in
    common.
    """
    from reports.comparison import write_comparison
    from rig.cli.settling import settle

    settle(runs, console)
    first = runs[0] if runs[0].name not in ("", "..") else runs[0].resolve()
    folder = out or free_folder(first.with_name(f"{first.name}-comparison") if first.name else Path("comparison"))
    for line in write_comparison(folder, runs, by):
        console.print(line, soft_wrap=True, markup=False)


app.command()(analyse)
app.command()(sign)
app.add_typer(keys, name="keys")
app.command()(audit)
app.command()(note)
app.add_typer(store_commands, name="store")
app.command("history")(show_history)
app.command("trend")(show_trend)
app.command()(ledger)
app.command()(qualify)
app.command()(trace)
app.command()(report)


def run() -> None:
    """Run the command line; every expected error is one sentence on stderr and its exit code.

    Raises:
        SystemExit: always, with the exit code; 0 where all is well.
    """
    try:
        refuse_shared_packages()
        app()
    except (BenchFileError, DataFileError) as error:
        _stop(error, EXIT_USAGE)
    except RigError as error:
        _stop(error, EXIT_RIG)
    except Interrupted:
        _stop("interrupted", EXIT_RIG)


def _stop(reason: object, code: int) -> None:
    print(f"rig: {one_line(str(reason))}", file=sys.stderr)  # noqa: T201 - plain, so that a terminal never folds it
    sys.exit(code)
