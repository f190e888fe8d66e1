"""Several quantities over the same time, one below the other or two beside each other."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from dataclasses import dataclass

from .axes import NARROW, Frame, border, now_line, time_axis, value_axis
from .scales import Linear, Time, padded
from .svg import Drawing, line, polyline, rect, text


@dataclass(frozen=True)
class Panel:
    """A quantity over instants; `reversed`: small values are at the top, as of magnitudes; `logarithmic`: if it spans
    more than a factor of 20; `beside`: the same quantity to compare with, thin and dashed. Values that are None or not
    finite leave a gap.
    """

    label: str
    utc: Sequence[dt.datetime]
    values: Sequence[float]
    reversed: bool = False
    logarithmic: bool = False
    levels: Sequence[tuple[float, str]] = ()
    beside: Sequence[float] = ()


def draw_panels(
    name: str, width: int, span: tuple[dt.datetime, dt.datetime], panels: Sequence[Panel], now: dt.datetime,
    title: str, description: str, now_label: str,
) -> Drawing:  # fmt: skip
    small = width < NARROW
    columns = 2 if width > 800 else 1
    high, below, above = (120.0, 46.0, 26.0) if small else (150.0, 52.0, 28.0)
    cell = width / columns
    parts = []
    for number, panel in enumerate(panels):
        row, column = divmod(number, columns)
        top = row * (above + high + below) + above
        left = column * cell + (48.0 if small else 52.0)
        frame = Frame(left, top, (column + 1) * cell - (8.0 if column == columns - 1 else 18.0), top + high)
        parts.append(_panel(frame, panel, span, now, now_label if number == 0 else "", small))
    rows = math.ceil(len(panels) / columns)
    return Drawing(name, width, round(rows * (above + high + below)), title, description, "".join(parts))


def _panel(
    frame: Frame, panel: Panel, span: tuple[dt.datetime, dt.datetime], now: dt.datetime, now_label: str, small: bool
) -> str:
    given = [v for v in (*panel.values, *panel.beside) if v is not None and math.isfinite(v) and v > 0]
    logarithmic = panel.logarithmic and len(given) > 0 and max(given) > 20.0 * min(given)
    value = (lambda v: math.log10(v) if v > 0 else math.nan) if logarithmic else float

    def known(values: Sequence[float]) -> list[tuple[dt.datetime, float]]:
        found = [(at, value(v)) for at, v in zip(panel.utc, values, strict=True) if v is not None]
        return [(at, v) for at, v in found if math.isfinite(v)]

    curve, beside = known(panel.values), known(panel.beside) if panel.beside else []
    points = [*curve, *beside]
    parts = [rect(frame.left, frame.top, frame.width, frame.height, "paper")]
    x = Time(*span, frame.left, frame.right)
    if points:
        low, top = padded(min(v for _, v in points), max(v for _, v in points), 0.02 if logarithmic else 0.01)
        ends = (frame.top, frame.bottom) if panel.reversed else (frame.bottom, frame.top)
        y = Linear(low, top, *ends)
        shown = (lambda v: f"{10**v:.3g}") if logarithmic else None
        parts.append(value_axis(frame, y, panel.label, about=4, shown=shown))
        for level, label in panel.levels:
            place = value(level)
            if low < place < top:
                parts += [line(frame.left, y(place), frame.right, y(place), "limit"),
                          text(frame.right - 4, y(place) - 4, label, "tick", "end")]  # fmt: skip
        parts.append(time_axis(frame, x, spacing=44.0 if small else 52.0))
        if beside:
            parts.append(polyline([(x(at), y(v)) for at, v in beside], "line thin"))
        parts.append(polyline([(x(at), y(v)) for at, v in curve], "line single"))
    else:
        parts.append(text(frame.left, frame.top - 8, panel.label, "unit"))
        parts.append(time_axis(frame, x, spacing=44.0 if small else 52.0))
        parts.append(text((frame.left + frame.right) / 2, (frame.top + frame.bottom) / 2, "–", "tick", "middle"))
    return "".join([*parts, border(frame), now_line(frame, x, now, now_label)])
