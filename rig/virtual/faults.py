"""Faults of the rig itself, on the line between a device and the host: for testing that the rig notices.

Not responsible for faults of the pump, which the firmware and the physics have.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from rig.virtual.port import Port


def _mute(data: bytes) -> bytes:
    """Say nothing."""
    del data
    return b""


def _garbage(data: bytes) -> bytes:
    """Let every bit but the highest flip, as a loose ground does; line ends survive, so that lines still come."""
    return bytes(octet if octet in b"\r\n" else octet ^ 0x7F for octet in data)


_DISTORTIONS: Mapping[str, Callable[[bytes], bytes]] = {"mute": _mute, "garbage": _garbage}


def schedule(port: Port, kind: str, at_ns: int) -> None:
    """Let what the device on `port` sends be distorted from `at_ns` on; `kind` is "mute" or "garbage"."""

    def begin() -> None:
        port.distort = _DISTORTIONS[kind]

    port.clock.call_at(at_ns, begin)
