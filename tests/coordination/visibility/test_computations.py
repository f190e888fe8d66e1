"""Windows on demand: under limits, from places and over spans of which none are stored."""

import csv
import datetime as dt
import io

import pytest
import time_machine
from astropy.io.votable import parse
from django.test import Client

from coordination.common import clock
from coordination.common.scopes import Scope
from coordination.partners.services import create_token
from coordination.visibility import computations, planning
from coordination.visibility.models import Chunk, ComputationPart, ComputedWindow, WindowComputation
from observatories.models import Observatory, Organisation, User
from observatories.services import add_closure
from targets.models import Orbit, Target

from .test_api import instant

URL = "/api/v1/window-computations/"
AFTER, BEFORE = "2027-02-01T00:00:00Z", "2027-02-04T00:00:00Z"
LIMITS = {
    "altitude_min_deg": 28.0,
    "sun_altitude_max_deg": -12.0,
    "moon_separation_min_deg": 5.0,
    "limiting_v_mag": 17.5,
    "window_min_s": 1800,
}
FIGURES = (
    "duration_s",
    "peak_altitude_deg",
    "v_mag",
    "rate_arcsec_min",
    "moon_separation_deg",
    "start_ra_deg",
    "end_dec_deg",
)
pytestmark = [pytest.mark.usefixtures("well_placed"), pytest.mark.django_db]


@pytest.fixture
def queued(monkeypatch):
    """Parts that were queued, in place of a broker."""
    ids: list[int] = []
    monkeypatch.setattr("coordination.visibility.tasks.compute_part.delay_on_commit", ids.append)
    return ids


@pytest.fixture
def person(db):
    return User.objects.create_user("reader", "reader@example.org", "not-a-real-password")


@pytest.fixture
def client(person):
    client = Client()
    client.force_login(person)
    return client


def body(network=(), **more):
    telescopes = {"telescopes": [telescope.pk for telescope in network]} if network else {}
    return {"targets": ["Ivar", "1036"], "after": AFTER, "before": BEFORE, **telescopes, **more}


def post(client, given, status=200):
    answer = client.post(URL, given, content_type="application/json")
    assert answer.status_code == status, answer.json()
    return answer


def run(queued) -> None:
    while queued:
        computations.run_part(queued.pop(0))


def assert_same(found: list[dict], stored: list[dict]) -> None:
    assert len(found) == len(stored) > 0
    for one, other in zip(found, stored, strict=True):
        for name in ("target", "night", "opened_by", "closed_by", "orbit_trust"):
            assert one[name] == other[name]
        for name in ("starts_at", "ends_at"):
            times = (dt.datetime.fromisoformat(each[name]) for each in (one, other))
            assert abs(next(times) - next(times)) < dt.timedelta(milliseconds=10)
        assert [one[name] for name in FIGURES] == pytest.approx([other[name] for name in FIGURES], abs=1e-3)


def test_windows_are_those_that_would_be_stored_for_the_same_limits(
    client, catalogue, network, settings, monkeypatch, django_assert_num_queries
):
    settings.PLANNING_HORIZON_NIGHTS = 3
    monkeypatch.setattr("coordination.visibility.tasks.compute_chunk.delay", lambda pk: None)
    usual = [{name: getattr(telescope, name) for name in LIMITS} for telescope in network]
    for telescope in network:
        for name, value in LIMITS.items():
            setattr(telescope, name, value)
        telescope.save()
    middle = dt.datetime(2027, 2, 2, 4, tzinfo=dt.UTC)
    add_closure(telescope_id=network[0].pk, starts_at=middle, ends_at=middle + dt.timedelta(days=1), reason="works")
    planning.plan()
    for chunk_id in Chunk.objects.values_list("pk", flat=True):
        planning.run_chunk(chunk_id)
    span = planning.stored_span()
    query = {"after": instant(span.starts_at), "before": instant(span.ends_at), "limit": 100, "orbit_trust": "poor"}
    rows = client.get("/api/v1/windows/", query).json()["results"]
    stored = sorted(rows, key=lambda row: (row["starts_at"], row["target"]["designation"], row["telescope"]["id"]))

    for telescope, limits in zip(network, usual, strict=True):  # as they were: the request brings the limits
        type(telescope).objects.filter(pk=telescope.pk).update(**limits)
    names = [target.designation for target in catalogue.values()]
    given = body(network, targets=names, limits=LIMITS, after=query["after"], before=query["before"])
    with django_assert_num_queries(11):
        told = post(client, given).json()
    first = min(row["night"] for row in stored)  # nights that began before the span are not stored
    found = sorted(
        (window for window in told["windows"] if window["night"] >= first),
        key=lambda row: (row["starts_at"], row["target"]["designation"], row["telescope"]),
    )
    assert_same(found, stored)
    assert {row["closed_by"] for row in stored} >= {"closure", "altitude"}
    assert {place["limits"]["altitude_min_deg"] for place in told["places"]} == {28.0}


