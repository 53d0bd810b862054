"""`rig init`: a laboratory's own project, which verifies on the virtual bench at once.

Its files are those of `fixtures/project`, and the virtual bench, the example of a laboratory's bench and the reference
pump's sheet with the paths of the project. Not responsible for what they say.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from rich.console import Console

from rig.cli.printing import say
from rig.errors import BenchFileError
from rig.record.files import cannot_write, made_whole
from rig.shipped import DEFAULT_BENCH, DEFAULT_PUMP_SHEET, ROOT, shipped

TEMPLATE = "fixtures/project"
LAB_EXAMPLE, CONTROLLER = "fixtures/benches/lab_example.toml", "fixtures/controller/controller.elf"
SHEET, FIRMWARE = "pump.toml", "virtual/controller.elf"
_DOT = "dot_"
"""Stands in the names of the templates in place of the dot, which hides a file from whoever packs or looks."""
VERIFY = "rig verify --bench bench.toml --plan plan.toml --requirements requirements.toml --suites suites"


def make_project(folder: Path, *, console: Console) -> None:
    """Make a project in a folder that is new or empty; it is there whole, or not at all.

    Raises:
        BenchFileError: the folder holds something, is a file, or lies in the rig's own checkout.
        EvidenceError: it cannot be written.
    """
    _refuse_unfit(folder)
    if folder.is_dir():  # it may be where somebody is, so it stays the same folder
        try:
            _fill(folder, folder.resolve().name)
        except BaseException as error:
            for each in folder.iterdir():
                shutil.rmtree(each) if each.is_dir() else each.unlink()
            if isinstance(error, OSError):
                raise cannot_write(folder, error) from error
            raise
    else:
        with made_whole(folder) as made:
            _fill(made, folder.resolve().name)
    say(console, f"{folder}: bench, pump sheet, requirements, plan, suites; README.md says what is yours to change.")
    say(console, f"Verify it on its virtual bench: cd {folder}; {VERIFY}")


def _fill(made: Path, name: str) -> None:
    template = shipped(TEMPLATE)
    for path in sorted(each for each in template.rglob("*") if each.is_file() and "__pycache__" not in each.parts):
        to = made.joinpath(*(_named(part) for part in path.relative_to(template).parts))
        to.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, to)
    readme = made / "README.md"
    readme.write_text(readme.read_text(encoding="utf-8").replace("NAME", name, 1), encoding="utf-8")
    for source, bench in ((DEFAULT_BENCH, "bench.toml"), (LAB_EXAMPLE, "lab_bench.toml")):
        text = _replaced(shipped(source), '"../pumps/reference.toml"', f'"{SHEET}"')
        (made / bench).write_text(text.replace('"../controller/controller.elf"', f'"{FIRMWARE}"'), encoding="utf-8")
    (made / FIRMWARE).parent.mkdir()
    shutil.copyfile(shipped(CONTROLLER), made / FIRMWARE)
    shutil.copyfile(shipped(DEFAULT_PUMP_SHEET), made / SHEET)


def _refuse_unfit(folder: Path) -> None:
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise BenchFileError(f"{folder}: is no folder; name a new one")
    if folder.is_dir() and any(folder.iterdir()):
        raise BenchFileError(f"{folder}: is not empty; name a new folder, nothing is written over")
    if folder.resolve().is_relative_to(ROOT):
        raise BenchFileError(
            f"{folder}: lies in the folder of the rig itself, {ROOT}; a laboratory's project is a repository of its "
            "own, so that nothing confidential comes into the rig's"
        )


def _named(part: str) -> str:
    return f".{part.removeprefix(_DOT)}" if part.startswith(_DOT) else part


def _replaced(path: Path, old: str, new: str) -> str:
    text = path.read_text(encoding="utf-8")
    assert old in text  # the rig's own file
    return text.replace(old, new)
