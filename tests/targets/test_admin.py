"""The administration of targets."""

import datetime as dt

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from coordination.common.models import Event
from targets.models import Ephemeris, EphemerisComparison, HorizonsTable, Orbit, OrbitCheck, Target

pytestmark = pytest.mark.django_db

LISTS = ["target", "orbit", "ephemeris"]
_INLINES = ("designations", "orbits", "ephemeris_comparison", "risk_assessments", "close_approaches")
INLINES = {f"{name}-{count}_FORMS": 0 for name in _INLINES for count in ("TOTAL", "INITIAL")}


def address(name: str, *args: object) -> str:
    return reverse(f"admin:targets_{name}", args=args)


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
        state=b"raw state bytes",
        blocks=b"raw block bytes",
        computed_at=start,
    )


def rows_of(response) -> list:
    assert response.status_code == 200
    return list(response.context["cl"].result_list)


@pytest.mark.parametrize("text", ["99942", "(99942)", "Apophis", "apophis", "2004 MN4", "2004mn4", "K04M04N", "Apop"])
@pytest.mark.parametrize("model", LISTS)
def test_search_by_any_designation(admin_client, apophis, ephemeris, model, text):
    (row,) = rows_of(admin_client.get(address(f"{model}_changelist"), {"q": text}))
    assert getattr(row, "target", row) == apophis


@pytest.mark.parametrize("text", ["99942 Apophis", "(99942) Apophis", "99942 Apophis (2004 MN4)"])
def test_search_by_a_full_name(admin_client, apophis, text):
    assert rows_of(admin_client.get(address("target_changelist"), {"q": text})) == [apophis]


@pytest.mark.parametrize("text", ["zzyzx", "%", "_", "?", "--", "'", "\x01"])
def test_search_for_what_is_not_there(admin_client, catalogue, text):
    assert rows_of(admin_client.get(address("target_changelist"), {"q": text})) == []


@pytest.mark.parametrize("model", LISTS)
def test_a_list_costs_the_same_number_of_queries_however_long(admin_client, ephemeris, model):
    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as captured:
            assert rows_of(admin_client.get(address(f"{model}_changelist")))
        return len(captured)

    queries()  # what is cached per process, such as content types
    many = queries()
    Orbit.objects.exclude(target=ephemeris.target).delete()
    Target.objects.exclude(pk=ephemeris.target_id).delete()
    assert queries() == many


@pytest.mark.parametrize(
    ("query", "designations"),
    [
        ({"orbit_class": "Atira"}, {"163693", "594913"}),
        ({"is_pha__exact": "1", "orbit_class": "Aten"}, {"99942"}),
        ({"visibility__exact": "signed_in"}, set()),
    ],
)
def test_filters(admin_client, catalogue, query, designations):
    found = rows_of(admin_client.get(address("target_changelist"), query))
    assert {target.designation for target in found} == designations


def test_the_page_of_a_target(admin_client, apophis):
    text = admin_client.get(address("target_change", apophis.pk)).content.decode()
    for shown in ("2004 MN4", "E2024-JQ5", "2004-2021"):
        assert shown in text


def test_a_target_is_marked_and_its_history_says_who_did(admin_client, apophis):
    fields = {"visibility": "public", "is_marked": "on", "ephemeris_source": "automatic", **INLINES}
    response = admin_client.post(address("target_change", apophis.pk), fields)
    assert response.status_code == 302, response.context["errors"]
    apophis.refresh_from_db()
    assert apophis.is_marked
    assert apophis.designation == "99942"
    assert apophis.history.first().history_user.username == "admin"
    assert admin_client.get(address("target_history", apophis.pk)).status_code == 200


def test_no_target_is_entered_by_hand(admin_client, catalogue):
    assert admin_client.get(address("target_add")).status_code == 403


@pytest.mark.parametrize("model", ["orbit", "ephemeris"])
def test_orbits_and_ephemerides_are_read_only(admin_client, ephemeris, model):
    pk = ephemeris.pk if model == "ephemeris" else ephemeris.orbit_id
    page = admin_client.get(address(f"{model}_change", pk))
    assert page.status_code == 200
    assert 'name="_save"' not in page.content.decode()
    assert admin_client.get(address(f"{model}_add")).status_code == 403
    assert admin_client.post(address(f"{model}_delete", pk), {"post": "yes"}).status_code == 403


def test_raw_bytes_are_neither_shown_nor_read(admin_client, ephemeris):
    for page in (address("ephemeris_changelist"), address("ephemeris_change", ephemeris.pk)):
        with CaptureQueriesContext(connection) as captured:
            response = admin_client.get(page)
        assert "raw" not in response.content.decode().split("<main")[-1].replace("draw", "")
        assert not any('"targets_ephemeris"."blocks",' in query["sql"] for query in captured)


def test_an_answer_that_names_two_targets_leads_to_merging_them(admin_client, apophis):
    check = OrbitCheck.objects.create(
        target=apophis,
        asked_at=dt.datetime(2026, 11, 22, tzinfo=dt.UTC),
        candidates=["99942", "2024 YR4", "unheard of"],
    )
    page = admin_client.get(address("orbitcheck_change", check.pk)).content.decode()
    merge = reverse("desk:target-merge", args=[apophis.pk])
    assert f'<a href="{merge}?other=2024+YR4">merge with 2024 YR4</a>' in page
    assert page.count(f"{merge}?") == 1  # neither with itself nor with what is no target here


def test_positions_beside_those_of_horizons_are_listed_and_the_source_is_chosen(admin_client, apophis, ephemeris):
    at = ephemeris.starts_at
    EphemerisComparison.objects.create(
        target=apophis, asked_at=at, compared_at=at, difference_arcsec=2.5, tolerance_arcsec=1.0, is_within=False
    )
    HorizonsTable.objects.create(
        target=apophis, solution="JPL#220", starts_at=at, ends_at=ephemeris.ends_at, step="6h", rows=b"raw rows",
        error_arcsec=0.001, fetched_at=at,
    )  # fmt: skip
    assert len(rows_of(admin_client.get(address("ephemeriscomparison_changelist"), {"is_within__exact": "0"}))) == 1
    assert rows_of(admin_client.get(address("ephemeriscomparison_changelist"), {"is_within__exact": "1"})) == []
    (table,) = rows_of(admin_client.get(address("horizonstable_changelist")))
    assert not table.is_used
    page = admin_client.get(address("horizonstable_change", table.pk)).content.decode()
    assert "JPL#220" in page
    assert "raw rows" not in page
    there = address("target_change", apophis.pk)
    kept = {"visibility": "public", "rotation_period_h": "", **INLINES, "ephemeris_comparison-INITIAL_FORMS": 1}
    admin_client.post(there, kept | {"ephemeris_source": "horizons"})
    apophis.refresh_from_db()
    assert apophis.ephemeris_source == "horizons"
    assert rows_of(admin_client.get(address("horizonstable_changelist")))[0].is_used
    assert Event.objects.filter(kind="orbit.ephemeris_changed").count() == 1
