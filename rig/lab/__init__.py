"""Nights: what a bench needs before an unattended run, what a night came to, and what is new since the last one."""
