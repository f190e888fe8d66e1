"""What pages show, to whom, and what they cost."""

import datetime as dt
import json
import re
from copy import copy

import pytest
import time_machine
from django.core.cache import cache
from django.db.models import F
from django.urls import reverse

from coordination.campaigns.models import Campaign
from coordination.common import clock
from coordination.common.models import SourceState
from coordination.visibility.models import VisibilityWindow
from coordination.web.plots.svg import Drawing
from observatories.models import Telescope
from targets.models import CloseApproach, RiskAssessment, Target
from tests.coordination.booking.conftest import HOUR, make_organisation, make_seats, make_slot, make_telescope


def without_token(page: str) -> str:
    return re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", page)


def test_pages_open_on_an_empty_installation(client, db):
    for address in ("/", "/targets/", "/campaigns/", "/observatories/", "/targets/?all=1", "/observatories/?all=1"):
        page = client.get(address)
        assert page.status_code == 200, address
        assert "frame-ancestors 'none'" in page["Content-Security-Policy"]


def test_every_page_of_a_small_network(client, windows, queries_of):
    """In one test, as the windows take a while: home, target, telescope and their plots as files."""
    home = client.get("/").text
    assert "of 5 observatories can observe" in home
    assert '<a href="/targets/1627/">1627 Ivar</a>' in home
    assert home.count("<svg") >= 2

    page = client.get("/targets/1627/").text
    assert "Orbit data as of" in page
    assert "Windows of the coming nights" in page
    for name in ("altitude", "windows", "sky", "quantities"):
        for ending, kind in (("svg", "image/svg+xml"), ("csv", "text/csv; charset=utf-8")):
            file = client.get(f"/targets/1627/{name}.{ending}")
            assert (file.status_code, file["Content-Type"]) == (200, kind)
    assert client.get("/targets/1627/sky.png").content.startswith(b"\x89PNG")
    assert client.get("/targets/1627/sky.gif").status_code == client.get("/targets/1627/none.svg").status_code == 404
    first = client.get("/targets/1627/windows.csv").text.splitlines()[1].split(",")
    window = VisibilityWindow.objects.filter(
        target=windows["Ivar"], ends_at__gt=dt.datetime(2027, 2, 1, 12, tzinfo=dt.UTC)
    )
    earliest = window.order_by("starts_at", "telescope_id").first()
    assert first[1] == f"{earliest.starts_at:%Y-%m-%d %H:%M} UTC"

    telescope = Telescope.objects.get(observatory__mpc_code="W84")
    night = client.get(f"/telescopes/{telescope.pk}/").text
    assert "Tonight, night of 2027-01-31" in night or "Tonight, night of 2027-02-01" in night
    assert "America/Santiago" in night
    assert client.get(f"/telescopes/{telescope.pk}/tonight.svg").status_code == 200

    alone = client.get(f"/targets/1627/?telescope={telescope.pk}").text
    assert "local time (America/Santiago)" in alone
    assert client.get("/targets/1627/?telescope=x&telescope=999999999&telescope=-1").status_code == 200

    # The cost does not grow with what there is to show.
    more = queries_of(client, "/targets/1627/")
    assert more == queries_of(client, "/targets/433/")
    assert queries_of(client, f"/targets/1627/?telescope={telescope.pk}") == more + 1  # for those that are asked for
    before = {
        address: queries_of(client, address) for address in ("/", f"/telescopes/{telescope.pk}/", "/targets/?all=1")
    }
    VisibilityWindow.objects.exclude(target=windows["Ivar"]).delete()
    Target.objects.exclude(pk__in=[windows["Ivar"].pk, windows["Eros"].pk]).delete()
    assert {address: queries_of(client, address) for address in before} == before
    assert max(more, *before.values()) <= 18


def test_a_target_answers_under_each_of_its_names_at_one_address(client, catalogue):
    for name in ("Ivar", "1929 SH", "J29S00H", "(1627) Ivar"):
        assert client.get(f"/targets/{name}/")["Location"] == "/targets/1627/"
    assert client.get("/targets/Ivar/sky.svg")["Location"] == "/targets/1627/sky.svg"


def test_a_comet_has_a_slash_in_its_address(client, db):
    Target.objects.create(designation="C/2026 A1", kind="comet").designations.create(
        text="C/2026 A1", key="C2026A1", kind="provisional"
    )
    assert client.get(reverse("web:target", args=["C/2026 A1"])).status_code == 200


def test_an_unknown_target_gets_the_nearest_names_that_one_may_know(client, catalogue, signed_in, world):
    Target.objects.filter(name="Florence").update(visibility=Target.Visibility.SIGNED_IN)
    page = client.get("/targets/Florense/")
    assert page.status_code == 404
    assert "Florence" not in page.text
    known = signed_in(world.lead).get("/targets/Florense/")
    assert known.status_code == 404
    assert '<a href="/targets/Florence/">' in known.text
    assert "Ivar" in client.get("/targets/?q=Ivarr").text


