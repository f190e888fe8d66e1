"""What the page of a telescope shows: tonight, and the coming nights."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Count, Exists, OuterRef
from django.utils.translation import gettext as _

from coordination.booking.models import Booking, Seat, Slot
from coordination.campaigns.models import Campaign, CampaignTarget
from coordination.common.actors import Actor
from coordination.common.intervals import Interval, overlap
from coordination.visibility.almanac import Almanac, BelowAltitude, almanacs, night_of
from coordination.visibility.models import VisibilityWindow
from coordination.visibility.quality import LISTED, at_best, with_quality
from observatories.models import Telescope
from targets.services.ephemerides import planets

from . import times
from .figures import Figure, Table
from .local_axis import local_hours
from .night_bars import moon_row, twilight
from .plots.axes import Key
from .plots.bars import Bar, Row, Words, draw_bars
from .plots.svg import Drawing

NIGHTS, MOST_TARGETS = 7, 24
_HOUR, _DAY = dt.timedelta(hours=1), dt.timedelta(days=1)


@dataclass(frozen=True)
class Night:
    """A night of a telescope, as the Sun and the Moon leave it."""

    sky: Almanac

    @property
    def label(self) -> dt.date:
        return self.sky.night

    @property
    def sunset(self) -> BelowAltitude:
        return self.sky.sun[0]

    @property
    def dark(self) -> Interval | None:
        """When the Sun is below the telescope's limit."""
        return self.sky.span_of(self.sky.sun[-1])

    @property
    def dark_h(self) -> float:
        return 0.0 if self.dark is None else _hours([self.dark])

    @property
    def moon_up_dark_h(self) -> float:
        return 0.0 if self.dark is None else _hours(overlap(self.sky.moon_up, [self.dark]))


@dataclass(frozen=True)
class Tonight:
    """Windows of tonight, those of campaigns first, then the brightest; and the bookings that one may see."""

    night: Night
    windows: list[VisibilityWindow]
    bookings: list[Booking]


def coming_nights(telescope: Telescope, now: dt.datetime, count: int) -> list[Night]:
    """From the night that `now` is in; none without a fixed place. Raises ValueError as `almanacs` does."""
    place = telescope.observatory.place
    if place is None:
        return []
    nights = almanacs(place, night_of(place, now), count, planets(), [telescope.sun_altitude_max_deg])
    return [Night(sky) for sky in nights]


def tonight_of(telescope: Telescope, night: Night, now: dt.datetime, actor: Actor) -> Tonight:
    """Two queries."""
    campaigns = Campaign.objects.visible_to(actor).filter(state=Campaign.State.OPEN)
    held = CampaignTarget.objects.filter(target=OuterRef("target"), campaign__in=campaigns)
    found = (
        with_quality(VisibilityWindow.objects.visible_to(actor))
        .filter(telescope=telescope, night=night.label, ends_at__gt=now)
        .filter(night_ends_on__range=(night.sky.starts_at.date(), (night.sky.ends_at + _DAY).date()))
        .filter(at_best(LISTED))
        .annotate(in_campaign=Exists(held))
        .select_related("target")
        .order_by("-in_campaign", "v_mag", "target_id", "starts_at")[:MOST_TARGETS]
    )
    bookings = (
        Booking.objects.visible_to(actor)
        .active()
        .filter(telescope=telescope, starts_at__lt=night.sky.ends_at, ends_at__gt=night.sky.starts_at)
    )
    return Tonight(night, list(found), list(bookings.select_related("target", "organisation").order_by("starts_at")))


def target_counts(telescope: Telescope, nights: Sequence[Night], actor: Actor) -> dict[dt.date, int]:
    """By night, how many targets with reliable orbits have a window. One query."""
    rows = (
        with_quality(VisibilityWindow.objects.visible_to(actor))
        .filter(telescope=telescope, night__in=[night.label for night in nights])
        .filter(night_ends_on__range=(nights[0].sky.starts_at.date(), (nights[-1].sky.ends_at + _DAY).date()))
        .filter(at_best(LISTED))
        .order_by()
        .values_list("night")
        .annotate(Count("target_id", distinct=True))
    )
    return dict(rows)


def coming_seats(telescope: Telescope, now: dt.datetime, actor: Actor) -> list[Seat]:
    """Seats of this telescope in slots that are not over. One query."""
    slots = Slot.objects.visible_to(actor).filter(state__in=Slot.LIVE, ends_at__gt=now)
    seats = Seat.objects.filter(telescope=telescope, slot__in=slots.values("pk"))
    return list(seats.select_related("slot__campaign", "slot__target").order_by("observe_from")[:10])


def tonight_figure(telescope: Telescope, tonight: Tonight, now: dt.datetime, address: str) -> Figure:
    """Twilight and night behind, the bookings that one may see, the Moon, and a row for each target."""
    night = tonight.night
    start = (night.sunset.begins_at or night.sky.starts_at) - 0.5 * _HOUR
    end = (night.sunset.ends_at or night.sky.ends_at) + 0.5 * _HOUR
    zone = telescope.observatory.time_zone
    rows = []
    if tonight.bookings:
        rows.append(
            Row(_("booked"), _("booked"), [Bar(b.starts_at, b.ends_at, "booked", str(b)) for b in tonight.bookings])
        )
    rows.append(moon_row(night.sky))
    by_target: dict[int, list[VisibilityWindow]] = {}
    for window in tonight.windows:
        by_target.setdefault(window.target_id, []).append(window)
    for group in by_target.values():
        target = group[0].target
        bars = [Bar(w.starts_at, w.ends_at, "window", times.span(w.starts_at, w.ends_at)) for w in group]
        rows.append(Row(f"{target}, V {group[0].v_mag:.1f}", target.designation, bars))
    keys = [Key("window", _("can observe")), Key("moonlight", _("Moon up")),
            Key("dusk-key", _("twilight and night (Sun set, below −6, −12, −18 deg)"))]  # fmt: skip
    if tonight.bookings:
        keys.append(Key("booked", _("booked")))
    words = Words(
        title=_("%(telescope)s, night of %(night)s") % {"telescope": telescope, "night": night.label},
        description=_("Windows of %(count)d targets over UTC, with twilight and the Moon.") % {"count": len(by_target)},
        now=_("now"),
    )
    marks = local_hours(start, end, zone)

    def draw(name: str, width: int) -> Drawing:
        return draw_bars(
            name,
            width,
            (start, end),
            rows,
            now,
            words,
            keys=keys,
            behind=twilight(night.sky),
            marks=marks,
            zone=_("local"),
        )

    return Figure("tonight", draw, _tonight_table(tonight, zone, words.title), f"{address}tonight")


def _tonight_table(tonight: Tonight, zone: str, caption: str) -> Table:
    rows = [
        (
            str(w.target), times.minute(w.starts_at), times.minute(w.ends_at), times.local(w.starts_at, zone),
            f"{w.peak_altitude_deg:.0f}", f"{w.v_mag:.1f}", f"{w.rate_arcsec_min:.2f}", f"{w.moon_separation_deg:.0f}",
        )
        for w in tonight.windows
    ]  # fmt: skip
    columns = (
        _("Target"), _("From"), _("To"), _("Begins at local time"), _("Highest (deg)"), _("V (mag)"),
        _("Motion (arcsec/min)"), _("From the Moon (deg)"),
    )  # fmt: skip
    return Table(columns, rows, caption, frozenset(range(4, 8)))


def _hours(intervals: Sequence[Interval]) -> float:
    return sum((end - start) / _HOUR for start, end in intervals)
