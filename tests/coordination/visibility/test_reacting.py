"""A change takes effect when it is made, not with the next plan by the clock."""

import datetime as dt

import pytest

from coordination.common import clock, following
from coordination.visibility import planning
from coordination.visibility.models import Chunk, Computation
from observatories.services import add_closure, update_telescope

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def short_horizon(settings):
    settings.PLANNING_HORIZON_NIGHTS = 3
    settings.PLANNING_CHUNK_TARGETS = 10


@pytest.fixture
def queued(monkeypatch):
    """Chunks that were queued, in place of a broker."""
    ids: list[int] = []
    monkeypatch.setattr("coordination.visibility.tasks.compute_chunk.delay", ids.append)
    monkeypatch.setattr("coordination.common.following._wake_readers", lambda: None)
    return ids


@pytest.fixture
def computed(catalogue, network, queued):
    """The telescopes of a network whose windows are true."""
    planning.plan()
    planning.run_chunk(queued.pop())
    following.follow("visibility")
    assert (Computation.objects.count(), queued) == (1, [])
    return network


def close(telescope) -> None:
    now = clock.now()
    add_closure(telescope_id=telescope.pk, starts_at=now, ends_at=now + dt.timedelta(days=2), reason="mirror coating")


def planned_telescopes() -> list[list[int]]:
    return [sorted(chunk.telescope_ids) for chunk in Chunk.objects.filter(state="pending").order_by("pk")]


def test_changes_together_are_planned_together(computed, queued):
    close(computed[0])
    update_telescope(computed[1].pk, altitude_min_deg=35.0)
    following.follow("visibility")
    assert planned_telescopes() == [[computed[0].pk, computed[1].pk]]


def test_what_does_not_change_windows_plans_nothing(computed, queued):
    update_telescope(computed[1].pk, name="New name")
    following.follow("visibility")
    assert queued == []


def test_a_change_during_a_computation_is_planned_when_that_is_over(computed, queued):
    close(computed[0])
    following.follow("visibility")
    update_telescope(computed[1].pk, altitude_min_deg=35.0)
    following.follow("visibility")
    assert planned_telescopes() == [[computed[0].pk]], "one computation at a time"
    planning.run_chunk(queued.pop())
    following.follow("visibility")
    assert planned_telescopes() == [[computed[1].pk]]


def test_a_computation_that_nothing_overtook_is_followed_by_no_plan(computed, monkeypatch, queued):
    close(computed[0])
    following.follow("visibility")
    planned = []
    monkeypatch.setattr(planning, "plan", lambda: planned.append(1))
    planning.run_chunk(queued.pop())
    following.follow("visibility")
    assert planned == []
