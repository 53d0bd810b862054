"""A bench whose pump a test knows by its driver, so that every method of it is at hand and typed.

Not responsible for the bench, nor for tests that work with any pump: those ask for a capability (`rig.roles.require`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from instruments.ids.driver import IdsPump
from instruments.new_era_ne1000.driver import SyringePump
from rig.bench.open import open_bench
from rig.roles import Bench
from rig.wire import ByteLog


@dataclass(frozen=True)
class IdsBench(Bench):
    """A bench with a pump that speaks the Insulin Delivery Service."""

    pump: IdsPump


@dataclass(frozen=True)
class SyringeBench(Bench):
    """A bench with a New Era syringe pump in the pump's place."""

    pump: SyringePump


@contextmanager
def open_ids_bench(
    file: Path | str, overrides: Mapping[str, Any] | None = None, *, log: ByteLog | None = None
) -> Iterator[IdsBench]:
    """Open a bench that has one, as `open_bench` does."""
    with open_bench(file, overrides, log=log) as bench:
        assert isinstance(bench.pump, IdsPump)
        yield IdsBench(**vars(bench))


@contextmanager
def open_syringe_bench(file: Path | str, overrides: Mapping[str, Any] | None = None) -> Iterator[SyringeBench]:
    """Open a bench that has one, as `open_bench` does."""
    with open_bench(file, overrides) as bench:
        assert isinstance(bench.pump, SyringePump)
        yield SyringeBench(**vars(bench))
