"""Lines of a record arrive whole, in order and on the disk; a disk that is full or stands still is a sentence, once."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rig.errors import EvidenceError
from rig.record.appending import Appender, DirectAppender, LineFile, QueuedAppender

BOTH = pytest.mark.parametrize("make", [DirectAppender, QueuedAppender])
FULL = Path("/dev/full")  # a device that takes no octet: "No space left on device"
LONG_S = 20.0  # a test that has to wait so long has failed


@contextmanager
def opened(make: Callable[[], Appender]) -> Iterator[Appender]:
    appender = make()
    try:
        yield appender
    finally:
        appender.close()


def hasty() -> QueuedAppender:
    """Make one whose thread goes to the disk after every line, also in the midst of what the caller does."""
    return QueuedAppender(sync_every_s=1e-9)


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def writers() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "record writer"]


# ---- what is accepted is kept --------------------------------------------------------------------------------------


@BOTH
def test_lines_of_several_files_arrive_whole_and_in_order(make: Callable[[], Appender], tmp_path: Path) -> None:
    with opened(make) as appender:
        one, other = appender.open(tmp_path / "a" / "b" / "one.csv"), appender.open(tmp_path / "other.jsonl")
        for n in range(1000):
            one.line(f"{n},µL")
            other.json({"n": n, "unit": "µL"})
        appender.sync()
        assert one.path == tmp_path / "a" / "b" / "one.csv"
        assert one.path.read_text(encoding="utf-8") == "".join(f"{n},µL\n" for n in range(1000))
        assert other.path.read_text(encoding="utf-8") == "".join(f'{{"n": {n}, "unit": "µL"}}\n' for n in range(1000))


@pytest.mark.parametrize("make", [DirectAppender, QueuedAppender, hasty])
@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.tuples(st.sampled_from("abc"), st.text(st.characters(exclude_categories=["Cs"]), max_size=30)),
            st.sampled_from(["close", "sync"]),
        ),
        max_size=40,
    )
)
def test_whatever_is_opened_closed_and_synced_between_each_file_holds_its_lines(
    tmp_path_factory: pytest.TempPathFactory, make: Callable[[], Appender], steps: list[Any]
) -> None:
    folder = tmp_path_factory.mktemp("record")
    expected: dict[str, str] = {}
    with opened(make) as appender:
        files: dict[str, LineFile] = {}
        for step in steps:
            if step == "sync":
                appender.sync()
                assert {path.name: path.read_bytes().decode() for path in folder.iterdir()} == expected
            elif step == "close":
                for file in files.values():
                    file.close()
                files.clear()
            else:
                name, text = step
                if name not in files:
                    files[name] = appender.open(folder / name)
                files[name].line(text)
                expected[name] = expected.get(name, "") + text + "\n"
    assert {path.name: path.read_bytes().decode() for path in folder.iterdir()} == expected


@BOTH
def test_a_file_that_is_there_is_appended_to(make: Callable[[], Appender], tmp_path: Path) -> None:
    path = tmp_path / "tests.jsonl"
    for n in range(2):
        with opened(make) as appender:
            appender.open(path).line(f"run {n}")
    assert path.read_text() == "run 0\nrun 1\n"


@BOTH
def test_a_file_that_is_opened_for_each_line_costs_one_descriptor(make: Callable[[], Appender], tmp_path: Path) -> None:
    with opened(make) as appender:
        before = descriptors()
        for n in range(2000):
            file = appender.open(tmp_path / "tests.jsonl")
            file.line(str(n))
            file.close()
        assert descriptors() <= before + 1
        appender.sync()
        assert descriptors() == before
        assert (tmp_path / "tests.jsonl").read_text() == "".join(f"{n}\n" for n in range(2000))


@BOTH
def test_what_was_closed_takes_no_line(make: Callable[[], Appender], tmp_path: Path) -> None:
    appender = make()
    first, second = appender.open(tmp_path / "first"), appender.open(tmp_path / "second")
    first.close()
    with pytest.raises(ValueError, match="first was closed: it takes no more lines"):
        first.line("late")
    appender.close()
    appender.close()
    with pytest.raises(ValueError, match="second: the record was closed, it takes no more lines"):
        second.line("late")
    with pytest.raises(ValueError, match="third: the record was closed"):
        appender.open(tmp_path / "third")
    assert (first.path.read_text(), second.path.read_text()) == ("", "")


def test_the_direct_appender_has_written_when_a_line_returns_and_the_queued_one_has_one_thread(tmp_path: Path) -> None:
    with opened(DirectAppender) as appender:
        file = appender.open(tmp_path / "now")
        file.line("a")
        assert file.path.read_text() == "a\n"
        assert writers() == []
    with opened(QueuedAppender) as appender:
        for n in range(10):
            appender.open(tmp_path / str(n)).line("a")
        (writer,) = writers()
        assert writer.daemon
    assert writers() == []


# ---- on the disk ---------------------------------------------------------------------------------------------------


@contextmanager
def fsyncs_seen() -> Iterator[list[str]]:
    """Keep the name of the thread for each call of os.fsync, as the interpreter reports it to profilers."""
    seen: list[str] = []

    def profile(_frame: FrameType, event: str, called: Any) -> None:  # noqa: ANN401 - whatever is called
        if event == "c_call" and called is os.fsync:
            seen.append(threading.current_thread().name)

    sys.setprofile(profile)
    try:
        yield seen
    finally:
        sys.setprofile(None)


def test_a_direct_sync_reaches_the_disk_for_each_file_written_since_the_last_and_each_new_name(tmp_path: Path) -> None:
    with opened(DirectAppender) as appender:
        one = appender.open(tmp_path / "samples" / "test" / "one.csv")
        other = appender.open(tmp_path / "other.csv")
        counts = []
        for writes in ([one, other], [], [one, one], [other]):
            for file in writes:
                file.line("a")
            with fsyncs_seen() as seen:
                appender.sync()
            counts.append(len(seen))
    # At first two files, the three folders that got one.csv, "test" and "samples", and the one that got other.csv.
    assert counts == [2 + 3 + 1, 0, 1, 1]


def test_the_writer_reaches_the_disk_by_itself(tmp_path: Path) -> None:
    synced = threading.Event()

    def profile(_frame: FrameType, event: str, called: Any) -> None:  # noqa: ANN401 - whatever is called
        if event == "c_call" and called is os.fsync:
            synced.set()

    threading.setprofile(profile)
    try:
        appender = QueuedAppender(sync_every_s=0.01)
    finally:
        threading.setprofile(None)
    with opened(lambda: appender):
        appender.open(tmp_path / "samples.csv").line("a")
        assert synced.wait(LONG_S), "nobody asked for it, and it did not happen"


KILLED = """
import sys
from pathlib import Path
from rig.record.appending import DirectAppender, QueuedAppender
appender = globals()[sys.argv[2]]()
files = [appender.open(Path(sys.argv[1]) / name) for name in "ab"]
for n in range(5000):
    for file in files:
        file.line(str(n))
