"""Paths given by tables of states: the same path, how well it is known between the rows, and what is refused."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from targets.orbits.elements import OrbitBatch
from targets.orbits.ephemeris import build_blocks
from targets.orbits.outlook import outlook
from targets.orbits.planets import SUN, Planets, default_planets
from targets.orbits.propagation import propagate
from targets.orbits.runoff import OrbitQuality
from targets.orbits.tabulated import LEAST_ROWS, StateTable
from targets.orbits.trajectory import Trajectory
from targets.orbits.trust import Trust

ARCSEC = np.radians(1.0 / 3600.0)
START, DAYS = 61366.0, 12


def table_of(path: Trajectory, start: float, end: float, step_days: float, **more) -> StateTable:
    """Rows as Horizons prints them: times are rounded to what an MJD beside a Julian date holds."""
    times = np.round(np.arange(start, end + 1e-9, step_days) + 2400000.5, 9) - 2400000.5
    sun = np.concatenate(path.planets.state(SUN, times), axis=1)
    state = np.concatenate([path.position(times)[0], path.velocity(times)[0]], axis=1) - sun
    return StateTable(times, state, solution="JPL#1", **more)


def apophis() -> OrbitBatch:
    return OrbitBatch.from_keplerian(
        ["Apophis"], 61200.0, 0.92235922069288, 0.1911492278906245, 3.340996879807268, 203.8936513092117,
        126.6795707340036, 175.3304027311879, 19.09, 0.24,
    )  # fmt: skip


@settings(max_examples=12)
@given(
    q_au=st.floats(0.3, 1.5), e=st.floats(0.0, 1.4), i_deg=st.floats(0.0, 180.0), node_deg=st.floats(0.0, 360.0),
    peri_deg=st.floats(0.0, 360.0), since_days=st.floats(-300.0, 300.0), step_days=st.sampled_from([0.25, 1 / 24]),
)  # fmt: skip
def test_any_path_is_that_of_its_table_and_never_worse_than_what_is_measured(
    q_au, e, i_deg, node_deg, peri_deg, since_days, step_days
):
    planets = default_planets()
    orbit = OrbitBatch.from_cometary(["x"], START, [q_au], [e], [i_deg], [node_deg], [peri_deg], [START - since_days])
    path = propagate(orbit, START - 3.0, START + 7.0, planets)
    table = table_of(path, START - 3.0, START + 7.0, step_days)
    # Some other orbit: wherever the table reaches only the table counts.
    tabulated = propagate(apophis().with_table(0, table), START, START + 4.0, planets)
    times = np.linspace(START, START + 4.0, 331)
    off = np.linalg.norm(tabulated.position(times)[0] - path.position(times)[0], axis=1)
    distance = np.linalg.norm(path.position(times)[0] - planets.position("earth", times), axis=1)
    measured = table.error_arcsec(planets)
    assert (off / distance / ARCSEC).max() <= measured + 3e-11 / distance.min() / ARCSEC
    if distance.min() > 0.1:
        assert measured < 0.05


def test_a_flyby_needs_finer_rows_and_says_so(planets: Planets):
    start = 62220.0  # 2029: 0.00025 au
    path = propagate(apophis(), start - 3.0, start + 33.0, planets)
    measured = {
        step: table_of(path, start - 3.0, start + 33.0, days).error_arcsec(planets)
        for step, days in (("6h", 0.25), ("1h", 1 / 24), ("10m", 1 / 144))
    }
    assert measured["6h"] > measured["1h"] > 1.0
    assert measured["10m"] < 0.05
    fine = apophis().with_table(0, table_of(path, start - 3.0, start + 33.0, 1 / 144))
    tabulated = propagate(fine, start, start + 30.0, planets)
    ((_, ours),) = build_blocks(path, apophis(), start + 10.0, 15, planets)
    ((_, theirs),) = build_blocks(tabulated, fine, start + 10.0, 15, planets)
    times = np.linspace(start + 10.0, start + 25.0, 4001)
    (one, *_), (other, *_) = ours.evaluate(times), theirs.evaluate(times)
    assert np.linalg.norm(one, axis=2).min() < 0.0003
    apart = np.linalg.norm(one - other, axis=2) / np.linalg.norm(one, axis=2) / ARCSEC
    assert apart.max() < 0.05


def test_tables_and_orbits_are_carried_together_and_beyond_a_table_it_is_integrated_on(planets: Planets, mixed):
    path = propagate(apophis(), START - 3.0, START + DAYS + 3.0, planets)
    table = table_of(path, START - 3.0, START + DAYS + 3.0, 0.25)
    both = OrbitBatch.concatenate([mixed, apophis().with_table(0, table), mixed])
    n = len(mixed)
    assert both.is_tabulated.tolist() == [False] * n + [True] + [False] * n
    assert both.take([n, 0]).tables[0] is table
    times = np.linspace(START, START + DAYS, 40)
    found = propagate(both, START, START + DAYS, planets).position(times)
    plain = propagate(mixed, START, START + DAYS, planets).position(times)
    np.testing.assert_allclose(found[:n], plain, atol=1e-13)
    np.testing.assert_allclose(found[n + 1 :], plain, atol=1e-13)
    np.testing.assert_allclose(found[n], path.position(times)[0], atol=2e-11)
    later = [START + DAYS + 60.0]
    beyond = propagate(both.take([n]), later[0], later[0], planets).position(later)
    np.testing.assert_allclose(beyond, propagate(apophis(), later[0], later[0], planets).position(later), atol=1e-9)


def test_how_far_it_is_trusted_rests_on_the_error_that_the_table_gives(planets: Planets):
    path = propagate(apophis(), START - 3.0, START + DAYS + 3.0, planets)
    bare = table_of(path, START - 3.0, START + DAYS + 3.0, 0.25)
    days = np.array([START, START + DAYS])

    def levels(**more) -> list[int]:
        orbit = apophis().with_table(0, dataclasses.replace(bare, sigma_tdb_mjd=days, **more) if more else bare)
        found = outlook(
            orbit, orbit.epoch_tdb_mjd, [OrbitQuality()], [None], [START, START + 6.0, START + 12.0], planets
        )
        if more:
            assert found.major_arcsec[0, 1] == pytest.approx(np.mean(more["sigma_arcsec"]))
        return found.level[0].tolist()

    assert levels(sigma_arcsec=np.array([0.2, 0.4])) == [Trust.GOOD] * 3
    assert levels(sigma_arcsec=np.array([10.0, 190.0])) == [Trust.GOOD, Trust.FAIR, Trust.POOR]
    assert levels(sigma_arcsec=np.array([5000.0, 5000.0])) == [Trust.UNUSABLE] * 3
    assert levels() == [Trust.POOR] * 3


def test_a_table_is_stored_whole(planets: Planets):
    path = propagate(apophis(), START - 3.0, START + 3.0, planets)
    table = table_of(path, START - 3.0, START + 3.0, 0.25)
    days, sigma = np.array([START, START + 1.0]), np.array([0.1, 0.2])
    again = StateTable.from_bytes(table.rows_to_bytes(), days, sigma, "JPL#7")
    np.testing.assert_array_equal(again.tdb_mjd, table.tdb_mjd)
    np.testing.assert_array_equal(again.state, table.state)
    np.testing.assert_allclose(again.sigma_at(np.array([START + 0.5])), [0.15])
    assert again.solution == "JPL#7"
    assert again.covers(START - 3.0, START + 3.0)
    assert not again.covers(START, START + 3.1)


def test_what_is_no_table_is_refused():
    times = np.arange(LEAST_ROWS, dtype=float)
    state = np.ones((LEAST_ROWS, 6))
    for bad in (
        (times[::-1], state),
        (times[:-1], state[:-1]),
        (times, state[:-1]),
        (times, np.where(np.eye(LEAST_ROWS, 6) > 0, np.nan, state)),
    ):
        with pytest.raises(ValueError, match="table"):
            StateTable(*bad)
    with pytest.raises(ValueError, match="cannot reshape"):
        StateTable.from_bytes(b"\0" * 64, np.empty(0), np.empty(0))
