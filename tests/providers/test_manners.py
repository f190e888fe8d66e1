"""How providers are asked: one at a time, not again what has not changed, later when they ask for it, not at all when
switched off."""

import contextlib
import datetime as dt
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from coordination.common.providers import fetching, turns
from coordination.common.providers.errors import Ambiguous, Nonsense, NotFound, Offline, Unavailable, Wrong
from coordination.common.providers.fetching import Outcome
from coordination.common.providers.registry import NAMES, provider_named
from targets.sources.horizons import client as horizons
from targets.sources.neofixer.client import fetch_targets
from targets.sources.sbdb import client as sbdb
from targets.sources.scout import client as scout
from targets.sources.sentry import client as sentry
from targets.sources.sentry.parse import Removed
from tests.providers.asking import ASKING, END, START
from tests.providers.simulator import NEW, Simulator


@pytest.fixture
def outcomes():
    told: list[Outcome] = []
    fetching.register(after=told.append)
    yield told
    fetching.unregister(after=told.append)


def test_an_operator_gets_one_request_at_a_time(simulator: Simulator) -> None:
    names = ["sbdb", "cad", "sentry", "scout", "horizons", "sbdb_query"] * 4
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda name: ASKING[name](), names))
    assert sum(simulator.calls.values()) == 24
    assert simulator.overlapping == 1


def test_between_two_requests_there_is_a_pause(simulator: Simulator, settings, monkeypatch) -> None:
    settings.PROVIDER_PAUSE_S = 40.0
    slept: list[float] = []
    monkeypatch.setattr(time, "sleep", slept.append)
    ASKING["cad"]()
    ASKING["neocp"]()  # another operator
    assert not [pause for pause in slept if pause > 1]
    ASKING["sentry"]()
    (pause,) = (pause for pause in slept if pause > 1)
    assert 30 < pause <= 40


def test_while_another_asks_the_same_operator_there_is_no_turn(simulator: Simulator, settings) -> None:
    settings.PROVIDER_TURN_WAIT_S = 0.05
    with turns.turn(provider_named("cad")):
        with pytest.raises(Unavailable, match="others are asking"):
            ASKING["sentry"]()
        assert ASKING["neocp"]().value.rows
    assert ASKING["sentry"]().value.rows


def test_the_turn_of_a_process_that_was_killed_ends(simulator: Simulator, settings, monkeypatch) -> None:
    monkeypatch.setattr(turns, "_MARGIN_S", 0.0)
    settings.PROVIDER_TIMEOUT_S = 0.05
    turns.turn(provider_named("cad")).__enter__()  # and never left
    settings.PROVIDER_TIMEOUT_S = 20.0
    assert ASKING["sentry"]().value.rows


def test_a_failure_is_tried_again(simulator: Simulator, settings, outcomes: list[Outcome]) -> None:
    settings.PROVIDER_ATTEMPTS = 3
    simulator.misbehave("sbdb", "500", times=2)
    assert ASKING["sbdb"]().value.designation == "990001"
    assert simulator.calls["sbdb"] == 3
    assert [(outcome.provider, outcome.attempts, outcome.error) for outcome in outcomes] == [("sbdb", 3, None)]
    assert outcomes[0].byte_count > 1000


def test_nonsense_is_not_asked_for_again(simulator: Simulator, settings, outcomes: list[Outcome]) -> None:
    settings.PROVIDER_ATTEMPTS = 3
    simulator.misbehave("cad", "truncated")
    with pytest.raises(Nonsense) as caught:
        ASKING["cad"]()
    assert simulator.calls["cad"] == 1
    assert [outcome.error for outcome in outcomes] == [caught.value]


def test_a_short_wait_is_waited_and_a_long_one_given_up(simulator: Simulator, settings) -> None:
    settings.PROVIDER_ATTEMPTS = 2
    simulator.misbehave("cad", "429", times=1, retry_after_s=0)
    assert ASKING["cad"]().value.rows
    simulator.misbehave("cad", "429", times=1, retry_after_s=3600)
    with pytest.raises(Unavailable):
        ASKING["cad"]()
    assert simulator.calls["cad"] == 3
    with pytest.raises(Unavailable, match="asked to wait") as caught:  # of the same operator
        ASKING["sentry"]()
    assert 3500 < caught.value.retry_after_s <= 3600
    assert simulator.calls["sentry"] == 0


@pytest.mark.parametrize("validator", [{"ETag": '"one"'}, {"ETag": '"one"', "Last-Modified": NEW}])
def test_what_has_not_changed_is_not_sent_again(simulator: Simulator, validator: dict[str, str]) -> None:
    simulator.validators["neocp"] = validator
    first = ASKING["neocp"]()
    again = ASKING["neocp"]()
    assert (first.is_unchanged, again.is_unchanged) == (False, True)
    assert again.value == first.value
    simulator.validators["neocp"] = {"ETag": '"two"'}
    simulator.state.edit({"candidates.SYN0003": {"tdes": "SYN0003"}})
    assert len(ASKING["neocp"]().value.rows) == 3


