"""One holder at a time, whatever ends it, and nothing to delete by hand."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from rig.lease import CARRIED, Lease, LeaseHeldError, carried, holder_named_in, is_held

SINCE = "2026-01-01T00:00:00Z"
HOLDS = """
import signal, sys
from pathlib import Path
from rig.lease import Lease
lease = Lease.take(Path(sys.argv[1]), of="bench x", purpose="rig verify", since_utc="2026-01-01T00:00:00Z")
print("held", flush=True)
signal.pause()
"""


def take(path: Path) -> Lease:
    return Lease.take(path, of="bench x", purpose="rig check", since_utc=SINCE)


def test_a_second_holder_is_refused_and_told_who_holds_it_what_for_and_since_when(tmp_path: Path) -> None:
    path = tmp_path / "a" / "lease"
    with take(path):
        assert is_held(path)
        with pytest.raises(LeaseHeldError, match=rf"bench x is in use: rig check \(process {os.getpid()} of .*{SINCE}"):
            take(path)
    assert not is_held(path)
    take(path).free()


def test_a_killed_holder_frees_it_at_once_and_the_file_stays(tmp_path: Path) -> None:
    path = tmp_path / "lease"
    with subprocess.Popen([sys.executable, "-c", HOLDS, str(path)], stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(LeaseHeldError, match=f"process {holder.pid}"):
            take(path)
        holder.send_signal(signal.SIGKILL)
        holder.wait()
    named = holder_named_in(path)
    assert named is not None
    assert (named.pid, named.purpose) == (holder.pid, "rig verify")
    take(path).free()


def test_a_process_that_carries_it_shares_it_and_keeps_it_when_its_parent_has_let_go(tmp_path: Path) -> None:
    path = tmp_path / "lease"
    lease = take(path)
    environment, descriptors = carried([lease])
    child = subprocess.Popen(
        [sys.executable, "-c", HOLDS, str(path)],
        stdout=subprocess.PIPE,
        env={**os.environ, **environment},
        pass_fds=descriptors,
    )
    with child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"held\n"
        lease.free()
        with pytest.raises(LeaseHeldError):
            take(path)
        child.kill()
        child.wait()
    take(path).free()


def test_what_is_not_there_is_free_and_names_nobody(tmp_path: Path) -> None:
    assert not is_held(tmp_path / "none")
    assert holder_named_in(tmp_path / "none") is None


LOOKS = """
import sys
from pathlib import Path
from rig.lease import is_held
print("looks", flush=True)
while True:
    is_held(Path(sys.argv[1]))
"""


def test_whoever_looks_keeps_nobody_from_taking_it(tmp_path: Path) -> None:
    path = tmp_path / "lease"
    take(path).free()
    with subprocess.Popen([sys.executable, "-c", LOOKS, str(path)], stdout=subprocess.PIPE) as looking:
        assert looking.stdout is not None
        assert looking.stdout.readline() == b"looks\n"
        for _ in range(200):
            take(path).free()
        looking.kill()


def test_a_number_that_is_no_longer_the_lease_is_not_taken_for_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with take(tmp_path / "lease") as lease, (tmp_path / "other").open("wb") as other:
        found = os.fstat(lease.descriptor)
        monkeypatch.setenv(CARRIED, f"{other.fileno()}:{found.st_dev}:{found.st_ino} 9999:1:1 nonsense")
        assert carried([]) == ({CARRIED: ""}, ())
        with pytest.raises(LeaseHeldError):
            take(tmp_path / "lease")


def test_several_may_share_it_and_then_nobody_has_it_alone(tmp_path: Path) -> None:
    path = tmp_path / "lease"
    first, second = (
        Lease.take(path, of="the air", purpose=purpose, since_utc=SINCE, shared=True) for purpose in ("left", "right")
    )
    with pytest.raises(LeaseHeldError, match=r"the air is in use: right \(process"):
        Lease.take(path, of="the air", purpose="alone", since_utc=SINCE)
    first.free()
    with pytest.raises(LeaseHeldError):
        take(path)
    second.free()
    take(path).free()


def test_a_file_that_somebody_deleted_is_made_anew_for_all_users(tmp_path: Path) -> None:
    path = tmp_path / "lease"
    take(path).free()
    path.unlink()
    take(path).free()
    assert path.stat().st_mode & 0o777 == 0o666
