"""Real impactors, from the shipped catalogue: orbits of some hours of observation that end in the Earth."""

import gzip
import json
from pathlib import Path

import numpy as np
import pytest

from targets.orbits.elements import OrbitBatch
from targets.orbits.ephemeris import build_blocks
from targets.orbits.impacts import first_impacts, impact_times
from targets.orbits.planets import Planets
from targets.orbits.propagation import propagate

CATALOGUE = Path(__file__).parents[3] / "targets" / "data" / "mpc_nea_extended_2026-02.json.gz"
# When they were seen to explode in the air, UTC (CNEOS fireballs, IMO): their orbits bring them to the ground somewhat
# later, those of the shortest arcs some minutes off.
SEEN = {
    "2008 TC3": ("2008-10-07T02:46", 2.0),
    "2022 EB5": ("2022-03-11T21:23", 3.0),
    "2022 WJ1": ("2022-11-19T08:27", 2.0),
    "2023 CX1": ("2023-02-13T02:59", 3.0),
    "2024 BX1": ("2024-01-21T00:33", 2.0),
    "2024 RW1": ("2024-09-04T16:39", 3.0),
    "2024 XA1": ("2024-12-03T16:15", 3.0),
    "2018 LA": ("2018-06-02T16:44", 10.0),
}


@pytest.fixture(scope="module")
def impactors() -> OrbitBatch:
    records = {r["Principal_desig"]: r for r in json.loads(gzip.decompress(CATALOGUE.read_bytes()))}
    some = [records[name] for name in SEEN]
    fields = ("a", "e", "i", "Node", "Peri", "M")
    columns = [np.array([record[field] for record in some]) for field in fields]
    return OrbitBatch.from_keplerian(list(SEEN), np.array([r["Epoch"] for r in some]) - 2400000.5, *columns, 30.0)


def seen_mjd(name: str) -> float:
    return float((np.datetime64(SEEN[name][0]) - np.datetime64("1858-11-17")) / np.timedelta64(1, "s")) / 86400.0


def test_they_hit_when_they_were_seen_to(impactors: OrbitBatch, planets: Planets) -> None:
    for k, (name, (_, minutes)) in enumerate(SEEN.items()):
        at = seen_mjd(name)
        found = first_impacts(propagate(impactors.take([k]), at - 1.0, at + 0.2, planets), planets)[0]
        assert abs(found - 69.2 / 86400.0 - at) < minutes / 1440.0, name


def test_blocks_tell_which_objects_to_look_at(impactors: OrbitBatch, planets: Planets) -> None:
    batch = impactors.take([0])
    start = np.floor(seen_mjd("2008 TC3")) - 1.0
    trajectory = propagate(batch, start - 1.0, start + 4.0, planets)
    groups = build_blocks(trajectory, batch, start, 3, planets)
    with_blocks = impact_times(batch, trajectory, groups, planets)
    np.testing.assert_array_equal(with_blocks, impact_times(batch, trajectory, None, planets))
    assert abs(with_blocks[0] - seen_mjd("2008 TC3")) < 5.0 / 1440.0


def test_years_later_it_is_still_known_that_they_hit(impactors: OrbitBatch, planets: Planets) -> None:
    later = propagate(impactors, 61367.0, 61369.0, planets)
    found = impact_times(impactors, later, [], planets)
    assert [name for name, at in zip(SEEN, found, strict=True) if not np.isfinite(at)] == []
    for name, at in zip(SEEN, found, strict=True):
        assert abs(at - seen_mjd(name)) < (SEEN[name][1] + 2.0) / 1440.0


def test_what_passes_does_not_hit(planets: Planets) -> None:
    from tests.coordination.visibility.engine.oracle import START_TT_MJD, flybys

    passing = flybys([1.1e-4, 3e-4, 0.01], START_TT_MJD + 1.0)  # the nearest 10,000 km above the ground
    trajectory = propagate(passing, START_TT_MJD - 1.0, START_TT_MJD + 3.0, planets)
    assert np.isnan(impact_times(passing, trajectory, None, planets)).all()
