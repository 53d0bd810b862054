"""Success runs: how many trials without (or with few) failures show a reliability, by the binomial distribution.

Not responsible for what counts as a failure, nor for measured values, which say more per trial (`tolerance`).
"""

from __future__ import annotations

import scipy

from rig.analysis.checks import finite

MOST_TRIALS = 10_000_000
"""Where the search for n ends; no laboratory does more."""


def fraction(name: str, value: float) -> float:
    """`value` as a float; ValueError unless it lies between 0 and 1, ends excluded."""
    number = finite(name, value)
    if not 0.0 < number < 1.0:
        raise ValueError(f"{name} must lie between 0 and 1, got {value!r}")
    return number


def trials_needed(*, confidence: float, reliability: float, failures: int = 0) -> int:
    """The smallest n such that at most `failures` failures in n trials show `reliability` with `confidence`.

    Smallest n with Σ_{i ≤ f} C(n, i) (1 − R)^i R^(n−i) ≤ 1 − C; for f = 0 n = ⌈ln(1 − C)/ln R⌉ (NIST/SEMATECH
    e-Handbook 8.3.1.2, exact instead of its χ² form).

    Raises:
        ValueError: not fractions between 0 and 1, failures below 0, or more than `MOST_TRIALS` trials.
    """
    confidence, reliability = fraction("confidence", confidence), fraction("reliability", reliability)
    few, many = _failures(failures), _failures(failures) + 1
    while confidence_shown(many, failures, reliability=reliability) < confidence:
        few, many = many, 2 * many
        if many > MOST_TRIALS:
            raise ValueError(f"more than {MOST_TRIALS} trials would be needed to show a reliability of {reliability:g}")
    while many - few > 1:
        middle = (few + many) // 2
        if confidence_shown(middle, failures, reliability=reliability) < confidence:
            few = middle
        else:
            many = middle
    return many


def confidence_shown(trials: int, failures: int, *, reliability: float) -> float:
    """The confidence (0..1) with which `failures` in `trials` show `reliability`: 1 − P(≤ f failures | R)."""
    _trials(trials, failures)
    return float(scipy.stats.binom.sf(failures, trials, 1.0 - fraction("reliability", reliability)))


def reliability_shown(trials: int, failures: int, *, confidence: float) -> float:
    """The reliability (0..1) that `failures` in `trials` show with `confidence`.

    The one-sided lower bound of Clopper and Pearson (Biometrika 26, 1934): the 1 − C quantile of Beta(n − f, f + 1).
    """
    _trials(trials, failures)
    if failures == trials:
        return 0.0
    return float(scipy.stats.beta.ppf(1.0 - fraction("confidence", confidence), trials - failures, failures + 1))


def _failures(failures: int) -> int:
    if failures < 0:
        raise ValueError(f"failures must not be negative, got {failures!r}")
    return failures


def _trials(trials: int, failures: int) -> None:
    if trials < 1 or _failures(failures) > trials:
        raise ValueError(f"{failures!r} failures in {trials!r} trials: trials must be 1 or above and hold the failures")
