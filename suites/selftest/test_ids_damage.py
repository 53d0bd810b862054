"""Damaged forms of a command: each is damaged by its own measure, and the whole one is not among them."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from instruments.ids.codec import e2e_crc
from instruments.ids.damage import damaged_forms
from instruments.ids.framing import FrameDecoder, encode_frame

SET_BOLUS = bytes.fromhex("4b11 00 33 7de0 0000 0000 01 834a")
"""1.25 U, counter 1: a vector of IDS 1.0.2's parts."""


def frame_of(value: bytes, handle: int = 0x17) -> bytes:
    return encode_frame(b"\x12" + handle.to_bytes(2, "little") + value)


@example(b"\x00\x00\x00\x7d", 1, 1)  # an escape in the middle of the frame
@given(st.binary(min_size=1, max_size=15), st.integers(1, 255), st.integers(1, 0x40))
def test_no_damaged_form_carries_a_value_whose_checks_are_right(value: bytes, counter: int, handle: int) -> None:
    protected = value + bytes([counter])
    frame = frame_of(protected + e2e_crc(protected), handle)
    for form in damaged_forms(frame):
        if "an operand" in form.how:  # one in 65,536 of these is right by chance
            continue
        for pdu in FrameDecoder().feed(form.octets + b"\x7e"):
            assert e2e_crc(pdu[3:-2]) != pdu[-2:], form.how


def test_a_bolus_is_damaged_in_every_octet_of_its_frame_and_of_its_value() -> None:
    frame = frame_of(SET_BOLUS)
    forms = damaged_forms(frame)
    assert frame not in [form.octets for form in forms]
    assert len({form.octets for form in forms}) == len(forms)
    assert sum("flipped" in form.how and "sound" not in form.how for form in forms) == len(frame) - 2
    assert sum("in a sound frame" in form.how for form in forms) == len(SET_BOLUS)
    sound = [
        FrameDecoder().feed(form.octets) for form in forms if "sound frame" in form.how or "an operand" in form.how
    ]
    assert all(len(pdus) == 1 and e2e_crc(pdus[0][3:-2]) != pdus[0][-2:] for pdus in sound)


@pytest.mark.parametrize("octets", [b"", b"~", encode_frame(b"\x0a\x17\x00"), frame_of(SET_BOLUS) * 2])
def test_what_is_no_single_protected_write_is_refused(octets: bytes) -> None:
    with pytest.raises(ValueError, match="one frame with a protected write"):
        damaged_forms(octets)
