"""Moon, twilight and illumination against published almanac values (minutes, as printed)."""

import json

import numpy as np
import pytest

from coordination.common.timescales import utc_to_tt_mjd
from observatories.sites.earth_orientation import EarthOrientation
from observatories.sites.geodesy import Place
from observatories.sites.station import Stations
from observatories.sites.sun_moon import SunMoon, altitude_sine, dark_intervals
from targets.orbits.ephemeris import apparent_bodies
from targets.orbits.planets import default_planets
from tests.shared import SHARED, needs_shared

pytestmark = needs_shared
ALMANAC = SHARED / "truth" / "rise_set_horizons_usno.json"
EARTH = EarthOrientation.from_astropy()
MINUTE = 1.0 / 1440.0
TWILIGHT_DEG = {"sun": -50.0 / 60.0, "civil": -6.0, "nautical": -12.0, "astronomical": -18.0}


def almanac(name: str):
    return json.loads(ALMANAC.read_text())[name]


def bodies_around(utc: str, days: float) -> tuple[SunMoon, float]:
    """The Sun and the Moon from a day before to some days after, and the instant as TT MJD."""
    planets = default_planets()
    tt = float(utc_to_tt_mjd(np.datetime64(utc.rstrip("Z"), "us")))

    def vectors(times: np.ndarray):
        return tuple(apparent_bodies(("sun", "moon"), times, planets).values())

    return SunMoon.sample(vectors, tt - 1.0, tt + days), tt


def test_twilight_and_sunrise() -> None:
    for row in almanac("sun_usno"):
        bodies, tt = bodies_around(row["utc"], 1.0)
        station = Stations([Place(row["site"]["lon"], row["site"]["lat"])], EARTH)
        limit = next(deg for word, deg in TWILIGHT_DEG.items() if word in row["event"])
        dark = dark_intervals(station, bodies.sun, tt - 0.5, tt + 0.5, limit)
        edges = np.concatenate([dark.start_tt_mjd[dark.begins_with_dusk], dark.end_tt_mjd[dark.ends_with_dawn]])
        assert np.min(np.abs(edges - tt)) < 1.5 * MINUTE, row


def test_moonrise_and_moonset() -> None:
    table = almanac("moon_rise_set_horizons")
    station = Stations([Place(table["site"]["lon_deg_E"], table["site"]["lat_deg"])], EARTH)
    for row in table["rows"]:
        for event in ("rise", "set"):
            if event not in row:
                continue
            bodies, tt = bodies_around(f"{row['date_utc']}T{row[event]}", 1.0)
            times = tt + np.linspace(-5.0, 5.0, 101) * MINUTE
            distance_au = np.linalg.norm(bodies.moon(times), axis=1)
            upper_limb_deg = np.degrees(np.arcsin(1737.4 / (distance_au * 149597870.7))) + 34.0 / 60.0
            above = (
                np.degrees(np.arcsin(altitude_sine(station, np.zeros(101, dtype=int), bodies.moon(times).T, times)))
                + upper_limb_deg
            )
            assert np.interp(0.0, *sorted_by(above, times - tt)) == pytest.approx(0.0, abs=3.0 * MINUTE), (row, event)


def sorted_by(values: np.ndarray, other: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    order = np.argsort(values)
    return values[order], other[order]


def test_illuminated_fraction() -> None:
    table = almanac("moon_illumination_percent_horizons")
    bodies, tt = bodies_around(table["start"], len(table["values"]) * table["step_days"] + 1.0)
    times = tt + np.arange(len(table["values"])) * table["step_days"]
    # The table is for Hawaii, ours for the centre of the Earth: up to a degree of phase angle apart.
    np.testing.assert_allclose(100.0 * bodies.illuminated_fraction(times), table["values"], atol=0.9)
