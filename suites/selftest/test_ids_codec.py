"""Numbers, checks and frames of the pump's protocol, against published vectors and their laws."""

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from instruments.ids import codes
from instruments.ids.codec import decode_sfloat, e2e_crc, encode_sfloat, next_counter
from instruments.ids.framing import LONGEST_BODY, FrameDecoder, encode_frame


def test_the_published_crc_vectors() -> None:
    assert e2e_crc(bytes.fromhex("3e 01 02 03 04 05 06 07 08 09")) == bytes.fromhex("01 2f")  # IDS 1.0.2, 3.16
    assert e2e_crc(bytes.fromhex("4b11 00 33 7de0 0000 0000 01")) == bytes.fromhex("83 4a")
    assert e2e_crc(bytes.fromhex("7811 0100 02")) == bytes.fromhex("8f d9")


@pytest.mark.parametrize(
    ("value", "octets"),
    [(1.25, "7d e0"), (0.025, "19 d0"), (0.0, "00 00"), (25.0, "19 00"), (20.45, "fd e7"), (300.0, "2c 01")],
)
def test_published_and_worked_sfloats(value: float, octets: str) -> None:
    assert encode_sfloat(value) == bytes.fromhex(octets)
    assert decode_sfloat(bytes.fromhex(octets)) == value


def test_special_sfloats() -> None:
    assert math.isnan(decode_sfloat(bytes.fromhex("ff 07")))
    assert decode_sfloat(bytes.fromhex("fe 07")) == math.inf
    assert decode_sfloat(bytes.fromhex("02 08")) == -math.inf


@given(st.integers(0, 2045), st.integers(-8, 7))
def test_what_an_sfloat_holds_comes_back_exactly(mantissa: int, exponent: int) -> None:
    value = mantissa * 10.0**exponent if exponent >= 0 else mantissa / 10.0**-exponent
    assert decode_sfloat(encode_sfloat(value)) == pytest.approx(value, rel=1e-15)


@given(st.integers(1, 1000))
def test_every_bolus_the_pump_can_give_is_sent_exactly_or_refused(doses: int) -> None:
    insulin_u = doses * 25 / 1000
    try:
        sent = encode_sfloat(insulin_u)
    except ValueError:
        assert len(str(insulin_u).replace(".", "").strip("0")) > 3  # more digits than 12 bits hold
    else:
        assert decode_sfloat(sent) == insulin_u


def test_more_digits_than_an_sfloat_holds_are_refused_not_rounded() -> None:
    with pytest.raises(ValueError, match=r"^20\.475 has more digits than an SFLOAT holds"):
        encode_sfloat(20.475)


def test_counters_skip_0() -> None:
    counters = list(itertools.accumulate(range(257), lambda counter, _: next_counter(counter), initial=255))
    assert counters[1:5] == [1, 2, 3, 4]
    assert counters[254:258] == [254, 255, 1, 2]


@pytest.mark.parametrize(
    "words",
    [
        {int(therapy) for therapy in codes.Therapy},
        set(codes.OPERATIONAL),
        {codes.PROGRAMMED, codes.DELIVERED},
        set(codes.ANNUNCIATIONS),
        set(codes.ANNUNCIATION_STATUS),
        set(codes.END_REASONS),
    ],
)
def test_code_words_differ_in_four_bits(words: set[int]) -> None:
    assert min((a ^ b).bit_count() for a, b in itertools.combinations(words, 2)) >= 4


def test_a_worked_frame() -> None:
    assert encode_frame(bytes.fromhex("10 01 00 ff ff 00 28")) == bytes.fromhex("7e 10 01 00 ff ff 00 28 f9 93 7e")
    assert encode_frame(bytes.fromhex("0a 7e 7d"))[1:6] == bytes.fromhex("0a 7d 5e 7d 5d")  # RFC 1662, 4.2


@given(st.lists(st.binary(min_size=1, max_size=23), max_size=5), st.lists(st.integers(1, 7), min_size=1))
def test_frames_are_found_however_the_stream_is_cut(pdus: list[bytes], sizes: list[int]) -> None:
    stream = b"".join(encode_frame(pdu) for pdu in pdus)
    decoder, found, at = FrameDecoder(), [], 0
    for size in itertools.cycle(sizes):
        found += decoder.feed(stream[at : at + size])
        at += size
        if at >= len(stream):
            break
    assert found == pdus
    assert decoder.dropped == 0


@given(st.binary(min_size=1, max_size=23), st.integers(0, 10_000))
def test_a_flipped_bit_never_makes_another_pdu(pdu: bytes, where: int) -> None:
    frame = bytearray(encode_frame(pdu))
    bit = where % (8 * (len(frame) - 2))
    frame[1 + bit // 8] ^= 1 << bit % 8
    assert FrameDecoder().feed(bytes(frame) + b"\x7e") in ([], [pdu])


@given(st.binary(max_size=60))
def test_a_frame_after_noise_is_found(noise: bytes) -> None:
    pdu = bytes.fromhex("0b 33 3c")
    assert FrameDecoder().feed(noise + b"\x7e" + encode_frame(pdu))[-1] == pdu


def test_an_aborted_frame_is_dropped() -> None:
    decoder = FrameDecoder()
    assert decoder.feed(bytes.fromhex("7e 0b 33 7d 7e")) == []
    assert decoder.dropped == 1


def test_a_flood_without_an_end_counts_as_one_frame_for_each_longest_one() -> None:
    decoder = FrameDecoder()
    assert decoder.feed(b"\x7e" + b"\x55" * (4 * LONGEST_BODY)) == []
    assert decoder.dropped == 2  # the first, and one octet, fill the body
    pdu = bytes.fromhex("0b 33 3c")
    assert decoder.feed(b"\x7e" + encode_frame(pdu)) == [pdu]
