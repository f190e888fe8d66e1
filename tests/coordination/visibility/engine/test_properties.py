"""What must hold for windows whatever the targets, places and limits are."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coordination.visibility.engine.cells import Observing, Telescope
from coordination.visibility.engine.edges import Edge
from coordination.visibility.engine.limits import Limits
from coordination.visibility.engine.table import WindowTable
from coordination.visibility.engine.windows import find_windows
from observatories.sites.geodesy import Place
from observatories.sites.horizon import HorizonMask
from targets.orbits.elements import OrbitBatch
from tests.coordination.visibility.engine.oracle import START_TT_MJD, blocks_of, flybys, observing, orbits

DAYS = 6
SECOND = 1.0 / 86400.0

places = st.builds(
    Place,
    lon_deg=st.one_of(st.sampled_from([0.0, 180.0, -180.0]), st.floats(-180.0, 180.0)),
    lat_deg=st.one_of(st.sampled_from([-90.0, 0.0, 90.0]), st.floats(-90.0, 90.0)),
    height_m=st.one_of(st.just(0.0), st.floats(0.0, 5000.0)),
)
masks = st.lists(
    st.tuples(st.integers(0, 359).map(float), st.floats(0.0, 60.0)), min_size=1, max_size=8, unique_by=lambda p: p[0]
).map(HorizonMask.from_points)
limits = st.builds(
    Limits,
    sun_alt_deg=st.floats(-18.0, 0.0),
    min_alt_deg=st.floats(0.0, 50.0),
    max_alt_deg=st.one_of(st.none(), st.floats(60.0, 90.0)),
    hour_angle_h=st.one_of(st.none(), st.tuples(st.floats(-12.0, -1.0), st.floats(1.0, 12.0))),
    horizon=st.one_of(st.none(), masks),
    moon_sep_deg=st.floats(0.0, 90.0),
    moon_sep_new_deg=st.one_of(st.none(), st.floats(0.0, 90.0)),
    v_limit_mag=st.one_of(st.none(), st.floats(16.0, 24.0)),
    max_rate_arcsec_min=st.one_of(st.none(), st.floats(0.2, 100.0)),
    galactic_latitude_min_deg=st.one_of(st.none(), st.none(), st.floats(0.0, 60.0)),
    refraction=st.booleans(),
)
few = settings(max_examples=25, deadline=None)


@pytest.fixture(scope="module")
def groups():
    """Blocks of 30 far objects and 5 fly-bys, in the groups in which they are fitted."""
    batch = OrbitBatch.concatenate([orbits(30, seed=11), flybys([0.001, 0.004, 0.01, 0.03, 0.05], START_TT_MJD + 3.2)])
    return blocks_of(batch, DAYS)[1]


@pytest.fixture(scope="module")
def sky() -> Observing:
    return observing([], 0.0, DAYS)


def over(sky: Observing, telescopes: list[Telescope], start: float = 0.2, end: float = 5.8) -> Observing:
    """The same sky for other telescopes and another span, in days."""
    return Observing(telescopes, START_TT_MJD + start, START_TT_MJD + end, sky.sun_moon, sky.earth)


def total_days(table: WindowTable, targets: int) -> np.ndarray:
    """Time in windows by target."""
    return np.bincount(table.target, weights=table.end_tt_mjd - table.start_tt_mjd, minlength=targets)


@few
@given(place=places, limits=limits, cut=st.booleans())
def test_windows_are_disjoint_sorted_and_inside_the_span(groups, sky, place: Place, limits: Limits, cut: bool) -> None:
    asked = over(sky, [Telescope(place, limits), Telescope(place, Limits())])
    table = find_windows(groups, asked, cut_at_nights=cut)
    assert np.all(table.start_tt_mjd < table.end_tt_mjd)
    assert np.all((table.start_tt_mjd >= asked.start_tt_mjd) & (table.end_tt_mjd <= asked.end_tt_mjd))
    key = table.target * 2 + table.telescope
    assert np.all(np.diff(key) >= 0)
    assert np.all((np.diff(key) > 0) | (table.start_tt_mjd[1:] >= table.end_tt_mjd[:-1]))
    codes = np.concatenate([table.opened_by, table.closed_by])
    assert set(codes.tolist()) <= {int(edge) for edge in Edge}
    assert cut or Edge.NIGHT not in codes
    at_span = np.concatenate([table.start_tt_mjd == asked.start_tt_mjd, table.end_tt_mjd == asked.end_tt_mjd])
    np.testing.assert_array_equal(codes == Edge.SPAN, at_span)


@few
@given(place=places, limits=limits, data=st.data())
def test_tightening_a_limit_never_adds_time(groups, sky, place: Place, limits: Limits, data: st.DataObject) -> None:
    by = data.draw(st.floats(0.1, 10.0))
    hours = limits.hour_angle_h or (-12.0, 12.0)
    tighter = data.draw(
        st.sampled_from(
            [
                {"sun_alt_deg": limits.sun_alt_deg - by},
                {"min_alt_deg": limits.min_alt_deg + min(by, 9.0)},
                {"max_alt_deg": max((limits.max_alt_deg or 90.0) - by, limits.min_alt_deg + 0.01)},
                {"hour_angle_h": (hours[0] + 0.05 * by, hours[1] - 0.05 * by)},
                {"moon_sep_deg": limits.moon_sep_deg + by, "moon_sep_new_deg": limits.moon_sep_new_deg},
                {"v_limit_mag": (limits.v_limit_mag or 25.0) - 0.1 * by},
                {"max_rate_arcsec_min": (limits.max_rate_arcsec_min or 1000.0) / (1.0 + by)},
                {"galactic_latitude_min_deg": (limits.galactic_latitude_min_deg or 0.0) + by},
                {"min_duration_minutes": 10.0 * by},
                {"horizon": limits.horizon or HorizonMask.from_points([(0.0, 25.0), (180.0, 5.0)])},
            ]
        )
    )
    loose = find_windows(groups, over(sky, [Telescope(place, limits)]))
    tight = find_windows(groups, over(sky, [Telescope(place, replace(limits, **tighter))]))
    assert np.all(total_days(tight, 35) <= total_days(loose, 35) + 0.02 * SECOND), tighter


@few
@given(place=places, limits=limits, at=st.floats(0.5, 5.5))
def test_split_spans_make_the_whole(groups, sky, place: Place, limits: Limits, at: float) -> None:
    telescopes = [Telescope(place, limits)]
    whole = find_windows(groups, over(sky, telescopes), cut_at_nights=False)
    parts = [find_windows(groups, over(sky, telescopes, *span), cut_at_nights=False) for span in ((0.2, at), (at, 5.8))]
    np.testing.assert_allclose(
        total_days(parts[0], 35) + total_days(parts[1], 35), total_days(whole, 35), atol=0.05 * SECOND
    )
    cut = int(np.sum((whole.start_tt_mjd < START_TT_MJD + at) & (whole.end_tt_mjd > START_TT_MJD + at)))
    assert parts[0].n + parts[1].n == whole.n + cut


@few
@given(place=places, limits=limits)
def test_a_full_turn_of_longitude_changes_nothing(groups, sky, place: Place, limits: Limits) -> None:
    turned = replace(place, lon_deg=place.lon_deg + 360.0)
    here, there = (find_windows(groups, over(sky, [Telescope(p, limits)])) for p in (place, turned))
    np.testing.assert_array_equal(here.target, there.target)
    np.testing.assert_array_equal(here.night, there.night)
    np.testing.assert_allclose(here.start_tt_mjd, there.start_tt_mjd, atol=1e-3 * SECOND)
    np.testing.assert_array_equal(here.opened_by, there.opened_by)


@few
@given(place=places, limits=limits)
def test_the_quick_and_the_thorough_search_agree(groups, sky, place: Place, limits: Limits) -> None:
    """A horizon mask far below the ground forbids nothing, but sends every pair to the thorough search."""
    plain = replace(limits, horizon=None)
    masked = replace(limits, horizon=HorizonMask.from_points([(0.0, -90.0)]))
    quick, thorough = (find_windows(groups, over(sky, [Telescope(place, each)])) for each in (plain, masked))
    np.testing.assert_array_equal(quick.target, thorough.target)
    np.testing.assert_allclose(quick.start_tt_mjd, thorough.start_tt_mjd, atol=5e-3 * SECOND)
    np.testing.assert_allclose(quick.end_tt_mjd, thorough.end_tt_mjd, atol=5e-3 * SECOND)
    np.testing.assert_array_equal(quick.opened_by, thorough.opened_by)
    np.testing.assert_array_equal(quick.closed_by, thorough.closed_by)


@few
@given(telescopes=st.lists(st.builds(Telescope, places, limits), min_size=2, max_size=4))
def test_telescopes_searched_together_find_what_each_finds_alone(groups, sky, telescopes: list[Telescope]) -> None:
    together = find_windows(groups, over(sky, telescopes))
    for number, telescope in enumerate(telescopes):
        alone = find_windows(groups, over(sky, [telescope]))
        mine = together.take(together.telescope == number)
        for column in ("target", "opened_by", "closed_by", "night"):
            np.testing.assert_array_equal(getattr(mine, column), getattr(alone, column))
        for column in ("start_tt_mjd", "end_tt_mjd"):
            np.testing.assert_allclose(getattr(mine, column), getattr(alone, column), atol=2e-3 * SECOND)


def test_chunks_do_not_matter(groups, sky) -> None:
    telescopes = [Telescope(Place(-70.4, -24.6, 2635.0), Limits()), Telescope(Place(15.9, 78.2), Limits())]
    whole, pieces = (find_windows(groups, over(sky, telescopes), chunk_pairs=size) for size in (50_000, 7))
    for column in ("target", "telescope", "opened_by", "closed_by", "night"):
        np.testing.assert_array_equal(getattr(whole, column), getattr(pieces, column))
    for column in ("start_tt_mjd", "end_tt_mjd"):
        np.testing.assert_allclose(getattr(whole, column), getattr(pieces, column), atol=2e-3 * SECOND)
