"""One simulator for all tests of a process; each test finds it as new, and the settings that point to it.

A folder of tests that uses it has in its conftest: `from tests.providers.fixtures import _simulator, simulator`.
"""

from collections.abc import Iterator

import pytest

from coordination.common.providers import turns
from tests.providers.simulator import Simulator


@pytest.fixture(scope="session")
def _simulator() -> Iterator[Simulator]:
    with Simulator() as simulator:
        yield simulator


@pytest.fixture
def simulator(_simulator: Simulator, settings) -> Simulator:
    """Asked without pauses, once."""
    _simulator.reset()
    settings.PROVIDER_URLS = _simulator.urls
    settings.PROVIDERS_OFFLINE = []
    settings.PROVIDER_TIMEOUT_S = 20.0
    settings.PROVIDER_ATTEMPTS = 1
    settings.PROVIDER_RETRY_S = 0.01
    settings.PROVIDER_PAUSE_S = 0.0
    client = turns._redis()
    for key in (*client.scan_iter("neo:provider:*"), *client.scan_iter("*provider:*")):
        client.delete(key)
    return _simulator
