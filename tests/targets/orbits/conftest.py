"""Orbits that the tests of this folder share."""

import numpy as np
import pytest

from observatories.sites import earth_orientation  # noqa: F401 - tells astropy to stay offline
from targets.orbits.elements import OrbitBatch
from targets.orbits.planets import Planets, default_planets


@pytest.fixture(scope="session")
def planets() -> Planets:
    return default_planets()


@pytest.fixture(scope="session")
def mixed() -> OrbitBatch:
    """Near-Earth orbits of many shapes, each with its own epoch, one with non-gravitational terms, one hyperbolic."""
    return OrbitBatch.from_keplerian(
        ["Eros", "Apollo", "Phaethon", "Apophis", "far", "visitor"],
        np.array([61200.0, 61187.3, 61400.25, 61200.0, 61000.0, 61350.9]),
        a_au=[1.458243716760167, 1.47071514163711, 1.271464620920411, 0.92235922069288, 5.2, -1.27],
        e=[0.2228779627700761, 0.5601800481273319, 0.8896722843692159, 0.1911492278906245, 0.05, 1.2],
        i_deg=[10.82854410314273, 6.35217898608049, 22.31052728047163, 3.340996879807268, 20.0, 122.0],
        node_deg=[304.2671317, 35.5029431, 265.0988061, 203.8936513, 100.0, 24.0],
        peri_deg=[178.9181319, 286.0977440, 322.3001635, 126.6795707, 200.0, 241.0],
        m_deg=[62.5114602, 224.3616015, 301.4858236, 175.3304027, 30.0, -40.0],
        h_mag=[10.4, 16.09, 14.38, 19.09, 8.0, np.nan],
        g=[0.46, 0.15, 0.15, 0.24, np.nan, 0.15],
        nongrav=np.outer([0, 0, 0, 1, 0, 0], [5e-13, -2.9e-14, 0.0]),
    )
