"""One table of every op code of the Insulin Delivery Service 1.0.2 that a client may write.

Written from the published specification alone: neither from a pump's firmware nor from a driver. Values that are the
pump's own (limits, template numbers, which optional op codes it has) are those of the reference controller's sheet.
Not responsible for asking: test_procedures and test_features do.
"""

from suites.selftest.conformance.op_codes_bolus import BOLUS
from suites.selftest.conformance.op_codes_device import DEVICE
from suites.selftest.conformance.op_codes_racp import RACP
from suites.selftest.conformance.op_codes_reader import READER
from suites.selftest.conformance.op_codes_tbr import TBR
from suites.selftest.conformance.op_codes_templates import TEMPLATES

PROCEDURES = (*READER, *DEVICE, *TBR, *BOLUS, *TEMPLATES, *RACP)

RESPONSES = {
    "reader": ("0303", "3f03", "5903", "6a03", "9a03", "a903", "cf03", "fc03"),
    "command": (
        *("550f", "960f", "a50f", "c30f", "f00f", "2211", "4411", "7711", "8711", "b411", "d211", "e111"),
        *("1212", "2112", "4712", "7412", "d112", "e212", "1414", "2714", "4114", "7214", "8214"),
    ),
    "racp": ("0f", "66"),
}
"""Op codes that a server answers with (tables 4.14, 4.36 and 3.25); as requests they are not supported."""

FEATURES = 0x00F7FF
"""The flags of IDD Features that the sheet announces: all that table 4.12 defines but multiple bond and extension."""
