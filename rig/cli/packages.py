"""Whether the rig's packages are its own: their names are general, and another distribution may have the same.

Not responsible for the versions of anything (`rig.run.software`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path

from rig.errors import RigError
from rig.shipped import ROOT

OWN = "insulin_pump_rig"
"""The rig's own distribution, as a folder of its metadata is called."""
PACKAGES = ("rig", "instruments", "fixtures", "reports", "suites")


def refuse_shared_packages(root: Path = ROOT) -> None:
    """Refuse to begin where a package of the rig is another distribution's, too; looks at lists of files alone.

    Raises:
        RigError: one of them is found elsewhere, or another distribution has put files into it, with its name.
    """
    for name in PACKAGES:
        found = _found(name)
        if found is not None and found != root / name:
            whose = next((f"of the distribution {each}" for each, _ in owners(found.parent, [name])), "not the rig's")
            raise RigError(_sentence(f"the package {name!r} is found in {found.parent} and is {whose}"))
    for distribution, name in owners(root, PACKAGES):
        raise RigError(_sentence(f"the distribution {distribution} has put files into the rig's package {name!r}"))


def owners(folder: Path, packages: Sequence[str]) -> Iterator[tuple[str, str]]:
    """List the distributions but the rig that own one of `packages` in an environment's folder, and which."""
    for listed in sorted(folder.glob("*.dist-info/RECORD")):
        name, _, version = listed.parent.name.removesuffix(".dist-info").rpartition("-")
        if name == OWN:
            continue
        lines = listed.read_bytes()  # no csv reader: there are megabytes of them, and little time
        for each in packages:
            if lines.startswith(f"{each}/".encode()) or f"\n{each}/".encode() in lines:
                yield f"{name} {version}", each


def _found(name: str) -> Path | None:
    """Say where Python finds a package; None where it finds none with an `__init__`."""
    try:
        spec = find_spec(name)
    except (ImportError, ValueError):
        return None
    return Path(spec.origin).resolve().parent if spec is not None and spec.origin is not None else None


def _sentence(what: str) -> str:
    return f"{what}; install the rig into an environment of its own: pipx install 'insulin-pump-rig[virtual]'"
