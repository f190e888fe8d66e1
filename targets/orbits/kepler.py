"""Two-body motion in universal variables: one set of formulas for ellipses, parabolas and hyperbolas.

With s the universal anomaly counted from perihelion (dt = r ds) and beta = mu (1 - e) / q, the functions
G1, G2, G3 (Stumpff 1959; Danby 1988, section 6.9) give

    dt = q s + mu e G3,   r = q + mu e G2,
    x = q - mu G2,        y = v_q (dt - mu G3),     v_q = sqrt(mu (1 + e) / q)

along the perihelion direction and at right angles to it in the orbital plane.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import ArrayLike, NDArray

from targets.orbits.planets import SUN

FloatArray = NDArray[np.float64]
GM_SUN = SUN.gm_au3_d2
_SERIES_BELOW = 0.1  # |beta s^2| under which the power series is used: seven terms are then exact to the last bit
_NEWTON_STEPS = 60  # far more than needed; an extreme comet near its perihelion takes about 20


def universal_functions(beta: FloatArray, s: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """G1, G2, G3 of beta (au^2/d^2 per au^2, may have any sign) and s; shapes broadcast."""
    z = np.asarray(beta * s * s)
    c2, c3 = np.empty_like(z), np.empty_like(z)
    small = np.abs(z) < _SERIES_BELOW
    if small.any():
        w = z[small]
        c2[small] = (1 - w / 12 * (1 - w / 30 * (1 - w / 56 * (1 - w / 90 * (1 - w / 132 * (1 - w / 182)))))) / 2
        c3[small] = (1 - w / 20 * (1 - w / 42 * (1 - w / 72 * (1 - w / 110 * (1 - w / 156 * (1 - w / 210)))))) / 6
    ellipse = z >= _SERIES_BELOW
    if ellipse.any():
        w = z[ellipse]
        root = np.sqrt(w)
        c2[ellipse] = 2.0 * np.sin(0.5 * root) ** 2 / w
        c3[ellipse] = (root - np.sin(root)) / (root * w)
    hyperbola = z <= -_SERIES_BELOW
    if hyperbola.any():
        w = -z[hyperbola]
        root = np.sqrt(w)
        c2[hyperbola] = 2.0 * np.sinh(0.5 * root) ** 2 / w
        c3[hyperbola] = (np.sinh(root) - root) / (root * w)
    return s * (1.0 - z * c3), s * s * c2, s * s * s * c3


def universal_anomaly(q_au: FloatArray, e: FloatArray, since_perihelion_d: FloatArray) -> FloatArray:
    """Solve dt = q s + mu e G3(s) for s. Shapes broadcast; for ellipses |dt| must not exceed half a period.

    dt(s) is convex for s > 0, so Newton's method started above the root comes down to it without overshooting.
    """
    beta = np.asarray(GM_SUN * (1.0 - e) / q_au)
    dt = np.abs(since_perihelion_d)
    pull = GM_SUN * e
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        mean_rate = np.sqrt(np.maximum(beta, 0.0)) * beta / GM_SUN
        # Upper bounds: r >= q; for an ellipse E <= M + e and E <= pi; else G3 >= s^3 / 6.
        above_ellipse = np.minimum(mean_rate * dt + e, np.pi) / np.sqrt(np.maximum(beta, 0.0))
        above_open = np.cbrt(6.0 * dt / pull)
    above = np.where(beta > 0.0, above_ellipse, above_open)
    s = np.fmin(dt / q_au, np.where(np.isfinite(above), above, np.inf))
    for _ in range(_NEWTON_STEPS):
        _, g2, g3 = universal_functions(beta, s)
        step = (q_au * s + pull * g3 - dt) / (q_au + pull * g2)
        s = s - step
        if np.all(np.abs(step) <= 1e-15 * np.abs(s) + 1e-300):
            break
    return np.asarray(np.copysign(s, since_perihelion_d))


@dataclass(frozen=True)
class Conics:
    """Heliocentric two-body orbits of n objects, in the frame of `toward_perihelion` and `ahead` (unit vectors)."""

    q_au: FloatArray  # (n,)
    e: FloatArray  # (n,)
    since_perihelion_d: FloatArray  # (n,) at the epoch
    toward_perihelion: FloatArray  # (n, 3)
    ahead: FloatArray  # (n, 3): the direction of motion at perihelion

    @classmethod
    def from_state(cls, state: ArrayLike) -> Conics:
        """The osculating conics of heliocentric states (n, 6) in au and au/d."""
        state = np.asarray(state, dtype=float)
        r, v = state[:, :3], state[:, 3:]
        distance = np.linalg.norm(r, axis=1)
        momentum = np.cross(r, v)
        h2 = np.einsum("ni,ni->n", momentum, momentum)
        pole = momentum / np.sqrt(h2)[:, None]
        e_vector = np.cross(v, momentum) / GM_SUN - r / distance[:, None]
        # What rounding puts off the plane would tilt the axes of a nearly round orbit.
        e_vector = e_vector - np.einsum("ni,ni->n", e_vector, pole)[:, None] * pole
        e = np.linalg.norm(e_vector, axis=1)
        round_ = e < 1e-14  # a circle has no perihelion: count from where the object is
        toward = np.where(round_[:, None], r / distance[:, None], e_vector / np.where(round_, 1.0, e)[:, None])
        q = h2 / GM_SUN / (1.0 + e)
        beta = GM_SUN * (1.0 - e) / q
        ahead = np.cross(pole, toward)
        # The true anomaly from the axes themselves: of a nearly round orbit they are arbitrary, but consistent.
        half = 0.5 * np.arctan2(np.einsum("ni,ni->n", r, ahead), np.einsum("ni,ni->n", r, toward))
        root = np.sqrt(np.abs(beta))
        with np.errstate(divide="ignore", invalid="ignore"):
            ellipse = 2.0 * np.arctan2(np.sqrt(1.0 - e) * np.sin(half), np.sqrt(1.0 + e) * np.cos(half)) / root
            parabola = 2.0 * np.tan(half) * np.sqrt(q / (GM_SUN * (1.0 + e)))
            hyperbola = 2.0 * np.arctanh(0.5 * root * parabola) / root
        nearly = np.abs(beta) * parabola**2 < 1e-6
        series = parabola * (1.0 - beta * parabola**2 / 12.0 * (1.0 - 0.15 * beta * parabola**2))
        s = np.where(nearly, series, np.where(beta > 0.0, ellipse, hyperbola))
        _, _, g3 = universal_functions(beta, s)
        return cls(q, e, q * s + GM_SUN * e * g3, toward, ahead)

    def take(self, index: NDArray[np.int64]) -> Conics:
        """The orbits at `index`."""
        return Conics(*(getattr(self, column.name)[index] for column in fields(self)))

    def state_after(self, dt_d: ArrayLike) -> tuple[FloatArray, FloatArray]:
        """Positions in au and velocities in au/d, each (n, n_t, 3), `dt_d` days after the epoch (shape (n, n_t))."""
        q, e = self.q_au[:, None], self.e[:, None]
        t = self.since_perihelion_d[:, None] + np.asarray(dt_d, dtype=float)
        closed = e < 1.0
        period = 2.0 * np.pi * np.sqrt((q / np.where(closed, 1.0 - e, 1.0)) ** 3 / GM_SUN)
        t = np.where(closed, t - np.round(t / period) * period, t)
        beta = GM_SUN * (1.0 - e) / q
        g1, g2, g3 = universal_functions(beta, universal_anomaly(q, e, t))
        fastest = np.sqrt(GM_SUN * (1.0 + e) / q)
        r = q + GM_SUN * e * g2
        x, y = q - GM_SUN * g2, fastest * (t - GM_SUN * g3)
        vx, vy = -GM_SUN * g1 / r, fastest * (1.0 - GM_SUN * g2 / r)
        along, across = self.toward_perihelion[:, None, :], self.ahead[:, None, :]
        return x[..., None] * along + y[..., None] * across, vx[..., None] * along + vy[..., None] * across
