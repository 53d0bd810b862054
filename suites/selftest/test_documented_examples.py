"""Code in the documentation works: Python compiles, imports and, where it is cheap, runs; commands and TOML are read.

Not responsible for the figures of docs/statistics.md, which `test_documented_statistics` compares, nor for names in
prose (`test_documented_names`).
"""

from __future__ import annotations

import ast
import re
import shlex
import tomllib
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
import typer
from typer.core import TyperGroup
from typer.exceptions import TyperException
from typer.testing import CliRunner

from rig.cli.app import app
from suites.selftest.test_documented_names import PAGES, ticked

NEEDS_A_RUN = "docs/report.md"
ROOT = Path().resolve()


def blocks(language: str) -> list[tuple[Path, str]]:
    """Find the fenced blocks of a language, each with its page."""
    return [
        (page, block)
        for page in PAGES
        for block in re.findall(
            rf"^```{language}\n(.+?)^```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
        )
    ]


def printed_below(page: Path, block: str) -> list[str]:
    """Read the lines of the indented block right below a fenced one: what it prints; none when prose follows."""
    text = page.read_text(encoding="utf-8")
    below = text[text.index(block) + len(block) :].removeprefix("```\n\n")
    match = re.match(r"(?:    .+\n)+", below)
    return [line.strip() for line in match[0].splitlines()] if match else []


def commands() -> list[tuple[Path, str]]:
    """Find every `rig …` that a page shows, in a line of an indented block or in backticks."""
    found = []
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        whole = re.sub(r" \\\n\s+", " ", text)
        lines = re.findall(r"^    (?:\$ )?(rig [a-z].*?)(?:  +#.*)?$", whole, re.MULTILINE)
        lines += [each for each in ticked(text) if re.match("rig [a-z]", each)]
        found += [(page, line) for line in dict.fromkeys(lines)]
    return found


PYTHON = [pytest.param(*it, id=f"{it[0]}-{n}") for n, it in enumerate(blocks("python"))]
TOML = [pytest.param(*it, id=f"{it[0]}-{n}") for n, it in enumerate(blocks("toml"))]
COMMANDS = [pytest.param(line, id=f"{page}-{line}") for page, line in commands()]


@pytest.mark.parametrize(("page", "block"), PYTHON)
def test_python_compiles_and_its_imports_resolve(page: Path, block: str) -> None:
    tree = ast.parse(block, str(page))
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            assert node.module is not None
            module = import_module(node.module)
            assert [each.name for each in node.names if not hasattr(module, each.name)] == []
        elif isinstance(node, ast.Import):
            for each in node.names:
                import_module(each.name)


@pytest.mark.parametrize(("page", "block"), [it for it in PYTHON if str(it.values[0]) != NEEDS_A_RUN])
def test_python_runs_and_prints_what_stands_below_it(
    page: Path,
    block: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    np.savetxt(tmp_path / "balance.txt", 0.0025 * np.arange(200.0))  # 0.01 mL/h of water, read every 15 min
    (tmp_path / "fixtures").symlink_to(ROOT / "fixtures")
    monkeypatch.chdir(tmp_path)
    exec(compile(block, str(page), "exec"), {})
    expected = printed_below(ROOT / page, block)
    assert not expected or capsys.readouterr().out.splitlines() == expected


@pytest.mark.parametrize(("page", "block"), TOML)
def test_toml_is_toml(page: Path, block: str) -> None:
    assert tomllib.loads(block), page


@pytest.mark.parametrize("line", COMMANDS)
def test_a_command_and_its_options_exist(line: str) -> None:
    words = shlex.split(re.split(r" [|>] ", line)[0])[1:]
    group = typer.main.get_command(app)
    assert isinstance(group, TyperGroup)
    assert words[0] in group.commands, f"rig {words[0]} is no command"
    command = group.commands[words[0]]
    command.make_parser(typer.Context(command)).parse_args(words[1:])


def test_a_command_that_does_not_exist_would_be_found() -> None:
    with pytest.raises(AssertionError, match="rig measure is no command"):
        test_a_command_and_its_options_exist("rig measure --all")
    with pytest.raises(TyperException, match="--al"):
        test_a_command_and_its_options_exist("rig verify --all")


def test_the_first_hour_at_the_console_answers_as_its_page_says() -> None:
    page = Path("docs/console.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"(?:^    .*\n)*?(?:^    rig> .*\n(?:^    (?!rig>).*\n)*)+", page, re.MULTILINE)
    lines = [line.strip() for line in block.splitlines()]
    asked = [line.removeprefix("rig> ") for line in lines if line.startswith("rig> ")]
    answers = [line for line in lines if not line.startswith("rig> ")]
    result = CliRunner().invoke(app, ["console"], input="\n".join(asked[:-1]))  # the last one watches for a minute
    assert " ".join(result.output.split()).startswith(" ".join(" ".join(answers[:-1]).split()))
