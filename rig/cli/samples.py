"""`rig samples`: how many samples a statement needs, and whether a bench can decide a limit, before measuring.

Parses what people write and prints the answer. Not responsible for the formulas (`rig.analysis`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from rich.console import Console
from rich.text import Text

from rig.analysis.capability import Decidability, Measurand, Statistic, capability
from rig.analysis.success_run import trials_needed
from rig.analysis.tolerance import Sides, values_needed
from rig.bench.declared import metrology
from rig.bench.file import parse_override, read_bench_file
from rig.cli.printing import print_table, say
from rig.errors import BenchFileError
from rig.procedures.bolus import BOLUS_H
from rig.procedures.volume import VolumeScale
from rig.run.decidable import ASSUMED_AIR, cannot
from rig.run.results import EXIT_CODES
from rig.units import parse, ul_from_u
from rig.verdicts.limits import Rule, Verdict

_Choice = TypeVar("_Choice")

UNDECIDED = EXIT_CODES[Verdict.INCONCLUSIVE]


@dataclass(frozen=True)
class SamplesQuestion:
    """What was asked on the command line, as it was written."""

    confidence: str = "95 %"
    reliability: str | None = None
    failures: int = 0
    tolerance: str | None = None
    sd: str | None = None
    mean: str = "0 %"
    bench: Path = Path()
    settings: tuple[str, ...] = ()
    rate: str | None = None
    window: str | None = None
    bolus: str | None = None
    limit: str | None = None
    n: int = 1
    of: str = "each"
    rule: str = "guard band"


def print_samples(question: SamplesQuestion, *, console: Console) -> int:
    """Answer a question and print the answer; 0 when it can be done, 4 when not.

    Raises:
        BenchFileError: one sentence on what is missing, has no unit or is out of its range.
    """
    asked = {
        "--tolerance": question.tolerance is not None,
        "--rate": question.rate is not None,
        "--bolus": question.bolus is not None,
    }
    modes = [name for name, given in asked.items() if given]
    if len(modes) > 1:
        raise BenchFileError(f"rig samples: {' and '.join(modes)} are different questions: ask one at a time")
    if not modes and question.reliability is None:
        raise BenchFileError(
            "rig samples: ask with --reliability, or with --tolerance and --sd, or with --rate, --window and --limit, "
            "or with --bolus and --limit"
        )
    if not modes:
        return _plan_trials(question, console)
    return _plan_values(question, console) if modes == ["--tolerance"] else _plan_bench(question, console)


def _plan_trials(question: SamplesQuestion, console: Console) -> int:
    confidence, reliability = _share("--confidence", question.confidence), _share("--reliability", question.reliability)
    try:
        n = trials_needed(confidence=confidence, reliability=reliability, failures=question.failures)
    except ValueError as error:
        raise BenchFileError(f"rig samples: {error}") from None
    say(
        console,
        f"{n} trials with {question.failures} failures or fewer show a reliability of {100 * reliability:g} % with "
        f"{100 * confidence:g} % confidence.",
    )
    return 0


def _plan_values(question: SamplesQuestion, console: Console) -> int:
    sides, limit = _limit("--tolerance", question.tolerance, "percent")
    sd = _above_zero("--sd", question.sd, "percent")
    mean = _parsed("--mean", question.mean, "percent")
    confidence = _share("--confidence", question.confidence)
    coverage = _share("--reliability", question.reliability or "95 %")
    margin = limit - (abs(mean) if sides is Sides.TWO else mean)
    claim = f"{100 * coverage:g} % of all lie inside {question.tolerance}, with {100 * confidence:g} % confidence"
    n = None
    if margin > 0:
        n = values_needed(margin=margin, sd=sd, confidence=confidence, coverage=coverage, sides=sides)
    if n is None:
        say(
            console,
            f"No number of values can show that {claim}: mean {mean:g} % and SD {sd:g} % leave no room; you need a "
            "smaller SD, a mean nearer to 0, or a wider limit.",
        )
        return UNDECIDED
    say(console, f"{n} values (normal, mean {mean:g} %, SD {sd:g} %) show that {claim}.")
    return 0


def _plan_bench(question: SamplesQuestion, console: Console) -> int:
    spec, _ = read_bench_file(question.bench, dict(parse_override(text) for text in question.settings))
    scale = VolumeScale.in_air(metrology(spec), ASSUMED_AIR)
    measurand, tolerance_percent = _measurand(question)
    rule = _choice("--rule", question.rule, {rule.value: rule for rule in Rule})
    found = capability(
        measurand, scale.weighing, tolerance_percent=tolerance_percent, z_ul_per_mg=scale.z_factor_ul_per_mg, rule=rule
    )
    _print_decidability(question, found, spec.name, console)
    if found.decidable:
        return 0
    say(console, cannot(found, measurand))
    return UNDECIDED


def _measurand(question: SamplesQuestion) -> tuple[Measurand, float]:
    """What shall be weighed, and half the width of its limit in %."""
    statistic = _choice("--of", question.of, {each.value: each for each in Statistic})
    if question.rate is not None:
        rate_u_per_h = _above_zero("--rate", question.rate, "rate_u_per_h")
        hours = _above_zero("--window", question.window, "time_s") / 3600.0
        _, tolerance_percent = _limit("--limit", question.limit, "percent")
        volume_ul = ul_from_u(rate_u_per_h * hours)
        return Measurand(volume_ul, hours, question.n, statistic, is_rate=True), tolerance_percent
    bolus_u = _above_zero("--bolus", question.bolus, "insulin_u")
    dimension = "percent" if (question.limit or "").rstrip().endswith("%") else "insulin_u"
    _, limit = _limit("--limit", question.limit, dimension)
    tolerance_percent = limit if dimension == "percent" else 100.0 * limit / bolus_u
    return Measurand(ul_from_u(bolus_u), BOLUS_H, question.n, statistic), tolerance_percent


def _print_decidability(question: SamplesQuestion, found: Decidability, bench_name: str, console: Console) -> None:
    what = f"{question.rate} over {question.window}" if question.rate else f"a bolus of {question.bolus}"
    columns = ("limit", "rule", "expected U (k = 2)", "noise widens extremes by", "room for the pump", "decidable")
    row = (
        f"{question.limit}",
        question.rule,
        f"{found.expanded_percent:.3g} %",
        f"{found.bias_percent:.3g} %",
        f"{found.room_percent:.3g} %",
        Text("yes", style="green") if found.decidable else Text("NO", style="red"),
    )
    print_table(console, columns, [row], title=f"{bench_name}: {question.of} of n = {question.n}, {what}")


def _share(option: str, text: str | None) -> float:
    """Parse "95" or "95 %" into 0.95; a bare 0.95 is refused, for it would be taken as 0.95 %."""
    written = text or ""
    signed = written.rstrip().endswith("%")
    percent = _parsed(option, written if signed else f"{written} %", "percent")
    if not signed and 0.0 < percent <= 1.0:
        raise BenchFileError(f"{option} {written!r}: a share is written in percent, such as '95 %', not as a fraction")
    if not 0.0 < percent < 100.0:
        raise BenchFileError(f"{option} {written!r}: it must lie between 0 % and 100 %")
    return percent / 100.0


def _limit(option: str, text: str | None, dimension: str) -> tuple[Sides, float]:
    """Parse "±5 %" or "≤5 %" into the sides of the limit and its size."""
    written = (text or "").strip()
    for sign, sides in (("±", Sides.TWO), ("+-", Sides.TWO), ("≤", Sides.UPPER), ("<=", Sides.UPPER)):
        if written.startswith(sign):
            return sides, _above_zero(option, written.removeprefix(sign), dimension)
    raise BenchFileError(f"{option} {written!r}: write a limit as '±5 %' or '≤5 %'")


def _above_zero(option: str, text: str | None, dimension: str) -> float:
    if text is None:
        raise BenchFileError(f"{option} is missing: write it with its unit")
    value = _parsed(option, text, dimension)
    if value <= 0:
        raise BenchFileError(f"{option} {text!r}: it must be above 0")
    return value


def _parsed(option: str, text: str, dimension: str) -> float:
    try:
        return parse(text, dimension)
    except ValueError as error:
        raise BenchFileError(f"{option}: {error}") from None


def _choice(option: str, text: str, known: Mapping[str, _Choice]) -> _Choice:
    if text not in known:
        raise BenchFileError(f"{option} {text!r}: it is one of {', '.join(map(repr, known))}")
    return known[text]
