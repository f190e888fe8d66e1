"""When only the span has moved on, the windows of the new nights are added; the result is that of a fresh start."""

import datetime as dt
from dataclasses import replace

import pytest
from django.test import override_settings

from coordination.common import clock
from coordination.visibility import planning
from coordination.visibility.models import Chunk, Computation, VisibilityWindow
from observatories.models import Observatory, Telescope
from observatories.services import add_closure
from observatories.sites import earth_orientation
from targets.models import Ephemeris

pytestmark = pytest.mark.django_db(transaction=True)
DAY = dt.timedelta(days=1)
START = dt.datetime(2026, 11, 24, 10, tzinfo=dt.UTC)  # polar night in the north


@pytest.fixture(autouse=True)
def short_horizon(settings):
    settings.PLANNING_HORIZON_NIGHTS = 3
    settings.PLANNING_CHUNK_TARGETS = 4


@pytest.fixture
def queued(monkeypatch):
    """Chunks that were queued, in place of a broker."""
    ids: list[int] = []
    monkeypatch.setattr("coordination.visibility.tasks.compute_chunk.delay", ids.append)
    return ids


@pytest.fixture
def polar(network):
    """A telescope where it is dark for weeks, which asks for windows of ten hours: they go on over noon, and count as
    long as the whole.
    """
    observatory = Observatory.objects.create(
        name="Arctic", mpc_code=None, longitude_deg=140.0, latitude_deg=89.0, height_m=100.0
    )
    return Telescope.objects.create(
        observatory=observatory,
        organisation=network[0].organisation,
        name="polar",
        aperture_m=1.0,
        field_width_deg=0.5,
        field_height_deg=0.5,
        limiting_v_mag=21.0,
        sun_altitude_max_deg=-6.0,
        altitude_min_deg=1.0,
        hour_angle_min_h=-11.5,
        hour_angle_max_h=11.5,
        window_min_s=36_000.0,
    )


def after(days: float) -> override_settings:
    """The clock so many days after the start."""
    offset = START - dt.datetime.now(dt.UTC) + days * DAY
    return override_settings(CLOCK_OFFSET_SECONDS=offset.total_seconds())


def compute(queued, days: float = 0.0) -> list[Chunk]:
    """Plan and compute so many days after the start; the chunks that were planned."""
    with after(days):
        computation = planning.plan()
        while queued:
            planning.run_chunk(queued.pop(0))
        return [] if computation is None else list(computation.chunks.all())


def from_nothing(queued, days: float) -> None:
    VisibilityWindow.objects.all().delete()
    Ephemeris.objects.all().delete()
    compute(queued, days)


def edges(days: float) -> list[tuple]:
    """Windows of the nights that begin in the span of a day."""
    with after(days):
        begin = planning.planning_span(clock.now(), 3).starts_at.date() + DAY
    names = ("target", "telescope", "night", "opened_by", "closed_by", "starts_at", "ends_at")
    return sorted(VisibilityWindow.objects.filter(night_ends_on__gte=begin).values_list(*names))


def assert_same(rolled: list[tuple], fresh: list[tuple]) -> None:
    assert len(rolled) == len(fresh) > 20
    for (*names, start, end), (*same, other_start, other_end) in zip(rolled, fresh, strict=True):
        assert names == same
        assert abs(start - other_start) < dt.timedelta(milliseconds=1)
        assert abs(end - other_end) < dt.timedelta(milliseconds=1)


@pytest.mark.parametrize("days", [(1, 2, 3), (2,), (3,), (9,)], ids=["night by night", "two", "three", "long"])
def test_rolling_gives_the_windows_of_a_fresh_start(catalogue, network, polar, queued, days):
    compute(queued)
    for day in days:
        compute(queued, day)
    rolled = edges(days[-1])
    assert any(telescope == polar.pk for _, telescope, *_ in rolled)
    from_nothing(queued, days[-1])
    assert_same(rolled, edges(days[-1]))


def test_the_windows_of_nights_that_were_whole_stay_as_they_are(catalogue, network, queued):
    compute(queued)
    whole = Computation.objects.get().ends_at.date() - DAY
    before = set(VisibilityWindow.objects.filter(night_ends_on__lt=whole).values_list("pk", flat=True))
    chunks = compute(queued, 1)
    assert {tuple(chunk.extended_telescope_ids) for chunk in chunks} == {tuple(each.pk for each in network)}
    assert {tuple(chunk.telescope_ids) for chunk in chunks} == {()}
    assert set(VisibilityWindow.objects.filter(night_ends_on__lt=whole).values_list("pk", flat=True)) == before != set()
    assert compute(queued, 1) == [], "and is not tried again and again"


