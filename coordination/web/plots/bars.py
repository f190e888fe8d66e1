"""Periods as bars: one row for each telescope, observatory or target, over UTC."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field

from .axes import CHARACTER, NARROW, Frame, Key, border, legend, now_line, time_axis
from .scales import Time
from .svg import Drawing, line, rect, text

Interval = tuple[dt.datetime, dt.datetime]


@dataclass(frozen=True)
class Bar:
    """A period with its class, what a pointer is told, and the name that scripts find it by."""

    start: dt.datetime
    end: dt.datetime
    class_: str
    tip: str = ""
    name: str = ""


@dataclass(frozen=True)
class Row:
    label: str
    short: str  # on a narrow screen
    bars: Sequence[Bar] = field(default_factory=tuple)


@dataclass(frozen=True)
class Overlay:
    """A period over all rows, such as a slot or a gap, with a label above."""

    start: dt.datetime
    end: dt.datetime
    class_: str
    label: str = ""


@dataclass(frozen=True)
class Words:
    title: str
    description: str
    now: str


def draw_bars(
    name: str,
    width: int,
    span: Interval,
    rows: Sequence[Row],
    now: dt.datetime,
    words: Words,
    *,
    keys: Sequence[Key] = (),
    overlays: Sequence[Overlay] = (),
    behind: Sequence[Overlay] = (),
    marks: Sequence[tuple[dt.datetime, str]] = (),
    zone: str = "",
) -> Drawing:
    """`behind` is drawn under the bars, `overlays` over them; `marks` are labelled instants above, as of local time."""
    small = width < NARROW
    labels = [row.short if small else row.label for row in rows]
    most = 104.0 if small else 270.0
    left = min(most, max((CHARACTER * len(label) for label in labels), default=0.0) + 14.0)
    entries, high = legend(keys, 4.0, 4.0, width - 4.0)
    step = 19.0 if small else 22.0
    above = 22.0 if any(each.label for each in (*overlays, *behind)) else 10.0
    top = high + above + (18.0 if marks else 0.0)
    frame = Frame(left, top, width - 8.0, top + step * max(len(rows), 1))
    x = Time(*span, frame.left, frame.right)
    parts = [rect(frame.left, frame.top, frame.width, frame.height, "sea" if behind else "paper")]
    parts += [_overlay(each, frame, x) for each in behind]
    parts.append(time_axis(frame, x, spacing=48.0 if small else 60.0))
    for number, (row, label) in enumerate(zip(rows, labels, strict=True)):
        y = frame.top + step * number
        parts.append(line(4.0, y + step, frame.right, y + step, "grid"))
        parts.append(text(frame.left - 8, y + step / 2 + 4, _cut(label, left - 12), "row-label", "end"))
        for bar in row.bars:
            parts.append(_bar(bar, x, y, step))
    parts += [_overlay(each, frame, x) for each in overlays]
    parts += [_mark(at, label, frame, x) for at, label in _apart(marks, x, 48.0 if small else 60.0)]
    if zone:
        parts.append(text(frame.left - 8, frame.top - 8, zone, "unit", "end"))
    parts += [border(frame), now_line(frame, x, now, words.now), entries]
    return Drawing(name, width, round(frame.bottom + 50), words.title, words.description, "".join(parts))


def _bar(bar: Bar, x: Time, y: float, step: float) -> str:
    start, end = x.clamped(bar.start), x.clamped(bar.end)
    if end <= start:
        return ""
    seat = bar.class_.startswith("seat")
    inset, least = (3.0, 6.0) if seat else (5.0, 1.2)
    if end - start < least:
        start, end = (start + end - least) / 2, (start + end + least) / 2
    return rect(start, y + inset, end - start, step - 2 * inset, bar.class_, bar.tip, 2, bar.name)


def _overlay(overlay: Overlay, frame: Frame, x: Time) -> str:
    start, end = x.clamped(overlay.start), x.clamped(overlay.end)
    if end <= start:
        return ""
    shape = rect(start, frame.top, max(end - start, 1.5), frame.height, overlay.class_, overlay.label)
    if not overlay.label:
        return shape
    middle = (start + end) / 2
    half = CHARACTER * len(overlay.label) / 2
    anchor = "start" if middle - half < frame.left else "end" if middle + half > frame.right else "middle"
    place = start if anchor == "start" else end if anchor == "end" else middle
    return shape + text(place, frame.top - 6, overlay.label, "slot-label", anchor)


def _mark(at: dt.datetime, label: str, frame: Frame, x: Time) -> str:
    place = x(at)
    return line(place, frame.top - 4, place, frame.top, "grid strong") + text(
        place, frame.top - 8, label, "tick", "middle"
    )


def _apart(marks: Sequence[tuple[dt.datetime, str]], x: Time, spacing: float) -> list[tuple[dt.datetime, str]]:
    chosen: list[tuple[dt.datetime, str]] = []
    for at, label in marks:
        if x.start + 20 <= x(at) <= x.end - 14 and (not chosen or x(at) - x(chosen[-1][0]) >= spacing):
            chosen.append((at, label))
    return chosen


def _cut(label: str, pixels: float) -> str:
    most = int(pixels / CHARACTER)
    return label if len(label) <= most else label[: most - 1].rstrip() + "…"
