"""Ellipses and levels for many orbits at once say what the single, integrated ones say."""

import numpy as np
import pytest

from targets.orbits.elements import OrbitBatch
from targets.orbits.outlook import outlook
from targets.orbits.planets import Planets
from targets.orbits.propagation import propagate
from targets.orbits.runoff import OrbitQuality, estimated_covariances
from targets.orbits.trust import Trust, judge
from targets.orbits.uncertainty import sky_ellipses
from tests.targets.excerpt import raw_records

START = 61367.0
DATES = START + np.array([0.0, 3.0, 14.0])


@pytest.fixture(scope="module")
def orbits() -> OrbitBatch:
    records = raw_records()
    fields = ("a", "e", "i", "Node", "Peri", "M")
    columns = [np.array([record[field] for record in records]) for field in fields]
    names = [record["Principal_desig"] for record in records]
    return OrbitBatch.from_keplerian(names, np.array([r["Epoch"] for r in records]) - 2400000.5, *columns)


def qualities_of(count: int) -> list[OrbitQuality]:
    """From the best to the worst, all last observed 300 d before the epoch."""
    some = [("0", 5000.0), ("3", 900.0), ("5", 200.0), ("6", 60.0), ("8", 10.0), ("E", 2.0), ("9", 0.4), ("", None)]
    return [OrbitQuality(*some[k % len(some)], 60700.0 if some[k % len(some)][1] else None) for k in range(count)]


def test_estimates_agree_with_integrated_ones(orbits: OrbitBatch, planets: Planets) -> None:
    qualities = [OrbitQuality("4", 400.0, 60700.0)] * len(orbits)
    near = propagate(orbits, START, START, planets).batch_at(START)
    found = outlook(near, orbits.epoch_tdb_mjd, qualities, [None] * len(orbits), DATES, planets)
    exact = sky_ellipses(estimated_covariances(orbits, qualities, planets), DATES, planets)
    ratio = found.major_arcsec / exact.major_arcsec
    assert 0.97 < np.median(ratio) < 1.03
    assert (np.abs(np.log(ratio)) < np.log(1.5)).mean() > 0.85
    assert found.is_estimate.all()


def test_a_published_covariance_counts_before_an_estimate(orbits: OrbitBatch, planets: Planets) -> None:
    some = orbits.take([0, 1])
    covariances = estimated_covariances(some, [OrbitQuality("2", 900.0, 60700.0)] * 2, planets)
    near = propagate(some, START, START, planets).batch_at(START)
    found = outlook(
        near, some.epoch_tdb_mjd, [OrbitQuality("9", 1.0, 60700.0)] * 2, [covariances[0], None], DATES, planets
    )
    exact = sky_ellipses(covariances[:1], DATES, planets)
    np.testing.assert_allclose(found.major_arcsec[0], exact.major_arcsec[0], rtol=1e-9)
    assert (found.major_arcsec[1] > 100.0 * found.major_arcsec[0]).all()


def test_levels_are_those_of_the_judge(orbits: OrbitBatch, planets: Planets) -> None:
    qualities = qualities_of(len(orbits))
    near = propagate(orbits, START, START, planets).batch_at(START)
    found = outlook(near, orbits.epoch_tdb_mjd, qualities, [None] * len(orbits), DATES, planets)
    assert len(set(found.level.ravel().tolist())) == len(Trust)
    for k, quality in enumerate(qualities):
        for d, date in enumerate(DATES.tolist()):
            sigma = float(found.major_arcsec[k, d])
            verdict = judge(
                quality, float(orbits.epoch_tdb_mjd[k]), date, float(found.delta_au[k, d]),
                sigma if quality.is_known else None, int(found.reasons[k, d]),
            )  # fmt: skip
            assert verdict.level == found.level[k, d], (quality, verdict)
            assert quality.is_known == np.isfinite(sigma)


def test_an_orbit_of_which_nothing_is_known_is_neither_good_nor_refused(orbits: OrbitBatch, planets: Planets) -> None:
    near = propagate(orbits, START, START, planets).batch_at(START)
    nothing = [OrbitQuality()] * len(orbits)
    found = outlook(near, orbits.epoch_tdb_mjd, nothing, [None] * len(orbits), DATES, planets)
    assert set(found.level.ravel().tolist()) <= {Trust.FAIR, Trust.POOR}
    assert np.isnan(found.major_arcsec).all()
