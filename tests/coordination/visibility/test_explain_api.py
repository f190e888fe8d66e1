"""Why there is no window, as a partner's software asks for it."""

import datetime as dt

import pytest
from django.test import Client

from coordination.common import clock
from coordination.visibility import planning
from coordination.visibility.models import Chunk, VisibilityWindow
from observatories.models import Membership, Observatory, User
from observatories.services import add_closure
from targets.models import Orbit, Target

URL = "/api/v1/windows/explain/"
pytestmark = [pytest.mark.usefixtures("well_placed"), pytest.mark.django_db]  # the evening before anybody signs in


@pytest.fixture
def computed(catalogue, network, settings, monkeypatch):
    settings.PLANNING_HORIZON_NIGHTS = 3
    monkeypatch.setattr("coordination.visibility.tasks.compute_chunk.delay", lambda chunk_id: None)
    planning.plan()
    for chunk_id in Chunk.objects.values_list("pk", flat=True):
        planning.run_chunk(chunk_id)
    return catalogue


def tonight() -> dt.date:
    return clock.now().date() + dt.timedelta(days=1)


def test_every_night_is_either_in_the_windows_or_explained(client, computed, network):
    night = tonight()
    for target in computed.values():
        for telescope in network:
            answer = client.get(URL, {"target": target.name, "telescope": telescope.pk, "night": night})
            assert answer.status_code == 200, answer.json()
            told = answer.json()
            stored = VisibilityWindow.objects.filter(target=target, telescope=telescope, night=night)
            seconds = sum(stored.values_list("duration_s", flat=True))
            assert told["observable"] == bool(stored)
            assert told["minutes"] == pytest.approx(seconds / 60.0, abs=0.01)
            assert (told["target"]["name"], told["telescope"]["id"]) == (target.name, telescope.pk)
            assert told["night"] == night.isoformat()
            if stored:
                assert (told["reason"], told["reasons"], told["detail"], told["checks"]) == ("", [], "", [])
            else:
                assert told["reason"]
                assert told["detail"]
                checks = {check["code"]: check for check in told["checks"]}
                assert set(told["reasons"]) <= set(checks)
                assert checks["altitude"]["unit"] == "deg"
                assert checks["altitude"]["at"].endswith("Z")


def test_figures(client, computed, network):
    telescope = network[0]
    telescope.limiting_v_mag = 5.0
    telescope.save()
    told = client.get(URL, {"target": "Ganymed", "telescope": telescope.pk, "night": tonight()}).json()
    check = next(check for check in told["checks"] if check["code"] == "magnitude")
    assert told["reasons"][0] == told["reason"] == "magnitude"
    assert told["detail"].startswith(f"too faint by {check['value'] - 5.0:.1f} mag (V {check['value']:.1f}")
    assert not check["holds"]
    assert check["margin"] == pytest.approx(5.0 - check["value"], abs=1e-3)


def test_reasons_of_closures_are_told_to_the_own_organisation_only(client, computed, network):
    telescope = network[0]
    start = dt.datetime.combine(tonight(), dt.time(), dt.UTC)
    add_closure(telescope_id=telescope.pk, starts_at=start, ends_at=start + dt.timedelta(days=3), reason="secret visit")
    member = User.objects.create_user("member", "member@example.org", "not-a-real-password")
    Membership.objects.create(user=member, organisation=telescope.organisation)
    inside = Client()
    inside.force_login(member)
    query = {"target": "Ganymed", "telescope": telescope.pk, "night": tonight()}
    told, hidden = inside.get(URL, query).json(), client.get(URL, query)
    assert "closure" in told["reasons"]
    assert told["detail"].endswith("closure: secret visit")
    assert hidden.json()["reasons"] == told["reasons"]
    assert "secret" not in hidden.content.decode()


def test_a_telescope_in_maintenance_has_no_windows(client, computed, network):
    network[0].state = "maintenance"
    network[0].save()
    told = client.get(URL, {"target": "Ganymed", "telescope": network[0].pk, "night": tonight()}).json()
    assert (told["observable"], told["reason"], told["minutes"]) == (False, "state", 0.0)
    assert told["detail"].startswith("the telescope is in maintenance")


def test_a_target_that_one_may_not_see_is_not_there(client, signed_in_client, computed, network):
    Target.objects.filter(name="Ivar").update(visibility="signed_in")
    query = {"telescope": network[0].pk, "night": tonight()}
    refused, unknown = (client.get(URL, {"target": name, **query}) for name in ("Ivar", "Ivax"))
    assert refused.status_code == unknown.status_code == 404
    assert signed_in_client.get(URL, {"target": "Ivar", **query}).status_code == 200


@pytest.mark.parametrize(
    ("query", "status", "field"),
    [
        ({"target": None}, 400, "target"),
        ({"telescope": None}, 400, "telescope"),
        ({"night": None}, 400, "night"),
        ({"telescope": "big one"}, 400, "telescope"),
        ({"night": "2026-11-22T00:00:00Z"}, 400, "night"),
        ({"night": "1999-01-01"}, 400, "night"),
        ({"night": "0001-01-01"}, 400, "night"),
        ({"night": "9999-12-31"}, 400, "night"),
        ({"nigth": "2026-11-22"}, 400, "nigth"),
        ({"telescope": 999999}, 404, None),
        ({"telescope": 2**63}, 400, "telescope"),
        ({"target": "Ivarr"}, 404, None),
    ],
)
def test_bad_input_is_a_problem_that_names_the_field(client, computed, network, query, status, field):
    asked = {"target": "Ivar", "telescope": network[0].pk, "night": tonight(), **query}
    answer = client.get(URL, {name: value for name, value in asked.items() if value is not None})
    assert (answer.status_code, answer["Content-Type"]) == (status, "application/problem+json")
    if field:
        assert field in {error["field"] for error in answer.json()["errors"]}


def test_the_nights_of_stored_windows_are_named(client, computed, network):
    span = planning.stored_span()
    asked = {"target": "Ivar", "telescope": network[0].pk, "night": span.ends_at.date() + dt.timedelta(days=1)}
    answer = client.get(URL, asked)
    assert answer.status_code == 400
    error = answer.json()["errors"][0]
    first, last = error["expected"].split(" to ")
    for night in (first, last):
        assert client.get(URL, {**asked, "night": night}).status_code == 200
    assert (first, last) == (
        span.starts_at.date().isoformat(),
        (span.ends_at.date() - dt.timedelta(days=2)).isoformat(),
    )


def test_what_cannot_be_computed_is_refused(client, computed, network):
    asked = {"target": "Ivar", "telescope": network[0].pk, "night": tonight()}
    ivar = computed["Ivar"]
    Orbit.objects.filter(pk=ivar.current_orbit_id).update(epoch_tdb_jd=2_400_000.5)
    far = client.get(URL, asked)
    Target.objects.filter(pk=ivar.pk).update(current_orbit=None)
    none = client.get(URL, asked)
    Observatory.objects.filter(pk=network[0].observatory_id).update(
        kind="unfixed", longitude_deg=None, latitude_deg=None, height_m=None
    )
    nowhere = client.get(URL, {**asked, "target": "Eros"})
    assert [answer.status_code for answer in (far, none, nowhere)] == [400, 400, 400]
    assert "no orbit" in none.json()["detail"]
    assert "no fixed place" in nowhere.json()["detail"]
