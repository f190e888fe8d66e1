"""What happens elsewhere reaches bookings and their people."""

from coordination.booking.services import withdraw_claim
from coordination.common import following
from coordination.partners.models import Notice
from observatories.services import add_closure

from .conftest import MINUTE, active_bookings


def test_a_closure_reaches_the_bookings_under_it_and_the_people_of_both_organisations(world):
    world.claim("chile")
    add_closure(
        telescope_id=world.telescopes["chile"].pk, starts_at=world.slot.starts_at,
        ends_at=world.slot.starts_at + MINUTE, reason="secret",
    )  # fmt: skip
    following.follow("booking")
    assert active_bookings(world)[0].disturbed
    following.follow("notices")
    notice = Notice.objects.get(user=world.people["chile"], event__kind="booking.disturbed")
    assert "secret" not in notice.title + notice.text


def test_the_holders_and_the_lead_hear_what_becomes_of_a_slot(world):
    world.claim("canary"), world.claim("australia")
    withdraw_claim(world.slot.claims.first().pk)
    following.follow("notices")
    heard = {
        person.username: list(Notice.objects.filter(user=person).values_list("event__kind", flat=True).order_by("pk"))
        for person in world.people.values()
    }
    assert heard["chile"] == ["slot.confirmed", "slot.needs_replacement"]  # leads, and holds nothing
    assert heard["australia"] == ["slot.confirmed", "slot.needs_replacement"]
    assert heard["hawaii"] == ["slot.needs_replacement"]  # could replace
