"""A small network with the windows of two nights, and a campaign to look at."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.coordination.booking.conftest import World, make_world
from tests.network import catalogue, network, well_placed, windows

__all__ = ["catalogue", "network", "well_placed", "windows"]


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
