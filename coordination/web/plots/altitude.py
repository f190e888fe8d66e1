"""Altitude against time at telescopes: thin where the target is up, thick inside windows."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field

from .axes import CHARACTER, NARROW, Frame, Key, border, legend, now_line, time_axis, value_axis
from .scales import Linear, Time
from .svg import Drawing, Point, line, polyline, rect, text

Interval = tuple[dt.datetime, dt.datetime]


@dataclass(frozen=True)
class Curve:
    """Altitudes at instants; `windows` are drawn thick."""

    label: str
    short: str  # beside the curve
    utc: Sequence[dt.datetime]
    altitude_deg: Sequence[float]
    windows: Sequence[Interval] = field(default_factory=tuple)


@dataclass(frozen=True)
class Site:
    """What is drawn when all curves are of one site: stretches of twilight and night by class, the least altitude, and
    local times for the upper axis.
    """

    bands: Sequence[tuple[dt.datetime, dt.datetime, str]]
    altitude_min_deg: float
    local_hours: Sequence[tuple[dt.datetime, str]]
    zone: str


@dataclass(frozen=True)
class Words:
    """What stands in the plot, in the reader's language."""

    title: str
    description: str
    unit: str
    now: str
    limit: str = ""


def draw_altitudes(
    name: str,
    width: int,
    span: Interval,
    curves: Sequence[Curve],
    now: dt.datetime,
    words: Words,
    site: Site | None = None,
) -> Drawing:
    """At most six curves, told apart by colour and dashes."""
    small = width < NARROW
    keys = [Key(f"line c{k + 1}", curve.label, "line") for k, curve in enumerate(curves)]
    entries, high = legend(keys, 4.0, 4.0, width - 4.0)
    top = high + (44.0 if site else 26.0)
    frame = Frame(30.0 if small else 38.0, top, width - 8.0, top + (210.0 if small else 300.0))
    x, y = Time(*span, frame.left, frame.right), Linear(0.0, 90.0, frame.bottom, frame.top)
    parts = [rect(frame.left, frame.top, frame.width, frame.height, "sea" if site else "paper")]
    if site:
        parts += [
            rect(x.clamped(start), frame.top, x.clamped(end) - x.clamped(start), frame.height, class_)
            for start, end, class_ in site.bands
        ]
    parts.append(value_axis(frame, y, words.unit, about=6))
    parts.append(time_axis(frame, x, spacing=48.0 if small else 60.0))
    if site:
        parts.append(_local_axis(frame, x, site, 48.0 if small else 60.0))
        limit = y(site.altitude_min_deg)
        parts += [line(frame.left, limit, frame.right, limit, "limit"),
                  text(frame.right - 4, limit - 4, words.limit, "tick", "end")]  # fmt: skip
    for k, curve in enumerate(curves):
        parts.append(_curve(curve, f"c{k + 1}", x, y))
    parts.append(_names(curves, x, y, frame))
    parts += [border(frame), now_line(frame, x, now, words.now), entries]
    return Drawing(name, width, round(frame.bottom + 50), words.title, words.description, "".join(parts))


def _curve(curve: Curve, class_: str, x: Time, y: Linear) -> str:
    parts = []
    points = list(zip(curve.utc, curve.altitude_deg, strict=True))
    for run in _above_zero(points):
        parts.append(polyline([(x(at), y(altitude)) for at, altitude in run], f"line thin {class_}"))
    for start, end in curve.windows:
        inside = [(x(at), y(altitude)) for at, altitude in points if start <= at <= end and altitude >= 0]
        if len(inside) > 1:
            parts.append(polyline(inside, f"line {class_}", curve.label))
    return "".join(parts)


def _names(curves: Sequence[Curve], x: Time, y: Linear, frame: Frame) -> str:
    """Above the top of each curve, moved apart where tops meet."""
    parts: list[str] = []
    taken: list[Point] = []
    for curve in curves:
        at, altitude = max(zip(curve.utc, curve.altitude_deg, strict=True), key=lambda point: point[1])
        if altitude <= 2.0:
            continue
        half = CHARACTER * len(curve.short) / 2
        px, py = min(max(x(at), frame.left + half + 4), frame.right - half - 4), y(altitude) - 7
        while any(abs(px - tx) < 2 * half + 8 and abs(py - ty) < 12 for tx, ty in taken):
            py -= 12
        if py > frame.top + 8:
            taken.append((px, py))
            parts.append(text(px, py, curve.short, "place", "middle"))
    return "".join(parts)


def _above_zero(points: Sequence[tuple[dt.datetime, float]]) -> list[list[tuple[dt.datetime, float]]]:
    runs: list[list[tuple[dt.datetime, float]]] = [[]]
    for point in points:
        if point[1] >= 0:
            runs[-1].append(point)
        elif runs[-1]:
            runs.append([])
    return [run for run in runs if len(run) > 1]


def _local_axis(frame: Frame, x: Time, site: Site, spacing: float) -> str:
    parts, last = [], -1e9
    for at, label in site.local_hours:
        place = x(at)
        if frame.left + 110 <= place <= frame.right - 10 and place - last >= spacing:
            parts += [line(place, frame.top - 4, place, frame.top, "grid strong"),
                      text(place, frame.top - 8, label, "tick", "middle")]  # fmt: skip
            last = place
    return "".join(parts) + text(frame.right, frame.top - 23, site.zone, "unit", "end")
