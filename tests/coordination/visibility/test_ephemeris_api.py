"""Ephemerides as a partner's software asks for them."""

import csv
import io
import json

import pytest
from astropy.io.votable import parse
from django.core.management import call_command

from observatories.models import Observatory
from targets.models import Orbit, Target

SPAN = {"start": "2026-11-22T00:00:00Z", "stop": "2026-11-22T06:00:00Z", "step": "3h"}
pytestmark = pytest.mark.django_db


def address(name: str = "Ivar") -> str:
    return f"/api/v1/targets/{name}/ephemeris/"


def of_command(*arguments: str) -> list[dict]:
    stdout = io.StringIO()
    times = ("--start", SPAN["start"], "--stop", SPAN["stop"], "--step", SPAN["step"])
    call_command("ephemeris", *arguments, *times, "--format", "json", stdout=stdout)
    rows = json.loads(stdout.getvalue())
    return [{name: value for name, value in row.items() if name not in ("name", "site")} for row in rows]


@pytest.mark.parametrize("site", ["W84", "500"])
def test_the_rows_are_those_of_the_command(client, catalogue, site):
    for name in ("Ivar", "1627", "1929 SH"):
        answer = client.get(address(name), {"site": site, **SPAN})
        assert answer.status_code == 200, answer.json()
        told = answer.json()
        assert told["rows"] == of_command("--target", name, "--site", site)
        assert (told["target"]["designation"], told["site"]["name"], told["left_out"]) == ("1627", site, [])
    assert (told["site"]["longitude_deg"] is None) == (site == "500")


def test_ellipses_are_those_of_the_command_and_say_what_they_are(client, catalogue):
    rows = client.get(address(), {"site": "W84", **SPAN, "uncertainty": "true"}).json()["rows"]
    flags = [(row.pop("unc_is_estimate"), row.pop("unc_nonlinear")) for row in rows]
    assert rows == of_command("--target", "Ivar", "--site", "W84", "--uncertainty")
    assert flags == [(True, "")] * 3


def test_any_site_is_accepted_in_four_ways(client, network, catalogue):
    observatory = Observatory.objects.get(mpc_code="W84")
    place = {n: getattr(observatory, n) for n in ("longitude_deg", "latitude_deg", "height_m")}
    ways = ({"site": "w84"}, {"observatory": observatory.pk}, {"telescope": network[0].pk}, place)
    answers = [client.get(address(), {**way, **SPAN}).json()["rows"] for way in ways]
    assert answers[1] == answers[2] == answers[3]
    for one, other in zip(answers[0], answers[1], strict=True):
        assert one["alt_deg"] == pytest.approx(other["alt_deg"], abs=1e-6)


def test_a_list_of_times_in_place_of_a_span(client, catalogue):
    times = "2026-11-22T06:00:00Z,2026-11-22T01:00:00+01:00,2026-11-22T03:00:00Z"
    told = client.get(address(), {"site": "W84", "times": times}).json()
    assert told["rows"] == client.get(address(), {"site": "W84", **SPAN}).json()["rows"]


def test_tables_have_the_same_rows_with_units(client, catalogue):
    query = {"site": "W84", **SPAN, "uncertainty": "true"}
    expected = client.get(address(), query).json()["rows"]
    answer = client.get(address(), {**query, "format": "csv"})
    rows = list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode(), newline="")))
    assert [list(row) for row in rows] == [list(row) for row in expected]
    assert [row["utc"] for row in rows] == [row["utc"] for row in expected]
    assert [float(row["ra_deg"]) for row in rows] == [row["ra_deg"] for row in expected]
    answer = client.get(address(), query, headers={"Accept": "application/x-votable+xml"})
    table = parse(io.BytesIO(b"".join(answer.streaming_content)), verify="exception").get_first_table()
    units = {field.name: str(field.unit or "") for field in table.fields}
    assert (units["delta_au"], units["ra_deg"], units["rate_arcsec_min"]) == ("AU", "deg", "arcsec / min")
    assert table.array["dec_deg"].tolist() == [row["dec_deg"] for row in expected]
    assert table.array["unc_is_estimate"].tolist() == [True] * 3
    sparse = client.get(address(), {**query, "fields": "utc,v_mag"}).json()["rows"]
    assert sparse == [{"utc": row["utc"], "v_mag": row["v_mag"]} for row in expected]


def test_an_unusable_orbit_is_refused_with_the_reason(client, catalogue):
    Orbit.objects.filter(target=catalogue["Ivar"]).update(u_parameter="8", arc_days=4.0, last_observed_on="2025-12-01")
    for more in ({}, {"format": "csv"}):
        answer = client.get(address(), {"site": "W84", **SPAN, **more})
        assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json")
        assert "orbit unusable on 2026-11-22" in answer.json()["detail"]


def test_a_target_that_one_may_not_see_is_unknown(client, catalogue):
    Target.objects.filter(name="Ivar").update(visibility="campaign")
    hidden, unknown = (client.get(address(name), {"site": "W84", **SPAN}) for name in ("1627", "9999"))
    assert (hidden.status_code, unknown.status_code) == (404, 404)
    assert hidden.json()["detail"].replace("1627", "9999").partition(".")[0] in unknown.json()["detail"]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        (SPAN, "site"),
        ({"site": "W84", "telescope": 1, **SPAN}, "site"),
        ({"site": "XXX", **SPAN}, "site"),
        ({"site": "250", **SPAN}, "site"),
        ({"telescope": 77, **SPAN}, "telescope"),
        ({"longitude_deg": 10, **SPAN}, "latitude_deg"),
        ({"longitude_deg": "nan", "latitude_deg": 1, **SPAN}, "longitude_deg"),
        ({"height_m": 10, "site": "W84", **SPAN}, "height_m"),
        ({"site": "W84"}, "start"),
        ({"site": "W84", **SPAN, "times": SPAN["start"]}, "times"),
        ({"site": "W84", **SPAN, "step": "1s"}, "step"),
        ({"site": "W84", **SPAN, "step": "0d"}, "step"),
        ({"site": "W84", **SPAN, "step": "1w"}, "step"),
        ({"site": "W84", **SPAN, "stop": "2026-11-21T00:00:00Z"}, "stop"),
        ({"site": "W84", **SPAN, "start": "2026-11-21T00:00:00"}, "start"),
        ({"site": "W84", **SPAN, "start": "1700-01-01T00:00:00Z", "step": "99999d"}, "start"),
        ({"site": "W84", **SPAN, "fields": "utc,colour"}, "fields"),
        ({"site": "W84", **SPAN, "fields": "unc_pa_deg"}, "fields"),
        ({"site": "W84", **SPAN, "colour": "red"}, "colour"),
    ],
)
def test_what_cannot_be_answered_is_refused_by_field(client, catalogue, query, field):
    answer = client.get(address(), query)
    assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json")
    assert [error["field"] for error in answer.json()["errors"]] == [field], answer.json()


def test_the_number_of_queries_does_not_depend_on_the_rows(client, catalogue, django_assert_num_queries):
    for step in ("6h", "10m"):
        with django_assert_num_queries(9):
            assert client.get(address(), {"site": "W84", **SPAN, "step": step}).status_code == 200
