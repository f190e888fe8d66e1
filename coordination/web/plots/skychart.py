"""The path of a target among right ascension and declination, east to the left."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from dataclasses import dataclass

from .axes import NARROW, Frame, border, width_of
from .scales import Linear, decimals, padded
from .svg import Drawing, circle, line, polyline, rect, text

_RA_STEPS_H = (1 / 60, 2 / 60, 5 / 60, 10 / 60, 0.25, 0.5, 1.0, 2.0, 3.0, 6.0)


@dataclass(frozen=True)
class SkyPoint:
    """A place at an instant; those with a label are marked."""

    utc: dt.datetime
    ra_deg: float
    dec_deg: float
    label: str = ""


def draw_sky(
    name: str, width: int, points: Sequence[SkyPoint], title: str, description: str, axes: tuple[str, str]
) -> Drawing:
    """Angles are drawn to one scale at the middle declination. `axes`: names of right ascension and declination."""
    small = width < NARROW
    frame = Frame(46.0 if small else 54.0, 26.0, width - 12.0, 250.0 if small else 26.0 + min(380.0, 0.66 * width))
    ra = _continuous([point.ra_deg for point in points])
    dec = [point.dec_deg for point in points]
    middle = 0.5 * (min(dec) + max(dec))
    squeeze = max(0.15, math.cos(math.radians(middle)))
    wide, high = padded(min(ra), max(ra), 0.2), padded(min(dec), max(dec), 0.2)
    # One scale: the side that has room gets more sky.
    scale = max((wide[1] - wide[0]) * squeeze / frame.width, (high[1] - high[0]) / frame.height)
    half_ra, half_dec = scale * frame.width / squeeze / 2, scale * frame.height / 2
    centre_ra = 0.5 * (wide[0] + wide[1])
    low, top = middle - half_dec, middle + half_dec
    x = Linear(centre_ra - half_ra, centre_ra + half_ra, frame.right, frame.left)
    y = Linear(low, top, frame.bottom, frame.top)
    parts = [rect(frame.left, frame.top, frame.width, frame.height, "paper"), _grid(frame, x, y, small)]
    track = [(x(a), y(d)) for a, d in zip(ra, dec, strict=True)]
    parts.append(polyline(track, "line single"))
    taken: list[tuple[float, float]] = []
    for (px, py), point in zip(track, points, strict=True):
        if point.label:
            parts.append(circle(px, py, 3.6, "knot", point.label))
            end = px > frame.right - 60
            middle_x = px + (-1 if end else 1) * (8 + width_of(point.label) / 2)
            if all(abs(middle_x - tx) > 46 or abs(py - ty) > 13 for tx, ty in taken):
                parts.append(text(px + (-8 if end else 8), py - 6, point.label, "place", "end" if end else "start"))
                taken.append((middle_x, py))
    parts += [
        border(frame),
        text(frame.left, 14, axes[1], "unit"),
        text(frame.right, frame.bottom + 32, axes[0], "unit", "end"),
    ]
    return Drawing(name, width, round(frame.bottom + 40), title, description, "".join(parts))


def _grid(frame: Frame, x: Linear, y: Linear, small: bool) -> str:
    parts = []
    hours = (x.high - x.low) / 15.0
    step_h = next((s for s in _RA_STEPS_H if hours / s <= frame.width / 72), 6.0)
    for k in range(math.ceil(x.low / 15.0 / step_h), math.floor(x.high / 15.0 / step_h) + 1):
        place = x(k * step_h * 15.0)
        parts.append(line(place, frame.top, place, frame.bottom, "grid"))
        minutes = round(k * step_h * 60) % 1440
        parts.append(text(place, frame.bottom + 15, f"{minutes // 60}h {minutes % 60:02d}m", "tick", "middle"))
    ticks = y.ticks(5 if small else 7)
    places = decimals(ticks[1] - ticks[0]) if len(ticks) > 1 else 1
    for tick in ticks:
        if abs(tick) <= 90:
            parts.append(line(frame.left, y(tick), frame.right, y(tick), "grid"))
            parts.append(text(frame.left - 6, y(tick) + 4, f"{tick:+.{places}f}°".replace("-", "−"), "tick", "end"))
    return "".join(parts)


def _continuous(ra_deg: Sequence[float]) -> list[float]:
    """Without a jump at 24 h."""
    out: list[float] = []
    for value in ra_deg:
        out.append(value if not out else out[-1] + math.remainder(value - out[-1], 360.0))
    return out
