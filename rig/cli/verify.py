"""`rig verify`: freeze the inputs, check the bench, run the suites of both runners, join the results, write the report.

Whatever asks it to stop, the run is closed and its report written. Not responsible for the runners (`rig.cli.runners`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console
from rich.text import Text

from rig.audit.bound import anchor, refuse_unwritable_anchor
from rig.bench.check import check_bench
from rig.bench.file import parse_override
from rig.bench.guarded import wait_until_left
from rig.bench.lease import take_bench
from rig.cli.coverage import as_json, covered_by, say_coverage
from rig.cli.faults import faults_as_json, faults_covered
from rig.cli.invariants import say_found
from rig.cli.jobs import jobs_for, run_side_by_side
from rig.cli.ledger import say_number
from rig.cli.printing import plain, print_table, say
from rig.cli.pump_sheet import print_inapplicable
from rig.cli.runners import collect, run_suites
from rig.cli.stored import add_to_store
from rig.cli.upfront import say_simulated, say_up_front
from rig.clock import WallClock
from rig.errors import BenchFileError, EvidenceError
from rig.loop.choice import refuse_missing_programs
from rig.record.files import write_json
from rig.record.folder import RunFolder
from rig.record.keys import SIGNATURE
from rig.record.results import JUDGES_NOTHING, JudgedRecord, ReportedRecord, RequirementRecord, Results
from rig.record.seal import head
from rig.run.begin import discard, end_run, keep_findings, start_run
from rig.run.collection import Declaration, refuse_unanswered
from rig.run.ending import Ending, not_ended
from rig.run.fault_coverage import fault_summary
from rig.run.first_fail import stopper
from rig.run.formality import Formality, FormalityAsked, formality_of, own_settings
from rig.run.inputs import Inputs, Sources, frozen_inputs, read_inputs
from rig.run.plan import selection
from rig.run.results import EXIT_CODES
from rig.run.resuming import Resuming, refuse_other_devices
from rig.run.selection import parse_selection
from rig.run.stopping import StopSignals
from rig.shipped import DEFAULT_PLAN, DEFAULT_REQUIREMENTS, PUMP_SUITES, shipped
from rig.verdicts.limits import Rule, Verdict
from rig.verdicts.rounding import value_text

EXIT_RIG = 3


@dataclass(frozen=True)
class RunAsked:
    """What `rig verify` was asked for: a bench file and settings over it, the run's folder, what to do and to decide.

    `out` None makes a folder below `runs/`; `plan` is a file or a name; `select` as `rig.run.selection` has it; without
    a `pump_sheet` the bench file names it; `proof` is what `rig prove` wrote. `stop_at_fail` does nothing more once a
    requirement has FAILed. `formal` refuses what a formal run must not be (`rig.run.formality`), `operator` goes over
    the bench file's; without a `qualification` the latest that fits is cited. `junit` is a file to write for
    a server that shows what a build has tested.
    """

    bench: Path
    settings: tuple[str, ...] = ()
    out: Path | None = None
    select: str | None = None
    jobs: int | None = None
    requirements: Path = field(default_factory=partial(shipped, DEFAULT_REQUIREMENTS))
    plan: str = DEFAULT_PLAN
    suites: Path = field(default_factory=partial(shipped, PUMP_SUITES))
    pump_sheet: Path | None = None
    proof: Path | None = None
    stop_at_fail: bool = False
    formal: bool = False
    operator: str | None = None
    qualification: Path | None = None
    junit: Path | None = None

    @property
    def sources(self) -> Sources:
        """Where the run's inputs stand."""
        overrides = dict(parse_override(text) for text in self.settings)
        return Sources(self.bench, overrides, self.requirements, self.plan, self.suites, self.pump_sheet, self.proof)

    def formality(self, inputs: Inputs) -> Formality:
        """Decide whether the run is formal; BenchFileError with every reason where it was to be and is not."""
        settings = own_settings(self.settings, inputs.plan.plan)
        asked = FormalityAsked(self.formal, self.operator, self.qualification, settings, self.select, self.stop_at_fail)
        return formality_of(asked, inputs)


