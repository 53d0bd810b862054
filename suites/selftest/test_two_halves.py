"""The law of the two halves, for every measurement of the catalogue: what was taken is computed again from the disk.

Each is taken once on the virtual bench, with parameters as short as it allows.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from rig.bench import open_bench
from rig.errors import EvidenceError
from rig.procedures.catalogue import EVERYWHERE, PROCEDURES, TABLES, procedure_of
from rig.procedures.day import IDLE
from rig.procedures.procedure import Computed, Procedure, computed_from, kept_analyses
from rig.record.folder import keep_computed
from rig.record.taking import Asked, read_taken
from rig.roles import Metrology
from suites.measuring import VIRTUAL, measured_on

BLANK = {"blank": "300 s"}
SHORT: Mapping[str, Mapping[str, Any]] = {
    "basal": {
        "rate": "1 U/h", "stabilisation": "0 s", "analysis": "2 h", "windows": ["15 min", "1 h"], **BLANK,
    },
    "bolus": {"size": "0.5 U", "count": 3, **BLANK},
    "extended": {"size": "1 U", "extended": "50 %", "duration": "20 min", "slices": 2, "count": 2, **BLANK},
    "temporary": {
        "rate": "3 U/h", "temporary": "40 %", "duration": "30 min", "before": "30 min", "after": "30 min", **BLANK,
    },
    "switch": {"rate": "1 U/h", "then": "3 U/h", "before": "30 min", "after": "30 min", **BLANK},
    "occlusion": {"rate": "10 U/h", "threshold": "low", "count": 2, "free": "60 s", "watch": "60 s", **BLANK},
    "unoccluded": {"rate": "1 U/h", "duration": "10 min", "threshold": "high", **BLANK},
    "stopped": {"duration": "60 s", **BLANK},
    "cancelled": {"size": "1 U", "after": "10 s", **BLANK},
    "refused": {"sizes": ["25.5 U", "30 U"], "watch": "60 s", **BLANK},
    "reservoir": {"filled": "22 U", "bolus": "1 U", "one_takes": "60 s", **BLANK},
    "log": {},
    "day": {
        "called": "a day", "person": "an adult", "profile": ["00:00 1 U/h", "12:00 2 U/h"], "sensitivity": "50 mg/dL",
        "ratio": "10 g", "target": "110 mg/dL", "eat": [{"at": "07:30", "carbohydrates": "60 g"}],
        "exercise": [{"at": "16:00", "rate": "50 %", "duration": "60 min"}], **BLANK,
    },
    "priming": {"tubing": "2 U", "cannula": "0.5 U", **BLANK},
    "alarm": {"cause": "reservoir out", "priority": "high", "due": "1 s", "listen": "15 s"},
    "alarm_unanswered": {"cause": "reservoir out", "due": "1 s", "escalates": "2 min", "around": "10 s"},
    "alarm_answered": {
        "cause": "temperature", "due": "65 s", "set": "1 min", "meanwhile": "reservoir low", "meanwhile_due": "5 s",
        "comes": "again",
    },
    "alarms_together": {
        "first": "reservoir out", "then": "battery low", "first_priority": "high", "then_priority": "medium",
        "first_due": "1 s", "then_due": "1 s", "listen": "10 s",
    },
    "annunciator_cut": {
        "part": "vibrator", "cause": "reservoir out", "priority": "high", "due": "1 s", "listen": "10 s",
    },
    "battery": {"hold": "70 s", "watch": "60 s", **BLANK},
    "dips": {"to": ["0 %", "60 %"], "lasting": ["100 ms"], **BLANK},
    "restart": {"by": "supply", "off": "150 s", "watch": "5 min", **BLANK},
    "damaged": {"size": "0.5 U", "takes": "30 s", **BLANK},
    "replayed": {"size": "0.5 U", "takes": "30 s", **BLANK},
    "link": {"lost": "reply", "size": "0.5 U", "takes": "30 s", **BLANK},
    "unattended": {"rate": "5 U/h", "duration": "10 min", **BLANK},
    "flood": {"duration": "2 s", "size": "0.5 U", "takes": "30 s", **BLANK},
    "log_contents": {**BLANK},
    "long_log": {"entries": 150},
    "half_hours": {"rate": "0.2 U/h", "step": "0.05 U/h", "sample_every": "5 min", **BLANK},
    "course": {
        "called": "a stop", "commands": ["0 min: bolus 1 U", "20 s: stop"], "weighed": ["all of it: 0 min to 3 min"],
        **BLANK,
    },
    "speed": {"speed": "1.5 U/min", "size": "1 U", **BLANK},
    "occluded_bolus": {"fault": "F1", "size": "3 U", "then": "0.5 U", "watch": "20 s"},
    "self_clearing": {"size": "2 U"},
    "fault_in_bolus": {"fault": "F14 removed", "size": "1 U", "after": "5 s", "watch": "20 s"},
    "fault_response": {"fault": "F14 removed", "state": "extended", "size": "5 U", "onset": "30 s", "watch": "20 s"},
    "through_fault": {"fault": "F8", "rate": "6 U/h", "held": "2 min"},
    "annunciated": {"fault": "F33 hot", "watch": "2 min"},
    "emptied": {"filled": "2 U", "bolus": "1 U", "one_takes": "50 s"},
    "not_yet": {"state": "without a reservoir", "watch": "1 min"},
    "keys": {"sequence": "press, confirm", "watch": "30 s"},
    "calculator": BLANK,
    "wrong_profiles": BLANK,
    "temporary_course": BLANK,
    "clock": BLANK,
    "time_zones": BLANK,
    "concentration": BLANK,
    "corrupted": {"fault": "F25 maximum bolus", "size": "26 U", "watch": "20 s"},
    "hang": {"fault": "F23 held", "state": "bolus", "size": "1 U", "onset": "10 s"},
    "cannula": {"rate": "1 U/h", "bolus": "0.5 U", "duration": "30 min", "around": "10 min", **BLANK},
    "dislodged": {
        "rate": "1 U/h", "duration": "30 min", "around": "10 min", "bolus": "0.5 U", "losses": 1, **BLANK,
    },
    "loop": {
        "called": "half an hour", "duration": "30 min", "eat": ["00:05 30 g"], **BLANK,
    },
    "automation": {"situation": "bolus beside", **BLANK},
    "core_fault": {"part": "backup cell", "watch": "60 s", **BLANK},
}  # fmt: skip
"""As people write them: by the keys of a plan's table, with units."""
NOT_READ = ("log", "long_log")
"""Those that read no instrument."""
NOT_WEIGHED = (*NOT_READ, "alarm", "alarm_unanswered", "alarm_answered", "alarms_together", "annunciator_cut")

