import pytest

from coordination.common import breaker
from coordination.common.providers import fetching
from tests.providers.fixtures import _simulator, simulator

__all__ = ["_simulator", "simulator"]


@pytest.fixture(autouse=True)
def without_breaker():
    """These tests are of the clients by themselves; who keeps account of providers needs the database."""
    fetching.unregister(before=breaker.admit, after=breaker.account)
    yield
    fetching.register(before=breaker.admit, after=breaker.account)
