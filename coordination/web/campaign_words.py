"""Seats and expectations of a slot in words."""

from collections.abc import Collection
from typing import Any

from django.utils.translation import gettext as _

from coordination.booking.models import Slot

from . import times


def seat_rows(slot: Slot, chosen: Collection[str]) -> list[dict[str, Any]]:
    """Seats as the page lists them, from west to east; `chosen`: keys that were ticked in a form that was refused."""
    rows = []
    for offer in slot.offers:  # type: ignore[attr-defined]  # dressed by dress_slots
        seat = offer.seat
        key = f"telescope-{seat.telescope_id}" if seat.pk is None else f"seat-{seat.pk}"
        zone = seat.telescope.observatory.time_zone
        rows.append(
            {
                "key": key,
                "seat": seat,
                "telescope": seat.telescope,
                "state": offer.state,
                "span": times.cell(seat.observe_from, seat.observe_until),
                "local": times.local_span(seat.observe_from, seat.observe_until, zone),
                "claimable_by": offer.claimable_by,
                "chosen": key in chosen,
                "why_not": "" if offer.why_not is None or not _worth_telling(offer) else offer.why_not.detail,
            }
        )
    return sorted(rows, key=lambda row: (row["telescope"].observatory.longitude_deg or 0.0, row["telescope"].name))


def _worth_telling(offer: Any) -> bool:
    """Reasons that are the same for every seat, or that its state tells, are not repeated."""
    return offer.why_not.extra.get("code") not in {
        "not-signed-in", "not-scheduler", "not-joined", "not-yours", "slot-not-open", "deadline-passed",
        "campaign-not-open", "full",
    } and offer.state not in ("held", "confirmed", "done")  # fmt: skip


def yield_in_words(slot: Slot) -> list[tuple[str, str]]:
    """What is expected of a slot: a name and a figure with its unit for each that is known."""
    told = slot.expected_yield or {}
    shown = (
        (_("Sites at once"), "sites", "{:.0f}"),
        (_("Projected baseline"), "baseline_km", "{:,.0f} km"),
        (_("Parallax"), "parallax_arcsec", "{:g} arcsec"),
        (_("Distance"), "distance_au", "{:.4f} au"),
        (_("Distance known to"), "range_error_km", "{:,.0f} km"),
        (_("Lowest altitude"), "lowest_altitude_deg", "{:.0f} deg"),
        (_("Faintest V"), "faintest_v_mag", "{:.1f} mag"),
        (_("Margin to the limit"), "least_v_margin_mag", "{:.1f} mag"),
        (_("Covered"), "coverage_h", "{:.1f} h"),
        (_("Covered part"), "covered_fraction", "{:.0%}"),
        (_("Part of the rotation"), "rotation_fraction", "{:.0%}"),
        (_("Largest gap"), "largest_gap_minutes", "{:.0f} min"),
    )
    words = [(name, times.apart(text.format(told[key]))) for name, key, text in shown if told.get(key) is not None]
    if told.get("range_error_fraction"):
        percent = f"{100.0 * told['range_error_fraction']:.2g} %"
        words = [(name, f"{text} ({percent})" if name == _("Distance known to") else text) for name, text in words]
    return words
