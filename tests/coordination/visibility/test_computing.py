"""Windows are computed once, replaced whole, and computed again only where something they depend on changed."""

import datetime as dt

import numpy as np
import pytest
from django.test import override_settings

from coordination.common.models import Event
from coordination.visibility import planning, storage
from coordination.visibility.models import Chunk, Computation, TelescopeCoverage, VisibilityWindow
from observatories.services import remove_telescope
from targets.models import Ephemeris, Orbit

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def short_horizon(settings):
    settings.PLANNING_HORIZON_NIGHTS = 3
    settings.PLANNING_CHUNK_TARGETS = 2


@pytest.fixture
def queued(monkeypatch):
    """Chunks that were queued, in place of a broker."""
    ids: list[int] = []
    monkeypatch.setattr("coordination.visibility.tasks.compute_chunk.delay", ids.append)
    return ids


def compute(queued) -> None:
    planning.plan()
    while queued:
        planning.run_chunk(queued.pop(0))


def edges() -> list[tuple]:
    names = ("target", "telescope", "night", "opened_by", "closed_by", "starts_at", "ends_at")
    return sorted(VisibilityWindow.objects.values_list(*names))


def test_windows_lie_in_the_dark_hours_of_their_night(catalogue, network, queued):
    compute(queued)
    assert Computation.objects.get().state == "done"
    windows = list(VisibilityWindow.objects.select_related("telescope__observatory"))
    assert len(windows) > 20
    for window in windows:
        noon = dt.timedelta(hours=12 - window.telescope.observatory.longitude_deg / 15)
        begins = dt.datetime.combine(window.night, dt.time(), dt.UTC) + noon
        assert begins <= window.starts_at < window.ends_at <= begins + dt.timedelta(days=1)
        assert window.night_ends_on == (begins + dt.timedelta(days=1)).date()
        assert window.starts_at <= window.peak_at <= window.ends_at
        assert window.duration_s == pytest.approx((window.ends_at - window.starts_at).total_seconds())
        assert window.duration_s >= window.telescope.window_min_s
        assert 20.0 <= window.peak_altitude_deg <= 90.0
        assert window.v_mag <= 21.0
        assert window.orbit_id == window.target.current_orbit_id


def test_no_window_is_stored_in_a_night_on_which_the_orbit_is_unusable(catalogue, network, queued):
    Orbit.objects.filter(target=catalogue["Ivar"]).update(
        u_parameter="8", arc_days=4.0, last_observed_on=dt.date(2025, 12, 1)
    )
    compute(queued)
    assert set(Ephemeris.objects.get(target=catalogue["Ivar"]).trust_levels) == {3}
    assert not VisibilityWindow.objects.filter(target=catalogue["Ivar"]).exists()
    assert VisibilityWindow.objects.exists()


def test_nothing_is_computed_twice(catalogue, network, queued):
    compute(queued)
    assert planning.plan() is None


def test_a_new_orbit_computes_its_target_only(catalogue, network, queued):
    compute(queued)
    before = Ephemeris.objects.get(target=catalogue["Eros"]).computed_at
    ivar = catalogue["Ivar"]
    orbit = Orbit.objects.get(pk=ivar.current_orbit_id)
    orbit.pk, orbit.fingerprint, orbit.mean_anomaly_deg = None, "another", orbit.mean_anomaly_deg + 0.01
    orbit.save()
    ivar.current_orbit = orbit
    ivar.save()
    computation = planning.plan()
    assert [chunk.target_ids for chunk in computation.chunks.all()] == [[ivar.pk]]
    compute(queued)
    assert set(VisibilityWindow.objects.filter(target=ivar).values_list("orbit_id", flat=True)) == {orbit.pk}
    assert Ephemeris.objects.get(target=catalogue["Eros"]).computed_at == before


def test_a_changed_limit_computes_its_telescope_only(catalogue, network, queued):
    compute(queued)
    telescope = network[0]
    hours = sum(w.duration_s for w in VisibilityWindow.objects.filter(telescope=telescope))
    telescope.altitude_min_deg = 40.0
    telescope.save()
    computation = planning.plan()
    assert {tuple(chunk.telescope_ids) for chunk in computation.chunks.all()} == {(telescope.pk,)}
    compute(queued)
    assert sum(w.duration_s for w in VisibilityWindow.objects.filter(telescope=telescope)) < hours


def test_a_retired_telescope_loses_its_windows(catalogue, network, queued):
    compute(queued)
    network[0].state = "retired"
    network[0].save()
    assert planning.plan() is None
    assert not VisibilityWindow.objects.filter(telescope=network[0]).exists()
    assert not TelescopeCoverage.objects.filter(telescope=network[0]).exists()


def test_rolling_on_from_the_stored_state_gives_the_windows_of_a_fresh_start(catalogue, network, queued):
    compute(queued)
    with override_settings(CLOCK_OFFSET_SECONDS=86400.0):
        compute(queued)
        rolled = edges()
        Ephemeris.objects.all().delete()
        compute(queued)
        fresh = edges()
    assert len(rolled) == len(fresh) > 20
    for (*names, start, end), (*same, other_start, other_end) in zip(rolled, fresh, strict=True):
        assert names == same
        assert abs(start - other_start) < dt.timedelta(milliseconds=1)
        assert abs(end - other_end) < dt.timedelta(milliseconds=1)


