"""Fetch oref0 once, as `rig oref0` does; afterwards nothing here needs a network."""

from __future__ import annotations

import pytest

from rig.loop.oref0.package import OREF0


@pytest.fixture(scope="session", autouse=True)
def fetched() -> None:
    OREF0.fetch()