def test_what_is_confidential_looks_as_if_it_had_never_been(client, catalogue):
    Target.objects.filter(name="Florence").update(visibility=Target.Visibility.CAMPAIGN)
    hidden, absent = client.get("/targets/Florence/"), client.get("/targets/Flarence/")
    assert hidden.status_code == absent.status_code == 404
    assert without_token(hidden.text).replace("Florence", "Flarence") == without_token(absent.text)
    assert "Florence" not in client.get("/targets/?all=1").text
    assert client.get("/targets/Florence/sky.svg").status_code == 404


def test_a_campaign_of_participants_is_only_theirs(client, world, signed_in):
    address = f"/campaigns/{world.campaign.slug}/"
    assert client.get(address).status_code == 200
    Campaign.objects.update(visibility=Campaign.Visibility.PARTICIPANTS)
    hidden, absent = (without_token(client.get(each).text) for each in (address, "/campaigns/never/"))
    assert hidden.replace(world.campaign.slug, "never") == absent
    assert world.campaign.title not in client.get("/").text + client.get("/campaigns/").text
    assert signed_in(world.lead).get(address).status_code == 200


def test_a_confidential_target_shows_in_no_campaign_page_of_others(client, world, signed_in):
    Target.objects.update(visibility=Target.Visibility.CAMPAIGN)
    title = world.campaign.title.replace("2026 AB1", "an object")
    Campaign.objects.update(title=title, slug="an-object")
    page = client.get("/campaigns/an-object/").text
    assert "2026 AB1" not in page + client.get("/").text + client.get("/campaigns/").text
    assert "2026 AB1" in signed_in(world.lead).get("/campaigns/an-object/").text


def test_a_campaign_shows_slots_seats_and_what_is_lacking(client, world):
    world.claim("chile")
    page = client.get(f"/campaigns/{world.campaign.slug}/").text
    assert "1 of 2 sites" in page
    assert page.count('<span class="badge open">open</span>') >= 3
    assert "Baselines of slot" in page
    assert "Institute of Chile" in page
    assert 'type="checkbox"' not in page  # nobody is signed in


def test_claims_are_shown_to_participants_only(client, world, signed_in):
    world.claim("chile")
    address = f"/campaigns/{world.campaign.slug}/"
    assert "Claims:" not in client.get(address).text
    assert "Claims:" in signed_in(world.people["hawaii"]).get(address).text


def test_a_campaign_page_costs_the_same_with_more_slots(client, world, signed_in, queries_of):
    address, person = f"/campaigns/{world.campaign.slug}/", signed_in(world.people["hawaii"])
    world.claim("chile")
    before = queries_of(client, address), queries_of(person, address)
    for day in (2, 3, 4):
        make_seats(make_slot(world.campaign, world.target, world.slot.starts_at + 24 * day * HOUR), world.telescopes)
    world.claim("australia")
    assert (queries_of(client, address), queries_of(person, address)) == before
    assert before[1] <= 28


def test_bookings_on_a_telescope_page_are_for_those_whose_they_are(client, world, signed_in):
    world.claim("chile")
    world.claim("hawaii")  # which confirms both
    telescope = world.telescopes["chile"]
    telescope.bookings.update(
        starts_at=F("starts_at") - 20 * HOUR, observe_from=F("observe_from") - 20 * HOUR,
        observe_until=F("observe_until") - 20 * HOUR, ends_at=F("ends_at") - 20 * HOUR,
    )  # fmt: skip
    address = f"/telescopes/{telescope.pk}/"
    assert 'class="booked"' not in client.get(address).text
    assert "Subscribe to its calendar" not in client.get(address).text
    own = signed_in(world.people["chile"]).get(address).text
    assert "Subscribe to its calendar" in own
    assert 'class="booked"' not in signed_in(world.people["canary"]).get(address).text


def test_lists_are_searched_and_say_when_nothing_is_found(client, world):
    assert "1 m at chile" in client.get("/observatories/?q=chile").text
    assert "No observatory matches" in client.get("/observatories/?q=atlantis").text
    assert world.campaign.title in client.get("/campaigns/?q=ranging").text
    assert "No campaign matches" in client.get("/campaigns/?q=atlantis").text
    assert "none begins so" in client.get("/targets/?q=1").text
    assert client.get("/targets/?q=%00&page=zzz").status_code == 200


def test_lists_have_pages(client, db):
    for number in range(60):
        Target.objects.create(designation=f"2026 AA{number}")
    assert "Page 1 of 2" in client.get("/targets/?all=1").text
    assert "?all=1&amp;page=2" in client.get("/targets/?all=1").text