def test_little_work_and_a_computation_find_the_same(client, catalogue, network, queued, monkeypatch):
    at_once = post(client, body(network, limits=LIMITS)).json()
    monkeypatch.setattr(computations, "_TARGETS_OF_PART", 1)
    answer = post(client, body(network, limits=LIMITS, as_job=True), 202)
    job = answer.json()
    assert answer["Location"] == f"http://testserver{URL}{job['id']}/"
    assert (job["state"], job["progress"]) == ("queued", {"done": 0, "total": 2, "failed": 0})
    assert client.get(job["windows"]).status_code == 409
    computations.run_part(queued.pop(0))
    half_way = client.get(answer["Location"]).json()
    assert (half_way["state"], half_way["progress"]["done"]) == ("running", 1)
    run(queued)
    done = client.get(answer["Location"]).json()
    assert (done["state"], done["progress"]["done"]) == ("done", 2)
    assert done["finished_at"]
    rows = client.get(job["windows"], {"limit": 100}).json()["results"]
    assert_same(rows, at_once["windows"])
    assert done["places"] == at_once["places"]


def test_results_come_in_pages_and_as_tables(client, catalogue, network, queued):
    job = post(client, body(network, as_job=True), 202).json()
    run(queued)
    rows, url = [], job["windows"] + "?limit=5&order_by=-duration_s"
    while url:
        page = client.get(url).json()
        rows, url = rows + page["results"], page["next"]
    assert len(rows) == ComputedWindow.objects.count() > 5
    answer = client.get(job["windows"], {"format": "csv", "order_by": "-duration_s"})
    lines = list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode(), newline="")))
    assert [line["starts_at"] for line in lines] == [row["starts_at"] for row in rows]
    assert [float(line["v_mag"]) for line in lines] == [row["v_mag"] for row in rows]
    answer = client.get(job["windows"], headers={"Accept": "application/x-votable+xml"})
    table = parse(io.BytesIO(b"".join(answer.streaming_content)), verify="exception").get_first_table()
    assert len(table.array) == len(rows)
    sparse = client.get(job["windows"], {"fields": "place,v_mag"}).json()["results"]
    assert {tuple(sorted(row)) for row in sparse} == {("place", "v_mag")}


def test_a_place_given_by_its_coordinates_sees_what_its_observatory_sees(client, catalogue, network):
    observatory = Observatory.objects.get(mpc_code="W84")
    place = {n: getattr(observatory, n) for n in ("longitude_deg", "latitude_deg", "height_m")}
    sites = [{"mpc_code": "w84"}, {"observatory": observatory.pk}, {**place, "name": "=here"}]
    told = post(client, body(sites=sites)).json()
    assert [each["telescope"] for each in told["places"]] == [None] * 3
    by_place = {each["name"]: [] for each in told["places"]}
    for window in told["windows"]:
        by_place[window["place"]].append((window["starts_at"], window["ends_at"]))
    assert len(by_place[observatory.name]) == 2 * len(by_place["=here"]) > 0
    assert set(by_place[observatory.name]) == set(by_place["=here"])


def test_closures_count_unless_it_is_asked_otherwise(client, catalogue, network):
    start = dt.datetime(2027, 2, 1, tzinfo=dt.UTC)
    add_closure(telescope_id=network[0].pk, starts_at=start, ends_at=start + dt.timedelta(days=3), reason="works")
    assert post(client, body(network[:1])).json()["windows"] == []
    assert post(client, body(network[:1], with_closures=False)).json()["windows"]


