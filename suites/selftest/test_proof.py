"""What is known of the suites themselves, frozen with a run and printed in its report's annex."""

from __future__ import annotations

import datetime
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pypdf import PdfReader
from scipy.stats import binom

from reports.pdf import write_annex_of
from reports.proof import proof
from rig.analysis.proportion import clopper_pearson
from rig.errors import BenchFileError
from rig.proving.proof import proof_of
from rig.record.closed import sums
from rig.record.files import read_json, write_json
from rig.record.proof import Proof, Tried, parse_proof, suites_sha256
from rig.run.begin import end_run
from rig.run.inputs import PROOF, Sources, read_inputs
from rig.run.reading import read_whole_run
from suites.selftest.recorded import reopened, writable

CAUGHT = Tried(
    name="never_alarm", source="patch", outcome="caught", expected=("PR-F1.1",), requirement="PR-F1.1",
    test="Occlusion.", tests_run=1, wall_s=12.0,
)  # fmt: skip
ESCAPED = Tried(name="tells_time_wrong", source="image", outcome="escaped", tests_run=86, wall_s=240.0)
MADE = proof_of([CAUGHT, ESCAPED], "default", "rig 1", {}, simulated=True).model_copy(
    update={"made_utc": datetime.datetime(2026, 11, 27, 12, 0, tzinfo=datetime.UTC), "firmware_sha256": "0" * 64}
)


@given(st.integers(1, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_beyond_the_limits_of_a_share_what_was_found_is_as_improbable_as_was_said(counts: tuple[int, int]) -> None:
    found, trials = counts
    low, high = clopper_pearson(found, trials)
    assert low <= found / trials <= high
    assert binom.sf(found - 1, trials, low) == pytest.approx(0.025 if found else 1.0)
    assert binom.cdf(found, trials, high) == pytest.approx(0.025 if found < trials else 1.0)


def test_what_is_no_proof_is_refused_before_anything_is_measured(tmp_path: Path) -> None:
    path = tmp_path / "prove.json"
    path.write_text('{"format": 1, "made_utc": "yesterday"}', encoding="utf-8")
    with pytest.raises(BenchFileError, match=r"prove\.json: made_utc: .*; a proof is what rig prove writes"):
        read_inputs(Sources(Path("fixtures/benches/virtual.toml"), {}, proof=path))
    path.write_text(MADE.model_dump_json(), encoding="utf-8")
    inputs = read_inputs(Sources(Path("fixtures/benches/virtual.toml"), {}, proof=path))
    assert parse_proof(path, inputs.files[PROOF]) == MADE


def give_proof(run: Path, proof: Proof) -> None:
    """Make a run look like one that was given a proof."""
    (writable(run) / "record/inputs" / PROOF).write_text(proof.model_dump_json(), encoding="utf-8")
    path = run / "record/manifest.json"
    manifest = read_json(path)
    manifest["inputs"][PROOF] = sums(run / "record/inputs" / PROOF).sha256
    write_json(path, manifest)
    end_run(reopened(run), "complete")


def test_the_annex_names_who_escaped_first_and_says_that_the_proof_is_of_others(run: Path, tmp_path: Path) -> None:
    assert proof(read_whole_run(run)) is None
    give_proof(run, MADE)
    read = read_whole_run(run)
    annex = proof(read)
    assert annex is not None
    assert [each["name"] for each in annex["pumps"]] == ["tells_time_wrong", "never_alarm"]
    assert [each["outcome"] for each in annex["pumps"]] == ["ESCAPED", "caught"]
    assert annex["pumps"][1]["by"] == "PR-F1.1: Occlusion"
    assert annex["summary"] == (
        "Made on 2026-11-27 with the plan default by rig 1, on simulated pumps. 2 pumps: 1 escaped, 1 caught; "
        "caught 1 of 2 decided, 95 % interval 1.3–98.7 % (Clopper–Pearson); median 126 s a pump."
    )
    assert annex["differs"] == [
        "It was made with other suites or requirements than this run's.",
        "It was made with another firmware than this run's.",
    ]
    text = "".join(page.extract_text() for page in PdfReader(write_annex_of(read, tmp_path)).pages)
    assert "What these suites find" in text
    assert "ESCAPED" in text


def test_a_proof_of_the_same_suites_and_firmware_is_not_called_another(run: Path) -> None:
    manifest = read_whole_run(run).manifest
    same = {"firmware_sha256": manifest.firmware_sha256, "suites_sha256": suites_sha256(manifest.inputs)}
    give_proof(run, MADE.model_copy(update=same))
    known = proof(read_whole_run(run))
    assert known is not None
    assert known["differs"] == []


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"counts": {"caught": 900, "escaped": 1}}, "counts are not those of what was tried"),
        ({"share": None}, "there is a share where something was decided, and nowhere else"),
        ({"share": {"hits": 2, "of": 2, "low": 0.2, "high": 1.0}}, "the share is not that of what was tried"),
        ({"share": {"hits": 1, "of": 2, "low": 0.9, "high": 1.0}}, "the share is not that of what was tried"),
        ({"tried": []}, "counts are not those of what was tried"),
    ],
)
def test_a_proof_that_does_not_add_up_is_refused(changed: dict[str, object], told: str) -> None:
    content = {**MADE.model_dump(mode="json"), **changed}
    with pytest.raises(BenchFileError, match=f"^p: the file: {told}; a proof is what rig prove writes$"):
        parse_proof(Path("p"), json.dumps(content).encode())
