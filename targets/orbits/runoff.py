"""How well an orbit is known when no covariance is: an estimate from the MPC's uncertainty parameter U and the arc.

U stands for the runoff: by how many arcseconds the mean longitude goes wrong in ten years (Marsden, Sekiguchi &
Williams; minorplanetcenter.net/iau/info/UValue.html):

    runoff = (dT e + 10 / P dP) ko / P x 3600 x 3,   U = int(ln(runoff) / 1.49) + 1, from 0 to 9

with P the period in years, dT and dP the errors of perihelion time and period in days, ko = 0.98561 deg. Its
factor 3 makes the formal errors realistic; 1-sigma is here a third of the largest runoff of a U.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from targets.orbits.covariance import ELEMENTS, OrbitCovariance
from targets.orbits.elements import OrbitBatch, state_to_keplerian
from targets.orbits.kepler import GM_SUN, Conics
from targets.orbits.planets import SUN, Planets
from targets.orbits.propagation import propagate
from targets.orbits.trajectory import Trajectory

FloatArray = NDArray[np.float64]

LN_STEP = 1.49
DECADE_D = 3652.5
YEAR_D = 365.25
_RUNOFF_FACTOR = 3.0
_KO_DEG = np.degrees(0.01720209895)

# What the arc says where there is no U: the 75th percentile of the U of the MPC's near-Earth orbits (February 2026) of
# one opposition by days of arc; of several oppositions by years between the first and the last.
_ONE_OPPOSITION = ((2.0, 9), (8.0, 8), (30.0, 7), (60.0, 6), (120.0, 5), (250.0, 4), (np.inf, 3))
_OPPOSITIONS = ((2.0 * YEAR_D, 3), (5.0 * YEAR_D, 2), (7.0 * YEAR_D, 1), (np.inf, 0))
_LETTERS = {"E": 9, "D": 9, "F": 9}  # eccentricity assumed; double designation; both: nothing is known about the orbit
U_VALUES = frozenset({*"0123456789", *_LETTERS})

# 1-sigma of what the digits leave that the MPC prints: seven of a and e, five of the angles.
FLOOR_AU = FLOOR_E = 3e-8
FLOOR_DEG = 3e-6
_LONGEST_BACK_D = 30.0  # observations hold the place in the orbit to the end of a long arc
_AT_ONCE = 200  # orbits carried together: half a megabyte each
_SMALL_STEP = 1e-6  # change of velocity over speed that is carried from the arc to the epoch


@dataclass(frozen=True)
class OrbitQuality:
    """What a catalogue says about an orbit besides its elements; None and "" where it says nothing."""

    u_parameter: str = ""  # 0 to 9, or E, D, F
    arc_days: float | None = None
    last_observed_mjd: float | None = None
    observation_count: int | None = None
    opposition_count: int | None = None

    def __post_init__(self) -> None:
        if self.u_parameter and self.u_parameter not in U_VALUES:
            raise ValueError(f"u_parameter is {self.u_parameter!r}: expected 0 to 9, E, D or F, or nothing")
        for field in ("arc_days", "last_observed_mjd"):
            value = getattr(self, field)
            if value is not None and not (np.isfinite(value) and value >= 0.0):
                raise ValueError(f"{field} is {value}: expected a finite number of 0 or more, or nothing")

    @property
    def is_known(self) -> bool:
        """Whether there is anything to judge by."""
        return bool(self.u_parameter) or self.arc_days is not None

    @property
    def u_number(self) -> int | None:
        """U as a number: as given; what the arc lets expect where it is not; None where there is no arc either."""
        if self.u_parameter:
            return _LETTERS.get(self.u_parameter) or int(self.u_parameter)
        if self.arc_days is None:
            return None
        several = self.opposition_count is not None and self.opposition_count > 1
        limits = _OPPOSITIONS if several else _ONE_OPPOSITION
        return next(u for days, u in limits if self.arc_days < days)

    def pivot_mjd(self, epoch_mjd: float) -> float:
        """When the place in the orbit was last known well: the middle of the arc, of long ones a month before the
        last observation; the epoch where the last observation is not known.
        """
        if self.last_observed_mjd is None:
            return epoch_mjd
        return self.last_observed_mjd - min(0.5 * (self.arc_days or 0.0), _LONGEST_BACK_D)


def u_parameter(e: float, period_years: float, sigma_tp_d: float, sigma_period_d: float) -> int:
    """The MPC's U, 0 to 9, from the 1-sigma errors of the time of perihelion and of the period."""
    slip = sigma_tp_d * e + 10.0 / period_years * sigma_period_d
    runoff = slip * _KO_DEG / period_years * 3600.0 * _RUNOFF_FACTOR
    return int(np.clip(int(np.log(runoff) / LN_STEP) + 1, 0, 9)) if runoff > 0.0 else 0