def test_the_theme_is_remembered_and_one_comes_back(client, db):
    answer = client.post("/theme/", {"theme": "night", "next": "/campaigns/"})
    assert answer["Location"] == "/campaigns/"
    assert '<html lang="en" data-theme="night">' in client.get("/").text
    assert client.post("/theme/", {"theme": "night", "next": "https://elsewhere.example/"})["Location"] == "/"
    client.post("/theme/", {"theme": "pink"})
    assert 'data-theme="night"' in client.get("/").text


def test_addresses_that_no_view_answers_get_a_page_or_a_problem(client, db):
    assert "There is nothing here" in client.get("/nowhere/").text
    assert json.loads(client.get("/api/v1/nowhere/").content)["status"] == 404


def test_what_one_may_not_do_and_what_went_wrong_have_pages(client, world, signed_in, monkeypatch):
    refused = signed_in(world.people["chile"]).get("/admin/observatories/organisation/add/")
    assert refused.status_code == 403
    assert "This is not for you" in refused.text
    monkeypatch.setattr("coordination.web.views.home.HomeView.get", lambda *_, **__: 1 / 0)
    client.raise_request_exception = False
    broken = client.get("/", HTTP_ACCEPT_LANGUAGE="fr")
    assert broken.status_code == 500
    assert "Une erreur" in broken.text
    assert client.get("/favicon.ico")["Location"].endswith("web/icon.svg")


def test_pages_are_sent_compressed_and_what_programs_read_is_not(client, world):
    taken = {"HTTP_ACCEPT_ENCODING": "gzip"}
    assert client.get("/campaigns/", **taken)["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in client.get("/api/v1/telescopes/", **taken)


@pytest.mark.parametrize("address", ["/telescopes/99999/", "/telescopes/99999/tonight.svg", "/campaigns/never/map.svg"])
def test_what_is_not_there_is_not_found(client, db, address):
    assert client.get(address).status_code == 404


def test_a_target_shows_passages_and_risk_with_the_age_of_each(client, catalogue):
    now = clock.now()
    target = catalogue["Ivar"]
    assert client.get("/targets/1627/").text.count("The list was not fetched yet") == 2
    for name, age in (("sentry", dt.timedelta(hours=3)), ("cad", dt.timedelta(days=5))):
        SourceState.objects.create(source=name, last_success_at=now - age)
    RiskAssessment.objects.create(
        target=target, impact_probability=2.7e-5, palermo_cumulative=-1.4, palermo_maximum=-1.5, torino_maximum=1,
        impact_count=41, first_year=2090, last_year=2118,
    )  # fmt: skip
    for days, distance in ((30, 0.00025), (-30, 0.5)):
        CloseApproach.objects.create(
            target=target, at=now + dt.timedelta(days=days), tdb_jd=2461000.5, distance_au=distance,
            distance_min_au=0.9 * distance, distance_max_au=1.1 * distance, v_rel_km_s=7.42, time_sigma_minutes=2.0,
        )  # fmt: skip
    page = client.get("/targets/1627/").text
    assert "JPL Sentry, data as of" in page
    assert "1 in 37,000 (2.7e-05)" in page
    assert "2090–2118" in page
    assert f"{now + dt.timedelta(days=30):%Y-%m-%d %H:%M}" in page
    assert "0.00025" in page
    assert "0.50000" not in page  # it is over
    passages, risk = page[page.index('id="passages"') :].split('id="risk"')
    assert "stale" in passages
    assert "stale" not in risk.split("</section>")[0]


def test_a_plot_is_drawn_once_and_new_ones_are_not_for_the_asking(client, db, monkeypatch):
    cache.clear()
    drawn = []
    monkeypatch.setattr(Drawing, "png", lambda drawing: drawn.append(drawing) or b"\x89PNG")
    monkeypatch.setattr("coordination.web.png_files.NEW_FROM_ADDRESS", "2/60000")
    with time_machine.travel("2027-02-01T12:00:10Z", tick=False):
        assert client.get("/world/map.png").content == client.get("/world/map.png").content == b"\x89PNG"
    assert len(drawn) == 1
    with time_machine.travel("2027-02-01T12:01:10Z", tick=False):
        assert client.get("/world/map.png").status_code == 200
    with time_machine.travel("2027-02-01T12:02:10Z", tick=False):
        refused = client.get("/world/map.png")
        assert refused.status_code == 429
        assert int(refused["Retry-After"]) > 0
        assert client.get("/world/map.svg").status_code == 200
    assert len(drawn) == 2


def test_lists_cost_the_same_with_more_rows(client, world, queries_of):
    addresses = ("/campaigns/", "/observatories/", "/observatories/?all=1")
    before = [queries_of(client, address) for address in addresses]
    for k in range(8):
        organisation = make_organisation(f"further-{k}")[0]
        make_telescope(organisation, f"hill {k}", 3.0 * k, 40.0)
        campaign = copy(Campaign.objects.order_by("pk").first())
        campaign.pk, campaign.slug, campaign.lead_organisation = None, f"further-{k}", organisation
        campaign.save()
    assert [queries_of(client, address) for address in addresses] == before
