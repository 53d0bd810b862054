"""Numato Lab 8 Channel USB Relay Module: valves and relays."""
