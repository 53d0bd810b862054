"""Descriptions of formats and jobs that a laboratory keeps: TOML files with the options of `rig analyse` as keys.

A format says how files of one kind are written; a job says all that is asked, of which files. Flags outweigh a job,
a job outweighs a format. Not responsible for what options mean (`question`).
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rig.errors import DataFileError
from rig.offline.question import BALANCE, FILE, ROWS, Question, ask, flags
from rig.toml_files import read_toml

OWN = Path(__file__).parents[2] / "fixtures" / "formats"
"""Formats that come with the rig."""

LOGS = frozenset({".csv", ".tsv", ".txt", ".log", ".dat", ".asc", ".prn", ".xlsx", ".xlsm", ".xlsb", ".xls", ".ods"})
"""Endings of the files that are taken from a folder."""


SOUNDS = frozenset({".wav", ".w64", ".rf64", ".flac", ".aiff", ".aif"})
"""Endings of the recordings that are taken from a folder."""


@dataclass(frozen=True)
class Job:
    """What a job file asks: the files, the name of their format, and options; None and empty where it says nothing."""

    files: tuple[Path, ...]
    format: str | None
    out: Path | None
    options: Mapping[str, Any]


def read_format(name: str) -> dict[str, Any]:
    """Read a format by its name, looked for in this folder, in `formats/` and in the rig's own; or by its path.

    Raises:
        DataFileError: no such format, or a key that says nothing about a file.
    """
    path = _find(name)
    content = _keys(read_toml(path))
    content.pop("title", None)
    allowed = [key for key, flag in flags().items() if flag.panel in (FILE, ROWS, BALANCE)]
    _known(path, content, allowed)
    ask(content, path)
    return content


def _find(name: str) -> Path:
    if name.endswith(".toml"):
        return Path(name)
    folders = [Path(), Path("formats"), OWN]
    for folder in folders:
        if (folder / f"{name}.toml").is_file():
            return folder / f"{name}.toml"
    known = sorted({path.stem for folder in folders[1:] if folder.is_dir() for path in folder.glob("*.toml")})
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(known)}"
    raise DataFileError(f"--as {name}: there is no such format; {hint} (or name a file that ends in .toml)")


def read_job(path: Path) -> Job:
    """Read a job file; paths in it are relative to its folder, and names of files may hold * and ?.

    Raises:
        DataFileError: a key that is not known, or files that are not there.
    """
    content = _keys(read_toml(path))
    files, form, out = content.pop("files", []), content.pop("as", None), content.pop("out", None)
    _known(path, content, [*flags(), "files", "as", "out"])
    if "starts" in content:
        content["starts"] = path.parent / str(content["starts"])
    ask(content, path)
    found: list[Path] = []
    for pattern in [files] if isinstance(files, str) else files:
        matches = sorted(path.parent.glob(str(pattern))) if any(sign in str(pattern) for sign in "*?[") else []
        found += matches or [path.parent / str(pattern)]
    return Job(tuple(found), form, path.parent / str(out) if out is not None else None, content)


def _keys(content: Mapping[str, Any]) -> dict[str, Any]:
    return {key.replace("-", "_"): value for key, value in content.items()}


def _known(path: Path, content: Mapping[str, Any], allowed: Sequence[str]) -> None:
    for key in content:
        if key not in allowed:
            near = difflib.get_close_matches(key, allowed, n=1)
            raise DataFileError(
                f"{path}: {key} is not a known key; "
                + (f"did you mean {near[0]!r}?" if near else f"allowed are {', '.join(allowed)}")
            )


def merged(*layers: Mapping[str, Any]) -> Question:
    """Join options, the later ones outweighing the earlier; DataFileError on the first that is wrong."""
    joined: dict[str, Any] = {}
    for layer in layers:
        joined |= {key: value for key, value in layer.items() if value is not None}
    return ask(joined)


def logs_in(paths: Sequence[Path], endings: frozenset[str] = LOGS) -> list[Path]:
    """Give files, and of folders the logs (or sounds) in them by their endings, in order of name.

    Raises:
        DataFileError: a folder without any.
    """
    found: list[Path] = []
    for path in paths:
        if not path.is_dir():
            found.append(path)
            continue
        inside = sorted(each for each in path.iterdir() if each.suffix.lower() in endings and each.is_file())
        if not inside:
            raise DataFileError(f"{path}: holds no log: no file that ends in {', '.join(sorted(endings))}")
        found += inside
    return found


def written_toml(title: str, options: Mapping[str, str]) -> str:
    """Write a format as TOML from options by flag."""
    lines = [f"title = {_quoted(title)}"]
    for flag, value in options.items():
        lines.append(f"{flag.removeprefix('--').replace('-', '_')} = {_quoted(value)}")
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    escaped = "".join(
        f"\\u{ord(letter):04x}" if not letter.isprintable() else {'"': '\\"', "\\": "\\\\"}.get(letter, letter)
        for letter in text
    )
    return f'"{escaped}"'