def runoff_sigma_arcsec(u_number: int) -> float:
    """1-sigma error of the mean longitude that ten years bring: a third of the largest runoff of U."""
    return float(np.exp(LN_STEP * u_number) / _RUNOFF_FACTOR)


def longitude_sigma_arcsec(quality: OrbitQuality, epoch_mjd: float, mjd: float) -> float:
    """1-sigma error of the mean longitude on a date, seen from the Sun; NaN where nothing is known of the orbit.

    It grows with the time from `OrbitQuality.pivot_mjd`, and does not fall below what printed digits leave.
    """
    if quality.u_number is None:
        return float("nan")
    decades = (mjd - quality.pivot_mjd(epoch_mjd)) / DECADE_D
    return float(np.hypot(runoff_sigma_arcsec(quality.u_number) * decades, FLOOR_DEG * 3600.0))


def estimated_covariances(
    orbits: OrbitBatch, qualities: Sequence[OrbitQuality], planets: Planets
) -> list[OrbitCovariance]:
    """Covariances of n orbits at their epochs, made up from their quality, with `is_estimate` set.

    The place at `OrbitQuality.pivot_mjd` is taken as known, the velocity there as equally uncertain in all directions,
    by so much that the mean motion is as uncertain as U says: errors grow with time from there, and approaches in
    between raise them. To this comes what the printed digits of the elements leave. Raises ValueError for the first
    orbit of which nothing is known.
    """
    if len(qualities) != len(orbits):
        raise ValueError(f"{len(qualities)} qualities: expected one for each of the {len(orbits)} orbits")
    numbers = [quality.u_number for quality in qualities]
    if None in numbers:
        name = orbits.names[numbers.index(None)]
        raise ValueError(f"{name}: neither covariance nor U nor arc is known: no uncertainty can be estimated")
    if not numbers:
        return []
    runoff = np.array([runoff_sigma_arcsec(int(u)) for u in numbers if u is not None])
    pivots = [q.pivot_mjd(epoch) for q, epoch in zip(qualities, orbits.epoch_tdb_mjd.tolist(), strict=True)]
    pivot = np.clip(pivots, *planets.span_tdb_mjd)
    parts = [np.arange(first, min(first + _AT_ONCE, len(orbits))) for first in range(0, len(orbits), _AT_ONCE)]
    slips = np.concatenate([_slips(orbits.take(part), runoff[part], pivot[part], planets) for part in parts], axis=1)
    elements, motion = elements_of(orbits), mean_motion(orbits.state)
    covariances = []
    for k, values in enumerate(elements):
        e = values[0]
        time_d = np.radians(FLOOR_DEG) / motion[k]
        floors = np.array([FLOOR_E, FLOOR_AU * max(abs(1.0 - e), 0.1), time_d, FLOOR_DEG, FLOOR_DEG, FLOOR_DEG])
        matrix = slips[:, k].T @ slips[:, k] + np.diag(floors**2)
        epoch = float(orbits.epoch_tdb_mjd[k])
        covariances.append(OrbitCovariance(orbits.names[k], epoch, ELEMENTS, values, matrix, orbits.nongrav[k], True))
    return covariances


