"""Verification suites."""
