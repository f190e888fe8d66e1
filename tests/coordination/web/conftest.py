"""A small network with the windows of two nights, and a campaign to look at."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from coordination.visibility import planning
from coordination.visibility.models import Chunk
from tests.coordination.booking.conftest import World, make_world
from tests.network import catalogue, network, well_placed

__all__ = ["catalogue", "network", "well_placed"]


@pytest.fixture
def windows(well_placed, catalogue, network, settings, monkeypatch):
    settings.PLANNING_HORIZON_NIGHTS = 2
    monkeypatch.setattr("coordination.visibility.tasks.compute_chunk.delay", lambda pk: None)
    planning.plan()
    for chunk_id in Chunk.objects.values_list("pk", flat=True):
        planning.run_chunk(chunk_id)
    return catalogue


@pytest.fixture
def world(db) -> World:
    return make_world()


@pytest.fixture
def signed_in():
    def sign_in(person) -> Client:
        client = Client()
        client.force_login(person)
        return client

    return sign_in


@pytest.fixture
def queries_of():
    """How many queries an address costs; caches of the process are filled first."""

    def count(client: Client, address: str) -> int:
        assert client.get(address).status_code == 200
        with CaptureQueriesContext(
            connection,
        ) as captured:
            client.get(address)
        return len(captured)

    return count
