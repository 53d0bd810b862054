"""The interface of a kind of analysis: how one is shown, tabulated and compared.

Not responsible for any kind itself: each is a module beside this one, named in `reports.kinds`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from reports.blocks import Block
from reports.tables import Tables

Ends = tuple[float | None, float | None]
"""Low and high end; None where a side is open."""

NO_ENDS: Ends = (None, None)


@dataclass(frozen=True)
class DrawnLimits:
    """The limits that the curves of one analysis show.

    Attributes:
        windows_percent: of the error of a window in %, by its length in min.
        whole_percent: of the error of the whole period in %.
        bolus_u: of a single bolus in U.
        pressure_kpa: highest pressure of an occlusion in kPa.
    """

    windows_percent: dict[float, Ends] = field(default_factory=dict)
    whole_percent: Ends = NO_ENDS
    bolus_u: Ends = NO_ENDS
    pressure_kpa: float | None = None


@dataclass(frozen=True)
class Method:
    """How a kind is measured in a run, and how it is computed from a log that was handed in; "" where it never is."""

    title: str
    of_run: str
    of_log: str = ""


A = TypeVar("A")


@dataclass(frozen=True)
class AnalysisKind(Generic[A]):
    """How analyses of one kind are shown.

    Attributes:
        blocks: everything that the report shows of an analysis, in its order: facts, curves, tables, sentences.
        tables: its numbers for CSV files.
        annex: what a reader looks up rather than reads.
        left_out: a sentence on the curves whose numbers the record does not hold; "" when none is missing.
        errors_percent: what the single errors of an analysis are of, and the errors in %, to compare runs by.
        method: how it is measured; None where nothing needs saying.
        on_one_page: whether its section stays together.
    """

    blocks: Callable[[A, DrawnLimits], list[Block]]
    tables: Callable[[A], Tables] = lambda _: {}
    annex: Callable[[A], list[dict[str, Any]]] = lambda _: []
    left_out: Callable[[A], str] = lambda _: ""
    errors_percent: Callable[[A], tuple[str, list[float]] | None] = lambda _: None
    method: Method | None = None
    on_one_page: bool = False
