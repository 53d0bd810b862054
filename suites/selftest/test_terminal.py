"""Whatever the terminal is, the words arrive whole and the exit code means what it says: 1 is a failed requirement."""

import fcntl
import os
import struct
import subprocess
import sys
import termios
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.text import Text

from rig.cli.printing import new_console, plain, print_table
from rig.cli.streams import PLAIN, forgiving_streams, spelt_plainly

RIG = [sys.executable, "-m", "rig"]
BENCH = Path("fixtures/benches/virtual.toml")


def rig(*words: str, **settings: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([*RIG, *words], capture_output=True, check=False, env={**os.environ, **settings})


def on_terminal(*words: str, columns: int, term: str = "xterm") -> str:
    """What a terminal of so many columns is sent."""
    ours, theirs = os.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    settings = {**os.environ, "TERM": term, "COLUMNS": str(columns)}
    with subprocess.Popen([*RIG, *words], stdin=theirs, stdout=theirs, stderr=theirs, env=settings) as process:
        os.close(theirs)
        said = b""
        while True:
            try:
                part = os.read(ours, 65536)
            except OSError:  # the last writer has gone
                break
            if not part:
                break
            said += part
    os.close(ours)
    assert process.returncode == 0
    return said.decode()


@pytest.fixture
def marked_bench(tmp_path: Path) -> Path:
    """A bench whose name is full of what rich takes for markup, and of what a terminal takes for an order."""
    text = BENCH.read_text(encoding="utf-8").replace('"../', f'"{Path("fixtures").resolve()}/')
    path = tmp_path / "bench[s].toml"
    path.write_text(
        text.replace('"Virtual bench"', '"Bench [s] [v2] [/red] :warning: \\u001b[2J"', 1), encoding="utf-8"
    )
    return path


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "latin-1", "utf-8"])
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_what_an_encoding_lacks_is_spelt_plainly_and_ends_nothing(encoding: str, unbuffered: str) -> None:
    words = ["samples", "--tolerance", "±5 %", "--sd", "2 %"]
    done = rig(*words, PYTHONIOENCODING=encoding, PYTHONUNBUFFERED=unbuffered)
    spelt = "+-5 %" if encoding == "ascii" else "±5 %"
    sentence = f"35 values (normal, mean 0 %, SD 2 %) show that 95 % of all lie inside {spelt}, with 95 % confidence.\n"
    assert (done.returncode, done.stdout.decode(encoding), done.stderr) == (0, sentence, b"")


def test_a_table_on_a_terminal_without_lines_is_drawn_with_letters() -> None:
    done = rig("check", PYTHONIOENCODING="cp1252")
    assert done.returncode == 0
    assert "| balance     | Mettler-Toledo XPR26 " in done.stdout.decode("cp1252")
    assert "21.6 °C" in done.stdout.decode("cp1252")


