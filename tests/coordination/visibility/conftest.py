"""The small catalogue and network of `tests.network`, on an evening on which the targets are well placed."""

import pytest

from tests.network import catalogue as plain_catalogue
from tests.network import network, well_placed, windows

__all__ = ["network", "plain_catalogue", "well_placed", "windows"]


@pytest.fixture
def catalogue(well_placed, plain_catalogue):
    return plain_catalogue
