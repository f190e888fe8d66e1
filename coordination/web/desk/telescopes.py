"""Telescopes at the desk: their horizon, their closures, and observatories taken over by MPC code."""

from typing import Any

import numpy as np
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from coordination.booking.models import Booking
from coordination.common.desk import posted, show_refusal
from coordination.common.problems import DomainError
from observatories import services
from observatories.admin import signed_in
from observatories.horizon_tables import write_table
from observatories.models import Membership, Observatory, Telescope, horizon_of
from observatories.people import may_manage, organisations_with_role
from observatories.services.recurring import Interval, Recurrence, add_closures, periods_of
from observatories.sources.obscodes import ObscodesError, find_code

from ..plots.horizonplot import draw_horizon
from .access import desk_telescopes, scheduled_organisations
from .forms import ClosureForm, CodeForm, HorizonForm
from .frame import page

MOST_SHOWN = 60  # periods of a recurrence in its preview


def horizon_page(request: HttpRequest, pk: int) -> HttpResponse:
    """To look at for who works with the telescope, to change for its managers."""
    telescope = desk_telescopes(request).filter(pk=pk).first()
    if telescope is None:
        raise Http404
    may_change = may_manage(request.user, telescope.organisation_id)
    if request.method == "POST" and not may_change:
        raise PermissionDenied
    points: Any = telescope.horizon_mask or []
    form = HorizonForm(posted(request), request.FILES or None, initial={"points": write_table(points)})
    if request.method == "POST" and form.is_valid():
        points = form.cleaned_data["mask"]
        if "save" in request.POST:
            try:
                services.update_telescope(telescope.pk, horizon_mask=points or None, actor=signed_in(request))
            except DomainError as error:
                show_refusal(form, error, {"horizon_mask": "points"})
            else:
                messages.success(request, _("The horizon is changed; windows are computed anew."))
                return HttpResponseRedirect(reverse("admin:observatories_telescope_change", args=[telescope.pk]))
        elif form.cleaned_data.get("table"):  # what was read can be edited before it is saved
            form = HorizonForm(initial={"points": write_table(points)})
    return page(
        request, "horizon", _("Horizon of %(telescope)s") % {"telescope": telescope}, telescope=telescope, form=form,
        may_change=may_change, drawing=_horizon_drawing(telescope, points), count=len(points),
    )  # fmt: skip


def _horizon_drawing(telescope: Telescope, points: list[list[float]]) -> str:
    mask = horizon_of(points) if points else None
    told = _("No mask: the altitude limit alone counts.")
    if mask is not None:
        numbers = {"n": len(points), "low": min(mask.altitude_deg), "high": max(mask.altitude_deg)}
        told = _("%(n)d points, altitudes from %(low).0f to %(high).0f deg") % numbers
    drawing = draw_horizon(
        "horizon", 460, None if mask is None else lambda azimuths: mask.altitude_at(np.asarray(azimuths)).tolist(),
        [(azimuth, altitude) for azimuth, altitude in points], telescope.altitude_min_deg,
        _("Horizon of %(telescope)s") % {"telescope": telescope}, told, (_("N"), _("E"), _("S"), _("W")),
    )  # fmt: skip
    return mark_safe(drawing.inline())


def closure_page(request: HttpRequest) -> HttpResponse:
    """A closure, or one that recurs: first what it comes to and which bookings it falls over, then it is entered."""
    telescopes = desk_telescopes(request).filter(organisation__in=scheduled_organisations(request))
    if not telescopes:
        raise PermissionDenied
    initial = {"telescope": request.GET.get("telescope"), "every_days": 0}
    form = ClosureForm(posted(request), telescopes=telescopes, initial=initial)
    periods: list[Interval] = []
    disturbed: list[Booking] = []
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            periods = _periods(given)
            disturbed = _falls_over(given["telescope"], periods)
            if "save" in request.POST:
                return _close(request, given, len(disturbed))
        except DomainError as error:
            show_refusal(form, error, {})
    return page(
        request, "closure", _("Close a telescope"), form=form, periods=periods[:MOST_SHOWN], count=len(periods),
        disturbed=disturbed, zone=form.cleaned_data["telescope"].observatory.time_zone if periods else "",
    )  # fmt: skip


def _recurrence(given: dict[str, Any]) -> Recurrence | None:
    if not given["every_days"]:
        return None
    return Recurrence(given["starts_at"], given["ends_at"], given["every_days"], given["until"])


def _periods(given: dict[str, Any]) -> list[Interval]:
    recurrence = _recurrence(given)
    if recurrence is not None:
        return periods_of(given["telescope"], recurrence)
    if given["ends_at"] <= given["starts_at"]:
        raise DomainError(_("A closure ends after it starts."), field="ends_at")
    return [(given["starts_at"], given["ends_at"])]


def _falls_over(telescope: Telescope, periods: list[Interval]) -> list[Booking]:
    overlaps = Q(pk=None)
    for start, end in periods:
        overlaps |= Q(starts_at__lt=end, ends_at__gt=start)
    bookings = Booking.objects.active().filter(overlaps, telescope=telescope).select_related("organisation")
    return list(bookings.order_by("starts_at")[:MOST_SHOWN])


def _close(request: HttpRequest, given: dict[str, Any], disturbed: int) -> HttpResponse:
    telescope, recurrence, actor = given["telescope"], _recurrence(given), signed_in(request)
    if recurrence is not None:
        made = add_closures(telescope_id=telescope.pk, recurrence=recurrence, reason=given["reason"], actor=actor)
    else:
        made = [
            services.add_closure(
                telescope_id=telescope.pk, starts_at=given["starts_at"], ends_at=given["ends_at"],
                reason=given["reason"], actor=actor,
            )
        ]  # fmt: skip
    told = ngettext("%(n)d closure is entered.", "%(n)d closures are entered.", len(made)) % {"n": len(made)}
    if disturbed:
        told += " " + ngettext(
            "The holder of %(n)d booking is told.", "The holders of %(n)d bookings are told.", disturbed
        ) % {"n": disturbed}
    messages.success(request, told)
    return HttpResponseRedirect(f"{reverse('admin:observatories_closure_changelist')}?q={telescope.name}")


def observatory_page(request: HttpRequest) -> HttpResponse:
    """An observatory from its MPC code, for managers."""
    user: Any = request.user
    if not (user.is_superuser or organisations_with_role(user, Membership.Role.MANAGER)):
        raise PermissionDenied
    form = CodeForm(posted(request))
    if request.method == "POST" and form.is_valid():
        try:
            code = find_code(form.cleaned_data["code"].strip().upper())
            services.import_observatories([code], actor=signed_in(request))
        except (ObscodesError, DomainError, KeyError) as error:
            form.add_error("code", getattr(error, "detail", None) or str(error).strip("'"))
        else:
            observatory = Observatory.objects.get(mpc_code=code.code)
            messages.success(request, _("%(observatory)s is there.") % {"observatory": observatory})
            return HttpResponseRedirect(reverse("admin:observatories_observatory_change", args=[observatory.pk]))
    return page(request, "observatory", _("Add an observatory by its MPC code"), form=form)
