"""The second sieve: from one look at mid-cell, and a few along it, whether the Moon or the magnitude can
matter inside the cell.

What is settled here needs no thorough search: nine pairs of ten that the Moon is near to, or whose V is near
the limit.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from coordination.visibility.engine.candidates import Candidates
from coordination.visibility.engine.cells import Cells
from coordination.visibility.engine.closed_form import Middle
from coordination.visibility.engine.dense import Margin, magnitude_margin, moon_margin
from coordination.visibility.engine.pairs import Pairs

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

_LOOKS = 5  # along a cell
_CUSP_RAD = np.radians(2.0)  # below this phase angle V may dip sharply between two looks


@dataclass(frozen=True)
class FirstLook:
    """Of k pairs: which are ruled out for the whole cell, and for which a constraint may change inside it."""

    ruled_out: BoolArray
    moon_open: BoolArray
    magnitude_open: BoolArray


def first_look(pairs: Pairs, middle: Middle, chunk: Candidates, moon: MoonAtMiddle, alive: BoolArray) -> FirstLook:
    """Moon and magnitude of the pairs that are `alive` (k,)."""
    out, moon_open = moon.nearness(pairs, middle)
    moon_open &= alive
    magnitude_open = chunk.magnitude_open & alive & ~out
    never = _settle(pairs, moon_open, moon_margin)
    if magnitude_open.any():
        chosen = np.flatnonzero(magnitude_open)
        first, last = pairs.series.blocks_of(pairs.cells)
        least, cell, objects = pairs.series.least_phase_rad, pairs.cell[chosen], pairs.objects[chosen]
        sharp = np.minimum(least[first[cell], objects], least[last[cell], objects]) <= _CUSP_RAD
        magnitude_open[chosen[sharp]] = False
        never |= _settle(pairs, magnitude_open, magnitude_margin)
        magnitude_open[chosen[sharp]] = True
    return FirstLook(out | never, moon_open, magnitude_open)


def _settle(pairs: Pairs, open_: BoolArray, margin: Margin) -> BoolArray:
    """Look a few times at the open pairs; close (in place) those whose margin keeps its sign. Which of them
    never hold (k,).

    Between looks a smooth curve leaves the straight line by at most an eighth of its second difference; half
    of it is allowed.
    """
    chosen = np.flatnonzero(open_)
    never = np.zeros(open_.size, dtype=bool)
    if not chosen.size:
        return never
    tau = np.broadcast_to(np.linspace(-1.0, 1.0, _LOOKS)[:, None], (_LOOKS, chosen.size))
    values = margin(pairs.take(chosen), tau)
    bend = 0.5 * np.abs(np.diff(values, n=2, axis=0)).max(axis=0) + 1e-7
    holds, fails = values.min(axis=0) > bend, values.max(axis=0) < -bend
    open_[chosen[holds | fails]] = False
    never[chosen[fails]] = True
    return never


@dataclass(frozen=True)
class MoonAtMiddle:
    """The Moon over cells (c,) with its limit: topocentric unit vectors (3, c) at the middle, the least separation
    (c,) there, and by how much both may change along the cell (c,), radians.
    """

    direction: FloatArray
    limit_rad: FloatArray
    change_rad: FloatArray

    @classmethod
    def of(cls, cells: Cells) -> MoonAtMiddle:
        direction, reach = _moon_at_middle(cells)
        change = np.abs(cells.illuminated[1:]).sum(axis=0)
        limit, more = (
            cells.limits.moon_separation_deg(cells.telescope, cells.illuminated[0] + extra) for extra in (0.0, change)
        )
        limit_rad = np.where(cells.limits.has_moon[cells.telescope], np.radians(limit), -np.inf)
        return cls(direction, limit_rad, reach + np.radians(np.abs(more - limit)))

    def nearness(self, pairs: Pairs, middle: Middle) -> tuple[BoolArray, BoolArray]:
        """Whether the Moon is too near during the whole cell (k,), and whether that may change inside it (k,)."""
        x, y, z = self.direction.take(pairs.cell, axis=1)
        cosine = middle.direction[0] * x + middle.direction[1] * y + middle.direction[2] * z
        over = np.arccos(np.clip(cosine, -1.0, 1.0)) - self.limit_rad[pairs.cell]
        slack = self.change_rad[pairs.cell] + middle.motion_rad + 1e-4
        return over < -slack, np.abs(over) <= slack


def _moon_at_middle(cells: Cells) -> tuple[FloatArray, FloatArray]:
    """Topocentric unit vectors (3, c) of the Moon at mid-cell, and a bound in radians (c,) of how it turns
    from there.
    """
    tau = np.linspace(-1.0, 1.0, 9)
    angle = tau[:, None] * cells.turn_rad
    vectors = np.einsum("mkc,tm->ktc", cells.moon_au, np.vander(tau, cells.moon_au.shape[0], increasing=True))
    px, py, pz = cells.position_au
    cos, sin = np.cos(angle), np.sin(angle)
    seen = vectors - np.stack(np.broadcast_arrays(cos * px - sin * py, sin * px + cos * py, pz))
    seen = seen / np.linalg.norm(seen, axis=0)
    middle = seen[:, tau.size // 2]
    cosine = np.einsum("ktc,kc->tc", seen, middle)
    return middle, 1.15 * np.arccos(np.clip(cosine.min(axis=0), -1.0, 1.0))
