"""Keysight E36312A triple-output DC power supply: feeds the pump in place of its battery."""
