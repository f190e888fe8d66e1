"""Axes, grids and legends."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from .scales import Linear, Time, decimals
from .svg import line, rect, text

NARROW = 480  # pixels: below that a plot is drawn for a telephone
CHARACTER = 6.4  # pixels, of the 11 px text of plots, on the wide side


@dataclass(frozen=True)
class Frame:
    """The rectangle in which values are drawn."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def width(self) -> float:
        return self.right - self.left

    @property
    def height(self) -> float:
        return self.bottom - self.top


def width_of(content: str) -> float:
    """Pixels that a label takes, rather too many."""
    return CHARACTER * len(content)


def time_axis(frame: Frame, scale: Time, *, spacing: float = 62.0, zone: str = "UTC") -> str:
    """Hours below a frame, the date below the first mark and each midnight, vertical grid lines."""
    parts, last_date, last_x = [], None, -1e9
    days = scale.midnights()
    days_only = len(days) > 3 and frame.width / len(days) < 2.2 * spacing
    every = max(1, math.ceil(44.0 * len(days) / frame.width)) if days_only else 1
    for tick in days[::every] if days_only else scale.ticks(spacing):
        x = scale(tick)
        midnight = tick.hour == 0
        parts.append(line(x, frame.top, x, frame.bottom, "grid strong" if midnight else "grid"))
        if days_only:
            if x < frame.right - 14:
                parts.append(text(x, frame.bottom + 15, f"{tick:%m-%d}", "tick", "middle"))
            continue
        parts.append(text(x, frame.bottom + 15, f"{tick:%H:%M}", "tick", _anchor(x, frame)))
        if tick.date() != last_date and x - last_x > 70:
            parts.append(text(x, frame.bottom + 29, f"{tick:%m-%d}", "tick date", _anchor(x, frame)))
            last_date, last_x = tick.date(), x
    parts.append(text(frame.right, frame.bottom + (44 if not days_only else 30), zone, "unit", "end"))
    return "".join(parts)


def _anchor(x: float, frame: Frame) -> str:
    return "end" if x > frame.right - 12 else "middle"


def value_axis(
    frame: Frame,
    scale: Linear,
    unit: str,
    *,
    about: int = 5,
    shown: Callable[[float], str] | None = None,
) -> str:
    """Values at the left of a frame, horizontal grid lines, and the unit above."""
    ticks = scale.ticks(about)
    places = decimals(ticks[1] - ticks[0]) if len(ticks) > 1 else 1
    parts = []
    for tick in ticks:
        y = scale(tick)
        label = shown(tick) if shown else f"{tick:,.{places}f}"
        parts.append(line(frame.left, y, frame.right, y, "grid"))
        parts.append(text(frame.left - 6, y + 4, label, "tick", "end"))
    parts.append(text(frame.left, frame.top - 8, unit, "unit"))
    return "".join(parts)


def border(frame: Frame) -> str:
    return rect(frame.left, frame.top, frame.width, frame.height, "frame")


def now_line(frame: Frame, scale: Time, now: dt.datetime, label: str) -> str:
    """Where now is, if it is in the frame."""
    if not scale.low <= now <= scale.high:
        return ""
    x = scale(now)
    anchor = "start" if x < frame.right - 40 else "end"
    mark = line(x, frame.top, x, frame.bottom, "now")
    return mark + text(x + (4 if anchor == "start" else -4), frame.top + 11, label, "now-label", anchor)


@dataclass(frozen=True)
class Key:
    """An entry of a legend: a sample, drawn by class as a line or a box, and what it means."""

    class_: str
    label: str
    shape: str = "box"  # box, line or dot


def legend(keys: Sequence[Key], left: float, top: float, right: float) -> tuple[str, float]:
    """Entries in as many lines as they need; and how high that is."""
    parts, x, y = [], left, top
    for key in keys:
        wide = 22 + width_of(key.label) + 14
        if x > left and x + wide - 14 > right:
            x, y = left, y + 18
        if key.shape == "line":
            parts.append(line(x, y + 5, x + 17, y + 5, key.class_))
        elif key.shape == "dot":
            parts.append(f'<circle cx="{x + 9:.1f}" cy="{y + 5:.1f}" r="4.5" class="{key.class_}"/>')
        else:
            parts.append(rect(x, y, 17, 10, key.class_, radius=2))
        parts.append(text(x + 22, y + 9, key.label, "legend"))
        x += wide
    return "".join(parts), (y - top + 18 if keys else 0.0)
