import pytest
from django.db import transaction

from coordination.common import events, runs
from coordination.common.models import Event, RunRecord


@pytest.mark.django_db(transaction=True)
def test_an_event_outside_a_transaction_is_refused():
    with pytest.raises(RuntimeError, match="transaction"):
        events.record("telescope.closed", "telescope:1")


@pytest.mark.django_db(transaction=True)
def test_an_event_goes_with_the_change_it_tells_of():
    @transaction.atomic
    def change_that_fails():
        events.record("telescope.closed", "telescope:1")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        change_that_fails()
    assert not Event.objects.exists()


@pytest.mark.django_db
def test_a_run_record_says_what_was_done():
    with runs.recorded("catalogue") as record:
        record.counts = {"created": 3}
    stored = RunRecord.objects.get()
    assert (stored.state, stored.counts) == ("succeeded", {"created": 3})
    assert stored.ended_at >= stored.started_at


@pytest.mark.django_db
def test_a_failed_run_says_why():
    with pytest.raises(ConnectionError), runs.recorded("catalogue"):
        raise ConnectionError("the provider does not answer")
    stored = RunRecord.objects.get()
    assert (stored.state, stored.message) == ("failed", "ConnectionError: the provider does not answer")
