"""Targets as the API shows them."""

import datetime as dt
from urllib.parse import quote

import pytest

from targets.models import Ephemeris, Target

pytestmark = pytest.mark.django_db

TARGETS = "/api/v1/targets/"


def designations(client, **query):
    response = client.get(TARGETS, query)
    assert response.status_code == 200, response.content
    return [row["designation"] for row in response.json()["results"]]


@pytest.fixture
def ephemeris(apophis):
    start = dt.datetime(2026, 11, 22, tzinfo=dt.UTC)
    return Ephemeris.objects.create(
        target=apophis,
        orbit=apophis.current_orbit,
        starts_at=start,
        ends_at=start + dt.timedelta(days=16),
        earth_orientation="IERS-B 2026-10-01",
        engine="1",
        accuracy_arcsec=0.01,
        brightest_v_mag=20.4,
        state=b"\x00" * 48,
        blocks=b"secret blocks",
        computed_at=start,
    )


@pytest.mark.parametrize(
    "text",
    ["99942", "(99942)", "Apophis", "apophis", "2004 MN4", "2004MN4", "K04M04N", "99942 Apophis (2004 MN4)"],
)
def test_one_target_under_any_designation(client, catalogue, text):
    response = client.get(f"{TARGETS}{quote(text)}/")
    assert response.status_code == 200, response.content
    assert response.json()["designation"] == "99942"
    assert response.json()["name"] == "Apophis"


def test_a_target_with_all_there_is_of_it(client, apophis, ephemeris, django_assert_max_num_queries):
    with django_assert_max_num_queries(7):
        body = client.get(f"{TARGETS}Apophis/").json()
    assert {(d["text"], d["kind"]) for d in body["designations"]} == {
        ("99942", "number"),
        ("2004 MN4", "provisional"),
        ("Apophis", "name"),
    }
    orbit = body["current_orbit"]
    assert (orbit["a_au"], orbit["e"], orbit["i_deg"]) == (0.9223803, 0.1911663, 3.34096)
    assert (orbit["epoch_tdb_jd"], orbit["h_mag"], orbit["source"]) == (2461000.5, 19.0, "mpc")
    assert (orbit["arc_text"], orbit["u_parameter"], orbit["last_observed_on"]) == ("2004-2021", "0", "2021-05-20")
    assert body["ephemeris"] == {
        "source": "propagated",
        "solution": "",
        "orbit": orbit["id"],
        "starts_at": "2026-11-22T00:00:00Z",
        "ends_at": "2026-12-08T00:00:00Z",
        "earth_orientation": "IERS-B 2026-10-01",
        "accuracy_arcsec": 0.01,
        "brightest_v_mag": 20.4,
        "has_positions": True,
        "impact_at": None,
        "computed_at": "2026-11-22T00:00:00Z",
    }


def test_before_the_first_computation_there_is_no_ephemeris(client, catalogue):
    assert client.get(f"{TARGETS}433/").json()["ephemeris"] is None


def test_a_target_without_an_orbit(client, apophis):
    Target.objects.filter(pk=apophis.pk).update(current_orbit=None)
    assert client.get(f"{TARGETS}99942/").json()["current_orbit"] is None


def test_a_page_costs_one_query_however_long(client, catalogue, django_assert_num_queries):
    for limit in (2, 33):
        with django_assert_num_queries(1):
            rows = client.get(TARGETS, {"limit": limit}).json()["results"]
        assert len(rows) == limit
        assert all(row["current_orbit"]["a_au"] for row in rows)


@pytest.mark.parametrize("text", ["99942", "Apophis", "2004 MN4", "K04M04N", "k04m04n", "99942 Apophis"])
def test_filter_by_any_designation(client, catalogue, text):
    assert designations(client, designation=text) == ["99942"]


