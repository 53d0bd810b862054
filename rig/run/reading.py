"""A run, read back, with its results held against the parts that they were made of.

`rig.record.reading` finds what was changed since the run was closed; this finds results that were written anew together
with the list: they are joined again from the tests' own files and the frozen requirements. Not responsible for
computing any value again (`rig.offline.recomputed`).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rig.errors import EvidenceError
from rig.record.folder import RECORD, RunFolder
from rig.record.manifest import Manifest
from rig.record.reading import Run, read_run
from rig.record.results import Results
from rig.run.inputs import frozen_requirements
from rig.run.results import join_run


def read_whole_run(folder: Path) -> Run:
    """Read and check a run folder of any format; everything that may be said of a run comes from here.

    Raises:
        EvidenceError: as `read_run`; or the results are not those of the tests and the requirements.
    """
    run = read_run(folder)
    if (folder / RECORD).is_dir():
        _refuse_other_results(RunFolder(folder), run.manifest, run.results)
    return run


def _refuse_other_results(run: RunFolder, manifest: Manifest, results: Results) -> None:
    ended = manifest.model_copy(update={"outcome": results.outcome}) if results.outcome is None else manifest
    joined = join_run(run, ended, frozen_requirements(run, manifest))
    then, now = _plain(results), _plain(joined)
    if then != now:
        raise EvidenceError(f"{run.record / 'results.json'}: contradicts the parts of the record: {_where(then, now)}")


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
