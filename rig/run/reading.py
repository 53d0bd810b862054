"""A run, read back, with its results held against the parts that they were made of.

`rig.record.reading` finds what was changed since the run was closed; this finds results that were written anew together
with the list: they are joined again from the tests' own files and the frozen requirements. Not responsible for
computing any value again (`rig.offline.recomputed`).
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rig.errors import EvidenceError
from rig.record.folder import RECORD, RunFolder
from rig.record.manifest import Manifest
from rig.record.reading import Run, read_run
from rig.record.results import Results
from rig.run.inputs import BENCH, FIRMWARE, PLAN, PUMP_SHEET, REQUIREMENTS, fit_for_json, frozen_requirements
from rig.run.results import join_run
from rig.verdicts.limits import Verdict, worst


def read_whole_run(folder: Path) -> Run:
    """Read and check a run folder of any format; everything that may be said of a run comes from here.

    Raises:
        EvidenceError: as `read_run`; or the manifest is not that of the frozen inputs, or the results are not those of
            the tests and the requirements.
    """
    run = read_run(folder)
    if (folder / RECORD).is_dir():
        _refuse_other_manifest(RunFolder(folder), run.manifest)
        _refuse_other_results(RunFolder(folder), run.manifest, run.results)
    return run


def _refuse_other_manifest(run: RunFolder, manifest: Manifest) -> None:
    """Refuse a manifest that says otherwise what its frozen inputs say: their hashes, the plan, the bench.

    They are read as plain TOML and JSON, so that a later version of the rig that allows less can read old runs.
    """
    closing = run.closing()
    changed = closing.changed_inputs if closing is not None else ()
    plan, sheet = manifest.plan, manifest.pump_sheet
    hashes = {
        "bench_sha256": (manifest.bench_sha256, "bench.toml"),
        "requirements_sha256": (manifest.requirements_sha256, REQUIREMENTS),
        "firmware_sha256": (manifest.firmware_sha256, FIRMWARE),
        **({"plan sha256": (plan.sha256, PLAN)} if plan is not None else {}),
        **({"pump_sheet sha256": (sheet.sha256, PUMP_SHEET)} if sheet is not None else {}),
    }
    for key, (said, name) in hashes.items():
        if name in manifest.inputs and said != manifest.inputs[name]:
            raise _other_manifest(run, f"{key} is {said!r}, and of inputs/{name} {manifest.inputs[name]!r}")
    if plan is not None and PLAN in manifest.inputs and PLAN not in changed:
        content = fit_for_json(tomllib.loads((run.inputs / PLAN).read_text(encoding="utf-8")))
        due = content.get("every_requirement_due", False)
        if (plan.name, plan.every_requirement_due, plan.content) != (content.get("name"), due, content):
            raise _other_manifest(run, f"its plan {plan.name!r} is not that of inputs/{PLAN}")
    if (sheet is None) is (PUMP_SHEET in manifest.inputs):
        raise _other_manifest(run, f"pump_sheet is {sheet and sheet.name!r}, and its inputs say otherwise")
    if sheet is not None and PUMP_SHEET not in changed:
        content = fit_for_json(tomllib.loads((run.inputs / PUMP_SHEET).read_text(encoding="utf-8")))
        if (sheet.name, sheet.content) != (content.get("name"), content):
            raise _other_manifest(run, f"its pump sheet {sheet.name!r} is not that of inputs/{PUMP_SHEET}")
    if BENCH in manifest.inputs and BENCH not in changed:
        bench = json.loads((run.inputs / BENCH).read_text(encoding="utf-8"))
        if _comparable(manifest.bench) != _comparable(bench):
            raise _other_manifest(run, f"its bench is not that of inputs/{BENCH}")
        if manifest.virtual is not ("virtual" in bench or "served" in bench):
            raise _other_manifest(run, f"virtual is {manifest.virtual}, and inputs/{BENCH} says otherwise")


def _comparable(bench: Mapping[str, Any]) -> dict[str, Any]:
    """Take the tables of a bench without the paths that freezing replaces."""
    paths = {"virtual": "firmware", "probe": "symbols", "balance": "routine_test", "pump": "sheet"}
    return {
        name: {key: value for key, value in table.items() if key != paths.get(name)}
        if isinstance(table, dict)
        else table
        for name, table in bench.items()
    }


def _other_manifest(run: RunFolder, what: str) -> EvidenceError:
    return EvidenceError(f"{run.record / 'manifest.json'}: contradicts the frozen inputs: {what}")


def _refuse_other_results(run: RunFolder, manifest: Manifest, results: Results) -> None:
    path = run.record / "results.json"
    if results.outcome is None and manifest.outcome != "complete":  # rigs wrote none; a broken run is none the better
        follows = worst([results.verdict, Verdict.ERROR])
        if results.verdict is not follows:
            called = f"is called {results.verdict.value} in place of {follows.value}"
            raise EvidenceError(f"{path}: the run was {manifest.outcome}, and {called}")
    ended = manifest.model_copy(update={"outcome": results.outcome}) if results.outcome is None else manifest
    joined = join_run(run, ended, frozen_requirements(run, manifest))
    then, now = _plain(results), _plain(joined)
    if then != now:
        raise EvidenceError(f"{path}: contradicts the parts of the record: {_where(then, now)}")


def _plain(results: Results) -> dict[str, Any]:
    """Take everything but the wording of reasons, which another version of the rig may write in other words."""
    return {key: _without_reasons(value) for key, value in results.model_dump(mode="json").items()}


def _without_reasons(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    if isinstance(value, dict):
        return {key: _without_reasons(inner) for key, inner in value.items() if key != "reason"}
    return [_without_reasons(inner) for inner in value] if isinstance(value, list) else value


def _where(then: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    """Name the first place at which two results differ, with what stands there and what follows from the parts."""
    at: list[str] = []
    one: Any = then
    other: Any = now
    while one != other:
        if isinstance(one, dict) and isinstance(other, dict) and one.keys() == other.keys():
            key: Any = next(name for name in one if one[name] != other[name])
        elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
            key = next(number for number, each in enumerate(one) if each != other[number])
        else:
            break
        at.append(_called(one, key))
        one, other = one[key], other[key]
    return f"{' '.join(at)} is {_short(one)}, they say {_short(other)}"


def _called(of: Any, key: Any) -> str:  # noqa: ANN401 - any JSON value
    """Name an entry of a list by what it is of, a value by its key."""
    entry = of[key]
    if isinstance(key, int) and isinstance(entry, dict):
        quantity = entry.get("quantity")
        return str(entry.get("id") or (quantity or {}).get("name") or key)
    return str(key)


def _short(value: Any) -> str:  # noqa: ANN401 - any JSON value
    if isinstance(value, list):
        return f"a list of {len(value)}"
    return "another entry" if isinstance(value, dict) else repr(value)