def verify_pump(asked: RunAsked, *, console: Console, stop: StopSignals) -> int:
    """Verify the pump on a bench by a test plan; returns the exit code.

    Raises:
        BenchFileError: the bench file, a setting, the plan, the requirements file or a suite is wrong, or a requirement
            asks for what nothing measures.
        EvidenceError: the run folder cannot be made or written.
    """
    refuse_unwritable_anchor()
    inputs = read_inputs(asked.sources)
    _refuse_unreadable(inputs, asked.select)
    formality = asked.formality(inputs)
    jobs_for(asked.jobs, 1, virtual=inputs.spec.virtual is not None)  # refused before anything is made
    with stop.held():
        run = start_run(inputs, out=asked.out, select=asked.select, formality=formality)

        def refuse(declared: Sequence[Declaration]) -> None:
            _refuse_unanswered(inputs, declared, asked.select)

        code = do_run(run, inputs, refuse, console, stop, jobs=asked.jobs, stop_at_fail=asked.stop_at_fail)
        return say_junit(asked.junit, {inputs.plan.plan.name: run.path}, code, console)


def do_run(
    run: RunFolder,
    inputs: Inputs,
    refuse: Callable[[Sequence[Declaration]], None],
    console: Console,
    stop: StopSignals,
    resuming: Resuming | None = None,
    *,
    jobs: int | None = None,
    stop_at_fail: bool = False,
) -> int:
    """Do a run that has begun, to its report, whoever asks it to stop meanwhile; returns the exit code.

    Args:
        run: with its inputs frozen.
        inputs: those.
        refuse: refuses what the suites declare, before anything is measured.
        console: shows what goes on, and what came out.
        stop: whose signals are held; they come here while there is something to stop.
        resuming: the run that this one goes on with.
        jobs: how many tests of a virtual run are done at a time; None: as many as suit the machine.
        stop_at_fail: whether it ends with the first requirement that FAILs; it can be resumed then.

    Raises:
        RigError: the run is refused, and its folder is taken away; or its record cannot be written.
    """
    try:
        with stop.let_through():
            ending = _measure(run, inputs, refuse, console, stop, resuming, jobs, stop_at_fail)
    except KeyboardInterrupt:
        ending = Ending("interrupted", f"the run was interrupted by {stop.asked}")
    results, outcome = end_run(run, ending)
    if outcome != "blocked":
        print_results(results, console)
        if not results.selected:
            _say_covered(run, inputs, results, console)
    if outcome != "complete":
        sentence = f"The run was {outcome}; what was measured before is kept in {run.path}."
        console.print(sentence, soft_wrap=True, markup=False)
    reason = run.manifest().reason
    if reason is not None:
        console.print(f"{reason}.", style="red", soft_wrap=True, markup=False)
    closing = run.closing()
    if outcome == "interrupted" and not (closing and closing.changed_inputs):
        console.print(f"Go on with it: rig resume {run.path}", soft_wrap=True, markup=False)
    console.print(f"Verdict: {results.verdict.value}", style=STYLES[results.verdict.value])
    say_number(run, console)
    if inputs.spec.simulated:
        say_simulated(console)
    add_to_store(run.path, console)
    from reports.documents import write_documents  # takes a second, which no wrong usage has to wait for

    try:
        for what, path in write_documents(run.path).items():
            console.print(f"{what}: {path}", soft_wrap=True, markup=False)
    except EvidenceError as error:  # the results stand by themselves
        console.print(f"No report: {error}", style="red", soft_wrap=True, markup=False)
        return EXIT_RIG
    finally:
        _say_head(run.path, console)
    stop.finish()
    if outcome == "complete" and stop.asked is not None:
        console.print(f"{stop.asked} came when the run had ended; it is complete.", soft_wrap=True, markup=False)
        return EXIT_RIG
    if stop_at_fail and outcome == "interrupted" and stop.asked is None and results.verdict is Verdict.FAIL:
        return EXIT_CODES[Verdict.FAIL]
    return EXIT_RIG if outcome != "complete" else EXIT_CODES[results.verdict]


def _say_head(run: Path, console: Console) -> None:
    """Say what the run's record is bound by, and keep it in the anchor file, where there is one."""
    signed = f"signed, {SIGNATURE}" if (run / SIGNATURE).is_file() else "unsigned"
    try:
        say(console, f"Head of the record ({signed}): {head(run)}")
        if (line := anchor(run)) is not None:
            say(console, f"Anchored at {line.at_utc}.")
    except EvidenceError as error:
        say(console, f"Not anchored: {error}", "red")


