"""Ellipses on the sky against samples of the same covariance, and covariances that are refused."""

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from targets.orbits.covariance import ELEMENTS, CovarianceError, OrbitCovariance
from targets.orbits.elements import OrbitBatch
from targets.orbits.planets import C_AU_D, EARTH, Planets
from targets.orbits.propagation import propagate
from targets.orbits.uncertainty import NonLinear, SigmaTrajectories, ellipse, offsets_arcsec, sky_ellipses
from tests.shared import SHARED, needs_shared

SBDB = SHARED / "fixtures" / "sbdb"
SIGMAS = np.array([2e-7, 2e-7, 2e-4, 3e-5, 4e-5, 1e-5])


def made_up(sigmas: np.ndarray = SIGMAS, **change: Any) -> OrbitCovariance:
    """Some near-Earth orbit with correlated errors."""
    mixing = np.eye(6) + 0.4 * np.sin(np.arange(36.0)).reshape(6, 6)
    half = sigmas[:, None] * mixing
    values = {
        "name": "X",
        "epoch_tdb_mjd": 61000.0,
        "labels": ELEMENTS,
        "elements": np.array([0.4, 0.8, 61040.0, 30.0, 60.0, 8.0]),
        "matrix": half @ half.T,
        "nongrav": np.zeros(3),
    }
    return OrbitCovariance(**(values | change))


def sampled(covariance: OrbitCovariance, times: np.ndarray, planets: Planets, count: int = 1500) -> np.ndarray:
    """The covariance (2, 2, n_t) on the sky of orbits drawn from that of the elements, light time solved by itself."""
    drawn = covariance.sample(count, np.random.default_rng(7))
    everyone = OrbitBatch.concatenate([covariance.orbits(np.zeros((9, 1))), drawn])
    path = propagate(everyone, times.min(), times.max(), planets)
    earth = planets.position(EARTH, times)
    sight = path.position(times) - earth
    for _ in range(3):
        sight = path.position(times - np.linalg.norm(sight, axis=-1) / C_AU_D) - earth
    unit = np.moveaxis(sight / np.linalg.norm(sight, axis=-1, keepdims=True), -1, 0)
    off = offsets_arcsec(unit.transpose(0, 2, 1))[..., 1:]
    off -= off.mean(axis=-1, keepdims=True)
    return np.einsum("atm,btm->abt", off, off) / off.shape[-1]


def assert_same_ellipse(covariance: OrbitCovariance, times: np.ndarray, planets: Planets) -> None:
    found = sky_ellipses([covariance], times, planets)
    expected = sampled(covariance, times, planets)
    # The sampled covariance, seen along the axes of the ellipse: 1 for both but for the sampling error of 1500 draws.
    pa = np.radians(found.pa_deg[0])
    along = np.stack([np.sin(pa), np.cos(pa)])
    across = np.stack([np.cos(pa), -np.sin(pa)])
    for axis, size in ((along, found.major_arcsec[0]), (across, found.minor_arcsec[0])):
        ratio = np.sqrt(np.einsum("at,abt,bt->t", axis, expected, axis)) / size
        np.testing.assert_allclose(ratio, 1.0, atol=0.08)
    assert not found.nonlinear.any()


def test_the_ellipse_is_that_of_sampled_orbits(planets: Planets) -> None:
    assert_same_ellipse(made_up(), np.array([61001.0, 61060.0, 61200.0]), planets)


def test_it_is_so_backwards_in_time_and_for_a_hyperbola(planets: Planets) -> None:
    elements = np.array([1.2, 0.9, 61040.0, 30.0, 60.0, 100.0])
    assert_same_ellipse(made_up(elements=elements), np.array([60900.0, 60990.0]), planets)


@needs_shared
@pytest.mark.parametrize("name", ["54509", "2024YR4_phys", "67P_phys", "25143_phys", "2023DZ2_phys"])
def test_published_covariances_against_samples(name: str, planets: Planets) -> None:
    orbit = json.loads((SBDB / f"{name}.json").read_text())["orbit"]
    covariance = OrbitCovariance.from_sbdb(orbit, name)
    assert_same_ellipse(covariance, covariance.epoch_tdb_mjd + np.array([30.0, 500.0]), planets)


