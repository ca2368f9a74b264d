"""Columns of numbers, and spans of time in columns: pieces of the times of many items at once."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.int64]
Marks = NDArray[np.bool_]


class Spans(NamedTuple):
    """Pieces of the items' times, by item and then in their order."""

    item: Numbers
    begin: Numbers
    end: Numbers

    def of_item(self, values: Numbers) -> Numbers:
        """The values of the pieces, added up for each of the items that have any."""
        return np.add.reduceat(values, self.firsts) if len(self.item) else values

    @property
    def firsts(self) -> Numbers:
        """The number of each item's first piece."""
        return np.flatnonzero(begins(self.item))


def begins(column: Numbers) -> Marks:
    """Where another value begins in the column."""
    return np.append(True, column[1:] != column[:-1])[: len(column)]
