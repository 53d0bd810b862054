"""What an operator does by hand in place of a line, and what a bench that has neither makes of a test: not applicable.

Each deed is done through the operator's terminal, by the simulated person or over a real socket.
"""

from __future__ import annotations

import io
import os
import socket
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from instruments.operator_terminal.dialogue import Dialogue
from instruments.operator_terminal.twin import ENTER_AFTER_S, REACTION_S
from rig.bench.file import read_bench_file
from rig.bench.open import open_bench
from rig.cli.operator import parse_address, sit_at_terminal
from rig.cli.upfront import not_to_be_done
from rig.errors import BenchFileError, NoReplyError, RefusedError
from rig.faults import Injection, Provocation, shipped_faults
from rig.faults.means import lacking_for
from rig.procedures.fault_in_bolus import FaultInBolus
from rig.procedures.provoking import FaultCleared, FaultInjected, provoking
from rig.record.taking import read_taken
from rig.run.collection import Declaration
from rig.run.fault_coverage import fault_coverage, fault_summary
from rig.verdicts.limits import Verdict
from suites.measuring import VIRTUAL, measured_virtually, recorded

LAB_LINES = {"switch.lines": {"occluder": 0}}
HANDS = {
    "hands.driver": "operator_terminal",
    "hands.address": "TCPIP0::operator::5055::SOCKET",
    "hands.serial_number": "bench-2",
}
BY_HAND: Mapping[str, Any] = LAB_LINES | HANDS
RESERVOIR = "line 'reservoir' of the switch"
REMOVED = shipped_faults().injection("F14 removed")


def declared(procedure: FaultInBolus) -> Declaration:
    return Declaration.of("t", "T", [procedure], {}).model_copy(update={"requirements": ("PR-X1.1",)})


def test_a_fault_is_provoked_by_hand_where_the_bench_has_no_line_and_its_onset_has_an_uncertainty(
    tmp_path: Path,
) -> None:
    with open_bench(VIRTUAL, BY_HAND) as bench, recorded(tmp_path, bench) as record:
        with provoking(bench, record) as faults:
            asked_s = bench.clock.now()
            begun_s = faults.inject(REMOVED)
            assert not bench.pump.status().reservoir_attached
        assert bench.pump.status().reservoir_attached
        record.sync()
    fact = read_taken(tmp_path).the(FaultInjected)
    assert (fact.at_s, fact.by, fact.uncertainty_s) == (begun_s, "operator", 1.0)
    assert fact.how == "by hand: Take the reservoir out of the pump"
    assert begun_s == pytest.approx(asked_s + REACTION_S + ENTER_AFTER_S, abs=0.1)
    assert read_taken(tmp_path).the(FaultCleared).at_s > begun_s + REACTION_S


def test_a_bench_with_the_line_leaves_its_operator_in_peace(tmp_path: Path) -> None:
    with open_bench(VIRTUAL, HANDS) as bench, recorded(tmp_path, bench) as record:
        with provoking(bench, record) as faults:
            faults.inject(REMOVED)
        record.sync()
    assert read_taken(tmp_path).the(FaultInjected).by == "bench"


def test_the_operators_moment_enters_the_uncertainty_of_what_is_timed_from_it(tmp_path: Path) -> None:
    asked = FaultInBolus(fault="F14 removed")
    by_hand = measured_virtually(tmp_path / "hand", asked, BY_HAND).values
    by_line = measured_virtually(tmp_path / "line", asked).values
    found = {quantity.kind: (value, by_line[quantity]) for quantity, value in by_hand.items()}
    time, by_switch = found["fault_in_bolus.time_to_alarm"]
    assert by_switch.expanded_uncertainty == pytest.approx(2.0 * 0.5 / 3.0**0.5, rel=0.05)
    assert time.expanded_uncertainty == pytest.approx(2.0 * (1.0 + 0.25) ** 0.5 / 3.0**0.5, rel=0.05)
    beyond, _ = found["fault_in_bolus.delivered_beyond"]
    assert beyond.expanded_uncertainty == pytest.approx(2.0 * 0.025 / 3.0**0.5, rel=0.05)  # 1.5 U/min in ± 1 s


def test_what_nobody_can_do_is_an_error_of_the_rig_and_what_was_begun_is_told(tmp_path: Path) -> None:
    way = Provocation.model_validate({"line": "drawbridge", "by_hand": {"do": "Dance", "undo": "Stop dancing"}})
    with open_bench(VIRTUAL, BY_HAND) as bench, recorded(tmp_path, bench) as record:
        with (
            pytest.raises(RefusedError, match="the operator answered: I do not know how"),
            provoking(bench, record) as f,
        ):
            f.inject(Injection(REMOVED.fault, way))
        assert bench.hands is not None
        with pytest.raises(RefusedError, match="I do not know how"):
            bench.hands.do("Dance")


def test_an_operator_who_is_not_there_is_no_reply(tmp_path: Path) -> None:
    impatient = {**BY_HAND, "hands.options": {"answer_within_s": 2.0}}
    with open_bench(VIRTUAL, impatient) as bench, recorded(tmp_path, bench) as record:
        with pytest.raises(NoReplyError, match="nobody answered within 2 s"), provoking(bench, record) as faults:
            faults.inject(REMOVED)
        bench.clock.sleep(2.0 * REACTION_S)
        assert bench.pump.status().reservoir_attached, "what was taken back was done all the same"


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        (
            LAB_LINES,
            [f"PR-X1.1: this bench has no {RESERVOIR} and no operator, so that it is NOT APPLICABLE."],
        ),
        (BY_HAND, []),
        ({}, []),
    ],
)
def test_what_a_bench_lacks_is_said_up_front_and_hands_stand_in(overrides: dict[str, Any], said: list[str]) -> None:
    spec = read_bench_file(VIRTUAL, overrides)[0]
    assert not_to_be_done([declared(FaultInBolus(fault="F14 removed"))], spec) == said


