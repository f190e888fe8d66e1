"""The windows of the API, as a partner's software meets them."""

import datetime as dt

import pytest

from coordination.visibility import planning
from coordination.visibility.models import Chunk, VisibilityWindow
from targets.models import Target

URL = "/api/v1/windows/"


pytestmark = pytest.mark.usefixtures("well_placed")  # before anybody signs in


@pytest.fixture
def computed(catalogue, network, settings, monkeypatch):
    settings.PLANNING_HORIZON_NIGHTS = 3
    ids: list[int] = []
    monkeypatch.setattr("coordination.visibility.tasks.compute_chunk.delay", ids.append)
    planning.plan()
    # Inside the test's transaction nothing is queued: there is no commit.
    for chunk_id in Chunk.objects.values_list("pk", flat=True):
        planning.run_chunk(chunk_id)
    return catalogue


def key(row):
    return row["target"]["designation"], row["telescope"]["id"], row["starts_at"]


def instant(moment: dt.datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.mark.django_db
def test_pages_hold_all_windows_in_order(client, computed):
    span = planning.stored_span()
    query = {"after": instant(span.starts_at), "limit": 7}
    seen, url = [], None
    while True:
        page = client.get(url) if url else client.get(URL, query)
        seen += page.json()["results"]
        url = page.json()["next"]
        if url is None:
            break
    expected = VisibilityWindow.objects.filter(ends_at__gt=span.starts_at).order_by("starts_at", "id")
    assert [key(row) for row in seen] == [
        (w.target.designation, w.telescope_id, w.starts_at.isoformat().replace("+00:00", "Z"))
        for w in expected.select_related("target")
    ]
    assert {row["opened_by"] for row in seen} <= {"sun", "altitude", "moon", "night", "span", "magnitude"}
    assert seen[0]["starts_at"].endswith("Z")


@pytest.mark.django_db
def test_a_page_costs_the_same_number_of_queries_whatever_its_length(client, computed, django_assert_num_queries):
    after = instant(planning.stored_span().starts_at)
    for limit in (1, 50):
        with django_assert_num_queries(7):  # the span twice, the windows, and the four kinds of rows that they share
            client.get(URL, {"after": after, "limit": limit})


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["1627", "Ivar", "1929 SH", "J29S00H", "(1627) Ivar"])
def test_windows_of_a_target_under_any_designation(client, computed, name):
    rows = client.get(URL, {"target": name}).json()["results"]
    assert rows
    assert {row["target"]["designation"] for row in rows} == {"1627"}


