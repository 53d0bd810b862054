"""The page of Allure 3: its npm package, in one version with everything that it needs, makes one file of result files.

The package is fetched once, by the sums in `package-lock.json`, into the user's cache, and runs no script of its own
while it is installed. What would count visitors is taken out of the page, and a content security policy makes the
browser refuse every address. Not responsible for the result files (`reports.allure.files`).
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

from reports.allure.files import CATEGORIES, RESULTS, report_name
from reports.allure.history import earlier, read_added, write_allure_history
from reports.allure.run_parts import AllureRun, Json
from rig.errors import RigError
from rig.record.files import write_whole

PAGE = "allure.html"
PACKAGE, LOCK = "package.json", "package-lock.json"
NODE = 18
"""The oldest main version of Node.js with which the page was made."""
FETCH_S, MAKE_S = 600.0, 600.0
POLICY = (
    "default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval' data: blob:; style-src 'unsafe-inline' data:; "
    "img-src data: blob:; font-src data:; connect-src data: blob:; media-src data: blob:; worker-src data: blob:"
)
_COUNTING = re.compile(
    r"<script async src=\"https://www\.googletagmanager\.com/[^\"]*\"></script>\s*<script>(?:(?!</script>).)*?gtag\("
    r"(?:(?!</script>).)*</script>",
    re.DOTALL,
)
COUNTERS = ("googletagmanager", "google-analytics", "gtag(")
"""What must not stand in a page."""


@dataclass(frozen=True)
class Allure:
    """The installed package: Node.js, and the script that it runs."""

    node: str
    script: Path


def refuse_without_node() -> None:
    """Refuse to make a page where Node.js or npm is missing, before anything is written; RigError says so."""
    _programs()


def make_page(folder: Path, shown: Sequence[AllureRun], known: Sequence[Json] = ()) -> Json:
    """Make the page of the result files of runs in a folder, and return the line of these runs for the history.

    Args:
        folder: that holds the result files.
        shown: the runs.
        known: the history as it was read.

    Raises:
        RigError: Node.js is missing or too old, Allure cannot be fetched, or it makes no page.
        EvidenceError: the page cannot be written.
    """
    name, start_ms = report_name(shown), max(each.start_ms for each in shown)
    allure = _installed()
    with TemporaryDirectory(prefix="rig-allure-") as temporary:
        work = Path(temporary)
        past = work / "history.jsonl"
        write_allure_history(past, earlier(known, name, start_ms))
        _generate(allure, folder / RESULTS, work, _settings(name, past))
        page = sealed_off((work / "page" / "index.html").read_text(encoding="utf-8"))
        added = read_added(past, name, start_ms)
    write_whole(folder / PAGE, page.encode())
    return added


def sealed_off(page: str) -> str:
    """Take the counting of visitors out of a page, and have the browser refuse every address.

    Raises:
        RigError: something that counts is left, or there is no head to write the policy into.
    """
    stripped = _COUNTING.sub("", page)
    left = [each for each in COUNTERS if each in stripped]
    if left or stripped.count("<head>") != 1:
        raise RigError(f"Allure's page is not as it is known: {', '.join(left) or 'it has no head'}; none is written")
    return stripped.replace("<head>", f'<head>\n    <meta http-equiv="Content-Security-Policy" content="{POLICY}">')


def _settings(name: str, past: Path) -> str:
    awesome = {"singleFile": True, "reportName": name, "groupBy": ["feature"], "sections": ["charts"]}
    return json.dumps(
        {
            "name": name,
            "historyPath": str(past),
            "appendHistory": True,
            "categories": CATEGORIES,
            "plugins": {"awesome": {"options": awesome}},
        }
    )


def _generate(allure: Allure, results: Path, work: Path, settings: str) -> None:
    (work / "allurerc.json").write_text(settings, encoding="utf-8")
    command = [
        allure.node, str(allure.script), "generate", str(results.resolve()), "--config", str(work / "allurerc.json"),
        "--output", str(work / "page"), "--cwd", str(work),
    ]  # fmt: skip
    said = _called(command, work, MAKE_S, "Allure")
    if not (work / "page" / "index.html").is_file():
        raise RigError(f"Allure has made no page: {_essence(said)}")


def _programs() -> tuple[str, str]:
    """Find Node.js and npm."""
    found = {name: shutil.which(name) for name in ("node", "npm")}
    node, npm = found["node"], found["npm"]
    if node is None or npm is None:
        missing = " and ".join(name for name, path in found.items() if path is None)
        raise RigError(
            f"--page needs Node.js {NODE} or later with npm, and {missing} is not to be found; install it, or leave "
            "--page out: the result files need neither"
        )
    said = _called([node, "--version"], Path.cwd(), 60.0, "node").strip()
    version = re.search(r"^v(\d+)\.", said, re.MULTILINE)
    if version is None or int(version[1]) < NODE:
        raise RigError(
            f"--page needs Node.js {NODE} or later, and {node} is {said or 'of no version'}; install a later one"
        )
    return node, npm


def _installed() -> Allure:
    """Find the package in the user's cache, or fetch it: whole or not at all."""
    node, npm = _programs()
    own = Path(__file__).parent
    lock = (own / LOCK).read_bytes()
    version = json.loads(lock)["packages"]["node_modules/allure"]["version"]
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "insulin-pump-rig"
    place = cache / f"allure-{version}-{sha256(lock).hexdigest()[:12]}"
    script = place / "node_modules" / "allure" / "cli.js"
    if script.is_file():
        return Allure(node, script)
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix="allure-", dir=cache, ignore_cleanup_errors=True) as temporary:
            work = Path(temporary) / "allure"
            work.mkdir()
            for name in (PACKAGE, LOCK):
                shutil.copyfile(own / name, work / name)
            command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
            _called(command, work, FETCH_S, f"fetching Allure {version} by npm")
            if not place.exists():
                work.rename(place)
    except OSError as error:
        if not script.is_file():  # somebody else may have put it there meanwhile
            raise RigError(
                f"{place}: Allure {version} cannot be put there ({error.strerror}); see XDG_CACHE_HOME"
            ) from error
    return Allure(node, script)


def _called(command: Sequence[str], folder: Path, patience_s: float, what: str) -> str:
    """Call a program and return what it said; RigError with its last words where it fails."""
    try:
        done = subprocess.run(
            command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True,
            errors="replace", timeout=patience_s, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise RigError(f"{what} did not end within {patience_s:g} s") from error
    except OSError as error:
        raise RigError(f"{what}: {command[0]} cannot be started ({error.strerror})") from error
    if done.returncode != 0:
        raise RigError(f"{what} failed with exit code {done.returncode}: {_essence(done.stdout)}")
    return done.stdout


def _essence(said: str) -> str:
    """Choose the words of a program's output that say what is wrong, on one line."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    telling = [line for line in lines if "error" in line.lower()][:4] or lines[-3:]
    return " / ".join(telling)[:400] or "it said nothing"
