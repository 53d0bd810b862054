"""Names the fixture plugins and the --bench option; nothing else."""

import pytest

pytest_plugins = ["fixtures.bench_plugin"]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add --bench, the bench file that the suites run on."""
    parser.addoption("--bench", default=None, help="bench file the suites run on; default: the virtual one")
