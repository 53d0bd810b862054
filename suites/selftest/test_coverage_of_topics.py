"""What a plan covers of a pump: gaps are told first, with the reason."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rig.errors import BenchFileError
from rig.faults.recalls import read_recalls
from rig.record.models import QuantityRecord
from rig.run.collection import Declaration
from rig.run.coverage import coverage, covered_in_short
from rig.shipped import RECALLS, TOPICS, shipped
from rig.verdicts.topics import Topic, read_topics
from suites.selftest.recorded import rig
from suites.stands.own_requirements import own_requirements

REQUIREMENTS = own_requirements()


def deciding(*requirements: str) -> Declaration:
    """A test that measures all that these requirements ask for."""
    quantities = tuple(
        QuantityRecord.of(rule.quantity) for name in requirements for rule in REQUIREMENTS[name].measurement
    )
    return Declaration(test="a", title="A test", requirements=requirements, quantities=quantities)


def topic(name: str, *shown_by: str) -> Topic:
    return Topic(id=name, of="delivery", text="a text", shown_by=shown_by)


def test_a_topic_has_the_requirements_of_its_own_id_and_no_others() -> None:
    known = ("PR-D1.1", "PR-D10.1", "PR-D1.2", "PR-D2.1")
    assert topic("PR-D1").requirements(known) == ("PR-D1.1", "PR-D1.2")
    assert topic("a disclosure", "PR-D2", "PR-D1.2").requirements(known) == ("PR-D1.2", "PR-D2.1")
    assert topic("PR-G1").requirements(known) == ()


def test_gaps_come_first_each_with_its_reason() -> None:
    topics = [topic("PR-D3"), topic("PR-D1"), topic("PR-G1"), topic("PR-D7")]
    known = {name: REQUIREMENTS[name] for name in ("PR-D1.1", "PR-D1.2", "PR-D3.1", "PR-D3.2", "PR-D7.1", "PR-L1.1")}
    covered = coverage(topics, known, [deciding("PR-D3.2"), deciding("PR-D7.1")], undecided=["PR-D7.1"])
    assert [(each.topic.id, each.gap) for each in covered] == [
        ("PR-D1", "no test decides PR-D1.1, PR-D1.2"),
        ("PR-G1", "no requirement"),
        ("PR-D7", "not decided: PR-D7.1"),
        ("PR-D3", None),
        ("beside", None),
    ]
    told = {row.id: (row.judge, row.tests, row.range) for row in covered[3].requirements}
    assert told["PR-D3.2"] == (("balance",), ("A test",), ("size 1 U",))
    assert told["PR-D3.1"] == (("balance",), (), ())
    assert covered_in_short(covered) == [
        "1 of 4 topics are verified; gaps: PR-D1 delivery (no test decides PR-D1.1, PR-D1.2); PR-G1 delivery "
        "(no requirement); PR-D7 delivery (not decided: PR-D7.1)."
    ]


def test_what_is_read_out_of_every_record_is_decided_by_every_test_and_by_none_where_there_is_none() -> None:
    known = {"PR-V1.2": REQUIREMENTS["PR-V1.2"]}
    assert coverage([topic("PR-V1")], known, [deciding("PR-D3.2")])[0].gap is None
    assert coverage([topic("PR-V1")], known, [])[0].gap == "no test decides PR-V1.2"


def test_every_requirement_says_who_judges_it_and_topics_show_each_other() -> None:
    topics = read_topics(shipped(TOPICS))
    own = [each for each in topics if not each.shown_by]
    assert len(own) == 38
    assert [name for name, each in REQUIREMENTS.items() if not each.judge] == []
    ids = {each.id for each in own}
    assert [each.id for each in topics if not ids.issuperset(each.shown_by)] == []


def test_rig_coverage_measures_nothing_and_writes_what_it_prints(tmp_path: Path) -> None:
    done = rig("coverage", "--out", str(tmp_path / "coverage.json"))
    assert done.returncode == 0, done.stderr
    written = json.loads((tmp_path / "coverage.json").read_text(encoding="utf-8"))
    assert done.stdout.splitlines()[-2:] == written["summary"]
    assert written["summary"][0] == "38 of 38 topics are verified."
    assert [each["gap"] is None for each in written["topics"]] == sorted(
        each["gap"] is None for each in written["topics"]
    )


def test_what_a_bench_has_no_lines_for_is_not_covered_on_it(tmp_path: Path) -> None:
    """A bench with the occluder alone moves no key and takes no reservoir out."""
    written = Path("fixtures/benches/virtual.toml").read_text(encoding="utf-8")
    lines, after = written.index("[switch.lines]"), written.index("[environment]")
    bench = tmp_path / "benches" / "few.toml"
    for folder in ("pumps", "controller"):
        (tmp_path / folder).symlink_to(Path("fixtures", folder).resolve())
    bench.parent.mkdir()
    bench.write_text(f"{written[:lines]}[switch.lines]\noccluder = 0\n{written[after:]}", encoding="utf-8")
    done = rig("coverage", "--bench", str(bench))
    assert done.returncode == 0, done.stderr
    assert "PR-K1.1: this bench has no line 'bolus_key' of the switch and no line 'confirm_key'" in done.stdout
    assert "(not decided: PR-F3.1, PR-F3.2" in done.stdout.splitlines()[-2]


def test_a_topic_or_a_recall_that_stands_twice_is_refused(tmp_path: Path) -> None:
    for name, read, said in ((TOPICS, read_topics, "id PR-D1"), (RECALLS, read_recalls, "number 1")):
        path = tmp_path / Path(name).name
        path.write_text(2 * shipped(name).read_text(encoding="utf-8"), encoding="utf-8")
        with pytest.raises(BenchFileError, match=f"{path.name}: the {said} stands twice"):
            read(path)
