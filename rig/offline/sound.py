"""A recording of an alarm: read block by block, thinned out on the way, and its bursts as an analysis.

An hour of two channels is read without holding it whole. Not responsible for hearing (`rig.analysis.alarm_sound`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import numpy as np
import soundfile
from numpy.typing import NDArray

from rig.analysis.alarm_signal import AlarmSound, Edition, Priority
from rig.analysis.alarm_sound import analyse_recording
from rig.analysis.alarm_spectrum import LOWEST_RATE_HZ, Recording, Thinning
from rig.errors import DataFileError
from rig.offline.analysed import Analysed, Measured
from rig.offline.findings import Finding
from rig.offline.read import Source
from rig.procedures.alarm_numbers import numbers_of

BLOCK_S = 30.0
_ROW = "{:>9}  {:9}  {:>6}  {:>10}  {:>9}  {:>10}  {:>11}  {}"
EDITIONS = {each.value: each for each in Edition}


def analyse_sound(path: Path, edition: Edition) -> tuple[Source, Analysed]:
    """Read a recording and find the bursts of alarms in it.

    Raises:
        DataFileError: one sentence on a file that is no sound, is empty, or cannot be analysed.
    """
    source, recording, findings = read_sound(path)
    try:
        found = analyse_recording(recording, edition=edition)
    except ValueError as error:
        raise DataFileError(f"{path}: {error}") from None
    findings += [Finding("sound", sentence) for sentence in found.remarks]
    measured = []
    if found.first_pulse_s is not None:
        measured.append(Measured("first pulse", found.first_pulse_s, "s", None))
    return source, Analysed(numbers_of(found), tuple(measured), tuple(findings), tuple(_lines(path, found)))


def read_sound(path: Path) -> tuple[Source, Recording, list[Finding]]:
    """Read a WAV, FLAC or other sound file at the rate that the analysis works at, and say what was found in it.

    Raises:
        DataFileError: one sentence on a file that is no sound, holds none, or is sampled too coarsely.
    """
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            size = file.tell()
        if not size:
            raise DataFileError(f"{path}: is empty")
        with soundfile.SoundFile(path) as sound:
            form = f"{sound.format} {sound.subtype}, {sound.samplerate} Hz, {sound.channels} channels"
            if sound.samplerate < LOWEST_RATE_HZ:
                raise DataFileError(
                    f"{path}: {sound.samplerate} samples per second; the harmonics of an alarm reach up to 4 kHz, "
                    f"which needs {LOWEST_RATE_HZ:g} or more"
                )
            if not sound.frames:
                raise DataFileError(f"{path}: holds no samples")
            thinning = Thinning(sound.samplerate, sound.channels)
            for block in _blocks(sound):
                thinning.take(block)
            cut = "should be" in sound.extra_info
            frames = sound.tell()
    except soundfile.LibsndfileError as error:
        raise DataFileError(f"{path}: is no sound that can be read ({error.error_string.rstrip('.')})") from None
    except OSError as error:
        raise DataFileError(f"{path}: cannot be read ({error.strerror})") from error
    except ValueError as error:  # samples that are no numbers, which only a file of floating point numbers can hold
        raise DataFileError(f"{path}: {error}") from None
    recording = thinning.recording()
    findings = [Finding("sound", f"{form}, {frames / recording.recorded_rate_hz:.6g} s.")]
    if cut:
        findings.append(Finding("cut off", "The file is shorter than its header says: the rest was not recorded."))
    for channel, silent in enumerate(recording.silent, start=1):
        if silent and recording.channels > 1:
            findings.append(Finding("silent channel", f"Channel {channel} is silent."))
    return Source(path.name, size, digest, form, frames), recording, findings


def _blocks(sound: soundfile.SoundFile) -> Iterator[NDArray[np.float32]]:
    frames = int(BLOCK_S * sound.samplerate)
    while True:
        block = sound.read(frames, dtype="float32", always_2d=True)
        if not block.shape[0]:
            return
        yield block


def _lines(path: Path, found: AlarmSound) -> list[str]:
    """Write a table of bursts and a summary for the terminal."""
    if not found.bursts:
        return [f"{path.name}: no burst was heard."]
    lines = [_ROW.format("at / s", "priority", "pulses", "pulse / ms", "step / ms", "pitch / Hz", "to next / s", "")]
    for burst in found.bursts:
        lines.append(
            _ROW.format(
                f"{burst.at_s:.3f}", burst.priority.value, len(burst.pulses), _ms(burst.pulse_duration_s),
                _ms(burst.spacing_s), f"{burst.fundamental_hz or median(burst.pitches_hz):.0f}",
                "" if burst.interburst_s is None else f"{burst.interburst_s:.2f}",
                {True: "conforms", False: "; ".join(burst.faults), None: burst.reason}[burst.conforms],
            ).rstrip()
        )  # fmt: skip
    counts = ", ".join(
        f"{count} {priority.value}"
        for priority in Priority
        if (count := sum(burst.priority is priority for burst in found.bursts))
    )
    lines.append(f"{path.name}: {counts}; first pulse at {found.first_pulse_s:.3f} s; {found.repeats} repeats.")
    lines += [f"{path.name}: silent from {each.from_s:.2f} s to {each.to_s:.2f} s." for each in found.silences]
    lines += [f"{path.name}: escalates at {each.at_s:.2f} s: {each.sentence}." for each in found.escalations]
    return lines


def _ms(seconds: float | None) -> str:
    return "" if seconds is None else f"{1e3 * seconds:.0f}"
