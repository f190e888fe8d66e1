"""A horizon mask as one sees it lying on the back: zenith in the middle, north up, east left; what hides filled."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from .axes import NARROW
from .svg import Drawing, Point, path_data, tag, text

_STEP_DEG = 1.0


def draw_horizon(
    name: str,
    width: int,
    altitude_at: Callable[[Sequence[float]], Sequence[float]] | None,
    points: Sequence[tuple[float, float]],
    least_deg: float,
    title: str,
    description: str,
    directions: tuple[str, str, str, str],
) -> Drawing:
    """altitude_at: of the mask, degrees, at azimuths in degrees; None: no mask. least_deg: the telescope's own limit.
    directions: letters of north, east, south, west.
    """
    size = min(width, 460)
    radius, middle = size / 2 - 26.0, size / 2

    def at(azimuth_deg: float, altitude_deg: float) -> Point:
        out = radius * (90.0 - max(0.0, altitude_deg)) / 90.0
        angle = math.radians(azimuth_deg)
        return middle - out * math.sin(angle), middle - out * math.cos(angle)

    def ring(altitude_deg: float, class_: str) -> str:
        return tag("circle", cx=middle, cy=middle, r=radius * (90.0 - altitude_deg) / 90.0, class_=class_)

    azimuths = [k * _STEP_DEG for k in range(int(360 / _STEP_DEG))]
    rim = path_data([at(azimuth, 0.0) for azimuth in azimuths], closed=True)
    parts = [ring(0.0, "paper")]
    if altitude_at is not None:
        skyline = path_data([at(a, h) for a, h in zip(azimuths, altitude_at(azimuths), strict=True)], closed=True)
        parts.append(tag("path", d=rim + skyline, class_="mask", fill_rule="evenodd"))
    parts += [ring(altitude, "ring") for altitude in (0.0, 30.0, 60.0)]
    for azimuth in range(0, 360, 45):
        (x1, y1), (x2, y2) = at(azimuth, 0.0), at(azimuth, 90.0)
        parts.append(tag("path", d=path_data([(x1, y1), (x2, y2)]), class_="ring"))
    parts.append(ring(max(0.0, least_deg), "limit"))
    parts += [tag("circle", cx=float(x), cy=float(y), r=2.6, class_="knot") for x, y in (at(*each) for each in points)]
    for altitude in (30, 60):
        parts.append(text(middle + 4, at(0, altitude)[1] + 12, f"{altitude}°", "place"))
    for azimuth, letter in zip((0, 90, 180, 270), directions, strict=True):
        x, y = at(azimuth, 0.0)
        out = 14.0
        x, y = x - out * math.sin(math.radians(azimuth)), y - out * math.cos(math.radians(azimuth)) + 4
        parts.append(text(x, y, letter, "strong-label", "middle"))
    return Drawing(name, size if width >= NARROW else width, size, title, description, "".join(parts))
