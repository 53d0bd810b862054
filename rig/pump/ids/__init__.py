"""Pumps that speak the Bluetooth Insulin Delivery Service (protocol.md)."""

from rig.pump.ids.driver import IdsPump, open_driver

__all__ = ["IdsPump", "open_driver"]