@needs_shared
def test_elements_are_those_of_the_covariance_and_sigmas_those_published() -> None:
    orbit = json.loads((SBDB / "54509.json").read_text())["orbit"]
    covariance = OrbitCovariance.from_sbdb(orbit, "54509")
    assert covariance.epoch_tdb_mjd == 52655.0
    assert covariance.labels == (*ELEMENTS, "A2")
    assert covariance.elements[2] == pytest.approx(2452765.042754640346 - 2400000.5, abs=1e-9)
    assert covariance.nongrav[1] == -8.720499998186807e-14
    published = {each["label"]: each["sigma"] for each in orbit["covariance"]["elements"]}
    spread = np.sqrt(np.square(covariance.columns).sum(axis=1))
    np.testing.assert_allclose(spread[:6], [published[label] for label in ELEMENTS], rtol=1e-6)
    assert spread[7] == pytest.approx(3.077e-14, rel=1e-3)


@needs_shared
def test_the_delay_of_a_comet_leaves_the_marginal_covariance_of_the_rest() -> None:
    covariance = OrbitCovariance.from_sbdb(json.loads((SBDB / "67P_phys.json").read_text())["orbit"], "67P")
    assert covariance.labels[-1] == "DT"
    assert covariance.columns.shape == (9, 9)
    np.testing.assert_allclose(covariance.columns @ covariance.columns.T, covariance.matrix[:9, :9], rtol=1e-9)


@needs_shared
def test_what_is_no_part_of_our_forces_is_refused_by_name() -> None:
    orbit = json.loads((SBDB / "101955_phys.json").read_text())["orbit"]
    with pytest.raises(CovarianceError, match=r"101955: labels .* unknown RHO, AMRAT: expected e,q,tp"):
        OrbitCovariance.from_sbdb(orbit, "101955")


def asymmetric() -> np.ndarray:
    matrix = made_up().matrix.copy()
    matrix[0, 1] *= 1.1
    return matrix


def indefinite() -> np.ndarray:
    matrix = np.diag(SIGMAS**2)
    matrix[0, 1] = matrix[1, 0] = 1.5 * SIGMAS[0] * SIGMAS[1]
    return matrix


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"labels": ("e", "q", "tp", "node", "peri", "M")}, "labels .* unknown M: expected e,q,tp,node,peri,i"),
        ({"labels": ("e", "q", "tp", "node", "peri", "A1")}, "labels .* lacks i"),
        ({"labels": (*ELEMENTS, "e")}, "labels .* repeats one"),
        ({"labels": (*ELEMENTS, "A2")}, r"matrix .* has the shape \(6, 6\): expected \(7, 7\)"),
        ({"matrix": np.eye(5)}, r"matrix .* has the shape \(5, 5\): expected \(6, 6\)"),
        ({"matrix": np.full((6, 6), np.nan)}, "matrix .* has NaN"),
        ({"elements": np.zeros(5)}, "elements .* has the shape"),
        ({"matrix": asymmetric()}, "matrix .* is not symmetric"),
        (
            {"matrix": indefinite()},
            r"matrix .* is not positive definite: the smallest eigenvalue of its correlations is -0\.5",
        ),
        (
            {"matrix": np.diag([1, 1, 1, 1, -2, 1.0])},
            "matrix .* is not positive definite: has the variance -2 for peri",
        ),
        ({"epoch_tdb_mjd": np.nan}, "epoch .* is nan"),
    ],
)
def test_what_is_no_covariance_is_refused_by_field(change: dict[str, Any], says: str) -> None:
    with pytest.raises(CovarianceError, match=f"^X: {says}"):
        made_up(**change)


def reply(**change: Any) -> dict[str, Any]:
    elements = [
        {"label": label, "value": str(value)} for label, value in zip(ELEMENTS, made_up().elements, strict=True)
    ]
    matrix = [[str(value) for value in row] for row in made_up().matrix]
    block = {"labels": list(ELEMENTS), "data": matrix, "epoch": "2461000.5", "elements": elements}
    return {"epoch": "2461200.5", "elements": elements, "model_pars": [], "covariance": block | change}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"labels": None}, "labels .* is None: expected a list"),
        ({"data": [["1"] * 6] * 5}, "matrix .* has 5 rows of 6 values: expected 6 x 6"),
        ({"data": [["x"] * 6] * 6}, "matrix .* is 'x': expected a number"),
        ({"epoch": None}, "epoch .* is None"),
        ({"elements": None}, "epoch .* not that of the orbit"),
        ({"elements": [{"label": "e", "value": ".1"}]}, "q .* is None"),
    ],
)
def test_a_reply_without_a_covariance_is_refused_by_field(change: dict[str, Any], says: str) -> None:
    with pytest.raises(CovarianceError, match=f"^X: {says}"):
        OrbitCovariance.from_sbdb(reply(**change), "X")
    with pytest.raises(CovarianceError, match="covariance is missing"):
        OrbitCovariance.from_sbdb({"epoch": "1"}, "X")


