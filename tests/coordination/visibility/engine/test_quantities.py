"""What windows offer, against the exact places of `engine.places`."""

import numpy as np
import pytest

from coordination.visibility.engine.cells import Telescope
from coordination.visibility.engine.limits import Limits
from coordination.visibility.engine.places import places
from coordination.visibility.engine.quantities import describe
from coordination.visibility.engine.windows import find_windows
from observatories.sites.earth_orientation import EarthOrientation
from observatories.sites.station import Station
from targets.orbits.elements import OrbitBatch
from tests.coordination.visibility.engine.oracle import PLACES, START_TT_MJD, blocks_of, flybys, observing, orbits

DAYS = 6
NAMES = ["Paranal", "Longyearbyen", "South Pole"]
# Far targets are not given the light time to the site itself: 0.02" at the nearest.
BARS = {"max_alt_deg": 2e-5, "v_mag": 5e-4, "rate_arcsec_min": 2e-3, "moon_sep_deg": 2e-5, "airmass": 1e-4}


@pytest.fixture(scope="module", params=[True, False], ids=["cut at nights", "whole"])
def found(request: pytest.FixtureRequest):
    batch = OrbitBatch.concatenate([orbits(12, seed=21), flybys([0.002, 0.01, 0.04], START_TT_MJD + 3.2)])
    trajectory, groups = blocks_of(batch, DAYS)
    telescopes = [Telescope(PLACES[name], Limits(v_limit_mag=22.0, sun_alt_deg=-6.0), name) for name in NAMES]
    telescopes.append(Telescope(PLACES["South Pole"], Limits(v_limit_mag=22.0, sun_alt_deg=0.0, moon_sep_deg=0.0)))
    asked = observing(telescopes, 0.5, DAYS - 0.5)
    table = find_windows(groups, asked, cut_at_nights=request.param)
    return trajectory, asked, table, describe(table, groups, asked)


def exact(trajectory, asked, table, row: int, tt_mjd: np.ndarray):
    """Places of the target of one window over its site."""
    place = asked.telescopes[table.telescope[row]].place
    return places(trajectory.take([table.target[row]]), tt_mjd, Station(place, EarthOrientation.from_astropy()))


def test_values_at_the_peak(found) -> None:
    trajectory, asked, table, quantities = found
    assert table.n > 25
    for row in range(table.n):
        truth = exact(trajectory, asked, table, row, quantities.peak_tt_mjd[row : row + 1])
        assert quantities.max_alt_deg[row] == pytest.approx(truth.alt_deg[0, 0], abs=BARS["max_alt_deg"])
        for name in ("v_mag", "rate_arcsec_min", "moon_sep_deg", "airmass"):
            theirs = getattr(truth, name)[0, 0]
            assert getattr(quantities, name)[row] == pytest.approx(theirs, abs=BARS[name], rel=2e-4), (name, row)
        turn = (quantities.pa_deg[row] - truth.pa_deg[0, 0] + 180.0) % 360.0 - 180.0
        assert abs(turn) < 0.02 or abs(turn) * truth.rate_arcsec_min[0, 0] < 0.1, row


def test_places_at_start_middle_and_end(found) -> None:
    trajectory, asked, table, quantities = found
    for row in range(table.n):
        start, end = table.start_tt_mjd[row], table.end_tt_mjd[row]
        truth = exact(trajectory, asked, table, row, np.array([start, 0.5 * (start + end), end]))
        across = (quantities.ra_deg[row] - truth.ra_deg[0] + 180.0) % 360.0 - 180.0
        arcsec = 3600.0 * np.hypot(
            across * np.cos(np.radians(truth.dec_deg[0])), quantities.dec_deg[row] - truth.dec_deg[0]
        )
        assert arcsec.max() < 0.1, row


def test_the_peak_is_the_highest_point(found) -> None:
    trajectory, asked, table, quantities = found
    for row in range(table.n):
        start, end = table.start_tt_mjd[row], table.end_tt_mjd[row]
        assert start <= quantities.peak_tt_mjd[row] <= end
        truth = exact(trajectory, asked, table, row, np.linspace(start, end, 200))
        assert truth.alt_deg.max() < quantities.max_alt_deg[row] + 1e-3, row
