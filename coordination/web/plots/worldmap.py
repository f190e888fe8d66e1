"""The world in the Equal Earth projection (Šavrič, Patterson, Jenny 2018): land, night, sites, lines between them."""

from __future__ import annotations

import functools
import itertools
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .svg import Point, circle, path_data, tag, text

_LAND = Path(__file__).resolve().parent.parent / "data" / "land_110m.json"
_A1, _A2, _A3, _A4 = 1.340264, -0.081106, 0.000893, 0.003796
_M = math.sqrt(3.0) / 2.0
_STEP_DEG = 3.0  # longer edges are bent as the projection bends them
_FULL_WIDTH, _FULL_HEIGHT = 2 * math.pi / (_M * _A1), 2 * 1.3173627591574

# The Sun's altitude at which each band of the night begins, and its class, from bright to dark.
BANDS = ((0.0, "dusk1"), (-6.0, "dusk2"), (-12.0, "dusk3"), (-18.0, "dusk4"))


def project(lon_deg: float, lat_deg: float) -> Point:
    """Equal Earth, in radians of the equator, y to the north; longitudes beyond 180 lie beyond the edge."""
    theta = math.asin(_M * math.sin(math.radians(lat_deg)))
    t2 = theta * theta
    t6 = t2 * t2 * t2
    slope = _A1 + 3 * _A2 * t2 + t6 * (7 * _A3 + 9 * _A4 * t2)
    return math.radians(lon_deg) * math.cos(theta) / (_M * slope), theta * (_A1 + _A2 * t2 + t6 * (_A3 + _A4 * t2))


@dataclass(frozen=True)
class Marker:
    """A place on the map: class of its dot, what a pointer is told, a label for those that get one."""

    lon_deg: float
    lat_deg: float
    class_: str
    tip: str
    label: str = ""
    radius: float = 4.0


@dataclass(frozen=True)
class WorldMap:
    """A map `width` pixels wide with its left upper corner at (left, top); `name` tells maps of a page apart."""

    name: str
    width: float
    left: float = 0.0
    top: float = 0.0

    @property
    def height(self) -> float:
        return self.width * _FULL_HEIGHT / _FULL_WIDTH

    def at(self, lon_deg: float, lat_deg: float) -> Point:
        x, y = project(lon_deg, lat_deg)
        scale = self.width / _FULL_WIDTH
        return self.left + self.width / 2 + x * scale, self.top + self.height / 2 - y * scale

    def base(self, sun: tuple[float, float] | None = None) -> str:
        """Sea, land, graticule and, with the place (longitude, latitude) that has the Sun in its zenith, the night."""
        parts = [
            tag("clipPath", tag("path", d=self._outline()), id=f"{self.name}-globe"),
            tag("path", d=self._outline(), class_="sea"),
            tag("path", d=self._graticule(), class_="graticule"),
            tag(
                "path",
                d=_land(round(self.width), self.left, self.top),
                class_="land",
                clip_path=f"url(#{self.name}-globe)",
            ),
        ]
        if sun is not None:
            night = "".join(tag("path", d=self._night(sun, alt), class_=class_) for alt, class_ in BANDS)
            parts.append(tag("g", night, clip_path=f"url(#{self.name}-globe)"))
        parts.append(tag("path", d=self._outline(), class_="globe"))
        return "".join(parts)

    def markers(self, markers: Sequence[Marker]) -> str:
        """Dots, the labels among them where they hit no other."""
        parts, taken = [], [_box(*self.at(m.lon_deg, m.lat_deg), m.radius) for m in markers]
        for marker in markers:
            x, y = self.at(marker.lon_deg, marker.lat_deg)
            if "lit" in marker.class_:
                parts.append(circle(x, y, marker.radius * 2.2, "halo"))
            parts.append(circle(x, y, marker.radius, marker.class_, marker.tip))
        for marker in markers:
            if marker.label:
                parts.append(self._label(marker, taken))
        return "".join(parts)

    def _label(self, marker: Marker, taken: list[tuple[float, float, float, float]]) -> str:
        x, y = self.at(marker.lon_deg, marker.lat_deg)
        wide, gap = 6.2 * len(marker.label), marker.radius + 3
        right, left = self.left + self.width, self.left
        for dx, dy, anchor in ((gap, 4, "start"), (-gap, 4, "end"), (0, -gap - 1, "middle"), (0, gap + 10, "middle")):
            start = x + dx - {"start": 0, "end": wide, "middle": wide / 2}[anchor]
            box = (start, y + dy - 9, start + wide, y + dy + 2)
            hits = any(box[0] < b[2] and box[2] > b[0] and box[1] < b[3] and box[3] > b[1] for b in taken)
            if not hits and start > left and box[2] < right:
                taken.append(box)
                return text(x + dx, y + dy, marker.label, "place", anchor)
        return ""

    def arc(self, one: tuple[float, float], other: tuple[float, float], class_: str) -> str:
        """The great circle between two places (longitude, latitude)."""
        points = _great_circle(one, other)
        copies = "".join(
            tag("path", d=path_data([self.at(lon + turn, lat) for lon, lat in points]), class_=class_)
            for turn in (-360.0, 0.0, 360.0)
            if any(abs(lon + turn) <= 180 for lon, _ in points)
        )
        return tag("g", copies, clip_path=f"url(#{self.name}-globe)")

    def _outline(self) -> str:
        side = [self.at(180.0, lat) for lat in range(-90, 91, 5)]
        return path_data([*side, *(self.at(-180.0, lat) for lat in range(90, -91, -5))], closed=True)

    def _graticule(self) -> str:
        lines = [[self.at(lon, lat) for lat in range(-90, 91, 10)] for lon in range(-150, 180, 30)]
        lines += [[self.at(-180, lat), self.at(180, lat)] for lat in (-60, -30, 0, 30, 60)]
        return "".join(path_data(points) for points in lines)

    def _night(self, sun: tuple[float, float], below_deg: float) -> str:
        """The cap in which the Sun is lower than that, as it lies on the map, and a turn to both sides of it."""
        points = _cap((sun[0] + 180.0, -sun[1]), 90.0 + below_deg)
        return "".join(
            path_data([self.at(lon + turn, lat) for lon, lat in points], closed=True) for turn in (-360.0, 0.0, 360.0)
        )


