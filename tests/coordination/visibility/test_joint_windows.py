"""Joint windows, relays and last chances of targets at stored telescopes."""

import datetime as dt
import itertools

import numpy as np
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from coordination.common.actors import ANONYMOUS
from coordination.common.problems import DomainError
from coordination.visibility.joint_windows import (
    joint_windows_of,
    last_chances_of,
    relay_of,
    windows_on_demand,
)
from observatories.models import Observatory, Telescope
from observatories.services import add_closure, import_observatories
from observatories.sources.obscodes import find_code
from targets.models import Orbit, Target
from targets.services.ephemerides import Span

pytestmark = pytest.mark.django_db
START = dt.datetime(2026, 11, 22, 6, tzinfo=dt.UTC)
SPAN = Span(START, START + dt.timedelta(days=3))
MINUTE = dt.timedelta(minutes=1)


@pytest.fixture
def mountain(network):
    """The network, and a second telescope on the mountain of the first (I11 is 10 km from W84)."""
    import_observatories([find_code("I11")])
    neighbour = Telescope.objects.create(
        observatory=Observatory.objects.get(mpc_code="I11"),
        organisation=network[0].organisation,
        name="8 m at I11",
        aperture_m=8.0,
        field_width_deg=0.1,
        field_height_deg=0.1,
        limiting_v_mag=23.0,
    )
    return [*network, neighbour]


def minutes_of(span: Span) -> list[dt.datetime]:
    return [span.starts_at + k * MINUTE for k in range(int((span.ends_at - span.starts_at) / MINUTE))]


def site_of(telescopes) -> dict[int, str]:
    return {t.pk: "W84" if t.observatory.mpc_code == "I11" else t.observatory.mpc_code for t in telescopes}


def observers(windows, instant: dt.datetime) -> list[int]:
    return sorted({w.telescope_id for w in windows if w.starts_at <= instant < w.ends_at})


@pytest.mark.parametrize("min_sites", [1, 2, 3])
def test_every_minute_is_in_a_joint_window_if_and_only_if_enough_sites_can_observe(catalogue, mountain, min_sites):
    sites, total = site_of(mountain), 0
    for target in catalogue.values():
        windows = windows_on_demand(target, mountain, SPAN)
        joint = joint_windows_of(target, mountain, SPAN, min_sites=min_sites)
        for instant in minutes_of(SPAN):
            able = observers(windows, instant)
            inside = [each for each in joint if each.starts_at <= instant < each.ends_at]
            assert len(inside) == (len({sites[pk] for pk in able}) >= min_sites)
            if inside:
                (segment,) = [s for s in inside[0].segments if s.starts_at <= instant < s.ends_at]
                assert sorted(segment.telescope_ids) == able
                assert {sites[pk] for pk in segment.sites} == {sites[pk] for pk in able}
                total += 1
    assert total > 200


def test_more_sites_never_have_more_time(catalogue, mountain):
    for name in ("Ivar", "Alinda"):
        hours = [
            sum(w.minutes for w in joint_windows_of(catalogue[name], mountain, SPAN, min_sites=sites)) / 60.0
            for sites in range(1, 7)
        ]
        assert hours == sorted(hours, reverse=True)
        assert (hours[0] > 0.0) == (name == "Ivar")
        assert hours[5] == 0.0  # six telescopes at five sites