def test_targets_without_windows_are_told_with_the_reason(client, catalogue, network, queued):
    Orbit.objects.filter(target=catalogue["Ivar"]).update(
        u_parameter="8", arc_days=4.0, last_observed_on=dt.date(2025, 12, 1)
    )
    Target.objects.create(designation="2027 AA", name="").designations.create(text="2027 AA", key="2027AA")
    given = body(network, targets=["Ivar", "1036", "2027 AA"])
    told = post(client, given).json()
    assert {window["target"]["designation"] for window in told["windows"]} == {"1036"}
    reasons = {each["target"]: each["reason"] for each in told["left_out"]}
    assert set(reasons) == {"1627", "2027 AA"}
    assert reasons["1627"].startswith("orbit unusable on 2027-02-01")
    assert reasons["2027 AA"].startswith("no orbit")
    job = post(client, {**given, "as_job": True}, 202).json()
    run(queued)
    told = client.get(f"{URL}{job['id']}/").json()
    assert {each["target"]: each["reason"] for each in told["left_out"]} == reasons
    Target.objects.filter(name="Ivar").update(visibility="campaign")
    assert [each["target"] for each in client.get(f"{URL}{job['id']}/").json()["left_out"]] == ["2027 AA"]


def test_a_cancelled_computation_keeps_nothing_and_computes_no_more(client, catalogue, network, queued, monkeypatch):
    monkeypatch.setattr(computations, "_TARGETS_OF_PART", 1)
    job = post(client, body(network, as_job=True), 202).json()
    computations.run_part(queued.pop(0))
    assert ComputedWindow.objects.exists()

    whole = computations.windows_of

    def cancelled_meanwhile(*args):
        assert client.post(f"{URL}{job['id']}/cancel/").status_code == 200
        return whole(*args)

    monkeypatch.setattr(computations, "windows_of", cancelled_meanwhile)
    computations.run_part(queued.pop(0))
    assert client.get(f"{URL}{job['id']}/").json()["state"] == "cancelled"
    assert not ComputedWindow.objects.exists()
    with time_machine.travel(dt.datetime(2027, 2, 1, 13, tzinfo=dt.UTC)):
        assert computations.sweep() == 0
    again = client.post(f"{URL}{job['id']}/cancel/")
    assert (again.status_code, again.json()["state"]) == (409, "cancelled")
    assert client.get(job["windows"]).status_code == 409


def test_a_part_whose_worker_was_killed_is_swept_up_and_done_again(client, catalogue, network, queued, monkeypatch):
    job = post(client, body(network, as_job=True), 202).json()
    (part,) = queued
    monkeypatch.setattr(computations, "windows_of", lambda *args: (_ for _ in ()).throw(SystemExit))
    with pytest.raises(SystemExit):
        computations.run_part(queued.pop())
    monkeypatch.undo()
    assert ComputationPart.objects.get().state == "pending"
    monkeypatch.setattr("coordination.visibility.tasks.compute_part.delay_on_commit", queued.append)
    assert computations.sweep() == 0, "its task may still be on its way"
    monkeypatch.setattr(computations, "REQUEUE_AFTER", dt.timedelta(seconds=-1))
    assert computations.sweep() == 1
    assert queued == [part]
    run(queued)
    assert client.get(f"{URL}{job['id']}/").json()["state"] == "done"
    count = ComputedWindow.objects.count()
    computations.run_part(part)  # delivered twice
    assert ComputedWindow.objects.count() == count > 0


def test_a_part_that_keeps_failing_is_given_up(client, catalogue, network, queued, monkeypatch):
    def broken(*args):
        raise RuntimeError("broken")

    job = post(client, body(network, as_job=True), 202).json()
    (part,) = queued
    monkeypatch.setattr(computations, "windows_of", broken)
    for _ in range(planning.MAX_ATTEMPTS):
        with pytest.raises(RuntimeError):
            computations.run_part(part)
    told = client.get(f"{URL}{job['id']}/").json()
    assert (told["state"], told["progress"]) == ("failed", {"done": 1, "total": 1, "failed": 1})
    assert ComputationPart.objects.get().error == "RuntimeError: broken"


def test_one_caller_may_have_so_many_under_way(client, catalogue, network, queued):
    for _ in range(computations.MOST_UNDER_WAY):
        post(client, body(network[:1], as_job=True), 202)
    refused = post(client, body(network[:1], as_job=True), 409)
    assert refused.json()["code"] == "too-many-computations"
    post(client, body(network[:1]))  # little work is done at once
    computations.run_part(queued.pop(0))
    post(client, body(network[:1], as_job=True), 202)


