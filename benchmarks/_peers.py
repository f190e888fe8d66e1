"""What people use, with the same work as this engine: astroplan, vectorised astropy, skyfield.

Each as its documentation shows it, single process, from nothing to the answer; reading files and importing modules is
not counted for any of them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np
from _common import ROOT, installed

from coordination.common.timescales import MJD_ZERO_JD
from coordination.visibility.engine.cells import Telescope
from targets.orbits.elements import OrbitBatch

START, NIGHTS, STEP_MINUTES = np.datetime64("2026-11-22T12:00", "us"), 10, 5
SUN_DEG, ALTITUDE_DEG, MOON_DEG = -18.0, 20.0, 30.0
KERNEL = ROOT / "targets" / "orbits" / "kernels" / "de440_1990-2050.bsp"


@dataclass(frozen=True)
class Work:
    """What everybody is given. ra_deg, dec_deg: of the targets in the middle of the span, for those who fix them.
    records: their elements as the catalogue has them, for those who can follow a body.
    """

    orbits: OrbitBatch
    records: list[Any]
    telescopes: list[Telescope]
    ra_deg: np.ndarray
    dec_deg: np.ndarray

    @property
    def utc(self) -> np.ndarray:
        return START + np.arange(NIGHTS * 24 * 60 // STEP_MINUTES) * np.timedelta64(STEP_MINUTES, "m")


@dataclass(frozen=True)
class Peer:
    """Somebody to compare with: name, what it does, the bar (how many times as fast this engine has to be), and the
    work itself, which returns the hours found.
    """

    name: str
    does: str
    bar: float
    run: Callable[[], float]

    @property
    def key(self) -> str:
        return "_".join(self.name.replace(",", "").split())


def peers(work: Work) -> list[Peer]:
    """What is there to compare with."""
    found = []
    if installed("astroplan"):
        does = "observability_table, fixed places, mask of 5 min"
        found.append(Peer("astroplan", does, 500.0, lambda: with_astroplan(work)))
    does = "one broadcast a site, fixed places, mask of 5 min"
    found.append(Peer("astropy", does, 300.0, lambda: with_astropy(work)))
    if installed("skyfield") and installed("pandas"):
        found += skyfield_peers(work)
    return found


def with_astroplan(work: Work) -> float:
    import astropy.units as u
    from astroplan import (
        AltitudeConstraint,
        AtNightConstraint,
        FixedTarget,
        MoonSeparationConstraint,
        Observer,
        observability_table,
    )
    from astropy.coordinates import EarthLocation, SkyCoord
    from astropy.time import Time

    times = Time(work.utc)
    targets = [
        FixedTarget(SkyCoord(ra * u.deg, dec * u.deg)) for ra, dec in zip(work.ra_deg, work.dec_deg, strict=True)
    ]
    constraints = [
        AtNightConstraint(max_solar_altitude=SUN_DEG * u.deg),
        AltitudeConstraint(min=ALTITUDE_DEG * u.deg),
        MoonSeparationConstraint(min=MOON_DEG * u.deg),
    ]
    hours = 0.0
    for place in (telescope.place for telescope in work.telescopes):
        observer = Observer(location=EarthLocation.from_geodetic(place.lon_deg, place.lat_deg, place.height_m))
        table = observability_table(constraints, observer, targets, times=times)
        hours += float(np.sum(table["fraction of time observable"])) * NIGHTS * 24.0
    return hours


def with_astropy(work: Work) -> float:
    """One broadcast a site. Its ErfaAstromInterpolator was tried and gained nothing here."""
    import astropy.units as u
    from astropy.coordinates import AltAz, EarthLocation, SkyCoord, angular_separation, get_body
    from astropy.time import Time

    times = Time(work.utc)
    targets = SkyCoord(work.ra_deg * u.deg, work.dec_deg * u.deg)[:, None]
    hours = 0.0
    for place in (telescope.place for telescope in work.telescopes):
        location = EarthLocation.from_geodetic(place.lon_deg, place.lat_deg, place.height_m)
        frame = AltAz(obstime=times, location=location)
        dark = get_body("sun", times, location).transform_to(frame).alt.deg < SUN_DEG
        moon = get_body("moon", times, location).transform_to(frame)
        seen = targets.transform_to(frame)
        # Not by `separation`, which would transform the Moon once more for every target.
        apart = angular_separation(seen.az, seen.alt, moon.az[None], moon.alt[None]).to_value(u.deg)
        hours += float((dark & (seen.alt.deg > ALTITUDE_DEG) & (apart > MOON_DEG)).sum()) * STEP_MINUTES / 60.0
    return hours


def skyfield_peers(work: Work) -> list[Peer]:
    """Ways in which skyfield can be asked.

    `find_discrete`: as in its documentation up to 1.47; `find_risings` with `find_settings`: the faster ones of later
    versions. Stars: places fixed in the middle of the span, a lighter job than ours; orbits: the body itself on its
    ellipse (`mpcorb_orbit`, two bodies), as its users do for asteroids. The Moon is looked at once, in the middle of
    each window, or its distance is searched for edges too, which is what this engine does.
    """
    sky = _Skyfield(work)

    def peer(targets: str, searched: bool, moon_edges: bool) -> Peer:
        function = "find_discrete" if searched else "find_risings"
        moon = ", Moon edges" if moon_edges else ""
        places = "fixed places" if targets == "stars" else "moving on an ellipse"
        does = f"{places}, edges; Moon {'edges' if moon_edges else 'once a window'}"
        return Peer(
            f"skyfield {targets}, {function}{moon}",
            does,
            1000.0,
            lambda: sky.hours(moving=targets == "orbits", searched=searched, moon_edges=moon_edges),
        )

    return [
        peer("stars", searched=True, moon_edges=False),
        peer("stars", searched=False, moon_edges=False),
        peer("orbits", searched=True, moon_edges=False),
        peer("orbits", searched=False, moon_edges=False),
        peer("orbits", searched=True, moon_edges=True),
        peer("orbits", searched=False, moon_edges=True),
    ]


class _Skyfield:
    """The work in skyfield's words. Files are read when it is made, which is not timed."""

    def __init__(self, work: Work) -> None:
        from skyfield import almanac
        from skyfield.api import Loader

        load = Loader(KERNEL.parent, verbose=False)
        self.work, self.almanac = work, almanac
        self.ephemeris, self.timescale = load(KERNEL.name), load.timescale(builtin=True)

    def hours(self, moving: bool, searched: bool, moon_edges: bool) -> float:
        from skyfield.api import utc, wgs84

        almanac, ephemeris = self.almanac, self.ephemeris
        start, end = (self.timescale.from_datetime(t.item().replace(tzinfo=utc)) for t in (START, self.work.utc[-1]))
        targets, hours = self._orbits() if moving else self._stars(), 0.0
        for place in (telescope.place for telescope in self.work.telescopes):
            site = wgs84.latlon(place.lat_deg, place.lon_deg, place.height_m)
            here = ephemeris["earth"] + site
            phase = almanac.dark_twilight_day(ephemeris, site)
            phase_times, phases = almanac.find_discrete(start, end, phase)
            dark = _spans(start.tt, end.tt, phase_times.tt, phases == 0, bool(phase(start) == 0))
            for target in targets:
                if searched:
                    rises = almanac.risings_and_settings(ephemeris, target, site, horizon_degrees=ALTITUDE_DEG)
                    spans = self._searched(rises, start, end)
                else:
                    spans = _between_rises_and_sets(almanac, here, target, start, end)
                windows = _both(dark, spans)
                if moon_edges:
                    windows = _both(windows, self._searched(self._far_from_moon(here, target), start, end))
                elif len(windows):
                    middle = self.timescale.tt_jd(windows.mean(axis=1))
                    windows = windows[self._moon_deg(here, target, middle) > MOON_DEG]
                hours += float((windows[:, 1] - windows[:, 0]).sum() * 24.0)
        return hours

    def _stars(self) -> list[Any]:
        from skyfield.api import Star

        places = zip(self.work.ra_deg, self.work.dec_deg, strict=True)
        return [Star(ra_hours=ra / 15.0, dec_degrees=dec) for ra, dec in places]

    def _orbits(self) -> list[Any]:
        from skyfield.constants import GM_SUN_Pitjeva_2005_km3_s2 as gm_sun
        from skyfield.data import mpc

        rows = [_mpcorb_row(record) for record in self.work.records]
        return [self.ephemeris["sun"] + mpc.mpcorb_orbit(row, self.timescale, gm_sun) for row in rows]

    def _moon_deg(self, here: Any, target: Any, times: Any) -> np.ndarray:
        at = here.at(times)
        moon = at.observe(self.ephemeris["moon"]).apparent()
        return at.observe(target).apparent().separation_from(moon).degrees

    def _far_from_moon(self, here: Any, target: Any) -> Any:
        """A function for `find_discrete`, like those of the almanac."""

        def is_far(times: Any) -> np.ndarray:
            return self._moon_deg(here, target, times) > MOON_DEG

        is_far.step_days = 0.25
        return is_far

    def _searched(self, function: Any, start: Any, end: Any) -> np.ndarray:
        times, holds = self.almanac.find_discrete(start, end, function)
        return _spans(start.tt, end.tt, times.tt, holds == 1, bool(function(start)))


