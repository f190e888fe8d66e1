"""Whatever a provider does, its client ends with what it should have said or with one of the errors, in time."""

import contextlib
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from coordination.common.providers.errors import Nonsense, Unavailable, Wrong
from coordination.common.providers.fetching import Fetched
from tests.providers.asking import ASKING, provider_of
from tests.providers.simulator import NEW, Simulator

SIGNED = ("sbdb", "sbdb_query", "horizons", "cad", "sentry", "scout")
UNAVAILABLE = ("500", "503", "429", "403", "hang", "drip", "reset")
NONSENSE = ("404", "html", "empty", "list", "redirect", "huge", "bomb")
everyone = pytest.mark.parametrize("name", ASKING)


def same(one: Any, other: Any) -> bool:
    """Equal, arrays included."""
    if isinstance(one, np.ndarray):
        return isinstance(other, np.ndarray) and np.array_equal(one, other)
    if hasattr(one, "__dataclass_fields__"):
        return type(one) is type(other) and all(
            same(getattr(one, name), getattr(other, name)) for name in one.__dataclass_fields__
        )
    return bool(one == other)


@everyone
def test_a_good_answer_is_read(simulator: Simulator, name: str) -> None:
    fetched = ASKING[name]()
    assert not fetched.is_unchanged
    assert simulator.calls == {provider_of(name): 1}


@everyone
@pytest.mark.parametrize("kind", UNAVAILABLE)
def test_trouble_of_the_provider_is_unavailable(simulator: Simulator, settings, name: str, kind: str) -> None:
    if kind in ("hang", "drip"):
        settings.PROVIDER_TIMEOUT_S = 0.1
    simulator.misbehave(provider_of(name), kind)
    with pytest.raises(Unavailable) as caught:
        ASKING[name]()
    assert caught.value.provider == provider_of(name)
    assert (caught.value.retry_after_s is not None) == (kind in ("503", "429"))


@everyone
@pytest.mark.parametrize("kind", NONSENSE)
def test_what_is_no_answer_is_nonsense(simulator: Simulator, settings, name: str, kind: str) -> None:
    settings.PROVIDER_MOST_BYTES = 500_000
    simulator.misbehave(provider_of(name), kind)
    with pytest.raises(Nonsense) as caught:
        ASKING[name]()
    assert caught.value.provider == provider_of(name)
    if kind in ("404", "html"):
        assert b"<html>" in caught.value.excerpt


@pytest.mark.parametrize("name", [name for name in ASKING if provider_of(name) in SIGNED])
def test_a_changed_version_of_the_format_is_an_alarm(simulator: Simulator, name: str) -> None:
    simulator.misbehave(provider_of(name), "signature")
    with pytest.raises(Nonsense) as caught:
        ASKING[name]()
    assert caught.value.wrong is Wrong.SIGNATURE
    assert "9.9" in str(caught.value)


def test_a_version_that_somebody_looked_at_is_read(simulator: Simulator, settings) -> None:
    settings.PROVIDER_VERSIONS = {"cad": "9.9"}
    simulator.misbehave("cad", "signature")
    assert ASKING["cad"]().value.rows


@pytest.mark.parametrize("name", ["sbdb", "horizons", "horizons vectors", "cad of one", "scout of one", "identifier"])
def test_another_object_than_asked_for_is_nonsense(simulator: Simulator, name: str) -> None:
    simulator.misbehave(provider_of(name), "wrong_object")
    with pytest.raises(Nonsense) as caught:
        ASKING[name]()
    assert name == "identifier" or caught.value.wrong is Wrong.OBJECT


@everyone
@pytest.mark.parametrize("kind", ["truncated", "strings", "nulls"])
def test_nothing_is_read_from_a_damaged_answer_that_was_not_in_it(simulator: Simulator, name: str, kind: str) -> None:
    good = ASKING[name]().value
    simulator.misbehave(provider_of(name), kind)
    value = nonsense_or(ASKING[name])
    if kind == "strings":  # numbers in quotes are what half of the providers send anyway
        assert same(value, good) or provider_of(name) == "identifier"
    elif kind == "truncated" and value is not None:  # a list of lines: it must not look as if the others had left
        assert not value.is_complete
        assert set(value.rows) < set(good.rows)
    else:
        assert value is None or (isinstance(value, type(good)) and provider_of(name) == "horizons")


def nonsense_or(ask: Callable[[], Fetched[Any]]) -> Any:
    """What is read, or None where it is nonsense."""
    with contextlib.suppress(Nonsense):
        return ask().value
    return None


@everyone
def test_an_answer_older_than_the_one_before_is_nonsense(simulator: Simulator, name: str) -> None:
    simulator.validators[provider_of(name)] = {"Last-Modified": NEW}
    ASKING[name]()
    simulator.misbehave(provider_of(name), "older")
    with pytest.raises(Nonsense) as caught:
        ASKING[name]()
    assert caught.value.wrong is Wrong.OLDER
    simulator.behave()
    ASKING[name]()


@everyone
def test_it_recovers_by_itself(simulator: Simulator, name: str) -> None:
    good = ASKING[name]().value
    simulator.misbehave(provider_of(name), "html", times=1)
    with pytest.raises(Nonsense):
        ASKING[name]()
    assert same(ASKING[name]().value, good)


def test_fifty_megabytes_are_read_no_farther_than_the_limit(simulator: Simulator) -> None:
    simulator.misbehave("cad", "huge")
    with pytest.raises(Nonsense, match=f"longer than {20 * 1024 * 1024} bytes"):
        ASKING["cad"]()


def test_errors_travel_between_processes(simulator: Simulator) -> None:
    simulator.misbehave("sbdb", "signature")
    with pytest.raises(Nonsense) as caught:
        ASKING["sbdb"]()
    there = pickle.loads(pickle.dumps(caught.value))
    assert (str(there), there.wrong, there.excerpt) == (str(caught.value), caught.value.wrong, caught.value.excerpt)
