"""A night plan in words and figures, line by line, for paper: the same for HTML and PDF."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from coordination.booking.models import Booking
from observatories.models import Telescope

from ..labels import said
from .plan import Entry, NightPlan, Position

POSITION_HEADINGS = (
    "UTC", "local", "RA (ICRF)", "Dec", "Az °", "Alt °", "rate ″/min", "PA °", "V", "Moon °", "Sun °",
)  # fmt: skip


@dataclass(frozen=True)
class Block:
    """A booking as it is printed."""

    pk: int
    title: str
    period: str
    facts: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    has_ephemeris: bool


def heading(plan: NightPlan) -> str:
    telescope, last = plan.telescope, plan.night + dt.timedelta(days=1)
    same_month = f"{last:%d}" if last.month == plan.night.month else f"{last:%Y-%m-%d}"
    return f"{telescope} · {telescope.observatory} · {plan.night:%Y-%m-%d}/{same_month}"


def sun_rows(plan: NightPlan) -> list[tuple[str, str, str]]:
    """Name, evening, morning: UTC with the local time behind it."""
    names = (_("Sunset and sunrise"), _("Civil twilight, −6°"), _("Nautical twilight, −12°"),
             _("Astronomical twilight, −18°"))  # fmt: skip
    rows = []
    for name, below in zip(names, plan.sky.sun, strict=True):
        if below.never or below.all_night:
            told = _("the Sun stays above") if below.never else _("the Sun stays below")
            rows.append((name, told, told))
        else:
            rows.append((name, both(below.begins_at, plan.zone), both(below.ends_at, plan.zone)))
    return rows


def moon_line(plan: NightPlan) -> str:
    sky = plan.sky
    lit = _("Moon %(percent).0f %% lit") % {"percent": 100.0 * sky.moon_lit_fraction}
    edges = [(sky.moon_rises_at, _("rises %s")), (sky.moon_sets_at, _("sets %s"))]
    found = sorted((at, text) for at, text in edges if at is not None)
    told = [text % both(at, plan.zone) for at, text in found]
    if not told:
        told = [_("up all night") if sky.moon_up else _("below the horizon all night")]
    return ", ".join([lit, *told])


def closure_lines(plan: NightPlan) -> list[str]:
    return [
        _("Closed %(period)s: %(reason)s")
        % {"period": _period(each.starts_at, each.ends_at, plan.zone), "reason": each.reason}
        for each in plan.closures
    ]


def blocks(plan: NightPlan) -> list[Block]:
    return [_block(entry, plan) for entry in plan.entries]


def _block(entry: Entry, plan: NightPlan) -> Block:
    booking = entry.booking
    name = str(entry.target) if entry.target else _("a target that is not public") if entry.is_secret else ""
    title = name or booking.purpose or _("local use")
    state = said(Booking.State(booking.state).label)
    occupied = _period(booking.starts_at, booking.ends_at, plan.zone, seconds=True)
    facts = [
        _("%(state)s for %(holder)s; telescope occupied %(period)s")
        % {"state": state, "holder": booking.organisation, "period": occupied}
    ]
    if booking.disturbed:
        facts.append(_("DISTURBED: a closure falls over it"))
    if entry.slot is not None:
        facts.append(_("Slot %(pk)d of campaign %(title)s") % {"pk": entry.slot.pk, "title": entry.slot.campaign})
    if entry.positions:
        facts += [*_low(entry.positions, plan.telescope), _finder(entry.positions, plan.telescope)]
    if entry.refusal:
        facts.append(_("No positions: %s") % entry.refusal)
    facts += [_("Note: %s") % note for note in entry.notes if note != title]
    return Block(
        booking.pk,
        title,
        _period(booking.observe_from, booking.observe_until, plan.zone),
        tuple(facts),
        tuple(_row(position, plan.zone) for position in entry.positions),
        bool(entry.positions),
    )


def _row(position: Position, zone: ZoneInfo) -> tuple[str, ...]:
    return (
        f"{position.at:%H:%M:%S}", f"{position.at.astimezone(zone):%H:%M}", hours(position.ra_deg),
        degrees(position.dec_deg), f"{position.az_deg:.1f}", signed(position.alt_deg, 1),
        f"{position.rate_arcsec_min:.2f}", f"{position.pa_deg:.1f}", _known(position.v_mag, "{:.1f}"),
        f"{position.moon_sep_deg:.0f}", signed(position.sun_alt_deg, 0),
    )  # fmt: skip


def _low(positions: tuple[Position, ...], telescope: Telescope) -> list[str]:
    """A warning where the target is lower than the telescope may point."""
    lowest = min(position.alt_deg for position in positions)
    if lowest >= telescope.altitude_min_deg:
        return []
    told = {"limit": telescope.altitude_min_deg, "lowest": signed(lowest, 0)}
    return [_("LOWER THAN THE TELESCOPE'S LIMIT of %(limit).0f°: down to %(lowest)s°") % told]


def _finder(positions: tuple[Position, ...], telescope: Telescope) -> str:
    """The field, and the largest 3-sigma ellipse of the night in it: whether the target is surely in the picture."""
    width, height = 60.0 * telescope.field_width_deg, 60.0 * telescope.field_height_deg
    field = _("Finder field %(w).3g′ × %(h).3g′") % {"w": width, "h": height}
    worst = max(positions, key=lambda each: -1.0 if math.isnan(each.unc_major_arcsec) else each.unc_major_arcsec)
    trust = _("orbit %s") % worst.orbit_trust
    if math.isnan(worst.unc_major_arcsec):
        return f"{field}; {_('position uncertainty not known')}; {trust}"
    major, minor = 3.0 * worst.unc_major_arcsec, 3.0 * worst.unc_minor_arcsec
    ellipse = _("3σ ±%(major)s × %(minor)s at PA %(pa).0f°") % {
        "major": arc(major), "minor": arc(minor), "pa": worst.unc_pa_deg,
    }  # fmt: skip
    fits = 2.0 * major <= 60.0 * min(width, height)
    verdict = _("inside the field") if fits else _("LARGER THAN THE FIELD: search along PA %.0f°") % worst.unc_pa_deg
    return f"{field}; {ellipse}, {verdict}; {trust}"


def both(instant: dt.datetime | None, zone: ZoneInfo) -> str:
    """UTC, and as clocks on site show it."""
    if instant is None:
        return "–"
    return f"{instant:%H:%M} UTC ({instant.astimezone(zone):%H:%M})"


def _period(starts_at: dt.datetime, ends_at: dt.datetime, zone: ZoneInfo, seconds: bool = False) -> str:
    form = "%H:%M:%S" if seconds else "%H:%M"
    local = f"{starts_at.astimezone(zone):%H:%M}–{ends_at.astimezone(zone):%H:%M}"
    return f"{starts_at:{form}}–{ends_at:{form}} UTC ({local})"


def hours(ra_deg: float) -> str:
    """Right ascension, 12 34 56.78."""
    hundredths = round(ra_deg / 15.0 * 360_000.0) % 8_640_000
    minutes, rest = divmod(hundredths, 6000)
    return f"{minutes // 60:02d} {minutes % 60:02d} {rest / 100.0:05.2f}"


def degrees(dec_deg: float) -> str:
    """Declination, −12 34 56.7."""
    tenths = round(abs(dec_deg) * 36_000.0)
    minutes, rest = divmod(tenths, 600)
    return f"{'−' if dec_deg < 0.0 else '+'}{minutes // 60:02d} {minutes % 60:02d} {rest / 10.0:04.1f}"


def signed(value: float, decimals: int) -> str:
    """With a minus that is as wide as a plus."""
    return f"{value:.{decimals}f}".replace("-", "−")


def arc(arcsec: float) -> str:
    if arcsec < 60.0:
        return f"{arcsec:.2g}″"
    return f"{arcsec / 60.0:.3g}′" if arcsec < 3600.0 else f"{arcsec / 3600.0:.3g}°"


def _known(value: float, form: str) -> str:
    return "–" if math.isnan(value) else form.format(value)
