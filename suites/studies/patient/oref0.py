"""oref0 through the rig's adapter, beside what oref0 decided itself: cases from a file, each agreed or disagreed.

    python -m suites.studies.patient.oref0 [FILE …]

A FILE holds one case, or cases by name, each with `input` and `output`, in one of two forms; other fields of an output
are not looked at. Without a file, those of `reference/oref0` are compared. Exit code: 0 all agree, 1 some do not, 2 a
file is none of this kind, or Node.js or oref0 is not there.

    decisions   input: glucose, pumphistory, profile, currenttemp, autosens, meal_data, microBolusAllowed, clock
                output: glucose_status; iob at iob_offsets_min; result: RESULT, exactly
    insulin     input: clock, history, profile; output: a row every 5 min, min and INSULIN, within 0.001 U

Not responsible for the words of `reason`, which carry a date in local time.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from rig.errors import BenchFileError, DataFileError
from rig.loop.oref0.package import oref0_command
from rig.loop.oref0.process import JsonLines, NoAnswerError
from suites.studies.patient.reference_data import FOLDER

RESULT = (
    "rate",
    "duration",
    "units",
    "eventualBG",
    "insulinReq",
    "predBGs",
    "COB",
    "IOB",
    "deliverAt",
    "temp",
    "error",
)
STATUS = ("glucose", "delta", "short_avgdelta", "long_avgdelta", "noise", "date", "last_cal")
INSULIN = ("iob", "activity", "basaliob", "bolusiob", "iob_zero_temp")
WITHIN_U = 1e-3
"""Oref0 rounds insulin on board to so much."""
EVERY_MIN = 5
_DECIDES, _REMAINS = (
    frozenset({"glucose", "pumphistory", "profile", "clock"}),
    frozenset({"history", "profile", "clock"}),
)
Case = Mapping[str, Any]


def reference_files(folder: Path = FOLDER) -> tuple[Path, ...]:
    """The files of cases below a folder of references."""
    return tuple(sorted((folder / "oref0").glob("*.json")))


def read_cases(path: Path) -> dict[str, Case]:
    """Read cases by name; DataFileError when the file holds none, or something else."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DataFileError(f"{path}: cannot be read ({error.strerror})") from error
    except ValueError as error:
        raise DataFileError(f"{path}: is no JSON ({error})") from error
    if not isinstance(content, dict) or not content:
        raise DataFileError(f"{path}: holds no cases by name")
    if content.keys() >= {"input", "output"}:
        content = {path.stem: content}
    for name, case in content.items():
        asked = case.get("input") if isinstance(case, dict) else None
        known = isinstance(asked, dict) and any(asked.keys() >= form for form in (_DECIDES, _REMAINS))
        if not known or "output" not in case:
            forms = " or ".join(", ".join(sorted(form)) for form in (_DECIDES, _REMAINS))
            raise DataFileError(f"{path}: {name!r} is no case: it has 'output', and 'input' with {forms}")
    return content


def disagreements(oref0: JsonLines, case: Case) -> list[str]:
    """List what of a case comes out otherwise through the adapter, as "rate: 1.5, and it was 1.4"."""
    asked, expected = case["input"], case["output"]
    decides = asked.keys() >= _DECIDES
    try:
        answer = oref0.ask({"ask": "decide" if decides else "iob", "case": asked})
    except NoAnswerError as error:
        return [str(error)]
    if "error" in answer:
        return [str(answer["error"])]
    try:
        return list(_of_decision(answer, expected) if decides else _of_insulin(answer["iob"], expected))
    except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
        return [f"its output is not of this form: {type(error).__name__} {error}"]


def _of_decision(answer: Mapping[str, Any], expected: Mapping[str, Any]) -> Iterator[str]:
    yield from _exactly("", RESULT, answer["result"], expected["result"])
    yield from _exactly("glucose status, ", STATUS, answer["glucose_status"], expected.get("glucose_status"))
    told_iob = expected.get("iob", ())
    offsets = expected.get("iob_offsets_min", [EVERY_MIN * at for at in range(len(told_iob))])
    for offset, theirs in zip(offsets, told_iob, strict=True):
        ours = answer["iob"][offset // EVERY_MIN]
        for of, mine, told in (("", ours, theirs), ("zero temp, ", ours["iobWithZeroTemp"], theirs["iobWithZeroTemp"])):
            yield from _nearly(f"{of}at {offset} min, ", INSULIN[:-1], mine, told)


def _of_insulin(answer: Sequence[Mapping[str, Any]], expected: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    if not expected:
        yield "the case has no rows of output"
    for theirs in expected:
        ours = answer[int(theirs["min"]) // EVERY_MIN]
        mine = {**ours, "iob_zero_temp": ours["iobWithZeroTemp"].get("iob")}
        yield from _nearly(f"at {theirs['min']} min, ", INSULIN, mine, theirs)


def _exactly(
    where: str, names: Sequence[str], ours: Mapping[str, Any], theirs: Mapping[str, Any] | None
) -> Iterator[str]:
    for name in names if theirs is not None else ():
        mine, told = ours.get(name), (theirs or {}).get(name)
        if mine != told:
            yield f"{where}{name}: {mine}, and it was {told}"


def _nearly(where: str, names: Sequence[str], ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> Iterator[str]:
    for name in names:
        mine, told = ours.get(name), theirs.get(name)
        if told is None and mine is None:
            continue
        if told is None or mine is None or abs(mine - told) > WITHIN_U:
            yield f"{where}{name}: {mine}, and it was {told}"


def compared(files: Sequence[Path]) -> dict[str, list[str]]:
    """Compare all cases of files: what disagrees, by file and name of the case.

    Raises:
        BenchFileError: Node.js or oref0 is not there.
        DataFileError: a file holds no cases.
    """
    cases = {f"{path.name}, {name}": case for path in files for name, case in read_cases(path).items()}
    oref0 = JsonLines(oref0_command())
    try:
        return {name: disagreements(oref0, case) for name, case in cases.items()}
    finally:
        oref0.close()


def main() -> int:
    """Print agreed or disagreed for each case."""
    console = Console(width=150)
    try:
        found = compared([Path(each) for each in sys.argv[1:]] or reference_files())
    except (BenchFileError, DataFileError) as error:
        Console(stderr=True, soft_wrap=True).print(str(error), markup=False)
        return 2
    for name, wrong in found.items():
        console.print(f"{'disagreed' if wrong else 'agreed'}: {name}", markup=False)
        for each in wrong[:10]:
            console.print(f"    {each}", markup=False)
    agreed = sum(not wrong for wrong in found.values())
    console.print(f"{agreed} of {len(found)} agreed")
    return 0 if agreed == len(found) else 1


if __name__ == "__main__":
    sys.exit(main())
