"""Steps over several instruments; the only place that waits."""