def test_computations_are_private_to_who_asked(client, catalogue, network, queued):
    organisations = [Organisation.objects.create(name=name, slug=name) for name in ("one", "other")]
    tokens = [create_token(each.pk, name="robot", scopes=[Scope.READ])[1] for each in organisations]
    one, other = (Client(headers={"Authorization": f"Bearer {token}"}) for token in tokens)
    stranger = Client()
    stranger.force_login(User.objects.create_user("stranger", "s@example.org", "not-a-real-password"))
    job, mine = (post(each, body(network[:1], as_job=True), 202).json() for each in (one, client))
    run(queued)
    for reader, seen in ((one, {job["id"]}), (client, {mine["id"]}), (other, set()), (stranger, set())):
        assert {row["id"] for row in reader.get(URL).json()["results"]} == seen
        for each in (job, mine):
            status = 200 if each["id"] in seen else 404
            assert reader.get(f"{URL}{each['id']}/").status_code == status
            assert reader.get(each["windows"]).status_code == status
    assert other.post(f"{URL}{job['id']}/cancel/").status_code == 404
    assert Client().get(URL).status_code == 401
    assert Client().post(URL, body(network), content_type="application/json").status_code == 401


def test_windows_of_a_target_that_has_become_confidential_are_no_longer_shown(client, catalogue, network, queued):
    job = post(client, body(network, as_job=True), 202).json()
    run(queued)
    Target.objects.filter(name="Ivar").update(visibility="campaign")
    rows = client.get(job["windows"], {"limit": 100}).json()["results"]
    assert {row["target"]["designation"] for row in rows} == {"1036"}
    refused, unknown = (post(client, body(network, targets=[name]), 400).json() for name in ("1627", "162799"))
    assert [each["field"] for each in refused["errors"]] == ["targets"]
    assert refused["detail"].partition(".")[0] == unknown["detail"].partition(".")[0].replace("162799", "1627")


def test_expired_computations_are_deleted_with_their_windows(client, catalogue, network, queued, settings):
    settings.WINDOW_COMPUTATION_RETENTION_DAYS = 2
    job = post(client, body(network, as_job=True), 202).json()
    run(queued)
    assert dt.datetime.fromisoformat(job["expires_at"]) - dt.datetime.fromisoformat(job["created_at"]) == dt.timedelta(
        2
    )
    assert computations.remove_expired(clock.now()) == 0
    with time_machine.travel(dt.datetime(2027, 2, 4, tzinfo=dt.UTC)):
        assert computations.remove_expired(clock.now()) == 1
    assert not WindowComputation.objects.exists()
    assert not ComputedWindow.objects.exists()


REFUSED = [
    ({"targets": []}, "targets"),
    ({"targets": ["nobody"]}, "targets"),
    ({}, "telescopes"),
    ({"telescopes": [999999]}, "telescopes"),
    ({"sites": [{}]}, "sites.0"),
    ({"sites": [{"mpc_code": "XXX"}]}, "sites.0.mpc_code"),
    ({"sites": [{"mpc_code": "250"}]}, "sites.0.mpc_code"),
    ({"sites": [{"longitude_deg": 5}]}, "sites.0.latitude_deg"),
    ({"sites": [{"mpc_code": "W84", "height_m": 5}]}, "sites.0.height_m"),
    ({"sites": [{"mpc_code": "W84", "colour": 5}]}, "sites.0.colour"),
    ({"limits": {"altitude_min_deg": 95}}, "limits.altitude_min_deg"),
    ({"limits": {"altitude_min_deg": None}}, "limits.altitude_min_deg"),
    ({"limits": {"altitude_min_deg": 50, "altitude_max_deg": 40}}, "limits.altitude_max_deg"),
    ({"limits": {"hour_angle_min_h": 2, "hour_angle_max_h": 1}}, "limits.hour_angle_max_h"),
    ({"limits": {"colour": 1}}, "limits.colour"),
    ({"before": AFTER}, "before"),
    ({"before": "2029-02-04T00:00:00Z"}, "before"),
    ({"after": "2080-02-04T00:00:00Z", "before": "2080-02-05T00:00:00Z"}, "before"),
    ({"colour": 1}, "colour"),
]


def test_what_cannot_be_computed_is_refused_by_field(client, catalogue, network):
    for more, field in REFUSED:
        places = {} if {"telescopes", "sites"} & more.keys() or not more else {"sites": [{"mpc_code": "W84"}]}
        answer = post(client, {**body(), **places, **more}, 400)
        assert answer["Content-Type"] == "application/problem+json"
        assert [each["field"] for each in answer.json()["errors"]] == [field], answer.json()


def test_more_work_than_anybody_may_ask_for_is_refused(client, catalogue, network, monkeypatch):
    monkeypatch.setattr(computations, "MOST_NIGHTS", 5)
    assert "at most 5 nights" in post(client, body(network, as_job=True), 400).json()["detail"]
