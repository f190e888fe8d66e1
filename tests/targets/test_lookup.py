"""One target under all its designations, and what an asker who is mistaken is told."""

import numpy as np
import pytest

from coordination.common.actors import ANONYMOUS, SYSTEM, Actor
from coordination.common.problems import DomainError
from targets.models import Target
from targets.services import UnknownDesignationError, current_orbits, orbit_batch, resolve

pytestmark = pytest.mark.django_db

READER = Actor(user_id=1)


@pytest.mark.parametrize(
    "text",
    [
        "99942",
        "(99942)",
        " 99942 ",
        "Apophis",
        "APOPHIS",
        "apophis",
        "99942 Apophis",
        "(99942) Apophis",
        "99942 Apophis (2004 MN4)",
        "2004 MN4",
        "2004mn4",
        "2004MN4",
        "(2004 MN4)",
        "(99942) 2004 MN4",
        "K04M04N",
        "k04m04n",
    ],
)
def test_all_lead_to_apophis(apophis, text):
    assert resolve(text) == apophis


@pytest.mark.parametrize(
    ("text", "designation"),
    [
        ("00433", "433"),
        ("A898 PA", "433"),
        ("1898 PA", "433"),
        ("I98P00A", "433"),
        ("1956 PC", "433"),
        ("433 Eros (A898 PA)", "433"),
        ("~0000", "620000"),
        ("~000t", "620055"),
        ("A1955", "101955"),
        ("6743 P-L", "5011"),
        ("PLS6743", "5011"),
        ("594913 'Aylo'chaxnim (2020 AV2)", "594913"),
        ("Aylochaxnim", "594913"),
        ("706765 (2010 TK7)", "706765"),
        ("K24Y04R", "2024 YR4"),
    ],
)
def test_packed_old_and_full_names(catalogue, text, designation):
    assert resolve(text).designation == designation


@pytest.mark.parametrize(
    "text", ["", "   ", "()", "Apofis", "99943", "2004 MN5", "433 Apophis", "6743 PL", "x" * 5000, "%", "_", "\x00"]
)
def test_what_names_no_target_is_unknown(catalogue, text):
    with pytest.raises(UnknownDesignationError) as refusal:
        resolve(text)
    assert refusal.value.status == 404
    problem = refusal.value.as_problem()
    assert problem["type"].endswith(":not-found")
    assert isinstance(problem["nearest"], list)
    assert len(str(refusal.value)) < 400


@pytest.mark.parametrize(
    ("text", "nearest"), [("Apofis", "Apophis"), ("Eross", "Eros"), ("2024 YR5", "2024 YR4"), ("99943", "99942")]
)
def test_the_nearest_designations_are_told(catalogue, text, nearest):
    with pytest.raises(UnknownDesignationError, match=nearest) as refusal:
        resolve(text)
    assert nearest in refusal.value.extra["nearest"]


def test_what_one_may_not_see_is_unknown_in_the_same_words(secret):
    assert resolve("2024 YR4", READER) == secret == resolve("2024 YR4", SYSTEM)
    with pytest.raises(UnknownDesignationError) as hidden:
        resolve("2024 YR4", ANONYMOUS)
    Target.objects.filter(pk=secret.pk).delete()
    with pytest.raises(UnknownDesignationError) as absent:
        resolve("2024 YR4", ANONYMOUS)
    assert hidden.value.as_problem() == absent.value.as_problem()


def test_what_one_may_not_see_is_not_near_either(secret):
    with pytest.raises(UnknownDesignationError) as refusal:
        resolve("2024 YR5", ANONYMOUS)
    assert "YR4" not in str(refusal.value.as_problem())


def test_an_unknown_designation_costs_few_queries(catalogue, django_assert_max_num_queries):
    with django_assert_max_num_queries(6), pytest.raises(UnknownDesignationError):
        resolve("Zzyzx")


def test_current_orbits_are_named_and_ordered_as_asked(catalogue):
    names = ["K04M04N", "Eros", "99942", "2010 LB67"]
    batch = current_orbits(names)
    assert list(batch.names) == names
    assert np.array_equal(batch.state[0], batch.state[2])
    assert batch.h_mag[1] == 10.38
    assert np.isnan(batch.h_mag[3])
    assert batch.g.tolist() == [0.15] * 4
    assert batch.epoch_tdb_mjd[0] == 61000.0
    assert not batch.nongrav.any()


def test_current_orbits_refuse_an_unknown_name_as_a_value_error(catalogue):
    with pytest.raises(ValueError, match="Nearest: Apophis"):
        current_orbits(["Eros", "Apofis"])


def test_current_orbits_refuse_a_target_without_an_orbit(apophis):
    Target.objects.filter(pk=apophis.pk).update(current_orbit=None)
    with pytest.raises(DomainError, match="no orbit"):
        current_orbits(["99942"])


def test_a_batch_for_workers_is_one_query(catalogue, django_assert_num_queries):
    targets = Target.objects.in_bulk()
    asked = list(reversed(targets))[:10]
    with django_assert_num_queries(1):
        rows, batch = orbit_batch(asked)
    assert sorted(asked) == rows.target_id.tolist()
    assert list(batch.names) == [targets[pk].designation for pk in rows.target_id]
    assert rows.orbit_id.tolist() == [targets[pk].current_orbit_id for pk in rows.target_id]


def test_a_batch_leaves_out_targets_without_an_orbit(apophis):
    Target.objects.filter(pk=apophis.pk).update(current_orbit=None)
    rows, batch = orbit_batch([apophis.pk])
    assert len(batch) == rows.target_id.size == 0
    assert len(orbit_batch([])[1]) == 0
