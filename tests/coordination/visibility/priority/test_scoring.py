"""What must hold for scores whatever the figures and the weights are."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coordination.visibility.priority import measures
from coordination.visibility.priority.scoring import COST, MEASURES, NEUTRAL, PARTS, Weights, score

unit = st.floats(0.0, 1.0)
perhaps = st.one_of(unit, st.just(float("nan")))
figures = st.fixed_dictionaries(dict.fromkeys(MEASURES, perhaps))
weights = st.builds(Weights, **{name: st.floats(1e-3, 1000.0) for name in (*PARTS, *MEASURES)})


def scored(values: dict[str, float], by: Weights):
    return score({name: np.array([value]) for name, value in values.items()}, by)


@given(figures, weights)
def test_scores_and_parts_lie_within_0_and_1(values, by):
    found = scored(values, by)
    for each in (found.score, *found.parts.values()):
        assert 0.0 <= each[0] <= 1.0


@given(figures, weights, st.sampled_from(MEASURES), unit, unit)
def test_a_larger_measure_never_lowers_the_score_and_one_of_the_cost_never_raises_it(values, by, name, one, other):
    low, high = (scored(values | {name: value}, by).score[0] for value in sorted((one, other)))
    assert low >= high - 1e-12 if name in PARTS[COST] else high >= low - 1e-12


@given(figures, weights, st.sampled_from(MEASURES))
def test_what_is_not_known_is_neutral(values, by, name):
    """It leaves the score between the least and the most that the measure could make of it."""
    least, most, unknown = (scored(values | {name: value}, by).score[0] for value in (0.0, 1.0, float("nan")))
    assert min(least, most) - 1e-12 <= unknown <= max(least, most) + 1e-12


@given(figures, weights, st.sampled_from(list(PARTS)))
def test_a_part_of_which_nothing_is_known_is_labelled(values, by, part):
    found = scored(values | dict.fromkeys(PARTS[part], float("nan")), by)
    assert (found.parts[part][0], found.is_known[part][0]) == (NEUTRAL, False)


def test_a_score_by_hand():
    values = dict.fromkeys(MEASURES, 0.0) | {"impact": 1.0, "uncertainty": 0.5, "last_chance": 1.0}
    found = scored(values, Weights())
    assert found.parts["importance"][0] == pytest.approx(0.35)
    assert found.parts["need"][0] == pytest.approx(0.2)
    assert found.parts["urgency"][0] == pytest.approx(0.4)
    assert found.score[0] == pytest.approx(0.35 * 0.35 + 0.25 * 0.2 + 0.25 * 0.4 + 0.15)


@pytest.mark.parametrize("wrong", [{"size": -1.0}, {"size": float("nan")}, dict.fromkeys(PARTS, 0.0)])
def test_weights_that_mean_nothing_are_refused(wrong):
    with pytest.raises(ValueError, match="expected"):
        Weights(**wrong)


def test_measures_outside_0_to_1_are_refused():
    with pytest.raises(ValueError, match="urgency"):
        scored(dict.fromkeys(MEASURES, 0.5) | {"fading": 1.1}, Weights())
    with pytest.raises(ValueError, match="expected"):
        score({"size": np.array([0.5])}, Weights())


# Measures with one figure: how to make it, the figure's range, and whether it grows.
GROWING = {
    "size": (measures.size, (1e-4, 100.0), True),
    "moid": (measures.moid, (0.0, 2.0), False),
    "uncertainty": (measures.uncertainty, (0.0, 1e5), True),
    "arc": (measures.arc, (0.0, 5e4), False),
    "u": (measures.u_parameter, (0.0, 9.0), True),
    "unseen": (measures.unseen, (-2.0, 2e4), True),
    "nights left": (measures.within_nights, (0.0, 400.0), False),
    "fading": (measures.fading, (-2.0, 2.0), True),
    "window later": (lambda later: measures.closing(3600.0, later), (0.0, 1e5), False),
    "V": (lambda v: measures.exposure(v, 20.0, 1.0), (-5.0, 35.0), True),
    "pointings": (lambda count: measures.exposure(18.0, 20.0, count), (1.0, 1e3), True),
    "rate": (lambda rate: measures.rate(rate, np.nan), (0.0, 1e4), True),
    "window": (measures.shortness, (0.0, 1e5), False),
    "airmass": (measures.airmass, (1.0, 40.0), True),
    "probability": (lambda p: measures.impact(p, np.nan, np.nan, np.nan, 1.0), (0.0, 1.0), True),
    "Palermo": (lambda ps: measures.impact(1e-7, ps, np.nan, np.nan, 1.0), (-20.0, 3.0), True),
    "Torino": (lambda ts: measures.impact(1e-7, -5.0, ts, np.nan, 1.0), (0.0, 10.0), True),
    "Scout's rating": (lambda rating: measures.impact(1e-7, -5.0, 0.0, rating, 0.0), (0.0, 4.0), True),
    "digest2": (lambda one: measures.confirmation(one, 20.0, True), (0.0, 100.0), True),
}


@pytest.mark.parametrize("name", GROWING)
@given(st.data())
def test_measures_grow_or_fall_with_their_figure_within_0_and_1(name, data):
    make, (low, high), grows = GROWING[name]
    few, many = sorted(data.draw(st.tuples(st.floats(low, high), st.floats(low, high))))
    one, other = (float(make(np.array([value]))[0]) for value in (few, many))
    assert 0.0 <= one <= 1.0
    assert 0.0 <= other <= 1.0
    assert other >= one - 1e-12 if grows else other <= one + 1e-12


@given(figures, weights, st.floats(0.0, 1.0), st.floats(0.0, 1.0))
def test_a_larger_impact_probability_never_lowers_the_score(values, by, one, other):
    found = [
        scored(values | {"impact": float(measures.impact(p, np.nan, np.nan, np.nan, 1.0))}, by).score[0]
        for p in sorted((one, other))
    ]
    assert found[1] >= found[0] - 1e-12


def test_what_is_not_known_stays_so():
    nothing = np.array([np.nan])
    for name in ("size", "moid", "uncertainty", "arc", "u", "unseen", "nights left", "fading", "window", "airmass"):
        assert np.isnan(GROWING[name][0](nothing)[0]), name
    assert np.isnan(measures.impact(nothing, nothing, nothing, nothing, nothing)[0])
    assert (
        measures.impact(nothing, nothing, nothing, nothing, np.array([0.0]))[0] == 0.0
    )  # off the list: nothing feared
    assert np.isnan(measures.confirmation(nothing, nothing, np.array([True]))[0])
    assert measures.confirmation(nothing, nothing, np.array([False]))[0] == 0.0


def test_the_sizes_of_figures_that_are_known():
    assert measures.diameter_km([np.nan], [17.75])[0] == pytest.approx(1.0, abs=0.01)
    assert measures.diameter_km([0.34], [19.1])[0] == 0.34
    assert measures.within_nights([0.0, 1.0, 3.0, np.inf]).tolist() == [1.0, 0.5, 0.25, 0.0]
    assert measures.pointings([np.nan, 10.0, 101.0], [600.0, 600.0, 600.0]).tolist() == [1.0, 1.0, 2.0]
    assert measures.exposure([20.0], [20.0], [1.0])[0] == 1.0
