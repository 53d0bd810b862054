"""The code words of the service's enumerations (IDS 1.0.2, chapter 5, table 5.1).

Not responsible for what a code word means.
"""

_CHECKS = (0xFFFF, 0x5555, 0x3333, 0x0F0F, 0x00FF)
"""A word of table 5.1 has an even number of bits in common with each: the extended Hamming code of 16 bits."""


def is_code_word(word: int) -> bool:
    """Tell whether a word of 16 bits is one that table 5.1 lists."""
    return word != 0 and all((word & check).bit_count() % 2 == 0 for check in _CHECKS)


CODE_WORDS = tuple(word for word in range(1, 0x10000) if is_code_word(word))
"""All 2047 in ascending order; the first 15 are those of one octet."""
