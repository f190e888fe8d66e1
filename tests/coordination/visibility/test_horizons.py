"""Positions of Horizons in the place of ours: windows follow, say so, and are those that are computed on demand."""

import datetime as dt

import pytest

from coordination.common import clock, following
from coordination.visibility import planning
from coordination.visibility.geocentric import geocentric_places
from coordination.visibility.joint_windows import windows_on_demand
from coordination.visibility.models import Chunk, VisibilityWindow
from targets.models import Ephemeris, Orbit, Target
from targets.services import choose_ephemeris_source
from targets.services.ephemerides import Span
from tests.horizons import horizons_says

pytestmark = pytest.mark.django_db

HOUR = dt.timedelta(hours=1)


@pytest.fixture
def ganymed(windows, monkeypatch) -> Target:
    """One of several targets with windows of two nights."""
    monkeypatch.setattr("coordination.common.following._wake_readers", lambda: None)
    following.follow("visibility")
    return windows["Ganymed"]


def computed() -> list[list[int]]:
    """Compute what a change made stale; the targets of the chunks."""
    following.follow("visibility")
    pending = list(Chunk.objects.filter(state="pending").order_by("pk"))
    for chunk in pending:
        planning.run_chunk(chunk.pk)
    following.follow("visibility")
    return [chunk.target_ids for chunk in pending]


def starts(target: Target) -> list[dt.datetime]:
    return sorted(VisibilityWindow.objects.filter(target=target).values_list("starts_at", flat=True))


def test_windows_of_exactly_that_target_follow_horizons_and_say_so(ganymed, client, network):
    before, others = starts(ganymed), VisibilityWindow.objects.exclude(target=ganymed)
    untouched = set(others.values_list("pk", flat=True))
    choose_ephemeris_source(ganymed.pk, "horizons")
    assert computed() == []
    horizons_says(ganymed, late_d=5.0)
    assert computed() == [[ganymed.pk]]
    after = starts(ganymed)
    assert len(after) > 3
    assert after != before
    assert set(others.values_list("pk", flat=True)) == untouched
    assert Ephemeris.objects.get(target=ganymed).source == "horizons"
    now = clock.now()
    on_demand = windows_on_demand(ganymed, network, Span(now - 30 * HOUR, now + 40 * HOUR))
    assert {each.starts_at.replace(microsecond=0) for each in on_demand} & {
        each.replace(microsecond=0) for each in after
    }
    first = VisibilityWindow.objects.filter(target=ganymed).order_by("starts_at").first()
    listed = client.get("/api/v1/windows/", {"target": "1036"}).json()["results"]
    assert {each["solution"] for each in listed} == {"JPL#77"}
    asked = {"target": "1036", "telescope": first.telescope_id, "night": first.night.isoformat()}
    told = client.get("/api/v1/windows/explain/", asked).json()
    assert (told["solution"], told["observable"]) == ("JPL#77", True)
    page = client.get("/targets/1036/", follow=True).content.decode()
    assert "taken from JPL Horizons" in page
    assert "JPL#77" in page
    choose_ephemeris_source(ganymed.pk, "automatic")
    assert computed() == [[ganymed.pk]]
    assert starts(ganymed) == before


def test_a_target_with_an_unusable_orbit_has_windows_from_horizons(ganymed, client):
    Orbit.objects.filter(target=ganymed).update(
        u_parameter="9", arc_days=1.0, last_observed_on=dt.date(1990, 1, 1), arc_text=""
    )
    Ephemeris.objects.filter(target=ganymed).delete()
    planning.plan()
    assert computed() == [[ganymed.pk]]
    assert starts(ganymed) == []
    horizons_says(ganymed)
    assert computed() == [[ganymed.pk]]
    assert len(starts(ganymed)) > 3
    listed = client.get("/api/v1/windows/", {"target": "1036"}).json()["results"]
    assert {(each["solution"], each["orbit_trust"]) for each in listed} == {("JPL#77", "good")}
    assert {each["uncertainty"]["major_arcsec"] for each in listed} == {0.2}


def test_places_on_demand_are_those_of_horizons_as_far_as_its_table_reaches(ganymed):
    near, far = clock.now() + 24 * HOUR, clock.now() + 100 * 24 * HOUR
    ours = [geocentric_places(ganymed, [at])[0] for at in (near, far)]
    choose_ephemeris_source(ganymed.pk, "horizons")
    horizons_says(ganymed, late_d=1.0)
    theirs = [geocentric_places(ganymed, [at])[0] for at in (near, far)]
    assert theirs[0] != ours[0]
    assert theirs[1] == ours[1]


def test_what_differs_is_said_on_the_page_of_the_target(ganymed, client):
    horizons_says(ganymed, late_d=0.01)
    page = client.get("/targets/1036/", follow=True).content.decode()
    assert "Our orbit beside JPL Horizons" in page
    assert "from JPL#77 at" in page