def say_junit(path: Path | None, runs: Mapping[str, Path], code: int, console: Console) -> int:
    """Write runs to the JUnit file that was asked for, if any; returns the exit code, 3 where it cannot be written."""
    if path is None:
        return code
    from reports.junit import write_junit  # takes a second, which no wrong usage has to wait for

    try:
        write_junit(path, runs)
    except EvidenceError as error:  # the results stand by themselves
        console.print(f"No JUnit file: {error}", style="red", soft_wrap=True, markup=False)
        return EXIT_RIG
    console.print(f"JUnit: {path}", soft_wrap=True, markup=False)
    return code


def _measure(
    run: RunFolder,
    inputs: Inputs,
    refuse: Callable[[Sequence[Declaration]], None],
    console: Console,
    stop: StopSignals,
    resuming: Resuming | None,
    jobs: int | None,
    stop_at_fail: bool,
) -> Ending:
    """Declare the tests, check the bench, run the suites; a run that is refused is taken away."""
    try:
        declared = collect(run, inputs)
        every = [each for of_runner in declared.values() for each in of_runner]
        refuse(every)
        refuse_missing_programs(name for each in every for name in each.needed_programs)
        for each in every:
            each.declare_in(run)
        run.appender.close()  # on the disk, before the runners read it
        frozen = frozen_inputs(run, run.manifest())
        spec = frozen.spec
        left = not_ended(run)
        owed = {name: [each for each in of_runner if each.test in left] for name, of_runner in declared.items()}
        at_a_time = jobs_for(jobs, len(left), virtual=spec.virtual is not None)
        manifest = run.manifest()
        say_up_front(
            console,
            [each for each in every if each.test in left],
            spec,
            selected=manifest.selected,
            formal=manifest.formal,
            undecidable=(*inputs.plan.left_out, *manifest.undecidable),
            at_a_time=at_a_time,
        )
        held = take_bench(spec, purpose=f"rig verify into {run.path}")
    except Exception:
        discard(run)
        raise
    with held:
        try:
            problems = keep_findings(run, spec, check_bench(spec, held, notes=run.path), frozen.sheet)
            if resuming is not None:
                refuse_other_devices(resuming, run.manifest())
        except Exception:  # there may be no bench to speak of, such as a virtual one whose firmware is none
            discard(run)
            raise
        for sentence in run.manifest().contradictions:
            console.print(sentence, style="yellow", soft_wrap=True, markup=False)
        for problem in problems:
            console.print(problem, style="red", soft_wrap=True, markup=False)
        if problems:
            return Ending("blocked")
        enough = stopper(run, frozen.requirements) if stop_at_fail else lambda: None
        if at_a_time > 1:
            ending = run_side_by_side(run, owed, at_a_time, held.leases, console, stop, enough)
        else:
            ending = run_suites(run, owed, held.leases, console, stop, enough)
        wait_until_left(spec, WallClock())  # a guardian may be at it still; what it did belongs into the run
        return ending


def _say_covered(run: RunFolder, inputs: Inputs, results: Results, console: Console) -> None:
    """Say what the run has covered of a pump, and keep it beside the record."""
    declared = [Declaration.model_validate(dict(each) | {"names": ()}) for each in run.collected()]
    undecided = [row.id for row in results.requirements if row.verdict.value not in ("PASS", "FAIL")]
    covered = covered_by(inputs, declared, undecided)
    say_coverage(covered, console)
    faults = faults_covered(inputs.spec, declared, results)
    say(console, f"{fault_summary(faults)} rig faults lists them.")
    with suppress(EvidenceError):  # the record stands by itself
        write_json(run.path / "coverage.json", {**as_json(covered), "faults": faults_as_json(faults)})


