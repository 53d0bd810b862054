"""Numato Lab 16 Channel USB Relay Module."""
