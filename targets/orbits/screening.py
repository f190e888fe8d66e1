"""Which orbits are worth integrating: a first look at a whole catalogue by two-body motion from the epoch.

Integration over the year between the epoch of a catalogue and today is most of the work, and nine tenths of the
targets stay too faint for any telescope. Two-body motion is off by 36" after a year in the middle and by 0.4 deg at
worst, as long as no planet was met on the way; the first look allows for several times that, and whatever met a
planet, is nearly parabolic, is subject to other forces or is long past its epoch is integrated in any case. What
passes is decided again from integrated states (`prefilter`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from coordination.common.timescales import tt_to_tdb_mjd
from targets.orbits.elements import OrbitBatch
from targets.orbits.kepler import GM_SUN, Conics
from targets.orbits.photometry import phase_dimming_mag
from targets.orbits.planets import BY_NAME, EARTH, SUN, Body, Planets

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

LONGEST_DAYS = 800.0  # from the epoch: two-body motion is not trusted further
ECCENTRICITY = 0.98  # below which the quick solution of Kepler's equation converges
MARGIN_MAG = 1.0  # beyond what `OFF_AU` allows, which was enough for each of 40,000 orbits (docs/numerics.md)
OFF_AU, OFF_DAYS = 0.01, 365.0  # by how much two-body motion may be off after so many days, growing with their square
# Nearer than this to a planet, and an orbit is no longer the one it was: it is deflected by less than OFF_AU else.
ENCOUNTER_AU = {"venus": 0.04, "earth": 0.05, "mars": 0.01, "jupiter": 1.0}
_STEP_DAYS = 8.0  # of the way between epoch and span: encounters are looked for on the chords
_CHUNK = 2048
_NEWTON_STEPS = 12


@dataclass(frozen=True)
class _Ellipses:
    """Heliocentric two-body motion of m objects, quickly and to 1e-8 au."""

    semi_major_au: FloatArray
    e: FloatArray
    motion_rad_d: FloatArray
    perihelion_tdb_mjd: FloatArray
    axes: FloatArray  # (2, 3, m): semi-axes of the ellipse as vectors, au

    @classmethod
    def of(cls, epoch_tdb_mjd: FloatArray, conics: Conics) -> _Ellipses:
        a = conics.q_au / (1.0 - conics.e)
        minor = a * np.sqrt(1.0 - conics.e**2)
        axes = np.stack([(a[:, None] * conics.toward_perihelion).T, (minor[:, None] * conics.ahead).T])
        return cls(a, conics.e, np.sqrt(GM_SUN / a**3), epoch_tdb_mjd - conics.since_perihelion_d, axes)

    def position(self, tdb_mjd: FloatArray) -> FloatArray:
        """(3, n_t, m) in au at times (n_t,)."""
        mean = (tdb_mjd[:, None] - self.perihelion_tdb_mjd) * self.motion_rad_d
        mean -= 2.0 * np.pi * np.round(mean / (2.0 * np.pi))
        anomaly = mean + np.copysign(0.85 * self.e, mean)
        for _ in range(_NEWTON_STEPS):
            sine, cosine = np.sin(anomaly), np.cos(anomaly)
            slope = 1.0 - self.e * cosine
            miss = anomaly - self.e * sine - mean
            step = miss / (slope - 0.5 * miss * self.e * sine / slope)  # Halley
            anomaly -= step
            if np.abs(step).max() < 1e-4:  # cubic convergence: 1e-9 by this step
                break
        sine, cosine = sine - step * cosine, cosine + step * sine
        along = cosine - self.e
        return np.stack([along * self.axes[0, k] + sine * self.axes[1, k] for k in range(3)])


def surely_fainter_than(batch: OrbitBatch, start_tt_mjd: float, end_tt_mjd: float, planets: Planets) -> FloatArray:
    """V (n,) that no object will be brighter than within [start, end] TT, seen from the Earth, as far as that can be
    said without integration: -inf where it cannot, NaN where H is unknown.

    Raises `SpanError` where the planetary kernel does not cover the way from an epoch that is not too old.
    """
    start, end = tt_to_tdb_mjd([start_tt_mjd, end_tt_mjd])
    conics = Conics.from_state(batch.state)
    from_tdb, to_tdb = np.minimum(batch.epoch_tdb_mjd, start), np.maximum(batch.epoch_tdb_mjd, end)
    known = np.isfinite(batch.h_mag)
    quick = known & (to_tdb - from_tdb < LONGEST_DAYS) & (conics.e < ECCENTRICITY) & ~batch.nongrav.any(axis=1)
    quick &= np.isnan(batch.k1)  # comets brighten by a law of their own
    answer = np.where(known, -np.inf, np.nan)
    everyone = np.flatnonzero(quick)
    everyone = everyone[np.argsort(from_tdb[everyone], kind="stable")]  # those of old epochs have a longer way
    seen = np.linspace(start, end, int(np.ceil(end - start)) + 1)
    earth = _heliocentric(EARTH, seen, planets)
    for first in range(0, everyone.size, _CHUNK):
        some = everyone[first : first + _CHUNK]
        part, ellipses = batch.take(some), _Ellipses.of(batch.epoch_tdb_mjd[some], conics.take(some))
        off_au = OFF_AU * np.maximum((to_tdb - from_tdb)[some] / OFF_DAYS, 0.1) ** 2
        faintest = _brightest_v(ellipses.position(seen), earth, part, off_au) - MARGIN_MAG
        met = _met_a_planet(ellipses, from_tdb[some], to_tdb[some], planets)
        answer[some] = np.where(met, -np.inf, faintest)
    return answer


def _brightest_v(position: FloatArray, earth: FloatArray, batch: OrbitBatch, off_au: FloatArray) -> FloatArray:
    """V (m,) at the brightest of the times, if the object may be nearer to Earth and Sun by `off_au` (m,)."""
    sight = position - earth[..., None]
    r2, delta2 = _square(position), _square(sight)
    r, delta = np.sqrt(r2), np.sqrt(delta2)
    phase = np.arccos(np.clip(np.einsum("ctm,ctm->tm", position, sight) / (r * delta), -1.0, 1.0))
    phase = np.maximum(phase - off_au / delta - off_au / r, 0.0)
    nearer = np.maximum(delta - off_au, 0.01 * off_au) * np.maximum(r - off_au, 0.01 * off_au)
    v = 5.0 * np.log10(nearer) + phase_dimming_mag(phase, batch.slopes)
    return np.asarray(batch.h_mag + v.min(axis=0))


def _met_a_planet(ellipses: _Ellipses, from_tdb_mjd: FloatArray, to_tdb_mjd: FloatArray, planets: Planets) -> BoolArray:
    """Whether objects come near to a planet between two dates (m,) each.

    Relative to a planet the motion is straight from one time to the next, for the Sun pulls both alike.
    """
    times = np.arange(from_tdb_mjd.min(), to_tdb_mjd.max() + _STEP_DAYS, _STEP_DAYS)
    position = ellipses.position(times)
    asked = (times[1:, None] >= from_tdb_mjd) & (times[:-1, None] <= to_tdb_mjd)
    met = np.zeros(position.shape[2], dtype=bool)
    for name, radius_au in ENCOUNTER_AU.items():
        apart = position - _heliocentric(BY_NAME[name], times, planets)[..., None]
        begin, chord = apart[:, :-1], apart[:, 1:] - apart[:, :-1]
        at = np.clip(-np.einsum("ctm,ctm->tm", begin, chord) / _square(chord), 0.0, 1.0)
        met |= ((_square(begin + at * chord) < radius_au**2) & asked).any(axis=0)
    return met


def _heliocentric(body: Body, tdb_mjd: FloatArray, planets: Planets) -> FloatArray:
    """(3, n_t) in au."""
    return np.ascontiguousarray((planets.position(body, tdb_mjd) - planets.position(SUN, tdb_mjd)).T)


def _square(vectors: FloatArray) -> FloatArray:
    """Squared lengths of (3, n_t, m)."""
    return np.asarray(np.einsum("ctm,ctm->tm", vectors, vectors))