def test_what_a_segment_tells(catalogue, mountain):
    found = [
        segment
        for target in catalogue.values()
        for window in joint_windows_of(target, mountain, SPAN, min_sites=2)
        for segment in window.segments
    ]
    assert found
    for segment in found:
        assert 0.0 < segment.longitude_spread_deg < 360.0
        first, middle, last = segment.samples
        assert (first.at, last.at) == (segment.starts_at, segment.ends_at)
        assert abs(middle.at - (first.at + (last.at - first.at) / 2)) < dt.timedelta(microseconds=5)
        for sample in segment.samples:
            assert sample.baseline_telescopes[0] in segment.telescope_ids
            assert sample.baseline_telescopes[1] in segment.telescope_ids
            assert 0.0 < sample.baseline_km < 12_760.0
            assert sample.parallax_arcsec == pytest.approx(
                sample.baseline_km / (sample.distance_au * 149597870.7) * 206264.806, rel=1e-3
            )
            assert sample.range_error_fraction == pytest.approx(2**0.5 * 0.2 / sample.parallax_arcsec, rel=1e-6)
            assert sample.min_altitude_deg > 19.99
            assert sample.v_margin_mag > -0.01
            assert sample.fits_fields  # Eros and its like are known to an arcsecond


def test_the_uncertainty_must_fit_the_smallest_field(catalogue, mountain):
    told = set()
    for target in catalogue.values():
        joint = joint_windows_of(
            target,
            mountain,
            SPAN,
            uncertainty=lambda whose, tt_mjd: np.full(tt_mjd.shape, 100.0),  # 3 sigma: 600" across
        )
        for segment in (segment for window in joint for segment in window.segments):
            small = mountain[-1].pk in segment.telescope_ids  # a field of 360"; the others have 1800"
            assert {sample.fits_fields for sample in segment.samples} == {not small}
            told.add(small)
    assert told == {False, True}


def test_an_orbit_that_is_unusable_all_through_is_refused_with_the_reason(catalogue, network):
    Orbit.objects.filter(target=catalogue["Ivar"]).update(
        u_parameter="9", arc_days=1.0, last_observed_on=dt.date(2016, 1, 1)
    )
    with pytest.raises(DomainError, match="orbit unusable on"):
        joint_windows_of(catalogue["Ivar"], network, SPAN)


def test_closures_and_idle_telescopes_do_not_count(catalogue, network):
    target = catalogue["Ivar"]
    before = joint_windows_of(target, network, SPAN)
    member = before[0].segments[0].telescope_ids[0]
    add_closure(telescope_id=member, starts_at=SPAN.starts_at, ends_at=SPAN.ends_at, reason="new mirror")
    after = joint_windows_of(target, network, SPAN)
    assert all(member not in s.telescope_ids for window in after for s in window.segments)
    assert joint_windows_of(target, network, SPAN, with_closures=False) == before
    for telescope in network:
        telescope.state = Telescope.State.MAINTENANCE
    assert joint_windows_of(target, network, SPAN) == windows_on_demand(target, network, SPAN) == []
    assert relay_of(target, network, SPAN).legs == ()
    assert relay_of(target, network, SPAN).covered_fraction == 0.0


