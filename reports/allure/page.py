"""The page of Allure 3: its npm package, in one version with everything that it needs, makes one file of result files.

The package is fetched once, by the sums in `package-lock.json`, into the user's cache, and runs no script of its own
while it is installed. What would count visitors is taken out of the page, and a content security policy makes the
browser refuse every address. Not responsible for the result files (`reports.allure.files`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from reports.allure.files import CATEGORIES, RESULTS, report_name
from reports.allure.history import earlier, read_added, write_allure_history
from reports.allure.run_parts import AllureRun, Json
from rig.errors import RigError
from rig.npm import NpmPackage, called, telling_words
from rig.record.files import write_whole

PAGE = "allure.html"
MAKE_S = 600.0
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


ALLURE = NpmPackage(
    name="allure",
    own=Path(__file__).parent,
    title="Allure",
    needs="--page needs",
    without="leave --page out: the result files need neither",
)


def refuse_without_node() -> None:
    """Refuse to make a page where Node.js or npm is missing, before anything is written; RigError says so."""
    ALLURE.refuse_without_programs()


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
    ALLURE.fetch()
    with TemporaryDirectory(prefix="rig-allure-") as temporary:
        work = Path(temporary)
        past = work / "history.jsonl"
        write_allure_history(past, earlier(known, name, start_ms))
        _generate(folder / RESULTS, work, _settings(name, past))
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


def _generate(results: Path, work: Path, settings: str) -> None:
    (work / "allurerc.json").write_text(settings, encoding="utf-8")
    script = ALLURE.place / "node_modules" / "allure" / "cli.js"
    command = [
        ALLURE.node(), str(script), "generate", str(results.resolve()), "--config", str(work / "allurerc.json"),
        "--output", str(work / "page"), "--cwd", str(work),
    ]  # fmt: skip
    said = called(command, work, MAKE_S, "Allure")
    if not (work / "page" / "index.html").is_file():
        raise RigError(f"Allure has made no page: {telling_words(said)}")
