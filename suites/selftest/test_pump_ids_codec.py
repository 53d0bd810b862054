"""The edges of the pump's numbers and frames: special words, what is refused, what is dropped and counted.

Vectors: GATT Specification Supplement, medfloat16; RFC 1662, 4.2 and appendix C. The plain vectors are
in test_ids_codec.
"""

import math
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from instruments.ids import codes
from instruments.ids.codec import decode_sfloat, e2e_crc, encode_sfloat
from instruments.ids.framing import FrameDecoder, encode_frame


@pytest.mark.parametrize(
    "value",
    [
        "4b11 00 33 7de0 0000 0000 01 834a",  # Set Bolus: fast, 1.25 U, counter 1
        "7711 0100 01 e881",  # Set Bolus Response: bolus 1
        "7811 0100 02 8fd9",  # Cancel Bolus 1, counter 2
        "5a0f 33 03 0fee",  # Set Therapy Control State: stop, counter 3
    ],
)
def test_the_crc_ends_whole_values(value: str) -> None:
    whole = bytes.fromhex(value)
    assert e2e_crc(whole[:-2]) == whole[-2:]


@given(st.binary(max_size=18), st.integers(min_value=0))
def test_the_crc_sees_every_single_flipped_bit(value: bytes, bit: int) -> None:
    whole = bytearray(value + e2e_crc(value))
    bit %= 8 * len(whole)
    whole[bit // 8] ^= 1 << bit % 8
    assert e2e_crc(bytes(whole[:-2])) != bytes(whole[-2:])


@pytest.mark.parametrize(
    ("value", "octets"),
    [(-0.5, "fb ff"), (2045.0, "fd 07"), (-2045.0, "03 08"), (2050.0, "cd 10"), (2.025, "e9 d7")],
)
def test_a_number_at_the_edge_has_its_sfloat_both_ways(value: float, octets: str) -> None:
    assert encode_sfloat(value) == bytes.fromhex(octets)
    assert decode_sfloat(bytes.fromhex(octets)) == value


@pytest.mark.parametrize("octets", ["00 08", "01 08"])
def test_nres_and_the_reserved_word_are_no_number(octets: str) -> None:
    assert math.isnan(decode_sfloat(bytes.fromhex(octets)))


@pytest.mark.parametrize("value", [30.01, 20.46, 20.47, 2.075, 25.025, 1 / 3])
def test_what_does_not_fit_is_refused_in_a_sentence(value: float) -> None:
    with pytest.raises(ValueError, match=f"^{value:g} has more digits than an SFLOAT holds: at most 2045 units"):
        encode_sfloat(value)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_never_told_to_a_pump(value: float) -> None:
    with pytest.raises(ValueError, match=f"^{value:g} is no number that a pump is told"):
        encode_sfloat(value)


@given(st.integers(0, 2045))
def test_every_dose_is_exact_when_its_digits_fit_and_refused_otherwise(doses: int) -> None:
    if int(str(doses * 25).rstrip("0") or "0") <= 2045:
        assert decode_sfloat(encode_sfloat(doses * 0.025)) == doses * 25 / 1000
    else:
        with pytest.raises(ValueError, match="more digits than an SFLOAT holds"):
            encode_sfloat(doses * 0.025)


@given(st.integers(-2045, 2045), st.integers(-8, 7))
def test_negative_numbers_come_back_too(mantissa: int, exponent: int) -> None:
    value = mantissa * 10**exponent if exponent >= 0 else mantissa / 10**-exponent
    assert decode_sfloat(encode_sfloat(value)) == value


def test_op_codes_differ_in_four_bits() -> None:
    assert min((one ^ other).bit_count() for one, other in combinations(codes.Op, 2)) >= 4


def test_a_frame_ends_in_the_fcs_of_rfc_1662() -> None:
    assert encode_frame(b"123456789") == b"~123456789\x6e\x90~"  # the check value of CRC-16/X-25 is 906E


@given(st.binary(min_size=1, max_size=23), st.integers(min_value=0))
def test_a_frame_with_a_flipped_bit_is_counted_and_the_next_one_heard(pdu: bytes, bit: int) -> None:
    stream = bytearray(encode_frame(pdu))
    bit %= 8 * (len(stream) - 2)
    stream[1 + bit // 8] ^= 1 << bit % 8  # between the flags
    decoder = FrameDecoder()
    assert decoder.feed(bytes(stream) + encode_frame(b"next")) == [b"next"]
    assert decoder.dropped >= 1


def test_one_flag_may_close_a_frame_and_open_the_next() -> None:
    decoder = FrameDecoder()
    assert decoder.feed(encode_frame(b"one") + encode_frame(b"two")[1:]) == [b"one", b"two"]


def test_empty_frames_are_ignored() -> None:
    decoder = FrameDecoder()
    assert decoder.feed(b"~~~~" + encode_frame(b"one") + b"~~") == [b"one"]
    assert decoder.dropped == 0


def test_a_whole_frame_that_ends_in_an_escape_is_aborted() -> None:
    decoder = FrameDecoder()
    assert decoder.feed(encode_frame(b"one")[:-1] + b"\x7d~" + encode_frame(b"two")) == [b"two"]
    assert decoder.dropped == 1


@pytest.mark.parametrize("body", ["11", "11 22", "11 22 33"])
def test_a_frame_too_short_or_with_a_wrong_fcs_is_dropped(body: str) -> None:
    decoder = FrameDecoder()
    assert decoder.feed(b"~" + bytes.fromhex(body) + b"~") == []
    assert decoder.dropped == 1