def mean_motion(state: FloatArray) -> FloatArray:
    """rad/d (n,); near the parabola, where it vanishes, that of the ellipse with e = 0.9."""
    conics = Conics.from_state(state)
    return np.sqrt(GM_SUN * (np.maximum(np.abs(1.0 - conics.e), 0.1) / conics.q_au) ** 3)


def elements_of(orbits: OrbitBatch) -> FloatArray:
    """e, q, tp, node, peri, i of orbits, (n, 6): au, MJD, degrees."""
    conics = Conics.from_state(orbits.state)
    keplerian = state_to_keplerian(orbits.state)
    tp = orbits.epoch_tdb_mjd - conics.since_perihelion_d
    return np.column_stack([conics.e, conics.q_au, tp, keplerian[:, 3], keplerian[:, 4], keplerian[:, 2]])


def _slips(orbits: OrbitBatch, runoff_arcsec: FloatArray, pivot_tdb_mjd: FloatArray, planets: Planets) -> FloatArray:
    """What errors of the velocity at the pivots do to the elements at the epochs, (3, n, 6): one for each direction.

    Small changes are carried from the pivots to the epochs, and enlarged: a change of speed that brings the runoff.
    """
    path = propagate(orbits, pivot_tdb_mjd.min(), pivot_tdb_mjd.max(), planets)
    there = _states_at(path, pivot_tdb_mjd, planets)
    position, velocity = there[:, :3], there[:, 3:]
    speed = np.linalg.norm(velocity, axis=1, keepdims=True)
    motion = mean_motion(there)
    # a = GM / (2 GM / r - v^2) and n^2 a^3 = GM: dv = (GM n)^(2/3) / (3 v) dn / n.
    change = np.radians(runoff_arcsec / 3600.0) / DECADE_D / motion
    enlarge = np.cbrt(GM_SUN * motion) ** 2 / (3.0 * speed[:, 0] ** 2) * change / _SMALL_STEP
    ahead = velocity / speed
    normal = np.cross(position, velocity)
    normal /= np.linalg.norm(normal, axis=1, keepdims=True)
    kicks = _SMALL_STEP * speed * np.stack([ahead, np.cross(normal, ahead), normal])
    one, other = _carried(orbits, there, np.stack([kicks, -kicks]), pivot_tdb_mjd, planets)
    difference = 0.5 * (one - other)
    difference[..., 3:] = (difference[..., 3:] + 90.0) % 180.0 - 90.0  # half of a difference of angles
    # Either perihelion may be the nearest one: whole periods apart are no difference.
    half_period = np.pi / motion
    difference[..., 2] = (difference[..., 2] + 0.5 * half_period) % half_period - 0.5 * half_period
    return np.asarray(difference * enlarge[:, None])


def _states_at(path: Trajectory, tdb_mjd: FloatArray, planets: Planets) -> FloatArray:
    """Heliocentric states (n, 6) of the n objects of a trajectory, each at its own time (n,)."""
    sun = np.concatenate(planets.state(SUN, tdb_mjd), axis=1)
    return np.asarray(np.concatenate(path.at_pairs(np.arange(path.n), tdb_mjd), axis=1) - sun)


def _carried(
    orbits: OrbitBatch, state: FloatArray, kicks: FloatArray, tdb_mjd: FloatArray, planets: Planets
) -> FloatArray:
    """Elements (2, 3, n, 6) at the epochs of n orbits that have the states (n, 6) at times (n,), their velocities
    changed by the kicks (2, 3, n, 3).
    """
    copies = kicks.size // (3 * len(orbits))
    moved = np.tile(state, (copies, 1))
    moved[:, 3:] += kicks.reshape(-1, 3)
    nongrav = np.tile(orbits.nongrav, (copies, 1))
    batch = OrbitBatch.from_state(orbits.names * copies, np.tile(tdb_mjd, copies), moved, nongrav=nongrav)
    epochs = np.tile(orbits.epoch_tdb_mjd, copies)
    path = propagate(batch, epochs.min(), epochs.max(), planets)
    there = OrbitBatch.from_state(batch.names, epochs, _states_at(path, epochs, planets))
    return elements_of(there).reshape(*kicks.shape[:3], 6)
