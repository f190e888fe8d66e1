"""Joint windows, relays and last chances as a partner's software asks for them."""

import datetime as dt

import pytest
import time_machine
from django.test import Client

from coordination.visibility.joint_windows import joint_windows_of, last_chances_of, relay_of
from observatories.models import Membership, Observatory, Telescope, User
from observatories.services import add_closure
from targets.models import Target
from targets.services.ephemerides import Span

JOINT, LAST = "/api/v1/windows/joint/", "/api/v1/windows/last-chance/"
START = dt.datetime(2026, 11, 22, 6, tzinfo=dt.UTC)
SPAN = Span(START, START + dt.timedelta(days=3))
TIMES = {"after": "2026-11-22T06:00:00Z", "before": "2026-11-25T06:00:00Z"}
pytestmark = [pytest.mark.usefixtures("well_placed"), pytest.mark.django_db]  # the evening before anybody signs in


def listed(telescopes) -> str:
    return ",".join(str(telescope.pk) for telescope in telescopes)


def iso(moment: dt.datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


def test_joint_windows_are_those_of_the_service(client, catalogue, network):
    expected = joint_windows_of(catalogue["Ivar"], network, SPAN)
    for target in ("Ivar", "1627", "1929 SH"):
        answer = client.get(JOINT, {"target": target, "telescopes": listed(network), **TIMES})
        assert answer.status_code == 200, answer.json()
        told = answer.json()
        assert (told["target"]["name"], told["mode"], told["relay"]) == ("Ivar", "simultaneous", None)
        assert (told["after"], told["before"]) == (TIMES["after"], TIMES["before"])
        assert [telescope["id"] for telescope in told["telescopes"]] == [telescope.pk for telescope in network]
        assert [w["starts_at"] for w in told["windows"]] == [iso(w.starts_at) for w in expected]
        for window, own in zip(told["windows"], expected, strict=True):
            assert window["most_sites"] == own.most_sites >= 2
            assert [s["telescopes"] for s in window["segments"]] == [list(s.telescope_ids) for s in own.segments]
            for segment, mine in zip(window["segments"], own.segments, strict=True):
                assert segment["longitude_spread_deg"] == pytest.approx(mine.longitude_spread_deg, abs=1e-3)
                for sample, figures in zip(segment["samples"], mine.samples, strict=True):
                    assert sample["baseline_km"] == pytest.approx(figures.baseline_km, abs=1e-3)
                    assert sample["baseline_telescopes"] == list(figures.baseline_telescopes)
                    assert sample["v_margin_mag"] == pytest.approx(figures.v_margin_mag, abs=1e-3)
                    assert sample["fits_fields"] is figures.fits_fields is True


def test_figures_follow_what_is_asked(client, catalogue, network):
    query = {"target": "Ivar", "telescopes": listed(network), **TIMES}
    usual, coarse = (client.get(JOINT, {**query, **more}).json() for more in ({}, {"astrometric_error_arcsec": 0.4}))
    one, other = (told["windows"][0]["segments"][0]["samples"][1] for told in (usual, coarse))
    assert other["range_error_fraction"] == pytest.approx(2.0 * one["range_error_fraction"], rel=1e-4)
    for sigma, fits in ((299.0, True), (301.0, False)):  # 3 sigma to either side of a field of 1800"
        told = client.get(JOINT, {**query, "uncertainty_arcsec": sigma}).json()
        assert told["windows"][0]["segments"][0]["samples"][1]["fits_fields"] is fits
    three = client.get(JOINT, {**query, "min_sites": 3, "least_minutes": 30}).json()["windows"]
    assert all(window["most_sites"] >= 3 and window["minutes"] >= 30.0 for window in three)
    assert 0 < len(three) < len(usual["windows"])


def test_sites_are_all_active_telescopes_at_their_codes(client, catalogue, network):
    Telescope.objects.filter(pk=network[4].pk).update(state="retired")
    told = client.get(JOINT, {"target": "Ivar", "sites": "W84,j04", **TIMES})
    assert (
        told.json()["windows"]
        == client.get(JOINT, {"target": "Ivar", "telescopes": listed(network[:2]), **TIMES}).json()["windows"]
    )
    refused = client.get(JOINT, {"target": "Ivar", "sites": "W84,G96", **TIMES})
    assert refused.status_code == 400
    assert refused.json()["errors"][0]["field"] == "sites"
    assert "no active telescope" in refused.json()["detail"]


def test_a_relay_is_that_of_the_service(client, catalogue, network):
    query = {"target": "Ivar", "telescopes": listed(network[:3]), "mode": "relay", **TIMES}
    more = {"further": listed(network), "handover_minutes": 20, "rotation_period_h": 4.8}
    told = client.get(JOINT, {**query, **more}).json()
    expected = relay_of(
        catalogue["Ivar"],
        network[:3],
        SPAN,
        handover_minutes=20.0,
        rotation_period_h=4.8,
        further_telescopes=network,
    )
    assert told["windows"] == []
    relay = told["relay"]
    assert [leg["telescope"] for leg in relay["legs"]] == [leg.telescope_id for leg in expected.legs]
    assert [leg["ends_at"] for leg in relay["legs"]] == [iso(leg.ends_at) for leg in expected.legs]
    assert relay["coverage_h"] == pytest.approx(expected.coverage_h, abs=1e-4)
    assert relay["rotation_fraction"] == pytest.approx(expected.rotation_fraction, abs=1e-6)
    fillers = {filler["telescope"] for gap in relay["gaps"] for filler in gap["fillers"]}
    assert fillers
    assert fillers <= {network[3].pk, network[4].pk}
    assert client.get(JOINT, query).json()["relay"]["rotation_fraction"] is None
    places = client.get(JOINT, {**query, "further_sites": "327,g96"}).json()["relay"]["gaps"]
    fillers = {(f["telescope"], f["observatory"]) for gap in places for f in gap["fillers"]}
    assert fillers
    assert fillers <= {(None, network[3].observatory_id), (None, network[4].observatory_id)}


def test_last_chances_are_those_of_the_service(client, catalogue, network):
    told = client.get(LAST, {"target": "Ivar", "telescopes": listed(network), **TIMES}).json()
    expected = last_chances_of(catalogue["Ivar"], network, SPAN)
    assert [each["telescope"] for each in told["last_chances"]] == [each.telescope_id for each in expected]
    assert [each["lost"] for each in told["last_chances"]] == [each.lost for each in expected]
    assert [each["night"] for each in told["last_chances"]] == [each.night.isoformat() for each in expected]


def test_reasons_of_closures_are_told_to_the_own_organisation_only(client, catalogue, network):
    telescope = network[0]
    day = START + dt.timedelta(days=1)
    add_closure(telescope_id=telescope.pk, starts_at=day, ends_at=SPAN.ends_at, reason="secret visit")
    member = User.objects.create_user("member", "member@example.org", "not-a-real-password")
    Membership.objects.create(user=member, organisation=telescope.organisation)
    inside = Client()
    inside.force_login(member)
    query = {"target": "Ganymed", "telescopes": telescope.pk, **TIMES}
    told, hidden = inside.get(LAST, query), client.get(LAST, query)
    assert told.json()["last_chances"][0]["reasons"] == ["closure"]
    assert hidden.json()["last_chances"][0]["reasons"] == ["closure"]
    assert "secret visit" in told.content.decode()
    assert "secret" not in hidden.content.decode()


def test_a_target_that_one_may_not_see_is_not_there(client, signed_in_client, catalogue, network):
    Target.objects.filter(name="Ivar").update(visibility="signed_in")
    for url in (JOINT, LAST):
        refused, unknown = (
            client.get(url, {"target": name, "telescopes": listed(network), **TIMES}) for name in ("Ivar", "Ivax")
        )
        assert refused.status_code == unknown.status_code == 404
        seen = signed_in_client.get(url, {"target": "Ivar", "telescopes": listed(network), **TIMES})
        assert seen.status_code == 200


def test_a_week_from_now_is_meant_unless_said_otherwise(client, catalogue, network):
    with time_machine.travel(START, tick=False):
        told = client.get(JOINT, {"target": "Ivar", "telescopes": listed(network)}).json()
    assert (told["after"], told["before"]) == ("2026-11-22T06:00:00Z", "2026-11-29T06:00:00Z")


@pytest.mark.parametrize("url", [JOINT, LAST])
@pytest.mark.parametrize(
    ("query", "status", "field"),
    [
        ({"target": None}, 400, "target"),
        ({"telescopes": None}, 400, "telescopes"),
        ({"sites": "W84"}, 400, "telescopes"),
        ({"telescopes": "1,big"}, 400, "telescopes"),
        ({"telescopes": "999999"}, 400, "telescopes"),
        ({"telescopes": "0"}, 400, "telescopes"),
        ({"telescopes": str(2**63)}, 400, "telescopes"),
        ({"telescopes": ",".join(map(str, range(1, 102)))}, 400, "telescopes"),
        ({"telescopes": None, "sites": "W84,Z99"}, 400, "sites"),
        ({"after": "2026-11-22T06:00:00"}, 400, "after"),
        ({"before": "soon"}, 400, "before"),
        ({"before": "2026-11-22T06:00:00Z"}, 400, "before"),
        ({"before": "2026-12-23T06:00:01Z"}, 400, "before"),
        ({"after": "2090-01-01T00:00:00Z", "before": "2090-01-02T00:00:00Z"}, 400, "before"),
        ({"after": "9999-12-30T00:00:00Z", "before": None}, 400, "after"),
        ({"befor": "2026-11-25T06:00:00Z"}, 400, "befor"),
        ({"after": ""}, 400, "after"),
        ({"target": "Ivarr"}, 404, None),
    ],
)
def test_bad_input_is_a_problem_that_names_the_field(client, catalogue, network, url, query, status, field):
    asked = {"target": "Ivar", "telescopes": listed(network), **TIMES, **query}
    answer = client.get(url, {name: value for name, value in asked.items() if value is not None})
    assert (answer.status_code, answer["Content-Type"]) == (status, "application/problem+json"), answer.content
    if field:
        assert field in {error["field"] for error in answer.json()["errors"]}


@pytest.mark.parametrize(
    "query",
    [
        {"min_sites": 0},
        {"min_sites": 1.5},
        {"mode": "both"},
        {"least_minutes": -1},
        {"least_minutes": "nan"},
        {"handover_minutes": "inf"},
        {"astrometric_error_arcsec": -0.1},
        {"timing_error_s": "late"},
        {"rotation_period_h": 0},
        {"uncertainty_arcsec": "nan"},
        {"mode": "relay", "further": "999999"},
        {"mode": "relay", "further_sites": "Z99"},
        {"mode": "relay", "further_sites": "250"},
    ],
)
def test_bad_numbers_are_refused_by_name(client, catalogue, network, query):
    answer = client.get(JOINT, {"target": "Ivar", "telescopes": listed(network), **TIMES, **query})
    assert answer.status_code == 400
    assert list(query)[-1] in {error["field"] for error in answer.json()["errors"]}


def test_what_cannot_be_computed_is_refused(client, catalogue, network):
    query = {"telescopes": listed(network), **TIMES}
    Target.objects.filter(name="Ivar").update(current_orbit=None)
    assert "no orbit" in client.get(JOINT, {"target": "Ivar", **query}).json()["detail"]
    Observatory.objects.filter(pk=network[0].observatory_id).update(
        kind="unfixed", longitude_deg=None, latitude_deg=None, height_m=None
    )
    nowhere = client.get(JOINT, {"target": "Eros", **query})
    assert nowhere.status_code == 400
    assert "no fixed place" in nowhere.json()["detail"]
