"""An independent answer to "where does the site see it": Astropy's ICRS -> AltAz, fed with directions from
barycentric positions.

Astropy brings its own Earth orientation, precession-nutation, aberration and horizon. Light time and parallax
are solved here from barycentric vectors, since Astropy's built-in Earth is 5 km off.
"""

from __future__ import annotations

import functools

import astropy.units as u
import numpy as np
from astropy.coordinates import ICRS, AltAz, CartesianRepresentation, EarthLocation, SkyCoord
from astropy.time import Time

from coordination.common.timescales import tt_to_tdb_mjd
from coordination.visibility.engine.cells import Observing, Telescope
from observatories.sites.earth_orientation import EarthOrientation
from observatories.sites.geodesy import Place
from observatories.sites.sun_moon import SunMoon
from targets.orbits.elements import OrbitBatch
from targets.orbits.ephemeris import apparent_bodies, build_blocks
from targets.orbits.photometry import visual_magnitude
from targets.orbits.planets import C_AU_D, EARTH, MOON, SUN, Planets, default_planets
from targets.orbits.propagation import propagate

START_TT_MJD = 61366.0  # 22 November 2026
PLACES = {
    "Paranal": Place(-70.4045, -24.6272, 2635.0),
    "Xinglong": Place(117.5745, 40.3958, 950.0),
    "Fiji, date line": Place(180.0, -17.7, 0.0),
    "Longyearbyen": Place(15.9, 78.2, 450.0),
    "South Pole": Place(0.0, -90.0, 2835.0),
    "Null Island": Place(0.0, 0.0, 0.0),
}


def orbits(n: int, seed: int = 3) -> OrbitBatch:
    """n near-Earth orbits, drawn at random, all bright enough to be seen."""
    rng = np.random.default_rng(seed)
    q, a = rng.uniform(0.4, 1.25, n), rng.uniform(0.9, 2.6, n)
    a = np.maximum(a, q / 0.95)
    return OrbitBatch.from_keplerian(
        [f"synthetic {k}" for k in range(n)],
        np.full(n, 61400.0),
        a,
        1.0 - q / a,
        rng.rayleigh(12.0, n),
        *rng.uniform(0.0, 360.0, (3, n)),
        h_mag=rng.uniform(15.0, 19.0, n),
        g=0.15,
    )


def sun_moon(start_tt_mjd: float, end_tt_mjd: float) -> SunMoon:
    """The Sun and the Moon of DE440 over a span."""
    planets = default_planets()

    def vectors(tt_mjd: np.ndarray):
        return tuple(apparent_bodies(("sun", "moon"), tt_mjd, planets).values())

    return SunMoon.sample(vectors, start_tt_mjd, end_tt_mjd)


def blocks_of(batch: OrbitBatch, days: int, start_tt_mjd: float = START_TT_MJD):
    """Trajectory of the orbits and their ephemeris blocks over a whole number of days."""
    planets = default_planets()
    trajectory = propagate(batch, start_tt_mjd - 2.0, start_tt_mjd + days + 2.0, planets)
    return trajectory, build_blocks(trajectory, batch, start_tt_mjd, days, planets)


class Sky:
    """What Astropy says of bodies over one place at TT (n,)."""

    def __init__(self, place: Place, tt_mjd: np.ndarray, planets: Planets | None = None) -> None:
        self.planets = planets or default_planets()
        self.time = Time(tt_mjd, format="mjd", scale="tt")
        self.tdb_mjd = tt_to_tdb_mjd(tt_mjd)
        self.location = EarthLocation.from_geodetic(place.lon_deg * u.deg, place.lat_deg * u.deg, place.height_m * u.m)
        site, _ = self.location.get_gcrs_posvel(self.time)
        self.observer = self.planets.position(EARTH, self.tdb_mjd) + site.xyz.to_value("au").T

    def astrometric(self, position) -> tuple[np.ndarray, np.ndarray]:
        """Vector from the observer to a body at the light time (n, 3), ICRF, and its barycentric position
        then.
        """
        delay = np.zeros(self.tdb_mjd.size)
        for _ in range(4):
            there = position(self.tdb_mjd - delay)
            delay = np.linalg.norm(there - self.observer, axis=1) / C_AU_D
        return there - self.observer, there

    def altaz(self, position) -> tuple[np.ndarray, np.ndarray]:
        """Airless azimuth and altitude in degrees of a body given by its barycentric position(tdb) (n, 3)."""
        vector, _ = self.astrometric(position)
        unit = vector / np.linalg.norm(vector, axis=1, keepdims=True)
        seen = SkyCoord(ICRS(CartesianRepresentation(unit.T))).transform_to(
            AltAz(obstime=self.time, location=self.location)
        )
        return seen.az.deg, seen.alt.deg

    @functools.cached_property
    def sun_alt_deg(self) -> np.ndarray:
        return self.altaz(lambda t: self.planets.position(SUN, t))[1]

    @functools.cached_property
    def moon_altaz(self) -> tuple[np.ndarray, np.ndarray]:
        return self.altaz(lambda t: self.planets.position(MOON, t))

    def moon_separation_deg(self, altaz: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
        """Angle between an azimuth and altitude and the Moon as the site sees it."""
        azimuth, altitude = np.radians(altaz)
        moon_azimuth, moon_altitude = np.radians(self.moon_altaz)
        cosine = np.sin(altitude) * np.sin(moon_altitude)
        cosine += np.cos(altitude) * np.cos(moon_altitude) * np.cos(azimuth - moon_azimuth)
        return np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0)))

    def v_mag(self, position, h_mag: float, g: float) -> np.ndarray:
        """Topocentric V."""
        vector, there = self.astrometric(position)
        from_sun = there - self.planets.position(SUN, self.tdb_mjd)
        delta, r = np.linalg.norm(vector, axis=1), np.linalg.norm(from_sun, axis=1)
        phase = np.arccos(np.sum(vector * from_sun, axis=1) / delta / r)
        return visual_magnitude(h_mag, g, r, delta, phase)


def observing(telescopes: list[Telescope], start: float, end: float) -> Observing:
    """Telescopes over a span, given in days after `START_TT_MJD`."""
    bodies = sun_moon(np.floor(START_TT_MJD + start), np.ceil(START_TT_MJD + end))
    earth = EarthOrientation.from_astropy()
    return Observing(telescopes, START_TT_MJD + start, START_TT_MJD + end, bodies, earth)


def flybys(distances_au: list[float], at_tdb_mjd: float, seed: int = 5) -> OrbitBatch:
    """Objects that pass the Earth at about these distances at one instant, with random directions at 12 km/s."""
    rng = np.random.default_rng(seed)
    planets = default_planets()
    earth, earth_velocity = planets.state(EARTH, at_tdb_mjd)
    sun, sun_velocity = planets.state(SUN, at_tdb_mjd)
    towards = rng.normal(size=(len(distances_au), 3))
    towards /= np.linalg.norm(towards, axis=1, keepdims=True)
    along = np.cross(towards, rng.normal(size=towards.shape))
    along *= 12.0 / 1731.457 / np.linalg.norm(along, axis=1, keepdims=True)
    position = earth - sun + towards * np.array(distances_au)[:, None]
    state = np.concatenate([position, earth_velocity - sun_velocity + along], axis=1)
    names = [f"flyby at {d} au" for d in distances_au]
    return OrbitBatch.from_state(names, np.full(len(names), at_tdb_mjd), state, 22.0, 0.15)