def test_short_joint_windows_are_left_out(catalogue, network):
    target = catalogue["Ivar"]
    every = joint_windows_of(target, network, SPAN)
    middling = sorted(window.minutes for window in every)[len(every) // 2]
    long = joint_windows_of(target, network, SPAN, least_minutes=middling)
    assert long == [window for window in every if window.minutes >= middling - 1e-6]
    assert 0 < len(long) < len(every)


def test_the_number_of_queries_does_not_grow_with_the_telescopes(catalogue, mountain):
    target = catalogue["Ivar"]
    for work in (windows_on_demand, joint_windows_of, relay_of, last_chances_of):
        counts = []
        for count in (2, 6):
            telescopes = list(Telescope.objects.all()[:count])
            with CaptureQueriesContext(
                connection,
            ) as queries:
                work(target, telescopes, SPAN)
            counts.append(len(queries))
        assert counts[0] == counts[1] <= 5


def test_windows_on_demand_tell_where_to_point(catalogue, network):
    windows = windows_on_demand(catalogue["Ivar"], network, SPAN)
    assert {w.telescope_id for w in windows} <= {t.pk for t in network}
    assert [(w.telescope_id, w.starts_at) for w in windows] == sorted((w.telescope_id, w.starts_at) for w in windows)
    for window in windows:
        assert SPAN.starts_at <= window.starts_at < window.ends_at <= SPAN.ends_at
        assert window.starts_at <= window.peak_at <= window.ends_at
        assert window.opened_by in {"sun", "altitude", "moon", "magnitude", "span"}
        assert 20.0 <= window.peak_altitude_deg <= 90.0
        assert 0.0 <= window.ra_deg < 360.0
        assert window.v_mag < 21.0
        assert window.rate_arcsec_min > 0.0


def test_a_relay_covers_all_that_the_telescopes_can(catalogue, network):
    target = catalogue["Ivar"]
    chain = relay_of(target, network, SPAN, handover_minutes=15.0, rotation_period_h=10.3)
    windows = windows_on_demand(target, network, SPAN)
    covered = sum(bool(observers(windows, instant)) for instant in minutes_of(SPAN)) / 60.0
    assert chain.coverage_h == pytest.approx(covered, abs=0.05 * len(chain.legs))
    assert chain.covered_fraction == pytest.approx(chain.coverage_h / 72.0)
    assert chain.coverage_h + sum(gap.minutes for gap in chain.gaps) / 60.0 == pytest.approx(72.0, abs=1e-6)
    assert 0.0 < chain.covered_fraction < chain.rotation_fraction <= 1.0
    assert len(chain.legs) > 3
    for one, other in itertools.pairwise(chain.legs):
        overlap = (one.ends_at - other.starts_at) / MINUTE
        assert overlap == pytest.approx(15.0, abs=1e-3) if one.handed_on else overlap <= 1e-3
    for leg in chain.legs:
        mine = [w for w in windows if w.telescope_id == leg.telescope_id]
        assert any(
            w.starts_at - 2e-6 * MINUTE <= leg.starts_at and leg.ends_at <= w.ends_at + 2e-6 * MINUTE for w in mine
        )


def test_telescopes_outside_fill_gaps(catalogue, network):
    target = catalogue["Ivar"]
    inside, outside = network[:2], network[2:]
    chain = relay_of(target, inside, SPAN, further_telescopes=network)
    windows = windows_on_demand(target, outside, SPAN)
    assert any(gap.fillers for gap in chain.gaps)
    for gap in chain.gaps:
        expected = {}
        for window in windows:
            common = min(window.ends_at, gap.ends_at) - max(window.starts_at, gap.starts_at)
            if common > dt.timedelta(milliseconds=2):
                expected[window.telescope_id] = expected.get(window.telescope_id, 0.0) + common / MINUTE
        assert {f.who.telescope_id: f.minutes for f in gap.fillers} == pytest.approx(expected, abs=1e-4)
        assert [f.minutes for f in gap.fillers] == sorted((f.minutes for f in gap.fillers), reverse=True)
        for filler in gap.fillers:
            assert filler.fraction == pytest.approx(filler.minutes / gap.minutes)
    assert relay_of(target, inside, SPAN, further_telescopes=inside).gaps[0].fillers == ()


def test_known_observatories_without_a_telescope_fill_gaps_with_usual_limits(catalogue, network):
    target, inside = catalogue["Ivar"], network[:2]
    others = [telescope.observatory for telescope in network[2:]]
    by_place = relay_of(target, inside, SPAN, further_observatories=others)
    by_telescope = relay_of(target, inside, SPAN, further_telescopes=network[2:])
    fillers = [filler for gap in by_place.gaps for filler in gap.fillers]
    assert {(f.who.telescope_id, f.who.observatory_id) for f in fillers} <= {(None, other.pk) for other in others}
    assert {f.who.name for f in fillers} <= {other.name for other in others}
    # The telescopes of the network have the usual limits, but drop windows under ten minutes.
    for gap, same in zip(by_place.gaps, by_telescope.gaps, strict=True):
        one, other = (sum(f.minutes for f in each.fillers) for each in (gap, same))
        assert other <= one + 1e-6 <= other + 40.0
    assert fillers


def test_the_last_chance_is_the_night_after_which_no_window_comes(catalogue, network):
    span = Span(START, START + dt.timedelta(days=200))
    lost = kept = never = 0
    for name in ("Ganymed", "Ivar", "Eros"):
        target = catalogue[name]
        windows = windows_on_demand(target, network, span)
        finals = last_chances_of(target, network, span)
        assert [final.telescope_id for final in finals] == [telescope.pk for telescope in network]
        for final in finals:
            mine = [w for w in windows if w.telescope_id == final.telescope_id]
            if not mine:
                assert (final.night, final.starts_at, final.ends_at) == (None, None, None)
                assert final.lost
                never += 1
                continue
            assert abs(final.ends_at - mine[-1].ends_at) < dt.timedelta(seconds=1)
            assert final.closed_by == mine[-1].closed_by
            if final.lost:
                assert final.lost_on == final.night + dt.timedelta(days=1)
                assert final.reasons
                assert final.detail
                lost += 1
            else:
                assert span.ends_at - final.ends_at < dt.timedelta(days=2)
                assert (final.lost_on, final.reasons, final.detail) == (None, (), "")
                kept += 1
    assert min(kept, lost, never) > 0


def test_a_season_that_ends_says_why(catalogue, network):
    telescope, target = network[0], catalogue["Ganymed"]
    span = Span(START, START + dt.timedelta(days=10))
    day = START + dt.timedelta(days=5)
    add_closure(telescope_id=telescope.pk, starts_at=day, ends_at=span.ends_at, reason="secret visit")
    (final,) = last_chances_of(target, [telescope], span)
    assert final.ends_at < day
    assert final.reasons == ("closure",)
    assert "secret visit" in final.detail
    (hidden,) = last_chances_of(target, [telescope], span, actor=ANONYMOUS)
    assert hidden.reasons == ("closure",)
    assert "secret" not in hidden.detail


def test_a_telescope_that_does_not_work_has_no_last_chance(catalogue, network):
    network[1].state = Telescope.State.RETIRED
    finals = last_chances_of(catalogue["Ivar"], network[:2], SPAN)
    assert (finals[1].telescope_id, finals[1].night, finals[1].reasons) == (network[1].pk, None, ("state",))
    assert finals[1].detail == "the telescope is retired"


@pytest.mark.parametrize(
    ("work", "options", "field"),
    [
        (joint_windows_of, {"min_sites": 0}, "min_sites"),
        (joint_windows_of, {"least_minutes": -1.0}, "least_minutes"),
        (joint_windows_of, {"astrometric_error_arcsec": float("nan")}, "astrometric_error_arcsec"),
        (joint_windows_of, {"timing_error_s": -0.1}, "timing_error_s"),
        (relay_of, {"handover_minutes": -5.0}, "handover_minutes"),
        (relay_of, {"rotation_period_h": 0.0}, "rotation_period_h"),
        (relay_of, {"rotation_period_h": float("inf")}, "rotation_period_h"),
    ],
)
def test_numbers_that_make_no_sense_are_refused_by_name(catalogue, network, work, options, field):
    with pytest.raises(DomainError) as refused:
        work(catalogue["Eros"], network, SPAN, **options)
    assert refused.value.field == field


def test_what_cannot_be_computed_is_refused(catalogue, network):
    eros = catalogue["Eros"]
    for span, field in ((Span(START, START), "span"), (Span(START, START.replace(year=2090)), "span")):
        with pytest.raises(DomainError) as refused:
            windows_on_demand(eros, network, span)
        assert refused.value.field == field
    Target.objects.filter(pk=eros.pk).update(current_orbit=None)
    with pytest.raises(DomainError, match="no orbit"):
        joint_windows_of(eros, network, SPAN)
    Observatory.objects.filter(pk=network[0].observatory_id).update(
        kind="unfixed", longitude_deg=None, latitude_deg=None, height_m=None
    )
    with pytest.raises(DomainError, match="no fixed place"):
        joint_windows_of(catalogue["Ivar"], list(Telescope.objects.all()), SPAN)