def test_a_target_without_absolute_magnitude_is_not_planned(catalogue, network, queued):
    Orbit.objects.filter(target=catalogue["Eros"]).update(h_mag=None)
    compute(queued)
    assert Ephemeris.objects.get(target=catalogue["Eros"]).blocks is None
    assert planning.plan() is None, "and is not tried again and again"


def test_what_was_seen_for_an_hour_years_ago_is_not_integrated(catalogue, network, queued):
    old = catalogue["Ganymed"].current_orbit
    Orbit.objects.filter(pk=old.pk).update(
        epoch_tdb_jd=old.epoch_tdb_jd - 4000.0, u_parameter="9", arc_days=0.04, last_observed_on=dt.date(2014, 12, 8)
    )
    compute(queued)
    ephemeris = Ephemeris.objects.get(target=catalogue["Ganymed"])
    assert (ephemeris.state, ephemeris.blocks) == (None, None)
    assert not VisibilityWindow.objects.filter(target=catalogue["Ganymed"]).exists()
    assert planning.plan() is None  # and is not asked again


def test_a_failing_chunk_is_given_up_and_says_why(catalogue, network, queued, monkeypatch):
    def broken(*_):
        raise ArithmeticError("no convergence")

    planning.plan()
    chunk_id = queued[0]
    with monkeypatch.context() as patched:
        patched.setattr("coordination.visibility.computing.replace_windows", broken)
        for _ in range(planning.MAX_ATTEMPTS):
            with pytest.raises(ArithmeticError):
                planning.run_chunk(chunk_id)
    for other in queued[1:]:
        planning.run_chunk(other)
    chunk = Chunk.objects.get(pk=chunk_id)
    assert (chunk.state, chunk.error) == ("failed", "ArithmeticError: no convergence")
    assert Computation.objects.get().state == "failed"
    assert Event.objects.filter(kind="computation.failed").exists()
    queued.clear()
    compute(queued)
    assert planning.plan() is None, "the next plan caught up"


def test_a_lost_task_is_queued_again_and_a_done_one_is_not(catalogue, network, queued):
    planning.plan()
    planning.run_chunk(queued[0])
    lost = queued[1:]
    queued.clear()
    assert planning.sweep() == 0, "young tasks are left to the broker"
    long_ago = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    Chunk.objects.update(queued_at=long_ago)
    assert planning.sweep() == len(lost)
    assert queued == lost


def test_nights_that_are_over_are_dropped_whole(catalogue, network, queued):
    compute(queued)
    nights = storage.partitions()
    dropped = storage.drop_partitions_before(nights[2])
    assert dropped == nights[:2]
    assert VisibilityWindow.objects.exists()
    assert not VisibilityWindow.objects.filter(night_ends_on__lt=nights[2]).exists()


def test_a_number_that_is_not_finite_never_reaches_the_table(catalogue, network, queued, monkeypatch):
    columns = {name: np.zeros(1) for name in storage.COLUMNS}
    columns["v_mag"] = np.array([np.nan])
    with pytest.raises(ValueError, match="v_mag"):
        storage.copy_windows(columns)


def test_an_orbit_from_before_the_planetary_kernel_stops_nobody_else(catalogue, network, queued):
    Orbit.objects.filter(target=catalogue["Eros"]).update(epoch_tdb_jd=2_440_000.5)
    compute(queued)
    assert Computation.objects.get().state == "done"
    assert not Ephemeris.objects.filter(target=catalogue["Eros"]).exists()
    assert VisibilityWindow.objects.filter(target=catalogue["Ivar"]).exists()
    assert planning.plan() is None


def test_what_is_deleted_takes_its_windows_along(catalogue, network, queued):
    compute(queued)
    remove_telescope(network[0].pk)
    catalogue["Ivar"].delete()
    assert not VisibilityWindow.objects.filter(telescope_id=network[0].pk).exists()
    assert not VisibilityWindow.objects.filter(target_id=catalogue["Ivar"].pk).exists()
    assert VisibilityWindow.objects.exists()


def test_a_limit_that_changes_while_windows_are_computed_is_caught_up_with(catalogue, network, queued):
    compute(queued)
    Ephemeris.objects.all().delete()  # all windows have to be computed again, for the same limits as before
    planning.plan()
    planning.run_chunk(queued.pop(0))
    network[0].altitude_min_deg = 40.0
    network[0].save()
    planning.run_chunk(queued.pop(0))
    network[0].altitude_min_deg = 20.0  # as it was planned, but not as the second chunk found it
    network[0].save()
    planning.run_chunk(queued.pop(0))
    again = planning.plan()
    assert {tuple(chunk.telescope_ids) for chunk in again.chunks.all()} == {(network[0].pk,)}
