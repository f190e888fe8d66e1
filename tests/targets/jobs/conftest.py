"""Jobs against the simulated providers, on a day on which the clock is set by the test."""

import datetime as dt

import pytest
import time_machine
from django.core.cache import cache

from coordination.common import jobs
from coordination.common.models import RunRecord
from coordination.common.providers import turns
from targets.models import Designation, Target
from tests.providers.simulator import Simulator

START = dt.datetime(2026, 11, 24, 12, tzinfo=dt.UTC)


@pytest.fixture(scope="session")
def _simulator():
    with Simulator() as simulator:
        yield simulator


@pytest.fixture
def providers(_simulator, settings, db):
    """The simulator as it is at first; each request is tried once, and there is no pause between them."""
    settings.PROVIDERS_OFFLINE, settings.PROVIDER_URLS = [], _simulator.urls
    settings.PROVIDER_ATTEMPTS, settings.PROVIDER_PAUSE_S, settings.PROVIDER_TIMEOUT_S = 1, 0.0, 20.0
    settings.PROVIDER_MOST_BYTES = 2_000_000
    _simulator.reset()
    redis = turns._redis()
    for key in redis.scan_iter("neo:provider:*"):
        redis.delete(key)
    cache.clear()
    return _simulator


@pytest.fixture
def clock():
    with time_machine.travel(START, tick=False) as traveller:
        yield traveller


@pytest.fixture
def run(providers, clock):
    """Run a job; gives its record."""

    def once(name: str) -> RunRecord:
        record = jobs.run_job(name)
        assert record is not None
        return record

    return once


def target(designation: str, **fields) -> Target:
    """A target that is tracked by hand, with no orbit yet."""
    created = Target.objects.create(designation=designation, is_marked=True, **fields)
    kind = "number" if designation.isdigit() else "provisional"
    Designation.objects.create(target=created, text=designation, key=designation.replace(" ", ""), kind=kind)
    return created
