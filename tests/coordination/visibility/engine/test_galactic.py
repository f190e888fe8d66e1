"""The galactic band is cut out of windows where Astropy says it begins and ends."""

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import ICRS, CartesianRepresentation, Galactic, SkyCoord

from coordination.visibility.engine.cells import Telescope
from coordination.visibility.engine.edges import Edge
from coordination.visibility.engine.explain import explain
from coordination.visibility.engine.limits import Limits, LimitsError
from coordination.visibility.engine.windows import find_windows
from targets.orbits.elements import OrbitBatch
from tests.coordination.visibility.engine.oracle import PLACES, START_TT_MJD, Sky, blocks_of, flybys, observing, orbits

DAYS = 8
SECOND = 1.0 / 86400.0
OPEN = Limits(sun_alt_deg=-12.0, min_alt_deg=10.0, moon_sep_deg=0.0, v_limit_mag=None)
LEAST_DEG = (0.5, *range(4, 72, 4))


@pytest.fixture(scope="module")
def computed():
    batch = OrbitBatch.concatenate([orbits(60), flybys([0.001, 0.003, 0.01, 0.02], START_TT_MJD + 4.3)])
    return blocks_of(batch, DAYS)


def latitude_deg(trajectory, target: int, place, tt_mjd: np.ndarray) -> np.ndarray:
    """Of the astrometric place, by Astropy."""
    one = trajectory.take([target])
    vector, _ = Sky(place, tt_mjd).astrometric(lambda tdb: one.position(tdb)[0])
    return SkyCoord(ICRS(CartesianRepresentation(vector.T))).transform_to(Galactic()).b.to_value(u.deg)


def test_edges(computed) -> None:
    trajectory, groups = computed
    place = PLACES["Paranal"]
    telescopes = [Telescope(place, Limits(**{**vars(OPEN), "galactic_latitude_min_deg": b})) for b in LEAST_DEG]
    table = find_windows(groups, observing(telescopes, 0.5, DAYS - 0.5))
    times = np.concatenate([table.start_tt_mjd, table.end_tt_mjd])
    codes = np.concatenate([table.opened_by, table.closed_by])
    targets, which = np.tile(table.target, 2), np.tile(table.telescope, 2)
    found = np.flatnonzero(codes == Edge.GALACTIC)
    assert found.size >= 8
    for row in found.tolist():
        at = times[row] + SECOND * np.array([-5.0, 5.0])
        before, after = np.abs(latitude_deg(trajectory, int(targets[row]), place, at)) - LEAST_DEG[which[row]]
        # Slow targets need seconds for the hundredth of an arcsecond to which blocks hold their places.
        assert before * after < 0.0
        off_deg = 0.5 * (before + after)
        assert abs(off_deg) < max(8e-6, 0.005 * abs(after - before)), (row, off_deg, after - before)


def test_windows_are_those_without_the_limit_less_the_band(computed) -> None:
    trajectory, groups = computed
    place = PLACES["Paranal"]
    limited = Limits(**{**vars(OPEN), "galactic_latitude_min_deg": 20.0})
    table = find_windows(groups, observing([Telescope(place, OPEN), Telescope(place, limited)], 0.5, DAYS - 0.5))
    times = START_TT_MJD + 0.5 + np.arange(0.0, DAYS - 1.0, 600.0 * SECOND)
    inside = 0
    for target in range(64):
        told = np.zeros((2, times.size), dtype=bool)
        mine = table.take(table.target == target)
        for k, start, end in zip(mine.telescope, mine.start_tt_mjd, mine.end_tt_mjd, strict=True):
            told[k] |= (times >= start) & (times < end)
        if told[0].any():
            truth = told[0] & (np.abs(latitude_deg(trajectory, target, place, times)) >= 20.0)
            np.testing.assert_array_equal(told[1], truth)
            inside += int(truth.sum())
    assert inside > 500


def test_a_night_in_the_band_is_explained(computed) -> None:
    _, groups = computed
    limited = Limits(**{**vars(OPEN), "galactic_latitude_min_deg": 85.0})
    absences = explain(groups, observing([Telescope(PLACES["Paranal"], limited)], 0.5, 2.5)).absences
    told = [each for each in absences if each.reasons == ("galactic",)]
    assert told
    assert "deg from the galactic plane" in told[0].text
    check = next(check for check in told[0].checks if check.code == "galactic")
    assert not check.holds
    assert check.value < 85.0


@pytest.mark.parametrize("value", [-1.0, 91.0, float("nan")])
def test_impossible_latitudes_are_refused(value: float) -> None:
    with pytest.raises(LimitsError, match="galactic_latitude_min_deg"):
        Limits(galactic_latitude_min_deg=value)