def test_a_supply_that_does_not_feed_the_pump_provokes_nothing() -> None:
    dip = shipped_faults().injection("F20 dip")
    fed = read_bench_file(VIRTUAL)[0]
    own_battery = read_bench_file(VIRTUAL, {"cut_off.by": "nothing"})[0]
    assert lacking_for(dip, lines=fed.switch.lines, roles=fed.means) == []
    assert lacking_for(dip, lines=own_battery.switch.lines, roles=own_battery.means) == ["supply that feeds the pump"]


def test_the_coverage_of_faults_has_gaps_first_and_says_how_each_is_provoked() -> None:
    covered = fault_coverage(
        shipped_faults(),
        lines=("occluder",),
        roles=("supply", "hands"),
        tests=[("Reservoir out", ("PR-F2.3",)), ("Occluded", ("PR-F1.1",)), ("Motor", ("PR-F3.1",))],
        verdicts={"PR-F2.3": Verdict.PASS, "PR-F1.1": Verdict.FAIL, "PR-F1.2": Verdict.PASS},
    )
    by_id = {each.id: each for each in covered}
    assert len(by_id) == 36
    gaps = [each.gap is not None for each in covered]
    assert gaps == sorted(gaps, reverse=True)
    assert [way.in_words for way in by_id["F14"].ways] == [
        "removed: by hand: Take the reservoir out of the pump",
        "changed: no line 'reservoir' of the switch",
    ]
    assert (by_id["F14"].gap, by_id["F14"].tests, by_id["F14"].verdict) == (None, ("Reservoir out",), Verdict.PASS)
    assert by_id["F15"].gap == "this bench has no line 'motor' of the switch"
    assert by_id["F1"].verdict is Verdict.FAIL
    assert by_id["F28"].gap == "no test of this plan decides PR-C1.2"
    assert fault_summary([by_id["F1"], by_id["F15"]]) == (
        "1 of 2 faults are provoked on this bench and judged; gaps: F15."
    )


def test_no_sentence_of_the_catalogue_means_two_things() -> None:
    ways = [each.provocation.by_hand for each in shipped_faults().injections.values()]
    sentences = [sentence for way in ways if way is not None for sentence in (way.do, way.undo)]
    assert len(sentences) >= 12
    assert len(set(sentences)) == len(sentences)


def test_a_terminal_tells_how_long_ago_something_was_done_and_forgets() -> None:
    shown: list[str | None] = []
    now_s = [10.0]
    dialogue = Dialogue("bench-2", lambda: now_s[0], shown.append)
    assert dialogue.answer("who?") == "operator terminal;bench-2;1"
    assert dialogue.answer("done? 1") == "nothing 1"
    assert dialogue.answer("do 1 Open the lid") == "asked 1"
    assert dialogue.answer("done? 1") == "waiting 1"
    dialogue.done()
    now_s[0] = 12.5
    dialogue.cannot("too late to say so")
    assert dialogue.answer("done? 1") == "done 1 2.500"
    assert dialogue.answer("nonsense") is None
    assert dialogue.answer("do 2 Close the lid") == "asked 2"
    assert dialogue.answer("forget") == "forgotten"
    assert dialogue.answer("done? 2") == "nothing 2"
    assert shown == ["Open the lid", "Close the lid", None]


@pytest.mark.parametrize("listen", ["here", "host:", "host:high", "host:70000"])
def test_an_address_to_listen_at_has_host_and_port(listen: str) -> None:
    with pytest.raises(BenchFileError, match="write it as host:port"):
        parse_address(listen)


def test_a_person_at_a_terminal_confirms_with_enter_and_says_why_not_in_words() -> None:
    shown = io.StringIO()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    keys, fingers = os.pipe()
    with os.fdopen(keys) as keyboard, os.fdopen(fingers, "w", buffering=1) as typing:
        at_it = threading.Thread(
            target=sit_at_terminal,
            args=(f"127.0.0.1:{port}", "bench-2", keyboard),
            kwargs={"console": Console(file=shown, width=200)},
        )
        at_it.start()
        with _connected(port) as line, line.makefile("rw", newline="\n") as rig:

            def asked(message: str) -> str:
                rig.write(f"{message}\n")
                rig.flush()
                return rig.readline().strip()

            def until_answered(number: int) -> str:
                while (said := asked(f"done? {number}")) == f"waiting {number}":
                    pass
                return said

            assert asked("who?") == "operator terminal;bench-2;1"
            assert asked("do 1 Open the clamp") == "asked 1"
            typing.write("\n")
            assert until_answered(1).startswith("done 1 0.")
            assert asked("do 2 Close the clamp") == "asked 2"
            typing.write("it is broken\n")
            assert until_answered(2) == "cannot 2 it is broken"
            assert asked("forget") == "forgotten"
        typing.close()
        at_it.join(timeout=10.0)
        assert not at_it.is_alive()
    assert "Open the clamp, and press Enter at that moment." in shown.getvalue()


def _connected(port: int) -> socket.socket:
    for _ in range(1000):
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=10.0)
        except ConnectionRefusedError:
            continue
    raise AssertionError("the terminal did not listen")
