"""Gauss-Legendre collocation for x'' = a(t, x, v) on a step of unit length: nodes and constant matrices.

On each step the acceleration is a polynomial through its values at 16 Gauss-Legendre nodes. Position and
velocity are its integrals, so the step is solved when the values agree with the force at the positions they
imply (Picard iteration), and the polynomial is dense output at no cost. The end of a step is accurate to
order 32 (Hairer, Norsett & Wanner 1993, II.7).
"""

from __future__ import annotations

import functools

import numpy as np
from numpy.polynomial import legendre
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

N_NODES = 16
N_SERIES = N_NODES + 2  # Legendre coefficients of the position, two integrations up

_x, _w = legendre.leggauss(N_NODES)
NODES: FloatArray = 0.5 * (_x + 1.0)  # in (0, 1)

# Values at the nodes -> Legendre coefficients (orthogonality with Gauss weights).
TO_LEGENDRE: FloatArray = (legendre.legvander(_x, N_NODES - 1) * _w[:, None]).T * (np.arange(N_NODES) + 0.5)[:, None]


def _integrals(times: int) -> FloatArray:
    """Legendre coefficients of the `times`-fold integral from the step's start, from values at the nodes."""
    return np.asarray(legendre.legint(TO_LEGENDRE, m=times, lbnd=-1.0, scl=0.5, axis=0))


_ONCE, _TWICE = _integrals(1), _integrals(2)
VELOCITY_AT_NODES: FloatArray = legendre.legvander(_x, N_NODES) @ _ONCE
POSITION_AT_NODES: FloatArray = legendre.legvander(_x, N_NODES + 1) @ _TWICE
VELOCITY_AT_END: FloatArray = _ONCE.sum(axis=0)  # every Legendre polynomial is 1 at the end
POSITION_AT_END: FloatArray = _TWICE.sum(axis=0)
POSITION_SERIES: FloatArray = _TWICE  # (18, 16)

# A force that is weak or changes slowly is known from a few nodes: interpolated from these, which lie symmetrically.
SPARSE = slice(None, None, 3)  # the 1st, 4th ... 16th
_sparse = legendre.legvander(_x[SPARSE], _x[SPARSE].size - 1)
SPARSE_TO_LEGENDRE: FloatArray = np.asarray(np.linalg.inv(_sparse))
N_SPARSE = len(SPARSE_TO_LEGENDRE)
FROM_SPARSE: FloatArray = np.asarray(legendre.legvander(_x, N_SPARSE - 1) @ SPARSE_TO_LEGENDRE)

# Legendre coefficients -> those of the derivative with respect to the unit-length time.
DERIVATIVE: FloatArray = np.asarray(2.0 * legendre.legder(np.eye(N_SERIES), axis=0))  # (17, 18)


def basis(tau: FloatArray, n: int = N_SERIES) -> FloatArray:
    """The first n Legendre polynomials at tau (n_t,) in [0, 1] of the step: shape (n_t, n)."""
    x = 2.0 * tau - 1.0
    rows = np.empty((n, tau.size))
    rows[0], rows[1] = 1.0, x
    for k in range(2, n):
        rows[k] = ((2 * k - 1) * x * rows[k - 1] - (k - 1) * rows[k - 2]) / k
    return rows.T


@functools.lru_cache(maxsize=64)
def continuation(offset: float, ratio: float, n: int = N_NODES) -> FloatArray:
    """Values at the nodes of a step from those of another that began `offset` before it and is 1 / `ratio` as long.

    offset 1: the step after it (extrapolation, for which only the first n terms of the series are used); offset 0,
    ratio 1/2: its first half.
    """
    return np.asarray(basis(offset + ratio * NODES, n) @ TO_LEGENDRE[:n])
