"""Claiming seats on the page of a campaign."""

import pytest

from coordination.booking.models import Claim
from coordination.booking.services import book_telescope
from tests.coordination.booking.conftest import MINUTE


@pytest.fixture
def claim(world, signed_in):
    def post(slug, *seats, organisation=None, **further):
        given = {"slot": world.slot.pk, "seat": [f"seat-{world.seats[each].pk}" for each in seats or (slug,)]}
        given |= {"organisation": organisation or slug, **further}
        return signed_in(world.people[slug]).post(f"/campaigns/{world.campaign.slug}/", given)

    return post


def test_a_claim_holds_and_the_page_then_shows_it(world, claim, signed_in):
    answer = claim("chile")
    assert answer.status_code == 302
    assert answer["Location"].endswith(f"#slot-{world.slot.pk}")
    page = answer.client.get(answer["Location"]).text
    assert "Held: the telescopes are yours" in page
    assert '<span class="badge held">held</span>' in page
    assert Claim.objects.get().created_by == world.people["chile"]


def test_the_second_site_confirms_the_slot(world, claim):
    claim("chile")
    answer = claim("hawaii")
    assert "Confirmed: the telescopes are booked" in answer.client.get(answer["Location"]).text
    assert world.reload().state == "confirmed"


def test_a_conflict_is_told_in_the_form_of_the_slot_with_the_interval(world, claim):
    starts_at = world.slot.starts_at
    book_telescope(
        world.telescopes["chile"].pk,
        observe_from=starts_at,
        observe_until=starts_at + 10 * MINUTE,
        purpose="tests of a camera",
    )
    answer = claim("chile")
    assert answer.status_code == 409
    assert f'id="refusal-{world.slot.pk}"' in answer.text
    assert (starts_at + 10 * MINUTE).isoformat().replace("+00:00", "Z") in answer.text
    assert f'value="seat-{world.seats["chile"].pk}" checked' in answer.text  # what was chosen stays chosen
    assert not Claim.objects.exists()


def test_nobody_claims_for_another_organisation(world, claim):
    answer = claim("chile", organisation="hawaii")
    assert answer.status_code == 400
    assert "Say for which of your organisations" in answer.text
    assert claim("chile", "hawaii").status_code == 403  # a telescope of others
    assert not Claim.objects.exists()


def test_who_is_not_signed_in_is_asked_to_and_keeps_what_was_chosen(client, world):
    answer = client.post(f"/campaigns/{world.campaign.slug}/", {"slot": world.slot.pk})
    assert 'name="username"' in answer.text
    assert "what you typed is kept in this page" in answer.text
    assert not Claim.objects.exists()


@pytest.mark.parametrize(
    "given", [{"seat": []}, {"seat": "x"}, {"slot": "x"}, {"slot": 10**9}, {"seat": "seat-" + "9" * 30}]
)
def test_a_form_that_says_nothing_sensible_is_refused(world, claim, given):
    answer = claim("chile", **given)
    assert 400 <= answer.status_code < 500
    assert 'role="alert"' in answer.text
    assert not Claim.objects.exists()


def test_a_form_without_its_token_is_refused(world, settings):
    from django.test import Client

    client = Client(enforce_csrf_checks=True)
    client.force_login(world.people["chile"])
    assert client.post(f"/campaigns/{world.campaign.slug}/", {"slot": world.slot.pk}).status_code == 403
