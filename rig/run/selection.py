r"""Selection expressions, `PR-D5 or basal and not day`: ids of requirements, and words found in names.

    expression: or_ | nothing, which selects nothing
    or_:        and_ ("or" and_)*
    and_:       not_ ("and" not_)*
    not_:       "not" not_ | "(" or_ ")" | word
    word:       letters, digits and any of _ : + - . [ ] \ /

The grammar is that of pytest's -k. A word that is the id of a requirement, or of a family of them, selects the tests
that decide one of these; any other word selects the tests in whose names it is found. Both runners ask this module, so
that an expression means one thing. Not responsible for which names a test has, nor for what it decides.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import NoReturn

from rig.errors import BenchFileError

_TOKEN = re.compile(r"[ \t]*([()]|[\w:+\-.\[\]\\/]+)")
_ID = re.compile(r"[A-Z]+-[A-Z]*\d[A-Z0-9.]*")
"""What is written like the id of a requirement, such as PR-D5 or PR-D5.1."""
_Chosen = Callable[[tuple[str, ...], frozenset[str]], bool]


@dataclass(frozen=True)
class Selection:
    """An expression that was understood."""

    expression: str
    _chosen: _Chosen

    def chooses(self, names: Iterable[str], decides: Iterable[str] = ()) -> bool:
        """Tell whether a test is selected.

        Args:
            names: of the test; a word is found inside any of them, in any case, with _ for a space.
            decides: the ids of the requirements that it decides.
        """
        lower = tuple(name.lower().replace(" ", "_") for name in names)
        return self._chosen(lower, frozenset(decides))


def parse_selection(expression: str, requirements: Collection[str] = ()) -> Selection:
    """Understand a selection expression.

    Args:
        expression: as it was written.
        requirements: the ids of all requirements; without them every word is looked for in names.

    Raises:
        BenchFileError: one sentence with the expression, what was found and what is allowed; or with an id that no
            requirement has, and the nearest.
    """
    parser = _Parser(expression, requirements)
    if not parser.tokens:
        return Selection(expression, lambda _names, _decides: False)
    chosen = parser.either()
    if parser.tokens:
        parser.refuse("'and', 'or' or the end")
    return Selection(expression, chosen)


def family(word: str, requirements: Iterable[str]) -> frozenset[str]:
    """List the requirements of an id or of a family: PR-L1 has PR-L1.1 and not PR-L10.1; PR-L has both."""
    stem = word.upper()
    return frozenset(each for each in requirements if _belongs(each.upper(), stem))


def _belongs(requirement: str, stem: str) -> bool:
    """Say whether an id is another, or goes on after it with a dot, or with a number where that ends in a letter."""
    if not requirement.startswith(stem):
        return False
    after = requirement[len(stem) :]
    return not after or after.startswith(".") or ("-" in stem and stem[-1:].isalpha() and after[0].isdigit())


class _Parser:
    """Takes an expression's tokens one after the other."""

    def __init__(self, expression: str, requirements: Collection[str]) -> None:
        self._expression = expression
        self._requirements = requirements
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
        return lambda names, decides: any(part(names, decides) for part in parts)

    def _both(self) -> _Chosen:
        parts = [self._negated()]
        while self._taken("and"):
            parts.append(self._negated())
        return lambda names, decides: all(part(names, decides) for part in parts)

    def _negated(self) -> _Chosen:
        if self._taken("not"):
            inner = self._negated()
            return lambda names, decides: not inner(names, decides)
        if self._taken("("):
            inner = self.either()
            if not self._taken(")"):
                self.refuse("')', 'and' or 'or'")
            return inner
        if not self.tokens or self.tokens[0] in (")", "and", "or"):
            self.refuse("a word, 'not' or '('")
        return self._word(self.tokens.pop(0))

    def _word(self, written: str) -> _Chosen:
        ids = family(written, self._requirements)
        if ids:
            return lambda _names, decides: not ids.isdisjoint(decides)
        self._refuse_unknown_id(written)
        word = written.lower()
        return lambda names, _decides: any(word in name for name in names)

    def _refuse_unknown_id(self, written: str) -> None:
        """Refuse what is written like an id of these requirements, and is none of them; BenchFileError."""
        prefixes = {each.partition("-")[0] for each in self._requirements}
        word = written.upper()
        if not _ID.fullmatch(word) or word.partition("-")[0] not in prefixes:
            return
        near = difflib.get_close_matches(word, list(self._requirements), n=1, cutoff=0.0)[0]
        raise BenchFileError(
            f"the selection {self._expression!r} has {written!r}, and no requirement has this id; the nearest is {near}"
        )