appender.sync()
print("synced", flush=True)
for n in range(100):
    files[0].line("after")
sys.stdin.read()
"""


@BOTH
def test_a_killed_process_has_lost_nothing_that_was_synced(make: type, tmp_path: Path) -> None:
    command = [sys.executable, "-c", KILLED, str(tmp_path), make.__name__]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "synced\n"
        process.kill()
    expected = "".join(f"{n}\n" for n in range(5000))
    assert (tmp_path / "a").read_text().startswith(expected)
    assert (tmp_path / "b").read_text() == expected


# ---- a disk that is full -------------------------------------------------------------------------------------------

NO_SPACE = r"^/dev/full: cannot be written \(No space left on device\); what was written before is kept$"


def test_a_full_disk_is_told_by_the_line_that_it_does_not_take_and_by_no_other(tmp_path: Path) -> None:
    with opened(DirectAppender) as appender:
        full, good = appender.open(FULL), appender.open(tmp_path / "good")
        with pytest.raises(EvidenceError, match=NO_SPACE):
            full.line("a")
        full.line("b")
        good.line("c")
        appender.sync()
        again = appender.open(FULL)
        with pytest.raises(EvidenceError, match=NO_SPACE):
            again.line("who opens it anew is told anew")
    assert good.path.read_text() == "c\n"


def test_the_queue_tells_of_a_full_disk_at_the_next_sync_once(tmp_path: Path) -> None:
    with opened(QueuedAppender) as appender:
        full, good = appender.open(FULL), appender.open(tmp_path / "good")
        full.line("a")
        with pytest.raises(EvidenceError, match=NO_SPACE):
            appender.sync()
        full.line("b")
        good.line("c")
        appender.sync()
        assert good.path.read_text() == "c\n"


def test_the_queue_tells_of_a_full_disk_at_a_next_line_once() -> None:
    with opened(lambda: QueuedAppender(most_lines=10_000_000)) as appender:
        full = appender.open(FULL)

        def write_on() -> None:
            while True:
                full.line("a")

        with pytest.raises(EvidenceError, match=NO_SPACE):
            write_on()
        full.line("b")
        appender.sync()


def test_closing_tells_what_nobody_has_told(tmp_path: Path) -> None:
    appender = QueuedAppender()
    full = appender.open(FULL)
    full.line("a")
    full.close()
    appender.open(tmp_path / "good").line("c")
    with pytest.raises(EvidenceError, match=NO_SPACE):
        appender.close()
    appender.close()
    assert (tmp_path / "good").read_text() == "c\n"
    assert writers() == []


def test_several_failures_are_told_together(tmp_path: Path) -> None:
    (tmp_path / "no folder").write_text("")
    with opened(QueuedAppender) as appender:
        appender.open(FULL).line("a")
        appender.open(tmp_path / "no folder" / "file").line("a")
        with pytest.raises(EvidenceError, match=r"^/dev/full: .*; .*/no folder/file: cannot be written"):
            appender.sync()


def test_a_file_that_cannot_be_made_is_told_when_it_is_opened_or_at_the_next_sync(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with (
        opened(DirectAppender) as appender,
        pytest.raises(EvidenceError, match=r"file/below: cannot be written \(File exists\)"),
    ):
        appender.open(tmp_path / "file" / "below")
    with opened(QueuedAppender) as appender:
        below = appender.open(tmp_path / "file" / "below")
        with pytest.raises(EvidenceError, match=r"file/below: cannot be written \(File exists\)"):
            appender.sync()
        below.line("dropped")


FILL_THE_DISK = """
import sys
from pathlib import Path
from rig.errors import EvidenceError
from rig.record.appending import DirectAppender, QueuedAppender
appender = globals()[sys.argv[2]]()
file = appender.open(Path(sys.argv[1]))
try:
    for n in range(3000):
        file.line("0123456")
    appender.sync()
