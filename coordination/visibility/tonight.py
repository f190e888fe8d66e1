"""What is best in the coming 24 hours, for a first look: seen from the most sites, then for the longest, then
brightest.
"""

import datetime as dt
from dataclasses import dataclass

from django.contrib.postgres.aggregates import ArrayAgg
from django.db.models import Count, Max, Min, Sum

from coordination.common import clock
from coordination.common.actors import ANONYMOUS, Actor
from observatories.models import Observatory
from observatories.sites.grouping import site_numbers
from targets.orbits.trust import Trust

from . import quality
from .models import VisibilityWindow

_CANDIDATES = 200  # by number of observatories; sites are counted for these


@dataclass(frozen=True)
class TonightRow:
    designation: str
    name: str
    site_count: int
    hours: float  # summed over telescopes
    first_starts_at: dt.datetime
    last_ends_at: dt.datetime
    v_mag: float
    peak_altitude_deg: float
    rate_arcsec_min: float
    orbit_u: str
    orbit_trust: str  # of the worst of its nights


def best_tonight(limit: int = 12, actor: Actor = ANONYMOUS) -> list[TonightRow]:
    """The best targets of the next 24 hours whose orbits are good or fair then (coordination.visibility.quality)."""
    now = clock.now()
    until = now + dt.timedelta(days=1)
    windows = (
        quality.with_quality(VisibilityWindow.objects.visible_to(actor))
        .filter(starts_at__lt=until, ends_at__gt=now)
        .filter(night_ends_on__gte=now.date(), night_ends_on__lte=until.date() + dt.timedelta(days=1))
        .filter(quality.at_best(quality.LISTED))
    )
    candidates = (
        windows.values("target__designation", "target__name")
        .annotate(
            observatories=ArrayAgg("telescope__observatory_id", distinct=True),
            observatory_count=Count("telescope__observatory_id", distinct=True),
            seconds=Sum("duration_s"),
            first=Min("starts_at"),
            last=Max("ends_at"),
            v_mag=Min("v_mag"),
            altitude=Max("peak_altitude_deg"),
            rate=Max("rate_arcsec_min"),
            u=Min("orbit__u_parameter"),
            worst_trust=Max("trust"),
        )
        .order_by("-observatory_count", "-seconds")[:_CANDIDATES]
    )
    site_of = _site_of_observatories()
    rows = [
        TonightRow(
            designation=c["target__designation"],
            name=c["target__name"],
            site_count=len({site_of[pk] for pk in c["observatories"]}),
            hours=c["seconds"] / 3600.0,
            first_starts_at=c["first"],
            last_ends_at=c["last"],
            v_mag=c["v_mag"],
            peak_altitude_deg=c["altitude"],
            rate_arcsec_min=c["rate"],
            orbit_u=c["u"],
            orbit_trust=Trust(c["worst_trust"]).label,
        )
        for c in candidates
    ]
    return sorted(rows, key=lambda r: (-r.site_count, -r.hours, r.v_mag))[:limit]


def _site_of_observatories() -> dict[int, int]:
    fixed = Observatory.objects.filter(kind=Observatory.Kind.FIXED, telescopes__isnull=False).distinct()
    places = {observatory.pk: observatory.place for observatory in fixed}
    numbers = site_numbers([place for place in places.values() if place is not None])
    return dict(zip((pk for pk, place in places.items() if place is not None), numbers.tolist(), strict=True))