def _box(x: float, y: float, radius: float) -> tuple[float, float, float, float]:
    return x - radius, y - radius, x + radius, y + radius


@functools.cache
def _land(width: int, left: float, top: float) -> str:
    board = WorldMap("", width, left, top)
    rings = json.loads(_LAND.read_text())["rings"]
    return "".join(path_data([board.at(*point) for point in _bent(ring)], closed=True) for ring in rings)


def _bent(ring: Sequence[Sequence[float]]) -> list[tuple[float, float]]:
    """A ring with points on its long edges, such as those along 180 degrees."""
    points: list[tuple[float, float]] = []
    for (x0, y0), (x1, y1) in itertools.pairwise(ring):
        count = max(1, math.ceil(max(abs(x1 - x0), abs(y1 - y0)) / (2 * _STEP_DEG)))
        points += [(x0 + (x1 - x0) * k / count, y0 + (y1 - y0) * k / count) for k in range(count)]
    return points


def _cap(centre: tuple[float, float], radius_deg: float) -> list[tuple[float, float]]:
    """The edge of a cap (longitude, latitude) without a jump in longitude; over a pole, closed along that pole."""
    lon0, lat0 = math.remainder(centre[0], 360.0), centre[1]
    sin0, cos0 = math.sin(math.radians(lat0)), math.cos(math.radians(lat0))
    r = math.radians(radius_deg)
    points: list[tuple[float, float]] = []
    for k in range(0, 361, 2):
        bearing = math.radians(k)
        sin_lat = sin0 * math.cos(r) + cos0 * math.sin(r) * math.cos(bearing)
        lat = math.degrees(math.asin(max(-1.0, min(1.0, sin_lat))))
        east = math.atan2(math.sin(bearing) * math.sin(r) * cos0, math.cos(r) - sin0 * sin_lat)
        lon = lon0 + math.degrees(east)
        if points:
            lon = points[-1][0] + math.remainder(lon - points[-1][0], 360.0)
        points.append((lon, lat))
    if abs(points[-1][0] - points[0][0]) > 180.0:  # around a pole
        pole = 90.0 if lat0 > 0 else -90.0
        # A whole turn, from edge to edge of three maps, then along the pole.
        turn = math.copysign(360.0, points[-1][0] - points[0][0])
        start, end = points[0][0], points[0][0] + turn
        points = [*points, (end, pole), *((end - turn * k / 12, pole) for k in range(1, 12)), (start, pole)]
    return points


def _great_circle(one: tuple[float, float], other: tuple[float, float]) -> list[tuple[float, float]]:
    a, b = _unit(*one), _unit(*other)
    angle = math.acos(max(-1.0, min(1.0, sum(x * y for x, y in zip(a, b, strict=True)))))
    if angle < 1e-9:
        return [one, other]
    points: list[tuple[float, float]] = []
    count = max(2, math.ceil(math.degrees(angle) / _STEP_DEG))
    for k in range(count + 1):
        f, g = (math.sin(angle * (1 - k / count)), math.sin(angle * k / count))
        x, y, z = ((f * p + g * q) / math.sin(angle) for p, q in zip(a, b, strict=True))
        lon = math.degrees(math.atan2(y, x))
        if points:
            lon = points[-1][0] + math.remainder(lon - points[-1][0], 360.0)
        points.append((lon, math.degrees(math.asin(max(-1.0, min(1.0, z))))))
    return points


def _unit(lon_deg: float, lat_deg: float) -> tuple[float, float, float]:
    lon, lat = math.radians(lon_deg), math.radians(lat_deg)
    return math.cos(lat) * math.cos(lon), math.cos(lat) * math.sin(lon), math.sin(lat)
