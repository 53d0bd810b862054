"""strictdoc takes in matrix.reqif: every hazard, requirement and test, what joins them, and the verdicts."""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from reports.traceability_reqif import foreign_id, reqif_of
from reports.traced import NOT_RUN, Matrix
from suites.selftest.matrices import each_gap

STRICTDOC = Path(sys.executable).with_name("strictdoc")


def strictdoc(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([STRICTDOC, *arguments], capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def taken_in(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of strictdoc's own documents, made from a matrix with a gap of each kind."""
    folder = tmp_path_factory.mktemp("strictdoc")
    (folder / "matrix.reqif").write_text(reqif_of(each_gap()), encoding="utf-8")
    arguments = ("--input-format", "reqif-sdoc", str(folder / "matrix.reqif"), str(folder / "taken in"))
    done = strictdoc("convert", *arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "taken in"


def nodes(folder: Path, name: str) -> list[str]:
    text = (folder / f"{name}.sdoc").read_text(encoding="utf-8")
    tag = name.removesuffix("s").upper()
    return text.split(f"\n[{tag}]\n")[1:]


def field(node: str, name: str) -> str:
    found = re.search(rf"^{name}: (.*)$", node, re.MULTILINE)
    return found[1] if found else ""


def test_every_hazard_requirement_and_test_is_taken_in_by_its_id(taken_in: Path) -> None:
    found = each_gap()
    wanted = {
        "Hazards": list(found.hazards),
        "Requirements": list(found.requirements),
        "Tests": [foreign_id(name) for name in found.tests],
    }
    assert {name: [field(node, "UID") for node in nodes(taken_in, name)] for name in wanted} == wanted


def test_every_link_is_taken_in_with_its_role(taken_in: Path) -> None:
    found = each_gap()
    wanted = [(each.id, name, "Controls") for each in found.requirements.values() for name in each.hazards]
    wanted += [(foreign_id(name), each.id, "Verifies") for each in found.requirements.values() for name in each.results]
    taken = [
        (field(node, "UID"), parent, role)
        for name in ("Requirements", "Tests")
        for node in nodes(taken_in, name)
        for parent, role in re.findall(r"  VALUE: (.*)\n  ROLE: (.*)", node)
    ]
    assert Counter(taken) == Counter(wanted)


def test_the_verdict_of_each_requirement_is_taken_in(taken_in: Path) -> None:
    assert [field(node, "VERDICT") for node in nodes(taken_in, "Requirements")] == verdicts(each_gap())


def verdicts(found: Matrix) -> list[str]:
    return [each.verdict.value if each.verdict else NOT_RUN for each in found.requirements.values()]


def test_strictdoc_joins_what_it_took_in(taken_in: Path) -> None:
    done = strictdoc("export", str(taken_in), "--formats=json", "--output-dir", str(taken_in.parent / "exported"))
    assert done.returncode == 0, done.stdout + done.stderr
