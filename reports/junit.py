"""Runs as one JUnit file, for servers that show what a build has tested: a suite a run, a case a test.

Judged from the record alone. No case is better than what its requirements came to, and where a run's verdict is that of
no test (a requirement that no test decides, a run that broke off), it has a case of its own: a file without a failure
and without an error is a run that passed. Not responsible for verdicts (`rig.run.results`).
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from reports.tested import attempts_by_test, verdict_in, verdict_of_ends
from rig.errors import BenchFileError, EvidenceError
from rig.record.files import write_whole
from rig.record.reading import Run
from rig.record.results import JudgedRecord, RequirementRecord, Results, TestRecord
from rig.run.reading import read_whole_run
from rig.verdicts.limits import Verdict, worst

ELEMENTS = {
    Verdict.FAIL: "failure",
    Verdict.ERROR: "error",
    Verdict.UNSET: "error",
    Verdict.INCONCLUSIVE: "error",
    Verdict.NOT_APPLICABLE: "skipped",
}
"""What a case holds by its verdict; nothing where it passed."""
_OF_RUN = "rig.run"
_OF_REQUIREMENT = "rig.requirement"


@dataclass(frozen=True)
class JUnitCase:
    """A case of a JUnit file: where it belongs, its name, its verdict with why, its s of bench time, and more."""

    place: str
    name: str
    verdict: Verdict
    why: str
    duration_s: float
    properties: tuple[tuple[str, str], ...] = ()


def refuse_unwritable(path: Path) -> None:
    """Refuse a place for a JUnit file before anything is measured; BenchFileError says what is in the way."""
    if path.exists():
        raise BenchFileError(f"--junit {path}: is there already, and nothing is overwritten; name another file")
    folder = next(each for each in path.absolute().parents if each.exists())
    if not folder.is_dir():
        raise BenchFileError(f"--junit {path}: {folder} is a file; name a folder that can be written")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise BenchFileError(f"--junit {path}: the folder {folder} cannot be written; name another one")


def write_junit(path: Path, runs: Mapping[str, Path]) -> None:
    """Write one file of all runs, by what each is called; a run that cannot be read is an error in it.

    Raises:
        EvidenceError: the file cannot be written.
    """
    suites = []
    for called, folder in runs.items():
        try:
            suites.append(_suite(called, read_whole_run(folder)))
        except EvidenceError as error:
            broken = JUnitCase(_OF_RUN, "the run", Verdict.ERROR, str(error), 0.0)
            suites.append(_suite_of(called, [broken], ()))
    write_whole(path, _file(suites))


def cases_of(results: Results, reason: str | None = None) -> list[JUnitCase]:
    """List a run's cases: its tests in their order, then requirements that no test decides, then the run itself.

    The worst of their verdicts is never better than the run's own.
    """
    cases = [_case(attempts, results) for attempts in attempts_by_test(results).values()]
    for row in results.requirements:
        if row.in_scope and not row.tests:
            cases.append(JUnitCase(_OF_REQUIREMENT, row.id, row.verdict, row.reason or "", 0.0, _of_row(row)))
    whole = worst([each.verdict for each in cases]) if cases else None
    ended = results.outcome in (None, "complete")
    if worst([results.verdict, *([whole] if whole else [])]) is not whole or not ended:
        told = reason or (f"the run was {results.outcome}" if not ended else results.in_short)
        verdict = results.verdict if ended else worst([results.verdict, Verdict.ERROR])
        cases.append(JUnitCase(_OF_RUN, "the run", verdict, told, 0.0))
    return cases


def _case(attempts: Sequence[TestRecord], results: Results) -> JUnitCase:
    test = attempts[-1]
    rows = [row for row in results.requirements if row.in_scope and test.id in row.tests]
    reasons = []
    for row in rows:
        verdict = verdict_in(results, row, attempts)
        if verdict not in (Verdict.PASS, Verdict.NOT_APPLICABLE):
            values = [_told(each) for each in row.measurements if each.test == test.id and each.verdict is verdict]
            reasons.append(f"{row.id} {verdict.value}: {'; '.join(values) or row.reason or test.message or row.text}")
    judged = [verdict_in(results, row, attempts) for row in rows]
    verdict = worst([*judged, *([] if rows else [verdict_of_ends(attempts)])])
    why = "\n".join(reasons) or test.message or next((row.reason for row in rows if row.reason), None) or test.outcome
    place, _, name = test.id.partition("::")
    properties: list[tuple[str, str]] = [("attempts", str(len(attempts)))]
    properties += [(f"attempt {each.attempt}", each.outcome) for each in attempts if len(attempts) > 1]
    for row in rows:
        properties += [("requirement", row.id), (f"{row.id} verdict", row.verdict.value)]
        for each in row.measurements:
            if each.test == test.id:
                properties += _of_value(row, each, repeated=len(attempts) > 1)
    for reported in results.reported:
        if reported.test == test.id:
            properties.append((f"{reported.name} value", repr(reported.value)))
            properties.append((f"{reported.name} U", repr(reported.expanded_uncertainty)))
            properties.append((f"{reported.name} unit", reported.unit))
    module = place.removesuffix(".py").removesuffix(".robot").replace("/", ".")
    took = sum(each.duration_s for each in attempts)
    return JUnitCase(module, name or test.id, verdict, why, took, tuple(properties))


def _of_row(row: RequirementRecord) -> tuple[tuple[str, str], ...]:
    return (("requirement", row.id), (f"{row.id} verdict", row.verdict.value))


def _of_value(row: RequirementRecord, each: JudgedRecord, *, repeated: bool) -> list[tuple[str, str]]:
    called = f"{row.id} {each.name}" + (f", attempt {each.attempt}" if repeated else "")
    return [
        (f"{called} value", repr(each.value)),
        (f"{called} U", repr(each.expanded_uncertainty)),
        (f"{called} unit", each.unit),
        (f"{called} limit", str(each.limit.limit)),
        (f"{called} verdict", each.verdict.value),
    ]


def _told(each: JudgedRecord) -> str:
    return (
        f"{each.name} {each.value:.6g} {each.unit}, U {each.expanded_uncertainty:.2g} {each.unit}, "
        f"limit {each.limit.limit}"
    )


def _suite(called: str, run: Run) -> ElementTree.Element:
    manifest = run.manifest
    device = manifest.dut
    properties = [
        ("run", manifest.run_id),
        ("verdict", run.results.verdict.value),
        ("outcome", manifest.outcome),
        ("SIMULATED", "yes" if manifest.virtual else "no"),
        ("NOT FORMAL", "no" if manifest.formal else "yes"),
        ("plan", manifest.plan.name if manifest.plan else ""),
        ("pump", f"{device.maker} {device.model}" if device else ""),
        ("serial number", (device.serial_number or "") if device else ""),
        ("firmware SHA-256", manifest.firmware_sha256 or ""),
    ]
    return _suite_of(called, cases_of(run.results, manifest.reason), [each for each in properties if each[1]])


def _suite_of(called: str, cases: Sequence[JUnitCase], properties: Sequence[tuple[str, str]]) -> ElementTree.Element:
    counts = {
        name: sum(ELEMENTS.get(each.verdict) == name for each in cases) for name in ("failure", "error", "skipped")
    }
    suite = ElementTree.Element(
        "testsuite",
        name=in_xml(called),
        tests=str(len(cases)),
        failures=str(counts["failure"]),
        errors=str(counts["error"]),
        skipped=str(counts["skipped"]),
        time=f"{sum(each.duration_s for each in cases):.3f}",
    )
    _add_properties(suite, properties)
    marks = [each for each in properties if each in (("SIMULATED", "yes"), ("NOT FORMAL", "yes"))]
    for each in cases:
        case = ElementTree.SubElement(
            suite, "testcase", classname=in_xml(each.place), name=in_xml(each.name), time=f"{each.duration_s:.3f}"
        )
        _add_properties(case, [("verdict", each.verdict.value), *each.properties, *marks])
        if each.verdict in ELEMENTS:
            said = in_xml(each.why)
            first = said.splitlines()[0] if said.strip() else each.verdict.value
            ending = ElementTree.SubElement(case, ELEMENTS[each.verdict], message=first, type=each.verdict.value)
            ending.text = said
    return suite


def _add_properties(element: ElementTree.Element, properties: Sequence[tuple[str, str]]) -> None:
    if properties:
        parent = ElementTree.SubElement(element, "properties")
        for name, value in properties:
            ElementTree.SubElement(parent, "property", name=in_xml(name), value=in_xml(value))


def _file(suites: Sequence[ElementTree.Element]) -> bytes:
    root = ElementTree.Element("testsuites", name="rig verify")
    for name in ("tests", "failures", "errors", "skipped"):
        root.set(name, str(sum(int(suite.get(name, "0")) for suite in suites)))
    root.extend(suites)
    ElementTree.indent(root)
    return bytes(ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)) + b"\n"


def in_xml(text: str) -> str:
    """Write each character that XML 1.0 allows in no document by its number, such as [U+0000]."""
    return "".join(each if _is_allowed(ord(each)) else f"[U+{ord(each):04X}]" for each in text)


def _is_allowed(code: int) -> bool:
    """Tell by XML 1.0 (fifth edition), 2.2, production 2 `Char`."""
    return code in (0x9, 0xA, 0xD) or 0x20 <= code <= 0xD7FF or 0xE000 <= code <= 0xFFFD or 0x10000 <= code <= 0x10FFFF
