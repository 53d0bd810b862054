"""The example in docs/signing.md, executed line by line: keys, three signatures, a check, a change, a check.

Not responsible for what the parts of it do (`test_signing`, `test_signing_damage`).
"""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from rig.cli.app import run as rig_command
from rig.record.trail import read
from suites.selftest.signed import reported_run

PAGE = Path("docs/signing.md")
CODES = {"cannot be approved": 2, "DOES NOT HOLD": 5}


def transcript() -> list[tuple[str, str]]:
    """Read the commands of the page's example, each with what it prints."""
    block = re.search(r"(?:^    .*\n)+", PAGE.read_text(encoding="utf-8").partition("## An example")[2], re.MULTILINE)
    assert block is not None
    parts = re.split(r"^    \$ ", block[0], flags=re.MULTILINE)[1:]
    return [
        (command, re.sub("^    ", "", rest, flags=re.MULTILINE))
        for command, _, rest in (p.partition("\n") for p in parts)
    ]


def without_times_and_sums(text: str) -> str:
    """Put the same word for every date and every long hexadecimal number."""
    return re.sub(r"\b[0-9a-f]{36,64}\b", "SUM", re.sub(r"\d{4}-\d\d-\d\d(T[\d:]+Z)?", "DATE", text))


def test_example_of_the_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = transcript()
    assert len(lines) == 10
    for name in ("CA", "ADA", "BEA"):
        monkeypatch.setenv(name, f"the passphrase of {name}")
    monkeypatch.chdir(tmp_path)
    run = reported_run(tmp_path / "run")
    for command, printed in lines:
        words = shlex.split(command)
        if words[0] != "rig":
            subprocess.run(command, shell=True, check=True, cwd=tmp_path)
            continue
        monkeypatch.setattr(sys, "argv", words)
        with pytest.raises(SystemExit) as ended:
            rig_command()
        told = capsys.readouterr()
        assert without_times_and_sums(told.out + told.err) == without_times_and_sums(printed), command
        assert (ended.value.code or 0) == next((code for said, code in CODES.items() if said in printed), 0)
    assert [entry.what for entry in read(run)].count("signed") == 3


def test_passphrase_comes_from_nowhere_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for source, sentence in (
        ("env:NOBODY_SETS_THIS", "env:NOBODY_SETS_THIS: holds no passphrase of the authority"),
        (
            "secret words",
            "what is given is no source of the passphrase of the authority; allowed are env:NAME and fd:N",
        ),
        ("fd:913", "fd:913: the passphrase of the authority cannot be read from this file descriptor"),
    ):
        monkeypatch.setattr(
            sys, "argv", ["rig", "keys", "ca", str(tmp_path / "lab"), "--name", "L", "--passphrase", source]
        )
        with pytest.raises(SystemExit) as ended:
            rig_command()
        assert ended.value.code == 2
        assert sentence in capsys.readouterr().err
    assert not (tmp_path / "lab").exists()
