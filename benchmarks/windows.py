"""`dev.py bench windows`: 20 targets x 10 sites x 10 nights, by this engine and by what people use, in one run.

Constraints everywhere: Sun below -18 deg, target above 20 deg, Moon 30 deg away. This engine does more: it integrates
the orbits first and gives edges as roots; the others get fixed right ascensions and declinations, and all but skyfield
give a mask every 5 minutes. Each as its documentation shows it, single process, from nothing to the answer; reading
files and importing modules is not counted for any of them. Seconds are of the processor.
"""

from __future__ import annotations

import argparse
import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from _common import ROOT, catalogue_orbits, finish, installed, machine, seconds, show

from coordination.common.timescales import tt_to_tdb_mjd, utc_to_tt_mjd
from coordination.visibility.engine.cells import Telescope
from coordination.visibility.engine.limits import Limits
from coordination.visibility.engine.observe import observe
from coordination.visibility.engine.quantities import describe
from coordination.visibility.engine.windows import find_windows
from observatories.sources.obscodes import find_code
from targets.orbits.elements import OrbitBatch
from targets.orbits.ephemeris import build_blocks
from targets.orbits.planets import Planets
from targets.orbits.propagation import propagate

TARGETS = """
    433 887 1036 1566 1580 1620 1627 1685 1862 1866 1915 2062 2101 3122 3200 4179 5143 25143 99942 101955
"""
CODES = "X05 W84 J04 950 703 G96 F51 E10 K91 474"
START, NIGHTS, STEP_MINUTES = np.datetime64("2026-11-22T12:00", "us"), 10, 5
SUN_DEG, ALTITUDE_DEG, MOON_DEG = -18.0, 20.0, 30.0
KERNEL = ROOT / "targets" / "orbits" / "kernels" / "de440_1990-2050.bsp"


