"""Keysight (Agilent) L4532A digitizer: driver, twin and what both obey (protocol.md)."""
