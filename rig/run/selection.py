r"""Selection expressions, `basal and not (0.5 or day)`: words found in names, with pytest's -k grammar.

    expression: or_ | nothing, which selects nothing
    or_:        and_ ("or" and_)*
    and_:       not_ ("and" not_)*
    not_:       "not" not_ | "(" or_ ")" | word
    word:       letters, digits and any of _ : + - . [ ] \ /

Both runners read the same expression: pytest by its own -k, Robot Framework by this. Not responsible for which names a
test has.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import NoReturn

from rig.errors import BenchFileError

_TOKEN = re.compile(r"[ \t]*([()]|[\w:+\-.\[\]\\/]+)")
_Chosen = Callable[[tuple[str, ...]], bool]


@dataclass(frozen=True)
class Selection:
    """An expression that was understood."""

    expression: str
    _chosen: _Chosen

    def chooses(self, names: Iterable[str]) -> bool:
        """Tell whether a test of these names is selected: a word is found inside any of them, in any case."""
        return self._chosen(tuple(name.lower() for name in names))


def parse_selection(expression: str) -> Selection:
    """Understand a selection expression.

    Raises:
        BenchFileError: one sentence with the expression, what was found and what is allowed.
    """
    parser = _Parser(expression)
    if not parser.tokens:
        return Selection(expression, lambda _: False)
    chosen = parser.either()
    if parser.tokens:
        parser.refuse("'and', 'or' or the end")
    return Selection(expression, chosen)


class _Parser:
    """Takes an expression's tokens one after the other."""

    def __init__(self, expression: str) -> None:
        self._expression = expression
        self.tokens: list[str] = []
        at = 0
        while match := _TOKEN.match(expression, at):
            self.tokens.append(match[1])
            at = match.end()
        rest = expression[at:].lstrip(" \t")
        if rest:
            raise BenchFileError(
                f"the selection {expression!r} has {rest[0]!r}, which is no part of a name; allowed are letters, "
                "digits and _ : + - . [ ] \\ /"
            )

    def refuse(self, wanted: str) -> NoReturn:
        found = repr(self.tokens[0]) if self.tokens else "the end"
        raise BenchFileError(f"the selection {self._expression!r} has {found} where {wanted} is wanted")

    def _taken(self, token: str) -> bool:
        if self.tokens[:1] != [token]:
            return False
        del self.tokens[0]
        return True

    def either(self) -> _Chosen:
        parts = [self._both()]
        while self._taken("or"):
            parts.append(self._both())
        return lambda names: any(part(names) for part in parts)

    def _both(self) -> _Chosen:
        parts = [self._negated()]
        while self._taken("and"):
            parts.append(self._negated())
        return lambda names: all(part(names) for part in parts)

    def _negated(self) -> _Chosen:
        if self._taken("not"):
            inner = self._negated()
            return lambda names: not inner(names)
        if self._taken("("):
            inner = self.either()
            if not self._taken(")"):
                self.refuse("')', 'and' or 'or'")
            return inner
        if not self.tokens or self.tokens[0] in (")", "and", "or"):
            self.refuse("a word, 'not' or '('")
        word = self.tokens.pop(0).lower()
        return lambda names: any(word in name for name in names)
