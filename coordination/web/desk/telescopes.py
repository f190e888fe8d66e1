"""Telescopes at the desk: their horizon, and observatories taken over by MPC code."""

from typing import Any

import numpy as np
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _

from coordination.campaigns.admin import manages_any
from coordination.common.desk import posted, show_refusal
from coordination.common.problems import DomainError
from observatories import services
from observatories.admin import signed_in
from observatories.horizon_tables import write_table
from observatories.models import Observatory, Telescope, horizon_of
from observatories.people import may_manage
from observatories.sources.obscodes import ObscodesError, find_code

from ..plots.horizonplot import draw_horizon
from .access import desk_telescopes
from .forms import CodeForm, HorizonForm
from .frame import page


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


def observatory_page(request: HttpRequest) -> HttpResponse:
    """An observatory from its MPC code, for managers."""
    if not manages_any(request):
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
