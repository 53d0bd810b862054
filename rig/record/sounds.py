"""Recordings of sound and vibration in a record: a FLAC file beside the facts, which anybody can listen to.

Channel 1 is the microphone, channel 2 the vibration pickup, 16 bits each, without loss, in half of the size of a WAV
file. Not responsible for what is heard in them.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from rig.errors import EvidenceError
from rig.record.files import write_whole
from rig.roles import SoundRecording

FULL_SCALE = 32767
"""Counts of a channel's full scale."""


@dataclass(frozen=True)
class KeptSound:
    """Both channels as they were kept, full scale 1, and their samples in a second."""

    rate_hz: float
    sound: NDArray[np.float64]
    vibration: NDArray[np.float64]


def keep_sound(path: Path, recording: SoundRecording) -> None:
    """Write a recording whole or not at all, down to the disk; EvidenceError when the disk does not take it."""
    scaled = [
        np.clip(np.rint(volts * (FULL_SCALE / full_v)), -FULL_SCALE, FULL_SCALE).astype(np.int16)
        for volts, full_v in zip((recording.sound_v, recording.vibration_v), recording.full_scale_v, strict=True)
    ]
    file = io.BytesIO()
    soundfile.write(file, np.stack(scaled, axis=1), round(recording.rate_hz), format="FLAC", subtype="PCM_16")
    write_whole(path, file.getvalue())


def kept_sound(path: Path) -> KeptSound:
    """Read what `keep_sound` has written; EvidenceError when it is missing or damaged."""
    try:
        samples, rate_hz = soundfile.read(path, dtype="int16", always_2d=True)
    except (OSError, soundfile.SoundFileError) as error:
        missing = "" if path.is_file() else "the file is missing from the run folder, "
        raise EvidenceError(f"{path}: {missing}cannot be read as a recording: {error}") from error
    if samples.shape[1] != 2:
        raise EvidenceError(f"{path}: holds {samples.shape[1]} channels, not sound and vibration")
    return KeptSound(float(rate_hz), samples[:, 0] / FULL_SCALE, samples[:, 1] / FULL_SCALE)
