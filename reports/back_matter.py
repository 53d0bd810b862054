"""What stands behind the results: tests and air, deviations, software.

Not responsible for layout (`document.typ`) nor for the prose on method (`reports.method`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from reports.pump_runs import every_run_of_pump
from reports.words import NONE, duration, plain_reason, span
from rig.record.reading import RecordedAir, Run
from rig.record.results import Results, TestRecord
from rig.verdicts.limits import Verdict

_SOFTWARE = "insulin-pump-rig"


def tests(run: Run) -> list[dict[str, str]]:
    """List the tests with how they ended, how long they took on the bench's clock, and the air around the balance."""
    return [
        {
            "title": run.results.called(test.id, test.attempt) if test.id in run.results.repeated else test.title,
            "id": test.id,
            "requirements": ", ".join(test.requirements),
            "outcome": test.outcome,
            "duration": duration(test.duration_s),
            "air": _air(run.air.get(test.id)),
        }
        for test in run.results.tests
    ]


def _air(air: RecordedAir | None) -> str:
    if air is None:
        return NONE
    low, high = air.relative_humidity
    return "\n".join(
        (
            span(air.temperature_c, "°C", 1),
            span(air.pressure_hpa, "hPa", 0),
            span((100.0 * low, 100.0 * high), "% RH", 0),
        )
    )


def deviations(run: Run) -> list[dict[str, Any]]:
    """Group what a reader must know before trusting the results; groups that are empty stay, and say so."""
    results = run.results
    open_verdicts = (Verdict.INCONCLUSIVE, Verdict.UNSET, Verdict.NOT_APPLICABLE)
    failed = [test for test in results.tests if test.outcome == "failed"]
    disturbed = [test for test in results.tests if test.outcome in ("error", "interrupted", "not run")]
    undecided = [row for row in results.requirements if row.in_scope and row.verdict in open_verdicts]
    of_pump = [_item(head, said) for head, said in every_run_of_pump(run)]
    return [
        {"title": "Tests that the pump failed", "items": _by_message(failed)},
        {"title": "Tests that the rig could not finish", "items": _by_message(disturbed)},
        {
            "title": "Not decided",
            "items": [
                _item(f"{row.id} is {row.verdict.value}", row.reason or _too_close(row.verdict)) for row in undecided
            ],
        },
        {"title": "What does not hold over the whole record of a test", "items": _found(results)},
        {"title": "Incidents that ended no test", "items": _incidents(results.tests)},
        {"title": "Other than planned", "items": _departures(run)},
        *([{"title": "Every run of this pump, by the bench's ledger", "items": of_pump}] if of_pump else []),
    ]


def _by_message(tests: Sequence[TestRecord]) -> list[dict[str, str]]:
    """Name together the tests that ended for the same reason."""
    titles: dict[str, list[str]] = {}
    for test in tests:
        titles.setdefault(test.message or "", []).append(test.title.rstrip("."))
    return [_item("; ".join(names), plain_reason(message)) for message, names in titles.items()]


def _repeated(results: Results) -> list[dict[str, str]]:
    """List the tests that were attempted more than once, and how each attempt ended."""
    return [
        _item(
            f"Attempted {len(attempts)} times: {attempts[0].title.rstrip('.')}",
            "each attempt counts; " + "; ".join(f"attempt {each.attempt} {_ended(each)}" for each in attempts),
        )
        for attempts in results.repeated.values()
    ]


def _ended(test: TestRecord) -> str:
    return f"{test.outcome}: {plain_reason(test.message)}" if test.message else test.outcome


def _incidents(tests: Sequence[TestRecord]) -> list[dict[str, str]]:
    """List what went wrong and ended nothing; the same of one test and device once, with how often and when first."""
    items = []
    for test in tests:
        times: dict[tuple[str, str], list[float]] = {}
        for each in test.incidents:
            times.setdefault((each.of_whom, each.what), []).append(each.at_s)
        for (of_whom, what), at_s in times.items():
            often = f", {len(at_s)} times" if len(at_s) > 1 else ""
            why = f"{plain_reason(what)} (first at {duration(at_s[0])} on the bench's clock{often})"
            items.append(_item(f"{test.title.rstrip('.')}: {of_whom}", why))
    return items


