"""Numbers with their 95 % intervals, as JSON keeps them: {"value", "low", "high", "of", "digits"}."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pocket.judging.judges import bootstrap, edits, plain

Number = dict[str, Any]


def number(value: float, low: float, high: float, of: int, digits: int) -> Number:
    """`digits`: how many are shown behind the point. More are kept."""
    kept = digits + 1
    return {"value": round(value, kept), "low": round(low, kept), "high": round(high, kept), "of": of, "digits": digits}


def word_errors(pairs: Sequence[tuple[str, str]]) -> Number | None:
    """(what was said, what was heard) pairs -> word error rate in percent; bootstrap over sentences"""
    if not pairs:
        return None
    words = [(plain(said).split(), plain(heard).split()) for said, heard in pairs]
    counts = np.array([(edits(said, heard), max(1, len(said))) for said, heard in words])
    return _drawn(counts, lambda rows: 100 * rows[:, 0].sum() / rows[:, 1].sum(), 1)


def share(right: Sequence[bool]) -> Number | None:
    """Percent of yes, with Wilson's interval: a bootstrap of nothing but yes would claim to be certain."""
    if not right:
        return None
    n, p, z = len(right), sum(right) / len(right), 1.96
    middle = (p + z * z / (2 * n)) / (1 + z * z / n)
    reach = z / (1 + z * z / n) * (p * (1 - p) / n + z * z / (4 * n * n)) ** 0.5
    return number(100 * p, 100 * max(0.0, middle - reach), 100 * min(1.0, middle + reach), n, 0)


def mean(values: Sequence[float]) -> Number | None:
    """Mean with its bootstrap interval."""
    return _drawn(np.array(values, float), lambda rows: float(rows.mean()), 2) if len(values) else None


def quantile(values: Sequence[float], percent: float) -> Number | None:
    """A percentile with its bootstrap interval."""
    return _drawn(np.array(values, float), lambda rows: float(np.percentile(rows, percent)), 0) if len(values) else None


def _drawn(rows: np.ndarray, statistic: Callable[[np.ndarray], float], digits: int) -> Number:
    return number(float(statistic(rows)), *bootstrap(rows, statistic), len(rows), digits)
