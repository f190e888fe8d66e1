"""Limits: what is refused, and thresholds through the air."""

import pytest

from coordination.visibility.engine.edges import Edge, edge_labels
from coordination.visibility.engine.limits import Limits, LimitsError
from observatories.sites.geodesy import Place
from observatories.sites.horizon import HorizonMask

SEA_LEVEL = Place(0.0, 0.0, 0.0)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("sun_alt_deg", 91.0),
        ("min_alt_deg", float("nan")),
        ("max_alt_deg", 20.0),
        ("max_alt_deg", 95.0),
        ("hour_angle_h", (3.0, -3.0)),
        ("hour_angle_h", (-13.0, 3.0)),
        ("hour_angle_h", (float("nan"), 3.0)),
        ("moon_sep_deg", -1.0),
        ("moon_sep_new_deg", 181.0),
        ("v_limit_mag", float("nan")),
        ("max_rate_arcsec_min", -5.0),
        ("min_duration_minutes", -1.0),
    ],
)
def test_impossible_limits_are_named(field: str, value: object) -> None:
    with pytest.raises(LimitsError) as refusal:
        Limits(**{field: value})  # type: ignore[arg-type]
    assert refusal.value.field == field
    assert field in str(refusal.value)


def test_refraction_lowers_thresholds() -> None:
    assert Limits().geometric_deg(20.0, SEA_LEVEL) == 20.0
    lowered = Limits(refraction=True).geometric_deg(20.0, SEA_LEVEL)
    assert 20.0 - lowered == pytest.approx(2.7 / 60.0, abs=0.05 / 60.0)


def test_the_lowest_altitude_counts_minimum_and_horizon() -> None:
    mask = HorizonMask.from_points([(0.0, 35.0), (180.0, 25.0)])
    assert Limits(min_alt_deg=20.0, horizon=mask).lowest_alt_deg(SEA_LEVEL) == 25.0
    assert Limits(min_alt_deg=30.0, horizon=mask).lowest_alt_deg(SEA_LEVEL) == 30.0


def test_moon_separation_grows_with_the_illuminated_part() -> None:
    limits = Limits(moon_sep_deg=40.0, moon_sep_new_deg=10.0)
    assert [float(limits.moon_separation_deg(part)) for part in (0.0, 0.5, 1.0)] == [10.0, 25.0, 40.0]
    assert float(Limits(moon_sep_deg=40.0).moon_separation_deg(0.1)) == 40.0
    assert not Limits(moon_sep_deg=0.0).needs_moon
    assert Limits(moon_sep_deg=0.0, moon_sep_new_deg=5.0).needs_moon


def test_edges_keep_their_numbers_and_names() -> None:
    assert {edge.label: int(edge) for edge in Edge} == {
        "span": 0,
        "night": 1,
        "sun": 2,
        "altitude": 3,
        "altitude_max": 4,
        "hour_angle": 5,
        "horizon": 6,
        "moon": 7,
        "magnitude": 8,
        "rate": 9,
        "closure": 10,
        "galactic": 11,
        "impact": 12,
    }
    assert edge_labels([2, 3]).tolist() == ["sun", "altitude"]
