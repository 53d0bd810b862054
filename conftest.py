"""Names the fixture plugin, for a checkout that is not installed; nothing else."""

pytest_plugins = ["fixtures.bench_plugin"]
