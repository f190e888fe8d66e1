"""Which objects of a catalogue can be bright enough at all: two-body motion, day by day.

Two-body motion from elements a year old is off by 36" in the middle and by degrees where an object passes
near; neither moves a magnitude much, and margins cover the rest. What passes is integrated properly (about a
tenth of the catalogue).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from coordination.common.timescales import tt_to_tdb_mjd
from targets.orbits.elements import OrbitBatch
from targets.orbits.kepler import Conics
from targets.orbits.photometry import phase_dimming_mag
from targets.orbits.planets import EARTH, SUN, Planets

FloatArray = NDArray[np.float64]

MARGIN_MAG = 0.35  # for the steps of a day, for topocentric distance, and for the error of two-body motion
NEAR_AU, NEAR_MARGIN_MAG = 0.1, 1.0  # an object this near moves and brightens fast
_NODE_DAYS = 5.0  # two-body states are computed this far apart and joined by cubics: 1e-7 au at 1 au, 4e-4 at 0.2 au
_CHUNK = 1024


def brightest_v_two_body(
    batch: OrbitBatch, start_tt_mjd: float, end_tt_mjd: float, planets: Planets
) -> tuple[FloatArray, FloatArray]:
    """Brightest geocentric V (n,) and smallest distance (n,) in au, at daily steps over [start, end] TT.

    V is NaN where H is unknown. Raises `SpanError` where the planetary kernel does not cover the span.
    """
    start, end = tt_to_tdb_mjd([start_tt_mjd, end_tt_mjd])
    days = np.linspace(start, end, max(int(np.ceil(end - start)), 1) + 1)
    nodes = np.linspace(start, end, max(int(np.ceil((end - start) / _NODE_DAYS)), 1) + 1)
    weights = _hermite_weights(nodes, days)
    sun = planets.position(SUN, days)
    earth = (planets.position(EARTH, days) - sun).T
    slopes = batch.slopes
    brightest, nearest = np.empty(len(batch)), np.empty(len(batch))
    for first in range(0, len(batch), _CHUNK):
        chosen = slice(first, first + _CHUNK)
        conics = Conics.from_state(batch.state[chosen])
        position, velocity = conics.state_after(nodes - batch.epoch_tdb_mjd[chosen, None])
        values = np.concatenate([position, velocity], axis=1)  # (m, 2 n_nodes, 3)
        x, y, z = weights @ np.moveaxis(values, 2, 0).transpose(0, 2, 1)  # (n_days, m) each
        dx, dy, dz = x - earth[0][:, None], y - earth[1][:, None], z - earth[2][:, None]
        r2, delta2 = x * x + y * y + z * z, dx * dx + dy * dy + dz * dz
        product = np.sqrt(r2 * delta2)
        phase = np.arccos(np.clip((x * dx + y * dy + z * dz) / product, -1.0, 1.0))
        v = 5.0 * np.log10(product) + phase_dimming_mag(phase, slopes[chosen])
        if not np.isnan(batch.k1[chosen]).all():
            v += 2.5 * np.log10(r2) * np.nan_to_num(batch.k1[chosen] / 5.0 - 1.0)
        brightest[chosen] = batch.h_mag[chosen] + v.min(axis=0)
        nearest[chosen] = np.sqrt(delta2.min(axis=0))
    return brightest, nearest


def brightest_possible_v(batch: OrbitBatch, start_tt_mjd: float, end_tt_mjd: float, planets: Planets) -> FloatArray:
    """V (n,) that no object will be brighter than over [start, end] TT: two-body motion less the margins of
    this module.

    NaN where H is unknown.
    """
    v_mag, distance_au = brightest_v_two_body(batch, start_tt_mjd, end_tt_mjd, planets)
    return np.asarray(v_mag - MARGIN_MAG - np.where(distance_au < NEAR_AU, NEAR_MARGIN_MAG, 0.0))


def _hermite_weights(nodes: FloatArray, times: FloatArray) -> FloatArray:
    """(n_times, 2 n_nodes): cubic Hermite interpolation, to be multiplied with positions, then velocities, at nodes."""
    width = nodes[1] - nodes[0] or 1.0
    left = np.clip(((times - nodes[0]) / width).astype(int), 0, nodes.size - 2)
    u = (times - nodes[left]) / width
    weights = np.zeros((times.size, 2 * nodes.size))
    row = np.arange(times.size)
    weights[row, left] = (1.0 + 2.0 * u) * (1.0 - u) ** 2
    weights[row, left + 1] = u * u * (3.0 - 2.0 * u)
    weights[row, nodes.size + left] = width * u * (1.0 - u) ** 2
    weights[row, nodes.size + left + 1] = width * u * u * (u - 1.0)
    return weights
