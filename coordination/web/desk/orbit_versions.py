"""Versions of a target's orbit as the desk shows them: a table of what changed, and how the uncertainty grows."""

import datetime as dt
import math
from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from targets.models import Target
from targets.orbits.differences import Difference
from targets.orbits.planets import MJD_ZERO_JD
from targets.services.orbit_versions import Version, Versions

from .. import times
from ..figures import Figure, Table
from ..plots.panels import Panel, draw_panels
from ..plots.svg import Drawing

# Of ELEMENTS: what they are called, and their unit.
_ELEMENTS = (("e", ""), ("q", "au"), ("tp", "d"), ("node", "deg"), ("peri", "deg"), ("i", "deg"))


@dataclass(frozen=True)
class ElementRow:
    name: str
    moved: str
    sigma: str
    in_sigma: str


@dataclass(frozen=True)
class Row:
    """A version with what it changed, as text; `shifts`: arcsec and 1-sigma of the one before, now and at the end."""

    version: Version
    arc: str
    observations: str
    h: str
    distance: str
    shifts: list[tuple[str, str]]
    elements: list[ElementRow]
    compared_at: str


def rows_of(found: Versions) -> list[Row]:
    return [_row(version) for version in found.rows]


def _row(version: Version) -> Row:
    change = version.difference
    before = version.before.sigma_major_arcsec if version.before is not None else None
    shifts = []
    if change is not None:
        for place in (0, -1):
            sigma = float("nan") if before is None else float(before[place])
            shifts.append((significant(float(change.shift_arcsec[place])), significant(sigma)))
    return Row(
        version=version,
        arc=_gained(version.gained("arc_days"), 0, "d"),
        observations=_gained(version.gained("observation_count"), 0),
        h=_gained(version.gained("h_mag"), 2, "mag"),
        distance=significant(change.distance_sigma) if change is not None else "–",
        shifts=shifts,
        elements=[] if change is None else _element_rows(change),
        compared_at="" if change is None else f"{change.epoch_tdb_mjd + MJD_ZERO_JD:.1f}",
    )


def _element_rows(change: Difference) -> list[ElementRow]:
    rows = []
    for (name, unit), moved, sigma in zip(_ELEMENTS, change.elements.tolist(), change.sigma.tolist(), strict=True):
        known = math.isfinite(sigma)
        in_sigma = f"{moved / sigma:+.2f}".replace("-0.00", "+0.00") if known else "–"
        label = f"{name} ({unit})" if unit else name
        rows.append(ElementRow(label, f"{moved:+.2e}", f"{sigma:.1e}" if known else "–", in_sigma))
    return rows


def _gained(value: float | None, places: int, unit: str = "") -> str:
    """+12 d; nothing where it is the same."""
    return "" if value is None or abs(value) < 0.5 * 10.0**-places else f"{value:+.{places}f} {unit}".strip()


def significant(value: float) -> str:
    """With three significant figures, or all before the point; a dash where it is not known."""
    if not math.isfinite(value):
        return "–"
    if value and abs(value) < 0.0005:
        return f"{value:.1e}"
    places = 0 if abs(value) >= 100.0 else 1 if abs(value) >= 10.0 else 2 if abs(value) >= 1.0 else 3
    return times.number(value, places)


def growth_figure(target: Target, found: Versions, now: dt.datetime) -> Figure | None:
    """1-sigma over the stored nights of the current orbit, dashed that of the one before; and the shift between them.
    None where nothing is known of the accuracy of either.
    """
    current = found.current
    if current is None or current.sigma_major_arcsec is None:
        return None
    before = current.before.sigma_major_arcsec if current.before is not None else None
    mine = current.sigma_major_arcsec.tolist()
    theirs = [] if before is None else before.tolist()
    shift = [] if current.difference is None else current.difference.shift_arcsec.tolist()
    if not any(map(math.isfinite, [*mine, *theirs])):
        return None
    panels = [Panel(_("1-sigma (arcsec)"), found.dates, mine, logarithmic=True, beside=theirs)]
    if shift:
        panels.append(Panel(_("shift on the sky (arcsec)"), found.dates, shift, logarithmic=True))
    title = _("Uncertainty of %(target)s") % {"target": target}
    description = _("1-sigma of the current orbit: %(now)s arcsec now, %(end)s arcsec at the end.") % {
        "now": significant(mine[0]), "end": significant(mine[-1]),
    }  # fmt: skip

    def draw(name: str, width: int) -> Drawing:
        return draw_panels(
            name, width, (found.dates[0], found.dates[-1]), panels, now, title, description, _("now")
        )  # fmt: skip

    return Figure("growth", draw, _growth_table(found.dates, mine, theirs, shift), "")


def _growth_table(
    dates: Sequence[dt.datetime], mine: Sequence[float], theirs: Sequence[float], shift: Sequence[float]
) -> Table:
    columns = [_("Time (UTC)"), _("1-sigma (arcsec)")]
    series = [mine]
    if theirs:
        columns.append(_("1-sigma before (arcsec)"))
        series.append(theirs)
    if shift:
        columns.append(_("Shift (arcsec)"))
        series.append(shift)
    rows = [(times.minute(at), *(significant(values[k]) for values in series)) for k, at in enumerate(dates)]
    caption = _("Semi-major axis of the 1-sigma ellipse, seen from the Earth's centre")
    return Table(columns, rows, caption, frozenset(range(1, len(columns))))
