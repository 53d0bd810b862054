"""New Era NE-1000 syringe pumps over RS-232 (protocol.md): a plunger at a rate, and nothing of a therapy."""

from instruments.new_era_ne1000.driver import SyringePump, open_driver

__all__ = ["SyringePump", "open_driver"]
