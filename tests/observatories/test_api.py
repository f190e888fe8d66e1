"""Observatories and telescopes as the API shows them to everybody."""

import pytest

from observatories import services
from observatories.sources.obscodes import find_code

pytestmark = pytest.mark.django_db

OBSERVATORIES, TELESCOPES = "/api/v1/observatories/", "/api/v1/telescopes/"


@pytest.fixture
def places(db):
    services.import_observatories([find_code(code) for code in ("309", "X05", "000", "250", "474", "F51")])


def codes(client, **query):
    response = client.get(OBSERVATORIES, query)
    assert response.status_code == 200, response.content
    return [row["mpc_code"] for row in response.json()["results"]]


def test_an_observatory_is_described(client, places, django_assert_num_queries):
    with django_assert_num_queries(1):
        response = client.get(OBSERVATORIES, {"mpc_code": "309"})
    [paranal] = response.json()["results"]
    assert paranal["name"] == "Cerro Paranal"
    assert paranal["longitude_deg"] == -70.40431
    assert (paranal["kind"], paranal["coordinate_source"]) == ("fixed", "mpc")
    assert paranal["time_zone"] == "America/Santiago"
    assert client.get(f"{OBSERVATORIES}{paranal['id']}/").json() == paranal


def test_observatories_are_filtered(client, places, telescope):
    assert codes(client, mpc_code="x05") == ["X05"]
    assert codes(client, kind="unfixed") == ["250"]
    assert codes(client, name="rubin") == ["X05"]
    assert codes(client, has_telescopes="true") == ["ZZ9"]
    assert "ZZ9" not in codes(client, has_telescopes="false")
    assert codes(client, bbox="-80,-40,-60,0", order_by="mpc_code") == ["309", "X05", "ZZ9"]
    assert codes(client, bbox="160,-60,-150,60", order_by="mpc_code") == ["474", "F51"]
    assert codes(client, bbox="0,50,0,52") == ["000"]
    assert client.get(OBSERVATORIES, {"kind": "unfixed"}).json()["results"][0]["longitude_deg"] is None


def test_pages_hang_together(client, places):
    seen, address = [], f"{OBSERVATORIES}?limit=2&order_by=longitude_deg"
    while address:
        page = client.get(address).json()
        seen += [row["mpc_code"] for row in page["results"]]
        address = page["next"]
    assert seen == ["F51", "X05", "309", "000", "474", "250"]  # the spacecraft, without a longitude, comes last


@pytest.mark.parametrize(
    ("query", "field", "detail"),
    [
        ("kind=floating", "kind", "not one of the available choices"),
        ("has_telescopes=perhaps", "has_telescopes", "neither true nor false"),
        ("bbox=1,2,3", "bbox", "not four numbers"),
        ("bbox=0,10,10,0", "bbox", "south not above north"),
        ("bbox=nan,0,10,10", "bbox", "no box"),
        ("mpc=309", "mpc", "Not a parameter here"),
        ("order_by=height_m", "order_by", "not an order"),
        ("limit=0", "limit", "whole number from 1 to 100"),
    ],
)
def test_bad_questions_are_answered_with_what_is_wrong(client, query, field, detail):
    response = client.get(f"{OBSERVATORIES}?{query}")
    assert response.status_code == 400
    assert response["Content-Type"] == "application/problem+json"
    [error] = response.json()["errors"]
    assert error["field"] == field
    assert detail in error["detail"]


def test_the_demo_network_is_one_query(client, db, django_assert_num_queries):
    services.load_demo()
    with django_assert_num_queries(1):
        response = client.get(TELESCOPES, {"limit": 100})
    rows = response.json()["results"]
    assert len(rows) == 35
    rubin = next(row for row in rows if row["observatory"]["mpc_code"] == "X05")
    assert rubin["organisation"] == {
        "slug": "rubin", "name": "Vera C. Rubin Observatory", "website": "https://rubinobservatory.org/",
    }  # fmt: skip
    assert rubin["observatory"]["time_zone"] == "America/Santiago"
    assert rubin["limiting_v_mag"] == 24.0
    assert rubin["hour_angle_min_h"] is None
    assert rubin["is_demo"] is True


def test_telescopes_are_filtered(client, db):
    services.load_demo()

    def names(**query):
        response = client.get(TELESCOPES, {"limit": 100, **query})
        assert response.status_code == 200, response.content
        return [row["name"] for row in response.json()["results"]]

    assert names(observatory="f51") == ["Pan-STARRS 1"]
    assert set(names(organisation="catalina")) == {"Mt. Lemmon 1.5 m", "Mt. Lemmon 1.0 m", "Catalina 0.7 m Schmidt"}
    assert names(state="retired") == []
    assert set(names(aperture_min_m=2.4, aperture_max_m=3)) == {"WFST 2.5 m", "Magdalena Ridge 2.4 m"}
    assert names(order_by="-aperture_m")[0] == "Simonyi Survey Telescope"
    assert names(name="faulkes") == ["Faulkes Telescope North", "Faulkes Telescope South"]


@pytest.mark.parametrize("query", ["state=broken", "aperture_min_m=big", "aperture_min_m=nan", "colour=red"])
def test_bad_questions_about_telescopes(client, db, query):
    response = client.get(f"{TELESCOPES}?{query}")
    assert response.status_code == 400
    assert response.json()["errors"][0]["field"] == query.split("=")[0]


def test_what_is_not_there_is_a_problem_404(client, db):
    response = client.get(f"{TELESCOPES}999999/")
    assert (response.status_code, response["Content-Type"]) == (404, "application/problem+json")


def test_nothing_is_written_here(client, places):
    assert client.post(OBSERVATORIES, {"name": "x"}).status_code in (403, 405)
    assert client.delete(f"{OBSERVATORIES}1/").status_code in (403, 405)