def test_the_c_locale_is_usable() -> None:
    settings = {"LC_ALL": "C", "LANG": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    done = rig("check", **settings)
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"The bench is fit for use." in done.stdout
    asked = rig("samples", "--tolerance", "+-5 %", "--sd", "2 %", **settings)
    assert (asked.returncode, asked.stderr) == (0, b"")


@given(st.text())
def test_any_text_can_be_printed_in_any_encoding(text: str) -> None:
    for encoding in ("ascii", "cp1252", "utf-8"):
        with forgiving_streams():
            shown = text.encode(encoding, PLAIN).decode(encoding)
        assert len(shown) >= len(text)


def test_what_cannot_be_decoded_is_no_matter_of_spelling() -> None:
    error = UnicodeDecodeError("ascii", b"\xff", 0, 1, "no letter")
    with pytest.raises(UnicodeDecodeError):
        spelt_plainly(error)


@pytest.mark.parametrize("words", [["check"], ["verify", "--list"], ["samples", "--help"]])
def test_a_reader_that_goes_away_changes_no_exit_code(words: list[str]) -> None:
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run([*RIG, *words], stdout=write, stderr=subprocess.PIPE, check=False)
    os.close(write)
    assert (done.returncode, done.stderr) == (0, b"")


def test_output_that_a_full_disk_does_not_take_is_never_all_is_well() -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run([*RIG, "samples", "--reliability", "95 %"], stdout=full, capture_output=False,
                              stderr=subprocess.PIPE, check=False)  # fmt: skip
    sentence = b"rig: the output cannot be written (No space left on device); the rest of it is lost\n"
    assert (done.returncode, done.stderr) == (3, sentence)


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_streams_that_are_closed_hinder_nothing(closed: str) -> None:
    command = f'"{sys.executable}" -m rig check {closed}'
    done = subprocess.run(["bash", "-c", command], capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")


def test_a_library_that_breaks_when_it_is_imported_is_one_sentence_and_exit_code_3(tmp_path: Path) -> None:
    (tmp_path / "typer.py").write_text("print(1 / 0)\n", encoding="utf-8")
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", str(Path.cwd()))])
    done = rig("check", "--bench", "x.toml", PYTHONPATH=path, TMPDIR=str(tmp_path))
    (kept,) = tmp_path.glob("rig-error-*.txt")
    sentence = (
        "rig: rig check broke off by a mistake of the rig, not of the pump: ZeroDivisionError: division by zero; the "
        f"details are in {kept}\n"
    )
    assert (done.returncode, done.stderr.decode(), done.stdout) == (3, sentence, b"")
    assert "typer.py" in kept.read_text(encoding="utf-8")
    asked = rig("check", PYTHONPATH=path, TMPDIR=str(tmp_path), RIG_TRACEBACK="1")
    assert asked.returncode == 3
    assert b"Traceback" in asked.stderr
    assert b"the details are above" in asked.stderr
    assert len(list(tmp_path.glob("rig-error-*.txt"))) == 1


def test_exhausted_memory_is_exit_code_3(tmp_path: Path) -> None:
    manifest = tmp_path / "record" / "manifest.json"
    manifest.parent.mkdir()
    with manifest.open("wb") as file:
        file.truncate(8_000_000_000)  # takes no room on the disk
    command = f'ulimit -v 4000000; exec "{sys.executable}" -m rig report "{tmp_path}"'
    done = subprocess.run(["bash", "-c", command], capture_output=True, check=False, text=True)
    sentence = "rig: rig report broke off: the memory of this computer is exhausted; what was written before is kept\n"
    assert (done.returncode, done.stderr) == (3, sentence)


@pytest.mark.parametrize("columns", [40, 140])
@pytest.mark.parametrize("term", ["xterm", "dumb"])
def test_brackets_and_control_characters_of_a_name_stand_as_they_were_written(
    marked_bench: Path, columns: int, term: str
) -> None:
    said = on_terminal("check", "--bench", str(marked_bench), columns=columns, term=term)
    shown = "".join(said.split())
    assert "Bench[s][v2][/red]:warning:\\x1b[2J(" in shown
    assert "bench[s].toml)" in shown
    assert "\x1b[2J" not in said


def test_a_narrow_terminal_cuts_no_word() -> None:
    narrow, wide = (on_terminal("check", columns=columns, term="dumb").split() for columns in (40, 140))
    assert {word for word in wide if word.isalnum()} <= {word.rstrip(":") for word in narrow}


def test_what_is_no_terminal_gets_no_control_codes() -> None:
    assert b"\x1b" not in rig("check", TERM="xterm-256color").stdout


def test_a_table_that_does_not_fit_is_a_list(capsys: pytest.CaptureFixture[str]) -> None:
    rows: list[tuple[str | Text, ...]] = [("PR-1 a [s] sentence", Text("PASS", style="green"), "value: 1 U")]
    rows.append(("", "", "value: 2 U"))
    console = new_console()
    console.width = 12
    print_table(console, ("requirement", "verdict", "measured"), rows, title="Of [v2]", grouped=True)
    lines = ["Of [v2]", "requirement: PR-1 a [s] sentence", "verdict: PASS", "measured: value: 1 U", ""]
    assert capsys.readouterr().out.split("\n") == [*lines, "measured: value: 2 U", "", ""]


def test_rows_that_belong_together_have_no_line_between_them(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [("one", "1"), ("", "2"), ("two", "3")]
    print_table(new_console(), ("name", "n"), rows, grouped=True)
    kinds = [line[0] for line in capsys.readouterr().out.splitlines()]
    assert kinds == ["┏", "┃", "┡", "│", "│", "├", "│", "└"]


def test_a_table_without_rows_is_its_heads(capsys: pytest.CaptureFixture[str]) -> None:
    """As of a run that was stopped before anything was declared, and of which no requirement is in scope."""
    print_table(new_console(), ("name", "n"), [], grouped=True)
    assert capsys.readouterr().out.splitlines()[1].split() == ["┃", "name", "┃", "n", "┃"]


def test_control_characters_are_escapes_and_letters_of_any_language_are_not() -> None:
    assert plain("a\tb\x1b[0m\r\n[s] µ Ω 泵") == "a\\tb\\x1b[0m\\r\n[s] µ Ω 泵"


@pytest.mark.parametrize("expression", ["(basal", "basal and", "[[s]]) or", "or", "basal or or bolus", "not", "a & b"])
def test_a_selection_of_wrong_syntax_is_wrong_usage(tmp_path: Path, expression: str) -> None:
    for listed in (["--list"], ["--out", str(tmp_path / "run")]):
        done = rig("verify", "--select", expression, *listed)
        assert done.returncode == 2
        assert done.stderr.decode().startswith(f"rig: the selection {expression!r} has ")
    assert not (tmp_path / "run").exists()
