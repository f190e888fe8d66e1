"""Pages of the desk."""

import datetime as dt
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _

from coordination.booking.admin.bookings import BULK_ACTIONS, BULK_LABELS
from coordination.common import clock
from coordination.common.desk import actor_for
from coordination.common.problems import DomainError
from coordination.visibility.almanac import night_of
from observatories.models import Telescope

from ..figures import NARROW
from . import calendar as calendars
from . import timeline as timelines
from .access import chosen_telescope, desk_telescopes, scheduled_organisations
from .frame import page
from .night import Night, night_at
from .tonight import seats_of, target_rows, tonight_figure

FORM_WIDE = 860  # pixels that a form leaves
_DAY = dt.timedelta(days=1)


def tonight(request: HttpRequest, pk: int | None = None, night: str = "") -> HttpResponse:
    """A night of a telescope: the one under way or the next where none is named."""
    if pk is None and (wanted := timelines.number(request.GET.get("telescope"))):
        return HttpResponseRedirect(reverse("desk:tonight-of", args=[wanted]))
    telescopes = list(desk_telescopes(request))
    telescope = chosen_telescope(request, telescopes, pk)
    if telescope is None:
        return page(request, "nothing", _("Tonight"))
    context: dict[str, Any] = {"telescope": telescope, "choices": by_observatory(telescopes)}
    try:
        found = night_at(telescope, _label(telescope, night), actor_for(request))
    except DomainError as error:
        return page(request, "tonight", str(telescope), **context, refusal=error.detail)
    return page(request, "tonight", _("Tonight"), **context, **_night_context(request, found))


def _night_context(request: HttpRequest, found: Night) -> dict[str, Any]:
    now, telescope = clock.now(), found.telescope
    may_book = telescope.organisation_id in scheduled_organisations(request)
    seats = seats_of(found, request)
    rows = target_rows(found, now, request, seats, may_book=may_book)
    here = found.sky.starts_at <= now < found.sky.ends_at
    return {
        "night": found,
        "rows": rows,
        "seats": seats,
        "is_tonight": here,
        "is_over": found.sky.ends_at <= now,
        "figure": tonight_figure(found, rows, now, ""),
        "before": found.label - _DAY,
        "after": found.label + _DAY,
        "may_book": may_book,
    }


def calendar_page(request: HttpRequest) -> HttpResponse:
    """Bookings of one's telescopes, or of one of them, by week or by night."""
    given = request.GET
    telescopes = list(desk_telescopes(request))
    chosen = timelines.number(given.get("telescope"))
    shown = [each for each in telescopes if each.pk == chosen] if chosen else telescopes
    if chosen and not shown:
        raise Http404
    view = given.get("view", "week")
    try:
        first = dt.date.fromisoformat(given["date"]) if given.get("date") else clock.now().date()
        found = calendars.calendar(request, view if view in calendars.DAYS else "week", first, shown)
    except (ValueError, OverflowError) as error:
        raise Http404 from error
    scheduled = scheduled_organisations(request)
    return page(
        request, "calendar", _("Calendar"), found=found, figure=calendars.calendar_figure(found), chosen=chosen,
        choices=by_observatory(telescopes), entries=calendars.entries(found, scheduled), may_book=bool(scheduled),
        bulk=[(name, BULK_LABELS[name]) for name in BULK_ACTIONS],
    )  # fmt: skip


def by_observatory(telescopes: list[Telescope]) -> dict[str, list[Telescope]]:
    groups: dict[str, list[Telescope]] = {}
    for telescope in telescopes:
        groups.setdefault(str(telescope.observatory), []).append(telescope)
    return groups


def _label(telescope: Telescope, night: str) -> dt.date:
    if night:
        try:
            return dt.date.fromisoformat(night)
        except ValueError as error:
            raise Http404 from error
    place = telescope.observatory.place
    return clock.now().date() if place is None else night_of(place, clock.now())


def timeline_part(request: HttpRequest) -> HttpResponse:
    """For a form that is being filled in: the drawing, and whether the period is free."""
    try:
        found = timelines.timeline(timelines.asked_of(request), request)
    except DomainError as error:
        return render(request, "web/desk/timeline.html", {"refusal": error.detail})
    width = NARROW if request.GET.get("narrow") else FORM_WIDE
    drawing = timelines.draw(found, "timeline", width, clock.now())
    context = {"found": found, "shown": found.shown, "drawing": mark_safe(drawing.inline())}
    return render(request, "web/desk/timeline.html", context)


def timeline_file(request: HttpRequest) -> HttpResponse:
    """The same as a picture, where no script runs."""
    try:
        found = timelines.timeline(timelines.asked_of(request), request)
    except DomainError as error:
        raise Http404 from error
    drawing = timelines.draw(found, "timeline", FORM_WIDE, clock.now())
    return HttpResponse(drawing.standalone(), content_type="image/svg+xml", headers={"Cache-Control": "no-store"})
