"""Prints for the dome, and the ephemeris files for telescope control systems."""

import datetime as dt
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _

from coordination.common import clock
from coordination.common.actors import actor_of
from coordination.common.problems import DomainError, UnknownError
from coordination.visibility import rows
from coordination.visibility.almanac import night_of
from coordination.visibility.target_ephemeris import target_ephemeris
from observatories.models import Telescope

from ..views.base import framed
from . import pdf, words
from .plan import NightPlan, booking_for, night_plan

STEP_S, MOST_ROWS = 60, 20_000


@login_required
def tonight(request: HttpRequest, pk: int) -> HttpResponse:
    """The plan of the night that is under way, or of the one that comes."""
    place = get_object_or_404(Telescope.objects.select_related("observatory"), pk=pk).observatory.place
    if place is None:
        raise Http404
    return HttpResponseRedirect(reverse("dome-plan", args=[pk, str(night_of(place, clock.now()))]))


@login_required
def plan_page(request: HttpRequest, pk: int, night: str) -> HttpResponse:
    try:
        plan = _plan(request, pk, night)
    except DomainError as error:
        return _refused(request, error)
    context: dict[str, Any] = {
        "plan": plan,
        "heading": words.heading(plan),
        "title": words.heading(plan),
        "sun": words.sun_rows(plan),
        "moon": words.moon_line(plan),
        "closures": words.closure_lines(plan),
        "blocks": words.blocks(plan),
        "headings": words.POSITION_HEADINGS,
        "before": str(plan.night - dt.timedelta(days=1)),
        "after": str(plan.night + dt.timedelta(days=1)),
    }
    return framed(request, "web/dome/plan.html", context, active="observatories")


@login_required
def plan_pdf(request: HttpRequest, pk: int, night: str) -> HttpResponse:
    try:
        plan = _plan(request, pk, night)
    except DomainError as error:
        return _refused(request, error)
    return _file(pdf.render(plan), "application/pdf", f"plan-{pk}-{night}.pdf", inline=True)


@login_required
def ephemeris_file(request: HttpRequest, pk: int, ending: str) -> HttpResponse:
    """Rows from the begin of the observation to its end, every `step` seconds (60), the end included."""
    try:
        booking = booking_for(pk, actor_of(request.user))
        instants = _instants(booking.observe_from, booking.observe_until, request.GET.get("step", str(STEP_S)))
        assert booking.target is not None  # booking_for has looked
        columns = target_ephemeris([booking.target.pk], booking.telescope, instants)[1:]
    except DomainError as error:
        return _refused(request, error)
    kinds = {"csv": "text/csv; charset=utf-8", "json": "application/json"}
    return _file(rows.render(columns, ending).encode(), kinds[ending], f"booking-{pk}.{ending}")


def _plan(request: HttpRequest, pk: int, night: str) -> NightPlan:
    try:
        date = dt.date.fromisoformat(night)
    except ValueError as error:
        raise Http404 from error
    return night_plan(pk, date, actor_of(request.user))


def _instants(start: dt.datetime, end: dt.datetime, step: str) -> list[dt.datetime]:
    if not (step.isascii() and step.isdecimal() and 1 <= int(step) <= 86_400):
        raise DomainError(f"step={step[:20]!r} is no number of seconds from 1 to 86400.", field="step")
    count = int((end - start).total_seconds() // int(step)) + 1
    if count > MOST_ROWS:
        raise DomainError(f"{count} rows are more than {MOST_ROWS}: take a longer step.", field="step")
    times = [start + dt.timedelta(seconds=k * int(step)) for k in range(count)]
    return times if times[-1] == end else [*times, end]


def _refused(request: HttpRequest, error: DomainError) -> HttpResponse:
    if isinstance(error, UnknownError):
        raise Http404 from error
    return framed(
        request,
        "web/dome/refused.html",
        {"title": _("No print"), "detail": error.detail},
        error.status,
        "observatories",
    )


def _file(content: bytes, kind: str, name: str, *, inline: bool = False) -> HttpResponse:
    disposition = f'{"inline" if inline else "attachment"}; filename="{name}"'
    return HttpResponse(content, content_type=kind, headers={"Content-Disposition": disposition})
