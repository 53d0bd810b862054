"""Mutants of the firmware are built one after the other, and told from the right pump's image by what is in flash."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fixtures.controller.build import HERE, sources
from fixtures.controller.mutation.building import NotCompiledError, Workshop, flash_sha256
from fixtures.controller.mutation.operators import Mutant
from fixtures.controller.mutation.sampling import DUPLICATE, EQUIVALENT, REFUSED, WRONG, build_all


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    return Workshop(tmp_path_factory.mktemp("workshop") / "firmware")


def change(workshop: Workshop, file: str, before: str, after: str) -> Mutant:
    """A mistake that no operator makes, for what becomes of it."""
    start = workshop.files[file].index(before.encode())
    return Mutant(file, 1, start, "by hand", start, start + len(before), before, after, "")


def test_objects_of_their_own_make_the_image_of_the_repository(workshop: Workshop) -> None:
    assert workshop.right.path.read_bytes() == (HERE / "controller.elf").read_bytes()


def test_what_became_of_mutants_is_told_and_the_sources_are_right_afterwards(
    workshop: Workshop, tmp_path: Path
) -> None:
    rounded = next(each for each in workshop.mutants() if each.file == "limits.c" and each.operator == "relational")
    chosen = [
        rounded,
        change(workshop, "bolus.c", "DURATION_MIN = 15", "DURATION_MIN = 10 + 5"),
        change(workshop, "limits.c", rounded.before + " ", rounded.before + "  "),
        change(workshop, "bolus.c", "DELAY_MAX = 720", "DELAY_MAX = nothing"),
    ]
    out = tmp_path / "mutants"
    found = build_all(workshop, [*chosen, rounded], out, seed=1, of=1000)
    assert [each.outcome for each in found.mutants] == [WRONG, EQUIVALENT, EQUIVALENT, REFUSED, WRONG]
    assert "nothing" in found.mutants[3].why
    assert found.counts() == {WRONG: 2, EQUIVALENT: 2, DUPLICATE: 0, REFUSED: 1}
    assert json.loads((out / "manifest.json").read_text())["by_file"]["bolus.c"][EQUIVALENT] == 1
    image = out / found.mutants[0].image
    assert flash_sha256(image) != workshop.right.flash_sha256
    again = workshop.build(chosen[1], tmp_path / "right.elf")
    assert again.flash_sha256 == workshop.right.flash_sha256


def test_a_mutant_with_the_flash_of_another_is_its_duplicate(workshop: Workshop, tmp_path: Path) -> None:
    fewer = change(workshop, "bolus.c", "DELAY_MAX = 720", "DELAY_MAX = 719")
    too = change(workshop, "bolus.c", "DELAY_MAX = 720", "DELAY_MAX = 718 + 1")
    too = Mutant(**{**vars(too), "line": 2})
    found = build_all(workshop, [fewer, too], tmp_path / "out", seed=1, of=2)
    assert [(each.outcome, each.why) for each in found.mutants] == [(WRONG, ""), (DUPLICATE, fewer.id)]


def test_a_patch_fits_the_sources(workshop: Workshop, tmp_path: Path) -> None:
    mutant = next(each for each in workshop.mutants() if each.file == "crc.c")
    patch = tmp_path / "mutant.patch"
    patch.write_text(workshop.patch(mutant))
    changed = sources(patch, tmp_path)
    assert (changed / "crc.c").read_bytes() == mutant.made_in(workshop.files["crc.c"])


def test_a_mutant_of_a_header_is_built_into_every_unit_that_includes_it(workshop: Workshop, tmp_path: Path) -> None:
    mutant = change(workshop, "units.h", "#define", "#define UNUSED_HERE 1\n#define")
    assert workshop.build(mutant, tmp_path / "same.elf").flash_sha256 == workshop.right.flash_sha256
    with pytest.raises(NotCompiledError, match="error"):
        workshop.build(change(workshop, "units.h", "#define", "#error\n#define"), tmp_path / "none.elf")