def test_labels_in_any_order_give_the_same_ellipse(planets: Planets) -> None:
    straight = made_up()
    order = [3, 0, 5, 1, 4, 2]
    turned = made_up(labels=tuple(ELEMENTS[k] for k in order), matrix=straight.matrix[np.ix_(order, order)])
    both = sky_ellipses([straight, turned], [61100.0], planets)
    np.testing.assert_allclose(both.major_arcsec[0], both.major_arcsec[1], rtol=1e-9)


def test_wide_and_bent_ellipses_say_so(planets: Planets) -> None:
    reasons = sky_ellipses([made_up(SIGMAS * factor) for factor in (1.0, 3e5)], [61200.0], planets).reasons[:, 0]
    assert reasons[0] == 0
    words = NonLinear(int(reasons[1])).in_words()
    assert "more than a degree" in words
    assert "not opposite each other" in words


def test_sigmas_beyond_what_is_an_orbit_are_cut_and_said(planets: Planets) -> None:
    flat = made_up(SIGMAS * np.array([1, 1, 1, 1, 1, 1e3]), elements=np.array([0.4, 0.8, 61040.0, 30.0, 60.0, 0.001]))
    assert flat.step < 1.0
    assert NonLinear.ELEMENTS in NonLinear(int(sky_ellipses([flat], [61010.0], planets).reasons[0, 0]))


@needs_shared
def test_an_approach_in_between_is_seen_where_it_spreads_the_orbits(planets: Planets) -> None:
    """Apophis is known to a kilometre at its approach of 2029; worse, its way after it is not known."""
    apophis = OrbitCovariance.from_sbdb(json.loads((SBDB / "99942_phys.json").read_text())["orbit"], "Apophis")
    worse = replace(apophis, matrix=apophis.matrix * 1e7)
    found = sky_ellipses([apophis, worse], [62230.0, 62260.0], planets)
    np.testing.assert_array_equal(found.reasons & NonLinear.APPROACH > 0, [[False, False], [False, True]])
    assert found.major_arcsec[0, 1] < 60.0


def test_parallax_makes_no_difference_far_away_and_the_site_counts_near(planets: Planets) -> None:
    times = np.array([61100.0])
    trajectories = SigmaTrajectories([made_up()], 61100.0, 61100.0, planets)
    centre = trajectories.ellipses(times)
    site = trajectories.ellipses(times, planets.position(EARTH, times) + np.array([4e-5, 0.0, 0.0]))
    np.testing.assert_allclose(site.major_arcsec, centre.major_arcsec, rtol=1e-3)
    assert site.major_arcsec[0, 0] != centre.major_arcsec[0, 0]
    with pytest.raises(ValueError, match="observer_au has the shape"):
        trajectories.ellipses(times, np.zeros(3))


@given(st.floats(0.001, 1e4), st.floats(0.0, 1.0), st.floats(0.0, 179.9))
def test_an_ellipse_survives_the_round_trip(major: float, flattening: float, pa_deg: float) -> None:
    minor, pa = major * flattening, np.radians(pa_deg)
    axes = np.array([[major * np.sin(pa), minor * np.cos(pa)], [major * np.cos(pa), -minor * np.sin(pa)]])
    found = ellipse(axes @ axes.T)
    assert found[0] == pytest.approx(major, rel=1e-9)
    assert found[1] == pytest.approx(minor, rel=1e-6, abs=1e-6 * major)
    if flattening < 0.99:
        assert abs((found[2] - pa_deg + 90.0) % 180.0 - 90.0) < 1e-4


@given(st.floats(0.0, 359.0), st.floats(-80.0, 80.0), st.floats(1e-6, 170.0), st.floats(0.0, 359.0))
def test_offsets_are_distances_in_their_direction(ra: float, dec: float, apart_deg: float, pa: float) -> None:
    a, d, t, p = np.radians([ra, dec, apart_deg, pa])
    centre = np.array([np.cos(d) * np.cos(a), np.cos(d) * np.sin(a), np.sin(d)])
    east = np.array([-np.sin(a), np.cos(a), 0.0])
    north = np.cross(centre, east)
    other = centre * np.cos(t) + np.sin(t) * (east * np.sin(p) + north * np.cos(p))
    off = offsets_arcsec(np.stack([centre, other], axis=1)[:, None, :])[:, 0, 1] / 3600.0
    np.testing.assert_allclose(off, [apart_deg * np.sin(p), apart_deg * np.cos(p)], rtol=1e-6, atol=1e-9)
