"""The recorder: gapless, both channels at once; the wire's log keeps hashes in place of samples."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
import pyvisa
import soundfile

from rig.bench.open import open_bench
from rig.clock import WallClock
from rig.errors import BenchFileError, EvidenceError, NoReplyError, RefusedError
from rig.record.appending import DirectAppender
from rig.record.attempt import WireLog
from rig.record.sounds import FULL_SCALE, keep_sound, kept_sound
from rig.roles import Bench, SoundRecorder, SoundRecording
from rig.wire import BLOCK_PIECE, NoLog, Wire
from suites.measuring import VIRTUAL
from suites.selftest.test_wires_in_real_time import Send, on_socket


def recorder(bench: Bench) -> SoundRecorder:
    assert bench.sound is not None
    return bench.sound


def test_a_recording_has_every_sample_of_its_time_and_says_when_it_began() -> None:
    with open_bench(VIRTUAL) as bench:
        before_s = bench.clock.now()
        recorder(bench).begin(lasting_s=2.5)
        begun_s = bench.clock.now()
        bench.clock.sleep(1.0)
        recording = recorder(bench).fetch()
        assert bench.clock.now() >= before_s + 2.5
    assert (recording.sound_v.size, recording.vibration_v.size, recording.rate_hz) == (25_000, 25_000, 10_000.0)
    assert before_s < recording.began_at_s < begun_s
    assert 0.0 < recording.began_u_s < 0.02


def test_a_recording_is_over_once_and_the_next_one_is_another() -> None:
    with open_bench(VIRTUAL) as bench:
        sound = recorder(bench)
        with pytest.raises(RefusedError, match="none was begun"):
            sound.fetch()
        sound.begin(lasting_s=60.0)
        sound.begin(lasting_s=0.5)  # the first one is given up
        first = sound.fetch()
        with pytest.raises(RefusedError, match="none was begun"):
            sound.fetch()
        sound.begin(lasting_s=0.5)
        second = sound.fetch()
    assert second.began_at_s >= first.began_at_s + 0.5
    assert not np.array_equal(first.sound_v, second.sound_v)


@pytest.mark.parametrize("lasting_s", [0.0, -1.0, 1800.5, float("inf")])
def test_what_it_cannot_record_is_refused_with_the_longest(lasting_s: float) -> None:
    with open_bench(VIRTUAL) as bench, pytest.raises(ValueError, match="lasts up to 1800 s"):
        recorder(bench).begin(lasting_s=lasting_s)


def test_ranges_are_those_of_the_instrument() -> None:
    with pytest.raises(BenchFileError, match=r"sound\.options\.sound_range_v is 3.*allowed are 0\.25, 0\.5, 1, 2"):
        open_bench(VIRTUAL, {"sound.options": {"sound_range_v": 3.0}}).__enter__()
    with open_bench(VIRTUAL, {"sound.options": {"vibration_range_v": 0.25}}) as bench:
        recorder(bench).begin(lasting_s=0.1)
        assert recorder(bench).fetch().full_scale_v == (1.0, 0.25)


def test_a_silent_recorder_is_an_error_of_the_rig() -> None:
    mute = {"virtual.fault": [{"device": "sound", "kind": "mute", "at": "30 s"}]}
    with open_bench(VIRTUAL, mute) as bench:
        recorder(bench).begin(lasting_s=40.0)
        with pytest.raises(NoReplyError, match="sound keysight_l4532a"):
            recorder(bench).fetch()


def test_the_wires_log_has_the_hash_of_each_block_and_the_kept_file_its_samples(tmp_path: Path) -> None:
    appender = DirectAppender()
    log = WireLog(tmp_path, appender)
    with open_bench(VIRTUAL, log=log) as bench:
        recorder(bench).begin(lasting_s=20.0)
        recording = recorder(bench).fetch()
    appender.close()
    keep_sound(tmp_path / "heard.flac", recording)
    samples, rate_hz = soundfile.read(tmp_path / "heard.flac", dtype="int16")
    assert rate_hz == 10_000
    lines = (tmp_path / "wire.log").read_text(encoding="utf-8").splitlines()
    blocks = [line.rsplit("\t", 1)[1] for line in lines if "sha256" in line]
    assert blocks == [
        f"[400000 bytes, sha256 {hashlib.sha256(samples[:, channel].astype('>i2').tobytes()).hexdigest()}]"
        for channel in (0, 1)
    ]
    assert (tmp_path / "wire.log").stat().st_size < 20_000


def test_a_kept_recording_is_read_as_it_was(tmp_path: Path) -> None:
    counts = np.array([0, 1, -1, FULL_SCALE, -FULL_SCALE, 1234], dtype=float)
    recording = SoundRecording(5.0, 0.01, 8000.0, 0.5 * counts / FULL_SCALE, counts[::-1] / FULL_SCALE, (0.5, 1.0))
    keep_sound(tmp_path / "a.flac", recording)
    kept = kept_sound(tmp_path / "a.flac")
    assert kept.rate_hz == 8000.0
    assert (kept.sound * FULL_SCALE).tolist() == counts.tolist()
    assert (kept.vibration * FULL_SCALE).tolist() == counts[::-1].tolist()


def test_a_kept_recording_that_is_missing_or_damaged_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(EvidenceError, match=r"gone\.flac: the file is missing from the run folder"):
        kept_sound(tmp_path / "gone.flac")
    (tmp_path / "bad.flac").write_bytes(b"fLaC, and then nothing of the sort")
    with pytest.raises(EvidenceError, match=r"bad\.flac: cannot be read as a recording"):
        kept_sound(tmp_path / "bad.flac")
    soundfile.write(tmp_path / "one.flac", np.zeros(100, dtype=np.int16), 8000)
    with pytest.raises(EvidenceError, match=r"one\.flac: holds 1 channels"):
        kept_sound(tmp_path / "one.flac")


def test_a_block_over_a_real_socket_is_whole_whatever_bytes_are_in_it() -> None:
    """Line ends among the samples end no read, and a block is longer than what is read at once."""
    block = bytes([0x0A, 0x0A, 0x0D, 0x0A, 0x7F, 0x23]) * (BLOCK_PIECE // 5)

    def answer(question: str, send: Send) -> None:
        send(f"#{len(str(len(block)))}{len(block)}".encode() + block + b"\n" if question == "FETC?" else b"after it\n")

    with on_socket(answer) as address:
        resource = pyvisa.ResourceManager("@py").open_resource(address)
        assert isinstance(resource, pyvisa.resources.MessageBasedResource)
        with resource:
            wire = Wire(resource, address, WallClock(), NoLog())
            wire.configure_text(read_end="\n", write_end="\n", timeout_s=2.0)
            wire.write("FETC?")
            read = wire.read_block(asked="FETC?", look_at="nothing", timeout_s=5.0, longest=len(block))
            assert read == block
            assert wire.query("NEXT?", look_at="nothing") == "after it"
