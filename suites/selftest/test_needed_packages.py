"""pytest collects what can be collected where the packages of the self-test are not installed, and says what cannot."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from suites.selftest.needed_packages import ROOT, missing_packages

WITHOUT_HYPOTHESIS = "import sys, pytest; sys.modules['hypothesis'] = None; sys.exit(pytest.main(sys.argv[1:]))"


def collected(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", WITHOUT_HYPOTHESIS, "--collect-only", "-q", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def test_a_module_without_its_packages_is_left_out_with_a_sentence() -> None:
    others = ["--ignore-glob=*/test_[!s]*", "--ignore-glob=*/selftest/[!t]*/*"]
    done = collected("suites/selftest", *others)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "test_serve.py" in done.stdout
    assert "test_selection.py" not in done.stdout
    assert "modules of the self-test left out for want of hypothesis: " in done.stdout


def test_the_pump_suite_is_collected_without_them() -> None:
    done = collected("suites/pump")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "suites/pump/test_stopped.py::test_stopped_pump[30 min]" in done.stdout
    assert "left out" not in done.stdout


def test_what_a_helper_of_the_suites_needs_counts_too(tmp_path: Path) -> None:
    module = tmp_path / "test_x.py"
    module.write_text(
        "import json\nimport nobody_has_this.at_all\nfrom suites.selftest import bedside\n", encoding="utf-8"
    )
    assert missing_packages(module) == {"nobody_has_this"}
    assert missing_packages(Path(__file__)) == frozenset()
