"""Pumps that speak the Bluetooth Insulin Delivery Service (protocol.md)."""

from instruments.ids.driver import IdsPump, open_driver

__all__ = ["IdsPump", "open_driver"]
