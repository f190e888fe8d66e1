"""Exact places of targets as one site sees them: the rows of the command `ephemeris`.

Nothing is interpolated here: every row solves the light time from the trajectory to the site itself, bends
the ray by the Sun's gravity, and applies the aberration of the site's own barycentric velocity. The window
search uses Chebyshev series instead (`targets.orbits.ephemeris`); tests hold the two against each other.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import erfa
import numpy as np
from numpy.typing import ArrayLike, NDArray

from coordination.common.timescales import MJD_ZERO_JD, tt_to_tdb_mjd
from observatories.sites.atmosphere import airmass
from observatories.sites.station import Station, horizontal_deg
from targets.orbits.frames import aberrate, cio_matrices, deflect_by_sun
from targets.orbits.photometry import effective_distance, phase_dimming_mag
from targets.orbits.planets import C_AU_D, EARTH, MOON, SUN, Body, Planets
from targets.orbits.trajectory import Trajectory

FloatArray = NDArray[np.float64]

RAD_D_TO_ARCSEC_MIN = np.degrees(1.0) * 3600.0 / 1440.0
_LIGHT_TIME_ROUNDS = 4  # each gains a factor v/c = 1e-4


@dataclass(frozen=True)
class Places:
    """Places of n targets at n_t times from one site; every array is (n, n_t), NaN where a value does not exist.

    Astrometric: ICRF, light time only. Apparent: true equator and equinox of date, without refraction. The
    geocentre has no horizon, so azimuths, altitudes and airmasses are NaN there; airmass is also NaN below
    the horizon, V where H is unknown.
    """

    ra_deg: FloatArray
    dec_deg: FloatArray
    ra_apparent_deg: FloatArray
    dec_apparent_deg: FloatArray
    az_deg: FloatArray
    alt_deg: FloatArray
    airmass: FloatArray
    delta_au: FloatArray
    r_au: FloatArray
    phase_deg: FloatArray
    elong_deg: FloatArray
    v_mag: FloatArray
    rate_arcsec_min: FloatArray
    pa_deg: FloatArray
    sun_alt_deg: FloatArray
    moon_sep_deg: FloatArray


@dataclass(frozen=True)
class Observer:
    """A site, or the geocentre where `station` is None, at TT (n_t,): where it is, how it moves, which way is up."""

    station: Station | None
    tt_mjd: FloatArray
    planets: Planets

    @cached_property
    def tdb_mjd(self) -> FloatArray:
        """The same times in TDB."""
        return tt_to_tdb_mjd(self.tt_mjd)

    @cached_property
    def to_cirs(self) -> FloatArray:
        """Rotation matrices (n_t, 3, 3) from the ICRF."""
        return cio_matrices(self.tt_mjd)

    @cached_property
    def state(self) -> tuple[FloatArray, FloatArray]:
        """Barycentric ICRF position in au and velocity in au/d, (n_t, 3) each."""
        position, velocity = self.planets.state(EARTH, self.tdb_mjd)
        if self.station is None:
            return position, velocity
        site = self.station.position_cirs_au(self.tt_mjd)
        spin = self.station.velocity_cirs_au_d(self.tt_mjd)
        return (
            position + np.einsum("tji,tj->ti", self.to_cirs, site),
            velocity + np.einsum("tji,tj->ti", self.to_cirs, spin),
        )

    @cached_property
    def from_sun(self) -> FloatArray:
        """Position (n_t, 3) as seen from the Sun, au."""
        return self.state[0] - self.planets.position(SUN, self.tdb_mjd)

    def apparent(self, direction: FloatArray) -> FloatArray:
        """Unit vectors (..., n_t, 3) turned by the observer's motion, still on ICRF axes."""
        distance = np.linalg.norm(self.from_sun, axis=-1)
        return aberrate(direction, self.state[1], distance)

    def apparent_body(self, body: Body) -> FloatArray:
        """Unit vectors (n_t, 3) to the Sun, the Moon or a planet, on ICRF axes."""
        delay = np.zeros(self.tdb_mjd.size)
        for _ in range(_LIGHT_TIME_ROUNDS):
            sight = self.planets.position(body, self.tdb_mjd - delay) - self.state[0]
            distance = np.linalg.norm(sight, axis=-1)
            delay = distance / C_AU_D
        return self.apparent(sight / distance[:, None])

    def horizontal_deg(self, apparent: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Azimuth and airless altitude (..., n_t) of apparent unit vectors on ICRF axes; NaN at the geocentre."""
        if self.station is None:
            nowhere = np.full(apparent.shape[:-1], np.nan)
            return nowhere, nowhere
        cirs = np.einsum("tij,...tj->...ti", self.to_cirs, apparent)
        return horizontal_deg(cirs, self.station.axes_cirs(self.tt_mjd))


def places(trajectory: Trajectory, tt_mjd: ArrayLike, station: Station | None) -> Places:
    """The targets of the trajectory at TT (n_t,) from a station, or from the geocentre (None).

    Raises `SpanError` for times outside the trajectory and EarthOrientationError where the Earth's rotation is unknown.
    """
    observer = Observer(station, np.atleast_1d(np.asarray(tt_mjd, dtype=float)), trajectory.planets)
    position, velocity = observer.state
    emitted, delay = _light_time(trajectory, observer)
    sight = emitted - position
    delta = delay * C_AU_D
    direction = sight / delta[..., None]
    from_sun = emitted - trajectory.planets.position(SUN, observer.tdb_mjd - delay)
    r = np.linalg.norm(from_sun, axis=-1)
    phase = _angle(sight, from_sun)
    bent = deflect_by_sun(direction, from_sun, np.broadcast_to(observer.from_sun, from_sun.shape))
    apparent = observer.apparent(bent)
    of_date = np.einsum("tij,ntj->nti", erfa.pnm06a(MJD_ZERO_JD, observer.tt_mjd), apparent)
    az, alt = observer.horizontal_deg(apparent)
    ra, dec = _spherical_deg(direction)
    ra_apparent, dec_apparent = _spherical_deg(of_date)
    rate, pa = _motion(direction, delta, trajectory.velocity(observer.tdb_mjd - delay), velocity)
    sun, moon = observer.apparent_body(SUN), observer.apparent_body(MOON)
    batch = trajectory.batch
    distance = effective_distance(np.log10(r), np.log10(delta), batch.k1[:, None])
    return Places(
        ra_deg=ra,
        dec_deg=dec,
        ra_apparent_deg=ra_apparent,
        dec_apparent_deg=dec_apparent,
        az_deg=az,
        alt_deg=alt,
        airmass=airmass(alt),
        delta_au=delta,
        r_au=r,
        phase_deg=np.degrees(phase),
        elong_deg=np.degrees(_angle(apparent, np.broadcast_to(sun, apparent.shape))),
        v_mag=batch.h_mag[:, None] + 5.0 * distance + phase_dimming_mag(phase, batch.slopes[:, None]),
        rate_arcsec_min=rate,
        pa_deg=pa,
        sun_alt_deg=np.broadcast_to(observer.horizontal_deg(sun)[1], ra.shape),
        moon_sep_deg=np.degrees(_angle(apparent, np.broadcast_to(moon, apparent.shape))),
    )


def _light_time(trajectory: Trajectory, observer: Observer) -> tuple[FloatArray, FloatArray]:
    """Where the targets were when the light left them, (n, n_t, 3), and how long it travelled, (n, n_t) in days."""
    where = trajectory.position(observer.tdb_mjd)
    for _ in range(_LIGHT_TIME_ROUNDS):
        delay = np.linalg.norm(where - observer.state[0], axis=-1) / C_AU_D
        where = trajectory.position(observer.tdb_mjd - delay)
    return where, np.linalg.norm(where - observer.state[0], axis=-1) / C_AU_D


def _motion(
    direction: FloatArray, delta: FloatArray, target_velocity: FloatArray, observer_velocity: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Rate of the astrometric place in arcsec/min and its position angle in degrees, (n, n_t) each."""
    along = np.einsum("nti,nti->nt", direction, target_velocity)
    closing = np.einsum("nti,ti->nt", direction, observer_velocity)
    # The light time changes as the target recedes, and with it the instant at which the target is seen.
    stretch = 1.0 - (along - closing) / (C_AU_D + along)
    relative = target_velocity * stretch[..., None] - observer_velocity
    x, y, z = np.moveaxis(direction, -1, 0)
    polar = np.hypot(x, y)
    east = (x * relative[..., 1] - y * relative[..., 0]) / polar
    north = relative[..., 2] * polar - z * (x * relative[..., 0] + y * relative[..., 1]) / polar
    rate = np.hypot(east, north) / delta * RAD_D_TO_ARCSEC_MIN
    return rate, np.degrees(np.arctan2(east, north)) % 360.0


def _spherical_deg(direction: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Longitude in [0, 360) and latitude in degrees."""
    x, y, z = np.moveaxis(direction, -1, 0)
    return np.degrees(np.arctan2(y, x)) % 360.0, np.degrees(np.arctan2(z, np.hypot(x, y)))


def _angle(a: FloatArray, b: FloatArray) -> FloatArray:
    """Angle in radians between vectors (..., 3), exact for small angles too."""
    return np.asarray(np.arctan2(np.linalg.norm(np.cross(a, b), axis=-1), np.einsum("...i,...i->...", a, b)))