def test_an_answer_that_could_not_be_read_is_not_remembered(simulator: Simulator) -> None:
    simulator.validators["cad"] = {"ETag": '"one"'}
    simulator.misbehave("cad", "truncated", times=1)
    with pytest.raises(Nonsense):
        ASKING["cad"]()
    assert not ASKING["cad"]().is_unchanged
    assert ASKING["cad"]().is_unchanged


def test_a_redirect_on_the_same_host_is_followed_but_not_for_ever(simulator: Simulator) -> None:
    simulator.misbehave("cad", "moved", times=2)
    assert ASKING["cad"]().value.rows
    simulator.misbehave("cad", "moved")
    with pytest.raises(Nonsense, match="redirects more than 3 times"):
        ASKING["cad"]()


@pytest.mark.parametrize(
    ("designation", "command"),
    [
        ("990001", '"990001;"'),
        ("2030 BB1", '"DES=2030 BB1;"'),
        ("67P", '"67P; CAP; NOFRAG;"'),
        ("C/2030 F3", '"DES=C/2030 F3; CAP; NOFRAG;"'),
    ],
)
def test_horizons_is_asked_for_small_bodies_only(simulator: Simulator, designation: str, command: str) -> None:
    with contextlib.suppress(NotFound):
        horizons.fetch_observer(designation, START, END, "1d")
    assert simulator.requests[0][1]["COMMAND"] == command


def test_they_hear_who_asks(simulator: Simulator, settings) -> None:
    settings.PROVIDER_CONTACT = "neo@example.org"
    ASKING["sbdb"]()
    ASKING["cad"]()
    agents = {headers["User-Agent"] for _, _, headers in simulator.requests}
    assert agents == {"NEO-Coordination/0.1 (+neo@example.org)"}


@pytest.mark.parametrize("name", ASKING)
def test_switched_off_nothing_is_sent(simulator: Simulator, settings, outcomes: list[Outcome], name: str) -> None:
    settings.PROVIDERS_OFFLINE = ["all"]
    with pytest.raises(Offline):
        ASKING[name]()
    assert not simulator.calls
    assert [type(outcome.error) for outcome in outcomes] == [Offline]


def test_one_can_be_switched_off(simulator: Simulator, settings) -> None:
    settings.PROVIDERS_OFFLINE = ["cad"]
    with pytest.raises(Offline):
        ASKING["cad"]()
    assert ASKING["sentry"]().value.rows


def test_who_keeps_account_can_refuse_a_request(simulator: Simulator, outcomes: list[Outcome]) -> None:
    def refuse(provider: str) -> None:
        raise Unavailable(provider, "failed too often")

    fetching.register(before=refuse)
    try:
        with pytest.raises(Unavailable, match="failed too often"):
            ASKING["esa"]()
    finally:
        fetching.unregister(before=refuse)
    assert not simulator.calls
    assert outcomes[0].attempts == 0


def test_every_provider_is_asked_in_these_tests(simulator: Simulator) -> None:
    by_a_job = {"iers"}  # a file without a format of its own: tests/observatories/test_earth_orientation_table.py
    assert {name.split(" ")[0] for name in ASKING} == set(NAMES) - by_a_job
    assert set(simulator.urls) == set(NAMES)


def test_unknown_and_ambiguous_objects(simulator: Simulator) -> None:
    simulator.state.aliases["Twin"] = ["990001", "2030 BB1"]
    for fetch in (sbdb.fetch_object, lambda name: horizons.fetch_observer(name, START, END, "1d")):
        with pytest.raises(NotFound):
            fetch("2031 XX9")
        with pytest.raises(Ambiguous) as caught:
            fetch("Twin")
        assert len(caught.value.candidates) == 2
    for fetch in (sentry.fetch_risk, scout.fetch_detail):
        with pytest.raises(NotFound):
            fetch("SYN0077")


def test_a_removed_risk_says_since_when(simulator: Simulator) -> None:
    removed = sentry.fetch_risk("2030 CC2").value
    assert removed == Removed("2030 CC2", dt.datetime(2026, 11, 22, 3, 10, tzinfo=dt.UTC))


def test_a_solution_older_than_the_known_one_is_refused(simulator: Simulator) -> None:
    known = sbdb.fetch_object("990001").value.solution.solved_at
    assert sbdb.fetch_object("990001", known_solved_at=known).value
    simulator.state.edit({"bodies.990001.solved_at": "2026-11-19 08:15:30", "bodies.990001.solution_id": "11"})
    with pytest.raises(Nonsense) as caught:
        sbdb.fetch_object("990001", known_solved_at=known)
    assert caught.value.wrong is Wrong.OLDER


def test_a_run_and_a_ranking_older_than_the_known_ones_are_refused(simulator: Simulator) -> None:
    later = dt.datetime(2026, 12, 24, tzinfo=dt.UTC)
    for fetch in (
        lambda: scout.fetch_detail("SYN0001", known_run_at=later),
        lambda: fetch_targets("Z90", known_generated_at=later),
        lambda: sentry.fetch_risk("2030 BB1", known_computed_at=later),
    ):
        with pytest.raises(Nonsense) as caught:
            fetch()
        assert caught.value.wrong is Wrong.OLDER
