"""Observatories that count as one site: several MPC codes share a mountain."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from observatories.sites.geodesy import Place, distances_km

ONE_SITE_KM = 50.0


def site_numbers(places: Sequence[Place]) -> NDArray[np.int64]:
    """For n places the number (n,) of the site each belongs to: the index of its first place.

    Places within ONE_SITE_KM of each other, directly or through others, are one site.
    """
    near = distances_km(places) <= ONE_SITE_KM
    numbers = np.arange(len(places))
    while True:
        lowest = np.where(near, numbers[None, :], len(places)).min(axis=1, initial=len(places))
        if np.array_equal(lowest, numbers):
            return numbers
        numbers = lowest
