"""A night without a window says what ruled it out; a night with one does not."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coordination.visibility.engine.cells import Observing, Telescope
from coordination.visibility.engine.closures import Closures, without_closures
from coordination.visibility.engine.explain import Explained, explain
from coordination.visibility.engine.limits import Limits
from coordination.visibility.engine.windows import find_windows
from observatories.sites.horizon import HorizonMask
from observatories.sites.nights import nights_between
from targets.orbits.elements import OrbitBatch
from tests.coordination.visibility.engine.oracle import (
    PLACES,
    START_TT_MJD,
    Sky,
    blocks_of,
    flybys,
    observing,
    orbits,
)
from tests.coordination.visibility.engine.test_properties import limits, over, places

DAYS, N = 4, 14
PARANAL = PLACES["Paranal"]
OPEN = Limits(sun_alt_deg=-18.0, min_alt_deg=-90.0, moon_sep_deg=0.0, v_limit_mag=None)
SEARCH_CODES = {"sun", "altitude", "altitude_max", "hour_angle", "horizon", "moon", "magnitude", "rate", "galactic"}
SECOND = 1.0 / 86400.0


@pytest.fixture(scope="module")
def computed():
    """Twelve far objects and two fly-bys: their trajectory and the groups of their blocks."""
    batch = OrbitBatch.concatenate([orbits(N - 2, seed=21), flybys([0.004, 0.02], START_TT_MJD + 2.2)])
    return blocks_of(batch, DAYS)


@pytest.fixture(scope="module")
def groups(computed):
    return computed[1]


@pytest.fixture(scope="module")
def sky() -> Observing:
    return observing([], 0.0, DAYS)


def ask(groups, sky: Observing, asked: Limits, closures: Closures | None = None, place=PARANAL) -> Explained:
    return explain(groups, over(sky, [Telescope(place, asked)], 0.1, 3.9), closures)


@settings(max_examples=25, deadline=None)
@given(
    place=places,
    asked=limits,
    least=st.sampled_from([0.0, 0.0, 30.0, 300.0]),
    closed=st.lists(st.tuples(st.floats(0.0, 4.0), st.floats(0.01, 2.0)), max_size=3),
)
def test_every_night_has_either_windows_or_an_absence(groups, sky, place, asked, least, closed) -> None:
    telescopes = [Telescope(place, replace(asked, min_duration_minutes=least)), Telescope(PARANAL, Limits())]
    span = over(sky, telescopes, 0.1, 3.9)
    start = np.array([s for s, _ in closed], dtype=float) + START_TT_MJD
    closures = Closures(np.zeros(len(closed), int), start, start + [d for _, d in closed], ["dome"] * len(closed))
    found = without_closures(find_windows(groups, span), closures, np.array([least / 1440.0, 0.0]))
    explained = explain(groups, span, closures)
    np.testing.assert_array_equal(found.start_tt_mjd, explained.windows.start_tt_mjd)
    with_windows = set(zip(found.target.tolist(), found.telescope.tolist(), found.night, strict=True))
    without = [(each.target, each.telescope, each.night) for each in explained.absences]
    every = {
        (target, k, night)
        for target in range(N)
        for k, telescope in enumerate(telescopes)
        for night in nights_between(telescope.place, span.start_tt_mjd, span.end_tt_mjd).date
    }
    assert len(without) == len(set(without))
    assert with_windows.isdisjoint(without)
    assert with_windows | set(without) == every
    for each in explained.absences:
        checks = {check.code: check for check in each.checks}
        assert each.text
        assert set(each.reasons) <= set(checks)
        assert each.together == (len(each.reasons) > 1 and all(checks[code].holds for code in each.reasons))
        for code in set(each.reasons) & SEARCH_CODES if not each.together else ():
            assert not checks[code].holds or "for an instant" in each.text, each.text
            assert checks[code].margin < 1e-3, each.text


def test_figures_are_those_of_an_independent_sky(computed, sky) -> None:
    trajectory, groups = computed
    batch = orbits(N - 2, seed=21)
    impossible = Limits(min_alt_deg=89.99, moon_sep_deg=179.9, v_limit_mag=-20.0)
    explained = ask(groups, sky, impossible)
    night = np.datetime64("2026-11-23")
    start, end = (START_TT_MJD + 1.0 + hours / 24.0 for hours in (12.0, 36.0))
    tt = np.arange(start, end, 10.0 * SECOND)  # at dusk altitudes change by 0.04 deg in 10 s
    above = Sky(PARANAL, tt)
    dark = above.sun_alt_deg < impossible.sun_alt_deg
    chosen = [each for each in explained.absences if each.night == night and each.target < N - 2]
    assert len(chosen) == N - 2
    for each in chosen[::3]:
        checks = {check.code: check for check in each.checks}
        one = trajectory.take([each.target])
        where = above.altaz(lambda t, one=one: one.position(t)[0])
        assert checks["altitude"].value == pytest.approx(where[1][dark].max(), abs=0.05)
        assert checks["moon"].value == pytest.approx(above.moon_separation_deg(where)[dark].max(), abs=0.02)
        assert checks["sun"].value == pytest.approx(above.sun_alt_deg.min(), abs=0.01)
        brightest = above.v_mag(lambda t, one=one: one.position(t)[0], batch.h_mag[each.target], 0.15)[dark].min()
        assert checks["magnitude"].value == pytest.approx(brightest, abs=0.002)
        assert each.reasons == ("magnitude", "altitude", "moon")


def only(explained: Explained, **wanted):
    """Absences with these values."""
    return [each for each in explained.absences if all(getattr(each, name) == value for name, value in wanted.items())]


@pytest.mark.parametrize(
    ("asked", "code", "text"),
    [
        ({"v_limit_mag": 5.0}, "magnitude", "too faint by "),
        ({"min_alt_deg": 89.9}, "altitude", "never above 89.9 deg ("),
        ({"max_alt_deg": -89.0}, "altitude_max", "never below -89 deg ("),
        ({"moon_sep_deg": 180.0}, "moon", "Moon "),
        ({"max_rate_arcsec_min": 1e-4}, "rate", "never slower than 0.0001 arcsec/min ("),
        ({"horizon": HorizonMask.from_points([(0.0, 89.9)])}, "horizon", "never above the horizon mask ("),
        ({"min_duration_minutes": 1440.0}, "duration", "shorter than the shortest useful window ("),
        ({"sun_alt_deg": -70.0}, "sun", "never dark (Sun at -"),
    ],
)
def test_what_rules_out_alone_is_named_with_its_figure(groups, sky, asked, code, text) -> None:
    explained = ask(groups, sky, replace(OPEN, **asked))
    assert len(explained.absences) == N * 5
    full = [each for each in explained.absences if each.night == np.datetime64("2026-11-23")]
    assert {each.reason for each in full} == {code}
    for each in full:
        assert each.text.startswith(text)
        check = next(check for check in each.checks if check.code == code)
        assert not check.holds
        assert check.margin < 0.0


def test_brightness_that_nobody_knows(sky) -> None:
    batch = orbits(1)
    unknown = OrbitBatch.from_state(batch.names, batch.epoch_tdb_mjd, batch.state, np.array([np.nan]), batch.g)
    explained = ask(blocks_of(unknown, DAYS)[1], sky, replace(OPEN, v_limit_mag=25.0))
    assert {each.text for each in only(explained, reason="magnitude")} == {
        "of unknown brightness: it has no absolute magnitude H"
    }


def test_two_that_exclude_each_other_are_both_named(groups, sky) -> None:
    """Low only in the west, where the hour angle limits do not reach."""
    explained = ask(groups, sky, replace(OPEN, min_alt_deg=20.0, hour_angle_h=(-12.0, -9.0)))
    both = only(explained, together=True)
    assert both
    for each in both:
        assert each.reason == "altitude+hour_angle"
        assert each.text == "above 20 deg only while its hour angle is not from -12 h to -9 h"
        assert all(check.holds for check in each.checks)


def test_closures_are_named_with_their_reason(groups, sky) -> None:
    start, end = START_TT_MJD + 1.4, START_TT_MJD + 2.6  # the nights of the 22nd (its end) to the 24th (its start)
    closed = Closures(np.array([0]), np.array([start]), np.array([end]), ["mirror coating"])
    silent = replace(closed, reasons=[""])
    night = np.datetime64("2026-11-23")
    faint = replace(OPEN, min_alt_deg=30.0)
    explained = ask(groups, sky, faint, closed)
    assert {each.text for each in only(explained, night=night, reason="closure")} == {"closure: mirror coating"}
    ruled_out = [each for each in only(explained, night=night) if each.reason == "altitude"]
    assert all(each.text.endswith("; closure: mirror coating") for each in ruled_out)
    assert {each.text for each in only(ask(groups, sky, faint, silent), night=night, reason="closure")} == {"closure"}
    assert not only(ask(groups, sky, faint), reason="closure")


def test_a_closure_that_leaves_too_little_says_how_much(groups, sky) -> None:
    asked = replace(OPEN, min_duration_minutes=60.0)
    dark = find_windows(groups, over(sky, [Telescope(PARANAL, OPEN)], 0.1, 3.9))
    one = dark.take(np.flatnonzero((dark.target == 0) & (dark.night == np.datetime64("2026-11-23"))))
    closed = Closures(np.array([0]), one.start_tt_mjd + 20.0 / 1440.0, one.end_tt_mjd - 10.0 / 1440.0, ["storm"])
    absence = only(ask(groups, sky, asked, closed), target=0, night=np.datetime64("2026-11-23"))[0]
    assert absence.text == "closure: storm (leaves 20.0 min, 60 min needed)"


def test_nights_can_be_chosen_and_must_be_of_the_span(groups, sky) -> None:
    span = over(sky, [Telescope(PARANAL, replace(OPEN, v_limit_mag=5.0))], 0.1, 3.9)
    night = np.datetime64("2026-11-24")
    assert {each.night for each in explain(groups, span, nights=[night]).absences} == {night}
    with pytest.raises(ValueError, match="2027-01-01 is outside the span, 2026-11-21 to 2026-11-25"):
        explain(groups, span, nights=[np.datetime64("2027-01-01")])
