"""Which line an address means, whoever wrote it: VISA's and pyserial's spellings of one port are one port.

Not responsible for opening anything, nor for whether anything answers there.
"""

from __future__ import annotations

import re
from pathlib import Path

NETWORK = "network "
"""How a resolved address on a network begins."""

_SERIAL = re.compile(r"ASRL(?P<port>.*?)(::INSTR)?", re.IGNORECASE)
_SOCKET = re.compile(r"TCPIP\d*::(?P<host>[^:]+)::(?P<port>\d+)::SOCKET", re.IGNORECASE)
_INSTRUMENT = re.compile(r"TCPIP\d*::(?P<host>[^:]+)(::(?P<name>\w[^:]*?))??(::INSTR)?", re.IGNORECASE)
_URL = re.compile(r"(?P<scheme>socket|rfc2217|telnet)://(?P<host>[^:/]+):(?P<port>\d+).*", re.IGNORECASE)
_COM = re.compile(r"(?:\\\\\.\\)?COM(?P<number>\d+)", re.IGNORECASE)


def resolved(address: str) -> str:
    """Write an address so that two spellings of one line are the same.

    Serial ports by VISA and pyserial, in any case where case means nothing; symbolic links such as
    /dev/serial/by-id/… followed as far as they exist here; TCP sockets by host and port.
    """
    text = address.strip()
    if match := _URL.fullmatch(text) or _SOCKET.fullmatch(text):
        return f"{NETWORK}{match['host'].lower()}:{int(match['port'])}"
    if match := _INSTRUMENT.fullmatch(text):
        return f"{NETWORK}{match['host'].lower()}/{(match['name'] or 'inst0').lower()}"
    if match := _SERIAL.fullmatch(text):
        text = match["port"]
        if text.isdecimal():  # VISA's own number of a serial port
            return f"serial {int(text)}"
    if match := _COM.fullmatch(text):
        return f"serial {int(match['number'])}"
    if text.startswith(("/", "./", "../")):
        return f"port {Path(text).resolve()}"
    scheme, colon, rest = text.partition("://")
    if colon:
        return f"{scheme.lower()}://{rest}"
    return text.lower().removesuffix("::instr")
