"""Windows against Astropy: every edge, and a mask of samples every 30 seconds."""

from collections.abc import Iterator

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates.erfa_astrom import ErfaAstromInterpolator, erfa_astrom

from coordination.visibility.engine.cells import Telescope
from coordination.visibility.engine.edges import Edge
from coordination.visibility.engine.limits import Limits
from coordination.visibility.engine.windows import find_windows
from targets.orbits.elements import OrbitBatch
from targets.orbits.trajectory import Trajectory
from tests.coordination.visibility.engine.oracle import (
    PLACES,
    START_TT_MJD,
    Sky,
    blocks_of,
    flybys,
    observing,
    orbits,
)

DAYS = 8
SECOND = 1.0 / 86400.0
LIMITS = Limits(sun_alt_deg=-18.0, min_alt_deg=20.0, moon_sep_deg=40.0, v_limit_mag=21.0)
FLYBY_AU = [0.0004, 0.0007, 0.001, 0.0026, 0.005, 0.01, 0.02, 0.05]  # one lunar distance is 0.00257 au
# Bars in seconds: what the product promises for altitude and twilight, for the Moon, and for slow changes of
# V.
BARS_S = {Edge.ALTITUDE: 0.05, Edge.SUN: 0.05, Edge.MOON: 0.2, Edge.MAGNITUDE: 1.0}


class Found:
    """Windows of a batch of orbits at all places."""

    def __init__(self, batch: OrbitBatch) -> None:
        self.batch = batch
        self.trajectory, groups = blocks_of(batch, DAYS)
        self.telescopes = [Telescope(place, LIMITS, name) for name, place in PLACES.items()]
        self.windows = find_windows(groups, observing(self.telescopes, 0.5, DAYS - 0.5))

    def position(self, target: int):
        """Barycentric position of one target as a function of TDB."""
        one: Trajectory = self.trajectory.take([target])
        return lambda tdb: one.position(tdb)[0]


@pytest.fixture
def quick_astropy() -> Iterator[None]:
    """Astropy's own way to many instants: 1e-5" from the full sum of nutation."""
    with erfa_astrom.set(ErfaAstromInterpolator(300 * u.s)):
        yield


@pytest.fixture(scope="module")
def far() -> Found:
    return Found(orbits(24))


@pytest.fixture(scope="module")
def near() -> Found:
    return Found(flybys(FLYBY_AU, START_TT_MJD + 4.3))


def margin(edge: Edge, sky: Sky, found: Found, target: int) -> np.ndarray:
    """What is zero at an edge, by Astropy."""
    position = found.position(target)
    if edge == Edge.SUN:
        return LIMITS.sun_alt_deg - sky.sun_alt_deg
    if edge == Edge.ALTITUDE:
        return sky.altaz(position)[1] - LIMITS.min_alt_deg
    if edge == Edge.MOON:
        return sky.moon_separation_deg(sky.altaz(position)) - LIMITS.moon_sep_deg
    return LIMITS.v_limit_mag - sky.v_mag(position, found.batch.h_mag[target], found.batch.g[target])


@pytest.mark.parametrize("which", ["far", "near"])
def test_edges(which: str, request: pytest.FixtureRequest) -> None:
    found: Found = request.getfixturevalue(which)
    table = found.windows
    seen: set[Edge] = set()
    for number, telescope in enumerate(found.telescopes):
        here = table.take(table.telescope == number)
        times = np.concatenate([here.start_tt_mjd, here.end_tt_mjd])
        codes, targets = np.concatenate([here.opened_by, here.closed_by]), np.tile(here.target, 2)
        for edge, bar_s in BARS_S.items():
            for target in np.unique(targets[codes == edge]):
                at = times[(codes == edge) & (targets == target)]
                before, after = (
                    margin(edge, Sky(telescope.place, at + shift), found, target) for shift in (-SECOND, SECOND)
                )
                error_s = (before + after) / (after - before)  # of the straight line through the two
                assert np.max(np.abs(error_s)) < bar_s, (edge.label, telescope.name, found.batch.names[target])
                seen.add(edge)
    assert {Edge.ALTITUDE, Edge.SUN, Edge.MOON} <= seen


@pytest.mark.parametrize(("which", "targets"), [("far", range(0, 24, 5)), ("near", range(0, 8, 2))])
@pytest.mark.usefixtures("quick_astropy")
def test_mask_of_30_seconds(which: str, targets: range, request: pytest.FixtureRequest) -> None:
    """Over 150,000 samples at six sites, the day of the fly-by among them: none may differ."""
    found: Found = request.getfixturevalue(which)
    table = found.windows
    times = START_TT_MJD + 3.8 + np.arange(0.0, 1.0, 30.0 * SECOND) + 0.1 * SECOND
    inside = 0
    for number, telescope in enumerate(found.telescopes):
        sky = Sky(telescope.place, times)
        dark = sky.sun_alt_deg < LIMITS.sun_alt_deg
        for target in targets:
            position = found.position(target)
            altaz = sky.altaz(position)
            truth = dark & (altaz[1] > LIMITS.min_alt_deg) & (sky.moon_separation_deg(altaz) > LIMITS.moon_sep_deg)
            truth &= sky.v_mag(position, found.batch.h_mag[target], found.batch.g[target]) < LIMITS.v_limit_mag
            here = table.take((table.telescope == number) & (table.target == target))
            told = np.zeros(times.size, dtype=bool)
            for start, end in zip(here.start_tt_mjd, here.end_tt_mjd, strict=True):
                told |= (times >= start) & (times < end)
            assert not np.any(told != truth), (telescope.name, found.batch.names[target])
            inside += int(truth.sum())
    assert inside > 500
