"""A sample of the damaged logs that `python -m suites.selftest.fuzz.logs` makes by the thousand."""

from pathlib import Path

import pytest

from rig.offline.analyse import analyse_file
from rig.offline.question import ask
from suites.selftest.fuzz.log_damage import WHOLE
from suites.selftest.fuzz.logs import ASKED, campaign


@pytest.mark.parametrize("name", list(WHOLE))
def test_every_whole_log_gives_its_value(tmp_path: Path, name: str) -> None:
    form = WHOLE[name]
    path = tmp_path / f"log{form.suffix}"
    path.write_bytes(form.content)
    found = analyse_file(path, ask({**ASKED, **form.options}))
    assert found.analysed.content["overall_error_percent"] == pytest.approx(0.0, abs=0.1)


@pytest.mark.parametrize("seed", [11, 12])
def test_damaged_logs_end_in_a_sentence_or_in_the_right_number(tmp_path: Path, seed: int) -> None:
    outcome = campaign(150, seed, tmp_path)
    assert outcome.tracebacks == []
    assert outcome.nonsense == []
    assert outcome.counts["refused"] > 50
    assert outcome.counts["right"] > 30
