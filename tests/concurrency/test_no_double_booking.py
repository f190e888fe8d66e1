"""No telescope is ever booked twice, however many processes claim it at once: `dev.py bench claims` tries more."""

import os
import signal

import pytest
from django.db import connection

from coordination.booking.models import Booking, Claim, ClaimedSeat
from coordination.booking.services import claim_seats
from coordination.common.models import Event
from coordination.common.transactions import too_often
from observatories.models import Telescope

from . import workers
from .conftest import require_whole_claims

PROCESSES, ATTEMPTS = 8, 25


@pytest.mark.parametrize(
    "without",
    [
        pytest.param([], id="by the services"),
        pytest.param(["check"], id="with the services' own check removed: by the constraint"),
        pytest.param(["check", "lock"], id="with check and locks removed: by the constraint"),
    ],
)
def test_processes_that_claim_overlapping_periods_never_book_twice(network, without):
    done = workers.in_processes(
        workers.claim_at_random, PROCESSES, network.organisation.pk, network.seats, ATTEMPTS, without
    )
    assert {"held", "refused"} <= set(done)
    # Without the order of locks nothing keeps them from waiting in a circle, perhaps as often as a service tries again.
    assert set(done) <= {"held", "refused"} | ({f"unexplained: {too_often()}"} if "lock" in without else set())
    assert done.total() == PROCESSES * ATTEMPTS
    assert done["held"] == Booking.objects.active().count() == Claim.objects.count()
    require_whole_claims()


def test_joint_claims_in_any_order_meet_no_deadlock(network):
    done = workers.in_processes(workers.claim_jointly, 6, network.organisation.pk, network.seats, 20)
    assert set(done) <= {"held", "refused", "gave back held"}
    assert done["held"] > 0
    require_whole_claims()


def test_a_process_killed_at_any_statement_of_a_claim_leaves_nothing_behind(network):
    context, address = workers.context(), workers.database()
    slot_id, seats = next(iter(network.seats.items()))
    wanted = [network.organisation.pk, sorted(seats.values())[:3]]
    claim = dict(zip(("organisation_id", "seat_ids"), wanted, strict=True))
    killed, events = 0, Event.objects.count()
    for number in range(1, 60):
        here, there = context.Pipe()
        process = context.Process(target=workers.stop_before_statement, args=(number, address, there, slot_id, claim))
        process.start()
        there.close()
        assert here.poll(60.0), "the process neither stood still nor finished"
        backend = here.recv()
        if backend == "done":  # there were fewer statements
            process.join()
            break
        os.kill(process.pid, signal.SIGKILL)
        process.join()
        wait_until_gone(backend)
        killed += 1
        left = (Claim, ClaimedSeat, Booking, Claim.history.model, Booking.history.model)
        assert [model.objects.count() for model in left] == [0] * len(left), f"killed before statement {number}"
        assert Event.objects.count() == events
        assert Telescope.objects.select_for_update(nowait=True).count() == len(network.telescopes)
    assert killed > 5
    assert Claim.objects.get().state == "held"
    require_whole_claims()
    with pytest.raises(Exception, match="is booked from"):
        claim_seats(slot_id, **claim)


def wait_until_gone(backend: int) -> None:
    """PostgreSQL ends a backend, and its transaction, when it reads that the client is gone."""
    with connection.cursor() as cursor:
        for _ in range(100_000):
            cursor.execute("SELECT 1 FROM pg_stat_activity WHERE pid = %s", [backend])
            if cursor.fetchone() is None:
                return
    raise AssertionError(f"backend {backend} lives on")