def _mpcorb_row(record: Any) -> Any:
    """A line of MPCORB, as skyfield reads it."""
    orbit = record.orbit
    epoch = str(np.datetime64("1858-11-17") + np.timedelta64(round(orbit.epoch_tdb_jd - MJD_ZERO_JD), "D"))
    year, month, day = (int(part) for part in epoch.split("-"))
    digits = "0123456789ABCDEFGHIJKLMNOPQRSTUV"
    return SimpleNamespace(
        designation=record.designation,
        semimajor_axis_au=orbit.a_au,
        eccentricity=orbit.e,
        inclination_degrees=orbit.i_deg,
        longitude_of_ascending_node_degrees=orbit.node_deg,
        argument_of_perihelion_degrees=orbit.peri_deg,
        mean_anomaly_degrees=orbit.mean_anomaly_deg,
        epoch_packed=f"{digits[year // 100]}{year % 100:02}{digits[month]}{digits[day]}",
    )


def _between_rises_and_sets(almanac: Any, here: Any, star: Any, start: Any, end: Any) -> np.ndarray:
    rises, really_rises = almanac.find_risings(here, star, start, end, horizon_degrees=ALTITUDE_DEG)
    sets, really_sets = almanac.find_settings(here, star, start, end, horizon_degrees=ALTITUDE_DEG)
    times = np.concatenate([rises.tt[really_rises], sets.tt[really_sets]])
    up = np.concatenate([np.ones(int(np.sum(really_rises)), bool), np.zeros(int(np.sum(really_sets)), bool)])
    order = np.argsort(times)
    at_start = here.at(start).observe(star).apparent().altaz()[0].degrees > ALTITUDE_DEG
    return _spans(start.tt, end.tt, times[order], up[order], at_start)


def _spans(start: float, end: float, times: np.ndarray, on: np.ndarray, at_start: bool) -> np.ndarray:
    """Intervals (k, 2) in which something holds: at the start or not, and from each of the times (m,) on or not."""
    edges = np.concatenate([[start], times, [end]])
    holds = np.concatenate([[at_start], on])
    return np.stack([edges[:-1], edges[1:]], axis=1)[holds]


def _both(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Intersections (k, 2) of two lists of intervals."""
    start = np.maximum(a[:, None, 0], b[None, :, 0])
    end = np.minimum(a[:, None, 1], b[None, :, 1])
    return np.stack([start[end > start], end[end > start]], axis=1)
