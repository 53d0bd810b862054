"""The options of the fuzzer."""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add --frames and --seed."""
    parser.addoption("--frames", type=int, default=100_000, help="how many damaged frames to send")
    parser.addoption("--seed", type=int, default=1, help="another seed, other frames")


@pytest.fixture
def frames(request: pytest.FixtureRequest) -> int:
    """How many frames to send."""
    return int(request.config.option.frames)


@pytest.fixture
def seed(request: pytest.FixtureRequest) -> int:
    """The seed of all that is drawn."""
    return int(request.config.option.seed)
