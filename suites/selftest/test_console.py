"""`rig console`: what a person types, completed and remembered, and what a pipe types, with its exit code."""

import io
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from prompt_toolkit.application import create_app_session
from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.document import Document
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output import DummyOutput
from rich.console import Console

from rig.bench.open import open_bench
from rig.cli.console.commands import COMMANDS, Session
from rig.cli.console.prompt import perform, prompt_session, read_lines


@pytest.fixture
def session() -> Iterator[Session]:
    with open_bench("fixtures/benches/virtual.toml") as bench:
        yield Session(bench, Console(file=io.StringIO(), width=140, highlight=False))


def answer(session: Session, line: str) -> str:
    """Perform a line and get what was printed."""
    file = session.console.file
    assert isinstance(file, io.StringIO)
    file.truncate(0)
    file.seek(0)
    perform(session, line)
    return file.getvalue().strip()


def test_an_hour_with_a_new_pump(session: Session) -> None:
    assert answer(session, "reservoir 200 U") == "reservoir 200 U"
    assert answer(session, "basal 00:00 0.6 U/h, 06:00 1 U/h") == "profile 1 is active: 00:00 0.6 U/h, 06:00 1 U/h"
    assert answer(session, "run") == "therapy runs"
    assert answer(session, "status") == "therapy run, ready, reservoir 200 U"
    assert answer(session, "temporary 50 % for 60 min") == "temporary rate 50 % for 60 min"
    assert answer(session, "basal") == "profile 1, 0.6 U/h; temporary 50 % for 60 min more"
    assert answer(session, "temporary off") == "temporary rate cancelled"
    assert answer(session, "multiwave 1 U + 2 U over 60 min") == "bolus 1 started"
    assert answer(session, "cancel 1") == "cancelled bolus 1"
    assert answer(session, "setting max_bolus_u 10") == "largest bolus in U: 10"
    assert answer(session, "valve occluder on") == "occluder on"
    assert answer(session, "release") == "outlet open"
    assert "occluder        │ off" in answer(session, "valve")
    assert "setting changed" in answer(session, "history 3")


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("occl", "'occl' is not a command: 'help' lists them all"),
        ("bolus 2.5", "'2.5' has no unit: write one of U; write bolus 2.5 U"),
        ("extended 2 U", "'2 U' lacks 'over': write extended 2 U over 60 min; write extended 2 U over 60 min"),
        ("cancel one", "'one' is not a whole number; write cancel 1"),
        ("valve occluder up", "'up' is neither 'on' nor 'off'; write valve [line on | off]"),
        ("setting volume 3", "there is no setting 'volume': settings are max_bolus_u, "),
        ("setting max_bolus_u ten", "'ten' is not a number; this setting is the largest bolus in U"),
        ("basal 06:00 1 U/h", "a profile's times go from 00:00 on"),
        ("bolus 1 U", "at Set Bolus (0x114b) of 1 U: the pump answered 'procedure not applicable' (0x74)"),
    ],
)
def test_what_cannot_be_done_is_one_sentence_and_the_console_goes_on(
    session: Session, line: str, sentence: str
) -> None:
    said = answer(session, line)
    assert sentence in said
    assert "\n" not in said
    assert answer(session, "weigh").endswith("stable")


def test_every_command_has_its_line_of_help(session: Session) -> None:
    said = answer(session, "help")
    assert all(command.help in said for command in COMMANDS.values())


def test_the_prompt_completes_commands_and_their_words_and_remembers(tmp_path: Path) -> None:
    history = tmp_path / "state" / "history"
    with create_pipe_input() as keys, create_app_session(input=keys, output=DummyOutput()):
        prompt = prompt_session(history)
        keys.send_text("status\nweigh\nquit\nnever\n")
        assert list(read_lines(prompt)) == ["status", "weigh"]
        assert prompt.completer is not None

        def completions(text: str) -> list[str]:
            assert prompt.completer is not None
            return [c.text for c in prompt.completer.get_completions(Document(text), CompleteEvent())]

        assert completions("mul") == ["multiwave"]
        assert completions("supply o") == ["on", "off"]
        assert completions("help occ") == ["occlude"]
    assert "+status" in history.read_text()


def test_the_prompt_ends_with_the_end_of_input_and_an_interrupt_drops_the_line(tmp_path: Path) -> None:
    with create_pipe_input() as keys, create_app_session(input=keys, output=DummyOutput()):
        keys.send_text("half a li\x03status\n\x04")
        assert list(read_lines(prompt_session(tmp_path / "history"))) == ["status"]


@pytest.mark.parametrize(("typed", "code"), [("identify\nstatus\n", 0), ("identify\nbolus 99 U\nstatus\n", 1)])
def test_a_pipe_is_performed_to_its_end_and_its_failures_are_told(typed: str, code: int) -> None:
    command = [sys.executable, "-m", "rig", "console"]
    done = subprocess.run(command, input=typed, capture_output=True, text=True, timeout=60)
    assert done.returncode == code
    lines = done.stdout.splitlines()
    assert lines[0] == "Open Rig RC-1, serial number RC1-000001, firmware 0.2.0"
    assert lines[-2:] == ["therapy stop, standby, reservoir 300 U", "The pump is stopped and the bench left safe."]
