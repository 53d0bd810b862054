"""The air of a virtual bench for Bluetooth LE: every dongle that is opened hears every other one.

Not responsible for radio: the link loses nothing and takes no time. The pump's own radio has another (`ble_bridge`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bumble.controller import Controller
    from bumble.link import LocalLink
    from bumble.transport.common import TransportSink, TransportSource


@dataclass
class VirtualDongle:
    """What a host speaks HCI to, as bumble names its parts."""

    source: TransportSource
    sink: TransportSink
    _controller: Controller
    _link: LocalLink

    async def close(self) -> None:
        """Take the dongle away."""
        self._link.remove_controller(self._controller)


class VirtualAir:
    """One virtual link, made when its first dongle is opened."""

    def __init__(self) -> None:
        self._link: LocalLink | None = None

    async def open(self, name: str) -> VirtualDongle:
        """A dongle on the link, by any name."""
        from bumble.controller import Controller
        from bumble.link import LocalLink
        from bumble.transport.common import AsyncPipeSink

        self._link = self._link or LocalLink()
        controller = Controller(name, link=self._link)
        return VirtualDongle(controller, AsyncPipeSink(controller), controller, self._link)
