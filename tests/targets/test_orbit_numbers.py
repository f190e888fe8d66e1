"""What numbers an orbit can have in the database, and what becomes of parabolas, brightness and rotation there."""

import math

import numpy as np
import pytest
from django.db import IntegrityError, transaction

from coordination.common.problems import DomainError
from targets.models import Orbit, Target
from targets.orbits.elements import cometary_to_state
from targets.services import current_orbits, import_file, update_target
from targets.sources.files import read_file
from targets.sources.records import ORBIT_RANGES, OrbitRecord, RecordError

pytestmark = pytest.mark.django_db
COMET = (
    "designation,epoch_jd,q,e,i,node,peri,tp_jd,H,M1,K1\nC/2020 H3,2459000.5,2.3,1.0,62.5,110,40,2459000.5,,9.5,12\n"
)


@pytest.fixture
def comet(tmp_path) -> Target:
    path = tmp_path / "comet.csv"
    path.write_text(COMET)
    result = import_file(read_file(path))
    assert (result.created, result.rejected) == (1, [])
    return Target.objects.get()


def test_a_parabola_comes_back_as_it_was(comet):
    batch = current_orbits(["C/2020 H3"])
    expected = cometary_to_state(2.3, 1.0, 62.5, 110.0, 40.0, 59000.0, 59000.0)
    np.testing.assert_allclose(batch.state, expected, rtol=1e-12, atol=1e-15)
    assert (batch.h_mag[0], batch.k1[0]) == (9.5, 12.0)


def test_a_parabola_is_in_the_api(client, comet):
    orbit = client.get("/api/v1/targets/C2020H3/").json()["current_orbit"]
    assert (orbit["a_au"], orbit["mean_anomaly_deg"], orbit["q_au"], orbit["tp_tdb_jd"]) == (None, None, 2.3, 2459000.5)
    assert (orbit["m1_mag"], orbit["k1"], orbit["h_sigma_mag"]) == (9.5, 12.0, None)


@pytest.mark.parametrize("field", sorted(ORBIT_RANGES))
@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_what_is_no_number_never_reaches_the_database(comet, field, value):
    with pytest.raises(IntegrityError), transaction.atomic():
        Orbit.objects.update(**{field: value})


@pytest.mark.parametrize("field", sorted(set(ORBIT_RANGES) - {"q_au", "tp_tdb_jd"}))
def test_a_record_with_what_is_no_number_is_rejected_by_its_field(field):
    good = {"epoch_tdb_jd": 2461000.5, "a_au": 1.5, "e": 0.2, "i_deg": 5.0, "node_deg": 1.0, "peri_deg": 2.0}
    good |= {"mean_anomaly_deg": 3.0}
    OrbitRecord("file", **good).require_conic("X")
    with pytest.raises(RecordError, match=field):
        OrbitRecord("file", **(good | {field: math.nan})).require_conic("X")


@pytest.mark.parametrize("value", [0.0, -1.0, math.nan, math.inf, 1e6, "2.3", True])
def test_impossible_rotation_periods_are_refused(comet, value):
    with pytest.raises(DomainError) as refusal:
        update_target(comet.pk, rotation_period_h=value)
    assert refusal.value.field == "rotation_period_h"


def test_a_rotation_period_can_be_given_and_taken_back(client, comet):
    update_target(comet.pk, rotation_period_h=2.7)
    assert client.get("/api/v1/targets/C2020H3/").json()["rotation_period_h"] == 2.7
    update_target(comet.pk, rotation_period_h=None)
    assert Target.objects.get().rotation_period_h is None


@pytest.mark.parametrize("value", [0.0, math.nan])
def test_the_database_itself_refuses_impossible_rotation_periods(comet, value):
    with pytest.raises(IntegrityError), transaction.atomic():
        Target.objects.update(rotation_period_h=value)
