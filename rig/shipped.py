"""Where the files lie that come with the rig: its own bench files, plans, requirements, suites.

They stand beside this package, in a checkout as in an installed wheel. Not responsible for files that people name: a
relative path of theirs is relative to where they are.
"""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
"""The folder that holds the rig's packages: a checkout, or an environment's site-packages."""
DEFAULT_BENCH, DEFAULT_REQUIREMENTS = "fixtures/benches/virtual.toml", "suites/requirements.toml"
DEFAULT_PUMP_SHEET = "fixtures/pumps/reference.toml"
DEFAULT_PLAN = "default"
"""Name of the test plan that is run where none is asked for."""
DEFAULT_FAULTS, DEFAULT_HAZARDS = "suites/faults.toml", "suites/hazards.toml"
PLANS, PUMP_SUITES = "fixtures/plans", "suites/pump"
TOPICS, RECALLS = "suites/topics.toml", "suites/recalls.toml"


def shipped(name: str) -> Path:
    """Find a file or folder of the rig's own by its path, such as "fixtures/plans".

    Returns:
        The path from the working directory where it leads down to it, else the whole path; it need not exist.
    """
    path = ROOT / name
    try:
        return path.relative_to(Path.cwd())
    except (ValueError, OSError):  # elsewhere, or the working directory is gone
        return path
