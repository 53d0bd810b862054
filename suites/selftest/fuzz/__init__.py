"""Fuzzing of the pump's serial line against its running firmware."""
