"""Is the rig installed as it should be on this PC? The numbered items of the installation qualification, IQ-1 and on.

Each says what it asks for, what came of it and what was seen. Not responsible for whether the rig works
(`rig.cli.operation`), nor for what is done with the items (`rig.cli.qualify`).
"""

from __future__ import annotations

import datetime
import importlib.metadata
import locale
import os
import shutil
import struct
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from rig.clock import WallClock
from rig.errors import RigError
from rig.lease import Lease, is_held
from rig.record.files import utc_now, write_whole
from rig.record.qualification import Item, Outcome
from rig.run.clock_reference import ClockReference, clock_reference
from rig.run.formality import of_code
from rig.run.installed import CheckedPackages, check_packages, missing_packages_of
from rig.run.software import DISTRIBUTION, packages, software
from rig.shipped import DEFAULT_BENCH, DEFAULT_FAULTS, DEFAULT_PUMP_SHEET, DEFAULT_REQUIREMENTS, PLANS, ROOT, shipped

LEAST_PYTHON = (3, 11)
LEAST_FREE_OCTETS = 2**30
"""Room on the disk below which no PC is fit: a run of 72 h at 10 Hz takes some hundred MB."""
_NAMED = 5
"""So many of several are named; the others are counted."""
Seen = tuple[Outcome, str]


def installation(place: Path, clock_compared: str | None) -> list[Item]:
    """Look at the installation; nothing is changed but for files in `place` that are taken away again.

    Args:
        place: where runs and qualifications are written.
        clock_compared: in the operator's words, what the PC's clock was compared with by hand.
    """
    asked: list[tuple[str, Callable[[], Seen]]] = [
        (f"Python {'.'.join(map(str, LEAST_PYTHON))} or later, CPython, of 64 bits", _python),
        ("each package that is needed is there, each file of each as its own list (RECORD) says", _packages),
        ("the rig's own code is that of its commit, or of its wheel", _own_code),
        ("the files that come with the rig are there", _shipped),
        ("typst sets a page in its own fonts, the same one twice", _typesetting),
        ("text is UTF-8; the time zone is known, though records say UTC", _text),
        ("the disk of the runs takes a file down to the platter, locks, and has room", lambda: _disk(place)),
        ("something keeps the PC's clock right, or somebody has compared it", lambda: _clock(clock_compared)),
        ("what is written here can be read by its owner, and files can be made read-only", lambda: _rights(place)),
    ]
    return [item_of(f"IQ-{number}", asks, look) for number, (asks, look) in enumerate(asked, start=1)]


def item_of(number: str, asks: str, look: Callable[[], Seen]) -> Item:
    """Look at one thing; whatever goes wrong in looking is a failure that is told."""
    try:
        outcome, seen = look()
    except RigError as error:
        outcome, seen = "failed", str(error)
    except Exception as error:  # whatever it is, such as a package that cannot be imported
        outcome, seen = "failed", f"{type(error).__name__}: {error}"
    return Item(id=number, asks=asks, outcome=outcome, seen=seen)


def passed_if(good: bool, seen: str) -> Seen:
    """Say whether it passed, and what was seen."""
    return ("passed" if good else "failed"), seen


def judged_packages(checked: CheckedPackages, missing: Sequence[str] = ()) -> Seen:
    """Judge what came of holding packages against their lists, and which of those that are needed are missing."""
    told = [f"{each} is needed and not installed" for each in missing]
    told += [*checked.altered, *(f"{each} has no list of its files" for each in checked.unlisted)]
    if told:
        more = f" and {len(told) - _NAMED} more" if len(told) > _NAMED else ""
        return "failed", f"{'; '.join(told[:_NAMED])}{more}"
    return "passed", f"{checked.files} files of {checked.packages} packages have the hashes that they were listed with"


def judged_clock(reference: ClockReference, compared: str | None) -> Seen:
    """Judge what keeps the clock right; neither a reference nor a comparison is a finding, and no pass."""
    if reference.synchronised:
        return "passed", str(reference)
    if compared is not None and compared.strip():
        return "passed", f"{reference}; compared by hand: {compared}"
    return "finding", f"{reference}, and nobody has compared it (--clock says so): dates of records are not traceable"