@pytest.mark.django_db
def test_filters(client, computed):
    after = instant(planning.stored_span().starts_at)
    everything = client.get(URL, {"after": after, "limit": 100}).json()["results"]

    def ids(**query):
        return {key(row) for row in client.get(URL, {"after": after, "limit": 100, **query}).json()["results"]}

    assert ids(observatory="Q63") == {key(r) for r in everything if r["telescope"]["mpc_code"] == "Q63"}
    assert ids(organisation="network") == {key(r) for r in everything}
    assert ids(min_duration_s=20000) == {key(r) for r in everything if r["duration_s"] >= 20000}
    assert ids(v_max=16) == {key(r) for r in everything if r["v_mag"] <= 16}
    middle = everything[len(everything) // 2]["starts_at"]
    assert ids(before=middle) == {key(r) for r in everything if r["starts_at"] < middle}
    telescope = everything[0]["telescope"]["id"]
    assert ids(telescope=telescope) == {key(r) for r in everything if r["telescope"]["id"] == telescope}


def believe(target, level: int, major: float) -> None:
    """Have a target's ephemeris say so of every day."""
    ephemeris = target.ephemeris
    days = len(ephemeris.trust_levels)
    ephemeris.trust_levels, ephemeris.sigma_major_arcsec = [level] * days, [major] * days
    ephemeris.save()


@pytest.mark.django_db
def test_poor_orbits_are_left_out_unless_asked_for_and_the_list_says_so(client, computed):
    believe(computed["Ivar"], level=2, major=700.0)
    page = client.get(URL, {"limit": 100}).json()
    assert "good or fair" in page["orbits"]
    assert "1627" not in {row["target"]["designation"] for row in page["results"]}
    assert {row["orbit_trust"] for row in page["results"]} == {"good"}
    everything = client.get(URL, {"limit": 100, "orbit_trust": "poor"}).json()
    assert everything["orbits"] == "every orbit"
    assert "1627" in {row["target"]["designation"] for row in everything["results"]}
    named = client.get(URL, {"target": "Ivar"}).json()
    assert {row["orbit_trust"] for row in named["results"]} == {"poor"}


@pytest.mark.django_db
def test_a_window_says_its_uncertainty_and_until_which_night_it_fits_the_field(client, computed):
    ivar = computed["Ivar"]
    row = client.get(URL, {"target": "Ivar"}).json()["results"][0]
    assert row["uncertainty"]["is_estimate"] is True
    assert 0.1 <= row["uncertainty"]["minor_arcsec"] <= row["uncertainty"]["major_arcsec"] < 5.0
    assert (row["fits_field"], row["uncertainty"]["nonlinear"]) == (True, "")
    assert row["fits_field_until"] >= row["night"]
    # Fields of 0.5 deg hold 3-sigma while 1-sigma is at most 300".
    ephemeris = ivar.ephemeris
    first = ephemeris.starts_at.date()
    day = (dt.date.fromisoformat(row["night"]) + dt.timedelta(days=1) - first).days
    majors = [300.0 if k <= day else 301.0 for k in range(len(ephemeris.sigma_major_arcsec))]
    type(ephemeris).objects.filter(pk=ephemeris.pk).update(sigma_major_arcsec=majors)
    rows = client.get(URL, {"target": "Ivar", "limit": 100}).json()["results"]
    for each in rows:
        night = (each["starts_at"][:10], each["fits_field"], each["fits_field_until"])
        assert each["fits_field"] == (each["uncertainty"]["major_arcsec"] <= 300.0), night
        assert (each["fits_field_until"] is None) == (not each["fits_field"]), night
    told = {each["fits_field"] for each in rows}
    assert told == {True, False}
    for asked in (True, False):
        some = client.get(URL, {"target": "Ivar", "limit": 100, "fits_field": str(asked).lower()}).json()["results"]
        assert {key(each) for each in some} == {key(each) for each in rows if each["fits_field"] is asked}


@pytest.mark.django_db
def test_where_nothing_is_known_of_an_orbit_a_window_says_so(client, computed):
    ephemeris = computed["Ivar"].ephemeris
    type(ephemeris).objects.filter(pk=ephemeris.pk).update(sigma_major_arcsec=None, trust_levels=None)
    row = client.get(URL, {"target": "Ivar"}).json()["results"][0]
    names = ("orbit_trust", "uncertainty", "fits_field", "fits_field_until", "v_sigma_mag")
    assert [row[name] for name in names] == [None] * 5


@pytest.mark.django_db
def test_windows_of_a_target_that_is_not_public_are_nobodys_but_of_those_who_are_signed_in(
    client, signed_in_client, computed
):
    Target.objects.filter(name="Ivar").update(visibility="signed_in")
    refused = client.get(URL, {"target": "Ivar"})
    unknown = client.get(URL, {"target": "Ivax"})
    assert refused.status_code == unknown.status_code == 400
    assert "1627" not in {row["target"]["designation"] for row in client.get(URL, {"limit": 100}).json()["results"]}
    assert signed_in_client.get(URL, {"target": "Ivar"}).json()["results"]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"after": "2026-11-22T18:00:00"}, "after"),
        ({"after": "yesterday"}, "after"),
        ({"after": "100%"}, "after"),
        ({"before": "1999-01-01T00:00:00Z"}, "before"),
        ({"min_duration_s": "long"}, "min_duration_s"),
        ({"orbit_trust": "unusable"}, "orbit_trust"),
        ({"fits_field": "perhaps"}, "fits_field"),
        ({"limit": "1000"}, "limit"),
        ({"traget": "Eros"}, "traget"),
        ({"observatory": "ZZZ"}, "observatory"),
        ({"observatory": "250"}, "observatory"),  # Hubble has no fixed place
        ({"telescope": "999999"}, "telescope"),
        ({"telescope": "1.5"}, "telescope"),
        ({"telescope": "1e30"}, "telescope"),
        ({"organisation": "nobody"}, "organisation"),
    ],
)
def test_bad_input_is_a_problem_that_names_the_field(client, computed, query, field):
    answer = client.get(URL, query)
    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"
    problem = answer.json()
    assert problem["type"] == "urn:neo-coordination:problem:invalid-input"
    assert field in {error["field"] for error in problem["errors"]}


@pytest.mark.django_db
def test_a_time_outside_the_stored_span_is_refused_naming_the_span(client, computed):
    span = planning.stored_span()
    answer = client.get(URL, {"after": instant(span.ends_at + dt.timedelta(days=1))})
    assert answer.status_code == 400
    assert instant(span.ends_at) in answer.json()["detail"]


@pytest.mark.django_db
def test_an_unknown_target_comes_with_its_nearest(client, computed):
    answer = client.get(URL, {"target": "Ivarr"})
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == "target"
    assert answer.json()["nearest"] == ["Ivar"]
