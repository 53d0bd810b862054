"""What docs/statistics.md shows is what the tool says today: each command is run, each printed answer compared."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from rig.cli.app import app

PAGE = Path("docs/statistics.md")
BENCH = Path("fixtures/benches/virtual.toml")


def commands(page: Path) -> list[tuple[str, list[str]]]:
    """Read the commands that a page shows after "$ ", each with the lines that stand right below it."""
    found: list[tuple[str, list[str]]] = []
    for block in re.findall(r"(?:^    .+\n)+", page.read_text(encoding="utf-8"), re.MULTILINE):
        for line in (line.strip() for line in block.splitlines()):
            if line.startswith("$ "):
                found.append((line.removeprefix("$ "), []))
            elif "$ " in block:
                found[-1][1].append(line)
    return found


COMMANDS = commands(PAGE)
ANSWERED = [it for it in COMMANDS if it[1]]
UNANSWERED = [it[0] for it in COMMANDS if not it[1]]


def said(command: str) -> tuple[int, list[str]]:
    """Run a command of the page, the virtual bench being the reader's; exit code, and the lines that it prints."""
    program, *words = shlex.split(command.replace("my_bench.toml", str(BENCH)))
    assert program == "rig"
    result = CliRunner().invoke(app, words)
    return result.exit_code, [line.strip() for line in result.output.splitlines()]


def test_the_page_shows_its_commands() -> None:
    assert (len(ANSWERED), len(UNANSWERED)) == (4, 3)


@pytest.mark.parametrize(("command", "answer"), ANSWERED, ids=[command for command, _ in ANSWERED])
def test_a_command_ends_with_the_answer_that_the_page_shows(command: str, answer: list[str]) -> None:
    assert said(command)[1][-len(answer) :] == answer


@pytest.mark.parametrize("command", UNANSWERED)
def test_a_command_without_an_answer_can_be_asked(command: str) -> None:
    assert said(command)[0] == 0


def test_the_python_of_the_page_prints_what_stands_below_it(capsys: pytest.CaptureFixture[str]) -> None:
    example = re.search(r"```python\n(.+?)```\n\n((?:    [^\n]+\n)+)", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert example is not None
    exec(compile(example[1], str(PAGE), "exec"), {})
    assert capsys.readouterr().out.splitlines() == [line.strip() for line in example[2].splitlines()]