def test_filters(client, catalogue):
    assert designations(client, name="pop") == ["99942"]
    assert designations(client, orbit_class="atira") == ["163693", "594913"]
    assert designations(client, is_pha="true", orbit_class="Aten") == ["99942"]
    assert designations(client, h_max="10.38", order_by="h_mag") == ["1036", "433"]
    assert designations(client, h_min="28.5", order_by="designation") == ["1991 BA", "1994 ES1"]
    assert "2010 LB67" not in designations(client, u_max="9", limit=100)
    assert "2006 WO130" not in designations(client, u_max="9", limit=100)
    assert set(designations(client, u_max="1", limit=100)) >= {"2001 BB16", "594913", "433"}
    assert "2024 YR4" not in designations(client, u_max="3", limit=100)
    assert "2024 YR4" in designations(client, u_max="4", limit=100)
    assert set(designations(client, last_observed_after="2026-02-10")) >= {"433"}
    assert "99942" not in designations(client, last_observed_after="2021-05-21", limit=100)
    assert "99942" in designations(client, last_observed_after="2021-05-20", limit=100)


@pytest.mark.parametrize("order_by", ["designation", "h_mag", "-last_observed_on", ""])
def test_pages_hang_together(client, catalogue, order_by):
    address = f"{TARGETS}?limit=5" + (f"&order_by={order_by}" if order_by else "")
    seen = []
    while address:
        page = client.get(address).json()
        seen += page["results"]
        address = page["next"]
    assert len(seen) == len({row["designation"] for row in seen}) == 33
    if order_by == "h_mag":
        known = [row["current_orbit"]["h_mag"] for row in seen]
        assert known[-2:] == [None, None]
        assert known[:-2] == sorted(known[:-2])
    if order_by == "-last_observed_on":
        days = [row["current_orbit"]["last_observed_on"] for row in seen]
        assert days == sorted(days, reverse=True)
    if order_by == "designation":
        names = [row["designation"] for row in seen]
        assert names == sorted(names)


@pytest.mark.parametrize(
    "query",
    [
        "h_min=bright",
        "h_max=nan",
        "u_max=10",
        "u_max=-1",
        "u_max=x",
        "is_pha=perhaps",
        "last_observed_after=yesterday",
        "order_by=mass",
        "limit=0",
        "cursor=zzz",
        "hmax=20",
        "name=%00",
    ],
)
def test_a_bad_parameter_is_refused_by_name(client, catalogue, query):
    response = client.get(f"{TARGETS}?{query}")
    assert response.status_code == 400
    assert response["Content-Type"] == "application/problem+json"
    (error,) = response.json()["errors"]
    assert error["field"] == query.partition("=")[0]


@pytest.mark.parametrize("text", ["Apofis", "2004 MN5", "%", "'; drop table", "x" * 1000, "\x00"])
def test_an_unknown_target_is_a_problem_with_the_nearest(client, catalogue, text):
    response = client.get(f"{TARGETS}{quote(text)}/")
    assert response.status_code == 404
    assert response["Content-Type"] == "application/problem+json"
    body = response.json()
    assert body["type"] == "urn:neo-coordination:problem:not-found"
    assert isinstance(body["nearest"], list)
    if text == "Apofis":
        assert "Apophis" in body["nearest"]


def test_what_the_asker_may_not_see_is_as_unknown_as_what_is_not_there(client, signed_in_client, secret):
    assert signed_in_client.get(f"{TARGETS}2024%20YR4/").status_code == 200
    assert "2024 YR4" in designations(signed_in_client, limit=100)
    assert "2024 YR4" not in designations(client, limit=100)
    assert designations(client, designation="2024 YR4") == designations(client, designation="K24Y04R") == []
    hidden = client.get(f"{TARGETS}2024%20YR4/")
    Target.objects.filter(pk=secret.pk).delete()
    absent = client.get(f"{TARGETS}2024%20YR4/")
    assert hidden.status_code == absent.status_code == 404
    assert hidden.content == absent.content


def test_a_campaigns_target_is_seen_by_no_stranger(client, signed_in_client, secret):
    Target.objects.filter(pk=secret.pk).update(visibility=Target.Visibility.CAMPAIGN)
    assert signed_in_client.get(f"{TARGETS}2024%20YR4/").status_code == 404
    assert "2024 YR4" not in designations(signed_in_client, limit=100)


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_nothing_is_written_here(client, catalogue, method):
    assert getattr(client, method)(f"{TARGETS}433/").status_code == 405
