"""What the database knows of how well an orbit is known."""

import json

import numpy as np
import pytest

from targets.models import Orbit, Target
from targets.orbits.elements import cometary_to_state, keplerian_to_state
from targets.orbits.planets import default_planets
from targets.services.orbit_quality import current_knowledge, quality_of
from tests.shared import SHARED, needs_shared


def test_without_a_covariance_it_is_an_estimate(apophis: Target) -> None:
    (quality,), (covariance,) = current_knowledge(["Apophis"], default_planets())
    assert (quality.u_parameter, quality.is_known) == ("0", True)
    assert covariance is not None
    assert (covariance.name, covariance.is_estimate) == ("Apophis", True)
    orbit = apophis.current_orbit
    e, q, tp, node, peri, i = covariance.elements
    np.testing.assert_allclose(
        cometary_to_state(q, e, i, node, peri, tp, covariance.epoch_tdb_mjd),
        keplerian_to_state(orbit.a_au, orbit.e, orbit.i_deg, orbit.node_deg, orbit.peri_deg, orbit.mean_anomaly_deg),
        atol=1e-9,
    )


def test_where_nothing_is_known_nothing_is_made_up(apophis: Target) -> None:
    Orbit.objects.filter(target=apophis).update(u_parameter="", arc_days=None, last_observed_on=None)
    (quality,), (covariance,) = current_knowledge(["99942"], default_planets())
    assert covariance is None
    assert not quality.is_known


@needs_shared
@pytest.mark.parametrize(("file", "is_estimate"), [("99942", False), ("101955", True)])
def test_a_published_covariance_counts_if_our_forces_know_its_terms(
    apophis: Target, file: str, is_estimate: bool
) -> None:
    """That of Bennu has a density among its unknowns."""
    published = json.loads((SHARED / "fixtures" / "sbdb" / f"{file}_phys.json").read_text())["orbit"]["covariance"]
    Orbit.objects.filter(target=apophis).update(covariance=published)
    _, (covariance,) = current_knowledge(["99942"], default_planets())
    assert covariance is not None
    assert covariance.is_estimate is is_estimate
    if not is_estimate:
        assert covariance.epoch_tdb_mjd == 59215.0


def test_the_day_of_the_last_observation_is_a_date_of_the_calendar(apophis: Target) -> None:
    orbit = apophis.current_orbit
    assert orbit.last_observed_on is not None
    days = np.timedelta64(int(quality_of(orbit).last_observed_mjd), "D")
    assert str(np.datetime64("1858-11-17") + days) == str(orbit.last_observed_on)
