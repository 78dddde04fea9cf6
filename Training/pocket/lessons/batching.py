"""Rows of like length together, so that little of a batch is filling."""

from collections.abc import Callable, Iterable
from typing import TypeVar

Row = TypeVar("Row")


def by_length(rows: Iterable[Row], length: Callable[[Row], int], most: int) -> list[list[Row]]:
    """Batches, the shorter rows first; each is at most `most` long in all, filled up to its longest row, or one row."""
    groups: list[list[Row]] = [[]]
    for row in sorted(rows, key=length):
        if groups[-1] and (len(groups[-1]) + 1) * length(row) > most:
            groups.append([])
        groups[-1].append(row)
    return groups
