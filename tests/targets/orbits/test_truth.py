"""Against what JPL published: close approaches of CNEOS."""

import json

import numpy as np
import pytest

from targets.orbits.close_approaches import close_approaches
from targets.orbits.elements import OrbitBatch
from targets.orbits.planets import MJD_ZERO_JD, Planets
from targets.orbits.propagation import propagate
from tests.shared import SHARED, needs_shared


@needs_shared
def test_close_approaches_are_those_of_cneos(planets: Planets) -> None:
    for record in json.loads((SHARED / "truth" / "cneos_close_approaches.json").read_text()):
        known, elements = record["close_approach"], record["elements"]
        orbit = OrbitBatch.from_keplerian(
            [known["des"]],
            elements["epoch"] - MJD_ZERO_JD,
            *(elements[field] for field in ("a", "e", "i", "om", "w", "ma")),
        )
        when = known["jd"] - MJD_ZERO_JD
        found = close_approaches(propagate(orbit, when - 30.0, when + 30.0, planets), planets, within_au=0.05)
        assert found.who.tolist() == [0], known["des"]
        assert abs(found.tdb_mjd[0] - when) * 86400.0 < 1.0, known["des"]
        assert found.distance_au[0] == pytest.approx(known["dist"], abs=2e-8), known["des"]


def test_approaches_come_by_object_and_time_and_only_within_the_distance(planets: Planets) -> None:
    apophis = {"a_au": 0.92235922, "e": 0.19114923, "i_deg": 3.340997, "node_deg": 203.893651, "peri_deg": 126.679571}
    orbits = OrbitBatch.from_keplerian(["Apophis", "far"], 61200.0, m_deg=[175.330403, 100.0], **apophis)
    found = close_approaches(propagate(orbits, 61200.0, 62600.0, planets), planets, within_au=0.3)
    assert (np.diff(found.who) >= 0).all()
    assert (found.distance_au < 0.3).all()
    first = found.who == 0
    assert (np.diff(found.tdb_mjd[first]) > 0).all()
    flyby = np.argmin(found.distance_au)
    assert found.who[flyby] == 0
    assert found.tdb_mjd[flyby] == pytest.approx(62239.907, abs=0.01)  # 2029-04-13
    assert found.speed_km_s[flyby] == pytest.approx(7.42, abs=0.05)
    assert close_approaches(propagate(orbits, 61200.0, 61210.0, planets), planets, 0.001).who.size == 0