def _found(results: Results) -> list[dict[str, str]]:
    """List what was found when everything was looked through that tests have recorded; the same test together."""
    by_test: dict[tuple[str, str], list[str]] = {}
    for each in results.found:
        called = results.called(each.test, each.attempt)
        by_test.setdefault((called, each.invariant), []).append(f"{each.what} (at {duration(each.at_s)})")
    return [
        _item(f"{called}: {invariant}", "; ".join(said[:3]) + (f"; and {len(said) - 3} more" if len(said) > 3 else ""))
        for (called, invariant), said in by_test.items()
    ]


def _item(what: str, why: str | None) -> dict[str, str]:
    return {"what": what, "why": why or ""}


def _too_close(verdict: Verdict) -> str | None:
    return "value ± U reaches across the limit" if verdict is Verdict.INCONCLUSIVE else None


def _departures(run: Run) -> list[dict[str, str]]:
    manifest = run.manifest
    items = []
    if manifest.outcome != "complete":
        why = f": {manifest.reason}" if manifest.reason is not None else ""
        items.append(_item("The run is not complete", f"it ended as “{manifest.outcome}”{why}"))
    items += [_item("The host's clock", f"{step}") for step in manifest.clock_steps]
    if manifest.resumes is not None:
        items.append(
            _item(
                "Resumed run",
                f"goes on with the run {manifest.resumes.run_id} and holds its tests; SHA-256 of that run's "
                f"closing.json: {manifest.resumes.closing_sha256}",
            )
        )
    if manifest.selected:
        items.append(_item("Partial run", f"only tests selected by “{manifest.selected}”"))
    items += [
        _item(f"Bench setting {key}", f"set to {value} for this run") for key, value in manifest.overrides.items()
    ]
    items += _repeated(run.results)
    items += [_item(f"Bench check, {role}", problem) for role, problem in manifest.problems.items()]
    items += [_item("Pump sheet and driver", sentence) for sentence in manifest.contradictions]
    for entry in manifest.equipment:
        if entry.status == "overdue" and entry.role not in manifest.problems:
            items.append(_item(f"Equipment: {entry.role}", f"calibration was due on {entry.calibration_due}"))
    if manifest.commit is None:
        items.append(_item("Software", "the revision of the rig software is not recorded"))
    elif manifest.commit.endswith("-dirty"):
        items.append(_item("Software", "the rig software differed from its recorded revision"))
    return items


def _declared(table: dict[str, Any]) -> str:
    return ", ".join(
        _plain(value) if key == "name" else f"{key.replace('_', ' ')} {_plain(value)}" for key, value in table.items()
    )


def _plain(value: object) -> str:
    if isinstance(value, dict):
        return " ".join(f"{key} {inner}" for key, inner in value.items())
    if isinstance(value, list):
        return " … ".join(str(inner) for inner in value)
    return str(value)


def identification(run: Run) -> list[tuple[str, str]]:
    """List what identifies software, firmware and files; hashes are SHA-256."""
    manifest = run.manifest
    others = {name: version for name, version in manifest.versions.items() if name != _SOFTWARE}
    fluid = manifest.bench.get("fluid")
    return [
        ("Rig software", f"{_SOFTWARE} {manifest.versions.get(_SOFTWARE, '(version not recorded)')}"),
        ("Revision", manifest.commit or "not recorded"),
        ("Runs on", ", ".join(f"{name} {version}" for name, version in others.items())),
        ("Qualification of PC and bench", manifest.qualification or "none"),
        *([("Pump", manifest.pump_stage)] if manifest.pump_stage else []),
        *([("Number on the bench's ledger", str(manifest.ledger_number))] if manifest.ledger_number else []),
        ("Device firmware", manifest.dut.firmware if manifest.dut else "not identified"),
        ("Firmware image", manifest.firmware_sha256 or "not recorded"),
        ("Bench file", f"{manifest.bench_file}\n{manifest.bench_sha256}"),
        ("Requirements file", f"{manifest.requirements_file}\n{manifest.requirements_sha256}"),
        *([("Pump sheet", f"{manifest.pump_sheet.file}\n{manifest.pump_sheet.sha256}")] if manifest.pump_sheet else []),
        *([("Test plan", f"{manifest.plan.file}\n{manifest.plan.sha256}")] if manifest.plan else []),
        *([("Fluid", _declared(fluid))] if isinstance(fluid, dict) else []),
        *([("Seed of the simulation", str(manifest.seed))] if manifest.virtual else []),
    ]
