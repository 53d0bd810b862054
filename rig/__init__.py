"""Test rig for insulin infusion pumps: roles, procedures, analyses and evidence. It names no brand of instrument."""
