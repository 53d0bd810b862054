"""Frames on the serial line: HDLC-like, octet-stuffed, with the 16-bit FCS of RFC 1662 (protocol.md, section 1).

Not responsible for what a frame carries.
"""

from __future__ import annotations

FLAG, ESCAPE, FLIP = 0x7E, 0x7D, 0x20
GOOD_FCS = 0xF0B8
"""What the FCS over a frame and its own FCS comes to (RFC 1662, appendix C.2)."""


def fcs16(data: bytes) -> int:
    """The 16-bit FCS of RFC 1662 before its final complement."""
    fcs = 0xFFFF
    for octet in data:
        fcs ^= octet
        for _ in range(8):
            fcs = fcs >> 1 ^ 0x8408 if fcs & 1 else fcs >> 1
    return fcs


def encode_frame(pdu: bytes) -> bytes:
    """Frame a PDU."""
    body = pdu + (fcs16(pdu) ^ 0xFFFF).to_bytes(2, "little")
    stuffed = bytearray([FLAG])
    for octet in body:
        stuffed += bytes([ESCAPE, octet ^ FLIP]) if octet in (FLAG, ESCAPE) else bytes([octet])
    stuffed.append(FLAG)
    return bytes(stuffed)


LONGEST_BODY = 512
"""Octets of a frame between its flags; an ATT PDU on this line has 23."""


class FrameDecoder:
    """Finds PDUs in a stream of octets, however it is cut up; damaged frames are dropped and counted."""

    def __init__(self) -> None:
        self._body = bytearray()
        self._escaped = False
        self._beyond = 0
        self.dropped = 0

    def feed(self, data: bytes) -> list[bytes]:
        """Take octets and return the PDUs of the frames that they complete."""
        pdus = []
        for octet in data:
            if octet == FLAG:
                if pdu := self._close():
                    pdus.append(pdu)
            elif octet == ESCAPE:
                self._escaped = True
            elif len(self._body) <= LONGEST_BODY:
                self._body.append(octet ^ FLIP if self._escaped else octet)
                self._escaped = False
            else:  # a flood without an end: as much as the longest frame counts as one
                self._beyond += 1
                self.dropped += self._beyond % LONGEST_BODY == 0
        return pdus

    def _close(self) -> bytes | None:
        body, aborted = bytes(self._body), self._escaped
        self._body.clear()
        self._escaped = False
        if not body and not aborted:
            return None
        if aborted or not 3 <= len(body) <= LONGEST_BODY or fcs16(body) != GOOD_FCS:
            self.dropped += 1
            return None
        return body[:-2]
