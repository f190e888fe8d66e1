"""The stand-in itself: other tests and rehearsals rely on what it says of its calls and on changes taking hold."""

import httpx

from targets.sources.mpc import client as mpc
from targets.sources.neocp import client as neocp
from targets.sources.sbdb import client as sbdb
from targets.sources.sbdb.records import target_record
from targets.sources.scout import client as scout
from tests.providers.simulator import Simulator
from tests.providers.state import State


def test_it_is_steered_over_http(simulator: Simulator) -> None:
    changes = {
        "bodies.2030 BB1.solution_id": "13",
        "candidates.SYN0002": None,
        "candidates.SYN0009": {"tdes": "SYN0009"},
    }
    httpx.post(f"{simulator.base}/_state", json=changes)
    assert sbdb.fetch_object("2030 BB1").value.solution.solution_id == "13"
    assert [each.designation for each in neocp.fetch_list().value.rows] == ["SYN0001", "SYN0009"]
    assert httpx.get(f"{simulator.base}/_calls").json() == {"sbdb": 1, "neocp": 1}
    assert httpx.get(f"{simulator.base}/_state").json()["bodies"]["2030 BB1"]["solution_id"] == "13"


def test_a_candidate_that_is_designated_leaves_the_lists(simulator: Simulator) -> None:
    simulator.state.edit({"candidates.SYN0001.designation": "2030 BB1"})
    assert [each.designation for each in neocp.fetch_list().value.rows] == ["SYN0002"]
    assert [each.designation for each in scout.fetch_list().value.rows] == ["SYN0002"]


def test_two_thousand_different_objects(simulator: Simulator) -> None:
    simulator.state = State.with_bodies(2000)
    rows = mpc.fetch_catalogue().value.rows
    assert len({row.designation for row in rows}) == 2003
    for row in rows[3::400]:
        record = target_record(sbdb.fetch_object(row.designation).value)
        assert record.orbit.covariance
        assert abs(record.orbit.a_au - row.orbit.a_au) < 1e-6