def list_quantities(asked: RunAsked, *, console: Console) -> int:
    """Print what the tests of this plan measure, for which requirements; returns the exit code.

    Raises:
        BenchFileError: as `verify_pump`.
    """
    inputs = read_inputs(asked.sources)
    _refuse_unreadable(inputs, asked.select)
    with TemporaryDirectory(prefix="rig-list-") as folder:
        by_runner = collect(start_run(inputs, out=Path(folder) / "run", select=asked.select, measures=False), inputs)
        declared = [each for of_runner in by_runner.values() for each in of_runner]
    rows = []
    for test in declared:
        for each in test.quantities:
            asking = [
                f"{name}: {inputs.requirements[name].measurement_rule(each.quantity).limit}"
                for name in test.requirements
                if inputs.requirements[name].asks_for(each.quantity)
            ]
            words = ", ".join([f'quantity = "{each.kind}"', *(f'{k} = "{v}"' for k, v in each.parameters.items())])
            rows.append((each.name, each.unit, words, ", ".join(asking) or "–", test.title))
    columns = ("quantity", "unit", "kind and parameters, as a requirement writes them", "decides: limit", "test")
    title = f"Measured by the plan {inputs.plan.plan.name!r} of {inputs.sheet.name}"
    print_table(console, columns, rows, title=title, fold=True)
    print_inapplicable(inputs, declared, console)
    _refuse_unanswered(inputs, declared, asked.select)
    return 0


def _refuse_unreadable(inputs: Inputs, select: str | None) -> None:
    """Refuse a selection that cannot be understood, before anything is made."""
    chosen = selection(inputs.plan.plan, select)
    if chosen:
        parse_selection(chosen, inputs.requirements)


def _refuse_unanswered(inputs: Inputs, declared: Sequence[Declaration], select: str | None) -> None:
    plan = inputs.plan.plan
    if not declared:
        chosen = selection(plan, select)
        raise BenchFileError(
            f"nothing matches {chosen!r} in the plan {plan.name!r}; --select takes ids of requirements, words of "
            "names, 'and', 'or', 'not' "
            "(rig verify --list shows all)"
            if chosen
            else f"there is no test in {inputs.sources.suites} for the plan {plan.name!r}"
        )
    due = plan.every_requirement_due and not plan.select and not select
    refuse_unanswered(inputs.requirements, declared, every_requirement_due=due, selected=select)


STYLES = {
    "PASS": "green",
    "FAIL": "bold red",
    "INCONCLUSIVE": "yellow",
    "ERROR": "bold magenta",
    "UNSET": "magenta",
    "NOT APPLICABLE": "dim",
}


def print_results(results: Results, console: Console) -> None:
    """Print the table of requirements with verdicts and measured values."""
    rows = []
    for row in results.requirements:
        if not row.in_scope:
            continue
        verdict = row.verdict.value
        text = Text.assemble((plain(row.id), "bold"), f" {plain(row.text)}")
        first, *others = [(_judged(row, *told, results), _limit(told[0])) for told in row.told()] or [
            (row.reason or "", "")
        ]
        rows.append((text, Text(verdict, style=STYLES[verdict]), *first))
        rows += [(Text(), Text(), *each) for each in others]  # each beside its own limit, however it is folded
    caption = "Decision rule: guard band w = U, unless the limit names another."
    print_table(console, ("requirement", "verdict", "measured", "limit"), rows, caption=caption, grouped=True)
    print_reported(results.reported, console)
    say_found(results, console)
    if results.judges_nothing:
        say(console, JUDGES_NOTHING)
    say(console, results.in_short)
    for attempts in results.repeated.values():
        said = ", ".join(
            f"{each.attempt} {each.outcome}{', which gives way' if each.superseded else ''}" for each in attempts
        )
        counts = "" if any(each.superseded for each in attempts) else ", and each counts"
        say(console, f"Attempted {len(attempts)} times{counts}: {attempts[0].title} ({said})", "yellow")


def print_reported(reported: Sequence[ReportedRecord], console: Console) -> None:
    """Print what was measured and is judged by no requirement, if anything."""
    if not reported:
        return
    say(console, "Measured, and judged by no requirement:")
    for measurement in reported:
        say(console, f"  {_value(measurement)}")


def _judged(row: RequirementRecord, measurement: JudgedRecord, others: int, results: Results) -> str:
    """Write a measured value; where several tests measured its quantity, with the test and how many more pass."""
    if not row.is_shared(measurement):
        return _value(measurement)
    more = f"; {others} more pass, none nearer to the limit" if others else ""
    return f"{_value(measurement)} ({results.called(measurement.test, measurement.attempt)}{more})"


def _limit(measurement: JudgedRecord) -> str:
    limit = measurement.limit.limit
    return f"{limit}" if measurement.rule is Rule.GUARD_BAND else f"{limit} ({measurement.rule.value})"


def _value(measurement: JudgedRecord | ReportedRecord) -> str:
    return f"{measurement.name}: {value_text(measurement.value, measurement.expanded_uncertainty, measurement.unit)}"
