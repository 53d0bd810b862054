"""Which packages a run says that it was made with."""

import subprocess
import sys

ASKED = """
from rig.run.software import packages
before = packages()
import setuptools
assert any("_vendor" in path for path in __import__("sys").path)
assert packages() == before, packages().keys() ^ before.keys()
"""


def test_copies_that_setuptools_puts_on_the_path_are_no_installed_packages() -> None:
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", ASKED], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
