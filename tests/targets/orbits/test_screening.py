"""The first decision, by two-body motion, loses nothing that integration would find bright enough."""

import gzip
import json

import numpy as np
import pytest

from targets.management.commands.import_targets import SNAPSHOT
from targets.orbits.elements import OrbitBatch
from targets.orbits.planets import EARTH, MJD_ZERO_JD, SUN, Planets
from targets.orbits.prefilter import brightest_v_two_body
from targets.orbits.propagation import propagate
from targets.orbits.screening import LONGEST_DAYS, surely_fainter_than

START = 61367.0
DAYS = 31.0


@pytest.fixture(scope="module")
def sample() -> OrbitBatch:
    """Every sixtieth of the Minor Planet Center's near-Earth objects."""
    rows = json.loads(gzip.decompress(SNAPSHOT.read_bytes()))[::60]

    def column(name: str) -> list[float]:
        return [float(row.get(name, np.nan)) for row in rows]

    return OrbitBatch.from_keplerian(
        [str(number) for number in range(len(rows))],
        np.array(column("Epoch")) - MJD_ZERO_JD,
        *(column(name) for name in ("a", "e", "i", "Node", "Peri", "M", "H", "G")),
    )


@pytest.mark.parametrize("years", [0.0, 1.0])
def test_no_object_is_brighter_than_the_bound(planets: Planets, sample: OrbitBatch, years: float) -> None:
    start = START + 365.0 * years
    bound = surely_fainter_than(sample, start, start + DAYS, planets)
    decided = np.flatnonzero(np.isfinite(bound))
    assert decided.size > 0.9 * len(sample), "most need no integration"
    integrated = propagate(sample.take(decided), start, start, planets).batch_at(start)
    v_mag, _ = brightest_v_two_body(integrated, start, start + DAYS, planets)
    assert (v_mag - bound[decided]).min() > 0.3
    assert np.median(v_mag - bound[decided]) < 1.3, "and the bound is of use"


def test_what_met_a_planet_is_old_or_subject_to_other_forces_is_not_decided(planets: Planets) -> None:
    t = 61200.0
    earth, sun = planets.state(EARTH, t), planets.state(SUN, t)
    met = np.concatenate([earth[0] - sun[0] + [0.02, 0.0, 0.0], earth[1] - sun[1] + [0.0, 0.003, 0.003]])
    far = OrbitBatch.from_keplerian(["far"], t, 2.3, 0.4, 20.0, 40.0, 50.0, 170.0, h_mag=25.0)
    before = propagate(OrbitBatch.from_state(["met"], t, met[None], 25.0), t - 60, t - 60, planets).batch_at(t - 60)
    pushed = OrbitBatch.from_state(["x"], t, far.state, 25.0, nongrav=[[1e-10, 0.0, 0.0]])
    old = OrbitBatch.from_state(["x"], START - LONGEST_DAYS, far.state, 25.0)
    unknown = OrbitBatch.from_state(["x"], t, far.state)
    comet = OrbitBatch.from_cometary(["x"], t, 3.0, 1.0, 20.0, 40.0, 50.0, t, h_mag=25.0)
    batch = OrbitBatch.concatenate([before, far, pushed, old, unknown, comet])
    bound = surely_fainter_than(batch, START, START + DAYS, planets)
    np.testing.assert_array_equal(np.isneginf(bound), [True, False, True, True, False, True])
    assert bound[1] > 25.0
    assert np.isnan(bound[4])


def test_an_object_that_fell_to_the_earth_ends_there_where_asked(planets: Planets) -> None:
    t = 61250.0
    earth, sun = planets.state(EARTH, t), planets.state(SUN, t)
    inside = np.concatenate([earth[0] - sun[0] + [2e-5, 0.0, 0.0], earth[1] - sun[1] + [0.01, 0.01, 0.0]])
    before = propagate(OrbitBatch.from_state(["x"], t, inside[None], 25.0), t - 20, t - 20, planets).batch_at(t - 20)
    misses = OrbitBatch.from_keplerian(["far"], t - 20, 2.3, 0.4, 20.0, 40.0, 50.0, 170.0)
    both = OrbitBatch.concatenate([before, misses])
    ended = propagate(both, START, START + 2.0, planets, impacts_end=True).state_at(START)
    assert np.isnan(ended[0]).all()
    assert np.isfinite(ended[1]).all()
    assert np.isfinite(propagate(both, START, START + 2.0, planets).state_at(START)).all()
    assert np.isfinite(propagate(both, t - 19.0, t, planets, impacts_end=True).state_at(t - 19.0)).all()