def _python() -> Seen:
    bits = 8 * struct.calcsize("P")
    name = sys.implementation.name
    good = sys.version_info >= LEAST_PYTHON and bits == 64 and name == "cpython"
    return passed_if(good, f"{name} {'.'.join(map(str, sys.version_info[:3]))}, {bits} bits, {sys.executable}")


def _packages() -> Seen:
    return judged_packages(check_packages(), missing_packages_of(importlib.metadata.distribution(DISTRIBUTION)))


def _own_code() -> Seen:
    code = software()
    wrong = of_code(code, ROOT)
    known = f"version {code.version}, {f'commit {code.commit}' if code.commit else 'a wheel'}, code {code.sha256}"
    return passed_if(not wrong, "; ".join([*wrong, known]))


def _shipped() -> Seen:
    names = (DEFAULT_BENCH, DEFAULT_FAULTS, DEFAULT_PUMP_SHEET, DEFAULT_REQUIREMENTS, PLANS)
    missing = [name for name in names if not shipped(name).exists()]
    return passed_if(not missing, f"missing: {', '.join(missing)}" if missing else f"{len(names)} of {len(names)}")


def _typesetting() -> Seen:
    import typst

    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder) / "page.typ"
        page.write_text("#set document(date: none)\nvalue ± U in µL: −0.078 %", encoding="utf-8")
        fonts = typst.Fonts(include_system_fonts=False)
        try:
            made = [typst.compile(page, format="pdf", font_paths=fonts) for _ in range(2)]
        except RuntimeError as error:
            return "failed", f"typst cannot set a page: {error}"
    families = ", ".join(sorted(fonts.families()))
    version = packages()["typst"].version
    good = made[0] == made[1] and bytes(made[0]).startswith(b"%PDF-")
    return passed_if(good, f"typst {version}, fonts of its own: {families}")


def _text() -> Seen:
    encodings = {sys.getfilesystemencoding().lower(), locale.getpreferredencoding(False).lower()}
    here = datetime.datetime.fromisoformat(utc_now()).astimezone()
    zone = f"{here.tzname()}, UTC{here:%z}"
    return passed_if(encodings == {"utf-8"}, f"encodings {', '.join(sorted(encodings))}; time zone {zone}")


def _disk(place: Path) -> Seen:
    place.mkdir(parents=True, exist_ok=True)
    clock = WallClock()
    with tempfile.TemporaryDirectory(dir=place, prefix="rig-qualify-") as folder:
        data = os.urandom(2**20)
        file = Path(folder) / "written"
        begun_s = clock.now()
        write_whole(file, data)
        took_s = clock.now() - begun_s
        same = file.read_bytes() == data
        with Lease.take(Path(folder) / "lease", of="a trial", purpose="rig qualify", since_utc=utc_now()):
            locks = is_held(Path(folder) / "lease")
        free = shutil.disk_usage(folder).free
    good = same and locks and free >= LEAST_FREE_OCTETS
    seen = (
        f"1 MiB written, synced and read back in {1e3 * took_s:.0f} ms, "
        f"{'equal' if same else 'NOT EQUAL'}; locks {'hold' if locks else 'DO NOT HOLD'}; {free / 2**30:.1f} GiB free"
    )
    return passed_if(good, seen)


def _clock(compared: str | None) -> Seen:
    return judged_clock(clock_reference(), compared)


def _rights(place: Path) -> Seen:
    with tempfile.TemporaryDirectory(dir=place, prefix="rig-qualify-") as folder:
        file = Path(folder) / "read-only"
        file.write_bytes(b"1")
        file.chmod(0o444)
        kept = file.stat().st_mode & 0o222 == 0
        read = file.read_bytes() == b"1"
    who = f"user {os.getuid()}"
    if os.getuid() == 0:
        return (
            "finding",
            f"{who}, the administrator, for whom no right to write can be taken away; use an account of its own",
        )
    return passed_if(kept and read, f"{who}; files {'can' if kept else 'CANNOT'} be made read-only")
