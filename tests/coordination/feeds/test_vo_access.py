"""The Virtual Observatory's addresses know tokens and limits as the API does, and refuse in their own format."""

import pytest
from django.core.cache import cache
from django.test import Client

from coordination.campaigns.models import Campaign
from coordination.partners.services import create_token
from targets.models import Target

from .vo import read, statuses

pytestmark = pytest.mark.django_db
QUERY, PLAN = "/vo/objobs/query", "/vo/obsplan/"
EVERYWHERE = (QUERY, "/vo/objobs/capabilities", "/vo/objobs/availability", PLAN, "/vo/obsplan/2026-11-24.json")


def bearer(world, slug: str, *scopes: str) -> dict[str, str]:
    _, text = create_token(world.organisations[slug].pk, name="robot", scopes=scopes)
    return {"authorization": f"Bearer {text}"}


def message(answer) -> str:
    votable = read(answer.content)
    assert statuses(votable) == ["ERROR"]
    return votable.resources[0].infos[0].content


def test_a_token_sees_the_plans_of_its_organisations_campaigns(client, world):
    Campaign.objects.update(visibility="participants")
    Target.objects.update(visibility="campaign")
    asked = {"TIME": "0/99999"}
    assert client.get(PLAN, asked).json()["rows"] == []
    seen = client.get(PLAN, asked, headers=bearer(world, "hawaii", "read")).json()["rows"]
    assert {row["target_name"] for row in seen} == {"2026 AB1"}


@pytest.mark.parametrize("address", EVERYWHERE)
def test_a_bad_token_is_refused_everywhere(client, address):
    answer = client.get(address, headers={"authorization": "Bearer neo_nothing_atall"})
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"].startswith("Bearer")
    assert "token" in message(answer)


def test_a_token_without_the_scope_is_refused(client, world):
    answer = client.get(PLAN, headers=bearer(world, "hawaii", "claim"))
    assert answer.status_code == 403
    assert "read" in message(answer)


@pytest.mark.parametrize("address", EVERYWHERE)
def test_requests_are_limited_by_address(client, settings, address):
    settings.API_RATE_ANONYMOUS = "2/3600"
    cache.clear()
    assert [client.get(address).status_code != 429 for _ in range(3)] == [True, True, False]
    refused = client.get(address)
    assert int(refused["Retry-After"]) > 0
    assert refused["RateLimit-Remaining"] == "0"
    assert "throttled" in message(refused).lower()
    cache.clear()


def test_requests_with_a_token_are_limited_by_it(client, world, settings):
    settings.API_RATE_ANONYMOUS, settings.API_RATE_SIGNED_IN = "1/3600", "3/3600"
    cache.clear()
    headers = bearer(world, "hawaii", "read")
    assert [client.get(PLAN, headers=headers).status_code for _ in range(4)] == [200, 200, 200, 429]
    assert client.get(PLAN).status_code == 200
    cache.clear()


def test_a_person_posts_a_question_without_a_csrf_token(world):
    client = Client(enforce_csrf_checks=True)
    client.force_login(world.lead)
    assert client.post(PLAN, {"TIME": "0/99999"}).status_code == 200


def test_forms_beyond_what_is_read_and_other_methods_are_refused_in_the_same_format(client, settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 100
    big = client.post(QUERY, "TARGET=" + "a" * 200, content_type="application/x-www-form-urlencoded")
    assert (big.status_code, "too large" in message(big)) == (413, True)
    other = client.delete(QUERY)
    assert (other.status_code, "GET" in other["Allow"]) == (405, True)
    assert message(other)


def test_whatever_the_client_accepts_it_gets_what_it_asks_for(client):
    answer = client.get("/vo/objobs/availability", headers={"accept": "application/x-votable+xml"})
    assert (answer.status_code, answer["Content-Type"]) == (200, "text/xml; charset=utf-8")


def test_the_file_of_a_day_may_be_cached_by_everybody(client, signed_in_client):
    for who in (client, signed_in_client):
        answer = who.get("/vo/obsplan/2026-11-24.json")
        assert "public" in answer["Cache-Control"]
        assert "Cookie" not in answer.get("Vary", "")
