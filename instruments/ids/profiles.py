"""Daily profiles in templates: written in blocks, read by notifications (IDS 1.0.2, 3.7.2.1).

Not responsible for which profile holds: activating is the driver's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from instruments.ids.client import IdsClient, u16
from instruments.ids.codec import decode_sfloat, encode_sfloat
from instruments.ids.codes import Op
from rig.therapy import ProfileBlock, ProfileKind


@dataclass(frozen=True)
class ProfileForm:
    """How a kind of profile is written and read: op codes, and how many values a block has and a record holds."""

    what: str
    write: Op
    write_response: Op
    read: Op
    read_response: Op
    values: int
    detail_type: int
    """Template Type in Template Status and Details (table 3.20)."""

    @property
    def blocks_a_record(self) -> int:
        """Blocks in one record of 12 octets (tables 4.45 and 4.87)."""
        return 3 if self.values == 1 else 2


BASAL = ProfileForm(
    "U/h",
    Op.WRITE_BASAL_RATE_PROFILE,
    Op.WRITE_BASAL_RATE_PROFILE_RESPONSE,
    Op.READ_BASAL_RATE_PROFILE,
    Op.READ_BASAL_RATE_PROFILE_RESPONSE,
    1,
    0x33,
)
FORMS = {
    ProfileKind.SENSITIVITY: ProfileForm(
        "mg/dL for a unit",
        Op.WRITE_ISF_PROFILE,
        Op.WRITE_ISF_PROFILE_RESPONSE,
        Op.READ_ISF_PROFILE,
        Op.READ_ISF_PROFILE_RESPONSE,
        1,
        0x5A,
    ),
    ProfileKind.CARBOHYDRATE_RATIO: ProfileForm(
        "g for a unit",
        Op.WRITE_I2CHO_RATIO_PROFILE,
        Op.WRITE_I2CHO_RATIO_PROFILE_RESPONSE,
        Op.READ_I2CHO_RATIO_PROFILE,
        Op.READ_I2CHO_RATIO_PROFILE_RESPONSE,
        1,
        0x66,
    ),
    ProfileKind.TARGET_GLUCOSE: ProfileForm(
        "mg/dL",
        Op.WRITE_TARGET_GLUCOSE_RANGE_PROFILE,
        Op.WRITE_TARGET_GLUCOSE_RANGE_PROFILE_RESPONSE,
        Op.READ_TARGET_GLUCOSE_RANGE_PROFILE,
        Op.READ_TARGET_GLUCOSE_RANGE_PROFILE_RESPONSE,
        2,
        0x96,
    ),
}


def write_profile(client: IdsClient, form: ProfileForm, template: int, blocks: Sequence[ProfileBlock]) -> None:
    """Write a whole profile; nothing of it holds when the pump refuses a part."""
    for first in range(0, len(blocks), form.blocks_a_record):
        part = blocks[first : first + form.blocks_a_record]
        end = first + form.blocks_a_record >= len(blocks)
        operand = bytes([int(end) | (len(part) > 1) << 1 | (len(part) > 2) << 2, template, first + 1])
        for block in part:
            operand += block.duration_min.to_bytes(2, "little") + b"".join(encode_sfloat(v) for v in block.values)
        client.command(form.write, operand, form.write_response, of=", ".join(_words(form, block) for block in part))


def read_blocks(client: IdsClient, form: ProfileForm, template: int) -> list[ProfileBlock]:
    """Read a whole profile; RefusedError when the template was never written."""
    blocks: list[ProfileBlock] = []
    size = 2 + 2 * form.values
    for record in client.read_data(form.read, bytes([template]), form.read_response, of=f"template {template}"):
        if len(record) < 3 + size or (len(record) - 3) % size or record[2] != len(blocks) + 1:
            raise client.odd(form.read.words, record)
        for at in range(3, len(record), size):
            values = tuple(decode_sfloat(record[at + 2 * n + 2 : at + 2 * n + 4]) for n in range(form.values))
            blocks.append(ProfileBlock(u16(record[at : at + 2]), values))
    return blocks


def first_template(client: IdsClient, form: ProfileForm) -> int:
    """The number of the first template of a kind, which the pump itself chooses (3.8.1.8)."""
    op = Op.GET_TEMPLATE_STATUS_AND_DETAILS
    for record in client.read_data(op, b"", Op.GET_TEMPLATE_STATUS_AND_DETAILS_RESPONSE, of="all kinds"):
        if len(record) < 4:
            raise client.odd(op.words, record)
        if record[0] == form.detail_type:
            return record[1]
    raise client.odd(f"{op.words}, looking for {form.what}", b"")


def _words(form: ProfileForm, block: ProfileBlock) -> str:
    return f"{' to '.join(f'{value:g}' for value in block.values)} {form.what} for {block.duration_min} min"
