"""Stored windows keep out of closures, and a closure recomputes its telescope only."""

import datetime as dt

import pytest

from coordination.common import clock
from coordination.visibility import computing, planning
from coordination.visibility.models import VisibilityWindow
from observatories.services import add_closure, remove_closure

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def short_horizon(settings):
    settings.PLANNING_HORIZON_NIGHTS = 3


@pytest.fixture
def compute(monkeypatch):
    """Plan, do the work at once, and tell which telescopes it was for."""
    queued: list[int] = []
    monkeypatch.setattr("coordination.visibility.tasks.compute_chunk.delay", queued.append)

    def run() -> set[int]:
        computation = planning.plan()
        while queued:
            planning.run_chunk(queued.pop(0))
        return {pk for chunk in computation.chunks.all() for pk in chunk.telescope_ids} if computation else set()

    return run


def intervals(telescope) -> list[tuple]:
    columns = ("target_id", "starts_at", "ends_at", "opened_by", "closed_by")
    return sorted(VisibilityWindow.objects.filter(telescope=telescope).values_list(*columns))


@pytest.fixture
def window(catalogue, network, compute):
    """The longest of the windows that lie ahead."""
    assert compute() == {telescope.pk for telescope in network}
    return VisibilityWindow.objects.filter(starts_at__gt=clock.now()).order_by("-duration_s").first()


def test_a_closure_cuts_the_windows_of_its_telescope_and_opening_brings_them_back(window, network, compute):
    telescope = window.telescope
    others = [each for each in network if each != telescope]
    before, elsewhere = intervals(telescope), [intervals(each) for each in others]
    start = (window.starts_at + (window.ends_at - window.starts_at) / 3).replace(microsecond=0)
    closure = add_closure(
        telescope_id=telescope.pk, starts_at=start, ends_at=start + dt.timedelta(hours=1), reason="mirror coating"
    )
    assert compute() == {telescope.pk}
    assert not VisibilityWindow.objects.filter(
        telescope=telescope, starts_at__lt=closure.ends_at, ends_at__gt=closure.starts_at
    ).exists()
    parts = VisibilityWindow.objects.filter(
        telescope=telescope, target=window.target, starts_at__lt=window.ends_at, ends_at__gt=window.starts_at
    ).order_by("starts_at")
    # An instant in TT is told to half a microsecond.
    first, second = parts
    assert abs(first.ends_at - closure.starts_at) <= dt.timedelta(microseconds=1)
    assert abs(second.starts_at - closure.ends_at) <= dt.timedelta(microseconds=1)
    assert (first.get_closed_by_display(), second.get_opened_by_display()) == ("closure", "closure")
    assert (first.starts_at, second.ends_at) == (window.starts_at, window.ends_at)
    for part in parts:
        assert part.starts_at <= part.peak_at <= part.ends_at
    assert [intervals(each) for each in others] == elsewhere
    assert planning.plan() is None

    remove_closure(closure.pk)
    assert compute() == {telescope.pk}
    assert intervals(telescope) == before


def test_what_a_closure_leaves_is_long_enough_or_gone(window, compute):
    telescope = window.telescope
    least = dt.timedelta(seconds=telescope.window_min_s)
    add_closure(
        telescope_id=telescope.pk,
        starts_at=window.starts_at + least / 2,
        ends_at=window.ends_at - least * 2,
        reason="storm",
    )
    compute()
    left = VisibilityWindow.objects.get(
        telescope=telescope, target=window.target, starts_at__lt=window.ends_at, ends_at__gt=window.starts_at
    )
    assert (left.get_opened_by_display(), left.closed_by) == ("closure", window.closed_by)


def test_a_closure_outside_the_span_changes_nothing(window, compute):
    span = planning.stored_span()
    add_closure(
        telescope_id=window.telescope_id,
        starts_at=span.ends_at,
        ends_at=span.ends_at + dt.timedelta(days=5),
        reason="holidays",
    )
    assert planning.plan() is None


def test_fingerprints_take_one_query_and_tell_closures_apart(network, django_assert_num_queries):
    telescopes = computing.plannable_telescopes()
    span = planning.planning_span(clock.now(), 3)
    with django_assert_num_queries(1):
        before = computing.telescope_fingerprints(telescopes, span)
    closed = network[1]
    add_closure(telescope_id=closed.pk, starts_at=span.starts_at, ends_at=span.ends_at, reason="storm")
    after = computing.telescope_fingerprints(telescopes, span)
    assert {pk for pk in before if before[pk] != after[pk]} == {closed.pk}
