"""Numato Lab 32 Channel USB Relay Module."""
