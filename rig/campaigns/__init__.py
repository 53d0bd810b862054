"""Campaigns: random faults at random instants against the running firmware, each beside its fault-free twin."""
