"""Horizon masks: linear between azimuths and across north."""

import numpy as np
import pytest

from observatories.sites.horizon import HorizonError, HorizonMask


def test_it_is_linear_between_points_and_across_north() -> None:
    mask = HorizonMask.from_points([(350.0, 10.0), (10.0, 30.0), (180.0, 5.0)])
    np.testing.assert_allclose(mask.altitude_at([350.0, 355.0, 0.0, 5.0, 10.0, 360.0]), [10, 15, 20, 25, 30, 20])
    assert mask.altitude_at(95.0) == pytest.approx(17.5)
    assert mask.steepest == pytest.approx(1.0)


def test_one_point_is_a_level_horizon() -> None:
    mask = HorizonMask.from_points([(0.0, 15.0)])
    np.testing.assert_array_equal(mask.altitude_at(np.arange(0.0, 360.0, 30.0)), 15.0)
    assert mask.steepest == 0.0


@pytest.mark.parametrize(
    ("points", "message"),
    [
        ([(10.0, 5.0), (10.0, 6.0)], "azimuth 10 occurs twice"),
        ([(0.0, 5.0), (360.0, 6.0)], "azimuth 0 occurs twice"),
        ([], "at least one"),
        ([(-1.0, 5.0)], "from 0 to 360"),
        ([(float("nan"), 5.0)], "from 0 to 360"),
        ([(0.0, 91.0)], "from -90 to 90"),
    ],
)
def test_a_mask_that_cannot_be_is_refused(points: list[tuple[float, float]], message: str) -> None:
    with pytest.raises(HorizonError, match=message):
        HorizonMask.from_points(points)