except EvidenceError as error:
    print(error)
file.line("dropped")
appender.close()
"""


@BOTH
def test_of_a_line_that_a_full_disk_takes_in_part_nothing_is_left(make: type, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FILL_THE_DISK, str(tmp_path / "samples.csv"), make.__name__],
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (10_003, 10_003)),  # as a disk with no room left
        capture_output=True,
        text=True,
        check=True,
    )
    path = tmp_path / "samples.csv"
    assert done.stdout == f"{path}: cannot be written (File too large); what was written before is kept\n"
    assert path.read_text() == "0123456\n" * 1250


# ---- a disk that stands still --------------------------------------------------------------------------------------


@pytest.fixture
def pipe(tmp_path: Path) -> Path:
    """Make a file on a disk that stands still: opening this pipe waits until somebody reads it."""
    os.mkfifo(tmp_path / "pipe")
    return tmp_path / "pipe"


def test_a_disk_that_stands_still_stalls_nobody_until_the_queue_is_full_and_nothing_accepted_is_lost(
    pipe: Path, tmp_path: Path
) -> None:
    appender = QueuedAppender(most_lines=5)
    stalled, other = appender.open(pipe), appender.open(tmp_path / "other")
    for n in range(4):
        stalled.line(str(n))
    other.line("waits behind")
    with pytest.raises(
        EvidenceError,
        match=r"/pipe: the disk has not taken 5 lines for \d+\.\d s; what was written before is kept; look whether",
    ):
        stalled.line("one too many")
    stalled.line("dropped")
    with pytest.raises(EvidenceError, match=r"/other: the disk has not taken 5 lines"):
        other.line("one too many")
    other.line("dropped")
    closing = threading.Thread(target=appender.close)
    closing.start()
    assert pipe.read_text() == "0\n1\n2\n3\n"  # somebody reads: the disk moves again
    closing.join(LONG_S)
    assert (tmp_path / "other").read_text() == "waits behind\n"
    assert writers() == []


def test_who_waits_for_a_disk_that_stands_still_is_told_and_may_wait_again(pipe: Path) -> None:
    appender = QueuedAppender(patience_s=0.05)
    file = appender.open(pipe)
    file.line("a")
    for wait in (appender.sync, appender.close, appender.close):
        with pytest.raises(EvidenceError, match=r"^the record: the disk has not taken 1 lines for \d+\.\d s"):
            wait()
    assert len(writers()) == 1
    assert pipe.read_text() == "a\n"
    writers_left = writers()
    for writer in writers_left:
        writer.join(LONG_S)
    appender.close()
    assert writers() == []


# ---- whatever ends a measurement -----------------------------------------------------------------------------------


@pytest.mark.parametrize("end", [KeyboardInterrupt, SystemExit, ZeroDivisionError])
def test_closing_in_a_finally_writes_what_was_accepted_whatever_came(tmp_path: Path, end: type[BaseException]) -> None:
    path = tmp_path / "samples.csv"

    def measure() -> None:
        appender = QueuedAppender()
        try:
            file = appender.open(path)
            for n in range(5000):
                file.line(str(n))
            if end is KeyboardInterrupt:
                os.kill(os.getpid(), signal.SIGINT)
            raise end
        finally:
            appender.close()

    with pytest.raises(end):
        measure()
    assert path.read_text() == "".join(f"{n}\n" for n in range(5000))
    assert writers() == []


def press_ctrl_c_in(thread: int, function: str) -> None:
    """Press Ctrl-C as soon as `thread` is in a function of that name."""
    while True:
        frame = sys._current_frames().get(thread)
        while frame is not None:
            if frame.f_code.co_name == function:
                os.kill(os.getpid(), signal.SIGINT)
                return
            frame = frame.f_back


def test_ctrl_c_ends_the_waiting_for_a_disk_that_stands_still(pipe: Path) -> None:
    appender = QueuedAppender()
    appender.open(pipe).line("a")
    presser = threading.Thread(target=press_ctrl_c_in, args=(threading.get_ident(), "_wait"))
    presser.start()
    with pytest.raises(KeyboardInterrupt):
        appender.close()
    presser.join()
    assert pipe.read_text() == "a\n"
    appender.close()
    assert writers() == []


@pytest.mark.parametrize("wrong", [{"most_lines": 0}, {"sync_every_s": 0.0}, {"patience_s": -1.0}])
def test_a_queue_without_room_or_time_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="a queue needs room for a line, and times above 0 s"):
        QueuedAppender(**wrong)
