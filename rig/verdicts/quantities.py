"""What is measured: kinds of quantities with their parameters, and one quantity with its values, as frozen values.

A procedure declares the quantities that it yields; a requirement refers to one; both are compared as values, never as
sentences. Not responsible for measuring, nor for limits.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from rig.units import dimension_of, parse


@dataclass(frozen=True)
class Parameter:
    """What tells quantities of one kind apart, such as a basal rate.

    Attributes:
        name: its key in a requirement.
        units: units in which it is printed, the first that its value fits; none for a word.
        words: the words allowed; any for none.
        needed: whether each quantity of the kind has it.
    """

    name: str
    units: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    needed: bool = True

    def printed(self, value: str | float) -> str:
        """Print a value in one form: text such as "1.0 U/h" becomes "1 U/h"; a number is in the first unit's base unit.

        Raises:
            ValueError: one sentence on what the value is and what is allowed.
        """
        if not self.units:
            return self._word(value)
        if not isinstance(value, str):
            if not math.isfinite(value):
                raise ValueError(f"{self.name} is {value!r}: it is a finite number")
            return self._in_unit(value, float(value), self.units[0])
        for unit in self.units:
            try:
                parsed = parse(value, _dimension(unit))
            except ValueError:
                continue
            return self._in_unit(value, parsed, unit)
        raise ValueError(f"{self.name} is {value!r}: it is a number with a unit such as '1 {self.units[0]}'")

    def _in_unit(self, given: str | float, value: float, unit: str) -> str:
        if value < 0.0:
            raise ValueError(f"{self.name} is {given!r}: it is not below 0 {unit}")
        known = dimension_of(unit)
        assert known is not None
        return f"{value / known[1]:.12g} {unit}"

    def _word(self, value: str | float) -> str:
        if not isinstance(value, str) or not value.strip():
            raise ValueError(f"{self.name} is {value!r}: it is a word")
        if value != value.strip():
            raise ValueError(f"{self.name} is {value!r}: it has no blank before or after it")
        if self.words and value not in self.words:
            raise ValueError(f"{self.name} is {value!r}: it is one of {', '.join(self.words)}")
        return value


def _dimension(unit: str) -> str:
    known = dimension_of(unit)
    assert known is not None, unit
    return known[0]


OF_EVERY_MEASUREMENT = "pump."
"""How the names of kinds begin that every measurement has: a test that measures several times has them each time."""
OF_THE_RECORD = "recorded."
"""How the names of kinds begin that are read out of a test's whole record, whatever the test measures."""


@dataclass(frozen=True)
class Quantity:
    """One quantity: its kind, the printed values of its parameters, its unit. `name` is its one printed form."""

    kind: str
    parameters: tuple[tuple[str, str], ...]
    unit: str
    name: str = field(compare=False)

    @property
    def of_every_measurement(self) -> bool:
        """Whether each measurement of a test has it, beside its own."""
        return self.kind.startswith((OF_EVERY_MEASUREMENT, OF_THE_RECORD))

    @property
    def of_the_record(self) -> bool:
        """Whether no measurement has it, but the whole record of each test."""
        return self.kind.startswith(OF_THE_RECORD)

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True)
class Kind:
    """A kind of quantity.

    Attributes:
        name: its key, such as "basal.mean_error": the table of a plan that it is measured by, and what it is.
        sentence: its printed form, with parameters in braces; a part in square brackets stands only where each
            parameter in it has a value.
        units: the units that it may have; which one follows from what is asked for.
        parameters: what tells quantities of this kind apart.
        meaning: one sentence for who has to choose it.
    """

    name: str
    sentence: str
    units: tuple[str, ...]
    parameters: tuple[Parameter, ...] = ()
    meaning: str = ""

    def of(self, /, *, unit: str | None = None, **values: str | float | None) -> Quantity:
        """Name one quantity of this kind; None stands for a parameter without a value.

        Args:
            unit: None for the first of `units`.
            values: by parameter, as text with its unit or as a number in the base unit of its first unit.

        Raises:
            ValueError: a parameter is unknown, missing or wrong, or the unit is none of `units`.
        """
        known = {parameter.name: parameter for parameter in self.parameters}
        given = {name: value for name, value in values.items() if value is not None}
        for name in given:
            if name not in known:
                raise ValueError(f"{self.name} has no parameter {name!r}; {_there(name, known)}")
        for name, parameter in known.items():
            if parameter.needed and name not in given:
                raise ValueError(f"{self.name} needs its {name}")
        chosen = unit if unit is not None else self.units[0]
        if chosen not in self.units:
            raise ValueError(f"{self.name} is measured in {' or '.join(self.units)}, not in {chosen!r}")
        printed = {name: known[name].printed(value) for name, value in given.items()}
        ordered = tuple((name, printed[name]) for name in known if name in printed)
        return Quantity(self.name, ordered, chosen, _filled(self.sentence, printed))


def quantity_named(kinds: Mapping[str, Kind], name: str, unit: str, values: Mapping[str, str]) -> Quantity:
    """Look up what a requirement refers to: the kind by its name, with its unit and parameters as written.

    Raises:
        ValueError: one sentence on what is unknown or wrong, with the nearest or all that is allowed.
    """
    if name not in kinds:
        raise ValueError(f"there is no quantity {name!r}; {_there(name, kinds)}")
    return kinds[name].of(unit=unit, **values)


def nearest(wanted: Quantity, declared: Mapping[Quantity, object]) -> Quantity | None:
    """Find the declared quantity that looks most like the wanted one: of its kind where there is one; None of none."""
    same = {str(each): each for each in declared if each.kind == wanted.kind}
    names = same or {str(each): each for each in declared}
    found = difflib.get_close_matches(str(wanted), names, n=1, cutoff=0.0)
    return names[found[0]] if found else None


def _there(name: str, known: Mapping[str, object]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    if near:
        return f"did you mean {near[0]!r}?"
    return f"known are {', '.join(known)}" if known else "it has none"


def _filled(sentence: str, printed: Mapping[str, str]) -> str:
    def part(match: re.Match[str]) -> str:
        names = re.findall(r"{(\w+)}", match[1])
        return match[1] if all(name in printed for name in names) else ""

    return re.sub(r"\[([^\]]*)\]", part, sentence).format(**printed)