@dataclass(frozen=True)
class Work:
    """What everybody is given. ra_deg, dec_deg: of the targets in the middle of the span, for those who fix them."""

    orbits: OrbitBatch
    telescopes: list[Telescope]
    ra_deg: np.ndarray
    dec_deg: np.ndarray

    @property
    def utc(self) -> np.ndarray:
        return START + np.arange(NIGHTS * 24 * 60 // STEP_MINUTES) * np.timedelta64(STEP_MINUTES, "m")


def this_engine(orbits: OrbitBatch, telescopes: list[Telescope], planets: Planets, quantities: bool) -> float:
    """Hours in windows. Nothing is kept between calls but the planetary kernel."""
    start = float(utc_to_tt_mjd(START))
    observing = observe(telescopes, start, start + NIGHTS, planets)
    first, last = tt_to_tdb_mjd(np.array([start - 1.0, start + NIGHTS]))
    groups = build_blocks(propagate(orbits, first, last, planets), orbits, start, NIGHTS, planets)
    table = find_windows(groups, observing, cut_at_nights=False)
    if quantities:
        describe(table, groups, observing)
    return float((table.end_tt_mjd - table.start_tt_mjd).sum() * 24.0)


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


def with_skyfield(work: Work, searched: bool) -> float:
    """Edges to a second or better. `searched`: by `find_discrete`, as in the documentation up to 1.47; else by the
    faster `find_risings` and `find_settings` of later ones. The Moon is looked at in the middle of each window.
    """
    from skyfield import almanac
    from skyfield.api import Loader, Star, wgs84

    load = Loader(KERNEL.parent, verbose=False)
    ephemeris, timescale = load(KERNEL.name), load.timescale(builtin=True)
    start, end = (timescale.from_datetime(t.item().replace(tzinfo=_utc())) for t in (START, work.utc[-1]))
    stars = [Star(ra_hours=ra / 15.0, dec_degrees=dec) for ra, dec in zip(work.ra_deg, work.dec_deg, strict=True)]
    hours = 0.0
    for place in (telescope.place for telescope in work.telescopes):
        site = wgs84.latlon(place.lat_deg, place.lon_deg, place.height_m)
        here = ephemeris["earth"] + site
        phase = almanac.dark_twilight_day(ephemeris, site)
        phase_times, phases = almanac.find_discrete(start, end, phase)
        dark = _spans(start.tt, end.tt, phase_times.tt, phases == 0, bool(phase(start) == 0))
        for star in stars:
            if searched:
                rises = almanac.risings_and_settings(ephemeris, star, site, horizon_degrees=ALTITUDE_DEG)
                times, up = almanac.find_discrete(start, end, rises)
                spans = _spans(start.tt, end.tt, times.tt, up == 1, bool(rises(start)))
            else:
                spans = _between_rises_and_sets(almanac, here, star, start, end)
            windows = _both(dark, spans)
            if not len(windows):
                continue
            middle = timescale.tt_jd(windows.mean(axis=1))
            moon = here.at(middle).observe(ephemeris["moon"]).apparent()
            apart = here.at(middle).observe(star).apparent().separation_from(moon).degrees
            hours += float(np.diff(windows, axis=1)[:, 0][apart > MOON_DEG].sum() * 24.0)
    return hours


def _utc() -> Any:
    from skyfield.api import utc

    return utc


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


def given_work(planets: Planets) -> Work:
    """The targets' orbits, the sites with their limits, and where the targets are in the middle of the span."""
    catalogue = catalogue_orbits()
    number = {name: k for k, name in enumerate(catalogue.names)}
    orbits = catalogue.take([number[name] for name in TARGETS.split()])
    limits = Limits(sun_alt_deg=SUN_DEG, min_alt_deg=ALTITUDE_DEG, moon_sep_deg=MOON_DEG, v_limit_mag=None)
    telescopes = [Telescope(find_code(code).place, limits, code) for code in CODES.split()]
    from coordination.visibility.engine.places import places

    tt = np.array([float(utc_to_tt_mjd(START)) + 0.5 * NIGHTS])
    tdb = float(tt_to_tdb_mjd(tt)[0])
    middle = places(propagate(orbits, tdb - 1.0, tdb + 1.0, planets), tt, None)
    return Work(orbits, telescopes, middle.ra_deg[:, 0], middle.dec_deg[:, 0])


def peers(work: Work) -> dict[str, Callable[[], float]]:
    """What is there to compare with, by name."""
    found: dict[str, Callable[[], float]] = {}
    if installed("astroplan"):
        found["astroplan"] = lambda: with_astroplan(work)
    found["astropy"] = lambda: with_astropy(work)
    if installed("skyfield"):
        found["skyfield, find_discrete"] = lambda: with_skyfield(work, searched=True)
        found["skyfield, find_risings"] = lambda: with_skyfield(work, searched=False)
    return found


def main() -> None:
    argparse.ArgumentParser(prog="dev.py bench windows", description=__doc__).parse_args()
    from astropy.utils import iers

    iers.conf.auto_download, iers.conf.auto_max_age = False, None  # no benchmark goes online
    warnings.simplefilter("ignore")
    work = given_work(Planets())

    def ours(quantities: bool = False, planets: Planets | None = None) -> float:
        return this_engine(work.orbits, work.telescopes, planets or Planets(), quantities)

    first_s, hours = seconds(ours, clock=time.process_time)
    planets = Planets()
    warm_s, _ = seconds(lambda: ours(planets=planets), rounds=15, clock=time.process_time)
    start_tdb = float(tt_to_tdb_mjd(utc_to_tt_mjd(START)))
    at_start = propagate(work.orbits, start_tdb, start_tdb, planets).batch_at(start_tdb)
    kept_s, _ = seconds(
        lambda: this_engine(at_start, work.telescopes, planets, False), rounds=15, clock=time.process_time
    )
    described_s, _ = seconds(lambda: ours(quantities=True, planets=planets), rounds=15, clock=time.process_time)
    rows: list[list[Any]] = [
        [name, f"{took:.4f}", f"{took / warm_s:.2f}", f"{hours:.0f}"]
        for name, took in (
            ("this engine, first call in a process", first_s),
            ("this engine", warm_s),
            ("this engine, orbits kept at the start of the span", kept_s),
            ("this engine, with V, motion, Moon, places", described_s),
        )
    ]
    figures: dict[str, Any] = {
        "ours_first_s": round(first_s, 4),
        "ours_s": round(warm_s, 4),
        "ours_from_kept_states_s": round(kept_s, 4),
        "ours_with_quantities_s": round(described_s, 4),
        "ours_hours": round(hours, 1),
    }
    for name, run in peers(work).items():
        print(f"{name} …", file=sys.stderr)
        took, peer_hours = seconds(run, clock=time.process_time)
        rows.append([name, f"{took:.2f}", f"{took / warm_s:.0f}", f"{peer_hours:.0f}"])
        key = name.replace(", ", "_").replace(" ", "_")
        figures |= {
            f"{key}_s": round(took, 3),
            f"{key}_ratio": round(took / warm_s),
            f"{key}_hours": round(peer_hours, 1),
        }
    print(f"{len(TARGETS.split())} targets x {len(CODES.split())} sites x {NIGHTS} nights; {machine()}\n")
    show(["", "seconds", "ratio", "hours found"], rows)
    print("The orbits' epoch is a year before the span; the service keeps them at its start, and goes on from there.")
    print("The others' hours differ a little: fixed places, 5 minutes, the Moon once a window (skyfield).\n")
    finish("windows", figures)


if __name__ == "__main__":
    main()
