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
from coordination.visibility.engine.cells import Cells, Telescope
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


def first_look(pairs: Pairs, middle: Middle, chunk: Candidates, telescope: Telescope, alive: BoolArray) -> FirstLook:
    """Moon and magnitude of the pairs that are `alive` (k,)."""
    out, moon_open = _moon_from_middle(pairs, middle, telescope)
    moon_open &= alive
    magnitude_open = chunk.magnitude_open & alive & ~out
    never = _settle(pairs, moon_open, moon_margin(telescope)) if moon_open.any() else moon_open
    if telescope.limits.v_limit_mag is not None and magnitude_open.any():
        first, last = pairs.series.blocks_of(pairs.cells)
        least = pairs.series.least_phase_rad
        smooth = (least[first[pairs.cell], pairs.objects] > _CUSP_RAD) & (
            least[last[pairs.cell], pairs.objects] > _CUSP_RAD
        )
        sharp = magnitude_open & ~smooth
        magnitude_open &= smooth
        never = never | _settle(pairs, magnitude_open, magnitude_margin(telescope.limits.v_limit_mag))
        magnitude_open |= sharp
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
    tau = np.broadcast_to(np.linspace(-1.0, 1.0, _LOOKS), (chosen.size, _LOOKS))
    values = margin(pairs.take(chosen), tau)
    bend = 0.5 * np.abs(np.diff(values, n=2, axis=1)).max(axis=1) + 1e-7
    holds, fails = values.min(axis=1) > bend, values.max(axis=1) < -bend
    open_[chosen[holds | fails]] = False
    never[chosen[fails]] = True
    return never


def _moon_from_middle(pairs: Pairs, middle: Middle, telescope: Telescope) -> tuple[BoolArray, BoolArray]:
    """Whether the Moon is too near during the whole cell (k,), and whether that may change inside it (k,)."""
    if not telescope.limits.needs_moon:
        no = np.zeros(pairs.n, dtype=bool)
        return no, no.copy()
    direction, reach = _moon_at_middle(pairs.cells)
    x, y, z = direction[:, pairs.cell]
    cosine = middle.direction[0] * x + middle.direction[1] * y + middle.direction[2] * z
    separation = np.arccos(np.clip(cosine, -1.0, 1.0))
    limit, change = _moon_limit_rad(pairs.cells, telescope)
    slack = (reach + change)[pairs.cell] + middle.motion_rad + 1e-4
    limit = limit[pairs.cell]
    return separation < limit - slack, np.abs(separation - limit) <= slack


def _moon_limit_rad(cells: Cells, telescope: Telescope) -> tuple[FloatArray, FloatArray]:
    """Least Moon separation (c,) at mid-cell, and a bound of how much it changes from there, with the
    illumination.
    """
    limits, change = telescope.limits, np.abs(cells.illuminated[1:]).sum(axis=0)
    limit, more = (limits.moon_separation_deg(cells.illuminated[0] + extra) for extra in (0.0, change))
    return np.radians(limit), np.radians(np.abs(more - limit))


def _moon_at_middle(cells: Cells) -> tuple[FloatArray, FloatArray]:
    """Topocentric unit vectors (3, c) of the Moon at mid-cell, and a bound in radians (c,) of how it turns
    from there.
    """
    tau = np.linspace(-1.0, 1.0, 9)
    angle = cells.turn_rad[:, None] * tau
    vectors = np.einsum("mkc,tm->kct", cells.moon_au, np.vander(tau, cells.moon_au.shape[0], increasing=True))
    px, py, pz = (cells.position_au[:, k, None] for k in range(3))
    cos, sin = np.cos(angle), np.sin(angle)
    seen = vectors - np.stack(np.broadcast_arrays(cos * px - sin * py, sin * px + cos * py, pz))
    seen = seen / np.linalg.norm(seen, axis=0)
    middle = seen[:, :, tau.size // 2]
    cosine = np.einsum("kct,kc->ct", seen, middle)
    return middle, 1.15 * np.arccos(np.clip(cosine.min(axis=1), -1.0, 1.0))
