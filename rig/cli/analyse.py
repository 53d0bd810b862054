"""`rig analyse`: the options of the command, made from the one model of them. Not responsible for what they mean.

`rig.offline.question` says which options there are; here they become flags.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from rig.errors import DataFileError
from rig.offline.question import LogKind, Question, flags, written

EXIT_USAGE = 2
EXIT_RIG = 3

_OWN = {
    "files": Annotated[
        list[Path] | None,
        typer.Argument(help="Balance or flow logs, or folders of them: CSV, print-outs, workbooks.", metavar="FILE…"),
    ],
    "job": Annotated[
        Path | None, typer.Option("--job", help="Job file: files and options as TOML.", metavar="FILE")
    ],
    "as_": Annotated[
        str | None, typer.Option("--as", help="Format of the files: a name, or a TOML file.", metavar="FORMAT")
    ],
    "explain": Annotated[
        bool, typer.Option("--explain", help="Print how each file is understood, and analyse nothing.")
    ],
    "out": Annotated[
        Path | None, typer.Option("--out", help="New folder; default: <file>-analysis.", metavar="DIR")
    ],
}  # fmt: skip


def _options() -> dict[str, Any]:
    """Give the annotation of each parameter of the command."""
    found: dict[str, Any] = dict(_OWN)
    for name, flag in flags().items():
        field = Question.model_fields[name]
        kind: Any = bool if field.annotation is bool else Path if name == "starts" else str
        if field.default == ():
            kind = list[str]
        option = typer.Option(
            written(name),
            help=flag.help,
            metavar=flag.metavar or None,
            rich_help_panel=flag.panel,
            show_default=False,
        )
        found[name] = Annotated[kind | None, option] if kind is not bool else Annotated[bool, option]
    return found


def analyse(**given: Any) -> None:  # noqa: ANN401 - `_options` says what each is
    """Analyse balance and flow logs from elsewhere; write tables, curves, an interactive page and a PDF.

    A MOMENT is a time on the clock of the log, such as "30 min", or a timestamp when the log has timestamps.
    Options come from flags, from a job file, from a format; the former outweigh the latter.
    Exit code: 0 analysed; 2 wrong usage, or a file that cannot be analysed as asked.
    """
    from rig.offline.formats import LOGS, SOUNDS, logs_in, merged, read_format, read_job
    from rig.record.folder import holds_a_run

    files, job_file, form, explain, out = (given.pop(name) for name in _OWN)
    job = read_job(job_file) if job_file is not None else None
    form = form if form is not None else job.format if job is not None else None
    asked = merged(
        read_format(form) if form is not None else {},
        job.options if job is not None else {},
        {name: value for name, value in given.items() if value not in (None, False, [], ())},
    )
    named = files or (job.files if job is not None else ())
    if any(holds_a_run(path) for path in named):
        _compute_runs_again(named)
        return
    paths = logs_in(named, SOUNDS if asked.kind == LogKind.ALARM.value else LOGS)
    if not paths:
        raise DataFileError("no file is named: name logs or a folder, or give --job")
    if explain:
        _explain(paths, asked)
    else:
        _analyse(paths, asked, out or (job.out if job is not None else None))


def _compute_runs_again(paths: Sequence[Path]) -> None:
    """Print every value of each run, computed again from its record; exit code 3 where one differs from the record."""
    from rich.console import Console

    from rig.cli.settling import settle
    from rig.offline.recomputed import all_differences, recompute

    settle(paths, Console(highlight=False))
    differing = []
    for path in paths:
        found = recompute(path)
        for each in found:
            if each.refused is not None:
                _say(f"{each.test}: not computed ({each.refused})")
            for value in each.measured:
                unit, u = value.unit, value.expanded_uncertainty
                _say(f"{each.test}: {value.name}: {value.value:.6g} {unit}" + (f", U = {u:.3g} {unit}" if u else ""))
        differences = all_differences(found)
        differing += differences
        count = sum(len(each.measured) for each in found)
        _say(
            *differences, f"{path}: {count} values computed again; {len(differences) or 'none'} differ from the record"
        )
    if differing:
        raise typer.Exit(EXIT_RIG)


def _explain(paths: Sequence[Path], asked: Question) -> None:
    from rig.offline.explain import explained

    refused = False
    for path in paths:
        lines, why = explained(path, asked)
        _say(*lines)
        if why is not None:
            _say(f"Not understood: {why}")
            refused = True
    if refused:
        raise typer.Exit(EXIT_USAGE)


def _analyse(paths: Sequence[Path], asked: Question, out: Path | None) -> None:
    from datetime import datetime
    from importlib.metadata import version

    from reports.supplied import NO_RUN, AnalysisJob, write_analysis
    from rig.offline.analyse import Supplied, analyse_file
    from rig.offline.compare import rows_of, write_comparison_of_logs
    from rig.offline.question import given
    from rig.record.files import free_folder, utc_now

    supplied: list[Supplied] = []
    refused: dict[str, str] = {}
    for path in paths:
        try:
            supplied.append(analyse_file(path, asked))
        except DataFileError as error:
            if len(paths) == 1:
                raise
            refused[path.name] = str(error)
    if not supplied:
        first, others = next(iter(refused.values())), len(refused) - 1
        raise DataFileError(f"{first}{f' (and {others} more files that cannot be analysed)' if others else ''}")
    for each in supplied:
        _say(*(f"{each.source.file}: {finding.sentence}" for finding in (*each.understood, *each.analysed.findings)))
        _say(*each.analysed.lines)
    job = AnalysisJob(given(asked), datetime.fromisoformat(utc_now()), version("insulin-pump-rig"))
    folder = out if out is not None else free_folder(Path(f"{paths[0].stem}-analysis"))
    written_paths = write_analysis(folder, [each.record() for each in supplied], job)
    for each in supplied:
        for value in each.analysed.measured:
            u = (
                "U not known"
                if value.expanded_uncertainty is None
                else f"U = {value.expanded_uncertainty:.3g} {value.unit}"
            )
            _say(f"{each.source.file}: {value.name}: {value.value:.5g} {value.unit}, {u}")
    if len(paths) > 1:
        marks = [NO_RUN, *(["SIMULATED"] if any(each.simulated for each in supplied) else [])]
        written_paths.append(write_comparison_of_logs(folder / "comparison.csv", rows_of(supplied, refused), marks))
    _say(*map(str, written_paths))
    if refused:
        for why in refused.values():
            print(f"rig: {_shown(why, sys.stderr.encoding)}", file=sys.stderr)  # noqa: T201 - plain, never folded
        raise typer.Exit(EXIT_USAGE)


def _say(*lines: str) -> None:
    """Print plain lines: brackets are no markup, and what the terminal cannot show is replaced."""
    for line in lines:
        typer.echo(_shown(line, getattr(sys.stdout, "encoding", None)))


def _shown(line: str, encoding: str | None) -> str:
    """Write control characters as escapes, and what an encoding lacks as question marks."""
    plain = "".join(each if each.isprintable() else repr(each)[1:-1] for each in line)
    return plain.encode(encoding or "utf-8", "replace").decode(encoding or "utf-8", "replace")


_ANNOTATIONS = _options()
analyse.__annotations__ = {**_ANNOTATIONS, "return": None}
vars(analyse)["__signature__"] = inspect.Signature(
    [
        inspect.Parameter(
            name,
            inspect.Parameter.KEYWORD_ONLY,
            default=False
            if name == "explain" or (name in Question.model_fields and Question.model_fields[name].annotation is bool)
            else None,
            annotation=annotation,
        )
        for name, annotation in _ANNOTATIONS.items()
    ]
)
