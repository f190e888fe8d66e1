"""The constraints that open and close windows."""

from __future__ import annotations

import enum

import numpy as np
from numpy.typing import ArrayLike, NDArray


class Edge(enum.IntEnum):
    """What made an edge of a window. The numbers are stored: new ones go to the end, none changes."""

    SPAN = 0  # the end of the asked span
    NIGHT = 1  # local mean solar noon: stored windows are cut there
    SUN = 2
    ALTITUDE = 3
    ALTITUDE_MAX = 4
    HOUR_ANGLE = 5
    HORIZON = 6
    MOON = 7
    MAGNITUDE = 8
    RATE = 9
    CLOSURE = 10
    GALACTIC = 11
    IMPACT = 12

    @property
    def label(self) -> str:
        """The stable name, as in tables and the API."""
        return self.name.lower()


SEAM = 255  # not an edge: where the search itself divides an interval; such windows are joined again

_LABELS = np.array([edge.label for edge in Edge])


def edge_labels(codes: ArrayLike) -> NDArray[np.str_]:
    """Names of edge codes, any shape."""
    return np.asarray(_LABELS[np.asarray(codes, dtype=np.int64)])
