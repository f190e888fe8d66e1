"""Two people of one observatory send the same booking form at once: one books, the other keeps what was typed."""

import threading

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from coordination.booking.models import Booking
from coordination.booking.services import bookings as service
from coordination.common import clock
from observatories.models import Membership, User

from ..coordination.booking.conftest import HOUR
from .conftest import overlaps


@pytest.mark.parametrize("last_line", [False, True], ids=["under the lock", "by the constraint alone"])
def test_the_same_form_sent_by_two_at_once_books_once(world, monkeypatch, last_line):
    """Both requests stand at one line before the telescope is locked. With locks and looks taken away the database
    alone decides, and says the same.
    """
    telescope, start = world.telescopes["chile"], (clock.now() + 48 * HOUR).replace(microsecond=0)
    given = {"telescope": telescope.pk}
    for name, instant in (("observe_from", start), ("observe_until", start + HOUR)):
        given |= {f"{name}_0": f"{instant:%Y-%m-%d}", f"{name}_1": f"{instant:%H:%M:%S}"}
    other = User.objects.create_user("other", "other@example.org", "pass-for-tests", is_staff=True)
    Membership.objects.create(user=other, organisation=world.organisations["chile"], role=Membership.Role.SCHEDULER)
    line = threading.Barrier(2, timeout=60.0)
    lock_telescopes = service.lock_telescopes

    def stand_in_line(ids):
        if threading.get_ident() in waiting:
            waiting.discard(threading.get_ident())
            line.wait()
        return (
            type(telescope).objects.select_related("organisation").in_bulk(ids) if last_line else lock_telescopes(ids)
        )

    monkeypatch.setattr(service, "lock_telescopes", stand_in_line)
    if last_line:
        monkeypatch.setattr(service, "require_free", lambda *args, **kwargs: None)
    waiting: set[int] = set()
    answers = {}

    def send(person: User) -> None:
        waiting.add(threading.get_ident())
        try:
            client = Client()
            client.force_login(person)
            purpose = f"flats of {person}"
            answers[person.username] = client.post(reverse("admin:booking_booking_add"), {**given, "purpose": purpose})
        finally:
            connection.close()

    senders = [threading.Thread(target=send, args=(person,)) for person in (world.people["chile"], other)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join(timeout=120.0)

    assert sorted(answer.status_code for answer in answers.values()) == [200, 302]
    booking = Booking.objects.get()
    assert overlaps() == 0
    (loser,) = [name for name, answer in answers.items() if answer.status_code == 200]
    form = answers[loser].context["form"]
    (error,) = form.errors["telescope"]
    assert "In the way: <a" in error
    assert f"booking {booking.pk}</a> ({booking.purpose}, Institute of Chile)" in error
    assert form["purpose"].value() == f"flats of {loser}"
    assert booking.purpose != f"flats of {loser}"
    for name, value in given.items():
        assert f'value="{value}"' in answers[loser].text, name