ANY_NUMBER = (
    "reservoir", "day", "half_hours", "course", "occluded_bolus", "fault_in_bolus", "annunciated", "emptied", "not_yet",
    "keys", "speed", "self_clearing", "calculator", "wrong_profiles", "temporary_course", "clock", "cannula",
    "dislodged", "fault_response", "through_fault", "hang", "corrupted", "time_zones",
    "concentration", "loop", "automation",
)  # fmt: skip
"""Those that keep any number of facts of a kind: that one of them is gone, the record's sums show alone."""


@dataclass(frozen=True)
class Done:
    """A measurement that was taken, where, with which bench file, and what was computed then."""

    procedure: Procedure
    folder: Path
    metrology: Metrology
    computed: Computed

    def copy(self, to: Path) -> Path:
        """Copy what was taken, without what was computed."""
        shutil.copytree(self.folder, to, ignore=shutil.ignore_patterns("computed"))
        return to

    def again(self, folder: Path) -> Computed:
        """Compute from a folder."""
        return computed_from(self.procedure, read_taken(folder), self.metrology)


@pytest.fixture(scope="module", params=TABLES)
def done(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Done:
    procedure = TABLES[request.param].model_validate(SHORT[request.param])
    folder = tmp_path_factory.mktemp("taken") / procedure.TABLE
    with open_bench(VIRTUAL) as bench:
        return Done(procedure, folder, bench.metrology, measured_on(bench, folder, procedure))


def numbers(computed: Computed) -> dict[str, Any]:
    """Every number of a computation, bit by bit: JSON writes the shortest text that reads back as the same number."""
    analyses = {name: analysis.model_dump_json() for name, analysis in computed.analyses.items()}
    budgets: dict[str, object] = {
        **{str(name): budget for name, budget in computed.budgets.items()},
        **{str(name): budget for name, budget in computed.further.items()},
    }
    return {"measured": computed.measured, "analyses": analyses, "budgets": budgets, "notes": computed.notes}


def test_the_catalogue_is_complete() -> None:
    assert set(SHORT) == set(TABLES)
    assert len(TABLES) == len(PROCEDURES)


def test_computing_again_from_the_disk_gives_every_number_bit_by_bit(done: Done, tmp_path: Path) -> None:
    taken = read_taken(done.folder)
    procedure = procedure_of(taken.asked())
    again = computed_from(procedure, taken, done.metrology)
    assert numbers(again) == numbers(done.computed)
    keep_computed(tmp_path, again.measured, kept_analyses(procedure, again))
    kept = {path.name: path.read_bytes() for path in (done.folder / "computed").iterdir()}
    assert kept == {path.name: path.read_bytes() for path in (tmp_path / "computed").iterdir()}
    assert "measured.json" in kept


def test_what_a_record_says_was_asked_for_is_the_procedure(done: Done) -> None:
    assert procedure_of(done.procedure.asked) == done.procedure
    written = json.loads(json.dumps(done.procedure.asked.model_dump(mode="json")))
    assert procedure_of(Asked.model_validate(written)) == done.procedure
    assert json.loads((done.folder / "asked.json").read_text(encoding="utf-8")) == written


def test_what_is_declared_is_measured_and_nothing_else(done: Done) -> None:
    """Each quantity once, of a kind of the procedure's own table, and with a unit that the kind has."""
    declared, found = done.procedure.declared, [each.quantity for each in done.computed.measured]
    assert sorted(map(str, found)) == sorted(str(each) for each in declared if each.kind != IDLE.name)
    assert len(set(found)) == len(found)
    kinds = {kind.name: kind for kind in (*done.procedure.KINDS, *EVERYWHERE)}
    for quantity in declared:
        assert quantity.unit in kinds[quantity.kind].units
    for quantity, budget in done.computed.budgets.items():
        assert budget.unit == quantity.unit
        assert budget.value == done.computed.values[quantity].value


@pytest.mark.parametrize("cut", [1, 9])
def test_a_last_line_that_was_cut_off_counts_as_never_written(done: Done, tmp_path: Path, cut: int) -> None:
    """As a process leaves it that was killed while it wrote."""
    channels = sorted(path.name for path in done.folder.glob("*.csv"))
    assert bool(channels) == (done.procedure.TABLE not in NOT_READ)
    for name in channels:
        cut_off, without = (done.copy(tmp_path / f"{kind} {name}") for kind in ("cut off", "without"))
        whole = (done.folder / name).read_bytes()
        (cut_off / name).write_bytes(whole[:-cut])
        (without / name).write_bytes(whole[: whole.rstrip(b"\n").rindex(b"\n") + 1])
        assert _outcome(done, cut_off) == _outcome(done, without)


def test_a_phase_that_is_missing_is_a_sentence_unless_no_number_needs_it(done: Done, tmp_path: Path) -> None:
    """Never other numbers, and never a traceback."""
    if not (done.folder / "balance.csv").exists():
        assert done.procedure.TABLE in NOT_WEIGHED
        return
    missed = set()
    for number, phase in enumerate(read_taken(done.folder).phases):
        folder = done.copy(tmp_path / str(number))
        for name in ("balance.csv", "pressure.csv"):
            lines = (done.folder / name).read_text(encoding="utf-8").splitlines(keepends=True)
            kept = [line for line in lines if line.split(",")[1] != phase]
            (folder / name).write_text("".join(kept), encoding="utf-8")
        again, sentence = _attempt(done, folder)
        if again is None:
            assert sentence == f"{folder}: holds no readings of {phase}"
            missed.add(phase)
        else:
            assert numbers(again) == numbers(done.computed), phase
    if "blank" in SHORT[done.procedure.TABLE]:
        assert missed >= {"opening blank run", "closing blank run"}
        assert len(missed) > 2
    assert missed


def _outcome(done: Done, folder: Path) -> object:
    """What comes of computing from a folder: its numbers, or the sentence on what it lacks."""
    again, sentence = _attempt(done, folder)
    return sentence.replace(str(folder), "") if again is None else numbers(again)


def _attempt(done: Done, folder: Path) -> tuple[Computed | None, str]:
    try:
        return done.again(folder), ""
    except EvidenceError as error:
        return None, str(error)


def test_a_fact_that_is_missing_is_a_sentence(done: Done, tmp_path: Path) -> None:
    path = done.folder / "facts.jsonl"
    if not path.exists():
        assert done.procedure.TABLE in ("basal", "stopped")
        return
    if done.procedure.TABLE in ANY_NUMBER:
        return
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    for number, line in enumerate(lines):
        folder = done.copy(tmp_path / str(number))
        (folder / path.name).write_text("".join(lines[:number] + lines[number + 1 :]), encoding="utf-8")
        with pytest.raises(EvidenceError, match=rf"facts\.jsonl: holds \d+ {json.loads(line)['fact']}, not \d+$"):
            done.again(folder)


def test_a_channel_that_is_missing_is_a_sentence(done: Done, tmp_path: Path) -> None:
    for name in (path.name for path in done.folder.glob("*.csv")):
        folder = done.copy(tmp_path / name)
        (folder / name).unlink()
        with pytest.raises(EvidenceError, match=f"{name}: the file is missing from the run folder$"):
            done.again(folder)


@pytest.mark.parametrize("content", ["", "[]", '{"table": "basal"}', '{"table": 1, "parameters": {}}'])
def test_a_record_that_does_not_say_what_was_asked_for_is_a_sentence(tmp_path: Path, content: str) -> None:
    (tmp_path / "asked.json").write_text(content, encoding="utf-8")
    with pytest.raises(EvidenceError, match=r"asked\.json: "):
        read_taken(tmp_path).asked()