def test_a_telescope_that_changed_meanwhile_is_computed_over_the_whole_span(catalogue, network, queued):
    compute(queued)
    network[0].altitude_min_deg = 35.0
    network[0].save()
    chunks = compute(queued, 1)
    assert {tuple(chunk.telescope_ids) for chunk in chunks} == {(network[0].pk,)}
    assert {tuple(chunk.extended_telescope_ids) for chunk in chunks} == {tuple(each.pk for each in network[1:])}
    rolled = edges(1)
    from_nothing(queued, 1)
    assert_same(rolled, edges(1))


def test_a_closure_of_the_new_night_is_taken_out_of_it(catalogue, network, queued):
    compute(queued)
    end = Computation.objects.get().ends_at
    add_closure(telescope_id=network[1].pk, starts_at=end, ends_at=end + 3 * DAY, reason="works")
    chunks = compute(queued, 1)
    assert {tuple(chunk.telescope_ids) for chunk in chunks} == {()}
    rolled = edges(1)
    from_nothing(queued, 1)
    assert_same(rolled, edges(1))


@pytest.fixture
def turned_by():
    """Use a table of the Earth's rotation that is so many seconds of UT1 ahead of the installed one."""
    installed = earth_orientation.installed_table()

    def turn(ahead_s: float) -> None:
        ut1_minus_tt_s = installed.ut1_minus_tt_s + ahead_s
        earth_orientation.use(replace(installed, ut1_minus_tt_s=ut1_minus_tt_s, version=f"{ahead_s} s ahead"))

    yield turn
    earth_orientation.use(None)


def test_other_earth_orientation_data_compute_all_anew(catalogue, network, queued, turned_by):
    compute(queued)
    turned_by(0.05)
    chunks = compute(queued, 1)
    assert {tuple(chunk.telescope_ids) for chunk in chunks} == {tuple(each.pk for each in network)}
    assert {chunk.extended_from for chunk in chunks} == {None}


def test_new_earth_orientation_data_that_turn_the_earth_alike_leave_windows_as_they_are(
    catalogue, network, queued, turned_by
):
    compute(queued)
    turned_by(0.002)
    assert not compute(queued)
    chunks = compute(queued, 1)  # only the new nights
    assert chunks
    assert {tuple(chunk.telescope_ids) for chunk in chunks} == {()}
    versions = Ephemeris.objects.filter(blocks__isnull=False).values_list("earth_orientation", flat=True)
    assert set(versions) == {"0.002 s ahead"}


def test_a_target_that_becomes_bright_enough_has_windows_from_the_new_night_on(catalogue, network, queued):
    compute(queued)
    ivar = catalogue["Ivar"].pk
    Ephemeris.objects.filter(target=ivar).update(blocks=None, state=None, brightest_v_mag=30.0)
    VisibilityWindow.objects.filter(target=ivar).delete()
    end = Computation.objects.get().ends_at
    compute(queued, 1)
    assert Ephemeris.objects.get(target=ivar).blocks is not None
    nights = set(VisibilityWindow.objects.filter(target=ivar).values_list("night_ends_on", flat=True))
    assert nights
    assert min(nights) >= end.date() - DAY


def test_what_surely_stays_faint_is_not_asked_again_for_days(catalogue, network, queued):
    for telescope in network:
        telescope.limiting_v_mag = 10.0
        telescope.save()
    compute(queued)
    faint = Ephemeris.objects.filter(state=None)
    assert faint.exists()
    assert not set(faint.values_list("target", flat=True)) & {
        pk for chunk in compute(queued, 1) for pk in chunk.target_ids
    }
    assert compute(queued, 16) != []


def test_after_a_failed_computation_nothing_is_taken_for_true(catalogue, network, queued, monkeypatch):
    """What some chunks have computed and others have not is known from the next night's plan on."""
    compute(queued)
    with after(1):
        planning.plan()
        planning.run_chunk(queued.pop(0))
        with monkeypatch.context() as patched:
            patched.setattr("coordination.visibility.computing.refresh_ephemerides", _broken)
            for _ in range(planning.MAX_ATTEMPTS):
                with pytest.raises(ArithmeticError):
                    planning.run_chunk(queued[0])
    queued.clear()
    assert Computation.objects.first().state == "failed"
    end = Computation.objects.first().ends_at
    add_closure(telescope_id=network[2].pk, starts_at=end - DAY, ends_at=end, reason="works")
    compute(queued, 2)
    rolled = edges(2)
    from_nothing(queued, 2)
    assert_same(rolled, edges(2))


def _broken(*_):
    raise ArithmeticError("no convergence")
