"""Recordings as they come: `rig analyse --kind alarm` reads them, or says in one sentence why it cannot."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner

from rig.cli.app import app
from rig.errors import DataFileError
from rig.offline.analyse import analyse_file
from rig.offline.question import ask
from suites.stands.alarm_synthesis import Sound, Tone, row, sounded

ALARM = {"kind": "alarm"}


def medium(rate_hz: int = 16000) -> Sound:
    return sounded(8.0, rate_hz, [(at, row(3, 0.18, 0.16), 0.18, Tone(440.0), 0.1) for at in (1.0, 5.0)])


@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT"])
def test_every_sample_format_gives_the_same_bursts(tmp_path: Path, subtype: str) -> None:
    soundfile.write(tmp_path / "a.wav", medium(), 16000, subtype=subtype)
    content = analyse_file(tmp_path / "a.wav", ask(ALARM)).analysed.content
    assert [(burst["priority"], len(burst["pulse_at_s"])) for burst in content["bursts"]] == [("medium", 3)] * 2


def test_blocks_join_without_a_seam(tmp_path: Path) -> None:
    sound = np.concatenate([np.zeros(int(29.0 * 44100)), medium(44100)])
    soundfile.write(tmp_path / "a.wav", sound, 44100)
    content = analyse_file(tmp_path / "a.wav", ask(ALARM)).analysed.content
    assert [burst["at_s"] for burst in content["bursts"]] == pytest.approx([30.0, 34.0], abs=0.03)


def test_a_channel_that_is_silent_is_told(tmp_path: Path) -> None:
    sound = medium()
    soundfile.write(tmp_path / "a.wav", np.stack([np.zeros_like(sound), sound], axis=1), 16000)
    found = analyse_file(tmp_path / "a.wav", ask(ALARM)).analysed
    assert "Channel 1 is silent." in [finding.sentence for finding in found.findings]
    assert found.content["channel"] == 2


def test_a_file_that_was_cut_off_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", medium(), 16000)
    whole = (tmp_path / "a.wav").read_bytes()
    (tmp_path / "a.wav").write_bytes(whole[: len(whole) // 2])
    found = analyse_file(tmp_path / "a.wav", ask(ALARM)).analysed
    assert [burst["priority"] for burst in found.content["bursts"]] == ["medium"]
    assert any("shorter than its header says" in finding.sentence for finding in found.findings)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"time,mass\n0,1\n", "is no sound that can be read"),
        (b"RIFF\x24\x00\x00\x00WAVEfmt ", "is no sound that can be read"),
    ],
)
def test_what_is_no_sound_is_refused_in_a_sentence(tmp_path: Path, content: bytes, words: str) -> None:
    (tmp_path / "a.wav").write_bytes(content)
    with pytest.raises(DataFileError, match=words):
        analyse_file(tmp_path / "a.wav", ask(ALARM))


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_a_sample_that_is_no_number_is_refused_with_its_time(tmp_path: Path, wrong: float) -> None:
    sound = medium()
    sound[4000] = wrong
    soundfile.write(tmp_path / "a.wav", sound, 16000, subtype="FLOAT")
    with pytest.raises(
        DataFileError, match=r"a\.wav: the sound holds samples that are no numbers, the first at 0\.25 s"
    ):
        analyse_file(tmp_path / "a.wav", ask(ALARM))


def test_a_rate_that_is_too_low_is_refused(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", np.zeros(4000), 4000)
    with pytest.raises(DataFileError, match="4000 samples per second"):
        analyse_file(tmp_path / "a.wav", ask(ALARM))


def test_options_of_weighing_say_nothing_about_a_sound() -> None:
    with pytest.raises(DataFileError, match="--rate says nothing about a sound"):
        ask({"kind": "alarm", "rate": "1 U/h"})


def test_the_command_prints_a_table_and_writes_the_numbers(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", medium(), 16000)
    arguments = ["analyse", "--kind", "alarm", str(tmp_path / "a.wav"), "--out", str(tmp_path / "out")]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0
    assert "a.wav: 2 medium; first pulse at " in result.output
    assert {each.name for each in (tmp_path / "out" / "a").iterdir()} == {
        "01-alarm.svg", "analysis.json", "bursts.csv", "findings.csv", "measured.csv", "pulses.csv",
    }  # fmt: skip
